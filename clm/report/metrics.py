"""Every number of the report, computed once: METRICS from the customers, their footer, the orders and who moved.

It may not format, translate or choose what is shown; the names are declared in `numbers.NAMES`.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from clm.report import (
    cohort_numbers,
    cost_numbers,
    customer_numbers,
    footer_numbers,
    kpi_numbers,
    migration_numbers,
    order_numbers,
    quality_numbers,
    suppress,
    ties,
)
from clm.report.numbers import Numbers, Sheet


def compute(
    customers: pl.DataFrame,
    facts: dict[str, Any],
    orders: pl.LazyFrame | None = None,
    migration: dict[str, Any] | None = None,
    cohorts: pl.DataFrame | None = None,
    earlier: pl.DataFrame | None = None,
    min_cell: int = suppress.OFF,
    split: str = "month",
) -> pl.DataFrame:
    """METRICS: one row is one number (see `numbers.NAMES`), sorted by the order of that list.

    `customers` is a CUSTOMERS frame, `facts` the footer of its file ({} when it has none), `orders` the TRANSACTIONS it came
    from, `migration` the metrics of `migrate` since an earlier table, `cohorts` the table of `cohort`, `earlier` that earlier
    table where there are no orders, `split` the period by which new and returning customers are told apart. A number that
    cannot be known is null or absent, never 0.
    Every row about some of the customers carries their number in `n`; numbers about fewer than `min_cell` are withheld (see
    `suppress`). The result does not depend on the order of the rows of either frame.
    """
    day = _day(customers, facts)
    sheet = Sheet()
    customer_numbers.add(sheet, customers, facts)
    older = kpi_numbers.add(sheet, customers, day, orders, earlier) if day is not None else {}
    quality_numbers.add(sheet, facts)
    footer_numbers.add(sheet, facts)
    cost_numbers.add(sheet, facts, expected=not customer_numbers.unknowable(customers))
    if migration is not None:
        migration_numbers.add(sheet, migration)
    if cohorts is not None:
        cohort_numbers.add(sheet, cohorts)
    if orders is not None and day is not None:
        order_numbers.add(sheet, customers, orders, day, split)
    moves = ties.of_moves(migration) if migration is not None else []
    return suppress.hide(sheet.frame(day), min_cell, [*ties.of_customers(customers), *moves], older)


def as_of(metrics: pl.DataFrame) -> date | None:
    """The day the numbers are about; None when there are none or it is not known."""
    return Numbers(metrics).as_of


def _day(customers: pl.DataFrame, facts: dict[str, Any]) -> date | None:
    if "as_of" in customers.columns and customers.height:
        latest = customers["as_of"].max()
        return latest if isinstance(latest, date) else None
    written = facts.get("as_of")
    return date.fromisoformat(written) if isinstance(written, str) else None
