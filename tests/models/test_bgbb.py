"""BG/BB: the published fit of the donations, its formulas against simulated donors, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.models import bgbb
from clm.models.bgbb import PARAMETERS, BgbbParams, FitError
from clm.models.fitting import maximise

Donors = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def given_values(*values: float) -> BgbbParams:
    named = dict(zip(PARAMETERS, values, strict=True))
    return BgbbParams(named, dict.fromkeys(PARAMETERS), None, -1.0, 9.0, True, True, 1.0, ())


@pytest.fixture(scope="module")
def donations(shared_data: Path) -> Donors:
    """The 1995 cohort of a US charity: 11,104 donors in 22 histories of 6 years, with their counts."""
    with (shared_data / "donations" / "donations.csv").open(encoding="utf-8") as file:
        rows = [
            tuple(float(row[name]) for name in ("frequency", "recency", "periods", "weights")) for row in csv.DictReader(file)
        ]
    x, last, n, weights = np.array(rows).T
    return x, last, n, weights


@pytest.fixture(scope="module")
def fitted(donations: Donors) -> BgbbParams:
    return bgbb.fit(*donations)


def made_up(size: int = 400, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Donors with 0 to 9 chances, lived through one by one."""
    rng = np.random.default_rng(seed)
    n = rng.integers(0, 10, size)
    orders, leaves = rng.beta(1.0, 1.5, size), rng.beta(0.8, 4.0, size)
    there, x, last = np.ones(size, dtype=bool), np.zeros(size), np.zeros(size)
    for chance in range(1, 10):
        there &= rng.random(size) >= leaves
        takes = there & (chance <= n) & (rng.random(size) < orders)
        x += takes
        last = np.where(takes, chance, last)
    return x, last, n.astype(float)


def test_fader_hardie_shang_2010_donations(donations: Donors, fitted: BgbbParams) -> None:
    """Fader, Hardie & Shang 2010: alpha 1.2035, beta .7497, gamma .6567, delta 2.7834, log-likelihood -33225.581."""
    assert list(fitted.parameters.values()) == pytest.approx((1.2035, 0.7497, 0.6567, 2.7834), abs=0.00006)
    assert fitted.log_likelihood == pytest.approx(-33225.581, abs=0.0006)
    assert (fitted.customers, fitted.identified, fitted.converged, fitted.notes) == (11104, True, True, ())
    assert fitted.likelihood_ratio > 4000


def test_donations_of_the_next_five_years(donations: Donors, fitted: BgbbParams) -> None:
    """The sum of expected donations at the next 5 chances is 12884.2; .07 for who never gave again, 3.75 for who always did."""
    x, last, n, weights = donations
    expected = bgbb.expected_orders(fitted, x, last, n, 5)
    assert weights @ expected == pytest.approx(12884.2, abs=0.05)
    assert bgbb.expected_orders(fitted, [0, 6], [0, 6], [6, 6], 5).tolist() == pytest.approx([0.07, 3.75], abs=0.005)
    assert bgbb.p_alive(fitted, [0, 6], [0, 6], [6, 6]).tolist() == pytest.approx([0.11, 0.93], abs=0.005)


def test_lifetimes_agrees(donations: Donors) -> None:
    """The printed closed form, as another program computes it, equals the sum over the chances ahead."""
    from clm.models.via_lifetimes import _airlock

    x, last, n, _ = donations
    params = given_values(1.2035, 0.7497, 0.6567, 2.7834)
    with _airlock() as lifetimes:
        fitter = lifetimes.BetaGeoBetaBinomFitter()
        fitter.params_ = params.parameters
        orders = fitter.conditional_expected_number_of_purchases_up_to_time(5, x, last, n)
        alive = fitter.conditional_probability_alive(1, x, last, n)
    assert bgbb.expected_orders(params, x, last, n, 5) == pytest.approx(np.asarray(orders), rel=1e-9)
    assert bgbb.p_alive(params, x, last, n) == pytest.approx(np.asarray(alive), rel=1e-9)


def test_gradient_is_the_central_difference() -> None:
    """The analytic gradient equals central differences to 1e-6 at 20 random points, with and without drop-out."""
    known = bgbb._distinct(*made_up())
    rng = np.random.default_rng(1)
    for function, size in ((bgbb._objective(known), 4), (bgbb._beta_binomial(known), 2)):
        for _ in range(20):
            point = rng.uniform(-2.0, 2.0, size)
            for index, step in enumerate(np.eye(size) * 1e-5):
                slope = (function(point + step)[0] - function(point - step)[0]) / 2e-5
                assert function(point)[1][index] == pytest.approx(slope, abs=1e-6, rel=1e-6)


