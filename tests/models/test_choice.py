"""The choice rule, case by case, and the interval of the total."""

from __future__ import annotations

import json

import numpy as np
import pytest

from clm.models.choice import DEFAULT_SPREAD, Choice, beats_best_baseline, choose, total_interval
from clm.models.evaluate import Score, score

BOTH = ("bgnbd", "mbgnbd")
LIKELY = {"bgnbd": -100.0, "mbgnbd": -90.0, "nbd": -50.0}


def one(name: str, origin: str, deviance: float, **changes: float) -> Score:
    kind = "model" if name.endswith("bgnbd") else "baseline"
    base = score(name, kind, origin, 90, [1, 2], [2, 1]).to_json()  # type: ignore[arg-type]
    return Score(**{**base, "poisson_deviance": deviance, **changes})  # type: ignore[arg-type]


def table(deviances: dict[str, tuple[float, ...]]) -> list[Score]:
    origins = ("2011-03-01", "2011-06-01", "2011-09-01")
    return [one(name, origins[i], value) for name, values in deviances.items() for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("deviances", "likely", "identified", "name", "kind", "reason"),
    [
        # two origins: the lowest mean deviance, not the likelihood
        ({"bgnbd": (1.0, 1.2), "mbgnbd": (1.3, 1.2), "mean": (2.0, 2.0)}, LIKELY, BOTH, "bgnbd", "model", "deviance"),
        # within 1 %: the likelihood
        ({"bgnbd": (1.0, 1.2), "mbgnbd": (1.0, 1.21), "mean": (2.0, 2.0)}, LIKELY, BOTH, "mbgnbd", "model", "deviance"),
        # one origin: the likelihood, though NBD's is higher (it is no candidate)
        ({"bgnbd": (1.0,), "mbgnbd": (1.3,), "mean": (2.0,)}, LIKELY, BOTH, "mbgnbd", "model", "log_likelihood"),
        # no back-test
        ({}, LIKELY, BOTH, "mbgnbd", "model", "log_likelihood"),
        # only one is identified
        ({"bgnbd": (1.0, 1.2), "mbgnbd": (0.3, 0.2), "mean": (2.0, 2.0)}, LIKELY, ("bgnbd",), "bgnbd", "model", "deviance"),
        # a baseline beats every model
        ({"bgnbd": (1.0, 1.2), "mbgnbd": (1.3, 1.2), "rate": (0.9, 1.2)}, LIKELY, BOTH, "rate", "baseline", "baseline_better"),
        # it must beat the best of them, not only the chosen one
        ({"bgnbd": (1.0, 1.0), "mbgnbd": (1.005, 1.005), "mean": (1.002, 1.002)}, LIKELY, BOTH, "mbgnbd", "model", "deviance"),
        # NBD is a baseline too
        ({"bgnbd": (1.0, 1.2), "nbd": (0.9, 0.9), "mean": (1.0, 1.0)}, LIKELY, BOTH, "nbd", "baseline", "baseline_better"),
        # zero and hiatus are shown, never used
        ({"bgnbd": (1.0, 1.2), "zero": (0.1, 0.1), "hiatus": (0.1, 0.1)}, LIKELY, BOTH, "bgnbd", "model", "deviance"),
        # a baseline may win on one origin as well
        ({"bgnbd": (1.0,), "mean": (0.5,)}, LIKELY, ("bgnbd",), "mean", "baseline", "baseline_better"),
        # nothing identified: NBD, unless another baseline beats it
        ({"bgnbd": (1.0, 1.0), "nbd": (1.1, 1.1), "mean": (2.0, 2.0)}, LIKELY, (), "nbd", "baseline", "not_identified"),
        ({"nbd": (1.1, 1.1), "last_period": (1.0, 1.0)}, LIKELY, (), "last_period", "baseline", "baseline_better"),
        ({}, {}, (), "nbd", "baseline", "not_identified"),
        # a family that failed at one origin cannot be compared there
        ({"bgnbd": (0.1,), "mbgnbd": (1.0, 1.0), "mean": (2.0, 2.0)}, LIKELY, BOTH, "mbgnbd", "model", "deviance"),
    ],
)
def test_choice(
    deviances: dict[str, tuple[float, ...]],
    likely: dict[str, float],
    identified: tuple[str, ...],
    name: str,
    kind: str,
    reason: str,
) -> None:
    """Every branch of the rule: what is used, as what, and why."""
    found = choose(table(deviances), likely, identified)
    assert (found.name, found.kind, found.reason) == (name, kind, reason)
    assert found.origins == max((len(values) for values in deviances.values()), default=0)
    json.dumps(found.to_json(), allow_nan=False)


