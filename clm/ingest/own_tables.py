"""Tables that clm made of a log, given to `clean` as if they were one.

It may not read a cell: a table is known by its columns.
"""

from __future__ import annotations

from collections.abc import Iterable

from clm.errors import DataError
from clm.tables import COHORTS, CUSTOMERS, MEMBERS, METRICS, MIGRATION, REJECTS, Table

_REMEDIES = {
    CUSTOMERS.name: "give the orders it was counted from, or go on from it: clm segment, clm clv, clm churn, clm report",
    REJECTS.name: "mend its lines (--rejects-raw keeps them as they were), put the log's header above, and give both",
}
_REMEDY = "give the orders it was made from"


def refuse(columns: Iterable[str], name: str) -> None:
    """Raises `DataError` when these are the columns of a table of ours that is no log."""
    there = set(columns)
    for table in (CUSTOMERS, REJECTS, MIGRATION, COHORTS, MEMBERS, METRICS):
        if _needed(table) <= there:
            raise DataError(
                f"{name} is no order log but {table.name}, a table of {_maker(table)}: a row is {table.row}.",
                where=name,
                fix=f"{_REMEDIES.get(table.name, _REMEDY)}.",
                code="own_table",
            )


def _needed(table: Table) -> set[str]:
    """What a table has from the first stage on."""
    return set(table.needed(table.columns[0].stage))


def _maker(table: Table) -> str:
    first, *_ = table.made_by.split(", ")
    return f"clm {first}"
