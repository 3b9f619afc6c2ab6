"""Early warnings: the limit by hand, each silence told once, nobody within their limit, and whom two tables cannot tell."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.errors import DataError
from clm.outcome import Outcome, Rows
from clm.settings import RfmSettings
from clm.stages.churn.early_warning import with_warnings
from clm.stages.rfm import rfm
from tests.logs import transactions

START = date(2023, 1, 1)
Days = dict[str, list[int]]


def _customers(days: Days, as_of: int) -> pl.DataFrame:
    lines = [(who, f"{who}{day}", str(START + timedelta(days=day)), "10") for who, on in days.items() for day in on]
    return rfm(transactions(*lines).lazy(), RfmSettings(as_of=START + timedelta(days=as_of))).frame.lazy().collect()


def _outcome(days: Days, before: int, as_of: int) -> Outcome:
    found = Outcome(_customers(days, as_of), Rows(0, 0), as_of=START + timedelta(days=as_of), closing="so many")
    return with_warnings(found, _customers(days, before))


def _told(days: Days, before: int, as_of: int) -> dict[str, tuple[int | None, str | None]]:
    frame = _outcome(days, before, as_of).frame.lazy().collect()
    return {who: (limit, code) for who, limit, code in frame.select("customer_id", "silence_limit_days", "early_warning").rows()}


def test_the_limit_is_the_quantile_written_down() -> None:
    """Median gap 10: one order 9 x 10 = 90 days, four gaps in 40 days (40 + 10)(10^(1/5) - 1) = 29 days, both by hand."""
    days = {"four gaps": [0, 10, 20, 30, 40], "once": [40]}
    assert _told(days, 50, 69) == {"four gaps": (29, None), "once": (90, None)}
    assert _told(days, 50, 70) == {"four gaps": (29, "new"), "once": (90, None)}


def test_a_silence_is_new_once_then_known_and_over_with_an_order() -> None:
    """The same silence passed in both tables is known; after an order only a second silence counts, and it is new again."""
    days = {"a": [0, 10, 20, 30, 40], "b": [0, 10, 20, 30, 40, 90]}
    assert _told(days, 60, 75)["a"][1] == "new"
    assert _told(days, 75, 85)["a"][1] == "known"
    assert _told(days, 75, 85)["b"][1] == "known"
    assert _told(days, 85, 95)["b"][1] is None
    assert _told(days, 85, 200)["b"][1] == "new"  # ordered since, and fell silent again since


def test_who_the_earlier_table_does_not_know_is_new_when_silent() -> None:
    """Customers of after the earlier day are warned of by the same limit and counted."""
    days = {"regular": list(range(0, 200, 5)), "late": [100, 105, 110, 115]}
    found = _outcome(days, 50, 199)
    assert found.metrics["early_warning"] == {
        "since": "2023-02-20", "share": 0.9, "new": 1, "known": 0, "within": 1, "not_in_previous": 1, "clv": None,
    }  # fmt: skip
    assert found.closing == "so many; 1 customer newly silent beyond their own rhythm since 2023-02-20"
    assert found.frame.lazy().collect().filter(pl.col("early_warning") == "new")["customer_id"].to_list() == ["late"]


_days = st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.integers(0, 200), min_size=1, max_size=9), min_size=2)


@given(_days, st.integers(200, 260), st.integers(1, 60), st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_no_silence_is_missed_and_nobody_within_the_limit_is_warned(days: Days, first: int, more: int, last: int) -> None:
    """Whoever is past the limit has a code and nobody else; no silence is new twice."""
    early, middle, late = first, first + more, first + more + last
    one, two = (_outcome(days, *pair).frame.lazy().collect() for pair in ((early, middle), (middle, late)))
    for frame in (one, two):
        passed = frame["recency_days"] > frame["silence_limit_days"]
        assert (passed.fill_null(value=False) == frame["early_warning"].is_not_null()).all()
    # no order lies after the first day, so every silence of the later table is the same one
    both = one.join(two, on="customer_id", suffix="_later").filter(pl.col("early_warning").is_not_null())
    assert set(both["early_warning_later"].unique()) <= {"known"}


def test_rows_and_other_columns_stay(shop_days: Days) -> None:
    """Rows out are rows in, in their order; the two columns come last; a table without a rhythm or without rows has nulls."""
    found = _outcome(shop_days, 20, 100).frame.lazy().collect()
    assert found.columns[-2:] == ["silence_limit_days", "early_warning"]
    assert found.drop("silence_limit_days", "early_warning").equals(_customers(shop_days, 100))
    once = _told({"a": [0], "b": [3]}, 10, 500)
    assert once == {"a": (None, None), "b": (None, None)}
    empty = _customers(shop_days, 100).clear()
    nothing = with_warnings(Outcome(empty, Rows(0, 0)), _customers(shop_days, 20))
    assert (nothing.frame.lazy().collect().height, nothing.metrics["early_warning"]["new"]) == (0, 0)
    nobody = with_warnings(Outcome(_customers(shop_days, 100), Rows(0, 0), as_of=START + timedelta(days=100)), empty)
    assert (nobody.metrics["early_warning"]["since"], nobody.metrics["early_warning"]["not_in_previous"]) == (None, 2)


@pytest.fixture
def shop_days() -> Days:
    return {"a": [0, 7, 14], "b": [1, 30]}


@pytest.mark.parametrize(("other", "before", "code"), [({}, 100, "previous_later"), ({"z": [0, 5]}, 20, "previous_other")])
def test_a_table_that_cannot_be_compared_is_refused(shop_days: Days, other: Days, before: int, code: str) -> None:
    """The same day, a later one, or another shop's customers: 65 with what to do."""
    found: Any = Outcome(_customers(shop_days, 100), Rows(0, 0), as_of=START + timedelta(days=100))
    with pytest.raises(DataError) as refusal:
        with_warnings(found, _customers(other or shop_days, before))
    assert refusal.value.code == code
    assert refusal.value.fix
