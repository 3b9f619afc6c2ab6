"""Paired intervals of differences: what they are by hand, whether they cover the truth, and that a seed repeats them."""

from __future__ import annotations

import numpy as np
import pytest

from clm.models import classify_scores, paired


def _forecasts(seed: int, customers: int = 400) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """One who knows the risk, one who knows it with noise, one rate for all, and what happened."""
    dice = np.random.default_rng(seed)
    risk = dice.beta(2.0, 2.0, customers)
    noisy = np.clip(risk + dice.normal(0.0, 0.15, customers), 0.02, 0.98)
    happened = (dice.random(customers) < risk).astype(float)
    return {"knows": risk, "noisy": noisy, "rate": np.full(customers, 0.5)}, happened


def _paired(
    told: dict[str, np.ndarray], happened: np.ndarray, against: str, seed: int
) -> dict[tuple[str, str], paired.Difference]:
    found = paired.differences(list(told), list(told.values()), happened, against, seed)
    return {(one.name, one.score): one for one in found}


def test_a_difference_is_that_of_the_scores() -> None:
    """Each candidate less the other one, on the same customers; the interval holds the difference itself."""
    told, happened = _forecasts(0)
    found = _paired(told, happened, "knows", 0)
    assert set(found) == {(name, score) for name in ("noisy", "rate") for score in ("auc", "log_loss")}
    for (name, score), one in found.items():
        mine, theirs = (classify_scores.scores(told[each], happened)[score] for each in (name, "knows"))
        assert one.difference == pytest.approx(mine - theirs)
        assert one.low < one.difference < one.high


def test_the_area_of_drawn_customers_is_the_area_of_their_rows() -> None:
    """A customer drawn three times counts as three rows, ties included."""
    dice = np.random.default_rng(1)
    told, happened = np.round(dice.random(200), 1), (dice.random(200) < 0.4).astype(float)
    weight = dice.integers(0, 4, 200)
    levels = np.unique(told, return_inverse=True)[1]
    lost = classify_scores.losses(np.clip(told, 0.1, 0.9), happened)
    area, loss = paired._scores(weight.astype(float), happened, [levels], [lost])[:, 0]
    assert area == pytest.approx(classify_scores.auc(np.repeat(told, weight), np.repeat(happened, weight)))
    assert loss == pytest.approx(np.repeat(lost, weight).mean())


def test_intervals_cover_the_difference_of_the_whole_population() -> None:
    """Of 60 samples about 95 % have the true difference of the log-losses in their interval: at least 51, as luck allows."""
    told, happened = _forecasts(99, 400_000)
    true = float((classify_scores.losses(told["noisy"], happened) - classify_scores.losses(told["knows"], happened)).mean())
    covered = 0
    for seed in range(60):
        one = _paired(*_forecasts(seed, 300), "knows", seed)["noisy", "log_loss"]
        covered += one.low <= true <= one.high
    assert covered >= 51


def test_one_outcome_has_no_area() -> None:
    """Where everybody left there is no difference of areas; the log-loss has one."""
    told, _ = _forecasts(2, 50)
    assert {score for _, score in _paired(told, np.ones(50), "knows", 0)} == {"log_loss"}


def test_the_same_seed_draws_the_same_customers() -> None:
    """Intervals are repeated to the last bit by the seed, and move with it."""
    told, happened = _forecasts(3)
    first, second, third = (_paired(told, happened, "knows", seed) for seed in (0, 0, 1))
    assert first == second
    assert first != third
