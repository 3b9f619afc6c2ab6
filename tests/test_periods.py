"""Periods: the forms people write, one text for each stretch, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm import periods

DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2024", "2024"),
        ("2024年", "2024"),
        ("2024-Q1", "2024-Q1"),
        ("2024q2", "2024-Q2"),
        ("Q3 2024", "2024-Q3"),
        ("2024年第一季度", "2024-Q1"),
        ("2024-03", "2024-03"),
        (" 2024/3 ", "2024-03"),
        ("202403", "2024-03"),
        ("03/2024", "2024-03"),
        ("2024年3月", "2024-03"),
        ("２０２４－０３", "2024-03"),
        ("Mar 2024", "2024-03"),
        ("2024-Sept", "2024-09"),
        ("2024-W09", "2024-W09"),
        ("2024-03-05", "2024-03-05"),
        ("2024年3月5日", "2024-03-05"),
        ("20240305", "2024-03-05"),
        ("2024-03-05 00:00:00", "2024-03-05"),
        ("2024-03-01..2024-03-15", "2024-03-01..2024-03-15"),
        ("2024-03-01/2024-03-15", "2024-03-01..2024-03-15"),
        ("2024年1月至2024年3月", "2024-Q1"),
        ("2024-03-01 to 2024-03-31", "2024-03"),
    ],
)
def test_forms(written: str, text: str) -> None:
    """What shops and spreadsheets write, in one form each; a range that is a month is that month."""
    found = periods.parse(written)
    assert found.text == text
    assert periods.parse(found.text) == found


@pytest.mark.parametrize(
    "written",
    [
        "",
        "03/04/2024",
        "24-03",
        "2024-13",
        "20241",
        "2024-02-30",
        "2023-W53",
        "合计",
        "total",
        "marvellous 2024",
        "2024-1-2-3",
        "0000",
    ],
)
def test_what_is_no_period(written: str) -> None:
    """Totals, days two calendars read differently, days that do not exist: refused."""
    with pytest.raises(ValueError, match="has a period that cannot be read"):
        periods.parse(written)


def test_a_range_runs_forward() -> None:
    """The end may not come before the start."""
    with pytest.raises(ValueError, match="earlier day to a later"):
        periods.parse("2024-03-05..2024-03-01")


@given(DAYS, DAYS)
def test_a_range_keeps_its_days(one: date, other: date) -> None:
    """Start and end come back, whatever shorter text says them."""
    start, end = min(one, other), max(one, other)
    found = periods.parse(f"{start}..{end}")
    assert (found.start, found.end) == (start, end)
    assert periods.parse(found.text) == found
