"""The books of `clean` by themselves: what is counted on tables small enough to add up by hand, and that a lost row stops it."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.ingest.numbers import SUM
from clm.outcome import Amount, Rows, counted, money_text
from clm.stages.clean.accounting import SAID, Account, Sum, by_group, closing_line, total
from clm.tables import COLLAPSED_CODES, REJECT_CODES
from tests.cleaning import clean_files

LOG = pl.DataFrame(
    {
        "reason": [None, None, "date", "date", "order_line", None, "date"],
        "again": [False, False, False, False, False, True, True],
        "amount": ["1.10", None, "0.0001", "-2", None, "5", "7"],
    }
).with_columns(pl.col("amount").cast(pl.Decimal(18, 4)))


def kinds(*rows: tuple[str, int, str | None]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["kind", "rows", "amount"], orient="row")
    return frame.with_columns(pl.col("amount").cast(SUM))


def reasons(usual: pl.Expr | None = None) -> pl.DataFrame:
    every_day = pl.col("reason").is_null() & ~pl.col("again") if usual is None else usual
    return by_group(LOG.lazy(), ["reason", "again"], every_day).collect()


def test_rows_and_money_of_every_group() -> None:
    """Each group once, the usual one without being looked up; money nobody could read is nothing, and a group of it is zero."""
    expected = {
        (None, False): (2, Decimal("1.1")), ("date", False): (2, Decimal("-1.9999")), ("order_line", False): (1, Decimal(0)),
        (None, True): (1, Decimal(5)), ("date", True): (1, Decimal(7)),
    }  # fmt: skip
    assert {(one[0], one[1]): (one[2], one[3]) for one in reasons().iter_rows()} == expected
    assert reasons().height == len(expected)
    # where no row is usual there is no group of them, with no row in it
    assert reasons(pl.lit(False)).sort("reason", "again").equals(reasons().sort("reason", "again"))
    # nor does it matter which group it is, if of one row
    lines = pl.col("reason").eq_missing(pl.lit("order_line"))
    assert reasons(lines).sort("reason", "again").equals(reasons().sort("reason", "again"))
    assert by_group(LOG.clear().lazy(), ["reason", "again"], pl.col("reason").is_null()).collect().height == 0


def test_the_sum_of_a_log() -> None:
    """Rows counted whether their money can be read or not; no row is no money."""
    assert total(LOG.lazy()) == Sum(7, Decimal("11.1001"))
    assert total(LOG.clear().lazy()) == Sum(0, Decimal(0))


def test_sums_hold_more_digits_than_any_log() -> None:
    """Two sums of 34 digits before the point add up to the last of four behind it."""
    large = Sum(1, Decimal("9" * 34 + ".9999"))
    assert (large + Sum(2, Decimal("0.0001"))).money == Decimal("1" + "0" * 34)
    assert (large + large).rows == 2
    assert money_text(large.money) == "9" * 34 + ".9999"


def test_every_row_and_every_cent_goes_to_one_place() -> None:
    """Kept by kind, rejected by reason, collapsed by why: rows of a file given twice are that, whatever they would have been."""
    account = Account.of(reasons(), kinds(("sale", 1, "1.10"), ("return", 1, None)), {})
    assert account.total == Sum(7, Decimal("11.1001"))
    assert account.by_kind == {"sale": Sum(1, Decimal("1.1")), "return": Sum(1, Decimal(0))}
    assert account.rejected == {"date": Sum(2, Decimal("-1.9999"))}
    assert account.collapsed == {"order_line": Sum(1, Decimal(0)), "same_file": Sum(2, Decimal(12))}
    assert (account.kept, account.rejected_rows) == (Sum(2, Decimal("1.1")), {"date": 2})
    assert account.collapsed_rows == {"order_line": 1, "same_file": 2}
    account.prove()
    assert account.amounts(known=False) is None
    assert account.amounts(known=True) == Amount(
        Decimal("11.1001"),
        Decimal("1.1"),
        {"date": Decimal("-1.9999")},
        {"order_line": Decimal(0), "same_file": Decimal(12)},
    )


def test_repeats_left_out_are_collapsed_beside_the_others() -> None:
    """What `settle` counted as repeats keeps its place; a kind nobody has is zero, not missing."""
    account = Account.of(reasons(), kinds(("sale", 1, "1.10")), {"duplicate": Sum(1)})
    assert list(account.collapsed_rows.items()) == [("duplicate", 1), ("order_line", 1), ("same_file", 2)]
    assert account.by_kind["return"] == Sum()
    account.prove()


@pytest.mark.parametrize(
    ("rows", "money"), [pair for pair in product((1, 2, 3), ("1.1000", "1.1001", "1.0999")) if pair != (2, "1.1000")]
)
def test_a_row_or_a_cent_too_many_or_too_few_stops_everything(rows: int, money: str) -> None:
    """Books that do not add up are clm's own fault: nothing may be written."""
    account = Account.of(reasons(), kinds(("sale", rows, money)), {})
    with pytest.raises(AssertionError, match="does not add up"):
        account.prove()


