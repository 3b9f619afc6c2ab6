"""The churn candidates one by one: what each learns, that it is finite, and that it is what scikit-learn would say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from clm.models import classify, classify_scores
from clm.models.classify import PENALTY, Calibration, Hiatus


def _noisy(customers: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A matrix of three features, the last constant, and labels that follow the first two."""
    random = np.random.default_rng(seed)
    matrix = np.column_stack([random.normal(3.0, 2.0, customers), random.normal(size=customers), np.full(customers, 7.0)])
    odds = 0.8 * matrix[:, 0] - 1.5 * matrix[:, 1] - 2.0
    return matrix, (random.random(customers) < 1 / (1 + np.exp(-odds))).astype(float)


def test_logistic_is_scikit_learn_to_twelve_digits() -> None:
    """Our predictor, from numbers that went through JSON, equals predict_proba of the same fit to 1e-12."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    matrix, label = _noisy(3_000)
    fitted = classify.fit_logistic([matrix[:1_000], matrix[1_000:]], [label[:1_000], label[1_000:]], ("a", "b", "c"))
    record = json.loads(json.dumps(fitted.to_json(), allow_nan=False))
    numbers = [tuple(record[key]) for key in ("features", "means", "scales", "coefficients")]
    read = classify.Logistic(*numbers, record["intercept"])
    scaled = StandardScaler().fit_transform(matrix)
    oracle = LogisticRegression(C=1 / (PENALTY * 3_000), solver="newton-cholesky", tol=1e-10, max_iter=200).fit(scaled, label)
    ours = classify.predict_logistic(read, matrix)
    assert np.max(np.abs(ours - oracle.predict_proba(scaled)[:, 1])) < 1e-12
    assert read.coefficients[2] == 0.0


def test_logistic_at_its_optimum() -> None:
    """The gradient of the penalised mean log-loss is zero, whoever minimised it."""
    matrix, label = _noisy(800, seed=3)
    fitted = classify.fit_logistic([matrix], [label], ("a", "b", "c"))
    scaled = (matrix - np.array(fitted.means)) / np.array(fitted.scales)
    error = classify.predict_logistic(fitted, matrix) - label
    assert abs(error.mean()) < 1e-8
    assert np.max(np.abs(scaled.T @ error / 800 + PENALTY * np.array(fitted.coefficients))) < 1e-8


def test_hiatus_ranks_by_silence_and_knows_its_cut_off() -> None:
    """Silence raises the risk without ties, and the cut-off is the first day on which leaving is likelier than not."""
    silence = np.repeat(np.arange(1.0, 201.0), 10)
    left = (np.random.default_rng(1).random(silence.size) < silence / 200.0).astype(float)
    rule = classify.fit_hiatus(silence, left)
    risk = classify.logistic(rule.intercept + rule.slope * np.log1p(np.arange(0.0, 400.0)))
    assert np.all(np.diff(risk) > 0)
    assert rule.cutoff_days is not None
    assert risk[rule.cutoff_days] >= 0.5 > risk[rule.cutoff_days - 1]
    assert 60 < rule.cutoff_days < 140
    assert classify_scores.auc(risk[silence.astype(int)], left) == classify_scores.auc(silence, left)


def test_hiatus_where_silence_tells_nothing() -> None:
    """Silence that goes with staying is no hiatus rule: everybody gets the base rate."""
    silence = np.repeat([10.0, 100.0], 100)
    left = np.concatenate([np.repeat([1.0, 0.0], [80, 20]), np.repeat([1.0, 0.0], [20, 80])])
    rule = classify.fit_hiatus(silence, left)
    assert rule.slope == 0.0
    assert classify.logistic(np.array([rule.intercept]))[0] == pytest.approx(0.5)
    assert Hiatus(-2.0, 0.0).cutoff_days is None
    assert Hiatus(2.0, 0.0).cutoff_days == 0
    assert Hiatus(-200.0, 1.0).cutoff_days is None


@pytest.mark.parametrize("left", [0.0, 1.0])
def test_hiatus_with_one_outcome_is_finite(left: float) -> None:
    """A past in which everybody left, or nobody, gives a finite rule close to that outcome."""
    rule = classify.fit_hiatus(np.arange(50.0), np.full(50, left))
    risk = classify.logistic(rule.intercept + rule.slope * np.log1p(np.arange(50.0)))
    assert np.all(np.abs(risk - left) < 0.05)


def test_separated_silence_is_finite() -> None:
    """Silence that separates those who left from those who stayed does not send the slope to infinity."""
    rule = classify.fit_hiatus(np.arange(100.0), (np.arange(100) >= 50).astype(float))
    assert np.isfinite([rule.intercept, rule.slope]).all()
    assert rule.cutoff_days == 50


def test_return_family_needs_a_hundred_repeat_customers() -> None:
    """99 customers with a second day are too few to fit; 100 are enough."""
    repeat = np.repeat([1.0, 0.0], [99, 500])
    assert classify.fit_return(repeat, repeat * 30, np.full(599, 100.0)) is None
    repeat = np.append(repeat, 1.0)
    assert classify.fit_return(repeat, repeat * 30, np.full(600, 100.0)) is not None


def test_return_falls_back_to_nbd_where_nobody_leaves() -> None:
    """Buyers simulated without drop-out: attrition is not identified, so the plain NBD gives the return probability."""
    random = np.random.default_rng(5)
    age = np.full(1_500, 300.0)
    repeat = random.poisson(random.gamma(0.8, 1 / 100, 1_500) * age).astype(float)
    active = np.where(repeat > 0, np.ceil(age * random.beta(np.maximum(repeat, 1), 1)), 0.0)
    model = classify.fit_return(repeat, active, age)
    assert model is not None
    assert model.family == "nbd"


def _miscalibrated(customers: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.beta(2.0, 3.0, customers)
    return truth**2, truth, (random.random(customers) < truth).astype(float)


@pytest.mark.parametrize(("customers", "kind"), [(1_500, "sigmoid"), (8_000, "isotonic")])
def test_calibration_repairs_a_crooked_forecast(customers: int, kind: str) -> None:
    """The rarer outcome's count picks the map; on new customers it lowers the log-loss close to that of the truth."""
    raw, _, left = _miscalibrated(customers)
    learned = classify.fit_calibration(raw, left)
    assert learned.kind == kind
    new, truth, happened = _miscalibrated(20_000, seed=9)
    before, after, best = (
        classify_scores.losses(one, happened).mean() for one in (new, classify.calibrated(learned, new), truth)
    )
    assert after < before
    assert after - best < 0.1 * (before - best)


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=50), st.sampled_from(["sigmoid", "isotonic"]))
def test_calibration_keeps_the_order_and_stays_inside(values: list[float], kind: str) -> None:
    """A higher raw probability never becomes a lower one, none becomes 0 or 1, and no map means no change."""
    isotonic = Calibration("isotonic", (0.1, 0.4, 0.7), (0.05, 0.3, 0.9))
    calibration = isotonic if kind == "isotonic" else Calibration("sigmoid", (), (-0.4, 1.7))
    raw = np.sort(np.array(values))
    mapped = classify.calibrated(calibration, raw)
    assert np.all(np.diff(mapped) >= 0)
    assert np.all((mapped > 0) & (mapped < 1))
    assert classify.calibrated(None, raw) is raw


def test_isotonic_makes_no_certainties_and_keeps_the_ranking() -> None:
    """Groups of fifty with one outcome stay short of 0 and 1, and customers keep their order among themselves."""
    raw = np.linspace(0.001, 0.999, 6_000)
    left = (raw > 0.5).astype(float)
    learned = classify.fit_calibration(raw, left)
    mapped = classify.calibrated(learned, raw)
    assert learned.kind == "isotonic"
    assert min(learned.values) > 0.0
    assert max(learned.values) < 1.0
    assert list(learned.knots) == sorted(learned.knots)
    assert spearmanr(raw, mapped).statistic == pytest.approx(1.0, abs=1e-9)


def test_isotonic_with_one_probability_for_all() -> None:
    """A constant forecast is mapped to the rate that was observed."""
    left = np.repeat([1.0, 0.0], [1_500, 3_000])
    mapped = classify.calibrated(classify.fit_calibration(np.full(4_500, 0.8), left), np.array([0.8]))
    assert mapped[0] == pytest.approx(1 / 3)
