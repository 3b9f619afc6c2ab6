"""Scores of a probability against what happened: ranking, loss, calibration, lift and gain.
Pure functions on arrays; it fits nothing and chooses nothing.

Equal probabilities share their rank and their bins, so no score depends on the order of the rows. A score that is undefined
because only one outcome occurred is None, never NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clm.models.evaluate import average_ranks, capture, deciles

FloatArray = NDArray[np.float64]
Row = dict[str, float | None]

_EDGE = 1e-15


def scores(probability: FloatArray, happened: FloatArray) -> Row:
    """Every score of one candidate; `happened` is 0 or 1, both arrays hold one entry per customer (at least one).

    auc, average_precision; log_loss and brier per customer; top_decile_lift: rate among the tenth at highest risk over
    the rate of all; calibration_error: mean |predicted - observed| of ten equal-count bins, weighted by customers.
    """
    return {
        "auc": auc(probability, happened),
        "average_precision": average_precision(probability, happened),
        "log_loss": float(np.mean(losses(probability, happened))),
        "brier": float(np.mean((probability - happened) ** 2)),
        "top_decile_lift": _lift(probability, happened),
        "calibration_error": calibration_error(probability, happened),
    }


def auc(probability: FloatArray, happened: FloatArray) -> float | None:
    """Area under the ROC curve as the Mann-Whitney statistic with average ranks."""
    positives = float(happened.sum())
    negatives = happened.size - positives
    if not positives or not negatives:
        return None
    ranks = float(np.sum(average_ranks(probability) * happened))
    return (ranks - positives * (positives + 1.0) / 2.0) / (positives * negatives)


def average_precision(probability: FloatArray, happened: FloatArray) -> float | None:
    """Sum over distinct thresholds of precision times the recall gained there."""
    positives = float(happened.sum())
    if not positives:
        return None
    levels, level_of = np.unique(-probability, return_inverse=True)
    caught = np.bincount(level_of, weights=happened, minlength=levels.size)
    flagged = np.bincount(level_of, minlength=levels.size)
    return float(np.sum(caught * np.cumsum(caught) / np.cumsum(flagged))) / positives


def losses(probability: FloatArray, happened: FloatArray) -> FloatArray:
    """Logarithmic loss of each customer; probabilities are kept 1e-15 from 0 and 1."""
    inside = np.clip(probability, _EDGE, 1.0 - _EDGE)
    return np.asarray(-(happened * np.log(inside) + (1.0 - happened) * np.log1p(-inside)))


def calibration_error(probability: FloatArray, happened: FloatArray) -> float:
    """Expected calibration error over ten equal-count bins (a perfect forecast of n customers does not score 0)."""
    bins = deciles(probability, happened)
    return float(sum(one.customers * abs(one.predicted_mean - one.actual_mean) for one in bins)) / probability.size


def reliability(probability: FloatArray, happened: FloatArray) -> list[dict[str, float]]:
    """Predicted and observed rate in ten equal-count bins, lowest risk first."""
    return [
        {"bin": number, "customers": one.customers, "predicted": one.predicted_mean, "observed": one.actual_mean}
        for number, one in enumerate(reversed(deciles(probability, happened)), start=1)
    ]


def gain(probability: FloatArray, happened: FloatArray) -> list[dict[str, float]]:
    """Share of all who left that is found among the given share of customers at highest risk, by tenths."""
    found = [(tenth / 10.0, capture(probability, happened, tenth / 10.0)) for tenth in range(1, 11)]
    return [{"share": share, "captured": captured} for share, captured in found if captured is not None]


def _lift(probability: FloatArray, happened: FloatArray) -> float | None:
    captured = capture(probability, happened, 0.1)
    return None if captured is None else captured / 0.1
