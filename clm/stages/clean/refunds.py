"""What came back: returns matched to the purchases they undo, and sales cancelled within the hour.

It may not change money: nothing is netted here. It sees the lines of what came back (one row per line of a customer and product
with a return), never the whole log, and streams over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from clm.stages.clean.accounting import Sum
from clm.tables import RETURN, SALE

_MINUTE = timedelta(minutes=1) // timedelta(microseconds=1)
_QUICK = 60 * _MINUTE
_HOUR = 60
_SUM = pl.Decimal(38, 4)


@dataclass(frozen=True)
class Refunds:
    """All returns of a log: undoing a purchase in it, undoing none, and money back for what is no product (fees, discounts)."""

    matched: Sum = field(default_factory=Sum)
    unmatched: Sum = field(default_factory=Sum)
    non_product: Sum = field(default_factory=Sum)

    def to_json(self) -> dict[str, Any]:
        parts = {"matched": self.matched, "unmatched": self.unmatched, "non_product": self.non_product}
        return {name: {"rows": part.rows, "amount": str(part.money)} for name, part in parts.items()}


def quick(histories: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    """`clm:at` of both halves: a return within the hour after a sale of the same keys and the same size.

    `histories` has `clm:at`, the keys (customer and product), `size` (units or money, ≥ 0), `kind` and `ordered_at`. The lines of
    one minute are one on the other side, so that a log of equal lines stays small.
    """
    moment = pl.col("ordered_at").dt.epoch("us")
    timed = histories.with_columns(moment=moment, minute=moment // _MINUTE, hour=moment // (_MINUTE * _HOUR))
    sales = timed.filter(pl.col("kind") == SALE)
    back = timed.filter(pl.col("kind") == RETURN)
    same = list(dict.fromkeys([*keys, "size"]))
    return pl.concat([_near(sales, back, same, later=True), _near(back, sales, same, later=False)])


def _near(lines: pl.LazyFrame, others: pl.LazyFrame, same: list[str], *, later: bool) -> pl.LazyFrame:
    """`clm:at` of lines that have one of `others` within the hour after (or before) them."""
    step = 1 if later else -1
    ends = [pl.col("moment").min().alias("least"), pl.col("moment").max().alias("most")]
    minutes = others.group_by(*same, "hour", "minute").agg(ends)
    spread = pl.concat([minutes, minutes.with_columns(pl.col("hour") - step)])
    joined = lines.select("clm:at", *same, "hour", "moment").join(spread, on=[*same, "hour"], how="inner", nulls_equal=True)
    # of a minute's lines the last (first) may be within the hour when the first (last) is not, and the other way round
    near = [(gap >= 0) & (gap <= _QUICK) for gap in ((pl.col(end) - pl.col("moment")) * step for end in ("least", "most"))]
    return joined.filter(near[0] | near[1]).select("clm:at").unique()


def unmatched(histories: pl.LazyFrame, keys: list[str], returned_orders: pl.LazyFrame) -> pl.LazyFrame:
    """`clm:at` of returns that undo no purchase of the log.

    A return undoes a purchase when its own order holds as much (`returned_orders`: its keys), or when of what the customer had
    bought by then (`units` of the same keys) enough has not come back yet. One that overdraws takes what is left.
    """
    balance = pl.when(pl.col("kind") == SALE).then(pl.col("units")).otherwise(-pl.col("units")).cast(_SUM)
    ordered = histories.with_columns(back=pl.col("kind") == RETURN).sort(*keys, "ordered_at", "back", "units", "amount", "clm:at")
    # what was asked back beyond what was there: it only grows, and it grows at the returns that found too little
    missing = (
        ordered.with_columns(left=balance.cum_sum().over(keys))
        .with_columns(short=pl.col("left").cum_min().over(keys).clip(upper_bound=0))
        .with_columns(before=pl.col("short").shift(1).over(keys).fill_null(0))
        .filter(pl.col("back") & (pl.col("short") < pl.col("before")))
    )
    return missing.join(returned_orders, on=["customer_id", "order_id"], how="anti").select("clm:at")


def orders_undone(returns: pl.LazyFrame, orders: pl.LazyFrame, *, amounts: bool) -> pl.LazyFrame:
    """Keys of the orders that hold the sales their own returns undo: at least as much money, where the log has any."""
    keys = ["customer_id", "order_id"]
    back = returns.group_by(keys).agg(pl.col("amount").cast(_SUM).sum().alias("back"))
    both = back.join(orders, on=keys, how="inner")
    return (both.filter(pl.col("sold") + pl.col("back") >= 0) if amounts else both).select(keys)


def summed(returns: pl.LazyFrame, missing: pl.LazyFrame) -> Refunds:
    """The account of all returns (`clm:at`, `amount`, `goods`: is it a product) given the places of the unmatched ones."""
    told = returns.join(missing.select("clm:at", lost=pl.lit(value=True)), on="clm:at", how="left")
    name = pl.when(~pl.col("goods")).then(pl.lit("non_product")).when(pl.col("lost")).then(pl.lit("unmatched"))
    table = (
        told.group_by(part=name.otherwise(pl.lit("matched")))
        .agg(pl.len(), pl.col("amount").cast(_SUM).sum())
        .collect(engine="streaming")
    )
    parts = {part: Sum(rows, money or Decimal(0)) for part, rows, money in table.iter_rows()}
    return Refunds(**parts)
