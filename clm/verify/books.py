"""The books in a footer: that they add up, that the rows say the same, and that they begin where the stage before ended.

Rows and money as `outcome.Rows` and `outcome.Amount` define them, and as `storage.facts` has checked them to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from functools import reduce
from typing import Any

import polars as pl

from clm.storage.facts import Facts
from clm.tables import CUSTOMERS, REJECTS, TRANSACTIONS

_WIDE = Context(prec=80)
_PARTS = ("rejected", "collapsed")
# stages that hand every customer on
PASSING = ("segment", "clv", "churn")


def faults(facts: Facts) -> Iterator[str]:
    """What does not add up within one footer."""
    rows, gone = facts.rows, sum(_left_out(facts.rows))
    lines = facts.table in (TRANSACTIONS.name, REJECTS.name)
    if lines and rows["in"] != rows["out"] + gone:
        yield f"{rows['in']:,} rows in are not {rows['out']:,} kept + {gone:,} left out"
    if facts.table == CUSTOMERS.name and facts.stage in PASSING and rows["in"] != rows["out"]:
        yield f"{rows['in']:,} customers in, {rows['out']:,} out"
    money = facts.amount
    if money is not None and Decimal(money["in"]) != reduce(_WIDE.add, map(Decimal, _left_out(money)), Decimal(money["out"])):
        yield "the money in is not the money kept + the money left out"


def _left_out(books: dict[str, Any]) -> list[Any]:
    """Every entry of the books that came in and did not go out."""
    left = [one for part in _PARTS for one in books.get(part, {}).values()]
    return left if books.get("after_as_of") is None else [*left, books["after_as_of"]]


def against_rows(facts: Facts, frame: pl.LazyFrame) -> Iterator[str]:
    """What the rows of the file say otherwise."""
    columns = frame.collect_schema().names()
    if facts.table == REJECTS.name:
        yield from _against_rejects(facts, frame)
        return
    column = {TRANSACTIONS.name: "amount", CUSTOMERS.name: "spend"}.get(facts.table)
    paid = pl.col(column).cast(pl.Decimal(38, 4)).sum() if column in columns else pl.lit(None)
    height, total = frame.select(pl.len().alias("rows"), paid.alias("paid")).collect(engine="streaming").row(0)
    if height != facts.rows["out"]:
        yield f"the file has {height:,} rows, its books {facts.rows['out']:,}"
    if facts.amount is not None and total is not None and total != Decimal(facts.amount["out"]):
        yield f"the column {column} adds up to another sum than the books"


def _against_rejects(facts: Facts, frame: pl.LazyFrame) -> Iterator[str]:
    counted = frame.group_by("reason").agg(pl.len(), pl.col("amount").cast(pl.Decimal(38, 4)).sum()).collect()
    found = {reason: (rows, money) for reason, rows, money in counted.iter_rows()}
    told = {code: number for code, number in facts.rows.get("rejected", {}).items() if number}
    if {code: rows for code, (rows, _) in found.items()} != told:
        code = next((one for one in [*told, *found] if told.get(one, 0) != found.get(one, (0, None))[0]), "")
        yield f"the file has {found.get(code, (0, None))[0]:,} rows {code[:40]}, its books {told.get(code, 0):,}"
    paid = (facts.amount or {}).get("rejected", {})
    other = next((code for code, (_, money) in found.items() if code in paid and Decimal(paid[code]) != money), None)
    if other is not None:
        yield f"the amounts of {other[:40]} add up to another sum than the books"


def against_before(facts: Facts, before: dict[str, Any]) -> Iterator[str]:
    """What the books of the stage before say otherwise: what it handed out is what came in."""
    stage = before["stage"][:40]
    if "rows" not in before:
        yield f"{stage} has no books"
    elif facts.rows["in"] != before["rows"]["out"]:
        yield f"{facts.rows['in']:,} rows came in, {stage} handed out {before['rows']['out']:,}"
    came, went = facts.amount, before.get("amount")
    if came is not None and went is not None and Decimal(came["in"]) != Decimal(went["out"]):
        yield f"other money came in than {stage} handed out"
