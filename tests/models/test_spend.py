"""Gamma-Gamma against its published figures and laws; refusals; the shrunken mean."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literature import Customers

from clm.models import spend
from clm.models.fitting import maximise
from clm.models.spend import FitError, SpendParams


@pytest.fixture(scope="module")
def fitted(cdnow: Customers) -> SpendParams:
    return spend.fit(cdnow.x, cdnow.mean_repeat)


def gamma_gamma(p: float, q: float, gamma: float, observed: float = 30.0) -> SpendParams:
    """A record with given parameters."""
    parameters = {"p": p, "q": q, "gamma": gamma}
    errors: dict[str, float | None] = dict.fromkeys(parameters)
    mean = spend.population_mean(parameters)
    return SpendParams(parameters, errors, None, -1.0, mean, observed, None, True, True, 10, ())


def test_cdnow_gamma_gamma(fitted: SpendParams) -> None:
    """Fader & Hardie 2013 note 025: n = 946, p 6.250, q 3.744, gamma 15.444, log-likelihood -4055.9177."""
    assert fitted.customers == 946
    assert list(fitted.parameters.values()) == pytest.approx((6.250, 3.744, 15.444), rel=0.002)
    assert fitted.log_likelihood == pytest.approx(-4055.9177, abs=0.0005)
    assert fitted.correlation == pytest.approx(0.11388, abs=0.00002)
    assert fitted.converged
    assert fitted.identified
    assert fitted.notes == ()


def test_cdnow_expected_mean_values(cdnow: Customers, fitted: SpendParams) -> None:
    """Note 025: expected mean values of customers 1 to 10."""
    expected = spend.expected_mean_spend(fitted, cdnow.x, cdnow.mean_repeat)[:10]
    printed = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert expected.tolist() == pytest.approx(printed, abs=0.006)


def test_cdnow_rounded_means_of_the_summary_file(shared_data: Path) -> None:
    """The summary file's rounded means give -4055.9232, gamma 15.448, and 35.2530 as the mean over all customers."""
    name = "cdnow_customers_summary_with_transactions.csv"
    with (shared_data / "cdnow" / name).open(encoding="utf-8", newline="") as file:
        rows = [(float(row["x"]), float(row["zbar"])) for row in csv.DictReader(file)]
    x, m = np.array(rows).T
    rounded = spend.fit(x, m)
    assert rounded.log_likelihood == pytest.approx(-4055.9232, abs=0.0005)
    assert rounded.parameters["gamma"] == pytest.approx(15.448, abs=0.002)
    assert spend.expected_mean_spend(rounded, x, m).mean() == pytest.approx(35.2530, abs=0.0006)
    assert rounded.observed_mean == pytest.approx(35.0786, abs=0.0001)


def test_standard_errors_are_those_of_the_numerical_hessian(cdnow: Customers, fitted: SpendParams) -> None:
    """Second differences of the log-likelihood in p, q, gamma themselves, inverted, give the same standard errors."""
    from scipy.special import gammaln

    used = cdnow.x > 0
    x, m = cdnow.x[used], cdnow.mean_repeat[used]

    def total(theta: np.ndarray) -> float:
        p, q, g = theta
        terms = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(g)
        return float(np.sum(terms + (p * x - 1) * np.log(m) + p * x * np.log(x) - (p * x + q) * np.log(g + x * m)))

    best = fitted.values()
    assert total(best) == pytest.approx(fitted.log_likelihood, abs=1e-8)
    steps = np.diag(best * 1e-3)
    curvature = np.array([
        [(total(best + a + b) - total(best + a - b) - total(best - a + b) + total(best - a - b)) / (4 * a.sum() * b.sum())
         for b in steps] for a in steps
    ])  # fmt: skip
    errors = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    assert list(fitted.standard_errors.values()) == pytest.approx(errors.tolist(), rel=0.001)


def test_gradient_is_the_central_difference(cdnow: Customers) -> None:
    """The analytic gradient equals central differences to 1e-6 at 20 random points."""
    used = cdnow.x > 0
    function = spend._objective(cdnow.x[used], cdnow.mean_repeat[used] / 35.0)
    rng = np.random.default_rng(1)
    for _ in range(20):
        point = rng.uniform(-2.0, 2.0, 3)
        for index in range(3):
            step = np.zeros(3)
            step[index] = 1e-5
            slope = (function(point + step)[0] - function(point - step)[0]) / 2e-5
            assert function(point)[1][index] == pytest.approx(slope, abs=1e-6, rel=1e-6)


