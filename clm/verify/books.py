"""The books in a footer: that they add up, that the rows say the same, and that they begin where the stage before ended.

Rows and money as `outcome.Rows` and `outcome.Amount` define them. It may not trust a footer's numbers to be numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import polars as pl

from clm.storage.facts import Facts
from clm.tables import CUSTOMERS, REJECTS, TRANSACTIONS

_WIDE = Context(prec=80)
_PARTS = ("rejected", "collapsed")
# stages that hand every customer on
_PASSING = ("segment", "clv", "churn")


class UnreadableError(ValueError):
    """A number of the books is no number."""


def faults(facts: Facts) -> Iterator[str]:
    """What does not add up within one footer."""
    try:
        rows = _parts(facts.rows, _count)
        money = _parts(facts.amount, _money) if facts.amount is not None else None
    except UnreadableError as error:
        yield str(error)
        return
    lines = facts.table in (TRANSACTIONS.name, REJECTS.name)
    if lines and rows["in"] != rows["out"] + rows["gone"]:
        yield f"{rows['in']:,} rows in are not {rows['out']:,} kept + {rows['gone']:,} left out"
    if facts.table == CUSTOMERS.name and facts.stage in _PASSING and rows["in"] != rows["out"]:
        yield f"{rows['in']:,} customers in, {rows['out']:,} out"
    if money is not None and money["in"] != _WIDE.add(money["out"], money["gone"]):
        yield "the money in is not the money kept + the money left out"


def against_rows(facts: Facts, frame: pl.LazyFrame) -> Iterator[str]:
    """What the rows of the file say otherwise. Call it with books that add up."""
    rows, columns = _parts(facts.rows, _count), frame.collect_schema().names()
    money = _parts(facts.amount, _money) if facts.amount is not None else None
    if facts.table == REJECTS.name:
        yield from _against_rejects(facts, frame)
        return
    column = {TRANSACTIONS.name: "amount", CUSTOMERS.name: "spend"}.get(facts.table)
    paid = pl.col(column).cast(pl.Decimal(38, 4)).sum() if column in columns else pl.lit(None)
    height, total = frame.select(pl.len().alias("rows"), paid.alias("paid")).collect(engine="streaming").row(0)
    if height != rows["out"]:
        yield f"the file has {height:,} rows, its books {rows['out']:,}"
    if money is not None and total is not None and column in columns and total != money["out"]:
        yield f"the column {column} adds up to another sum than the books"


def _against_rejects(facts: Facts, frame: pl.LazyFrame) -> Iterator[str]:
    counted = frame.group_by("reason").agg(pl.len(), pl.col("amount").cast(pl.Decimal(38, 4)).sum()).collect()
    found = {reason: (rows, money) for reason, rows, money in counted.iter_rows()}
    told = {code: _count(number, code) for code, number in facts.rows.get("rejected", {}).items() if number}
    if {code: rows for code, (rows, _) in found.items()} != told:
        code = next((one for one in [*told, *found] if told.get(one, 0) != found.get(one, (0, None))[0]), "")
        yield f"the file has {found.get(code, (0, None))[0]:,} rows {code[:40]}, its books {told.get(code, 0):,}"
    paid = (facts.amount or {}).get("rejected", {})
    other = next((code for code, (_, money) in found.items() if code in paid and _money(paid[code], code) != money), None)
    if other is not None:
        yield f"the amounts of {other[:40]} add up to another sum than the books"


def against_before(facts: Facts, before: dict[str, Any]) -> Iterator[str]:
    """What the books of the stage before say otherwise: what it handed out is what came in."""
    stage = str(before.get("stage"))[:40]
    try:
        if _count(facts.rows.get("in"), "in") != _count(before.get("rows", {}).get("out"), "out"):
            yield f"{facts.rows['in']:,} rows came in, {stage} handed out {before['rows']['out']:,}"
        came, went = facts.amount or {}, before.get("amount") or {}
        if came and went and _money(came.get("in"), "in") != _money(went.get("out"), "out"):
            yield f"other money came in than {stage} handed out"
    except UnreadableError as error:
        yield f"{stage}: {error}"


def _parts(books: dict[str, Any], read: Any) -> dict[str, Any]:
    """In, out, and the sum of what was left out, each a number. Raises UnreadableError."""
    gone = [books.get(part, {}) for part in _PARTS]
    if not all(isinstance(part, dict) for part in gone):
        raise UnreadableError("the books hold something else than counts by code")
    left = [read(value, code) for part in gone for code, value in part.items()]
    left += [read(books["after_as_of"], "after_as_of")] if books.get("after_as_of") is not None else []
    total = left[0] if left else read(0 if read is _count else "0", "none")
    for one in left[1:]:
        total = total + one if read is _count else _WIDE.add(total, one)
    return {"in": read(books.get("in"), "in"), "out": read(books.get("out"), "out"), "gone": total}


def _count(value: Any, code: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UnreadableError(f"the books hold no count for {code[:40]}")
    return value


def _money(value: Any, code: str) -> Decimal:
    try:
        found = Decimal(value) if isinstance(value, str) and len(value) < 60 else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite():
        raise UnreadableError(f"the books hold no amount for {code[:40]}")
    return found
