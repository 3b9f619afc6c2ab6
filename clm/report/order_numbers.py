"""Numbers that need the orders themselves: revenue by month, of new and of returning customers.

It may not hold the orders in memory: a streaming reduce to periods, money as Decimal.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from clm.report.customer_numbers import ratio
from clm.report.numbers import Sheet
from clm.values import add_months

_Cells = dict[tuple[date, str], dict[str, Any]]  # by the first day of a period, and group
NEW, RETURNING, NO_PURCHASE = "new", "returning", "no_purchase"
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_FEWEST = 3  # longer periods are of use where the log has as many


def split_of(customers: pl.DataFrame, as_of: date, least: int) -> str:
    """The period by which new and returning customers are told: `month`; a longer one where most periods with new customers
    have fewer than `least`, as long as there are three of it."""
    firsts = customers["first_order_on"].drop_nulls()
    counts = {split: _starts(pl.col("day"), split) for split in _MONTHS}
    new = {split: firsts.filter(firsts <= as_of).to_frame("day").group_by(every).len()["len"] for split, every in counts.items()}
    found = "month"
    for longer in ("quarter", "year"):
        if 2 * int((new[found] < least).sum()) <= len(new[found]) or len(new[longer]) < _FEWEST:
            break
        found = longer
    return found


def add(sheet: Sheet, customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date, split: str = "month") -> None:
    """Add the months from the first to the last order up to `as_of`, new and returning customers by `split` (see `split_of`).

    A customer is new in the period of the first sale and returning afterwards. Rows of customers who are not in the table
    are left out; money from before a customer's first purchase period, or of one who never bought (returns only), has its own
    group, so that the groups add up.
    """
    months = _reduced(customers, orders, as_of, "month", split)
    if not months:
        return
    parts = months if split == "month" else _reduced(customers, orders, as_of, split, split)
    month, last, begun = min(period for period, _ in months), as_of.replace(day=1), None
    while month <= last:
        period = f"{month:%Y-%m}"
        sheet.add("revenue", "month_complete", int(add_months(month, 1) - timedelta(days=1) <= as_of), period=period)
        start = month.replace(month=(month.month - 1) // _MONTHS[split] * _MONTHS[split] + 1)
        if start != begun:
            _add_parts(sheet, parts, start, split)
            begun = start
        cells = [months.get((month, group)) for group in (NEW, RETURNING)]
        n, sold = (sum(cell[name] for cell in cells if cell) for name in ("customers", "orders"))
        sheet.add("revenue", "orders", sold, period=period, n=n)
        new, returning = (_money(cell, months) for cell in cells)
        if new is not None and returning is not None:
            sheet.add("revenue", "revenue_of_buyers", new + returning, period=period, n=n)
        month = add_months(month, 1)


def _add_parts(sheet: Sheet, parts: _Cells, start: date, split: str) -> None:
    """One period's new and returning customers, and money without a purchase where there is some."""
    period = _label(start, split)
    for group in (NEW, RETURNING, NO_PURCHASE):
        cell = parts.get((start, group))
        if group == NO_PURCHASE and not cell:
            continue
        n = cell["customers"] if cell else 0
        people = cell["people"] if cell and group == NO_PURCHASE else n
        sheet.add("revenue", "revenue", _money(cell, parts), group=group, period=period, n=people)
        if group != NO_PURCHASE:
            sheet.add("revenue", "orders", cell["orders"] if cell else 0, group=group, period=period, n=n)
            sheet.add("revenue", "customers", n, group=group, period=period, n=n)
    new, returning = (_money(parts.get((start, group)), parts) for group in (NEW, RETURNING))
    if new is not None and returning is not None:
        sheet.add("revenue", "returning_share", ratio(returning, new + returning), period=period)


def _label(start: date, length: str) -> str:
    """What the period that starts on this day is called: `2024-03`, `2024-Q1`, `2024`."""
    names = {"month": f"{start:%Y-%m}", "quarter": f"{start:%Y}-Q{(start.month + 2) // 3}", "year": f"{start:%Y}"}
    return names[length]


def _starts(day: pl.Expr, length: str) -> pl.Expr:
    return day.dt.truncate(f"{_MONTHS[length]}mo")


def _money(cell: dict[str, Any] | None, cells: _Cells) -> Decimal | None:
    """A period without orders has a true 0, unless the log knows no amounts at all."""
    if cell is not None and cell["priced"]:
        money: Decimal = cell["revenue"]
        return money
    return Decimal(0) if cell is None and any(other["priced"] for other in cells.values()) else None


def _reduced(customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date, length: str, split: str) -> _Cells:
    """By the first day of the period, and by who is new in its `split`: what was sold to how many."""
    firsts = customers.lazy().select("customer_id", "first_order_on")
    first, here = _starts(pl.col("first_order_on"), split), _starts(pl.col("day"), split)
    sale = pl.col("kind") == "sale"
    reduced = (
        orders.select("customer_id", "order_id", "ordered_at", "amount", "kind")
        .with_columns(day=pl.col("ordered_at").dt.date())
        .filter(pl.col("day") <= as_of)
        .join(firsts, on="customer_id", how="inner")
        .with_columns(
            start=_starts(pl.col("day"), length),
            group=pl.when(first.is_null() | (here < first))
            .then(pl.lit(NO_PURCHASE))
            .when(here == first)
            .then(pl.lit(NEW))
            .otherwise(pl.lit(RETURNING)),
            sold_order=pl.when(sale).then(pl.struct("customer_id", "order_id")),
            sold_to=pl.when(sale).then(pl.col("customer_id")),
        )
        .group_by("start", "group")
        .agg(
            revenue=pl.col("amount").cast(pl.Decimal(38, 4)).sum(),
            priced=pl.col("amount").count(),
            orders=pl.col("sold_order").drop_nulls().n_unique(),
            customers=pl.col("sold_to").drop_nulls().n_unique(),
            people=pl.col("customer_id").n_unique(),
        )
        .collect(engine="streaming")
    )
    return {(row["start"], row["group"]): row for row in reduced.iter_rows(named=True)}
