"""The rules of a column of `tables`, as what breaks them: written once, in the words Polars and narwhals share, for every engine.

It may not import either, nor look at a frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date
from typing import Any

from clm.errors import DataError
from clm.tables import Column, Table


@dataclass(frozen=True)
class Rule:
    """What breaks it, in words too; `provable` when nulls counted and extremes can show that nothing does."""

    broken: Any
    says: str
    provable: bool = False


def of_column(column: Column, value: Any) -> list[Rule]:
    """The rules of a column, for `value`: the expression of it, of Polars or of narwhals."""
    name, ordered = f"column {column.name}", column.dtype != "Float64"  # NaN, which is no extreme
    rules: list[Rule] = []
    if not column.nullable:
        rules.append(Rule(value.is_null(), f"{name} holds nulls", provable=True))
    if column.dtype == "Float64":
        rules.append(Rule(~value.is_finite(), f"{name} holds NaN or infinity"))
    if column.dtype in ("Date", "Datetime(us)"):
        first, last = (int(bound or year) for bound, year in ((column.minimum, MINYEAR), (column.maximum, MAXYEAR)))
        day = value if column.dtype == "Date" else value.dt.date()  # a datetime as a bound moves with session zones
        broken = (day < date(first, 1, 1)) | (day > date(last, 12, 31))
        return [*rules, Rule(broken, f"{name} leaves the years {first} to {last}", provable=column.dtype == "Date")]
    if column.minimum is not None:
        rules.append(Rule(value < column.minimum, f"{name} goes below {column.minimum:g}", ordered))
    if column.maximum is not None:
        rules.append(Rule(value > column.maximum, f"{name} goes above {column.maximum:g}", ordered))
    if column.values:
        rules.append(Rule(~value.is_in(list(column.values)), f"{name} holds something else than {', '.join(column.values)}"))
    return rules


def of_one_value(table: Table, present: Iterable[str]) -> list[str]:
    """The columns that may hold one value only: what differs there cannot be added up."""
    there = set(present)
    return [column.name for column in table.columns if column.uniform and column.name in there]


def several(column: str, where: str) -> DataError:
    """The answer where such a column holds more than one."""
    return DataError(
        f"column {column} holds several values: their amounts cannot be added up",
        where=where,
        fix=f"keep the lines of one {column}, as `clm clean --{column}` does",
        code=column,
    )
