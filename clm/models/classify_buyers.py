"""What is known about buyers on one day, in their own terms, and what each quantity is for the customers who stayed.
It learns nothing, sees no label of its own and no date; every number comes from rows up to the snapshot's day.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Rows = NDArray[np.int64]
# Lower medians of the customers who stayed, by quantity; None where the base does not know the quantity.
Typical = dict[str, float | None]

# What a person can be told about; each is replaced as a whole, and every feature that depends on it follows.
REASONS = (
    "silent_days", "order_days", "recent_order_days", "earlier_order_days", "spend_per_order_day", "recent_spend",
    "returns", "last_gap_days", "longest_gap_days", "products",
)  # fmt: skip
QUANTITIES = ("silent_days", "active_days", "repeat_days", *REASONS[2:])


@dataclass(frozen=True)
class Habits:
    """What only the log tells of n buyers; one entry per customer in every array.

    recent_order_days: order days in the last horizon, earlier_order_days: in the horizon before it; last_gap_days and
    longest_gap_days (NaN for a single order day), gap_sd_days (sample deviation, NaN below two gaps); recent_spend: net, of the
    last horizon, and returned_share of gross spend (NaN where nothing was spent), both None for logs without amounts; products:
    distinct ones bought, None for logs that name none.
    """

    recent_order_days: FloatArray
    earlier_order_days: FloatArray
    last_gap_days: FloatArray
    longest_gap_days: FloatArray
    gap_sd_days: FloatArray
    recent_spend: FloatArray | None
    returned_share: FloatArray | None
    products: FloatArray | None


@dataclass(frozen=True)
class Buyers:
    """n customers with at least one order, as known on one day; one entry per customer in every array.

    recency_days, active_days (first to last order), repeat_days (order days - 1), returns (orders sent back);
    spend_per_order_day: net spend / order days, None for logs without amounts; gap_days: the typical gap of this base;
    habits: None when only the customer table is known.
    """

    recency_days: FloatArray
    active_days: FloatArray
    repeat_days: FloatArray
    returns: FloatArray
    spend_per_order_day: FloatArray | None
    gap_days: float
    horizon_days: int
    habits: Habits | None

    @property
    def age_days(self) -> FloatArray:
        return self.active_days + self.recency_days

    @property
    def rhythm_days(self) -> FloatArray:
        """Own mean gap, drawn towards the base's by one gap: one-time buyers have the base's."""
        return np.asarray((self.active_days + self.gap_days) / (self.repeat_days + 1.0))

    def at(self, rows: Rows) -> Buyers:
        """Some of the buyers, in the order of `rows`."""
        taken: Buyers = _at(self, rows)
        return taken


def quantity(buyers: Buyers, name: str) -> FloatArray | None:
    """One of QUANTITIES per buyer; None where this base does not know it."""
    if name == "silent_days":
        return buyers.recency_days
    own = getattr(buyers, name, None) if name in Buyers.__dataclass_fields__ else getattr(buyers.habits, name, None)
    assert own is None or isinstance(own, np.ndarray)
    return own


def typical_gap(active_days: FloatArray, repeat_days: FloatArray) -> float | None:
    """Lower median of the customers' mean gaps, each counted once per gap; None when nobody ordered twice."""
    repeated = repeat_days > 0.0
    if not np.any(repeated):
        return None
    gaps, weights = active_days[repeated] / repeat_days[repeated], repeat_days[repeated]
    order = np.argsort(gaps, kind="stable")
    reached = np.cumsum(weights[order]) >= weights.sum() / 2.0
    return float(gaps[order][int(np.argmax(reached))])


def typical(buyers: Buyers, kept: NDArray[np.bool_]) -> Typical:
    """Lower medians of the buyers marked in `kept` (at least one), of those who have the quantity."""

    def middle(values: FloatArray | None) -> float | None:
        if values is None:
            return None
        chosen = values[kept]
        ordered = np.sort(chosen[~np.isnan(chosen)])
        return float(ordered[(ordered.size - 1) // 2]) if ordered.size else None

    return {name: middle(quantity(buyers, name)) for name in QUANTITIES}


def replaced(buyers: Buyers, reason: str, usual: Typical) -> Buyers | None:
    """The same buyers with one of REASONS set to the typical value; None where this base does not know the quantity.

    Histories stay possible ones: silence moves today's distance from the last order, not the orders; order days and
    the time they span are replaced together (lower medians of both are 0 together).
    """

    def constant(name: str) -> FloatArray | None:
        value = usual[name]
        return None if value is None else np.full_like(buyers.recency_days, value)

    if reason == "order_days":
        repeat, active = constant("repeat_days"), constant("active_days")
        return None if repeat is None or active is None else replace(buyers, repeat_days=repeat, active_days=active)
    own, value = quantity(buyers, reason), constant(reason)
    if own is None or value is None:
        return None
    return with_quantity(buyers, reason, np.where(np.isnan(own), own, value))


def shuffled(buyers: Buyers, reason: str, order: Rows) -> Buyers | None:
    """The same buyers, each with one of REASONS taken from another of them; None where this base does not know the quantity."""
    if reason == "order_days":
        return replace(buyers, repeat_days=buyers.repeat_days[order], active_days=buyers.active_days[order])
    own = quantity(buyers, reason)
    return None if own is None else with_quantity(buyers, reason, own[order])


def with_quantity(buyers: Buyers, name: str, value: FloatArray) -> Buyers:
    """The same buyers with another value of one quantity."""
    if name == "silent_days":
        return replace(buyers, recency_days=value)
    if name in Buyers.__dataclass_fields__:
        more: dict[str, Any] = {name: value}
        return replace(buyers, **more)
    assert buyers.habits is not None
    return replace(buyers, habits=replace(buyers.habits, **{name: value}))


def _at(record: Any, rows: Rows) -> Any:
    found = {one.name: getattr(record, one.name) for one in fields(record)}
    taken = {name: value[rows] for name, value in found.items() if isinstance(value, np.ndarray)}
    within = {name: _at(value, rows) for name, value in found.items() if isinstance(value, Habits)}
    return replace(record, **taken, **within)
