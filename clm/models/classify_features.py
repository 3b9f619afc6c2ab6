"""What is known about buyers on one day, in their own terms, and the feature matrix the churn candidates learn from.
It learns nothing, sees no label and no date; every number comes from rows up to the snapshot's day.

Features (one row per buyer): logarithms of 1 + days or counts, asinh of money (net spend can be negative), the log-odds
of not returning, silence against the buyer's own rhythm, and recent order days against those the own rate promises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

FEATURES = (
    "silent_days",
    "age_days",
    "repeat_days",
    "silence_to_rhythm",
    "return_log_odds",
    "trend",
    "returns",
    "spend_per_order_day",
)
# What a person can be told about; each is replaced as a whole, and every feature that depends on it follows.
REASONS = ("silent_days", "order_days", "recent_order_days", "spend_per_order_day", "returns")
_EDGE = 1e-6  # probabilities are kept this far from 0 and 1 before their log-odds are taken


@dataclass(frozen=True)
class Buyers:
    """n customers with at least one order, as known on one day; one entry per customer in every array.

    recency_days, active_days (first to last order), repeat_days (order days - 1), returns (orders sent back);
    recent_order_days: order days in the last `horizon_days`, None when only the customer table is known;
    spend_per_order_day: net spend / order days, None for logs without amounts; gap_days: the typical gap of this base.
    """

    recency_days: FloatArray
    active_days: FloatArray
    repeat_days: FloatArray
    returns: FloatArray
    recent_order_days: FloatArray | None
    spend_per_order_day: FloatArray | None
    gap_days: float
    horizon_days: int

    @property
    def age_days(self) -> FloatArray:
        return self.active_days + self.recency_days

    @property
    def rhythm_days(self) -> FloatArray:
        """Own mean gap, drawn towards the base's by one gap: one-time buyers have the base's."""
        return np.asarray((self.active_days + self.gap_days) / (self.repeat_days + 1.0))


@dataclass(frozen=True)
class Typical:
    """Medians of the customers who stayed; None where the quantity is not known."""

    silent_days: float
    active_days: float
    repeat_days: float
    recent_order_days: float | None
    spend_per_order_day: float | None
    returns: float

    def to_json(self) -> dict[str, float | None]:
        return {
            "silent_days": self.silent_days,
            "active_days": self.active_days,
            "repeat_days": self.repeat_days,
            "recent_order_days": self.recent_order_days,
            "spend_per_order_day": self.spend_per_order_day,
            "returns": self.returns,
        }


def typical_gap(active_days: FloatArray, repeat_days: FloatArray) -> float | None:
    """Lower median of the customers' mean gaps, each counted once per gap; None when nobody ordered twice."""
    repeated = repeat_days > 0.0
    if not np.any(repeated):
        return None
    gaps, weights = active_days[repeated] / repeat_days[repeated], repeat_days[repeated]
    order = np.argsort(gaps, kind="stable")
    reached = np.cumsum(weights[order]) >= weights.sum() / 2.0
    return float(gaps[order][int(np.argmax(reached))])


def feature_names(buyers: Buyers) -> tuple[str, ...]:
    """Columns of `features`: all of FEATURES, without the money of a log that has none."""
    return FEATURES if buyers.spend_per_order_day is not None else FEATURES[:-1]


def features(buyers: Buyers, p_return: FloatArray) -> FloatArray:
    """The matrix: one row per buyer, columns as `feature_names` says. `p_return` is their return probability."""
    assert buyers.recent_order_days is not None, "features need the order log, not only the customer table"
    order_days = buyers.repeat_days + 1.0
    expected = order_days * np.minimum(1.0, buyers.horizon_days / (buyers.age_days + 1.0))
    columns = [
        np.log1p(buyers.recency_days),
        np.log1p(buyers.age_days),
        np.log1p(buyers.repeat_days),
        np.log1p(buyers.recency_days / np.maximum(buyers.rhythm_days, 1.0)),
        log_odds(1.0 - p_return),
        np.log1p(buyers.recent_order_days) - np.log1p(expected),
        np.log1p(buyers.returns),
    ]
    if buyers.spend_per_order_day is not None:
        columns.append(np.arcsinh(buyers.spend_per_order_day))
    return np.stack(columns, axis=1)


def log_odds(probability: FloatArray) -> FloatArray:
    """ln(p / (1 - p)), with p kept inside (1e-6, 1 - 1e-6)."""
    inside = np.clip(probability, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def typical(buyers: Buyers, kept: NDArray[np.bool_]) -> Typical:
    """Lower medians of the buyers marked in `kept` (at least one)."""

    def middle(values: FloatArray) -> float:
        ordered = np.sort(values[kept])
        return float(ordered[(ordered.size - 1) // 2])

    recent, spend = buyers.recent_order_days, buyers.spend_per_order_day
    return Typical(
        silent_days=middle(buyers.recency_days),
        active_days=middle(buyers.active_days),
        repeat_days=middle(buyers.repeat_days),
        recent_order_days=None if recent is None else middle(recent),
        spend_per_order_day=None if spend is None else middle(spend),
        returns=middle(buyers.returns),
    )


def replaced(buyers: Buyers, reason: str, usual: Typical) -> Buyers | None:
    """The same buyers with one of REASONS set to the typical value; None where this base does not know the quantity.

    Histories stay possible ones: silence moves today's distance from the last order, not the orders; order days and
    the time they span are replaced together (lower medians of both are 0 together).
    """

    def constant(value: float) -> FloatArray:
        return np.full_like(buyers.recency_days, value)

    if reason == "silent_days":
        return replace(buyers, recency_days=constant(usual.silent_days))
    if reason == "order_days":
        return replace(buyers, repeat_days=constant(usual.repeat_days), active_days=constant(usual.active_days))
    if reason == "recent_order_days":
        known = usual.recent_order_days
        return None if known is None else replace(buyers, recent_order_days=constant(known))
    if reason == "spend_per_order_day":
        known = usual.spend_per_order_day
        return None if known is None else replace(buyers, spend_per_order_day=constant(known))
    assert reason == "returns"
    return replace(buyers, returns=constant(usual.returns))
