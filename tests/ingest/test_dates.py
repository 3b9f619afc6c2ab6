"""Dates as shops write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.errors import UsageError
from clm.ingest import dates
from clm.ingest.dates import DateFormat


def read(cell: str, chosen: DateFormat, zone: str | None = None) -> datetime | None:
    value: datetime | None = pl.select(dates.wall_time(pl.lit(cell), chosen, zone)).item()
    return value


@pytest.mark.parametrize(
    ("family", "cell", "expected"),
    [
        ("ymd", "2010-12-01 08:26:00", datetime(2010, 12, 1, 8, 26)),
        ("ymd", "2024-12-14 13:19:07.033", datetime(2024, 12, 14, 13, 19, 7, 33000)),
        ("ymd", "2017/1/3 9:56", datetime(2017, 1, 3, 9, 56)),
        ("ymd", "2024年3月5日", datetime(2024, 3, 5)),
        ("ymd", "2024-03-05T10:15", datetime(2024, 3, 5, 10, 15)),
        ("compact", "19970101", datetime(1997, 1, 1)),
        ("compact", "2024030510", datetime(2024, 3, 5, 10)),
        ("compact", "20240305101500", datetime(2024, 3, 5, 10, 15)),
        ("mdy", "3/1/2024 10:15", datetime(2024, 3, 1, 10, 15)),
        ("mdy", "3/1/2024 9:05 PM", datetime(2024, 3, 1, 21, 5)),
        ("mdy", "2/24/2003 0:00", datetime(2003, 2, 24)),
        ("dmy", "05.03.2024", datetime(2024, 3, 5)),
        ("dmy", "05-03-2024", datetime(2024, 3, 5)),
        ("mdy2", "3/1/24", datetime(2024, 3, 1)),
        ("named", "5 Mar 2024", datetime(2024, 3, 5)),
        ("named", "March 5, 2024 10:15 AM", datetime(2024, 3, 5, 10, 15)),
        ("named2", "05-MAR-24", datetime(2024, 3, 5)),
        ("excel", "45352.5", datetime(2024, 3, 1, 12)),
        ("excel", "45352,5", datetime(2024, 3, 1, 12)),
        ("ymd", "2024年3月5日 下午3:05", datetime(2024, 3, 5, 15, 5)),
        ("ymd", "2024/3/5 上午 12:05:06", datetime(2024, 3, 5, 0, 5, 6)),
        ("ymd", "2024年03月05日10时15分30秒", datetime(2024, 3, 5, 10, 15, 30)),
        ("ymd", "2024/3/5 (火) 10:15", datetime(2024, 3, 5, 10, 15)),
        ("mdy", "03/05/2024 9:15 p.m.", datetime(2024, 3, 5, 21, 15)),
        ("compact", "20240305T101500", datetime(2024, 3, 5, 10, 15)),
        ("named", "5. März 2024", datetime(2024, 3, 5)),
        ("named", "5 de agosto de 2024", datetime(2024, 8, 5)),
        ("named", "1 août 2024 08:30", datetime(2024, 8, 1, 8, 30)),
        ("unix", "1709600000", datetime(2024, 3, 5, 0, 53, 20)),
        ("unix", "1709600000123", datetime(2024, 3, 5, 0, 53, 20, 123000)),
        ("unix", "/Date(1709600000000+0800)/", datetime(2024, 3, 5, 0, 53, 20)),
    ],
)
def test_a_family_reads_its_separators_and_times_of_day(family: str, cell: str, expected: datetime) -> None:
    """An order of parts is read with every separator, padded or not, with and without a time."""
    assert read(cell, DateFormat(family)) == expected


@pytest.mark.parametrize(
    ("family", "cell"),
    [
        ("mdy", "13/1/2024"),
        ("mdy", "3/1/24"),
        ("dmy", "1/13/2024"),
        ("ymd", "2024-02-30"),
        ("ymd", "0024-03-01"),
        ("ymd", "9999-12-31"),
        ("dmy", "x"),
        ("named", "5 marraskuuta 2024"),
        ("ymd", "2024-03-05 24:00"),
        ("ymd", "2024-03-05 下午15:05"),
        ("ymd", "20240305"),
        ("ymd", ""),
    ],
)
def test_no_day_is_made_of_what_is_none(family: str, cell: str) -> None:
    """Impossible days, years of two digits in a family of four, and placeholder years stay unread."""
    assert read(cell, DateFormat(family)) is None


def test_iso_stamps_are_read_in_any_column() -> None:
    """A column of American dates may hold a database stamp: four digits in front cannot be anything else."""
    assert read("2024-12-14 13:19:07.033", DateFormat("mdy", "%m/%d/%Y %H:%M")) == datetime(2024, 12, 14, 13, 19, 7, 33000)


@pytest.mark.parametrize(
    ("cell", "zone", "expected"),
    [
        ("2024-03-05T23:30:00Z", "Asia/Shanghai", datetime(2024, 3, 6, 7, 30)),
        ("2024-03-05 10:00:00 -0500", None, datetime(2024, 3, 5, 10)),
        ("2024-03-05T10:00:00+08:00", "Europe/London", datetime(2024, 3, 5, 2)),
        ("2024-03-05T10:00:00", "Asia/Shanghai", datetime(2024, 3, 5, 10)),
        ("2024-10-27T00:30:00Z", "Europe/Berlin", datetime(2024, 10, 27, 2, 30)),
        ("2024-10-27T01:30:00Z", "Europe/Berlin", datetime(2024, 10, 27, 2, 30)),
    ],
)
def test_offsets_keep_their_wall_time_or_move_to_the_given_zone(cell: str, zone: str | None, expected: datetime) -> None:
    """With --tz a stamp moves to that zone's clock; without, it keeps its own; a stamp without offset is taken as it is."""
    assert read(cell, DateFormat("ymd", offsets=True), zone) == expected


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [("2024-03-05T10:00Z", 0), ("2024-03-05 10:00:00+08:00", 480), ("2024-03-05 10:00 -0330", -210), ("05-03-2024", None)],
)
def test_offsets_are_told_from_years(cell: str, minutes: int | None) -> None:
    """`-2024` at the end of a day is a year, not an offset."""
    assert pl.select(dates.offset_minutes(pl.lit(cell))).item() == minutes


