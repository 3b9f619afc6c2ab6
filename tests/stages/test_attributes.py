"""Attributes and --by: ids by the rule of clean, nothing guessed or lost, segments counted by value."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from clm import ingest
from clm.errors import DataError, UsageError
from clm.outcome import Outcome, Rows
from clm.settings import CleanSettings
from clm.stages.clean.attributes import Attributes, attributes
from clm.stages.segment.attributes import MOST_VALUES, by, joined, lines


def read(path: Path) -> Attributes:
    return attributes(ingest.read_text([path], CleanSettings(profile="none")))


def of(tmp_path: Path, text: str) -> Attributes:
    path = tmp_path / "attributes.csv"
    path.write_text(text, "utf-8")
    return read(path)


def customers(*rows: tuple[str, str, str, int]) -> pl.DataFrame:
    """(customer, segment, spend, orders)."""
    return pl.DataFrame(
        {
            "customer_id": [row[0] for row in rows],
            "segment": [row[1] for row in rows],
            "spend": [Decimal(row[2]) for row in rows],
            "orders": [row[3] for row in rows],
            "main_channel": ["web" if row[3] > 1 else None for row in rows],
        },
        schema_overrides={"spend": pl.Decimal(38, 4)},
    )


BASE = customers(("001", "loyal", "10", 3), ("002", "new", "5", 1), ("003", "loyal", "7", 2))


def test_ids_follow_the_one_rule_and_cells_are_trimmed(tmp_path: Path) -> None:
    """Blanks, ="…" and an apostrophe go, leading zeros stay; an empty cell is null; the id may bear a name shops use."""
    found = of(tmp_path, '会员编号,country,city\n="001", DE ,\n 002,,Wien\n\'003,CN,上海\n')
    assert found.frame.rows() == [("001", "DE", None), ("002", None, "Wien"), ("003", "CN", "上海")]
    assert found.frame.columns == ["customer_id", "attr_country", "attr_city"]


def test_whole_numbers_with_a_point_lose_it_only_when_all_have_it(tmp_path: Path) -> None:
    """`17850.0` is 17850, as in clean."""
    assert of(tmp_path, "customer_id,x\n1.0,a\n2.0,b\n").frame["customer_id"].to_list() == ["1", "2"]
    assert of(tmp_path, "customer_id,x\n1.0,a\nA2,b\n").frame["customer_id"].to_list() == ["1.0", "A2"]


def test_rows_without_an_id_are_counted_and_blank_ones_are_nothing(tmp_path: Path) -> None:
    """A totals row names nobody."""
    found = of(tmp_path, "customer_id,x\n1,a\n,b\n,\n")
    assert (found.frame.height, found.without_id) == (1, 1)


def test_parquet_and_workbooks_read_the_same(tmp_path: Path) -> None:
    """Numbers as ids become their digits."""
    pl.DataFrame({"customer_id": [7, 8], "vip": [True, None]}).write_parquet(tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").frame["customer_id"].to_list() == ["7", "8"]
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for place, row in enumerate([("customer_id", "city"), (7, "Bonn"), (8, "Köln")]):
            sheet.write_row(place, 0, row)
    assert read(tmp_path / "a.xlsx").frame.rows() == [("7", "Bonn"), ("8", "Köln")]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("customer_id,x\nsecret,a\n secret,a\n", "attributes_twice", "1 row of attributes.csv about a customer who has a row"),
        ("customer_id,x\n1,a\n2,b,c\n3,c\n4,d\n", "attributes", "1 record of attributes.csv cannot be read"),
        ("customer_id,x\n1.2E+15,a\n3,c\n", "id_destroyed", "the digits are gone"),
        ("colour,x\nred,a\nblue,b\n", "attributes", "no column of the attributes is the customer's id"),
    ],
)
def test_what_cannot_be_joined_is_refused_without_telling_an_id(tmp_path: Path, text: str, code: str, said: str) -> None:
    """Two rows of one customer, broken records, destroyed ids, no id: 65, and no value of anybody in the words."""
    with pytest.raises(DataError, match=said) as raised:
        of(tmp_path, text)
    assert raised.value.code == code
    assert "secret" not in str(raised.value)


def test_joining_counts_who_matched(tmp_path: Path) -> None:
    """Customers keep their rows and order, strangers are counted and said, columns of that name are replaced."""
    found = of(tmp_path, "customer_id,country\n003,CN\n001,DE\n999,FR\n")
    frame, metrics, notices = joined(BASE.with_columns(attr_country=pl.lit("old")), found.frame, 2)
    assert frame["attr_country"].to_list() == ["DE", None, "CN"]
    assert frame["customer_id"].to_list() == ["001", "002", "003"]
    counts = {"rows": 5, "customers": 2, "unknown": 1, "without_id": 2, "customers_without": 1}
    assert metrics["attributes"] == {"columns": ["attr_country"]} | counts
    assert [notice.code for notice in notices] == ["attributes_unknown", "attributes_without_id"]


def test_a_file_of_strangers_is_refused(tmp_path: Path) -> None:
    """Not one id in common: somebody joined the wrong file, or lost the leading zeros."""
    with pytest.raises(DataError, match="none of the 2 ids"):
        joined(BASE, of(tmp_path, "customer_id,x\n1,a\n2,b\n").frame)


def outcome(frame: pl.DataFrame) -> Outcome:
    return Outcome(frame, Rows(frame.height, frame.height), metrics={"segments": {"loyal": 2, "new": 1}})


def test_segments_by_attribute_by_hand() -> None:
    """Each value with its segments: customers, share of the value, orders, spend; no value last; names find their column."""
    rows = by(outcome(BASE.with_columns(attr_country=pl.Series(["DE", "DE", None]))), ("country", "channel")).metrics["by"]
    assert [tuple(row.values()) for row in rows] == [
        ("country", "DE", "loyal", 1, 0.5, 3, "10.0000"),
        ("country", "DE", "new", 1, 0.5, 1, "5.0000"),
        ("country", None, "loyal", 1, 1.0, 2, "7.0000"),
        ("channel", "web", "loyal", 2, 1.0, 5, "17.0000"),
        ("channel", None, "new", 1, 1.0, 1, "5.0000"),
    ]
    assert lines(rows) == [
        "  country DE: 2 customers; loyal 50%, new 50%",
        "  country (none): 1 customer; loyal 100%",
        "  channel web: 2 customers; loyal 100%",
        "  channel (none): 1 customer; new 100%",
    ]
    assert lines([rows[0] | {"value": f"{at}"} for at in range(22)])[-1] == "  2 more values in --json"
    shuffled = by(outcome(BASE.reverse()), ("channel",)).metrics["by"]
    assert shuffled == rows[3:]


def test_an_unknown_column_and_one_like_an_id_are_refused() -> None:
    """2 with a suggestion; 65 where values are as many as people."""
    with pytest.raises(UsageError, match="did you mean segment"):
        by(outcome(BASE), ("segmnt",))
    many = customers(*((str(n), "loyal", "1", 1) for n in range(MOST_VALUES + 1)))
    with pytest.raises(DataError, match="501 values"):
        by(outcome(many), ("customer_id",))
    with pytest.raises(DataError, match="a value of their own"):
        by(outcome(many.head(21)), ("customer_id",))
