"""`metrics.quality`: every number of it on logs small enough to count by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.stages.clean.accounting import Account
from clm.stages.clean.quality import Kept, count, metrics, notices
from tests.cleaning import clean_text

LOG = (
    "order_id,customer_id,order_date,total,product\n"
    "1,A,2024-03-01,60,tea\n"
    "2,A,2024-03-02,40,\n"
    "2,A,2024-03-02,40,\n"
    "3,B,2024-03-05,0,tea\n"
    "4,B,2024-03-09,-20,tea\n"
    "5,,2024-03-20,80,tea\n"
)


def quality(text: str, folder: Path, **options: Any) -> dict[str, Any]:
    found = clean_text(text, folder, **options).settled.outcome.metrics["quality"]
    assert isinstance(found, dict)
    return found


def test_every_share_is_of_rows_and_of_money(tmp_path: Path) -> None:
    """Flags are shares of the five rows and 120 kept, reasons of the six rows and 200 that came in."""
    found = quality(LOG, tmp_path)
    assert found["flags"]["duplicate"] == {"rows": 1, "row_share": 0.2, "amount": "40.0000", "amount_share": 0.333333}
    assert found["flags"]["zero_price"] == {"rows": 1, "row_share": 0.2, "amount": "0.0000", "amount_share": 0.0}
    assert found["left_out"] == {"no_customer": {"rows": 1, "row_share": 0.166667, "amount": "80.0000", "amount_share": 0.4}}
    assert found["flagged_rows"] == 2
    assert (found["completeness"]["customer_id"], found["completeness"]["product"]) == (1.0, 0.6)


def test_days_without_rows_are_counted_and_the_longest_stretch_is_named(tmp_path: Path) -> None:
    """1, 2, 5 and 9 March: five days are missing, three of them together; what was rejected covers no day."""
    found = quality(LOG, tmp_path)
    assert (found["first_day"], found["last_day"]) == ("2024-03-01", "2024-03-09")
    assert (found["days_with_rows"], found["days_without_rows"]) == (4, 5)
    assert found["longest_gap"] == {"days": 3, "first_day": "2024-03-06", "last_day": "2024-03-08"}


def test_of_equal_stretches_the_first_is_named(tmp_path: Path) -> None:
    """Sundays of a shop that is closed on Sundays."""
    rows = "".join(f"{day},A,2024-04-{day:02d},5,tea\n" for day in range(1, 22) if day % 7)
    found = quality(LOG.splitlines(keepends=True)[0] + rows, tmp_path)
    assert found["longest_gap"] == {"days": 1, "first_day": "2024-04-07", "last_day": "2024-04-07"}
    assert found["days_without_rows"] == 2


@pytest.mark.parametrize("rows", ["", "1,A,2024-03-01,5,tea\n"])
def test_a_log_without_gaps_names_none(rows: str, tmp_path: Path) -> None:
    """One day is covered, or none."""
    found = quality(LOG.splitlines(keepends=True)[0] + rows, tmp_path)
    assert found.get("longest_gap", {"days": 0}) == {"days": 0}
    assert found.get("days_without_rows", 0) == 0


def test_a_log_without_money_has_no_shares_of_it(tmp_path: Path) -> None:
    """Rows are all there is to count."""
    text = "customer,date,who\nA,2024-03-01,x\nA,2024-03-01,x\n,2024-03-02,x\n"
    found = quality(text, tmp_path)
    assert found["flags"]["duplicate"] == {"rows": 1, "row_share": 0.5}
    assert found["left_out"] == {"no_customer": {"rows": 1, "row_share": 0.333333}}


def kept(*rows: tuple[str | None, str, str | None]) -> Kept:
    """Product, kind and flags of rows of 1.00, each on its own day."""
    frame = pl.DataFrame(rows, schema=["product", "kind", "flags"], orient="row").with_row_index("day").lazy()
    table = frame.select(
        ordered_at=pl.datetime(2024, 1, 1) + pl.duration(days="day"),
        amount=pl.lit(Decimal("1.0000"), pl.Decimal(18, 4)),
        product=pl.col("product").cast(pl.String),
        kind="kind",
        flags=pl.col("flags").cast(pl.String),
    )
    return count(table, ("duplicate", "gift", "test", "bulk", "odd", "old"), table)


def test_rows_and_money_are_counted_by_kind_and_by_flag() -> None:
    """A row with two flags is one flagged row, and counts under both."""
    found = kept(("tea", "sale", None), (None, "sale", "gift,odd"), (None, "return", "gift"), ("tea", "sale", "odd"))
    assert {kind: rows for kind, rows, _ in found.by_kind.iter_rows()} == {"sale": 3, "return": 1}
    assert {code: (one.rows, one.money) for code, one in found.by_flag.items()} == {"gift": (2, 2), "odd": (2, 2)}
    assert (found.flagged, found.rows, found.empty["product"], found.total.rows, found.total.money) == (3, 4, 2, 4, 4)


def test_completeness_is_rounded_to_a_millionth() -> None:
    """One of three; of one row, nothing; of none, nothing is missing."""
    account = Account.of(pl.DataFrame(schema=["reason", "again", "rows", "amount"]), kept().by_kind, {})
    told = [metrics(one, account, known_money=True)["completeness"]["product"] for one in (
        kept(("tea", "sale", None), (None, "sale", None), (None, "sale", None)), kept((None, "sale", None)), kept()
    )]  # fmt: skip
    assert told == [0.333333, 0.0, 1.0]


def test_flags_are_told_the_commonest_first() -> None:
    """Four of them by name, repeats by themselves, and nothing where nothing is flagged."""
    rows = [code for number, code in enumerate(("old", "gift", "test", "bulk", "odd"), 1) for _ in range(number)]
    told = notices(kept(*(("tea", "sale", code) for code in (*rows, "duplicate"))))
    assert [one.code for one in told] == ["duplicates_flagged", "rows_flagged"]
    assert told[0].text.startswith("1 row repeats an earlier one")
    assert told[1].text == "somebody should look at some rows: 5 odd, 4 bulk, 3 test, 2 gift and 1 more (column flags)."
    (four,) = notices(kept(("tea", "sale", "old,gift,test"), ("tea", "sale", "odd")))
    assert "more" not in four.text
    assert notices(kept(("tea", "sale", None))) == []
