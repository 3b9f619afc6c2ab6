"""The contract of `tables` held against real frames: names and types before reading, data before publishing.

It may not repair anything: what breaks the contract is named, with the column and the command that makes it right.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from clm.dtypes import is_pattern, polars_type
from clm.errors import DataError
from clm.rules import Rule, of_column, of_one_value, several
from clm.tables import ALL, BEHAVIOUR, CUSTOMERS, STAGE_READS, TRANSACTIONS, Table


def check_schema(schema: pl.Schema, table: Table, needed: list[str], name: str) -> None:
    """Names and types of a table somebody hands us. Raises DataError naming the column and the command that makes it."""
    missing = [column for column in needed if column not in schema]
    given = resembled(schema) if missing else None
    if given is not None and given is not table:
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
    pattern = next(filter(is_pattern, schema), None)
    if pattern is not None:
        what = f"{name} has a column called {pattern[:40]}, which stands for several columns"
        raise DataError(what, where=name, fix="give it another name", code="column_name")
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


def resembled(schema: pl.Schema) -> Table | None:
    """The table whose columns these are, as far as columns can tell."""
    return next((one for one in ALL.values() if _looks_like(schema, one)), None)


def _looks_like(schema: pl.Schema, table: Table) -> bool:
    """Whether it has all columns the table always has; a table that may have any is never recognised."""
    always = [column.name for column in table.columns if not column.optional]
    return bool(always) and all(name in schema for name in always)


def check_data(frame: pl.LazyFrame, table: Table, name: str) -> None:
    """The data of a table against its rules: those of its columns, no NaN beside them, one currency, key sorted and unique.

    Raises DataError naming the first column that breaks its rule. One streaming pass, which leaves out what the statistics of a
    Parquet file prove: whoever does not trust them scans it without.
    """
    schema = frame.collect_schema()
    rules = {
        f"{column.name}/{number}": rule
        for column in table.columns
        if column.name in schema
        for number, rule in enumerate(of_column(column, pl.col(column.name)))
    }
    # floats outside the contract (carried columns) may not smuggle a NaN in either
    for extra, dtype in schema.items():
        if dtype.is_float() and table.column(extra) is None:
            rules[f"{extra}/x"] = Rule(~pl.col(extra).is_finite(), f"column {extra} holds NaN or infinity")
    for key in table.key:
        rules[f"{key}/key"] = Rule(pl.col(key) <= pl.col(key).shift(1), f"column {key} is not sorted and unique")
    seen = {test: rule.broken for test, rule in rules.items() if not rule.provable}
    proven = {test: rule.broken for test, rule in rules.items() if rule.provable}
    plans = [_counts(frame, seen)] if seen else []
    alike = of_one_value(table, schema)
    plans += [frame.select((pl.col(one).min() != pl.col(one).max()).fill_null(value=False) for one in alike)] if alike else []
    plans += [_counts(frame.filter(pl.any_horizontal(proven.values())), proven)] if proven else []
    broken: dict[str, int] = {}
    for counts in pl.collect_all(plans, engine="streaming"):
        broken |= counts.row(0, named=True)
    for column in alike:
        if broken[column]:
            raise several(column, name)
    for test, rule in rules.items():
        if broken[test]:
            raise DataError(f"{rule.says} ({broken[test]:,} rows)", where=name, fix="make the file again", code="contract")


def _counts(frame: pl.LazyFrame, tests: dict[str, pl.Expr]) -> pl.LazyFrame:
    """In how many rows each holds."""
    return frame.select(**{test: broken.fill_null(value=False).cast(pl.Int64).sum() for test, broken in tests.items()})


def check_account(lines: pl.LazyFrame, rows: int, money: Decimal | None) -> None:
    """Hold order lines against the books they were counted in. Raises AssertionError when they differ: a bug, not bad data."""
    amount = pl.lit(None) if money is None else pl.col("amount").cast(pl.Decimal(38, 4)).sum()
    found = lines.select(pl.len(), amount.alias("amount")).collect(engine="streaming").row(0)
    if found != (rows, money):
        raise AssertionError(f"{found[0]} rows ({found[1]}) were written, but {rows} ({money}) were counted")
