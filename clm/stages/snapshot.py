"""The snapshot: TRANSACTIONS up to a day become one row per customer with sufficient statistics. The only heavy reduce.

It may not look past `as_of` (later lines are dropped first), sum a float, or know scores: training on the past is this same
function at an earlier day. The reduce itself is narwhals, with only the verbs every engine shares; day arithmetic is Polars.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import narwhals as nw
import polars as pl

from clm.engines.frames import Orders, collected, lazily, once
from clm.errors import DataError
from clm.tables import RETURN, SALE

_EPOCH = date(1970, 1, 1).toordinal()
_SUM = pl.Decimal(38, 4)
_LOG_UNIT = 1_000_000_000  # logarithms are summed as whole numbers of 1e-9: float sums differ from run to run


@dataclass(frozen=True)
class Totals:
    """Rows, how many of them have an amount, the sum of those, and the day of the latest."""

    rows: int
    amounts: int
    amount: Decimal
    latest: date | None


def totals(orders: Orders, after: date | None = None) -> Totals:
    """What a log holds, in all or after a day, from one pass on its engine."""
    day = nw.col("ordered_at").dt.date()
    frame = nw.from_native(orders)
    found = collected(
        (frame if after is None else frame.filter(day > after)).select(
            nw.len().alias("rows"),
            nw.col("amount").count().alias("amounts"),
            nw.col("amount").sum().alias("amount"),
            nw.col("ordered_at").max().alias("latest"),
        )
    )
    return Totals(**found.with_columns(pl.col("amount").cast(_SUM).fill_null(0), pl.col("latest").dt.date()).row(0, named=True))


def last_day(orders: pl.LazyFrame) -> date | None:
    """Day of the latest line, or None for an empty log."""
    latest = orders.select(pl.col("ordered_at").max().dt.date()).collect(engine="streaming").item()
    assert latest is None or isinstance(latest, date)
    return latest


def resolve_as_of(latest: date | None, setting: date | str) -> date:
    """The inclusive last day a setting means for a log that ends on `latest`.

    `last-day` is the log's own; `month-end` the last complete month's; a day is itself. Raises DataError when an empty log is
    asked for its own last day.
    """
    if isinstance(setting, date):
        return setting
    if latest is None:
        fix = "check what `clm clean` read and rejected; for an empty table all the same, name a day: --as-of 2024-06-30"
        raise DataError("the log holds no rows, so it has no last day", fix=fix, code="empty")
    if setting == "last-day":
        return latest
    if latest.day == monthrange(latest.year, latest.month)[1]:
        return latest
    return latest.replace(day=1) - timedelta(days=1)


def take(orders: Orders, as_of: date) -> pl.DataFrame:
    """One row per customer with any line up to `as_of`, sorted by `customer_id`: the core columns of CUSTOMERS.

    Customers without a sale have `orders` 0 and null dates and durations. Money is null where no line has an amount.
    """
    reduced = lazily(reduce(nw.from_native(orders), as_of))
    return reduced.sort("customer_id").select(core(as_of)).collect(engine="streaming")


def core(as_of: date) -> list[pl.Expr]:
    """The core columns of CUSTOMERS over what `reduce` made."""
    first, last = pl.col("first_day"), pl.col("last_day")
    money = pl.col("amounts") > 0
    bought = pl.col("order_days") > 0
    spend, repeat = pl.col("spend").cast(_SUM), pl.col("repeat_spend").fill_null(0).cast(_SUM)
    returned = pl.col("returned_amount").cast(_SUM)
    # not a division: Polars multiplies many rows by the inverse of a number but divides a single one, and the last digit differs
    logs = pl.col("log_gap_units").fill_null(0).cast(pl.Float64) * (1 / _LOG_UNIT)
    repeat_days = pl.when(bought).then(pl.col("order_days") - 1).cast(pl.Int64)
    return [
        pl.col("customer_id").cast(pl.String),
        pl.lit(as_of, pl.Date).alias("as_of"),
        first.alias("first_order_on"),
        last.alias("last_order_on"),
        pl.col("orders").cast(pl.Int64).fill_null(0),
        pl.col("order_days").cast(pl.Int64),
        (pl.lit(as_of) - last).dt.total_days().cast(pl.Int32).alias("recency_days"),
        (pl.lit(as_of) - first).dt.total_days().cast(pl.Int32).alias("age_days"),
        (last - first).dt.total_days().cast(pl.Int32).alias("active_days"),
        repeat_days.alias("repeat_days"),
        pl.when(money).then(spend).alias("spend"),
        pl.when(money & bought).then(repeat).alias("repeat_spend"),
        pl.when(money & (repeat_days > 0)).then(repeat.cast(pl.Float64) / repeat_days).otherwise(None).alias("mean_repeat_spend"),
        pl.col("returns").cast(pl.Int64).fill_null(0),
        pl.when(money).then(pl.when(returned > 0).then(returned).otherwise(pl.lit(0, _SUM))).alias("returned_amount"),
        pl.when(bought).then(logs).alias("log_gap_sum"),
    ]


def gap_counts(orders: pl.LazyFrame, as_of: date) -> pl.DataFrame:
    """Histogram of the gaps between consecutive order days of the same customer: `gap_days` Int32, `gaps` Int64, sorted."""
    reduced = gap_histogram(order_days(daily(lines(nw.from_native(orders), as_of))))
    return gap_table(collected(reduced))


def gap_histogram(bought: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Order days of customers -> each length of gap with how often it occurs, on any engine."""
    return bought.filter(~nw.col("gap").is_null()).group_by("gap").agg(nw.len().alias("gaps"))


