"""What a churn feature is, what it may not see, and that replaced histories stay possible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models import classify_buyers, classify_features
from clm.models.classify_buyers import REASONS, Buyers, Habits


def _buyers(recency, active, repeat, recent=None, spend=None, returns=None, horizon_days=30) -> Buyers:
    recency, active, repeat = (np.array(values, dtype=float) for values in (recency, active, repeat))
    return Buyers(
        recency_days=recency,
        active_days=active,
        repeat_days=repeat,
        returns=np.zeros_like(recency) if returns is None else np.array(returns, dtype=float),
        spend_per_order_day=None if spend is None else np.array(spend, dtype=float),
        gap_days=classify_buyers.typical_gap(active, repeat) or 1.0,
        horizon_days=horizon_days,
        habits=None if recent is None else _habits(np.array(recent, dtype=float), active, repeat, priced=spend is not None),
    )


def _habits(recent, active, repeat, *, priced: bool) -> Habits:
    mean = np.where(repeat > 0, active / np.maximum(repeat, 1.0), np.nan)
    return Habits(
        recent_order_days=recent,
        earlier_order_days=np.zeros_like(recent),
        last_gap_days=mean,
        longest_gap_days=2 * mean,
        gap_sd_days=np.where(repeat > 1, 10.0, np.nan),
        recent_spend=7.0 * recent if priced else None,
        returned_share=np.where(recent > 0, 0.25, np.nan) if priced else None,
        products=None,
    )


def test_features_are_the_documented_numbers() -> None:
    """One customer by hand: logarithms of days and counts, silence over rhythm, recent orders over those expected."""
    buyers = _buyers([59], [90], [3], recent=[1], spend=[-20.0], returns=[2])
    assert buyers.gap_days == 30.0
    assert buyers.rhythm_days.tolist() == [30.0]
    row = classify_features.lean(buyers, np.array([0.2]), classify_features.LEAN)[0]
    expected = [
        np.log(60), np.log(150), np.log(4), np.log(1 + 59 / 30), np.log(0.8 / 0.2), np.log(2) - np.log(1 + 4 * 30 / 150),
        np.log(3), np.arcsinh(-20.0),
    ]  # fmt: skip
    assert row == pytest.approx(expected)
    assert classify_features.lean_names(buyers) == classify_features.LEAN


def test_logs_without_amounts_have_no_spend_feature() -> None:
    """Without money the matrix is one column narrower and its names say so."""
    buyers = _buyers([5, 9], [0, 20], [0, 2], recent=[1, 1])
    matrix = classify_features.lean(buyers, np.array([0.0, 1.0]), classify_features.lean_names(buyers))
    assert matrix.shape == (2, 7)
    assert "spend_per_order_day" not in classify_features.lean_names(buyers)
    assert np.all(np.isfinite(matrix))


def test_typical_gap_counts_every_gap_and_knows_when_there_is_none() -> None:
    """A customer with ten gaps weighs ten times as much as one with one; one-time buyers have none."""
    assert classify_buyers.typical_gap(np.array([70.0, 100.0, 0.0]), np.array([10.0, 1.0, 0.0])) == 7.0
    assert classify_buyers.typical_gap(np.zeros(3), np.zeros(3)) is None


@st.composite
def _histories(draw: st.DrawFn) -> Buyers:
    size = draw(st.integers(1, 12))
    active = draw(st.lists(st.integers(0, 300), min_size=size, max_size=size))
    repeat = [draw(st.integers(1, days)) if days else 0 for days in active]
    recency = draw(st.lists(st.integers(0, 300), min_size=size, max_size=size))
    return _buyers(recency, active, repeat, recent=[1.0] * size, spend=[3.0] * size)


@given(_histories(), st.data())
def test_replaced_histories_stay_possible(buyers: Buyers, data: st.DataObject) -> None:
    """Whatever is replaced by whoever's medians: order days span a time exactly when there are several."""
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=buyers.recency_days.size, max_size=buyers.recency_days.size)))
    if not kept.any():
        kept[:] = True
    usual = classify_buyers.typical(buyers, kept)
    for reason in REASONS:
        other = classify_buyers.replaced(buyers, reason, usual)
        if other is None:
            assert usual[reason] is None
            continue
        assert np.all((other.repeat_days > 0) == (other.active_days > 0))
        assert np.all(other.repeat_days <= other.active_days)
        assert np.all(other.active_days <= other.age_days)
        assert np.all(np.isfinite(classify_features.lean(other, np.full_like(other.recency_days, 0.5), classify_features.LEAN)))


def test_what_is_not_known_is_not_replaced() -> None:
    """A table without orders and money knows nothing of recent order days or spend."""
    buyers = _buyers([5, 9], [0, 20], [0, 2])
    usual = classify_buyers.typical(buyers, np.array([True, True]))
    assert usual["recent_order_days"] is None
    assert classify_buyers.replaced(buyers, "recent_order_days", usual) is None
    assert classify_buyers.replaced(buyers, "spend_per_order_day", usual) is None


def test_log_odds_are_finite_at_certainty() -> None:
    """Probabilities 0 and 1 have large finite log-odds of opposite sign."""
    low, middle, high = classify_features.log_odds(np.array([0.0, 0.5, 1.0]))
    assert middle == 0.0
    assert low == pytest.approx(-high)
    assert 13 < high < 14
