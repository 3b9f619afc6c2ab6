"""Files that hold the same orders, each written in its own way: asked about, and the answer leaves each out once."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.stages.clean import overlap
from tests.cleaning import Cleaned, clean_files

HEAD = "order_id,customer_id,order_date,amount,status\n"
Row = tuple[int, str, str]


def rows(first: int, last: int) -> list[Row]:
    return [(day, f"2024-01-{day:02d}", f"{day}.50") for day in range(first, last + 1)]


def csv(path: Path, lines: list[Row], status: str = "completed") -> Path:
    path.write_text(HEAD + "".join(f"{order},c{order % 5},{day},{paid},{status}\n" for order, day, paid in lines))
    return path


def notices(done: Cleaned) -> dict[str, str]:
    return {notice.code: notice.text for notice in done.settled.outcome.warnings}


def answered(files: list[Path], folder: Path, equal: int) -> Cleaned:
    """They are asked about; `drop` leaves out so many rows and accounts for them, `keep` none."""
    refusal = clean_files(files, folder).settled.refusal
    assert refusal is not None
    assert refusal.code == "overlap"
    assert "--duplicates drop" in str(refusal.fix)
    kept = clean_files(files, folder, duplicates="keep")
    done = clean_files(files, folder, duplicates="drop")
    assert done.settled.refusal is kept.settled.refusal is None
    assert done.settled.outcome.rows.collapsed == {"duplicate": equal}
    assert kept.rows.height - done.rows.height == equal
    amount = done.settled.outcome.amount
    assert amount is not None
    assert (
        amount.amount_in - sum([*amount.collapsed.values(), *amount.rejected.values()])
        == amount.amount_out
        == done.rows["amount"].sum()
    )
    return done


@pytest.mark.parametrize("late", ["8.50 and 8.5", "pending and completed", "csv and xlsx"])
def test_the_same_orders_written_otherwise_are_left_out_once(late: str, tmp_path: Path) -> None:
    """No cell needs to be spelled alike: what counts is who ordered what when for how much."""
    one = csv(tmp_path / "a.csv", rows(1, 20), "pending" if late.startswith("pending") else "completed")
    if late == "csv and xlsx":
        two = tmp_path / "b.xlsx"
        with xlsxwriter.Workbook(two) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, HEAD.strip().split(","))
            for row, (order, day, paid) in enumerate(rows(11, 28), 1):
                sheet.write_row(row, 0, [order, f"c{order % 5}", day, float(paid), "completed"])
    else:
        two = csv(tmp_path / "b.csv", [(order, day, paid[:-1]) for order, day, paid in rows(11, 28)])
    done = answered([one, two], tmp_path, 10)
    assert sorted(int(one) for one in done.column("order_id")) == list(range(1, 29))
    assert done.rows["source_file"].value_counts().sort("count")["count"].to_list() == [8, 20]
    assert "orders_differ" not in notices(done)


def test_orders_that_changed_are_said(tmp_path: Path) -> None:
    """Another amount, or cancelled in the meantime: not equal, so it stays, and a notice counts these orders."""
    one = csv(tmp_path / "a.csv", rows(1, 20))
    lines = [
        f"{order},c{order % 5},{day},{paid[:-1]},{'cancelled' if order == 12 else 'completed'}\n"
        for order, day, paid in rows(11, 28)
    ]
    lines[4] = lines[4].replace("15.5", "14.0")
    (tmp_path / "b.csv").write_text(HEAD + "".join(lines))
    done = answered([one, tmp_path / "b.csv"], tmp_path, 8)
    assert notices(done)["orders_differ"].startswith("2 orders stand in several files with different lines")


def test_equal_lines_of_one_order_are_counted_in_each_file(tmp_path: Path) -> None:
    """Two cups in both files are two cups, three in the later one are three: the larger number remains."""
    cups = [(order, day, paid) for order, day, paid in rows(1, 10) for _ in range(2)]
    (tmp_path / "a.csv").write_text(
        HEAD + "".join(f"{o},c{o % 5},{day},{paid},table {n}\n" for n, (o, day, paid) in enumerate(cups))
    )
    more = [*cups, cups[0]]
    (tmp_path / "b.csv").write_text(
        HEAD + "".join(f"{o},c{o % 5},{day},{paid[:-1]},seat {n}\n" for n, (o, day, paid) in enumerate(more))
    )
    done = answered([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path, 20)
    assert Counter(done.column("order_id"))["1"] == 3
    assert done.rows.height == 21


def test_files_that_share_little_lose_only_what_is_equal_in_every_cell(tmp_path: Path) -> None:
    """Dropping repeats of one log is no word about two: a chance likeness between files stays."""
    one = csv(tmp_path / "a.csv", rows(1, 28))
    other = [(100 + order, day, paid) for order, day, paid in rows(1, 27)]
    two = csv(tmp_path / "b.csv", [*other, (28, "2024-01-28", "28.5")])
    done = clean_files([one, two], tmp_path, duplicates="drop")
    assert done.settled.outcome.rows.collapsed == {}
    assert done.rows.height == 56


def test_exports_of_clm_that_overlap_are_left_out_once(tmp_path: Path) -> None:
    """Transactions of overlapping months hold their own source lines, which differ."""
    for name, first, last in (("a", 1, 20), ("b", 11, 28)):
        frame = clean_files([csv(tmp_path / f"{name}.csv", rows(first, last))], tmp_path).rows
        frame.write_parquet(tmp_path / f"{name}.parquet")
    done = answered([tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path, 10)
    assert done.rows["amount"].sum() == sum(Decimal(paid) for _, _, paid in rows(1, 28))


lines = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["1.50", "1.5", "2.50"])), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(one=lines, two=lines, three=lines)
def test_of_each_line_the_largest_number_of_any_file_remains(
    one: list[tuple[int, str]], two: list[tuple[int, str]], three: list[tuple[int, str]]
) -> None:
    """Whatever the spelling and however many files: what remains is the union as bags, in the order of the files."""
    bags = [Counter((order, Decimal(paid)) for order, paid in file) for file in (one, two, three)]
    good = pl.LazyFrame(
        [
            {"clm:source": place, "clm:at": 100 * place + at, "order_id": str(order), "amount": Decimal(paid)}
            for place, file in enumerate((one, two, three))
            for at, (order, paid) in enumerate(file)
        ],
        schema={"clm:source": pl.Int64, "clm:at": pl.Int64, "order_id": pl.String, "amount": pl.Decimal(18, 4)},
    ).with_columns(pl.datetime(2024, 1, 2).alias("ordered_at"))
    pairs = pl.DataFrame({"clm:source": [0, 0, 1], "clm:other": [1, 2, 2]})
    days = good.group_by("clm:source", pl.col("ordered_at").dt.date().alias("clm:day")).agg(pl.len()).collect()
    found = overlap.Overlap(pairs, days, ("order_id", "ordered_at", "amount"))
    gone = overlap.again(good, found, "clm:at", pl.DataFrame(schema={"clm:at": pl.Int64}))
    left = good.collect().join(gone, on="clm:at", how="anti")
    assert Counter((int(order), paid) for order, paid in left.select("order_id", "amount").rows()) == bags[0] | bags[1] | bags[2]
