"""Scores of forecasts: known values, ties, undefined scores, and independence of the order of rows."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literature import Customers

from clm.models import baselines, btyd, evaluate
from clm.models.evaluate import capture, deciles, normalised_gini, poisson_deviance, score, spearman

counts = st.integers(0, 6).map(float)
pairs = st.lists(st.tuples(st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.5]), counts), min_size=1, max_size=60)


def test_scores_of_four_customers() -> None:
    """Worked by hand: bias, RMSE, MAE, MSLE, deviance of forecasts 1, 0, 2, 1 for outcomes 2, 0, 1, 1."""
    found = score("bgnbd", "model", "1997-09-30", 273, [1, 0, 2, 1], [2, 0, 1, 1])
    assert (found.actual_total, found.predicted_total, found.bias) == (4.0, 4.0, 0.0)
    assert found.rmse == pytest.approx(math.sqrt(0.5))
    assert found.mae == 0.5
    assert found.msle == pytest.approx((math.log(2 / 3) ** 2 + math.log(3 / 2) ** 2) / 4)
    deviance = 2 * (2 * math.log(2) - 1) + 2 * 0.0005 + 2 * (math.log(1 / 2) + 1) + 0
    assert found.poisson_deviance == pytest.approx(deviance / 4)
    assert (found.customers, found.horizon_days, found.origin) == (4, 273, "1997-09-30")


def test_cdnow_scores_of_models_and_naive_rules(cdnow: Customers) -> None:
    """39-week holdout: MAE .7855 (BG) and .7545 (Pareto), zero 1882/2357; the own rate forecasts 2930 of 1,882."""
    for family, mae in (("bgnbd", 0.7855), ("paretonbd", 0.7545)):
        forecast = btyd.expected_orders(btyd.fit(family, *cdnow.history), *cdnow.history, 273)
        assert score(family, "model", "1997-09-30", 273, forecast, cdnow.later).mae == pytest.approx(mae, abs=0.0005)
    nothing = score("zero", "baseline", "1997-09-30", 273, baselines.zero(2357), cdnow.later)
    assert nothing.mae == pytest.approx(1882 / 2357)
    assert nothing.bias == -1.0
    rate = score("rate", "baseline", "1997-09-30", 273, baselines.own_rate(cdnow.x, cdnow.age, 273), cdnow.later)
    assert rate.predicted_total == pytest.approx(2930, abs=1)
    assert rate.bias == pytest.approx(0.56, abs=0.005)


def test_a_forecast_of_zero_counts_as_half_an_order_per_thousand() -> None:
    """Zero and .0005 score alike, so one order does not make the deviance infinite."""
    assert poisson_deviance([0, 0], [0, 3]) == poisson_deviance([0.0005, 0.0005], [0, 3])
    assert poisson_deviance([-4], [1]) == poisson_deviance([0], [1])
    assert poisson_deviance([3, 1], [3, 1]) == 0.0
    with pytest.raises(ValueError, match="0 or more"):
        poisson_deviance([1], [-1])


def test_money_has_no_deviance() -> None:
    """Spend may be negative after returns: the deviance is left out, the other scores stand."""
    found = score("rate", "baseline", "2011-09-09", 90, [10.0, 0.0, 5.0], [12.5, -3.0, 0.0], counts=False)
    assert found.poisson_deviance is None
    assert found.bias == pytest.approx(15 / 9.5 - 1)
    json.dumps(found.to_json(), allow_nan=False)


def test_gini_of_constant_and_perfect_forecasts() -> None:
    """A constant forecast has normalised Gini 0, a perfect one 1, its reverse -1."""
    actual = [0, 0, 0, 1, 1, 4]
    assert normalised_gini([2] * 6, actual) == 0.0
    assert normalised_gini(actual, actual) == 1.0
    assert normalised_gini([10 * value + 3 for value in actual], actual) == 1.0
    assert normalised_gini([-value for value in actual], actual) == pytest.approx(-1.0)


def test_gini_draws_the_lorenz_curve_straight_across_ties() -> None:
    """Half of the customers tied at the top: the area under two straight pieces, over that of the perfect order."""
    forecast, actual = [1, 1, 0, 0], [4, 0, 1, 0]

    def area(values: list[float]) -> float:
        shares = np.concatenate([[0.0], np.cumsum(values)]) / np.sum(values)
        return float(np.trapezoid(shares, dx=1.0 / len(values)) - 0.5)

    assert normalised_gini(forecast, actual) == pytest.approx(area([2, 2, 0.5, 0.5]) / area([4, 1, 0, 0]))


def test_capture_shares_ties_at_the_edge() -> None:
    """The top half of four, two of three tied customers at its edge: each tied customer counts in proportion."""
    assert capture([3, 1, 1, 1], [4, 3, 0, 3], 0.5) == pytest.approx((4 + 2.0) / 10)
    assert capture([7] * 5, [1, 2, 3, 4, 5], 0.2) == pytest.approx(0.2)
    assert capture([5, 4, 3, 2, 1], [5, 4, 3, 2, 1], 0.2) == pytest.approx(5 / 15)
    assert capture([5, 4, 3], [9, 0, 0], 0.1) == pytest.approx(0.3)


def test_spearman_equals_scipy_with_ties() -> None:
    """Average ranks, as in scipy, which takes them as the definition."""
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    forecast, actual = rng.integers(0, 5, 200), rng.integers(0, 4, 200)
    assert spearman(forecast, actual) == pytest.approx(spearmanr(forecast, actual).statistic, abs=1e-12)


def test_undefined_scores_are_none() -> None:
    """A constant ranking, nothing bought, one customer: None, not NaN."""
    nothing = score("mean", "baseline", "2011-09-09", 90, [1.0, 1.0], [0, 0])
    assert (nothing.bias, nothing.spearman, nothing.gini, nothing.capture_10) == (None, None, None, None)
    single = score("mean", "baseline", "2011-09-09", 90, [1.0], [2])
    assert (single.spearman, single.gini) == (None, None)
    json.dumps([nothing.to_json(), single.to_json()], allow_nan=False)


def test_deciles_rise_and_keep_the_totals() -> None:
    """Ten groups of equal size, highest forecast first, whose means add up to the totals."""
    rng = np.random.default_rng(1)
    forecast = rng.gamma(0.5, 2.0, 995)
    actual = rng.poisson(forecast)
    table = deciles(forecast, actual)
    assert [row.decile for row in table] == list(range(1, 11))
    assert {row.customers for row in table} == {99, 100}
    predicted = [row.predicted_mean for row in table]
    assert predicted == sorted(predicted, reverse=True)
    assert sum(row.customers * row.actual_mean for row in table) == pytest.approx(actual.sum())
    assert sum(row.customers * row.predicted_mean for row in table) == pytest.approx(forecast.sum())


def test_deciles_of_tied_forecasts_share_the_outcome() -> None:
    """When everybody has the same forecast every decile has the same outcome, whoever stands first."""
    table = deciles([1.0] * 20, [20.0] + [0.0] * 19)
    assert {row.actual_mean for row in table} == {1.0}
    assert len(deciles([1, 2, 3], [1, 2, 3])) == 3


@pytest.mark.parametrize(("predicted", "actual"), [([], []), ([1], [1, 2]), ([math.nan], [1]), ([1], [math.inf]), ([[1]], [[1]])])
def test_impossible_arguments_are_refused(predicted: list[float], actual: list[float]) -> None:
    """No customers, different lengths, NaN: ValueError."""
    with pytest.raises(ValueError, match="predicted and actual"):
        score("x", "model", "2011-09-09", 90, predicted, actual)


@settings(max_examples=150, deadline=None)
@given(rows=pairs, seed=st.integers(0, 1000))
def test_scores_do_not_depend_on_the_order_of_rows(rows: list[tuple[float, float]], seed: int) -> None:
    """Shuffled customers have the same scores and deciles; every number is finite and in its range."""
    forecast, actual = np.array(rows).T
    shuffle = np.random.default_rng(seed).permutation(len(rows))
    first = score("x", "model", "2011-09-09", 90, forecast, actual)
    second = score("x", "model", "2011-09-09", 90, forecast[shuffle], actual[shuffle])
    for name, value in first.to_json().items():
        assert second.to_json()[name] == (pytest.approx(value, abs=1e-9) if isinstance(value, float) else value)
    for one, other in zip(deciles(forecast, actual), deciles(forecast[shuffle], actual[shuffle]), strict=True):
        assert one.actual_mean == pytest.approx(other.actual_mean)
    for value, low in ((first.spearman, -1.0), (first.gini, -1.0), (first.capture_10, 0.0), (first.capture_20, 0.0)):
        assert value is None or low - 1e-12 <= value <= 1.0 + 1e-12
    assert first.poisson_deviance is not None
    assert first.poisson_deviance >= 0.0


@settings(max_examples=60, deadline=None)
@given(actual=st.lists(counts, min_size=2, max_size=40))
def test_the_perfect_forecast_wins(actual: list[float]) -> None:
    """No error, no deviance beyond the floor, and the best ranking there is."""
    best = score("x", "model", "2011-09-09", 90, actual, actual)
    assert best.rmse == best.mae == best.msle == 0.0
    assert best.poisson_deviance == pytest.approx(0.001 * np.mean(np.array(actual) == 0.0))
    if best.gini is not None:
        assert best.gini == 1.0
        assert best.spearman == pytest.approx(1.0)


def test_ranks_share_their_mean() -> None:
    """Equal values get the mean of the ranks they fill."""
    assert evaluate.average_ranks([3, 1, 3, 0]).tolist() == [3.5, 2.0, 3.5, 1.0]