def test_tuples_equal_rows(donations: Donors, fitted: BgbbParams) -> None:
    """One row a donor gives the same fit as histories with their counts, to 1e-8."""
    *history, weights = donations
    rows = bgbb.fit(*(np.repeat(values, weights.astype(int)) for values in history))
    assert list(rows.parameters.values()) == pytest.approx(list(fitted.parameters.values()), rel=1e-8)


def test_random_starts_reach_the_same_optimum(donations: Donors, fitted: BgbbParams) -> None:
    """20 random starts end within .01 of the log-likelihood that fit finds."""
    function = bgbb._objective(bgbb._distinct(*donations))
    rng = np.random.default_rng(5)
    for _ in range(20):
        found = maximise(function, [rng.uniform(-2.5, 2.5, 4)], 11104)
        assert fitted.log_likelihood - found.mean_log_likelihood * 11104 < 0.01


def test_standard_errors_are_those_of_the_numerical_hessian(donations: Donors, fitted: BgbbParams) -> None:
    """Second differences of the likelihood, summed term by term in plain Python, inverted, give the same standard errors."""
    from scipy.special import betaln

    x, last, n, weights = donations

    def total(theta: np.ndarray) -> float:
        alpha, beta, gamma, delta = theta
        summed = np.zeros_like(x)
        for row in range(x.size):
            term = np.exp(betaln(alpha + x[row], beta + n[row] - x[row]) + betaln(gamma, delta + n[row]))
            for i in range(int(n[row] - last[row])):
                ordering = betaln(alpha + x[row], beta + last[row] - x[row] + i)
                term += np.exp(ordering + betaln(gamma + 1, delta + last[row] + i))
            summed[row] = np.log(term) - betaln(alpha, beta) - betaln(gamma, delta)
        return float(weights @ summed)

    best = fitted.values()
    assert total(best) == pytest.approx(fitted.log_likelihood, abs=1e-7)
    steps = np.diag(best * 1e-3)
    curvature = np.array([
        [(total(best + a + b) - total(best + a - b) - total(best - a + b) + total(best - a - b)) / (4 * a.sum() * b.sum())
         for b in steps] for a in steps
    ])  # fmt: skip
    errors = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    assert list(fitted.standard_errors.values()) == pytest.approx(errors.tolist(), rel=0.001)


def test_forecasts_match_simulated_donors() -> None:
    """400,000 simulated lives, grouped by history: alive, returning and giving donors are as many as forecast."""
    rng = np.random.default_rng(11)
    size, n, ahead = 400_000, 5, 4
    orders, leaves = rng.beta(1.2, 0.9, size), rng.beta(0.7, 2.8, size)
    there, x, last = np.ones(size, dtype=bool), np.zeros(size), np.zeros(size)
    later = np.zeros(size)
    at_next = there
    for chance in range(1, n + ahead + 1):
        there = there & (rng.random(size) >= leaves)
        takes = there & (rng.random(size) < orders)
        if chance <= n:
            x += takes
            last = np.where(takes, chance, last)
        else:
            later += takes
        if chance == n + 1:
            at_next = there
    params = given_values(1.2, 0.9, 0.7, 2.8)
    for history in [(0, 0), (1, 1), (1, 5), (3, 4), (5, 5)]:
        group = (x == history[0]) & (last == history[1])
        one = ([history[0]], [history[1]], [n])
        tolerance = 4.5 / np.sqrt(group.sum())
        assert later[group].mean() == pytest.approx(
            bgbb.expected_orders(params, *one, ahead)[0], abs=tolerance * later[group].std()
        )
        assert (later > 0)[group].mean() == pytest.approx(bgbb.p_return(params, *one, ahead)[0], abs=tolerance * 0.5)
        assert at_next[group].mean() == pytest.approx(bgbb.p_alive(params, *one)[0], abs=tolerance * 0.5)


def test_donors_with_different_numbers_of_chances_give_their_parameters_back() -> None:
    """40,000 simulated donors of all ages: the truth within four standard errors."""
    found = bgbb.fit(*made_up(40_000, 4))
    for name, truth in zip(PARAMETERS, (1.0, 1.5, 0.8, 4.0), strict=True):
        assert abs(found.parameters[name] - truth) < 4 * (found.standard_errors[name] or 0.0)


