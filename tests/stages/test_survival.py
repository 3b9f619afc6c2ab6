"""How long customers stay: what ends a life, who is observed, which groups are told, and what may never change."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.outcome import Outcome, Rows
from clm.stages import snapshot
from clm.stages.churn.survival import lives, with_survival
from tests.logs import transactions

START = date(2023, 1, 1)


def _log(days: dict[str, list[int]]) -> pl.LazyFrame:
    """A log of customers who order 10 on these days from START."""
    lines = [(who, f"{who}{day}", str(START + timedelta(days=day)), "10") for who, on in days.items() for day in on]
    return transactions(*lines).lazy()


def _lives(days: dict[str, list[int]], as_of: int, horizon_days: int) -> dict[str, tuple[int | None, bool | None]]:
    orders, day = _log(days), START + timedelta(days=as_of)
    found = lives(snapshot.take(orders, day), orders, day, horizon_days)
    return {row["customer_id"]: (row["life_days"], row["ended"]) for row in found.iter_rows(named=True)}


def _told(orders: pl.LazyFrame, as_of: int, horizon_days: int | None, **columns: pl.Expr) -> dict[str, Any]:
    day = START + timedelta(days=as_of)
    customers = snapshot.take(orders, day).with_columns(**columns)
    outcome = Outcome(customers, Rows(0, 0), as_of=day, metrics={"horizon_days": horizon_days})
    found: dict[str, Any] = with_survival(outcome, orders).metrics["survival"]
    json.dumps(found, allow_nan=False)
    return found


def test_a_life_ends_before_the_first_silence_of_more_than_the_horizon() -> None:
    """Horizon 10, as of day 100, so observed until day 90: the end is the day before the silence, whatever came later."""
    found = _lives(
        {
            "once": [0],
            "came back": [0, 5, 40, 45],
            "ten days are no silence": [0, 10, 20],
            "eleven are": [0, 11, 12],
            "still here": [70, 80, 85, 95],
            "ordered on the last day observed": [80, 90],
            "the same and after": [80, 90, 100],
            "silent for less than the horizon": [80, 89, 91],
            "first seen too late": [91],
        },
        as_of=100,
        horizon_days=10,
    )
    assert found == {
        "once": (0, True),
        "came back": (5, True),
        "ten days are no silence": (20, True),
        "eleven are": (0, True),
        "still here": (20, False),
        "ordered on the last day observed": (10, True),
        "the same and after": (10, False),
        "silent for less than the horizon": (10, False),
        "first seen too late": (None, None),
    }


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.integers(0, 120), min_size=1, max_size=8), min_size=1),
    st.integers(1, 30), st.integers(0, 120), st.integers(0, 60),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_what_ended_stays_ended_as_the_log_grows(days: dict[str, list[int]], horizon: int, as_of: int, more: int) -> None:
    """With more days in the log the ends already told are the same, and the lives still going on are no shorter."""
    early = {who: found for who, found in _lives(days, as_of, horizon).items() if found[0] is not None}
    late = _lives(days, as_of + more, horizon)
    for who, (life, ended) in early.items():
        if ended:
            assert late[who] == (life, True)
        else:
            assert late[who][0] >= life  # type: ignore[operator]


def test_known_lives_come_out_of_a_simulated_shop() -> None:
    """Weekly buyers who leave after any order with one chance in ten: S at 91 days is .9^13 times .9 within its interval."""
    dice = random.Random(3)
    days = {}
    for number in range(4_000):
        day = dice.randrange(300)
        on = [day]
        while dice.random() < 0.9 and day < 400:
            day += 7
            on.append(day)
        days[f"c{number:04}"] = on
    told = _told(_log(days), 399, 10)
    for point in told["all"]["retention"][1:3]:
        assert point["low"] <= 0.9 ** (point["days"] // 7 + 1) <= point["high"]
    assert told["all"]["median_days"] == 42


def test_small_groups_are_told_together_or_not_at_all() -> None:
    """Groups of fewer than 30 become (other) when they are 30 together; else their number is said and nothing else."""
    log = _log({f"c{number:03}": [0, 5] for number in range(100)})
    number = pl.col("customer_id").str.slice(1).cast(pl.Int64)
    large = pl.when(number < 50).then(pl.lit("loyal"))
    told = _told(log, 60, 10, segment=large.when(number < 75).then(pl.lit("new")).otherwise(pl.lit("promising")))
    assert [(one["group"], one["customers"]) for one in told["groups"] if one["of"] == "segment"] == [
        ("loyal", 50),
        ("(other)", 50),
    ]
    assert told["small"] == {"segment": {"groups": 2, "customers": 50, "told": True}}
    told = _told(log, 60, 10, segment=pl.when(number < 80).then(pl.lit("loyal")).otherwise(pl.lit("new")))
    assert [one["group"] for one in told["groups"] if one["of"] == "segment"] == ["loyal"]
    assert told["small"] == {"segment": {"groups": 1, "customers": 20, "told": False}}


def test_cohorts_add_up_and_channels_are_those_of_the_first_order() -> None:
    """Months of the first order in their order; null channels belong to no group."""
    days = {f"c{number:03}": [number % 60, number % 60 + 5] for number in range(180)}
    channel = pl.when(pl.col("customer_id") < "c100").then(pl.lit("web"))
    told = _told(_log(days), 200, 10, first_channel=channel)
    cohorts = [one for one in told["groups"] if one["of"] == "cohort"]
    assert [one["group"] for one in cohorts] == ["2023-01", "2023-02", "(other)"][: len(cohorts)]
    assert sum(one["customers"] for one in cohorts) + told["too_new"] == 180 - told["small"].get("cohort", {}).get("customers", 0)
    assert [(one["group"], one["customers"]) for one in told["groups"] if one["of"] == "channel"] == [("web", 100)]
    assert told["grouped_by"].keys() == {"cohort", "channel"}


def test_nothing_to_observe_is_said_and_not_guessed() -> None:
    """No log or no horizon: null; a log shorter than the horizon: nobody observed, everybody too new; refunds only: nobody."""
    log = _log({"a": [0], "b": [3]})
    assert _told(log, 5, None) is None
    day = START + timedelta(days=5)
    outcome = Outcome(snapshot.take(log, day), Rows(0, 0), as_of=day, metrics={"horizon_days": 3})
    assert with_survival(outcome, None).metrics["survival"] is None
    short = _told(log, 5, 30)
    assert (short["all"], short["groups"], short["too_new"]) == (None, [], 2)
    refunds = transactions(("a", "r1", "2023-01-01", "-5")).lazy()
    assert _told(refunds, 100, 30)["all"] is None


def test_beyond_what_was_observed_there_is_no_retention() -> None:
    """Observed for 40 days: retention after one month, null after three, and a curve of two months."""
    told = _told(_log({"a": [0, 9, 18, 27, 36, 45], "b": [0]}), 50, 10)
    assert [point["survival"] for point in told["all"]["retention"]] == [0.5, None, None, None]
    assert [point["months"] for point in told["all"]["curve"]] == [0, 1]
    assert told["observed_until"] == "2023-02-10"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    """The same numbers to the last digit from the log's rows in any order."""
    log = _log({f"c{number:03}": [number % 90, number % 90 + number % 17] for number in range(150)})
    shuffled = log.collect().sample(fraction=1.0, shuffle=True, seed=seed).lazy()
    assert _told(log, 120, 10) == _told(shuffled, 120, 10)
