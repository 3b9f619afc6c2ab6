"""The type names of `tables` as Polars types: the one place where the contract's words meet the library's.

It may not know a table.
"""

from __future__ import annotations

import polars as pl

from clm.tables import Column

_TYPES: dict[str, pl.DataType] = {
    "Boolean": pl.Boolean(),
    "String": pl.String(),
    "Date": pl.Date(),
    "Datetime(us)": pl.Datetime("us"),
    "Int32": pl.Int32(),
    "Int64": pl.Int64(),
    "Float64": pl.Float64(),
    "Decimal(18,4)": pl.Decimal(18, 4),
    "Decimal(38,4)": pl.Decimal(38, 4),
}


def polars_type(column: Column) -> pl.DataType:
    return _TYPES[column.dtype]


def is_pattern(name: str) -> bool:
    """Whether Polars takes a column's name for all columns, or for those whose names an expression fits."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))
