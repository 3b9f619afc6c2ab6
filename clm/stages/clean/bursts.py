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
# a shop's customers place at most so many orders in a slot, but for this share of slots (or these few); a burst is three times that
_SHARE, _FEW, _TIMES = 0.02, 2, 3
# who is that busy in more than this share of his own slots (and more than a few) is a till, a reseller, a walk-in account: his way
_HABIT, _HABIT_FEW = 0.05, 3


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
    windows = _windows(crowded, clock).filter(pl.col("n") >= _least(histogram, clock))
    strange = windows.join(_busy(windows, slotted, clock), on="customer_id", how="anti")
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


def _least(histogram: pl.DataFrame, clock: _Clock) -> int:
    """How many orders are more than this shop's customers place. `histogram` has the number of slots by their orders `n`."""
    allowed = max(_FEW, _SHARE * int(histogram["slots"].sum() or 0))
    above = 0
    usual = 0
    for orders, slots in histogram.sort("n", descending=True).select("n", "slots").iter_rows():
        above += slots
        if above > allowed:
            usual = orders
            break
    return max(clock.floor, _TIMES * usual)


def _busy(windows: pl.DataFrame, slotted: pl.LazyFrame, clock: _Clock) -> pl.DataFrame:
    """Customers for whom it is no exception."""
    named = windows["customer_id"].unique()
    own = slotted.filter(pl.col("customer_id").is_in(named.to_list())).group_by("customer_id").agg(pl.col("slot").n_unique())
    crowded = windows.group_by("customer_id").agg(windows=pl.len().cast(pl.Int64) // clock.step)
    both = own.collect(engine="streaming").join(crowded, on="customer_id", how="inner")
    return both.filter(pl.col("windows") > pl.max_horizontal(pl.lit(_HABIT_FEW), pl.col("slot") * _HABIT)).select("customer_id")
