"""The books of a log without some customers: as if their rows had never been in it; what was left out stays as it was told."""

from __future__ import annotations

from typing import Any

import polars as pl

from clm.stages.clean import forgotten
from tests.logs import transactions

LOG = transactions(("A", "1", "2024-01-01", "1.5"), ("B", "2", "2024-01-02", "2"), ("B", "3", "2024-01-05", None))
GONE, STAY = LOG.lazy().filter(customer_id="B"), LOG.lazy().filter(customer_id="A")
TOLD: dict[str, Any] = {
    "rows": {"in": 6, "out": 3, "rejected": {"date": 2}, "collapsed": {"duplicate": 1}},
    "amount": {"in": "4.5001", "out": "3.5000", "rejected": {"date": "0.0001"}, "collapsed": {"duplicate": "1.0000"}},
    "metrics": {"flags": {"gift": 1, "odd": 0}, "reading": {"evidence": []}, "refunds": {"matched": 1}},
    "warnings": [{"code": one, "text": ""} for one in ("no_amounts", "rows_flagged", "duplicates_flagged", "forgotten")],
}


def test_their_rows_and_money_were_never_in() -> None:
    """Taken from both sides alike, so that the books still add up; nothing is said of where they went."""
    told = forgotten.books(TOLD, GONE)
    assert told["rows"] == {"in": 4, "out": 1, "rejected": {"date": 2}, "collapsed": {"duplicate": 1}}
    assert told["amount"] == TOLD["amount"] | {"in": "2.5001", "out": "1.5000"}
    assert forgotten.books(TOLD | {"amount": None}, GONE) == {"rows": told["rows"], "amount": None}
    assert forgotten.books(TOLD, GONE.clear()) == {part: TOLD[part] for part in ("rows", "amount")}


def test_what_was_counted_is_counted_again() -> None:
    """Of the rows that stay and of all that came in without theirs; returns matched with sales are not told any more."""
    told = forgotten.counts(TOLD | forgotten.books(TOLD, GONE), STAY)
    found = told["metrics"]
    assert (found["sales"], found["returns"], found["flags"], found["reading"]) == (1, 0, {}, {"evidence": []})
    assert set(found) == {"sales", "returns", "flags", "quality", "reading"}
    assert found["quality"]["left_out"] == {
        "date": {"rows": 2, "row_share": 0.5, "amount": "0.0001", "amount_share": 0.00004},
        "duplicate": {"rows": 1, "row_share": 0.25, "amount": "1.0000", "amount_share": 0.399984},
    }
    assert found["quality"]["last_day"] == "2024-01-01"
    assert [one["code"] for one in told["warnings"]] == ["no_amounts", "forgotten"]


def test_flags_that_stay_are_told_again() -> None:
    """With the notices they have in a log that never held the others, and this one."""
    flagged = STAY.with_columns(flags=pl.lit("gift"))
    told = forgotten.counts(TOLD | forgotten.books(TOLD, GONE), flagged)
    assert told["metrics"]["flags"] == {"gift": 1}
    assert [one["code"] for one in told["warnings"]] == ["no_amounts", "rows_flagged", "forgotten"]


def test_a_log_without_money_has_only_rows() -> None:
    """No shares of what is not known."""
    bare: dict[str, Any] = TOLD | {"amount": None, "metrics": {}}
    lines = STAY.with_columns(amount=pl.lit(None, pl.Decimal(18, 4)))
    told = forgotten.counts(bare | forgotten.books(bare, GONE), lines)
    assert told["metrics"]["quality"]["left_out"]["date"] == {"rows": 2, "row_share": 0.5}
    assert set(told["metrics"]) == {"sales", "returns", "flags", "quality"}
