"""A foreign table of any columns: each is read as what it holds, and what that took is counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from clm import ingest
from clm.errors import DataError
from clm.ingest import columns
from clm.ingest.columns import Columns, Repair
from clm.settings import CleanSettings


def read(folder: Path, text: str) -> Columns:
    path = folder / "table.csv"
    path.write_text(text, "utf-8")
    return columns.typed(ingest.read_text([path], CleanSettings(profile="none")))


def column(folder: Path, *cells: str, other: str = "x") -> tuple[pl.Series, Repair, Columns]:
    """One column of these cells beside one of words."""
    found = read(folder, "cell;word\n" + "".join(f"{cell};{other}{place}\n" for place, cell in enumerate(cells)))
    return found.frame["cell"], found.repairs.get("cell", Repair()), found


def test_a_blank_among_numbers_is_missing_and_counted(tmp_path: Path) -> None:
    """A single space in a column of numbers, as Telco's TotalCharges has it, does not make it words."""
    cells, repair, found = column(tmp_path, "29.85", " ", "1889.5", "")
    assert cells.to_list() == [29.85, None, 1889.5, None]
    assert repair == Repair(blank=1)
    assert [one.code for one in found.notices] == ["blank_cells"]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1.234,50", "7,25", "12"), [1234.5, 7.25, 12.0]),
        (("€ 1,250.00", "€ 7.25", "€ 12.10"), [1250.0, 7.25, 12.1]),
        (("12%", "7.5%", "100 %"), [12.0, 7.5, 100.0]),
        (("1e3", "5", "2.5"), [1000.0, 5.0, 2.5]),
    ],
)
def test_numbers_hidden_in_text_are_read(tmp_path: Path, cells: tuple[str, ...], values: list[float]) -> None:
    """Signs, thousands, decimal commas and percent signs are only ways to write a number."""
    assert column(tmp_path, *cells)[0].to_list() == values


def test_a_few_cells_that_are_no_number_are_missing_and_counted(tmp_path: Path) -> None:
    """One slip among many numbers is a missing value; a column of slips is words."""
    cells, repair, found = column(tmp_path, *["5"] * 30, "n/a", "soon")
    assert cells.dtype == pl.Float64
    assert cells.null_count() == 2
    assert repair.unread == 2
    assert "cell (2)" in next(iter(found.notices)).text
    assert column(tmp_path, "5", "soon", "6", "later")[0].dtype == pl.String


def test_codes_with_leading_zeros_stay_words(tmp_path: Path) -> None:
    """007 is no seven."""
    assert column(tmp_path, "007", "012", "100")[0].to_list() == ["007", "012", "100"]


def test_days_are_days_and_what_reads_two_ways_is_said(tmp_path: Path) -> None:
    """ISO days and German days are read; 05/03 beside 04/02 can be either and stays words."""
    assert column(tmp_path, "2014-06-29", "2013-01-31")[0].to_list() == [date(2014, 6, 29), date(2013, 1, 31)]
    assert column(tmp_path, "29.06.2014", "01.02.2013")[0].to_list() == [date(2014, 6, 29), date(2013, 2, 1)]
    cells, _, found = column(tmp_path, "05/03/2014", "04/02/2013")
    assert cells.dtype == pl.String
    assert found.undecided == ("cell",)


def test_infinity_and_nan_are_no_numbers(tmp_path: Path) -> None:
    """What is not finite is missing."""
    assert column(tmp_path, "1.5", "nan", "inf", "2.5")[0].to_list() == [1.5, None, None, 2.5]


def test_a_broken_row_is_named_and_no_row_is_an_answer(tmp_path: Path) -> None:
    """Rows are never dropped: a row of other length stops the reading with its line."""
    with pytest.raises(DataError, match=r"1 record of table\.csv cannot be read") as caught:
        read(tmp_path, "a,b\n1,2\n3\n4,5\n")
    assert caught.value.where == "table.csv, line 3"
    with pytest.raises(DataError, match="holds no rows"):
        read(tmp_path, "a,b\n")
