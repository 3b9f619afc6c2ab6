"""A stage that this data does not allow: its columns are there, null, with the status that says so, so that a run can go on.

It may not hide why: the reason travels as a notice.
"""

from __future__ import annotations

import polars as pl

from clm.dtypes import polars_type
from clm.outcome import Notice, Outcome, Rows, counted
from clm.tables import CUSTOMERS, NO_PURCHASE

_STATUS = {"clv": ("clv_method", "clv_status", "degenerate"), "churn": ("churn_method", "churn_status", "too_little_history")}


def absent(stage: str, customers: pl.DataFrame, notice: Notice) -> Outcome:
    """CUSTOMERS with the stage's columns: null, method `none`, and the status of a stage that could not be made."""
    method, status, code = _STATUS[stage]
    columns: dict[str, pl.Expr] = {}
    for column in CUSTOMERS.of_stage(stage):
        if column.optional:
            continue
        columns[column.name] = pl.lit(None, polars_type(column))
    columns[method] = pl.lit("none")
    columns[status] = pl.when(pl.col("orders") > 0).then(pl.lit(code)).otherwise(pl.lit(NO_PURCHASE))
    return Outcome(
        frame=customers.with_columns(**columns),
        rows=Rows(rows_in=customers.height, rows_out=customers.height),
        warnings=(notice,),
        as_of=customers["as_of"].max(),  # type: ignore[arg-type]
        closing=f"{counted(customers.height, 'customer')}, no number for any: {notice.text}",
    )
