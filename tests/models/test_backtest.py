"""The back-test at one origin, on buyers whose past and future are known."""

from __future__ import annotations

import numpy as np
import pytest

from clm.models import backtest
from clm.models.backtest import Window
from clm.models.valuation import Buyers


def _window(money: bool = True, size: int = 300) -> Window:
    dice = np.random.default_rng(11)
    age = dice.integers(100, 300, size).astype(float)
    rate = dice.gamma(0.8, 1 / 60, size)
    x = dice.poisson(rate * age).astype(float)
    active = np.where(x > 0, np.maximum(x, np.floor(age * dice.random(size))), 0.0)
    later = dice.poisson(rate * 56).astype(float)
    spent = dice.gamma(5.0, 4.0, size)
    return Window(
        origin="2024-03-01",
        horizon_days=56,
        buyers=Buyers(x, active, age, (x + 1) * spent if money else None, x * spent if money else None),
        recent_orders=dice.poisson(rate * 56).astype(float),
        earlier_recency=age,
        earlier_returned=later > 0,
        orders=later,
        spend=later * spent if money else None,
    )


@pytest.mark.parametrize(
    ("horizon", "log", "days"),
    [(365, 1095, 365), (365, 1094, 273), (365, 545, 133), (273, 272, 63), (365, 30, 28), (1, 3, 1), (1, 2, 28), (365, 0, 28)],
)
def test_the_length_of_the_test_follows_the_log(horizon: int, log: int, days: int) -> None:
    """The horizon in a log three times as long, else a quarter of the log in whole weeks, at least four."""
    assert backtest.window_days(horizon, log) == days


def test_every_baseline_is_scored_beside_every_family() -> None:
    """Six baselines (NBD among them) and the families, for orders and for money, under the origin's name."""
    tested = backtest.run(_window(), ("nbd", "bgnbd", "mbgnbd"), "clm", False)
    kinds = {score.name: score.kind for score in tested.orders}
    assert {name for name, kind in kinds.items() if kind == "baseline"} == {
        "zero",
        "mean",
        "rate",
        "last_period",
        "hiatus",
        "nbd",
    }
    assert {name for name, kind in kinds.items() if kind == "model"} <= {"bgnbd", "mbgnbd"}
    assert [score.name for score in tested.spend] == [score.name for score in tested.orders]
    assert {(score.origin, score.horizon_days) for score in tested.orders} == {("2024-03-01", 56)}


def test_without_amounts_only_orders_are_scored() -> None:
    """No money, no scores of money."""
    tested = backtest.run(_window(money=False), ("nbd",), "clm", False)
    assert tested.spend == ()
    assert tested.orders


def test_forecasts_at_the_origin_do_not_know_the_outcome() -> None:
    """Another future changes every score and no forecast."""
    window = _window()
    other = Window(**{**window.__dict__, "orders": window.orders[::-1].copy() + 1})
    first, second = (backtest.run(one, ("nbd", "bgnbd"), "clm", False) for one in (window, other))
    for name, told in first.forecasts.items():
        assert np.array_equal(told, second.forecasts[name])
    assert first.orders != second.orders


def test_the_naive_forecasts_are_what_they_are_called() -> None:
    """zero, the last period itself, its mean, and x/T times the horizon."""
    window = _window()
    told = backtest.run(window, ("nbd",), "clm", False).forecasts
    assert not told["zero"].any()
    assert np.array_equal(told["last_period"], window.recent_orders)
    assert told["mean"] == pytest.approx(np.full(300, window.recent_orders.mean()))
    assert told["rate"] == pytest.approx(window.buyers.repeat_days / window.buyers.age_days * 56)


def test_nobody_at_the_earlier_origin_leaves_no_hiatus() -> None:
    """With no past to learn the cut-off from, the hiatus rule expects nobody back."""
    window = _window()
    empty = Window(**{**window.__dict__, "earlier_recency": np.zeros(0), "earlier_returned": np.zeros(0, dtype=bool)})
    assert not backtest.run(empty, ("nbd",), "clm", False).forecasts["hiatus"].any()


def test_deciles_belong_to_one_forecast() -> None:
    """Tenths of the buyers by forecast, highest first; a forecast that was not made has none."""
    tested = backtest.run(_window(), ("nbd",), "clm", False)
    found = tested.deciles("nbd")
    assert sum(one.customers for one in found) == 300
    assert found[0].predicted_mean > found[-1].predicted_mean
    assert tested.deciles("mbgnbd") == ()