def gap_table(histogram: pl.DataFrame) -> pl.DataFrame:
    """A reduced histogram of gaps with its types, sorted."""
    typed = histogram.select(pl.col("gap").cast(pl.Int32).alias("gap_days"), pl.col("gaps").cast(pl.Int64))
    return typed.sort("gap_days")


def gap_quantile(histogram: pl.DataFrame, share: float) -> int | None:
    """Smallest gap that at least this share of the gaps do not exceed; None when nobody ordered on a second day."""
    reached = histogram.filter(pl.col("gaps").cum_sum() >= share * pl.col("gaps").sum())
    return int(reached["gap_days"][0]) if reached.height else None


def first_silences(orders: pl.LazyFrame, as_of: date, longer_than: int) -> pl.DataFrame:
    """For each customer with such a gap, the first order day (`on`) whose next one came more than `longer_than` days later."""
    long = order_days(daily(lines(nw.from_native(orders), as_of))).filter(nw.col("gap") > longer_than)
    first = long.group_by("customer_id").agg((nw.col("number") - nw.col("gap")).min().alias("on"))
    return collected(first).select("customer_id", (pl.col("on") - _EPOCH).cast(pl.Int32).cast(pl.Date))


def reduce(orders: nw.LazyFrame[Any], as_of: date) -> nw.LazyFrame[Any]:
    """Order lines up to `as_of` -> one unsorted row per customer of whole numbers, decimals and dates, on any engine."""
    kept = lines(orders, as_of)
    days = daily(kept)
    return joined(customers_of(days, order_days(days)), [_distinct_orders(kept, SALE, "orders"), returns(kept)])


