"""The back-test at one origin, on buyers whose past and future are known."""

from __future__ import annotations

import numpy as np
import pytest

from clm.models import backtest
from clm.models.backtest import Scored, Window
from clm.models.buyers import Buyers
from clm.models.ladder import Asked


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
        weekly=tuple(float(later.sum()) * week / 8 for week in range(1, 9)),
    )


def _run(window: Window, asked: Asked) -> Scored:
    values = backtest.valued(window, asked, ("repeat_orders",))
    return backtest.run(window, asked, asked.families, values.get("repeat_orders"))


@pytest.mark.parametrize(
    ("horizon", "log", "days"),
    [(365, 1095, 365), (365, 1094, 273), (365, 545, 133), (273, 272, 63), (365, 30, 28), (1, 3, 1), (1, 2, 28), (365, 0, 28)],
)
def test_the_length_of_the_test_follows_the_log(horizon: int, log: int, days: int) -> None:
    """The horizon in a log three times as long, else a quarter of the log in whole weeks, at least four."""
    assert backtest.window_days(horizon, log) == days


def test_every_baseline_is_scored_beside_every_family() -> None:
    """Six baselines (NBD among them) and the families, for orders and for money, under the origin's name."""
    tested = _run(_window(), Asked())
    kinds = {score.name: score.kind for score in tested.orders}
    assert {name for name, kind in kinds.items() if kind == "baseline"} == {
        "zero",
        "mean",
        "rate",
        "last_period",
        "hiatus",
        "nbd",
    }
    assert {name for name, kind in kinds.items() if kind == "model"} <= {"bgnbd", "mbgnbd", "paretonbd"}
    assert [score.name for score in tested.spend] == [score.name for score in tested.orders]
    assert {(score.origin, score.horizon_days) for score in tested.orders} == {("2024-03-01", 56)}


def test_without_amounts_only_orders_are_scored() -> None:
    """No money, no scores of money."""
    tested = _run(_window(money=False), Asked("nbd"))
    assert tested.spend == ()
    assert tested.orders


def test_forecasts_at_the_origin_do_not_know_the_outcome() -> None:
    """Another future changes every score and no fit or forecast."""
    window = _window()
    other = Window(**{**window.__dict__, "orders": window.orders[::-1].copy() + 1})
    first, second = (_run(one, Asked("bgnbd")) for one in (window, other))
    assert first.fits == second.fits
    for name, told in backtest.naive(window).items():
        assert np.array_equal(told, backtest.naive(other)[name])
    assert [one.predicted_total for one in first.orders] == [one.predicted_total for one in second.orders]
    assert first.orders != second.orders


def test_the_naive_forecasts_are_what_they_are_called() -> None:
    """zero, the last period itself, its mean, and x/T times the horizon."""
    window = _window()
    told = backtest.naive(window)
    assert not told["zero"].any()
    assert np.array_equal(told["last_period"], window.recent_orders)
    assert told["mean"] == pytest.approx(np.full(300, window.recent_orders.mean()))
    assert told["rate"] == pytest.approx(window.buyers.repeat_days / window.buyers.age_days * 56)


def test_nobody_at_the_earlier_origin_leaves_no_hiatus() -> None:
    """With no past to learn the cut-off from, the hiatus rule expects nobody back."""
    window = _window()
    empty = Window(**{**window.__dict__, "earlier_recency": np.zeros(0), "earlier_returned": np.zeros(0, dtype=bool)})
    assert not backtest.naive(empty)["hiatus"].any()


def test_deciles_belong_to_one_forecast() -> None:
    """Tenths of the buyers by forecast, highest first; a forecast that was not made has none."""
    tested = _run(_window(), Asked("nbd"))
    found = tested.deciles["nbd"]
    assert sum(one.customers for one in found) == 300
    assert found[0].predicted_mean > found[-1].predicted_mean
    assert "mbgnbd" not in tested.deciles


def test_a_forecast_is_tracked_to_its_own_total() -> None:
    """Week by week the expected order days rise to the total that was scored; a naive forecast spreads them evenly."""
    window = _window()
    tested = _run(window, Asked("bgnbd"))
    totals = {score.name: score.predicted_total for score in tested.orders}
    for name in ("bgnbd", "nbd", "rate"):
        tracked = backtest.tracked(name, tested, window)
        assert tracked.days == (7, 14, 21, 28, 35, 42, 49, 56)
        assert tracked.predicted[-1] == pytest.approx(totals[name])
        assert np.all(np.diff(tracked.predicted) > 0.0)
        assert tracked.actual == window.weekly
    assert np.diff(backtest.tracked("rate", tested, window).predicted) == pytest.approx(np.full(7, totals["rate"] / 8))


def test_weeks_end_with_the_window() -> None:
    """The last week is as long as what is left."""
    assert backtest.week_ends(17) == [7, 14, 17]
    assert backtest.week_ends(14) == [7, 14]
    assert backtest.week_ends(3) == [3]


def test_the_error_of_a_value_does_not_depend_on_the_forecast_of_orders() -> None:
    """Money had the orders been known: the true value of an order has no error, half of it has half the money's."""
    window = _window()
    assert window.spend is not None
    true = np.where(window.orders > 0, window.spend / np.maximum(window.orders, 1.0), 0.0)
    errors = backtest.value_errors(window, {"repeat_orders": true, "all_orders": true / 2})
    assert errors["repeat_orders"] == pytest.approx(0.0, abs=1e-9)
    assert errors["all_orders"] == pytest.approx(float(np.sqrt(np.mean((window.spend / 2) ** 2))))
    assert backtest.value_errors(_window(money=False), {}) == {}
