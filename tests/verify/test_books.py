"""The books in a footer against themselves, the rows and the stage before: a row or a cent out of place is seen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from clm.storage.facts import Facts
from clm.verify import books

LOG = Facts(
    table="TRANSACTIONS",
    table_version=1,
    stage="clean",
    settings={},
    rows={"in": 7, "out": 2, "rejected": {"date": 2, "amount": 1}, "collapsed": {"duplicate": 2}},
    amount={
        "in": "9.0000",
        "out": "5.5000",
        "rejected": {"date": "0.0001", "amount": "0.0000"},
        "collapsed": {"duplicate": "3.4999"},
    },
)
REJECTS = replace(LOG, table="REJECTS")
CUSTOMERS = replace(LOG, table="CUSTOMERS", stage="clv", rows={"in": 2, "out": 2}, amount={"in": "5.5000", "out": "5.5000"})


def money(*values: str | None) -> pl.Series:
    return pl.Series([None if one is None else Decimal(one) for one in values], dtype=pl.Decimal(18, 4))


OTHER_SUM = "the column amount adds up to another sum than the books"
OTHER_DATES = "the amounts of date add up to another sum than the books"
LINES = pl.LazyFrame({"amount": money("6.0000", "-0.5000")})
NUL = pl.LazyFrame({"reason": ["nul"], "amount": money(None)})
LEFT = pl.LazyFrame({"reason": ["date", "amount", "date"], "amount": money("1.0000", None, "-0.9999")})


def changed(facts: Facts, part: str, *path: str, to: Any) -> Facts:
    """The facts with one entry of `rows` or `amount` changed."""
    found = dict(getattr(facts, part))
    if len(path) == 2:
        found[path[0]] = dict(found[path[0]]) | {path[1]: to}
    else:
        found[path[0]] = to
    return replace(facts, **{part: found})


def test_books_that_add_up_have_no_fault() -> None:
    """Lines, rejects and customers; without money; with lines after the day, which were in and are not out."""
    later = replace(CUSTOMERS, stage="rfm", rows={"in": 9, "out": 2, "after_as_of": 4})
    for facts in (LOG, REJECTS, CUSTOMERS, replace(LOG, amount=None), later, replace(LOG, rows={"in": 0, "out": 0}, amount=None)):
        assert list(books.faults(facts)) == []


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (changed(LOG, "rows", "in", to=8), "8 rows in are not 2 kept + 5 left out"),
        (changed(LOG, "rows", "out", to=1), "7 rows in are not 1 kept + 5 left out"),
        (changed(REJECTS, "rows", "rejected", "date", to=3), "7 rows in are not 2 kept + 6 left out"),
        (changed(REJECTS, "rows", "collapsed", "duplicate", to=1), "7 rows in are not 2 kept + 4 left out"),
        (changed(LOG, "rows", "after_as_of", to=1), "7 rows in are not 2 kept + 6 left out"),
        (changed(CUSTOMERS, "rows", "in", to=3), "3 customers in, 2 out"),
        (changed(LOG, "amount", "in", to="9.0001"), "the money in is not the money kept + the money left out"),
        (changed(LOG, "amount", "rejected", "date", to="0.0002"), "the money in is not the money kept + the money left out"),
        (changed(CUSTOMERS, "amount", "out", to="5.4999"), "the money in is not the money kept + the money left out"),
    ],
)
def test_what_does_not_add_up_is_said(facts: Facts, says: str) -> None:
    """One row, or one last place."""
    assert list(books.faults(facts)) == [says]


def test_sums_of_any_length_are_exact() -> None:
    """Money of 54 digits to its last place."""
    large, more = "9" * 49 + ".9999", "1" + "0" * 49 + ".0001"
    for out, rejected in ((large, {"date": "0.0002"}), ("0.0000", {"date": large, "amount": "0.0002"})):
        facts = replace(LOG, amount={"in": more, "out": out, "rejected": rejected, "collapsed": {}})
        assert list(books.faults(facts)) == []
        assert len(list(books.faults(changed(facts, "amount", "in", to="1" + "0" * 49 + ".0002")))) == 1


def test_the_rows_say_the_same() -> None:
    """As many, of as much money; a table without money, or without its column, is counted only."""
    assert list(books.against_rows(LOG, LINES)) == []
    assert list(books.against_rows(replace(LOG, amount=None), LINES.drop("amount"))) == []
    assert list(books.against_rows(CUSTOMERS, LINES.rename({"amount": "spend"}))) == []
    assert list(books.against_rows(REJECTS, LEFT)) == []
    assert list(books.against_rows(replace(REJECTS, amount=None), LEFT)) == []


@pytest.mark.parametrize(
    ("facts", "frame", "says"),
    [
        (LOG, LINES.head(1), ["the file has 1 rows, its books 2", OTHER_SUM]),
        (LOG, pl.LazyFrame({"amount": money("6", "-0.5001")}), [OTHER_SUM]),
        (CUSTOMERS, pl.LazyFrame({"spend": money("6", "1")}), ["the column spend adds up to another sum than the books"]),
        (REJECTS, LEFT.head(2), ["the file has 1 rows date, its books 2", OTHER_DATES]),
        (changed(REJECTS, "rows", "rejected", "nul", to=1), LEFT, ["the file has 0 rows nul, its books 1"]),
        (REJECTS, pl.concat([LEFT, NUL]), ["the file has 1 rows nul, its books 0"]),
        (changed(REJECTS, "amount", "rejected", "date", to="0.0002"), LEFT, [OTHER_DATES]),
    ],
)  # fmt: skip
def test_rows_that_say_otherwise_are_seen(facts: Facts, frame: pl.LazyFrame, says: list[str]) -> None:
    """A row or a last place more or less; a reason only one side knows."""
    assert list(books.against_rows(facts, frame)) == says


@pytest.mark.parametrize(
    ("facts", "before", "says"),
    [
        (CUSTOMERS, {"rows": {"out": 2}, "amount": {"out": "5.5000"}}, []),
        (CUSTOMERS, {"rows": {"out": 2}}, []),
        (replace(CUSTOMERS, amount=None), {"rows": {"out": 2}, "amount": {"out": "1"}}, []),
        (CUSTOMERS, {"rows": {"out": 3}, "amount": {"out": "5.5"}}, ["2 rows came in, rfm handed out 3"]),
        (CUSTOMERS, {"rows": {"out": 2}, "amount": {"out": "5.5001"}}, ["other money came in than rfm handed out"]),
        (CUSTOMERS, {}, ["rfm has no books"]),
    ],
)
def test_a_stage_takes_in_what_the_one_before_handed_out(facts: Facts, before: dict[str, Any], says: list[str]) -> None:
    """Rows and money, where both have money."""
    assert list(books.against_before(facts, {"stage": "rfm"} | before)) == says
