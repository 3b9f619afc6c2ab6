"""Groups that make up other groups because each customer in them is there too: cells of the grid a segment, moves a direction.

It may not withhold anything. The rules of a scheme are public, so whoever sees the cells of the grid adds them up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from clm.report.disclosure import Cell, Line
from clm.report.numbers import ACTIVE_DAYS
from clm.report.people import GROUPED, money_of

_COLUMNS: dict[str, tuple[str, ...]] = {
    **{column: (section,) for column, section in GROUPED.items()},
    "clv_method": ("clv", "method"),
    "clv_status": ("clv", "status"),
    "churn_method": ("churn", "method"),
    "churn_status": ("churn", "status"),
    "churn_risk": ("risk",),
}


def of_customers(customers: pl.DataFrame) -> list[Line]:
    """For each group of buyers that is made up of whole groups of another kind: which, and so of their money."""
    known = [name for name in _COLUMNS if name in customers.columns]
    parts = [pl.col(name).cast(pl.String) for name in known]
    if {"r_score", "f_score"} <= set(customers.columns):
        parts.append(pl.format("r{}f{}", "r_score", "f_score").alias("grid"))
    parts.append((pl.col("order_days") > 1).alias("repeat"))
    parts.append((pl.col("recency_days") < ACTIVE_DAYS).alias("active"))
    seen = customers.lazy().filter(pl.col("orders") > 0).select(parts).unique().collect()
    kinds = {name: [_cell(name, value) for value in seen[name].to_list()] for name in seen.columns}
    found: list[Line] = []
    for fine, members in kinds.items():
        for coarse, wholes in kinds.items():
            if fine != coarse:
                found += _within(members, wholes)
    told = set(GROUPED.values())
    money = [line for line in found if told.issuperset(cell[0] for cell in line.cells)]
    return [*found, *(Line(money_of(line.total), tuple(map(money_of, line.parts))) for line in money)]


def _cell(name: str, value: Any) -> Cell | None:
    if value is None or value is False:
        return None
    if value is True:
        return (name,)
    return ("rfm_grid", value) if name == "grid" else (*_COLUMNS[name], value)


def _within(members: list[Cell | None], wholes: list[Cell | None]) -> Iterator[Line]:
    homes: dict[Cell | None, set[Cell | None]] = {}
    for member, whole in zip(members, wholes, strict=True):
        homes.setdefault(member, set()).add(whole)
    for whole in sorted({one for one in wholes if one is not None}):
        inside = sorted((one for one, seen in homes.items() if whole in seen), key=str)
        if all(one is not None and homes[one] == {whole} for one in inside):
            yield Line(whole, tuple(one for one in inside if one is not None))


def of_moves(migration: dict[str, Any]) -> list[Line]:
    """The directions of a migration with the moves that go there."""
    found: dict[Cell, list[Cell]] = {}
    for of, matrix in migration.items():
        for cell in matrix["cells"] if isinstance(matrix, dict) else ():
            found.setdefault(("way", of, cell.get("direction")), []).append(("move", of, cell["from"], cell["to"]))
    return [Line(way, tuple(moves)) for way, moves in found.items()]