def test_reasons_are_told_in_their_fixed_order() -> None:
    """However they were counted; and each has words."""
    codes = list(reversed(REJECT_CODES))
    table = pl.DataFrame({"reason": codes, "again": False, "rows": 1, "amount": None}).with_columns(pl.col("amount").cast(SUM))
    assert tuple(Account.of(table, kinds(), {}).rejected) == REJECT_CODES
    assert set(SAID) == {*REJECT_CODES, *COLLAPSED_CODES}


def test_the_line_that_adds_up() -> None:
    """One reason is named without its number, several with theirs; sales and returns are always there."""
    every = Account.of(reasons(), kinds(("sale", 1, "1.10"), ("return", 1, None)), {})
    assert closing_line(every) == (
        "7 rows = 1 sale + 1 return + 2 rejected (unreadable date) "
        "+ 3 collapsed (1 line of an order with one amount, 2 file given twice)"
    )
    none = Account.of(reasons().clear(), kinds(), {})
    assert closing_line(none) == "0 rows = 0 sales + 0 returns"


def test_books_as_the_footer_and_json_have_them() -> None:
    """Counts, and money as text with four places, never an exponent; what came after the day only where a stage counts it."""
    assert Rows(3, 1, {"date": 2}).to_json() == {"in": 3, "out": 1, "rejected": {"date": 2}, "collapsed": {}}
    assert Rows(3, 1, after_as_of=0).to_json()["after_as_of"] == 0
    told = Amount(Decimal("1E+3"), Decimal("-0.5"), {"date": Decimal("1E-4")}, {"duplicate": Decimal(2)}).to_json()
    assert told == {"in": "1000.0000", "out": "-0.5000", "rejected": {"date": "0.0001"}, "collapsed": {"duplicate": "2.0000"}}
    assert Amount(Decimal(1), Decimal(0), after_as_of=Decimal(1)).to_json()["after_as_of"] == "1.0000"
    assert (counted(1, "row"), counted(0, "row"), counted(2357, "row"), counted(2, "row repeats", "rows repeat")) == (
        "1 row", "0 rows", "2,357 rows", "2 rows repeat",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("duplicates", "out", "collapsed", "flags"),
    [
        ("keep", (3, "11.0000"), {"same_file": (4, "9.0000")}, {}),
        ("flag", (3, "11.0000"), {"same_file": (4, "9.0000")}, {"duplicate": 1}),
        ("drop", (2, "9.5000"), {"duplicate": (1, "1.5000"), "same_file": (4, "9.0000")}, {}),
    ],
)
def test_of_several_files_every_record_has_one_place(
    duplicates: str, out: tuple[int, str], collapsed: dict[str, tuple[int, str]], flags: dict[str, int], tmp_path: Path
) -> None:
    """A repeat, two rejects and the same file under another name: rows, money, flags, rejects and the line that tells it."""
    first = "customer,date,total\nA,2024-01-02,1.5\nA,2024-01-02,1.5\n,2024-01-03,2\nB,x,4\n"
    logs = {"a.csv": first, "b.csv": first, "c.csv": "customer,date,total\nC,2024-01-04,8\n"}
    for name, text in logs.items():
        (tmp_path / name).write_text(text)
    given: dict[str, Any] = {"duplicates": duplicates, "max_rejects": 1.0, "date_format": "%Y-%m-%d"}
    look = {"review": "none"} if duplicates == "keep" else {}
    done = clean_files([tmp_path / name for name in logs], tmp_path, **given, **look)
    outcome, left = done.settled.outcome, {"date": (1, "4.0000"), "no_customer": (1, "2.0000")}
    assert outcome.amount is not None
    told = outcome.rows.to_json(), outcome.amount.to_json()
    for number in (0, 1):  # rows, money
        assert told[number] == {
            "in": (9, "26.0000")[number],
            "out": out[number],
            "rejected": {code: one[number] for code, one in left.items()},
            "collapsed": {code: one[number] for code, one in collapsed.items()},
        }
    assert (outcome.metrics["sales"], outcome.metrics["returns"], outcome.metrics["flags"]) == (out[0], 0, flags)
    assert ("refunds" in outcome.metrics) is (not look)
    lines = [("A 2024-01-02", "a.csv", 2), ("A 2024-01-02", "a.csv", 3), ("C 2024-01-04", "c.csv", 2)]
    kept = lines if duplicates != "drop" else [lines[0], lines[2]]
    assert done.rows.select("order_id", "source_file", "source_line").rows() == kept
    assert done.column("flags") == ([None, "duplicate", None] if flags else [None] * out[0])
    assert done.rejects.select("source_file", "source_line", "reason", "column").rows() == [
        ("a.csv", 4, "no_customer", "customer"), ("a.csv", 5, "date", "date"),
    ]  # fmt: skip
    assert outcome.closing.startswith(
        f"9 rows = {out[0]} sales + 0 returns + 2 rejected (1 unreadable date, 1 no customer id) + "
    )
