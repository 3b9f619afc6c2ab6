"""More orders of one customer within the hour than this shop's customers place: `burst`.

It may not see lines: it works on one row per order, and counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from clm.engines.hold import Hold, some

# half hours, taken two by two: half an hour of orders never falls between two windows
_SLOT = timedelta(minutes=30)
# so many orders within the hour (or, in a log of dates, the day) are never strange by themselves
_FLOOR_HOUR, _FLOOR_DAY = 6, 8
# but for this share of slots, or these few, no customer of the shop places more orders in one; a burst is so many times that
_SHARE, _FEW = 0.02, 2
# and so many times what this customer places otherwise: a till, a reseller, a walk-in account is always busy
_TIMES = 3


@dataclass(frozen=True)
class _Clock:
    slot: timedelta
    floor: int
    step: int


def bursts(orders: pl.LazyFrame, hold: Hold, *, times: bool) -> pl.LazyFrame | None:
    """Keys (`customer_id`, `order_id`) of orders in a burst; None: there is none. `orders` is one row per order with its `first`
    moment.

    `times` says that the log has times of day; without, the window is the day.
    """
    clock = _Clock(_SLOT, _FLOOR_HOUR, 2) if times else _Clock(timedelta(days=1), _FLOOR_DAY, 1)
    slotted = orders.select("customer_id", "order_id", slot=_slot(clock))
    counted = slotted.group_by("customer_id", "slot").agg(n=pl.len().cast(pl.Int64))
    histogram = counted.group_by("n").agg(slots=pl.len().cast(pl.Int64)).collect(engine="streaming")
    least = _least(histogram, clock)
    # of two slots that hold a burst together one holds half of it: such slots are few, and in most logs there is none
    full = pl.col("n") * clock.step >= least
    if not histogram.filter(full).height:
        return None
    windows = some(hold(_windows(counted, hold(counted.filter(full)), clock).filter(pl.col("n") >= least)))
    if windows is None:
        return None
    strange = _unusual(windows, slotted, clock)
    keys = pl.concat([strange.select("customer_id", slot=pl.col("slot") + step) for step in range(clock.step)]).unique()
    return slotted.join(hold(keys), on=["customer_id", "slot"], how="semi").select("customer_id", "order_id")


def _slot(clock: _Clock) -> pl.Expr:
    return pl.col("first").dt.epoch("us") // (clock.slot // timedelta(microseconds=1))


def _windows(counted: pl.LazyFrame, full: pl.LazyFrame, clock: _Clock) -> pl.LazyFrame:
    """Orders `n` from each slot on through the window, of those with a full slot."""
    if clock.step == 1:
        return full
    around = pl.concat([full.select("customer_id", pl.col("slot") + step) for step in (-1, 0, 1)]).unique()
    slots = counted.join(around, on=["customer_id", "slot"], how="semi")
    earlier = slots.with_columns(pl.col("slot") - 1)
    return pl.concat([slots, earlier]).group_by("customer_id", "slot").agg(pl.col("n").sum())


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


def _unusual(windows: pl.LazyFrame, slotted: pl.LazyFrame, clock: _Clock) -> pl.LazyFrame:
    """The windows that are so for their customer, too, by what he orders in his other slots."""
    own = slotted.join(windows.select("customer_id").unique(), on="customer_id", how="semi").group_by("customer_id")
    sums = own.agg(orders=pl.len().cast(pl.Int64), slots=pl.col("slot").n_unique().cast(pl.Int64))
    # times the number of other slots on both sides: no division
    other = pl.col("slots") - clock.step
    unusual = (other <= 0) | (pl.col("n") * other >= _TIMES * clock.step * (pl.col("orders") - pl.col("n")))
    return windows.join(sums, on="customer_id", how="inner").filter(unusual)
