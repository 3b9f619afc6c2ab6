"""How sure a difference between two candidates is: both scored on the same customers, drawn again and again with replacement.
Pure functions on arrays; it chooses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models.classify_scores import losses

FloatArray = NDArray[np.float64]

DRAWS = 1_000
_MANY, _FEW_DRAWS = 50_000, 200  # customers, above which so few draws say as much
_TAIL = 0.025


@dataclass(frozen=True)
class Difference:
    """`name` less `against` in one score of the same customers; low, high: the middle 95 % of the bootstrap."""

    name: str
    against: str
    score: str
    difference: float
    low: float
    high: float

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def differences(
    names: Sequence[str], probabilities: Sequence[FloatArray], happened: FloatArray, against: str, seed: int
) -> list[Difference]:
    """Every other candidate less `against`, in AUC and log-loss, with 95 % bootstrap intervals over customers.

    Draws in which only one outcome occurs say nothing of the AUC and are left out.
    """
    if len(names) < 2:
        return []
    lost = [losses(one, happened) for one in probabilities]
    levels = [np.unique(one, return_inverse=True)[1] for one in probabilities]
    ones = np.ones(happened.size)
    told = _scores(ones, happened, levels, lost)
    generator = np.random.default_rng(seed)
    draws = DRAWS if happened.size <= _MANY else _FEW_DRAWS
    drawn = np.array([_scores(_again(generator, happened.size), happened, levels, lost) for _ in range(draws)])
    at = list(names).index(against)
    found = []
    for place, name in enumerate(names):
        for which, score in enumerate(("auc", "log_loss")):
            if place == at:
                continue
            gaps = drawn[:, which, place] - drawn[:, which, at]
            gaps = gaps[np.isfinite(gaps)]
            if not gaps.size:
                continue
            low, high = np.quantile(gaps, (_TAIL, 1.0 - _TAIL))
            gap = float(told[which, place] - told[which, at])
            found.append(Difference(name, against, score, gap, float(low), float(high)))
    return found


def _again(generator: np.random.Generator, size: int) -> FloatArray:
    """How often each customer is drawn in one draw of all."""
    return np.bincount(generator.integers(0, size, size), minlength=size).astype(np.float64)


def _scores(
    weight: FloatArray, happened: FloatArray, levels: Sequence[NDArray[np.int64]], lost: Sequence[FloatArray]
) -> FloatArray:
    """AUC and log-loss of each candidate over customers counted `weight` times; NaN where only one outcome occurs."""
    total, positives = float(weight.sum()), float(weight @ happened)
    negatives = total - positives
    area = []
    for level in levels:
        left = np.bincount(level, weights=weight * happened)
        stayed = np.bincount(level, weights=weight * (1.0 - happened))
        below = np.cumsum(stayed) - stayed / 2.0
        area.append(float(left @ below) / (positives * negatives) if positives and negatives else np.nan)
    return np.array([area, [float(weight @ one) / total for one in lost]])