days = st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31))


@given(st.lists(days, min_size=1, max_size=30), st.sampled_from(["%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d"]))
def test_the_right_family_always_reads_everything(some: list[date], form: str) -> None:
    """Whatever the days, the family they were written in is among those that read all of them."""
    cells = pl.Series("cell", [one.strftime(form) for one in some])
    counts = dates.candidates(cells)
    right = {"%m/%d/%Y": "mdy", "%d/%m/%Y": "dmy", "%Y/%m/%d": "ymd", "%d.%m.%Y": "dmy", "%Y%m%d": "compact"}[form]
    assert counts[right] == max(counts.values()) == len(some)
    chosen = dates.best_format(cells, right)
    read = cells.to_frame().select(dates.wall_time(pl.col("cell"), chosen, None).dt.date())["cell"].to_list()
    assert read == some


def test_one_day_above_twelve_settles_the_order_of_parts() -> None:
    """13/1 cannot be American: one such cell in a hundred is enough to read more than the rival."""
    cells = pl.Series("cell", [f"{1 + day % 12}/{1 + day % 11}/2024" for day in range(99)] + ["13/1/2024"])
    counts = dates.candidates(cells)
    assert counts["dmy"] == 100
    assert counts["mdy"] == 99


def test_equal_readings_need_no_question() -> None:
    """5/5/2024 is the same day either way."""
    assert dates.agree(pl.Series("cell", ["5/5/2024", "2/2/2024"]), ["mdy", "dmy"])
    assert not dates.agree(pl.Series("cell", ["5/5/2024", "2/3/2024"]), ["mdy", "dmy"])


@pytest.mark.parametrize(
    ("form", "family"),
    [("%d/%m/%Y", "dmy"), ("DD.MM.YYYY", "dmy"), ("%m-%d-%Y %H:%M", "mdy"), ("%Y%m%d", "compact"), ("excel", "excel")],
)
def test_a_given_format_that_is_a_family_reads_every_time_of_day(form: str, family: str) -> None:
    """`--date-format %d/%m/%Y` answers the question which order is meant; the times of day follow."""
    assert dates.given(form) == DateFormat(family)


def test_any_other_given_format_is_taken_literally() -> None:
    """A format of its own reads exactly what it says, and nothing else."""
    chosen = dates.given("%d of %B %Y")
    assert read("05 of March 2024", chosen) == datetime(2024, 3, 5)
    assert read("2024-03-05", chosen) is None


@pytest.mark.parametrize("form", ["%Q", "%d/%m", "day", "%H:%M"])
def test_a_format_that_cannot_be_one_is_refused(form: str) -> None:
    """What does not give back the day that was written in it is no format."""
    with pytest.raises(UsageError, match="no date format"):
        dates.given(form)


def test_zones_are_checked() -> None:
    """A zone that does not exist is a usage error."""
    dates.check_zone("Asia/Shanghai")
    with pytest.raises(UsageError, match="no time zone"):
        dates.check_zone("Mars/Base")


def test_a_long_column_reads_fast_enough_to_be_tried_whole() -> None:
    """Nulls left over by the first format cost nothing: the family's other formats see only what is left."""
    start = datetime(2010, 1, 1)
    cells = pl.Series("cell", [(start + timedelta(minutes=step)).isoformat(" ") for step in range(1000)])
    chosen = dates.best_format(cells, "ymd")
    assert chosen.first == "%Y-%m-%d %H:%M:%S"
    assert cells.to_frame().select(dates.wall_time(pl.col("cell"), chosen, None)).null_count().item() == 0
