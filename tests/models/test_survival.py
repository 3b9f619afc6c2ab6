"""Kaplan-Meier: published tables to their digits, and what must hold for any lives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models.survival import Curve, kaplan_meier

# weeks of remission of 21 children with leukaemia under 6-MP (Freireich et al. 1963, Blood 21); + was still in remission
REMISSION = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
# weeks under placebo, all observed to their end
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def _curve(written: str) -> Curve:
    days = [int(one.rstrip("+")) for one in written.split()]
    return kaplan_meier(np.array(days), np.array([not one.endswith("+") for one in written.split()]))


def test_remission_under_6mp_equals_the_published_table() -> None:
    """Cox & Oakes 1984, table 4.1; Kleinbaum & Klein 2012, 2.II: at risk, S and Greenwood's error to every digit printed."""
    curve = _curve(REMISSION)
    rows = zip(curve.days, curve.at_risk, curve.left, curve.survival.round(4), curve.error.round(4), strict=True)
    assert [tuple(float(value) for value in row) for row in rows] == [
        (6, 21, 3, 0.8571, 0.0764),
        (7, 17, 1, 0.8067, 0.0869),
        (10, 15, 1, 0.7529, 0.0963),
        (13, 12, 1, 0.6902, 0.1068),
        (16, 11, 1, 0.6275, 0.1141),
        (22, 7, 1, 0.5378, 0.1282),
        (23, 6, 1, 0.4482, 0.1346),
    ]


def test_remission_intervals_equal_the_published_ones() -> None:
    """R survival 3.5, survfit(conf.type = "log-log"): the intervals at 6 and 23 weeks, the median of 23 weeks from 13 on."""
    curve = _curve(REMISSION)
    assert (round(curve.low[0], 4), round(curve.high[0], 4)) == (0.6197, 0.9516)
    assert (round(curve.low[-1], 4), round(curve.high[-1], 4)) == (0.1881, 0.6801)
    assert curve.median() == (23, 13, None)


def test_placebo_without_censoring_is_the_share_left() -> None:
    """Everybody was seen to the end: S is the plain share, the median 8 weeks (4 to 11), and nobody remains after 23."""
    curve = _curve(PLACEBO)
    assert curve.median() == (8, 4, 11)
    assert curve.survival[-1] == 0.0
    last = curve.at(400)
    assert last is not None
    assert (last.survival, last.error, last.low, last.high, last.at_risk) == (0.0, None, None, None, 0)
    assert round(float(curve.survival[curve.days == 8][0]), 4) == 0.3810


def test_the_example_of_1958() -> None:
    """Kaplan & Meier 1958, section 2, times x 10: deaths at 8 31 54 92, losses at 10 27 70 121."""
    curve = kaplan_meier(
        np.array([8, 10, 27, 31, 54, 70, 92, 121]), np.array([True, False, False, True, True, False, True, False])
    )
    assert curve.survival.tolist() == pytest.approx([7 / 8, 7 / 10, 21 / 40, 21 / 80])


def test_nobody_one_and_all_censored() -> None:
    """No lives give no point; one that goes on gives 1 until it was seen; one that ended gives 0 from then on."""
    nobody = kaplan_meier(np.array([], dtype=np.int64), np.array([], dtype=np.bool_))
    assert (nobody.customers, nobody.at(0), nobody.median()) == (0, None, (None, None, None))
    going = kaplan_meier(np.array([5, 9]), np.array([False, False]))
    point = going.at(7)
    assert point is not None
    assert (point.survival, point.at_risk, point.error) == (1.0, 1, None)
    assert going.at(10) is None
    assert going.median() == (None, None, None)
    ended = kaplan_meier(np.array([0]), np.array([True]))
    assert ended.median() == (0, 0, 0)


_lives = st.lists(st.tuples(st.integers(0, 400), st.booleans()), min_size=1, max_size=60)


@given(_lives)
def test_without_censoring_it_is_the_share_of_longer_lives(given_lives: list[tuple[int, bool]]) -> None:
    """S(t) is the share of lives longer than t, and Greenwood's error the binomial one, when every life ended."""
    days = np.array([one for one, _ in given_lives])
    curve = kaplan_meier(days, np.ones(days.size, dtype=np.bool_))
    for when, survival, error in zip(curve.days, curve.survival, curve.error, strict=True):
        share = float((days > when).mean())
        assert survival == pytest.approx(share, abs=1e-12)
        if share:
            assert error == pytest.approx(math.sqrt(share * (1 - share) / days.size), abs=1e-12)


@given(_lives)
def test_it_falls_stays_inside_its_interval_and_knows_no_order(given_lives: list[tuple[int, bool]]) -> None:
    """1 to 0 and never up, low <= S <= high within 0 and 1, the same from the lives in any order."""
    days, left = np.array([one for one, _ in given_lives]), np.array([one for _, one in given_lives])
    curve = kaplan_meier(days, left)
    assert np.all(np.diff(curve.survival, prepend=1.0) < 0)
    some = curve.survival > 0
    assert np.all((curve.low <= curve.survival + 1e-12)[some])
    assert np.all((curve.survival <= curve.high + 1e-12)[some])
    assert np.all((curve.low >= 0)[some] & (curve.high <= 1)[some])
    again = kaplan_meier(days[::-1], left[::-1])
    assert again.survival.tolist() == curve.survival.tolist()
    assert again.error.tolist() == curve.error.tolist() or np.isnan(curve.error).any()
    assert curve.ended == int(left.sum())


@given(_lives)
def test_seeing_a_life_longer_never_lowers_it(given_lives: list[tuple[int, bool]]) -> None:
    """Lives that went on, watched for a hundred days more, can only raise the share still there."""
    days, left = np.array([one for one, _ in given_lives]), np.array([one for _, one in given_lives])
    short, long = kaplan_meier(days, left), kaplan_meier(np.where(left, days, days + 100), left)
    assert np.all(long.survival >= short.survival - 1e-12)
