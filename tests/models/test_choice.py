"""The choice rule, case by case, and the interval of the total."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from clm.models.choice import DEFAULT_SPREAD, Choice, TotalInterval, beats_best_baseline, choose, total_interval, value_way
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
        # every baseline that is shown can win
        ({"bgnbd": (1.0, 1.2), "zero": (0.1, 0.1), "mean": (0.2, 0.2)}, LIKELY, BOTH, "zero", "baseline", "baseline_better"),
        ({"bgnbd": (1.0, 1.2), "zero": (9.0, 9.0), "hiatus": (0.1, 0.1)}, LIKELY, BOTH, "hiatus", "baseline", "baseline_better"),
        # a baseline may win on one origin as well
        ({"bgnbd": (1.0,), "mean": (0.5,)}, LIKELY, ("bgnbd",), "mean", "baseline", "baseline_better"),
        # nothing identified: NBD, unless another baseline beats it
        ({"bgnbd": (1.0, 1.0), "nbd": (1.1, 1.1), "mean": (2.0, 2.0)}, LIKELY, (), "nbd", "baseline", "not_identified"),
        ({"nbd": (1.1, 1.1), "last_period": (1.0, 1.0)}, LIKELY, (), "last_period", "baseline", "baseline_better"),
        ({}, {}, (), "nbd", "baseline", "not_identified"),
        # a family that failed at one origin cannot be compared there
        ({"bgnbd": (0.1,), "mbgnbd": (1.0, 1.0), "mean": (2.0, 2.0)}, LIKELY, BOTH, "mbgnbd", "model", "deviance"),
        # NBD failed at one origin: it is compared with the baselines at the other
        ({"nbd": (1.1,), "rate": (1.0, 9.0)}, LIKELY, (), "rate", "baseline", "baseline_better"),
        ({"nbd": (0.9,), "rate": (1.0, 0.1)}, LIKELY, (), "nbd", "baseline", "not_identified"),
        # so is a family that the likelihood chose because none was scored everywhere
        ({"mbgnbd": (1.1,), "rate": (1.0, 9.0)}, LIKELY, BOTH, "rate", "baseline", "baseline_better"),
        # without a score of its own there is nothing to compare
        ({"rate": (1.0, 1.0)}, LIKELY, (), "nbd", "baseline", "not_identified"),
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


def test_scores_are_compared_at_the_same_origins() -> None:
    """A forecast scored at one of two origins meets the baselines there; a baseline without a score there is no rival."""
    scores = table({"mean": (2.0, 0.1)}) + table({"nbd": (1.0,)}) + [one("zero", "2011-06-01", 0.1)]
    assert beats_best_baseline(scores, "nbd")["poisson_deviance"] is True


def test_a_baseline_is_not_its_own_rival() -> None:
    """The chosen baseline is compared with the other baselines."""
    scores = table({"mean": (1.0, 1.0), "zero": (2.0, 2.0)})
    assert beats_best_baseline(scores, "mean")["poisson_deviance"] is True


def test_total_interval_is_widened_by_the_backtest() -> None:
    """sigma is the root mean square of ln(actual/predicted) over three origins or more; certain draws give its quantiles."""
    errors = np.array([0.1, -0.3, 0.2])
    found = interval_of([1000.0], (1000 * np.exp(errors)).tolist(), [1000.0] * 3)
    sigma = float(np.sqrt(np.mean(errors**2)))
    assert found.source == "backtest"
    assert found.spread == pytest.approx(sigma)
    assert found.low == pytest.approx(1000 * np.exp(-1.2816 * sigma), rel=0.005)
    assert found.high == pytest.approx(1000 * np.exp(1.2816 * sigma), rel=0.005)


def interval_of(draws: ArrayLike, actual: Sequence[float], predicted: Sequence[float], interval: float = 0.8) -> TotalInterval:
    found = total_interval(draws, actual, predicted, interval)
    assert found is not None
    return found


def test_one_or_two_origins_can_only_widen_the_interval() -> None:
    """Totals 102 % too high and 31 % too low: sigma is what they measured; two small errors may be luck and leave .15."""
    found = interval_of([100.0], [100.0, 100.0], [202.0, 69.0])
    assert found.spread == pytest.approx(np.sqrt((np.log(2.02) ** 2 + np.log(0.69) ** 2) / 2))
    assert found.source == "few_origins"
    assert interval_of([100.0], [300.0], [100.0]).spread == pytest.approx(np.log(3.0))
    lucky = interval_of([100.0], [90.0, 105.0], [100.0, 100.0])
    assert (lucky.spread, lucky.source) == (DEFAULT_SPREAD, "few_origins")


def test_where_nothing_was_measured_the_word_is_default_or_there_is_no_interval() -> None:
    """No origin, or only origins without orders: sigma .15 and `default`, or None where the caller allows no guess."""
    for actual, predicted in (([], []), ([0.0, 5.0], [1.0, 0.0])):
        found = interval_of([100.0], actual, predicted)
        assert (found.spread, found.source) == (DEFAULT_SPREAD, "default")
        assert total_interval([100.0], actual, predicted, 0.8, untested=False) is None
    assert total_interval([100.0], [90.0], [100.0], 0.8, untested=False) is not None


def test_draws_of_nothing_stay_nothing() -> None:
    """A total of 0 has the interval 0 to 0, not NaN."""
    found = interval_of([0.0, 0.0], [0.0, 5.0, 3.0], [1.0, 0.0, 2.0])
    assert (found.low, found.high) == (0.0, 0.0)


@given(
    errors=st.lists(st.floats(-2.0, 2.0), max_size=6),
    draws=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=20),
    factor=st.floats(0.01, 100.0),
)
def test_laws_of_the_total_interval(errors: list[float], draws: list[float], factor: float) -> None:
    """Ordered ends, wider for a wider coverage, in proportion to the draws, and blind to the order of the origins."""
    predicted = [100.0] * len(errors)
    actual = [100.0 * float(np.exp(error)) for error in errors]
    found = interval_of(draws, actual, predicted)
    assert 0.0 <= found.low <= found.high
    wider = interval_of(draws, actual, predicted, 0.95)
    assert wider.low <= found.low * (1 + 1e-9)
    assert found.high <= wider.high * (1 + 1e-9)
    scaled = interval_of([factor * one for one in draws], actual, predicted)
    assert (scaled.low, scaled.high) == pytest.approx((factor * found.low, factor * found.high), rel=1e-6, abs=1e-9)
    turned = interval_of(draws, actual[::-1], predicted)
    assert (turned.low, turned.high, turned.spread) == pytest.approx((found.low, found.high, found.spread), rel=1e-9)


def test_total_interval_keeps_the_spread_of_the_draws() -> None:
    """A perfect back-test adds nothing: the quantiles of the draws remain."""
    draws = np.arange(1.0, 1001.0)
    found = interval_of(draws, [50.0] * 3, [50.0] * 3)
    assert (found.low, found.high) == (pytest.approx(100.9, abs=1.0), pytest.approx(900.1, abs=1.0))


def test_the_value_of_an_order_with_the_lower_error_is_used() -> None:
    """Two origins decide; one does not, nor a tie, nor a way that has no error at some origin."""
    better = {"repeat_orders": 2.0, "all_orders": 1.0}
    assert value_way([better, better], "repeat_orders") == "all_orders"
    assert value_way([better, {"repeat_orders": 1.0, "all_orders": 9.0}], "repeat_orders") == "repeat_orders"
    assert value_way([better], "repeat_orders") == "repeat_orders"
    assert value_way([{"repeat_orders": 1.0, "all_orders": 1.0}] * 2, "repeat_orders") == "repeat_orders"
    assert value_way([better, {"repeat_orders": 2.0}], "repeat_orders") == "repeat_orders"
    assert value_way([], "all_orders") == "all_orders"
