"""More orders of one customer within the hour than this shop's customers place: `burst`.

It may not see lines: it works on one row per order, and counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

# half hours, taken two by two: half an hour of orders never falls between two windows
_SLOT = timedelta(minutes=30)
# so many orders within the hour (or, in a log of dates, the day) are never strange by themselves
_FLOOR_HOUR, _FLOOR_DAY = 6, 8
# at most this share of a customer's hours, or these few, may be called strange: else it is how this shop's customers buy
_SHARE, _FEW = 0.0005, 2


@dataclass(frozen=True)
class _Clock:
    slot: timedelta
    floor: int
    step: int


def bursts(orders: pl.LazyFrame, *, times: bool) -> pl.LazyFrame:
    """Keys (`customer_id`, `order_id`) of orders in a burst. `orders` has one row per order with its `first` moment.

    `times` says that the log has times of day; without, the window is the day.
    """
    clock = _Clock(_SLOT, _FLOOR_HOUR, 2) if times else _Clock(timedelta(days=1), _FLOOR_DAY, 1)
    slotted = orders.select("customer_id", "order_id", slot=_slot(clock))
    counted = slotted.group_by("customer_id", "slot").agg(n=pl.len().cast(pl.Int64))
    # of two slots that hold a burst together one holds half of it: only those are kept, and they are few
    crowded, histogram = pl.collect_all(
        [counted.filter(pl.col("n") >= clock.floor // clock.step), counted.group_by("n").agg(slots=pl.len().cast(pl.Int64))],
        engine="streaming",
    )
    windows = _windows(crowded, clock)
    least = _least(windows, int(histogram["slots"].sum() or 0), clock)
    strange = windows.filter(pl.col("n") >= least)
    keys = pl.concat([strange.select("customer_id", slot=pl.col("slot") + step) for step in range(clock.step)]).unique()
    return slotted.join(keys.lazy(), on=["customer_id", "slot"], how="semi").select("customer_id", "order_id")


def _slot(clock: _Clock) -> pl.Expr:
    return pl.col("first").dt.epoch("us") // (clock.slot // timedelta(microseconds=1))


def _windows(crowded: pl.DataFrame, clock: _Clock) -> pl.DataFrame:
    """Orders from each slot on through the window."""
    if clock.step == 1:
        return crowded
    earlier = crowded.with_columns(pl.col("slot") - 1)
    return pl.concat([crowded, earlier]).group_by("customer_id", "slot").agg(pl.col("n").sum())


def _least(windows: pl.DataFrame, slots: int, clock: _Clock) -> int:
    """The smallest number of orders that is rare enough in this log."""
    allowed = max(_FEW, _SHARE * slots) * clock.step
    table = windows.filter(pl.col("n") >= clock.floor).group_by("n").agg(windows=pl.len()).sort("n", descending=True)
    least = 0
    above = 0
    for orders, count in table.iter_rows():
        above += count
        if above > allowed:
            return least or orders + 1
        least = orders
    return least or clock.floor
