"""Alike: files of one log that call a column differently (`Order ID` here, `Order No` there) are read as one column.

It may not decide which column plays a role: `roles` does, for the log and for a file by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import polars as pl

from clm.errors import DataError
from clm.ingest.evidence import Evidence
from clm.ingest.part import Part
from clm.ingest.scan import SOURCE
from clm.ingest.text import TextLog
from clm.outcome import Notice, counted

# column of the log -> by place of the source, what that source calls it
Called = Mapping[str, Mapping[int, str]]
Find = Callable[[str, list[str], pl.DataFrame], str | None]
_NEEDED = ("customer_id", "ordered_at", "order_id", "amount", "quantity", "unit_price")
_SAID = ("status", "currency", "returned_amount", "discount")
_MOST_SHOWN = 3


def look(
    log: TextLog, found: Mapping[str, tuple[str, ...]], find: Find
) -> tuple[dict[str, dict[int, str]], list[Evidence], list[Notice]]:
    """What the files that lack a column of the log call it; `find` names the column of a role among those of one file.

    Raises `DataError` when a file has no column for a role that every row needs.
    """
    if len(log.parts) < 2:
        return {}, [], []
    looked_up = set(log.columns).difference(*(part.columns for part in log.parts))
    taken = {column for columns in found.values() for column in columns}
    called: dict[str, dict[int, str]] = {}
    evidence: list[Evidence] = []
    notices: list[Notice] = []
    for role in (*_NEEDED, *_SAID):
        lacking = [
            (place, part)
            for place, part in enumerate(log.parts)
            if not set(found.get(role, ())) <= {*part.columns, *looked_up} and not part.source.repeats
        ]
        lost: list[Part] = []
        for place, part in lacking:
            free = [column for column in part.columns if column not in taken]
            other = find(role, free, log.sample.filter(pl.col(SOURCE) == place)) if len(found[role]) == 1 else None
            if other is None:
                lost.append(part)
                continue
            called.setdefault(found[role][0], {})[place] = other
            evidence.append(Evidence(role, other, f"so {part.source.name} calls {found[role][0]}"))
        if lost and role in _NEEDED:
            raise _lacks(role, found[role][0], lost[0])
        if lost:
            some = ", ".join(part.source.name for part in lost[:_MOST_SHOWN]) + (", …" if len(lost) > _MOST_SHOWN else "")
            notices.append(
                Notice(
                    "column_missing",
                    f"{counted(len(lost), 'file has', 'files have')} no column {found[role][0]} ({role}): {some}. "
                    "Their rows are read without it; if they call it otherwise, give it the same name in all files.",
                )
            )
    return called, evidence, notices


def _lacks(role: str, column: str, part: Part) -> DataError:
    from clm.ingest.roles import shown

    return DataError(
        f"{part.source.name} has no column {column} ({role}).",
        where=f"{part.source.name}: {shown(part.columns)}",
        fix="clean it on its own with its own --map, then the results together (clm clean a.parquet b.parquet); or leave it out.",
        code=f"missing_{role}",
    )


def applied(log: TextLog, called: Called) -> TextLog:
    """The log in which these columns have one name, for looking at."""
    if not called:
        return log
    return replace(log, frame=log.frame.with_columns(unified(called)), sample=log.sample.with_columns(unified(called)))


def unified(called: Called) -> list[pl.Expr]:
    """The columns of the log, filled from what each source calls them."""
    made: list[pl.Expr] = []
    for column, others in called.items():
        cell = pl.col(column)
        for place, other in others.items():
            cell = pl.when(pl.col(SOURCE) == place).then(pl.col(other)).otherwise(cell)
        made.append(cell.alias(column))
    return made