def test_choice_does_not_depend_on_the_order_of_scores() -> None:
    """Shuffled scores, same choice and the same table of means."""
    scores = table({"bgnbd": (1.0, 1.2), "mbgnbd": (1.3, 1.1), "mean": (2.0, 2.1)})
    assert choose(scores[::-1], LIKELY, BOTH) == choose(scores, LIKELY, BOTH)
    assert choose(scores, LIKELY, BOTH).mean_deviance == pytest.approx({"bgnbd": 1.1, "mbgnbd": 1.2, "mean": 2.05})
    assert isinstance(choose(scores, LIKELY, BOTH), Choice)


def test_beats_best_baseline_metric_by_metric() -> None:
    """Better than the best baseline per metric: bias by size, rankings upwards, errors downwards; undefined is left out."""
    scores = [
        one("bgnbd", "2011-06-01", 1.0, bias=-0.1, rmse=2.0, mae=1.0, gini=0.5, spearman=0.4, capture_10=0.3),
        one("mean", "2011-06-01", 1.5, bias=0.05, rmse=3.0, mae=1.5, gini=0.0, capture_10=0.1) ,
        one("zero", "2011-06-01", 9.0, bias=-1.0, rmse=4.0, mae=0.9, gini=0.0, capture_10=0.1),
    ]  # fmt: skip
    scores = [Score(**{**s.to_json(), "spearman": None}) if s.kind == "baseline" else s for s in scores]  # type: ignore[arg-type]
    found = beats_best_baseline(scores, "bgnbd")
    expected = {"bias": False, "rmse": True, "mae": False, "poisson_deviance": True, "gini": True, "capture_10": True}
    assert {metric: found[metric] for metric in expected} == expected
    assert "spearman" not in found
    assert beats_best_baseline(scores, "paretonbd") == {}


def test_a_baseline_is_not_its_own_rival() -> None:
    """The chosen baseline is compared with the other baselines."""
    scores = table({"mean": (1.0, 1.0), "zero": (2.0, 2.0)})
    assert beats_best_baseline(scores, "mean")["poisson_deviance"] is True


def test_total_interval_is_widened_by_the_backtest() -> None:
    """sigma is the root mean square of ln(actual/predicted) over three origins or more; certain draws give its quantiles."""
    errors = np.array([0.1, -0.3, 0.2])
    found = total_interval([1000.0], (1000 * np.exp(errors)).tolist(), [1000.0] * 3, 0.8)
    sigma = float(np.sqrt(np.mean(errors**2)))
    assert found.source == "backtest"
    assert found.spread == pytest.approx(sigma)
    assert found.low == pytest.approx(1000 * np.exp(-1.2816 * sigma), rel=0.005)
    assert found.high == pytest.approx(1000 * np.exp(1.2816 * sigma), rel=0.005)


def test_total_interval_with_too_few_origins_says_default() -> None:
    """Two origins, or origins without orders: sigma .15 and the word default; no draws of 0 become NaN."""
    assert total_interval([100.0], [90.0, 120.0], [100.0, 100.0], 0.8).spread == DEFAULT_SPREAD
    found = total_interval([0.0, 0.0], [0.0, 5.0, 3.0], [1.0, 0.0, 2.0], 0.8)
    assert (found.low, found.high, found.source) == (0.0, 0.0, "default")


def test_total_interval_keeps_the_spread_of_the_draws() -> None:
    """A perfect back-test adds nothing: the quantiles of the draws remain."""
    draws = np.arange(1.0, 1001.0)
    found = total_interval(draws, [50.0] * 3, [50.0] * 3, 0.8)
    assert (found.low, found.high) == (pytest.approx(100.9, abs=1.0), pytest.approx(900.1, abs=1.0))
