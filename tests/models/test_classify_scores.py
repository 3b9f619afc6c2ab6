"""Scores of a probability against scikit-learn's, ties, and outcomes that did not occur."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.models import classify_scores


@st.composite
def _forecasts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities on a coarse grid, so that ties abound, and outcomes of both kinds."""
    size = draw(st.integers(2, 60))
    grid = draw(st.lists(st.integers(1, 19), min_size=size, max_size=size))
    happened = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size).filter(lambda one: 0 < sum(one) < len(one)))
    return np.array(grid) / 20.0, np.array(happened, dtype=float)


@given(_forecasts())
def test_scores_equal_scikit_learn(forecast: tuple[np.ndarray, np.ndarray]) -> None:
    """AUC, average precision, log-loss and Brier score are scikit-learn's, ties included."""
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    probability, happened = forecast
    scores = classify_scores.scores(probability, happened)
    assert scores["auc"] == pytest.approx(roc_auc_score(happened, probability), abs=1e-12)
    assert scores["average_precision"] == pytest.approx(average_precision_score(happened, probability), abs=1e-12)
    assert scores["log_loss"] == pytest.approx(log_loss(happened, probability), abs=1e-12)
    assert scores["brier"] == pytest.approx(brier_score_loss(happened, probability), abs=1e-12)


@given(_forecasts(), st.randoms())
def test_scores_do_not_depend_on_the_order_of_the_rows(forecast: tuple[np.ndarray, np.ndarray], random) -> None:
    """Shuffled customers have the same scores, reliability and gain, however many share a probability."""
    probability, happened = forecast
    order = list(range(probability.size))
    random.shuffle(order)
    first, second = (
        (classify_scores.scores(p, y), classify_scores.reliability(p, y), classify_scores.gain(p, y))
        for p, y in ((probability, happened), (probability[order], happened[order]))
    )
    assert first[0] == pytest.approx(second[0], abs=1e-12)
    for one, other in zip(first[1] + first[2], second[1] + second[2], strict=True):
        assert one == pytest.approx(other, abs=1e-12)


@given(_forecasts())
def test_reliability_and_gain_account_for_every_customer(forecast: tuple[np.ndarray, np.ndarray]) -> None:
    """The bins hold all customers and all who left; the gain rises to 1."""
    probability, happened = forecast
    bins = classify_scores.reliability(probability, happened)
    assert sum(one["customers"] for one in bins) == probability.size
    assert sum(one["customers"] * one["observed"] for one in bins) == pytest.approx(happened.sum())
    assert np.all(np.diff([one["predicted"] for one in bins]) > -1e-12)
    captured = [one["captured"] for one in classify_scores.gain(probability, happened)]
    assert np.all(np.diff(captured) > -1e-12)
    assert captured[-1] == pytest.approx(1.0)


def test_a_perfect_and_a_constant_forecast() -> None:
    """A perfect ranking has AUC 1 and the highest lift there is; a constant one .5, 1, and the error of its level."""
    happened = np.repeat([1.0, 0.0], [20, 80])
    perfect = classify_scores.scores(np.where(happened == 1.0, 0.99, 0.01), happened)
    assert perfect["auc"] == 1.0
    assert perfect["average_precision"] == pytest.approx(1.0)
    assert perfect["top_decile_lift"] == pytest.approx(5.0)
    constant = classify_scores.scores(np.full(100, 0.3), happened)
    assert constant["auc"] == pytest.approx(0.5)
    assert constant["top_decile_lift"] == pytest.approx(1.0)
    assert constant["calibration_error"] == pytest.approx(0.1)


def test_one_outcome_only_leaves_rankings_undefined() -> None:
    """Where nobody, or everybody, left there is no ranking to score: None, never NaN; the losses stay defined."""
    nobody = classify_scores.scores(np.array([0.2, 0.4]), np.zeros(2))
    assert (nobody["auc"], nobody["average_precision"], nobody["top_decile_lift"]) == (None, None, None)
    assert nobody["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert classify_scores.gain(np.array([0.2, 0.4]), np.zeros(2)) == []
    everybody = classify_scores.scores(np.array([0.2, 0.4]), np.ones(2))
    assert everybody["auc"] is None
    assert everybody["average_precision"] == 1.0