def returns(kept: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Distinct order ids with a return, for customers who have any."""
    return _distinct_orders(kept, RETURN, "returns")


def _distinct_orders(kept: nw.LazyFrame[Any], kind: str, name: str) -> nw.LazyFrame[Any]:
    """How many orders customers have with a line of this kind; telling them apart first takes half the work of `n_unique`."""
    orders = kept.filter(nw.col("kind") == kind).select("customer_id", "order_id").unique()
    return orders.group_by("customer_id").agg(nw.len().alias(name))


def joined(customers: nw.LazyFrame[Any], parts: Iterable[nw.LazyFrame[Any]]) -> nw.LazyFrame[Any]:
    """All customers with what each part knows of some."""
    for part in parts:
        customers = customers.join(part, on="customer_id", how="left")
    return customers


def customers_of(days: nw.LazyFrame[Any], bought: nw.LazyFrame[Any], more: Sequence[nw.Expr] = ()) -> nw.LazyFrame[Any]:
    """One row per customer from all days and the order days among them; `more` is summed beside."""
    return (
        nw.concat([_order_days_later(bought), _refund_days_later(days)])
        .group_by("customer_id")
        .agg(
            nw.when(nw.col("sold") > 0).then(nw.col("day")).min().alias("first_day"),
            nw.when(nw.col("sold") > 0).then(nw.col("day")).max().alias("last_day"),
            nw.col("sold").sum().alias("order_days"),
            nw.col("amount").sum().alias("spend"),
            nw.col("amounts").sum().alias("amounts"),
            nw.col("returned_amount").sum().alias("returned_amount"),
            nw.when(nw.col("later")).then(nw.col("amount")).sum().alias("repeat_spend"),
            nw.col("log_gap").sum().alias("log_gap_units"),
            *more,
        )
    )


def _order_days_later(bought: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Order days, with whether each is `later` than the first, and the logarithm of its gap in units, `log_gap`."""
    log_gap = (nw.col("gap").cast(nw.Float64).log() * _LOG_UNIT).round(0).cast(nw.Int64)
    return bought.with_columns((~nw.col("gap").is_null()).alias("later"), log_gap.alias("log_gap"))


def _refund_days_later(days: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Days with only a refund, in the same columns. They are few: a join of their own holds them against the first order day."""
    refunds = days.filter(nw.col("sold") == 0)
    first = (
        days.filter(nw.col("sold") > 0)
        .select("customer_id", "day")
        .join(refunds.select("customer_id").unique(), on="customer_id", how="semi")
        .group_by("customer_id")
        .agg(nw.col("day").min().alias("first"))
    )
    nothing = nw.lit(None, nw.Int64)
    return refunds.join(first, on="customer_id", how="left").select(
        *days.collect_schema().names(),
        nothing.alias("number"),
        nothing.alias("gap"),
        (nw.col("day") > nw.col("first")).alias("later"),
        nothing.alias("log_gap"),
    )


def lines(orders: nw.LazyFrame[Any], as_of: date, columns: Sequence[str] = ()) -> nw.LazyFrame[Any]:
    """The lines up to `as_of`, each with its day. The filter is by date: a datetime literal moves with session zones."""
    day = nw.col("ordered_at").dt.date()
    return orders.filter(day <= as_of).select("customer_id", "order_id", "kind", "amount", *columns, day.alias("day"))


def daily(kept: nw.LazyFrame[Any], more: Sequence[nw.Expr] = ()) -> nw.LazyFrame[Any]:
    """One row per customer and day: money, and whether anything was sold (a day with only a refund is no order day)."""
    returned = nw.col("kind") == RETURN
    return once(
        kept.with_columns(nw.when(returned).then(-nw.col("amount")).alias("returned"))
        .group_by("customer_id", "day")
        .agg(
            (nw.col("kind") == SALE).cast(nw.Int64).max().alias("sold"),
            nw.col("amount").sum().alias("amount"),
            nw.col("amount").count().alias("amounts"),
            nw.col("returned").sum().alias("returned_amount"),
            *more,
        )
    )


def order_days(days: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The days a customer bought on, each with its `number` and the `gap` since the one before: at least 1, null for the first.

    Days are numbered as in the proleptic Gregorian calendar: engines agree on whole numbers, not on date arithmetic.
    """
    years = nw.col("day").dt.year().cast(nw.Int64) - 1
    number = 365 * years + years // 4 - years // 100 + years // 400 + nw.col("day").dt.ordinal_day().cast(nw.Int64)
    gap = nw.col("number").diff().over("customer_id", order_by="number")
    return days.filter(nw.col("sold") > 0).with_columns(number.alias("number")).with_columns(gap.alias("gap"))
