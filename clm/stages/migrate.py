"""`migrate`: who moved between two days: segment, lifecycle, tier and cluster of each customer then and now, and their money.

It may not judge anew: it compares what the two tables say. Whoever is only in one of them is new or lost, in a row or column of
its own, and every margin of a matrix is the table it came from: customers, spend and CLV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.outcome import Notice, Outcome, Rows, counted, money_text
from clm.stages import agreement
from clm.tables import MIGRATED, MIGRATION, NO_PURCHASE, SEGMENTS, ZH8

NEW, LOST, NONE = "(new)", "(lost)", "(none)"
# the higher, the better; who came back after being lost is where somebody new is
_LIFECYCLE = (("loyal",), ("growing",), ("onboarding",), ("new", "won_back"), ("at_risk",), ("lost",), (NO_PURCHASE,))
_MONEY = pl.Decimal(38, 4)
_EXACT = pl.Decimal(38, 10)  # CLV as a number that adds up in any order
_VALUES = ("spend", "clv")
_CELL = [f"{value}_{side}" for value in _VALUES for side in ("before", "after")]


@dataclass(frozen=True)
class Made:
    """How one of the two tables was made, as far as its footer tells: orders of codes from the best, and what they rest on."""

    orders: Mapping[str, Sequence[str]]
    rests_on: Mapping[str, Any]
    currency: str | None = None


def migrate(before: pl.DataFrame, after: pl.DataFrame, then: Made, now: Made) -> Outcome:
    """MIGRATION, and a matrix for each of segment, lifecycle, tier and cluster that both tables have.

    `metrics[of]`: `codes` in their order, `cells` (from, to, customers, share of row, direction, spend and CLV before and after),
    `moved`, `moved_share` (of those in both tables), `up`, `down`, `side`, `new`, `lost`. Raises DataError for days that are the
    same or swapped, two currencies, or nothing to compare.
    """
    days = _days(before, after)
    if then.currency and now.currency and then.currency != now.currency:
        raise DataError(
            f"the earlier table is in {then.currency}, the later in {now.currency}",
            where="A and B",
            fix="make both with one --currency",
            code="currencies",
        )
    kinds = [one for one in MIGRATED if one in before.columns and one in after.columns]
    if not kinds:
        raise DataError(
            f"the two tables have none of {', '.join(MIGRATED)} in common",
            where="A and B",
            fix="run `clm segment` on both first",
            code="missing_column",
        )
    joined = _joined(before, after, kinds)
    metrics: dict[str, Any] = {"from": _text(days[0]), "to": _text(days[1])}
    notices: list[Notice] = []
    moves = []
    for of in kinds:
        ranks, order, notice = _ranks(of, joined, then, now)
        notices += [notice] if notice else []
        named = joined.with_columns(_code(of, "before", NEW), _code(of, "after", LOST))
        named = named.with_columns(_direction(ranks).alias("direction"))
        moves.append(named.filter(pl.col("direction") != "stayed").with_columns(pl.lit(of).alias("of")))
        metrics[of] = _matrix(named, order)
        _balance(metrics[of]["cells"], named, before, after, of)
    place = pl.col("of").replace_strict({of: n for n, of in enumerate(MIGRATED)}, return_dtype=pl.Int32)
    movers = pl.concat([one.select(MIGRATION.names()) for one in moves]).sort("customer_id", place)
    frame = movers.with_columns(pl.col("clv_before", "clv_after").cast(pl.Float64))
    first = metrics[kinds[0]]
    closing = (
        f"{counted(joined.height, 'customer')}, {first['moved']:,} moved between {kinds[0]}s "
        f"({first['up']:,} up, {first['down']:,} down), {first['new']:,} new, {first['lost']:,} lost"
    )
    return Outcome(
        frame=frame,
        rows=Rows(rows_in=joined.height, rows_out=frame.height),
        as_of=days[1],
        currency=now.currency,
        metrics=metrics,
        warnings=tuple(notices),
        closing=closing,
    )


def _days(before: pl.DataFrame, after: pl.DataFrame) -> tuple[date | None, date | None]:
    then, now = (agreement.one_day(frame, "migrate") for frame in (before, after))
    if then is not None and now is not None and then >= now:
        what = (
            f"both tables are of {now}" if then == now else f"the tables are swapped: the first is of {then}, the second of {now}"
        )
        raise DataError(what, where="A and B, column as_of", fix="give the earlier table first, then the later", code="days")
    return then, now


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _joined(before: pl.DataFrame, after: pl.DataFrame, kinds: list[str]) -> pl.DataFrame:
    """One row a customer of either table: codes, spend and CLV then and now; `there_…` says in which they are."""

    def side(frame: pl.DataFrame, name: str) -> pl.DataFrame:
        clv = pl.col("clv").cast(_EXACT) if "clv" in frame.columns else pl.lit(None, _EXACT)
        codes = [pl.col(of).cast(pl.String).alias(f"{of}_{name}") for of in kinds]
        values = (pl.col("spend").cast(_MONEY).alias(f"spend_{name}"), clv.alias(f"clv_{name}"))
        return frame.select("customer_id", *codes, *values, pl.lit(value=True).alias(f"there_{name}"))

    both = side(before, "before").join(side(after, "after"), on="customer_id", how="full", coalesce=True)
    return both.with_columns(pl.col("there_before", "there_after").fill_null(value=False))


def _code(of: str, side: str, absent: str) -> pl.Expr:
    """What the customer was called on that side: nobody there, nothing said, or the code."""
    code = pl.when(pl.col(f"there_{side}")).then(pl.col(f"{of}_{side}").fill_null(NONE)).otherwise(pl.lit(absent))
    return code.alias("from" if side == "before" else "to")


def _ranks(of: str, joined: pl.DataFrame, then: Made, now: Made) -> tuple[dict[str, int], list[str], Notice | None]:
    """Places from the best (0) by which up is told from down, the order of the matrix, and what to say of either."""
    seen = {code for side in ("before", "after") for code in joined[f"{of}_{side}"].drop_nulls().unique().to_list()}
    if seen & {NEW, LOST, NONE}:
        raise DataError(f"a {of} is called as clm calls nobody's", where=f"column {of}", fix="give it another code", code="codes")
    if of == "lifecycle":
        levels: Sequence[Sequence[str]] = _LIFECYCLE
    elif of == "cluster":
        levels = [(str(number),) for number in range(1, max((int(code) for code in seen), default=0) + 1)]
    else:
        known = [one.orders.get(of) for one in (now, then)]
        shipped = [one for one in (SEGMENTS, ZH8) if of == "segment" and seen - {NO_PURCHASE} <= set(one)]
        order = next((list(one) for one in (*known, *shipped) if one and seen - {NO_PURCHASE} <= set(one)), None)
        levels = [(code,) for code in [*(one for one in order or () if one != NO_PURCHASE), *([NO_PURCHASE] if order else [])]]
    ranks = {code: place for place, level in enumerate(levels) for code in level}
    if of == "tier" and ranks:
        ranks[NONE] = len(levels)  # nobody without a sale has a tier
    order = [code for level in levels for code in level if code in seen]
    order += sorted(seen - set(order))
    notice = None
    made = (then.rests_on.get(of), now.rests_on.get(of))
    if made[0] is not None and made[1] is not None and made[0] != made[1]:
        text = f"the {of}s of the two tables were made by different rules or models: who moved may not have changed"
        notice = Notice("migration_differs", text)
        ranks = {} if of == "cluster" else ranks
    elif not ranks and seen:
        notice = Notice("migration_no_order", f"no order of {of}s is known, so nobody moved up or down")
    return ranks, order, notice


def _direction(ranks: dict[str, int]) -> pl.Expr:
    """`stayed`, `new`, `lost`; `up` and `down` by rank, `side` between equal ranks or where none is known."""
    was, is_now = (pl.col(name).replace_strict(ranks, default=None, return_dtype=pl.Int32) for name in ("from", "to"))
    return (
        pl.when(pl.col("from") == pl.col("to")).then(pl.lit("stayed"))
        .when(pl.col("from") == NEW).then(pl.lit("new"))
        .when(pl.col("to") == LOST).then(pl.lit("lost"))
        .when(is_now < was).then(pl.lit("up"))
        .when(is_now > was).then(pl.lit("down"))
        .otherwise(pl.lit("side"))
    )  # fmt: skip


def _matrix(named: pl.DataFrame, order: list[str]) -> dict[str, Any]:
    cells = named.group_by("from", "to", "direction").agg(pl.len().alias("customers"), pl.col(_CELL).sum())
    known = {name: named[name].count() > 0 for name in _CELL}
    place = {code: at for at, code in enumerate([*order, NONE, NEW, LOST])}
    whole = dict(cells.group_by("from").agg(pl.col("customers").sum()).iter_rows())
    rows = sorted(cells.iter_rows(named=True), key=lambda row: (place[row["from"]], place[row["to"]]))
    ways = dict(named.group_by("direction").len().iter_rows())
    stayed, moved = ways.get("stayed", 0), sum(ways.get(way, 0) for way in ("up", "down", "side"))
    return {
        "codes": [*order, *([NONE] if any(NONE in (row["from"], row["to"]) for row in rows) else [])],
        "cells": [
            {
                "from": row["from"],
                "to": row["to"],
                "customers": row["customers"],
                "share": row["customers"] / whole[row["from"]],
                "direction": row["direction"],
                **{name: _value(name, row[name]) if known[name] else None for name in _CELL},
            }
            for row in rows
        ],
        "stayed": stayed,
        "moved": moved,
        "moved_share": moved / (moved + stayed) if moved + stayed else None,
        **{way: ways.get(way, 0) for way in ("up", "down", "side", "new", "lost")},
    }


def _value(name: str, total: Decimal) -> str | float:
    """Money as text, exact; CLV is an expectation and a float everywhere."""
    return money_text(total) if name.startswith("spend") else float(total)


def _balance(cells: list[dict[str, Any]], named: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame, of: str) -> None:
    """Every margin is the table it came from: customers, spend and CLV, code by code. A difference is a bug."""
    for frame, side, name, absent in ((before, "before", "from", NEW), (after, "after", "to", LOST)):
        clv = pl.col("clv").cast(_EXACT) if "clv" in frame.columns else pl.lit(None, _EXACT)
        code = pl.col(of).cast(pl.String).fill_null(NONE).alias("code")
        own = frame.group_by(code).agg(pl.len().alias("n"), pl.col("spend").cast(_MONEY).sum(), clv.sum().alias("clv"))
        table = {row[0]: row[1:] for row in own.iter_rows()}
        sums = named.filter(pl.col(name) != absent).group_by(pl.col(name)).agg(
            pl.len().alias("n"), pl.col(f"spend_{side}").sum(), pl.col(f"clv_{side}").sum()
        )  # fmt: skip
        assert {row[0]: row[1:] for row in sums.iter_rows()} == table, f"the margins of {of} are not those of the table {side}"
        counts: dict[str, int] = {}
        for cell in cells:
            if cell[name] != absent:
                counts[cell[name]] = counts.get(cell[name], 0) + cell["customers"]
        assert counts == {code: row[0] for code, row in table.items()}, f"the cells of {of} do not add up"
