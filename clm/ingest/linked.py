"""Sources of several tables: the rows of the main one, with columns of the others looked up and summed beside them.

It may not know what a column means, and it may not change how many rows there are: a key that leads to two answers is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from clm.errors import DataError
from clm.ingest import numbers
from clm.ingest.evidence import Evidence
from clm.ingest.part import Part
from clm.ingest.profiles import Linked, Profile
from clm.ingest.recognise import has
from clm.ingest.scan import AGAIN, FILE, OWN, scan
from clm.ingest.structure import LINE, PROBLEM
from clm.outcome import Notice, counted

if TYPE_CHECKING:
    from clm.ingest.text import TextLog

_SAMPLED = 100_000
_NO_RECORD = ("blank_row", "header_repeat")


def linked(log: TextLog, profile: Profile) -> TextLog:
    """The log of the main table's rows. Raises `DataError` when a table is missing, damaged, or has a key twice.

    Rows that belong to no row of the main table are counted in a notice; so are files that are none of the tables.
    """
    taken: dict[str, tuple[Part, ...]] = {}
    for name, table in profile.tables.items():
        taken[name] = tuple(part for part in log.parts if has(part.columns, table.columns))
        if not taken[name]:
            raise DataError(
                f"the profile {profile.name} needs a file of {name}, with the columns {', '.join(table.columns)}.",
                where=", ".join(part.source.name for part in log.parts[:20]),
                fix="give its file too, or read without the profile: --profile none",
                code="profile_table",
            )
    main = next(name for name, table in profile.tables.items() if table.main)
    rows = taken[main]
    schema = _schema(rows)
    frame = scan(rows, schema, log.settings.rejects_raw)
    notices: list[Notice] = [*log.notices]
    facts: list[Evidence] = []
    columns = [name for name in schema if name not in OWN]
    for name, table in profile.tables.items():
        if name == main:
            continue
        beside = _beside(name, table, taken[name], log)
        notices += _strays(name, table, beside, frame, log)
        frame = frame.join(_one_a_key(name, table, beside, log), on=table.by, how="left", maintain_order="left")
        columns += [*table.take, *table.sum]
        added = ", ".join([*table.take, *(f"the sum of {one}" for one in table.sum)])
        facts.append(Evidence(f"table {name}", f"{added}, by {table.by}", ", ".join(one.source.name for one in taken[name])))
    known = {part.source.path for parts in taken.values() for part in parts}
    unused = [part.source.name for part in log.parts if part.source.path not in known]
    if unused:
        notices.append(Notice("tables_unused", f"{', '.join(unused)}: no table the profile {profile.name} reads."))
    sample = frame.head(_SAMPLED).collect(engine="streaming")
    return replace(
        log,
        frame=frame,
        columns=tuple(columns),
        parts=rows,
        linked=tuple(part for part in log.parts if part not in rows),
        sample=sample.filter(pl.col(PROBLEM).is_null()),
        whole=sample.height < _SAMPLED,
        evidence=(*log.evidence, *facts),
        notices=tuple(notices),
    )


def _schema(parts: tuple[Part, ...]) -> dict[str, pl.DataType]:
    columns = dict.fromkeys(name for part in parts for name in part.columns)
    return dict.fromkeys(columns, pl.String()) | OWN


def _beside(name: str, table: Linked, parts: tuple[Part, ...], log: TextLog) -> pl.LazyFrame:
    """The records of a table; one that cannot be cut up would be missed by a sum, so it is refused."""
    frame = scan(parts, _schema(parts), False).filter(~pl.col(AGAIN) & ~pl.col(PROBLEM).is_in(_NO_RECORD).fill_null(False))
    broken = frame.filter(pl.col(PROBLEM).is_not_null()).select(FILE, LINE, PROBLEM).head(1).collect(engine="streaming")
    if broken.height:
        file, line, problem = broken.row(0)
        raise DataError(
            f"a record of {name} cannot be cut into its columns ({problem}), so the orders would lack it.",
            where=f"{file}, line {line}",
            fix="repair that line.",
            code="profile_table",
        )
    return frame


def _one_a_key(name: str, table: Linked, beside: pl.LazyFrame, log: TextLog) -> pl.LazyFrame:
    """One row for each key: what is looked up, and what is summed (nothing when one of its cells is no number)."""
    taken = [pl.col(one).min() for one in table.take]
    several = [pl.col(one).n_unique().alias(f"{one}:n") for one in table.take]
    money = [_money(pl.col(one), log) for one in table.sum]
    sums = [
        pl.when(amount.is_null().cast(pl.Int64).sum() == 0).then(amount.cast(numbers.SUM).sum()).cast(pl.String).alias(one)
        for one, amount in zip(table.sum, money, strict=True)
    ]
    found = beside.group_by(table.by).agg(*taken, *several, *sums)
    if several:
        twice = found.filter(pl.any_horizontal(pl.col(f"{one}:n") > 1 for one in table.take)).select(pl.len())
        if count := twice.collect(engine="streaming").item():
            raise DataError(
                f"{counted(count, 'key', 'keys')} of {name} lead to more than one {' or '.join(table.take)}.",
                where=f"column {table.by} of {name}",
                fix="give the tables of one export only.",
                code="profile_table",
            )
    return found.select(table.by, *table.take, *table.sum)


def _money(cell: pl.Expr, log: TextLog) -> pl.Expr:
    return numbers.money(numbers.canonical(cell, "," if log.settings.decimal == "," else "."))


def _strays(name: str, table: Linked, beside: pl.LazyFrame, frame: pl.LazyFrame, log: TextLog) -> list[Notice]:
    """Rows with money that belong to no row of the main table."""
    if not table.sum:
        return []
    keys = frame.select(table.by).unique()
    money = pl.sum_horizontal(_money(pl.col(one), log).cast(numbers.SUM) for one in table.sum)
    lost = beside.join(keys, on=table.by, how="anti").select(pl.len(), money.sum().alias("money"))
    rows, amount = lost.collect(engine="streaming").row(0)
    if not rows:
        return []
    belong = counted(rows, "row", "rows")
    return [Notice("rows_unlinked", f"{belong} of {name} ({amount or 0:,.2f} in all) belong to no order of the log: left out.")]
