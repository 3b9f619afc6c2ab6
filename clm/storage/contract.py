"""The contract of `tables` held against real frames: names and types before reading, data before publishing.

It may not repair anything: what breaks the contract is named, with the column and the command that makes it right.
"""

from __future__ import annotations

import polars as pl

from clm.dtypes import polars_type
from clm.errors import DataError
from clm.tables import ALL, BEHAVIOUR, CUSTOMERS, STAGE_READS, TRANSACTIONS, Column, Table


def check_schema(schema: pl.Schema, table: Table, needed: list[str], name: str) -> None:
    """Names and types of a table somebody hands us. Raises DataError naming the column and the command that makes it."""
    missing = [column for column in needed if column not in schema]
    given = next((one for one in ALL.values() if one is not table and _looks_like(schema, one)), None) if missing else None
    if given is not None:
        what = f"{name} is a {given.name} table, not {table.name}"
        raise DataError(what, where=name, fix=wrong_table_fix(given.name, table), code="wrong_table")
    if missing:
        behaviour = {column.name for column in BEHAVIOUR}
        makers = {
            f"{column.stage}{' --columns all' * (column.name in behaviour)}" for column in table.columns if column.name in missing
        }
        raise DataError(
            f"{name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            where=name,
            fix=f"run `clm {'` and `clm '.join(sorted(makers))}` first",
            code="missing_column",
        )
    for column in table.columns:
        if column.name in schema and schema[column.name] != polars_type(column):
            raise DataError(
                f"column {column.name} of {name} is {schema[column.name]}, wants {column.dtype}",
                where=f"{name}, column {column.name}",
                fix=f"make the file with `clm {column.stage}`",
                code="column_type",
            )


def wrong_table_fix(given: str, wanted: Table) -> str:
    """What to do with a file of another table than the command reads."""
    if given == TRANSACTIONS.name and wanted is CUSTOMERS:
        return "this is a TRANSACTIONS table: run `clm rfm` on it first"
    reader = next((stage for stage, table in STAGE_READS.items() if table.name == given), None)
    return f"give it what `clm {wanted.made_by.split(',')[0]}` wrote" + (
        f"; this is a {given} table, for `clm {reader}`" if reader else f"; this is a {given} table"
    )


def _looks_like(schema: pl.Schema, table: Table) -> bool:
    """Whether it has all columns the table always has; a table that may have any is never recognised."""
    always = [column.name for column in table.columns if not column.optional]
    return bool(always) and all(name in schema for name in always)


def check_data(frame: pl.LazyFrame, table: Table, name: str) -> None:
    """The data of a table against its rules: no forbidden null, no NaN, values inside their bounds, key sorted and unique.

    Raises DataError naming the first column that breaks its rule. One streaming pass.
    """
    schema = frame.collect_schema()
    present = [column for column in table.columns if column.name in schema]
    tests: dict[str, pl.Expr] = {}
    meaning: dict[str, str] = {}
    for column in present:
        for number, (expression, says) in enumerate(_rules(column)):
            tests[f"{column.name}/{number}"] = expression.fill_null(value=False).cast(pl.Int64).sum()
            meaning[f"{column.name}/{number}"] = f"column {column.name} {says}"
    # floats outside the contract (carried columns) may not smuggle a NaN in either
    for extra, dtype in schema.items():
        if dtype.is_float() and table.column(extra) is None:
            tests[f"{extra}/x"] = (~pl.col(extra).is_finite()).fill_null(value=False).cast(pl.Int64).sum()
            meaning[f"{extra}/x"] = f"column {extra} holds NaN or infinity"
    for key in table.key:
        tests[f"{key}/key"] = (pl.col(key) <= pl.col(key).shift(1)).fill_null(value=False).cast(pl.Int64).sum()
        meaning[f"{key}/key"] = f"column {key} is not sorted and unique"
    if not tests:
        return
    broken = frame.select(**tests).collect(engine="streaming").row(0, named=True)
    for test, count in broken.items():
        if count:
            raise DataError(f"{meaning[test]} ({count:,} rows)", where=name, fix="make the file again", code="contract")


def _rules(column: Column) -> list[tuple[pl.Expr, str]]:
    value = pl.col(column.name)
    rules: list[tuple[pl.Expr, str]] = []
    if not column.nullable:
        rules.append((value.is_null(), "holds nulls"))
    if column.dtype == "Float64":
        rules.append((~value.is_finite(), "holds NaN or infinity"))
    if column.minimum is not None:
        rules.append((value < column.minimum, f"goes below {column.minimum:g}"))
    if column.maximum is not None:
        rules.append((value > column.maximum, f"goes above {column.maximum:g}"))
    if column.values:
        rules.append((~value.is_in(list(column.values)), f"holds something else than {', '.join(column.values)}"))
    return rules
