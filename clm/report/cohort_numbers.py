"""Numbers of cohorts: who came back in which period after the first order, and what it brought, as the stage `cohort` counted.

It may not count anew; it adds rows to the sheet it is given. A period nobody has lived has no row.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from clm.report.customer_numbers import ratio
from clm.report.numbers import Sheet

_PERIODS = ("month", "quarter", "year")
_FEWEST = 3  # cohorts that can be compared


def fitting(by: Callable[[str], pl.DataFrame], shortest: str, least: int) -> pl.DataFrame:
    """COHORTS by the shortest period, or by a longer one while most cells with somebody hold fewer than `least` customers and
    the longer one leaves three cohorts to compare."""
    found = by(shortest)
    for longer in _PERIODS[_PERIODS.index(shortest) + 1 :]:
        held = found.filter((pl.col("age") >= 0) & (pl.col("customers") > 0))["customers"]
        if 2 * int((held < least).sum()) <= len(held):
            break
        merged = by(longer)
        if merged["cohort"].drop_nulls().n_unique() < _FEWEST:
            break
        found = merged
    return found


def add(sheet: Sheet, cohorts: pl.DataFrame) -> None:
    """Rows for each cell of COHORTS, and the mean of each age over its complete cells."""
    lived = cohorts.filter(pl.col("age") >= 0)
    for period, complete in lived.select("period", "period_complete").unique().sort("period").iter_rows():
        sheet.add("cohorts", "period_complete", int(complete), period=period)
    for cohort, n in lived.filter(age=0).select("cohort", "cohort_customers").iter_rows():
        sheet.add("cohorts", "customers", n, group=cohort, n=n)
    for row in lived.iter_rows(named=True):
        n, cell = row["customers"], {"group": row["cohort"], "period": row["period"]}
        sheet.add("cohorts", "retained", n, n=n, **cell)
        sheet.add("cohorts", "retention", row["retention"], n=n, **cell)
        sheet.add("cohorts", "retention_on_or_after", row["retention_on_or_after"], n=row["customers_on_or_after"], **cell)
    for row in cohorts.filter(pl.col("revenue").is_not_null()).iter_rows(named=True):
        sheet.add("cohorts", "revenue", row["revenue"], group=row["cohort"], period=row["period"], n=row["customers"])
    ages = lived.filter("period_complete").group_by("age").agg(pl.col("customers", "cohort_customers").sum()).sort("age")
    for age, retained, members in ages.iter_rows():
        sheet.add("cohorts", "mean_retention", ratio(retained, members), group=f"age_{age:02d}", n=retained)
