"""Orders far outside their customer's own history and outside the shop's: `amount_outlier`.

It may not see lines: it works on one row per order. Everything streams; logarithms are summed as integers.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from clm.engines.hold import Hold
from clm.stages.clean.spread import BINS_PER_E, Centre

# ln of an order's total in whole ten-thousandths: squares of 10^8 orders of one customer still fit in 64 bits
_UNITS = 10_000
# fewer other orders than this are no history
_HISTORY = 3
# deviations from the customer's other orders, from the shop, and of both together that make an outlier
_OWN, _SHOP, _BOTH = 3.0, 1.3, 5.5
_ALONE = 4.5
# no deviation is taken for smaller than this: where all orders are alike, the double is not yet far out
_FLOOR = 0.35
# what is not at least so far off (in ln: five times above, twenty below) is nothing to look at, however regular the customer
_ABOVE, _BELOW = 1.6, 3.0
# with fewer orders than this a shop has no spread to speak of
_ORDERS = 20


@dataclass(frozen=True)
class History:
    """What the shop's orders are like: the centre and spread of the log of their totals, and the deviation within customers."""

    shop: Centre
    within: float


def outliers(orders: pl.LazyFrame, hold: Hold) -> pl.LazyFrame:
    """Keys (`customer_id`, `order_id`) of orders whose total is an outlier. `orders` has one row per order with `x`: `logarithm`.

    Against the customer: the mean and deviation of his *other* orders, the deviation never taken for smaller than that within all
    customers. Against the shop: median, and the spread of the side, of all orders. Who has too few other orders is held against
    the shop alone, more strictly.
    """
    logged = orders.select("customer_id", "order_id", "x").filter(pl.col("x").is_not_null())
    sums = {"n": pl.len().cast(pl.Int64), "s": pl.col("x").sum(), "q": (pl.col("x") * pl.col("x")).sum()}
    people = hold(logged.group_by("customer_id").agg(**sums))
    history = _history(logged, people)
    if history.shop.n < _ORDERS:
        return logged.select("customer_id", "order_id").clear()
    value = pl.col("x") / _UNITS
    shop = history.shop.distance(value, _FLOOR)
    # only what is outside the shop is held against its customer: the join carries a few of a hundred orders
    far = logged.with_columns(shop=shop).filter(pl.col("shop").abs() >= _SHOP)
    joined = far.join(people, on="customer_id", how="left", maintain_order="left")
    return joined.filter(_outlier(history)).select("customer_id", "order_id")


def logarithm() -> pl.Expr:
    """Of an order's `sold`, as a whole number; null where nothing was paid."""
    sold = pl.col("sold")
    return (pl.when(sold > 0).then(sold.cast(pl.Float64)).log() * _UNITS).round().cast(pl.Int64)


def _history(logged: pl.LazyFrame, people: pl.LazyFrame) -> History:
    counted = logged.group_by(bin=pl.col("x") // (_UNITS // BINS_PER_E)).agg(n=pl.len().cast(pl.Int64))
    # squares around the mean of each customer, in whole numbers: a float summed by threads differs from run to run
    around = (pl.col("q") - (pl.col("s").cast(pl.Float64) * pl.col("s") / pl.col("n")).round().cast(pl.Int64)).clip(0)
    repeated = people.filter(pl.col("n") > 1).select(
        squares=around.cast(pl.Int128).sum(), free=(pl.col("n") - 1).sum()
    )  # fmt: skip
    squares, free = repeated.collect(engine="streaming").row(0)
    return History(Centre.of(counted), (float(squares) / free) ** 0.5 / _UNITS if free else 0.0)


def _outlier(history: History) -> pl.Expr:
    value = pl.col("x")
    others = (pl.col("n") - 1).cast(pl.Float64)
    mean = (pl.col("s") - value) / others
    squares = (pl.col("q") - value * value).cast(pl.Float64) - mean * mean * others
    own = pl.max_horizontal(squares.clip(0) / (others - 1), pl.lit(float(max(history.within, _FLOOR) * _UNITS) ** 2))
    # the mean of few orders is itself uncertain
    off = (value - mean) / (own * (1 + 1 / others)).sqrt()
    shop = pl.col("shop")
    least = pl.when(off > 0).then(_ABOVE * _UNITS).otherwise(_BELOW * _UNITS)
    known = (off * shop.sign() >= _OWN) & (off.abs() + shop.abs() >= _BOTH) & ((value - mean).abs() >= least)
    return pl.when(others >= _HISTORY).then(known).otherwise(shop.abs() >= _ALONE)
