"""Numbers that need the orders themselves: revenue by month, of new and of returning customers.

It may not hold the orders in memory: one streaming reduce to months, money as Decimal.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from clm.report.customer_numbers import ratio
from clm.report.numbers import Sheet
from clm.values import add_months

NEW, RETURNING, NO_PURCHASE = "new", "returning", "no_purchase"


def add(sheet: Sheet, customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date) -> None:
    """Add the months from the first to the last order up to `as_of`.

    A customer is new in the month of the first sale and returning afterwards. Rows of customers who are not in the table
    are left out; money from before a customer's first purchase month, or of one who never bought (returns only), has its own
    group, so that the groups add up.
    """
    months = _by_month(customers, orders, as_of)
    if not months:
        return
    month, last = min(period for period, _ in months), as_of.replace(day=1)
    while month <= last:
        end = add_months(month, 1) - timedelta(days=1)
        period = f"{month:%Y-%m}"
        sheet.add("revenue", "month_complete", int(end <= as_of), period=period)
        cells = {group: months.get((month, group)) for group in (NEW, RETURNING, NO_PURCHASE)}
        for group, cell in cells.items():
            if group == NO_PURCHASE and not cell:
                continue
            n = cell["customers"] if cell else 0
            people = cell["people"] if cell and group == NO_PURCHASE else n
            sheet.add("revenue", "revenue", _money(cell, months), group=group, period=period, n=people)
            if group != NO_PURCHASE:
                sheet.add("revenue", "orders", cell["orders"] if cell else 0, group=group, period=period, n=n)
                sheet.add("revenue", "customers", n, group=group, period=period, n=n)
        ordered = sum(cell["orders"] for group in (NEW, RETURNING) if (cell := cells[group]))
        sheet.add("revenue", "orders", ordered, period=period)
        new, returning = (_money(cells[group], months) for group in (NEW, RETURNING))
        if new is not None and returning is not None:
            sheet.add("revenue", "revenue_of_buyers", new + returning, period=period)
            sheet.add("revenue", "returning_share", ratio(returning, new + returning), period=period)
        month = add_months(month, 1)


def _money(cell: dict[str, Any] | None, months: dict[Any, dict[str, Any]]) -> Decimal | None:
    """A month without orders has a true 0, unless the log knows no amounts at all."""
    if cell is not None and cell["priced"]:
        money: Decimal = cell["revenue"]
        return money
    return Decimal(0) if cell is None and any(other["priced"] for other in months.values()) else None


def _by_month(customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date) -> dict[tuple[date, str], dict[str, Any]]:
    firsts = customers.lazy().select("customer_id", "first_order_on")
    first_month = pl.col("first_order_on").dt.truncate("1mo")
    sale = pl.col("kind") == "sale"
    reduced = (
        orders.select("customer_id", "order_id", "ordered_at", "amount", "kind")
        .with_columns(day=pl.col("ordered_at").dt.date())
        .filter(pl.col("day") <= as_of)
        .join(firsts, on="customer_id", how="inner")
        .with_columns(month=pl.col("day").dt.truncate("1mo"))
        .with_columns(
            group=pl.when(first_month.is_null() | (pl.col("month") < first_month))
            .then(pl.lit(NO_PURCHASE))
            .when(pl.col("month") == first_month)
            .then(pl.lit(NEW))
            .otherwise(pl.lit(RETURNING)),
            sold_order=pl.when(sale).then(pl.struct("customer_id", "order_id")),
            sold_to=pl.when(sale).then(pl.col("customer_id")),
        )
        .group_by("month", "group")
        .agg(
            revenue=pl.col("amount").cast(pl.Decimal(38, 4)).sum(),
            priced=pl.col("amount").count(),
            orders=pl.col("sold_order").drop_nulls().n_unique(),
            customers=pl.col("sold_to").drop_nulls().n_unique(),
            people=pl.col("customer_id").n_unique(),
        )
        .collect(engine="streaming")
    )
    return {(row["month"], row["group"]): row for row in reduced.iter_rows(named=True)}
