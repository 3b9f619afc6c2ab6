"""sBG: the published fits of two cohorts, its formulas against simulated contracts, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.models import sbg
from clm.models.fitting import maximise
from clm.models.sbg import FitError, SbgParams

HIGH_END = (131, 126, 90, 60, 42, 34, 26)
REGULAR = (369, 163, 86, 56, 37, 27, 21)


def given_values(alpha: float, beta: float) -> SbgParams:
    return SbgParams({"alpha": alpha, "beta": beta}, {"alpha": None, "beta": None}, None, -1.0, True, True, 1.0, ())


@pytest.mark.parametrize(
    ("lost", "parameters", "log_likelihood"),
    [(HIGH_END, (0.668, 3.806), -1611.158), (REGULAR, (0.704, 1.182), -1680.265)],
    ids=["High End", "Regular"],
)
def test_fader_hardie_2007_cohorts(lost: tuple[int, ...], parameters: tuple[float, ...], log_likelihood: float) -> None:
    """Fader & Hardie 2007: seven renewals of 1,000 "High End" and 1,000 "Regular" customers."""
    fitted = sbg.fit(*sbg.cohort(lost, 1000))
    assert list(fitted.parameters.values()) == pytest.approx(parameters, abs=0.0005)
    assert fitted.log_likelihood == pytest.approx(log_likelihood, abs=0.0005)
    assert (fitted.identified, fitted.converged, fitted.customers, fitted.notes) == (True, True, 1000, ())


@pytest.mark.parametrize(
    ("lost", "survivors"), [(HIGH_END, (0.869, 0.743, 0.653, 0.593)), (REGULAR, (0.631, 0.468, 0.382, 0.326))]
)
def test_survival_follows_the_cohort(lost: tuple[int, ...], survivors: tuple[float, ...]) -> None:
    """The fitted curve passes within two points of the survivors the paper plots, and retention rises with age."""
    fitted = sbg.fit(*sbg.cohort(lost, 1000))
    assert sbg.survival(fitted, [0, 1, 2, 3, 4]).tolist() == pytest.approx([1.0, *survivors], abs=0.02)
    assert (np.diff(sbg.retention(fitted, np.arange(1, 50))) > 0.0).all()


def test_gradient_is_the_central_difference() -> None:
    """The analytic gradient equals central differences to 1e-6 at 20 random points."""
    function = sbg._objective(*sbg._checked(*sbg.cohort(HIGH_END, 1000)))
    rng = np.random.default_rng(1)
    for _ in range(20):
        point = rng.uniform(-3.0, 3.0, 2)
        for index, step in enumerate(np.eye(2) * 1e-5):
            slope = (function(point + step)[0] - function(point - step)[0]) / 2e-5
            assert function(point)[1][index] == pytest.approx(slope, abs=1e-6, rel=1e-6)


def test_a_cohort_equals_its_customers() -> None:
    """One row a customer and the counts of a cohort give the same fit, to 1e-8."""
    renewals, left, counts = sbg.cohort(REGULAR, 1000)
    each = counts.astype(int)
    rows = sbg.fit(np.repeat(renewals, each), np.repeat(left, each))
    assert list(rows.parameters.values()) == pytest.approx(list(sbg.fit(renewals, left, counts).parameters.values()), rel=1e-8)


def test_random_starts_reach_the_same_optimum() -> None:
    """20 random starts end within .01 of the log-likelihood that fit finds."""
    data = sbg.cohort(HIGH_END, 1000)
    best = sbg.fit(*data).log_likelihood
    rng = np.random.default_rng(5)
    for _ in range(20):
        found = maximise(sbg._objective(*sbg._checked(*data)), [rng.uniform(-2.5, 2.5, 2)], 1000)
        assert best - found.mean_log_likelihood * 1000 < 0.01


def test_standard_errors_are_those_of_the_numerical_hessian() -> None:
    """Second differences of the plain formula in alpha and beta, inverted, give the same standard errors."""
    from scipy.special import betaln

    fitted = sbg.fit(*sbg.cohort(HIGH_END, 1000))

    def total(theta: np.ndarray) -> float:
        alpha, beta = theta
        t = np.arange(1, 8)
        left = betaln(alpha + 1, beta + t - 1) - betaln(alpha, beta)
        return float(np.array(HIGH_END) @ left + (1000 - sum(HIGH_END)) * (betaln(alpha, beta + 7) - betaln(alpha, beta)))

    best = np.array(list(fitted.parameters.values()))
    assert total(best) == pytest.approx(fitted.log_likelihood, abs=1e-8)
    steps = np.diag(best * 1e-3)
    curvature = np.array([
        [(total(best + a + b) - total(best + a - b) - total(best - a + b) + total(best - a - b)) / (4 * a.sum() * b.sum())
         for b in steps] for a in steps
    ])  # fmt: skip
    errors = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    assert list(fitted.standard_errors.values()) == pytest.approx(errors.tolist(), rel=0.001)


def test_formulas_match_simulated_contracts() -> None:
    """200,000 simulated contracts: survival, retention and the renewals still to come are as many as the formulas say."""
    rng = np.random.default_rng(3)
    lasts = rng.geometric(np.clip(rng.beta(0.8, 2.5, 200_000), 1e-9, 1.0))  # leaves at this renewal
    params = given_values(0.8, 2.5)
    for t in (1, 3, 8):
        stayed = lasts > t
        assert stayed.mean() == pytest.approx(sbg.survival(params, t)[0], abs=0.005)
        assert (lasts > t + 1)[stayed].mean() == pytest.approx(sbg.retention(params, t + 1)[0], abs=0.007)
        renewed = np.minimum(lasts[stayed] - 1 - t, 10)
        assert renewed.mean() == pytest.approx(sbg.expected_renewals(params, t, 10)[0], abs=0.06)


def test_contracts_of_all_ages_give_their_parameters_back() -> None:
    """20,000 contracts with 0 to 12 renewals behind them: the truth within four standard errors."""
    rng = np.random.default_rng(8)
    due = rng.integers(0, 13, 20_000)
    lasts = rng.geometric(np.clip(rng.beta(1.5, 4.0, due.size), 1e-9, 1.0))
    fitted = sbg.fit(np.minimum(lasts, due), lasts <= due)
    for name, truth in (("alpha", 1.5), ("beta", 4.0)):
        assert abs(fitted.parameters[name] - truth) < 4 * (fitted.standard_errors[name] or 0.0)


@pytest.mark.parametrize(
    ("renewals", "left", "code"),
    [([], [], "nobody_left"), ([3, 5, 0], [False] * 3, "nobody_left"), ([1, 1, 1], [True] * 3, "nobody_stayed")],
)
def test_data_that_tell_nothing_are_refused(renewals: list[int], left: list[bool], code: str) -> None:
    """No contract at all, nobody left, everybody left at once: FitError with a code."""
    with pytest.raises(FitError) as failure:
        sbg.fit(renewals, left)
    assert failure.value.code == code


def test_customers_who_are_all_alike_are_not_identified() -> None:
    """A cohort that loses the same share every year has no spread of chances: the fit is finite and says so."""
    lost = [2500, 1875, 1406, 1055, 791, 593, 445]
    fitted = sbg.fit(*sbg.cohort(lost, 10_000))
    assert not fitted.identified
    assert "parameters_not_identified" in fitted.notes
    assert sbg.retention(fitted, [1, 7]).tolist() == pytest.approx([0.75, 0.75], abs=0.002)
    json.dumps(fitted.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    "call",
    [
        lambda: sbg.fit([1, 2], [True]),
        lambda: sbg.fit([0], [True]),
        lambda: sbg.fit([1.5], [True]),
        lambda: sbg.fit([-1], [False]),
        lambda: sbg.fit([np.nan], [False]),
        lambda: sbg.fit([1], [True], [0]),
        lambda: sbg.cohort([600, 600], 1000),
        lambda: sbg.cohort([-1], 1000),
        lambda: sbg.retention(given_values(1, 1), 0),
        lambda: sbg.expected_renewals(given_values(1, 1), 3, -1),
    ],
)
def test_impossible_arguments_are_refused(call: Callable[[], object]) -> None:
    """Lengths that differ, parts of renewals, more lost than there were: ValueError."""
    with pytest.raises(ValueError, match=r"renewal|weights|lost"):
        call()


@settings(max_examples=100, deadline=None)
@given(logs=st.tuples(st.floats(-12, 12), st.floats(-12, 12)), t=st.integers(0, 3000), horizon=st.integers(0, 400))
def test_any_parameters_give_finite_forecasts(logs: tuple[float, float], t: int, horizon: int) -> None:
    """Probabilities stay within 0 and 1 and fall with time; renewals to come stay within the horizon."""
    params = given_values(*np.exp(logs))
    curve = sbg.survival(params, [0, t, t + 1, t + horizon + 1])
    assert ((curve >= 0.0) & (curve <= 1.0)).all()
    assert (np.diff(curve) <= 1e-12).all()
    assert 0.0 <= sbg.expected_renewals(params, t, horizon)[0] <= horizon


def test_a_record_survives_json_and_bad_ones_are_refused() -> None:
    """An equal record comes back; a wrong entry is named."""
    fitted = sbg.fit(*sbg.cohort(REGULAR, 1000))
    document = fitted.to_json()
    assert SbgParams.from_json(json.loads(json.dumps(document, allow_nan=False))) == fitted
    for key, value in [
        ("parameters", {"alpha": 1.0}),
        ("parameters", {"alpha": -1.0, "beta": 1.0}),
        ("log_likelihood", float("nan")),
        ("identified", 1),
        ("customers", "many"),
        ("covariance_log", [[1.0, 2.0], [2.0, 1.0]]),
        ("notes", ["x"]),
        ("extra", 1),
    ]:
        with pytest.raises(ValueError, match="sBG model"):
            SbgParams.from_json({**document, key: value})
