"""How days and numbers are written, over a whole log: decided, or asked."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

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


def test_an_ambiguous_number_names_the_option(tmp_path: Path) -> None:
    """1,234 alone is a question that --decimal answers, either way."""
    text = HEAD + 'a,2024-01-02,"1,234"\nb,2024-01-03,"2,345"\n'
    with pytest.raises(DataError) as caught:
        understood(tmp_path, {"orders.csv": text})
    assert "--decimal" in str(caught.value.fix)
    for mark, paid in ((".", "1234.0000"), (",", "1.2340")):
        done = clean_text(text, tmp_path, decimal=mark)
        assert str(done.column("amount")[0]) == paid