def test_random_starts_reach_the_same_optimum(cdnow: Customers, fitted: SpendParams) -> None:
    """20 random starts end within .01 of the log-likelihood that fit finds."""
    used = cdnow.x > 0
    x, m = cdnow.x[used], cdnow.mean_repeat[used]
    function = spend._objective(x, m / m.mean())
    best = function(np.log(fitted.values() / np.array([1.0, 1.0, m.mean()])))[0]
    rng = np.random.default_rng(5)
    for _ in range(20):
        found = maximise(function, [rng.uniform(-2.5, 2.5, 3)], x.size)
        assert (best - found.mean_log_likelihood) * x.size < 0.01


def test_many_customers_are_searched_in_a_sample_and_finished_in_full() -> None:
    """Beyond the search sample the optimum is still that of all customers, in whatever order they come."""
    rng = np.random.default_rng(4)
    x = rng.geometric(0.4, 80_000).astype(float)
    m = rng.gamma(6.0 * x, 15.0 / rng.gamma(3.7, 1.0, x.size)) / x
    for order in (np.arange(x.size), np.argsort(m), np.argsort(x, kind="stable")):
        found = spend.fit(x[order], m[order])
        unit = np.array([1.0, 1.0, m.mean()])
        assert np.abs(spend._objective(x, m / m.mean())(np.log(found.values() / unit))[1]).max() < 1e-9


@pytest.mark.parametrize("unit", [0.01, 7.2, 1e6])
def test_currency_does_not_matter(cdnow: Customers, fitted: SpendParams, unit: float) -> None:
    """Cents or millions: gamma and every expectation scale with the money, p and q do not, to 1e-8."""
    other = spend.fit(cdnow.x, cdnow.mean_repeat * unit)
    assert other.parameters["p"] == pytest.approx(fitted.parameters["p"], rel=1e-8)
    assert other.parameters["gamma"] == pytest.approx(fitted.parameters["gamma"] * unit, rel=1e-8)
    expected = spend.expected_mean_spend(fitted, cdnow.x, cdnow.mean_repeat)
    found = spend.expected_mean_spend(other, cdnow.x, cdnow.mean_repeat * unit)
    assert found == pytest.approx(expected * unit, rel=1e-8)


def test_simulated_customers_give_their_parameters_back() -> None:
    """20,000 customers drawn from a Gamma-Gamma: estimates within four standard errors of the truth."""
    rng = np.random.default_rng(8)
    x = rng.integers(1, 12, 20_000).astype(float)
    nu = rng.gamma(3.0, 1.0 / 40.0, x.size)
    found = spend.fit(x, rng.gamma(5.0 * x, 1.0 / nu) / x)
    for name, truth in (("p", 5.0), ("q", 3.0), ("gamma", 40.0)):
        error = found.standard_errors[name]
        assert error is not None
        assert abs(found.parameters[name] - truth) < 4 * error


def test_one_time_buyers_are_left_out_of_the_fit_and_get_the_population_mean(cdnow: Customers, fitted: SpendParams) -> None:
    """x = 0 (mean spend null) is not fitted, and expects p gamma/(q - 1)."""
    expected = spend.expected_mean_spend(fitted, [0, 0], [np.nan, 99.0])
    assert expected.tolist() == [fitted.population_mean] * 2
    assert fitted.population_mean == pytest.approx(35.17, abs=0.005)


def test_without_population_mean_the_observed_one_stands_in() -> None:
    """q <= 1: the population mean is infinite, the record says no_population_mean, forecasts stay finite."""
    rng = np.random.default_rng(5)
    x = rng.integers(1, 6, 3000).astype(float)
    heavy = spend.fit(x, rng.gamma(2.0 * x, 1.0 / rng.gamma(0.6, 1.0, x.size)) / x)
    assert heavy.parameters["q"] < 1.0
    assert heavy.population_mean is None
    assert "no_population_mean" in heavy.notes
    record = gamma_gamma(0.2, 0.5, 20.0, observed=31.0)
    expected = spend.expected_mean_spend(record, [0, 1, 50], [np.nan, 10.0, 10.0])
    assert expected[:2].tolist() == [31.0, 31.0]
    assert 9.0 < expected[2] < 13.0


def test_more_returned_than_bought_counts_as_nothing_spent(fitted: SpendParams) -> None:
    """A negative mean is pulled up to 0, so an expected order value is never negative."""
    zero, below = spend.expected_mean_spend(fitted, [3, 3], [0.0, -50.0])
    assert zero == below > 0.0


