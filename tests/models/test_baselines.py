"""The naive forecasts: literal tables for each rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models import baselines


def test_zero_and_mean() -> None:
    """Nobody orders; everybody orders what all did on average in the last period, scaled to the horizon."""
    assert baselines.zero(3).tolist() == [0.0, 0.0, 0.0]
    assert baselines.mean([0, 1, 2, 5], 90, 180).tolist() == [4.0] * 4
    assert baselines.mean([], 90, 90).size == 0


def test_last_period_repeats_itself() -> None:
    """Orders of the last 90 days, doubled for 180; a period of net returns counts as nothing."""
    assert baselines.last_period([0, 3, -2], 90, 180).tolist() == [0.0, 6.0, 0.0]
    with pytest.raises(ValueError, match="longer than 0"):
        baselines.last_period([1], 0, 90)


def test_own_rate_has_no_age_zero() -> None:
    """x/T times H; a customer of today has no rate."""
    assert baselines.own_rate([2, 0, 0, 3], [100, 50, 0, 30], 50).tolist() == [1.0, 0.0, 0.0, 5.0]


def test_hiatus_silences_the_silent() -> None:
    """Own rate up to the cut-off, nothing beyond; exactly at the cut-off still counts."""
    forecast = baselines.hiatus([2, 2, 2], [100, 100, 100], [39, 40, 41], 40, 100)
    assert forecast.tolist() == [2.0, 2.0, 0.0]


def test_hiatus_cutoff_is_learned_from_the_past() -> None:
    """The cut-off that is right most often; ties to the smaller; -1 when nobody came back, the largest when all did."""
    assert baselines.hiatus_cutoff([1, 5, 9, 20, 30], [True, True, True, False, False]) == 9.0
    assert baselines.hiatus_cutoff([1, 5, 9], [True, False, True]) == 1.0
    assert baselines.hiatus_cutoff([1, 5, 9], [False, False, False]) == -1.0
    assert baselines.hiatus_cutoff([1, 5, 9], [True, True, True]) == 9.0
    assert baselines.hiatus_cutoff([], []) == -1.0
    with pytest.raises(ValueError, match="same length"):
        baselines.hiatus_cutoff([1], [])


@given(rows=st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40))
def test_no_cutoff_is_right_more_often(rows: list[tuple[int, bool]]) -> None:
    """Every other cut-off classifies at most as many customers correctly."""
    recency, back = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])

    def right(cutoff: float) -> int:
        return int(np.sum((recency <= cutoff) == back))

    chosen = baselines.hiatus_cutoff(recency, back)
    assert all(right(cutoff) <= right(chosen) for cutoff in range(-1, 21))
