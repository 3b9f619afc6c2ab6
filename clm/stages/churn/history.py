"""The history: the log up to a day as one row per customer and day, read once, from which every snapshot is taken.

It may not look past its day, sum a float, or know a label's meaning. A snapshot's numbers are those of `stages/snapshot` and
`stages/behaviour` at that day (a test holds them together); taken from days they cost a fraction of reading the lines again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from clm.tables import RETURN, SALE

# more than any gap within the calendar: a day and the gap before it in one whole number, of which the latest is the largest
_GAP_ROOM = 1 << 22
_MONEY = pl.Decimal(38, 4)
_PRODUCTS = ("product_id", "product")


@dataclass(frozen=True)
class History:
    """`days`: customer (place in `customers`), day, sold, amount, returned, returns and new products of that day, and the gap in
    days to the sale before it (null for the first, and where nothing was sold), sorted.

    `customers`: ids, ascending; `money`: whether every line has an amount; `products`: whether the log names them.
    """

    days: pl.DataFrame
    customers: pl.DataFrame
    money: bool
    products: bool

    @property
    def first_day(self) -> date | None:
        """Of the first sale."""
        first = self.days.filter("sold")["day"].min()
        assert first is None or isinstance(first, date)
        return first

    def gaps(self) -> pl.DataFrame:
        """How often each gap occurs: `gap_days`, `gaps`, sorted."""
        counted = self.days.drop_nulls("gap").group_by(pl.col("gap").alias("gap_days")).agg(pl.len().cast(pl.Int64).alias("gaps"))
        return counted.sort("gap_days")


def read(orders: pl.LazyFrame, as_of: date) -> History:
    """The lines up to `as_of`. An order returned in parts, or a product bought twice, counts on its first day."""
    product = next((name for name in _PRODUCTS if name in orders.collect_schema().names()), None)
    day = pl.col("ordered_at").dt.date()
    kept = orders.filter(day <= as_of).with_columns(day.alias("day"))
    back, sold = pl.col("kind") == RETURN, pl.col("kind") == SALE
    days = kept.group_by("customer_id", "day").agg(
        sold.any().alias("sold"),
        pl.col("amount").cast(_MONEY).sum(),
        pl.col("amount").filter(back).cast(_MONEY).sum().alias("returned"),
        pl.col("amount").null_count().alias("unpriced"),
    )
    parts = [days, _begun(kept.filter(back), "order_id", "returns")]
    if product is not None:
        parts.append(_begun(kept.filter(sold & pl.col(product).is_not_null()), product, "products"))
    days_read, *counts = pl.collect_all(parts, engine="streaming")
    customers = days_read.select(pl.col("customer_id").unique().sort()).with_row_index("customer")
    for count in counts:
        days_read = days_read.join(count, on=["customer_id", "day"], how="left")
    placed = (
        days_read.join(customers, on="customer_id", how="left")
        .drop("customer_id")
        .sort("customer", "day")
        .with_columns(pl.col(name).fill_null(0) for name in ("returns", "products") if name in days_read.columns)
    )
    before = pl.when("sold").then("day").shift(1).forward_fill()
    # the day of the last sale before this row, if it was the same customer's
    same = pl.when("sold").then("customer").shift(1).forward_fill() == pl.col("customer")
    gap = pl.when(pl.col("sold") & same).then((pl.col("day") - before).dt.total_days().cast(pl.Int32))
    money = not int(placed["unpriced"].sum())
    return History(placed.drop("unpriced").with_columns(gap.alias("gap")), customers, money, product is not None)


def _begun(kept: pl.LazyFrame, column: str, name: str) -> pl.LazyFrame:
    """How many values of a column each customer had for the first time on each day."""
    firsts = kept.group_by("customer_id", column).agg(pl.col("day").min())
    return firsts.group_by("customer_id", "day").agg(pl.len().cast(pl.Int64).alias(name))


def buyers(history: History, on: date, horizon_days: int) -> pl.DataFrame:
    """One row per customer with a sale up to `on`, by customer: what was known of them that day.

    recency_days, active_days, repeat_days, order_days, spend, returned_amount, returns; recent_*: of the last `horizon_days`,
    earlier_*: of as many days before those; last_gap_days, longest_gap_days, gap_squares (null for a single order day);
    products, where the log names them.
    """
    day, sold, gap = pl.col("day"), pl.col("sold"), pl.col("gap").cast(pl.Int64)
    recent = day > on - timedelta(days=horizon_days)
    earlier = ~recent & (day > on - timedelta(days=2 * horizon_days))
    number = day.to_physical().cast(pl.Int64) + _GAP_ROOM  # above 0 for any day of the calendar
    known = (
        history.days.lazy()
        .filter(day <= on)
        .group_by("customer")
        .agg(
            day.filter(sold).min().alias("first"),
            day.filter(sold).max().alias("last"),
            sold.sum().cast(pl.Int64).alias("order_days"),
            pl.col("amount").sum().alias("spend"),
            (-pl.col("returned").sum()).alias("returned_amount"),
            pl.col("returns").sum(),
            (sold & recent).sum().cast(pl.Int64).alias("recent_order_days"),
            (sold & earlier).sum().cast(pl.Int64).alias("earlier_order_days"),
            pl.when(recent).then("amount").sum().alias("recent_spend"),
            (gap * gap).sum().alias("gap_squares"),
            gap.max().alias("longest_gap_days"),
            ((number * _GAP_ROOM + gap).max() % _GAP_ROOM).alias("last_gap_days"),
            *([pl.col("products").sum()] if history.products else []),
        )
        .filter(pl.col("order_days") > 0)
        .sort("customer")
        .with_columns(
            pl.when(pl.col("returned_amount") > 0).then("returned_amount").otherwise(pl.lit(0, _MONEY)).alias("returned_amount"),
            (pl.lit(on, pl.Date) - pl.col("last")).dt.total_days().alias("recency_days"),
            (pl.col("last") - pl.col("first")).dt.total_days().alias("active_days"),
            (pl.col("order_days") - 1).alias("repeat_days"),
        )
    )
    return known.drop("first", "last").collect()


def ordered_between(history: History, after: date, until: date) -> pl.DataFrame:
    """The customers with a sale in (after, until], each once."""
    return history.days.filter("sold", pl.col("day") > after, pl.col("day") <= until).select(pl.col("customer").unique().sort())
