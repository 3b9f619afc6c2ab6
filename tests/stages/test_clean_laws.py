"""Laws of `clean` on arbitrary logs: money is conserved, shards concatenate, order does not matter, once is enough."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clm.ingest.numbers import LINE, SUM
from clm.stages.clean.accounting import by_group
from clm.storage import publish
from tests.cleaning import Cleaned, clean_files

# what the columns mean is given: detection has its own tests, and three lines of dirt may rightly be a question
ROLES = (
    ("order_id", "order_id"),
    ("customer_id", "customer_id"),
    ("ordered_at", "order_date"),
    ("quantity", "qty"),
    ("unit_price", "unit_price"),
    ("status", "status"),
)
COLUMNS = ("order_id", "customer_id", "order_date", "qty", "unit_price", "status", "note")


@dataclass(frozen=True)
class Line:
    """One line of the log as text; `hostile` ones may break in any cell."""

    cells: tuple[str, ...]


ids = st.sampled_from(["A1", "B2", "007", "1e5x", "李雷", " C3 ", "NA", "'=x", ""])
orders = st.integers(min_value=1, max_value=12).map(str) | st.just("")
days = st.dates(min_value=date(2023, 1, 1), max_value=date(2024, 12, 31)).map(str)
quantities = st.integers(min_value=-3, max_value=9).map(str) | st.sampled_from(["0.328", "", "x"])
prices = st.decimals(min_value=0, max_value=9999, places=2).map(str) | st.sampled_from(
    ["1,234.50", "¥5.00", "0.00005", "", "(2.50)"]
)
notes = st.text(alphabet='ab,"\n\t=;é茶', max_size=8)
lines = st.builds(
    lambda *cells: Line(cells),
    orders, ids, days | st.sampled_from(["", "soon"]), quantities, prices, st.sampled_from(["paid", "cancelled"]), notes,
)  # fmt: skip
logs = st.lists(lines, min_size=0, max_size=25)


def written(rows: list[Line]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows(row.cells for row in rows)
    return out.getvalue().encode()


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def clean(place: Path, *files: list[Line], **options: object) -> Cleaned:
    paths = []
    for number, rows in enumerate(files):
        paths.append(place / f"log{number}.csv")
        paths[-1].write_bytes(written(rows))
    return clean_files(paths, place, max_rejects=1.0, until="none", date_format="%Y-%m-%d", map=ROLES, **options)


def sorted_content(frame: pl.DataFrame) -> pl.DataFrame:
    without = frame.drop("source_line", "source_file", strict=False)
    return without.sort(without.columns, nulls_last=True)


@settings(deadline=None, max_examples=60)
@given(logs)
def test_rows_and_money_are_conserved(rows: list[Line]) -> None:
    """Kept, rejected and collapsed rows are all rows; their money is all the money that can be read, computed by hand."""
    with folder() as place:
        done = clean(place, rows, keep=("note",), duplicates="drop")
    outcome = done.settled.outcome
    gone = sum(outcome.rows.rejected.values()) + sum(outcome.rows.collapsed.values())
    assert outcome.rows.rows_in == len(rows) == outcome.rows.rows_out + gone
    assert outcome.amount is not None
    assert outcome.amount.amount_in == by_hand(rows, done)
    assert outcome.amount.amount_out == (done.rows["amount"].sum() or 0)
    rejected = done.rejects.group_by("reason").agg(pl.col("amount").sum()).rows()
    assert {code: money or 0 for code, money in rejected} == outcome.amount.rejected


def by_hand(rows: list[Line], done: Cleaned) -> Decimal:
    """Σ quantity × price of the rows that were cut up, in Python's decimals."""
    swallowed = done.rejects.filter(
        pl.col("reason").is_in(["quote", "fields_few", "fields_many", "header_repeat", "blank_row"])
    ).height
    total = Decimal(0)
    for row in rows:
        quantity, price = row.cells[3], row.cells[4].replace("¥", "").replace(",", "")
        if price.startswith("("):
            price = "-" + price[1:-1]
        if quantity not in ("", "x") and price:
            total += (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.0001"))
    assert swallowed == 0
    return total


@settings(deadline=None, max_examples=40)
@given(logs, st.integers(min_value=0, max_value=25))
def test_shards_concatenate(rows: list[Line], cut: int) -> None:
    """A log cut into two files gives the rows of the whole, in order, whatever the cut."""
    with folder() as place:
        whole = clean(place, rows, duplicates="keep")
        parts = clean(place, rows[:cut], rows[cut:], duplicates="keep")
    if rows[:cut] == rows[cut:]:
        return  # the same file twice is another law
    assert parts.rows.drop("source_line", "source_file").equals(whole.rows.drop("source_line"))
    assert parts.settled.outcome.rows == whole.settled.outcome.rows
    assert parts.settled.outcome.amount == whole.settled.outcome.amount


@settings(deadline=None, max_examples=40)
@given(logs, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[Line], random: object) -> None:
    """Shuffled lines give the same content, flags included: it only matters how many repeats there are."""
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    with folder() as place:
        first, second = clean(place, rows), clean(place, shuffled)
    assert sorted_content(first.rows).equals(sorted_content(second.rows))
    assert first.settled.outcome.rows == second.settled.outcome.rows
    assert first.settled.outcome.amount == second.settled.outcome.amount


@settings(deadline=None, max_examples=40)
@given(logs)
def test_clean_is_idempotent(rows: list[Line]) -> None:
    """Cleaning the clean table, as Parquet and as exported CSV, changes nothing."""
    with folder() as place:
        once = clean(place, rows, keep=("note",))
        once.rows.write_parquet(place / "clean.parquet")
        publish.write_csv(once.rows, place / "clean.csv")
        assert clean_files([place / "clean.parquet"], place, until="none").rows.equals(once.rows)
        again = clean_files([place / "clean.csv"], place, until="none").rows
        assert again.equals(once.rows)


@settings(deadline=None, max_examples=25)
@given(logs)
def test_repairs_make_whole(rows: list[Line]) -> None:
    """The broken file with its repaired lines gives the rows of the repaired file."""
    good = [row for row in rows if row.cells[2] not in ("", "soon")]
    broken = [Line((*row.cells[:2], "2024-02-31", *row.cells[3:])) if place % 3 == 0 else row for place, row in enumerate(good)]
    with folder() as place:
        repaired = clean(place, good, duplicates="keep")
        both = clean(place, broken, good[::3], duplicates="keep")
    assert sorted_content(both.rows).equals(sorted_content(repaired.rows))


@given(st.lists(st.tuples(st.sampled_from(["sale", "return"]), st.sampled_from([None, "zero_price"]), st.integers(-9, 9))))
def test_groups_add_up_the_same_when_the_usual_one_is_not_looked_up(rows: list[tuple[str, str | None, int]]) -> None:
    """Every group with its rows and money, the usual one only where it has rows; nothing is counted twice or left out."""
    schema = {"kind": pl.String(), "flags": pl.String(), "amount": pl.Int64()}
    frame = pl.DataFrame(rows, schema=schema, orient="row").cast({"amount": LINE})
    found = by_group(frame.lazy(), ["kind", "flags"], (pl.col("kind") == "sale") & pl.col("flags").is_null()).collect()
    plain = frame.group_by("kind", "flags").agg(rows=pl.len().cast(pl.Int64), amount=pl.col("amount").cast(SUM).sum())
    assert_frame_equal(found, plain, check_row_order=False)


signed = st.builds(
    lambda order, who, pieces, price: Line((str(order), who, "2024-01-02", str(pieces), price, "paid", "")),
    st.integers(min_value=1, max_value=3), st.sampled_from("AB"), st.integers(min_value=-3, max_value=3),
    st.sampled_from(["1", "2.50", "-2.50", "7"]),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(signed, min_size=1, max_size=8), st.sampled_from(["-4", "0", "4"]))
def test_a_row_of_another_order_changes_no_kind(rows: list[Line], price: str) -> None:
    """What an order is depends on its own rows: returned when its money is below zero, else line by line as its units say."""
    other = Line(("99", "Z", "2024-01-02", "1", price, "paid", ""))
    with folder() as place:
        alone, beside = (clean(place, log, duplicates="keep") for log in (rows, [*rows, other]))
    assert beside.column("kind")[:-1] == alone.column("kind")
    totals = alone.rows.group_by("order_id", "customer_id").agg(pl.col("amount").sum() < 0)
    told = alone.rows.join(totals.rename({"amount": "below"}), on=["order_id", "customer_id"], maintain_order="left")
    returned = told.select((pl.col("below") | (pl.col("quantity") < 0)).alias("kind"))["kind"]
    assert (alone.rows["kind"] == "return").to_list() == returned.to_list()
