"""How days and numbers are written, over a whole log: decided, or asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from clm import ingest
from clm.errors import DataError
from clm.ingest import Reading
from clm.settings import CleanSettings
from tests.cleaning import clean_files, clean_text

HEAD = "customer_id,order_date,amount\n"


def rows(*days: str) -> str:
    return HEAD + "".join(f'c{place % 7},"{day}",5.00\n' for place, day in enumerate(days))


def understood(folder: Path, files: dict[str, str], **options: object) -> Reading:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    settings = CleanSettings(**options)  # type: ignore[arg-type]
    return ingest.understand(ingest.read_text([folder / name for name in files], settings), settings)


AMERICAN = [f"{1 + day % 12:02d}/{1 + day:02d}/2024" for day in range(28)]
EUROPEAN = [f"{1 + day:02d}/{1 + day % 12:02d}/2024" for day in range(28)]
ISO = [f"2023-{1 + day % 12:02d}-{1 + day:02d}" for day in range(28)]


def test_files_of_two_orders_of_day_and_month_are_a_question(tmp_path: Path) -> None:
    """A small European file beside a large American one would be read month for day: both are named, with their formats."""
    files = {"us.csv": rows(*AMERICAN * 30), "eu.csv": rows(*EUROPEAN)}
    with pytest.raises(DataError, match=r"us\.csv as MM/DD/YYYY .* and eu\.csv as DD/MM/YYYY") as caught:
        understood(tmp_path, files)
    assert caught.value.code == "date_formats"


def test_an_iso_file_beside_another_is_read(tmp_path: Path) -> None:
    """Four digits in front cannot be anything else: a folder may hold both."""
    (tmp_path / "eu.csv").write_text(rows(*EUROPEAN))
    (tmp_path / "iso.csv").write_text(rows(*ISO))
    done = clean_files([tmp_path / "eu.csv", tmp_path / "iso.csv"], tmp_path)
    assert done.settled.refusal is None
    assert done.rows.height == 56
    assert done.column("ordered_at")[12] == datetime(2024, 1, 13)


def test_a_slip_of_the_pen_is_said(tmp_path: Path) -> None:
    """One cell that is a day only in the other order is rejected, and the reader is told that others may be misread."""
    done = clean_text(rows(*AMERICAN * 10, "25/01/2024"), tmp_path)
    assert set(done.reasons.values()) == {"date"}
    assert [notice.code for notice in done.settled.outcome.warnings if notice.code == "mixed_dates"] == ["mixed_dates"]


def test_a_mixture_in_one_file_is_a_question(tmp_path: Path) -> None:
    """Some per cent of days in the other order: as many more are silently wrong, so it is asked and --date-format settles it."""
    mixture = rows(*AMERICAN * 10, *(f"{day}/01/2024" for day in range(1, 21)))
    with pytest.raises(DataError) as caught:
        understood(tmp_path, {"orders.csv": mixture})
    assert caught.value.code == "mixed_dates"
    assert "--date-format '%m/%d/%Y'" in str(caught.value.fix)
    assert understood(tmp_path, {"orders.csv": mixture}, date_format="%m/%d/%Y").dates.family == "mdy"


@pytest.mark.parametrize("cell", ["1709600000", "1709600000000", "/Date(1709600000000)/"])
def test_unix_time_needs_the_zone_of_the_shop(cell: str, tmp_path: Path) -> None:
    """Seconds and milliseconds count in universal time, so the day is asked for; --tz answers."""
    files = {"orders.csv": rows(*[cell] * 3)}
    with pytest.raises(DataError, match="Unix time"):
        understood(tmp_path, files)
    done = clean_text(files["orders.csv"], tmp_path, tz="Asia/Shanghai")
    assert set(done.column("ordered_at")) == {datetime(2024, 3, 5, 8, 53, 20)}


def test_a_given_format_does_not_answer_which_zone(tmp_path: Path) -> None:
    """--date-format says how days are written, not that the shop lives in Greenwich."""
    with pytest.raises(DataError, match="universal time"):
        understood(tmp_path, {"orders.csv": rows(*[f"{day}T10:00:00Z" for day in ISO])}, date_format="%Y-%m-%d")


SWAPPED = [datetime(2024, day, 1 + day // 6) if day < 13 else f"{day}/{1 + day % 12:02d}/2024" for day in range(1, 29)]


def sheet(path: Path, days: list[datetime | str]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        page, shown = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        page.write_row(0, 0, ["customer_id", "order_date", "amount"])
        for row, day in enumerate(days, 1):
            page.write_row(row, 0, [f"c{row % 7}", None, 5.25])
            page.write(row, 1, day) if isinstance(day, str) else page.write_datetime(row, 1, day, shown)
    return path


def test_days_a_spreadsheet_swapped_are_a_question(tmp_path: Path) -> None:
    """True dates up to the 12th beside texts of later days: half a column has day and month exchanged, in a sheet or its CSV."""
    book = sheet(tmp_path / "orders.xlsx", SWAPPED)
    plain = tmp_path / "orders.csv"
    plain.write_text(rows(*(day if isinstance(day, str) else f"{day:%Y-%m-%d}" for day in SWAPPED)))
    for path in (book, plain):
        with pytest.raises(DataError, match="swapped day and month") as caught:
            clean_files([path], tmp_path)
        assert caught.value.code == "swapped_dates"
        assert path.name in caught.value.what
        assert clean_files([path], tmp_path, date_format="%d/%m/%Y").rows.height == 28
    american = [datetime(2024, 1 + day % 12, day) if day < 13 else f"{1 + day % 12:02d}/{day}/2024" for day in range(1, 29)]
    with pytest.raises(DataError, match="swapped day and month"):
        clean_files([sheet(tmp_path / "us.xlsx", american)], tmp_path)


@pytest.mark.parametrize("odd", ["2024-02-20", "05/02/2024"])
def test_a_mixture_no_spreadsheet_makes_is_read(odd: str, tmp_path: Path) -> None:
    """One true date after the 12th, or one text up to it, and the column was never swapped."""
    days = [day if isinstance(day, str) else f"{day:%Y-%m-%d}" for day in SWAPPED]
    done = clean_text(rows(*days, odd), tmp_path)
    assert done.settled.refusal is None
    assert done.rows.height == 29


def test_a_format_that_reads_nothing_is_not_suggested(tmp_path: Path) -> None:
    """Where no cell is a day in any format clm knows, no --date-format is held out as the best."""
    with pytest.raises(DataError, match="reads any of the 2 cells") as caught:
        understood(tmp_path, {"orders.csv": rows("soon", "later")}, map=(("ordered_at", "order_date"),))
    assert "rejects the others" not in str(caught.value.fix)
    assert "--map ordered_at=COLUMN" in str(caught.value.fix)


def test_an_ambiguous_number_names_the_option(tmp_path: Path) -> None:
    """1,234 alone is a question that --decimal answers, either way."""
    text = HEAD + 'a,2024-01-02,"1,234"\nb,2024-01-03,"2,345"\n'
    with pytest.raises(DataError) as caught:
        understood(tmp_path, {"orders.csv": text})
    assert "--decimal" in str(caught.value.fix)
    for mark, paid in ((".", "1234.0000"), (",", "1.2340")):
        done = clean_text(text, tmp_path, decimal=mark)
        assert str(done.column("amount")[0]) == paid
