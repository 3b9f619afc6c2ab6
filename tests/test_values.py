"""The value types of options: what is read, and what is refused with a sentence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm import values
from clm.tables import ROLES
from clm.values import Horizon, Parser


@pytest.mark.parametrize(
    ("parse", "given", "expected"),
    [
        (values.share, "35%", 0.35),
        (values.share, "0.35", 0.35),
        (values.share, 0, 0.0),
        (values.share, "100%", 1.0),
        (values.rate, "10%", 0.1),
        (values.rate, "0", 0.0),
        (values.count_or_share, "500", 500),
        (values.count_or_share, "5%", 0.05),
        (values.horizon, "12m", Horizon(12, "m")),
        (values.horizon, "90D", Horizon(90, "d")),
        (values.horizon_or_auto, "auto", None),
        (values.day, "2024-02-29", date(2024, 2, 29)),
        (values.day, date(2024, 2, 29), date(2024, 2, 29)),
        (values.day_or("none"), "none", "none"),
        (values.names, "a, b", ("a", "b")),
        (values.names, ["a", "b"], ("a", "b")),
        (
            values.pairs(ROLES),
            ["customer_id=会员编号", "amount=实付=金额"],
            (("amount", "实付=金额"), ("customer_id", "会员编号")),
        ),
        (values.pairs(ROLES), {"customer_id": "id"}, (("customer_id", "id"),)),
        (values.memory, "6GB", 6 * 2**30),
        (values.memory, "512M", 512 * 2**20),
        (values.memory, "70%", 0.7),
        (values.boolean, "yes", True),
        (values.boolean, "0", False),
        (values.whole(2, 9), "5", 5),
    ],
)
def test_what_is_read(parse: Parser, given: Any, expected: Any) -> None:
    """Text from a flag or variable and values from TOML mean the same."""
    assert parse(given) == expected


def test_threads_end_where_the_machine_would_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 512, and on a large machine at eight for each processor."""
    for processors, most in ((None, 512), (2, 512), (100, 800)):
        monkeypatch.setattr(values.os, "cpu_count", lambda known=processors: known)
        assert values.threads(str(most)) == most
        with pytest.raises(ValueError, match=f"from 1 to {most}"):
            values.threads(most + 1)


@pytest.mark.parametrize(
    ("parse", "given", "says"),
    [
        (values.share, "35", "write 35% or 0.35"),
        (values.share, "-1%", "from 0% to 100%"),
        (values.share, "nan", "from 0% to 100%"),
        (values.share, "half", "such as 35%"),
        (values.rate, "35", "yearly rate"),
        (values.horizon, "12", "such as 90d"),
        (values.horizon, "0d", "such as 90d"),
        (values.horizon, "36500y", "100 years at most"),
        (values.horizon, "12 months", "such as 90d"),
        (values.day, "30/06/2024", "such as 2024-06-30"),
        (values.day_or("last-day"), "yesterday", "or last-day"),
        (values.whole(2, 9), "1", "from 2 to 9"),
        (values.whole(2, 9), "2.5", "from 2 to 9"),
        (values.threads, "0", "from 1 to "),
        (values.choice("a", "b"), "c", "one of a, b"),
        (values.names, "a,,b", "separated by commas"),
        (values.pairs(ROLES), "customer_id", "ROLE=COLUMN"),
        (values.pairs(ROLES), "customer=x", "no role 'customer'"),
        (values.pairs(ROLES), ["amount=a", "amount=b"], "amount twice"),
        (values.memory, "1KB", "64MB at least"),
        (values.boolean, "maybe", "true or false"),
        (values.text, {"a": 1}, "one value"),
    ],
)
def test_what_is_refused(parse: Parser, given: Any, says: str) -> None:
    """The sentence says what would be right."""
    with pytest.raises(ValueError, match=says):
        parse(given)


@pytest.mark.parametrize(
    ("horizon", "start", "end"),
    [
        ("12m", date(2024, 2, 29), date(2025, 2, 28)),
        ("1y", date(2023, 6, 30), date(2024, 6, 30)),
        ("1m", date(2024, 1, 31), date(2024, 2, 29)),
        ("39w", date(1997, 9, 30), date(1998, 6, 30)),
        ("90d", date(2024, 1, 1), date(2024, 3, 31)),
    ],
)
def test_horizons_are_calendar_time(horizon: str, start: date, end: date) -> None:
    """Twelve months end on the same day of next year, not after 360 days."""
    assert values.horizon(horizon).end(start) == end


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(0, 240))
def test_months_add_up_within_a_day_of_the_month(start: date, months: int) -> None:
    """Adding months never leaves the month it should land in."""
    moved = values.add_months(start, months)
    assert (moved.year * 12 + moved.month) - (start.year * 12 + start.month) == months
    assert moved.day <= start.day
