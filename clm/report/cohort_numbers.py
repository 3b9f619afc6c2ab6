"""Numbers of cohorts: who came back in which period after the first order, and what it brought, as the stage `cohort` counted.

It may not count anew; it adds rows to the sheet it is given. A period nobody has lived has no row.
"""

from __future__ import annotations

import polars as pl

from clm.report.customer_numbers import ratio
from clm.report.numbers import Sheet

_FEWEST = 3  # cohorts that can be compared


def mostly_few(cohorts: pl.DataFrame, least: int) -> bool:
    """Whether most of the periods in which somebody of a cohort bought hold fewer than `least` of them."""
    held = cohorts.filter((pl.col("age") >= 0) & (pl.col("customers") > 0))["customers"]
    return 2 * int((held < least).sum()) > len(held)


def comparable(cohorts: pl.DataFrame) -> bool:
    """Whether there are cohorts enough to hold one against another."""
    return cohorts["cohort"].drop_nulls().n_unique() >= _FEWEST


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
