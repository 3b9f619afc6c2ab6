"""`cohort`: customers by the period of their first order, followed through the later ones: who ordered, and what it brought.

It may not show a period nobody has lived yet, nor lose money: the rows of the table add up to the log, asserted here. A customer
belongs to one cohort and one group for good; a cell of a lived period in which nobody ordered is a true 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from clm.errors import DataError
from clm.outcome import Amount, Outcome, Rows, counted
from clm.settings import CohortSettings
from clm.stages import snapshot
from clm.tables import COHORTS, SALE

_MONEY = pl.Decimal(38, 4)
_KEY = ["group", "cohort", "start"]
_NOTHING = pl.lit(0, _MONEY)
_MOST_COHORTS = 24


@dataclass(frozen=True)
class _Unit:
    """A calendar period: how days are cut into it, what one is called, and its number, by the day it starts on."""

    every: str
    label: Callable[[pl.Expr], pl.Expr]
    number: Callable[[pl.Expr], pl.Expr]


def _months(start: pl.Expr) -> pl.Expr:
    return start.dt.year().cast(pl.Int32) * 12 + start.dt.month()


_UNITS = {
    "week": _Unit("1w", lambda start: start.dt.strftime("%G-W%V"), lambda start: start.cast(pl.Int32) // 7),
    "month": _Unit("1mo", lambda start: start.dt.strftime("%Y-%m"), _months),
    "quarter": _Unit(
        "1q", lambda start: pl.format("{}-Q{}", start.dt.strftime("%Y"), start.dt.quarter()), lambda start: _months(start) // 3
    ),
    "year": _Unit("1y", lambda start: start.dt.strftime("%Y"), lambda start: start.dt.year().cast(pl.Int32)),
}


def fitting_period(first: date, last: date) -> str:
    """The shortest period by which a log of these days has at most 24 cohorts; years beyond."""
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    return "month" if months <= _MOST_COHORTS else "quarter" if months <= 3 * _MOST_COHORTS else "year"


def cohort(orders: pl.LazyFrame, settings: CohortSettings) -> Outcome:
    """TRANSACTIONS -> COHORTS: one row per group, cohort and period lived; with `members`, MEMBERS: one row per customer.

    Lines after `as_of` are dropped first and counted. Raises DataError for an empty log without a day, and for a `by` that is no
    text column of the log.
    """
    as_of = snapshot.resolve_as_of(snapshot.last_day(orders), settings.as_of)
    day = pl.col("ordered_at").dt.date()
    schema = orders.collect_schema()
    _check(settings.by, schema)
    unit = _UNITS[settings.period]
    costs = pl.col("cost") if "cost" in schema else pl.lit(None, pl.Decimal(18, 4)).alias("cost")
    group = pl.col(settings.by) if settings.by else pl.lit(None, pl.String)
    lines = orders.filter(day <= as_of).select(
        "customer_id", "order_id", "kind", "amount", costs, group.alias("group"), day.alias("day")
    )
    members = _members(lines)
    cells = _filled(_cells(lines, members, unit), members, as_of, unit)
    inside = day <= as_of
    amount = pl.col("amount").filter(inside)
    counts = orders.select(
        pl.len(), inside.sum().alias("kept"), amount.count().alias("priced"), amount.cast(_MONEY).sum().alias("money")
    )
    rows, kept, priced, summed = counts.collect(engine="streaming").row(0)
    money = summed if priced else None
    _balance(cells, members, money)
    cohorts = cells["cohort"].drop_nulls().n_unique()
    frame = _told(members, unit) if settings.members else cells
    return Outcome(
        frame=frame,
        rows=Rows(rows, frame.height, after_as_of=rows - kept),
        amount=None if money is None else Amount(money, money),
        as_of=as_of,
        metrics={"cohorts": cohorts, "customers": members.height, "period": settings.period},
        closing=f"{counted(members.height, 'customer')} in {counted(cohorts, 'cohort')} by {settings.period} up to {as_of}",
    )


def _check(by: str | None, schema: pl.Schema) -> None:
    texts = [name for name, dtype in schema.items() if dtype == pl.String and name not in ("customer_id", "order_id", "flags")]
    if by is not None and by not in texts:
        raise DataError(
            f"the log has no text column {by} to group by",
            where="--by",
            fix=f"it has {', '.join(texts)}; clm clean --keep carries others along",
            code="missing_column",
        )


def _members(lines: pl.LazyFrame) -> pl.DataFrame:
    """One row per customer, sorted: first and last day with a sale, and the group of that first day (ties: the smaller text)."""
    sale = pl.col("kind") == SALE
    ends = lines.group_by("customer_id").agg(
        pl.col("day").filter(sale).min().alias("first_order_on"), pl.col("day").filter(sale).max().alias("last_order_on")
    )
    known = ends.collect(engine="streaming")
    first = known.lazy().select("customer_id", pl.col("first_order_on").alias("day"))
    groups = (
        lines.filter(sale & pl.col("group").is_not_null())
        .join(first, on=["customer_id", "day"], how="semi")
        .group_by("customer_id")
        .agg(pl.col("group").min())
        .collect(engine="streaming")
    )
    return known.join(groups, on="customer_id", how="left").sort("customer_id")


def _cells(lines: pl.LazyFrame, members: pl.DataFrame, unit: _Unit) -> pl.DataFrame:
    """What each cohort did in each period in which any of its members has a line."""
    sale = pl.col("kind") == SALE
    belongs = members.lazy().select("customer_id", pl.col("first_order_on").dt.truncate(unit.every).alias("cohort"), "group")
    return (
        lines.drop("group")
        .join(belongs, on="customer_id", how="left")
        .with_columns(
            pl.col("day").dt.truncate(unit.every).alias("start"),
            pl.when(sale).then(pl.col("customer_id")).alias("buyer"),
            pl.when(sale).then(pl.struct("customer_id", "order_id")).alias("order"),
        )
        .group_by(_KEY)
        .agg(
            pl.col("buyer").drop_nulls().n_unique().cast(pl.Int64).alias("customers"),
            pl.col("order").drop_nulls().n_unique().cast(pl.Int64).alias("orders"),
            pl.col("amount").cast(_MONEY).sum().alias("revenue"),
            pl.col("amount").count().alias("priced"),
            pl.col("cost").cast(_MONEY).sum().alias("cost"),
            pl.col("cost").count().alias("costed"),
            (pl.col("amount").is_not_null() & pl.col("cost").is_null()).sum().alias("uncosted"),
        )
        .collect(engine="streaming")
    )


def _filled(cells: pl.DataFrame, members: pl.DataFrame, as_of: date, unit: _Unit) -> pl.DataFrame:
    """COHORTS: every period each cohort has lived; beside it what came before a first order, and who never bought."""
    starts = members.select(
        "group",
        pl.col("first_order_on").dt.truncate(unit.every).alias("cohort"),
        pl.col("last_order_on").dt.truncate(unit.every).alias("start"),
    )
    sizes = starts.group_by("group", "cohort").agg(pl.len().cast(pl.Int64).alias("cohort_customers"))
    last = starts.group_by(_KEY).agg(pl.len().cast(pl.Int64).alias("last_here"))
    whole = (
        cells.join(_lived(sizes, as_of, unit), on=_KEY, how="full", coalesce=True, nulls_equal=True)
        .join(last, on=_KEY, how="left", nulls_equal=True)
        .join(sizes, on=["group", "cohort"], how="left", nulls_equal=True)
    )
    priced, costed = bool(cells["priced"].sum()), bool(cells["costed"].sum())
    start, cohort, size = pl.col("start"), pl.col("cohort"), pl.col("cohort_customers").cast(pl.Float64)
    lived = start >= cohort  # null where nobody of the cohort ever bought
    later = pl.col("last_here").fill_null(0).cum_sum(reverse=True).over("group", "cohort", order_by="start")
    money = pl.col("revenue").fill_null(_NOTHING)
    known = pl.col("uncosted").fill_null(0) == 0
    return (
        whole.with_columns(pl.col("customers", "orders").fill_null(0), customers_on_or_after=pl.when(lived).then(later))
        .with_columns(
            age=(unit.number(start) - unit.number(cohort)).cast(pl.Int32),
            period=unit.label(start),
            period_complete=start.dt.offset_by(unit.every) <= pl.lit(as_of + timedelta(days=1), pl.Date),
            retention=pl.when(lived).then(pl.col("customers") / size),
            retention_on_or_after=pl.col("customers_on_or_after") / size,
            revenue=pl.when(priced).then(money).cast(_MONEY),
            margin=pl.when(priced & costed & known).then(money - pl.col("cost").fill_null(_NOTHING)).cast(_MONEY),
        )
        .sort(_KEY, nulls_last=True)
        .with_columns(unit.label(cohort).alias("cohort"))
        .select(COHORTS.names())
    )


def _lived(sizes: pl.DataFrame, as_of: date, unit: _Unit) -> pl.DataFrame:
    """Each cohort with each period from its own up to the one of `as_of`."""
    bought = sizes.filter(pl.col("cohort").is_not_null()).select("group", "cohort")
    first = bought["cohort"].min()
    starts = pl.date_range(first, as_of, unit.every, eager=True) if isinstance(first, date) else pl.Series([], dtype=pl.Date)
    return bought.join(starts.alias("start").to_frame(), how="cross").filter(pl.col("start") >= pl.col("cohort"))


def _told(members: pl.DataFrame, unit: _Unit) -> pl.DataFrame:
    """MEMBERS: which cohort and group each customer belongs to."""
    label = unit.label(pl.col("first_order_on").dt.truncate(unit.every)).alias("cohort")
    return members.select("customer_id", label, "group", "first_order_on")


def _balance(cells: pl.DataFrame, members: pl.DataFrame, money: Decimal | None) -> None:
    """Every customer is new once, and every amount is in one cell."""
    new = cells.filter(pl.col("age") == 0)
    buyers = members["first_order_on"].count()
    assert new["customers"].sum() == new["cohort_customers"].sum() == buyers, "cohorts: customers do not add up"
    if money is not None:
        assert cells["revenue"].sum() == money, "cohorts: money does not add up to the log"