@pytest.mark.parametrize(
    ("orders", "means", "code"),
    [
        ([], [], "few_spenders"),
        ([0] * 50, [np.nan] * 50, "few_spenders"),
        ([1] * 9, list(range(1, 10)), "few_spenders"),
        ([2] * 50, [0.0] * 50, "few_spenders"),
        ([2] * 50, [19.9] * 50, "spend_constant"),
    ],
)
def test_data_without_spread_are_refused(orders: list[float], means: list[float], code: str) -> None:
    """Too few customers with spend, or all equal: FitError with a code and a sentence."""
    with pytest.raises(FitError) as failure:
        spend.fit(orders, means)
    assert failure.value.code == code
    assert failure.value.sentence


def test_nearly_constant_spend_is_refused_or_finite() -> None:
    """A spread of a millionth has no maximum inside the range: spend_degenerate, not an absurd fit."""
    means = 10.0 + np.linspace(0.0, 1e-6, 50)
    with pytest.raises(FitError) as failure:
        spend.fit(np.full(50, 2.0), means)
    assert failure.value.code == "spend_degenerate"


def test_spend_that_rises_with_orders_is_noted() -> None:
    """The model takes them as independent: correlation above .3 carries a note."""
    rng = np.random.default_rng(3)
    x = rng.integers(1, 20, 500).astype(float)
    found = spend.fit(x, x * rng.gamma(4.0, 1.0, 500))
    assert "spend_depends_on_orders" in found.notes


@pytest.mark.parametrize(
    ("orders", "means"), [([1, 2], [3.0]), ([-1], [3.0]), ([np.nan], [3.0]), ([2], [np.nan]), ([2], [np.inf])]
)
def test_impossible_arguments_are_refused(orders: list[float], means: list[float]) -> None:
    """Lengths that differ, negative counts, a buyer without a mean: ValueError everywhere."""
    record = gamma_gamma(6.0, 4.0, 15.0)
    for call in (lambda: spend.fit(orders, means), lambda: spend.expected_mean_spend(record, orders, means),
                 lambda: spend.shrunken_mean(orders, means)):  # fmt: skip
        with pytest.raises(ValueError, match=r"orders|mean"):
            call()


def test_a_record_survives_json_and_bad_ones_are_refused(fitted: SpendParams) -> None:
    """An equal record comes back; a wrong entry is named; the population mean is always worked out anew."""
    document = fitted.to_json()
    assert SpendParams.from_json(json.loads(json.dumps(document, allow_nan=False))) == fitted
    for key, value in [
        ("parameters", {"p": 1.0, "q": 2.0}),
        ("log_likelihood", float("inf")),
        ("notes", ["x"]),
        ("customers", 1.5),
    ]:
        with pytest.raises(ValueError, match="spend model"):
            SpendParams.from_json({**document, key: value})
    assert SpendParams.from_json({**document, "population_mean": 1e9}).population_mean == fitted.population_mean


def test_shrunken_mean_lies_between_own_and_all(cdnow: Customers) -> None:
    """Own mean pulled towards the mean of all, less with more orders; without orders the mean of all."""
    shrunk = spend.shrunken_mean(cdnow.x, cdnow.mean_repeat)
    overall = np.nanmean(cdnow.mean_repeat)
    own = cdnow.mean_repeat
    used = cdnow.x > 0
    assert shrunk[~used] == pytest.approx(overall)
    assert ((shrunk[used] - overall) * (own[used] - overall) >= -1e-9).all()
    assert (np.abs(shrunk[used] - overall) <= np.abs(own[used] - overall) + 1e-9).all()
    weights = ((shrunk - overall) / (own - overall))[used]
    assert np.corrcoef(weights, cdnow.x[used] / (cdnow.x[used] + 1))[0, 1] > 0.9


def test_shrunken_mean_of_hard_bases() -> None:
    """Nobody with spend: 0; all equal: that value; one customer: their own."""
    assert spend.shrunken_mean([], []).size == 0
    assert spend.shrunken_mean([0, 0], [np.nan, np.nan]).tolist() == [0.0, 0.0]
    assert spend.shrunken_mean([1, 5, 0], [7.0, 7.0, np.nan]).tolist() == [7.0, 7.0, 7.0]
    assert spend.shrunken_mean([3], [9.0]).tolist() == [9.0]


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3000), st.floats(-1e6, 1e9)), min_size=1, max_size=40),
    logs=st.tuples(st.floats(-6, 6), st.floats(-6, 6), st.floats(-6, 6)),
)
def test_expected_spend_is_finite_for_everybody(rows: list[tuple[int, float]], logs: tuple[float, float, float]) -> None:
    """Any parameters, any history: an expected order value that is finite and not negative; the shrunken mean likewise."""
    x, m = np.array(rows).T
    for values in (spend.expected_mean_spend(gamma_gamma(*np.exp(logs)), x, m), spend.shrunken_mean(x, m)):
        assert np.isfinite(values).all()
        assert (values >= 0.0).all()