def test_donors_who_never_leave_are_not_identified() -> None:
    """Without drop-out in the data the fit says so and its forecasts are those of the beta-binomial."""
    rng = np.random.default_rng(6)
    takes = rng.random((4000, 8)) < rng.beta(1.0, 1.0, (4000, 1))
    last = np.where(takes.any(axis=1), 8 - np.argmax(takes[:, ::-1], axis=1), 0)
    fitted = bgbb.fit(takes.sum(axis=1), last, np.full(4000, 8))
    assert not fitted.identified
    assert "attrition_not_identified" in fitted.notes
    expected = bgbb.expected_orders(fitted, takes.sum(axis=1), last, np.full(4000, 8), 3)
    assert expected.sum() == pytest.approx(4000 * 1.5, rel=0.05)


@pytest.mark.parametrize("history", [([], [], []), ([0, 0], [0, 0], [6, 3]), ([0], [0], [0])])
def test_nobody_ordered_again(history: tuple[list[int], list[int], list[int]]) -> None:
    """No donors, or none who gave again: FitError no_repeat_orders."""
    with pytest.raises(FitError) as failure:
        bgbb.fit(*history)
    assert failure.value.code == "no_repeat_orders"


@pytest.mark.parametrize(
    "history", [([1], [1], [1]), ([6] * 50, [6] * 50, [6] * 50), ([1, 0], [1, 0], [1, 0]), ([3000], [3000], [3000])]
)
def test_tiny_and_degenerate_bases_give_finite_records(history: tuple[list[int], list[int], list[int]]) -> None:
    """One donor, all equal, everybody at the last chance: a finite record that says it identifies nothing."""
    fitted = bgbb.fit(*history)
    assert BgbbParams.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False))) == fitted
    assert not fitted.identified
    assert np.isfinite(bgbb.expected_orders(fitted, *history, 5)).all()


@settings(max_examples=100, deadline=None)
@given(
    logs=st.tuples(*[st.floats(-9, 9)] * 4),
    x=st.integers(0, 300),
    gap=st.integers(0, 300),
    quiet=st.integers(0, 3000),
    horizon=st.integers(0, 60),
)
def test_any_parameters_and_history_give_finite_forecasts(
    logs: tuple[float, ...], x: int, gap: int, quiet: int, horizon: int
) -> None:
    """Parameters over eight orders of magnitude (gamma = 1 is no pole): P within 0 and 1, P(return) <= E <= horizon."""
    last = x + gap if x else 0
    history = ([x], [last], [last + quiet])
    params = given_values(*np.exp(logs))
    orders = bgbb.expected_orders(params, *history, horizon)[0]
    returns, alive = bgbb.p_return(params, *history, horizon)[0], bgbb.p_alive(params, *history)[0]
    assert 0.0 <= alive <= 1.0
    assert 0.0 <= returns <= 1.0
    assert returns - 1e-9 <= orders * (1 + 1e-6)
    assert orders <= horizon * alive * (1 + 1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: bgbb.fit([1], [2], [1]),
        lambda: bgbb.fit([3], [2], [6]),
        lambda: bgbb.fit([1], [0], [6]),
        lambda: bgbb.fit([0], [3], [6]),
        lambda: bgbb.fit([0.5], [1], [6]),
        lambda: bgbb.fit([np.nan], [1], [6]),
        lambda: bgbb.fit([1], [1], [6, 7]),
        lambda: bgbb.fit([1], [1], [6], [0]),
        lambda: bgbb.expected_orders(given_values(1, 1, 1, 1), [1], [1], [6], -1),
        lambda: bgbb.p_return(given_values(1, 1, 1, 1), [1], [1], [6], 1.5),  # type: ignore[arg-type]
    ],
)
def test_impossible_arguments_are_refused(call: Callable[[], object]) -> None:
    """More orders than chances, a last order after the last chance, parts of chances: ValueError."""
    with pytest.raises(ValueError, match=r"customer 0|same length|weights|horizon"):
        call()


def test_a_record_survives_json_and_bad_ones_are_refused(fitted: BgbbParams) -> None:
    """An equal record comes back; a wrong entry is named."""
    document = fitted.to_json()
    assert BgbbParams.from_json(json.loads(json.dumps(document, allow_nan=False))) == fitted
    for key, value in [
        ("parameters", {**fitted.parameters, "delta": 0.0}),
        ("parameters", {"alpha": 1.0}),
        ("standard_errors", {**fitted.standard_errors, "alpha": -1.0}),
        ("log_likelihood", float("inf")),
        ("likelihood_ratio", None),
        ("covariance_log", [[1.0]]),
        ("converged", "yes"),
        ("notes", ["few_repeat_buyers"]),
    ]:
        with pytest.raises(ValueError, match="BG/BB model"):
            BgbbParams.from_json({**document, key: value})
