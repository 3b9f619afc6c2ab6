"""Forecasts, discounting and intervals of buyers, on numbers that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from literature import published

from clm.models import btyd, spend, valuation
from clm.models.buyers import Buyers
from clm.models.valuation import OrderValue

BG = published("bgnbd", 0.2425945, 4.4136019, 0.7929199, 2.4258881)


def buyers(*rows: tuple[int, int, int], spend: list[float] | None = None, repeat: list[float] | None = None) -> Buyers:
    x, active, age = np.array(rows, dtype=float).reshape(-1, 3).T
    return Buyers(x, active, age, None if spend is None else np.array(spend), None if repeat is None else np.array(repeat))


def random_buyers(size: int, seed: int = 1) -> Buyers:
    dice = np.random.default_rng(seed)
    age = dice.integers(30, 400, size).astype(float)
    x = dice.integers(0, 5, size).astype(float)
    active = np.where(x > 0, np.maximum(x, np.floor(age * dice.random(size))), 0.0)
    repeat = np.where(x > 0, x * dice.gamma(4.0, 10.0, size), 0.0)
    return Buyers(x, active, age, repeat + dice.gamma(4.0, 10.0, size), repeat)


def test_a_slice_is_discounted_at_its_middle() -> None:
    """10 % a year over slices of 31 and 28 days: 1.1^(-15.5/365) and 1.1^(-45/365)."""
    parts = valuation.slices([31, 59], 0.10)
    assert parts.discounts == pytest.approx((0.9959607612, 0.9883181982), abs=1e-9)


@pytest.mark.parametrize(("ends", "rate"), [([], 0.1), ([0], 0.1), ([5, 5], 0.1), ([9, 3], 0.1), ([30], -1.0)])
def test_slices_that_make_no_sense_are_refused(ends: list[int], rate: float) -> None:
    """Ends must rise from above 0, and a rate of -100 % has no discount."""
    with pytest.raises(ValueError, match=r"ends|rate"):
        valuation.slices(ends, rate)


def test_slices_add_up_to_the_whole_horizon() -> None:
    """Expected orders do not depend on where the horizon is cut, and without a rate discounting changes nothing."""
    base = random_buyers(500)
    whole = valuation.by_model(BG, base, valuation.slices([365], 0.0))
    cut = valuation.by_model(BG, base, valuation.slices([31, 59, 90, 365], 0.0))
    assert cut.orders == pytest.approx(whole.orders, rel=1e-12)
    assert cut.discounted == pytest.approx(cut.orders, rel=1e-12)


def test_each_slice_gets_its_own_discount() -> None:
    """Discounted orders are the differences of cumulative expectations, each times its factor."""
    base = buyers((2, 213, 272))
    parts = valuation.slices([31, 59], 0.10)
    first, both = btyd.expected_orders(BG, *base.history, [31, 59])[0]
    forecast = valuation.by_model(BG, base, parts)
    assert forecast.orders[0] == pytest.approx(both)
    assert forecast.discounted[0] == pytest.approx(first * parts.discounts[0] + (both - first) * parts.discounts[1])


def test_many_slices_are_forecast_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting the histories into pieces to save memory changes no number."""
    base, parts = random_buyers(300), valuation.slices(list(range(30, 3650, 30)), 0.1)
    at_once = valuation.by_model(BG, base, parts)
    monkeypatch.setattr(valuation, "_CELLS", 500)
    in_pieces = valuation.by_model(BG, base, parts)
    assert np.array_equal(at_once.orders, in_pieces.orders)
    assert np.array_equal(at_once.discounted, in_pieces.discounted)


def test_a_naive_forecast_is_spread_over_the_days() -> None:
    """10 orders over 100 days, half of them before day 50: the discount weighs slices by their days."""
    parts = valuation.slices([50, 100], 0.10)
    forecast = valuation.spread_evenly(np.array([10.0]), parts)
    assert forecast.discounted[0] == pytest.approx(5 * 1.1 ** (-25 / 365) + 5 * 1.1 ** (-75 / 365))


def test_the_shrunken_rate_never_explodes() -> None:
    """Who bought twice within two days gets (1 + .5)/(2 + 101) a day, not one order every two days."""
    rate = valuation.shrunken_rate(buyers((1, 2, 2), (0, 0, 200)), 100)
    assert rate == pytest.approx([100 * 1.5 / 103, 100 * 0.5 / 301])
    assert np.array_equal(valuation.shrunken_rate(buyers((0, 0, 0)), 100), [0.0])
    assert valuation.shrunken_rate(buyers(), 100).size == 0


def test_gamma_gamma_sees_repeats_or_all_orders() -> None:
    """Without the first order x = 2 at 15 each; with it x = 3 at 20 each."""
    base = random_buyers(400)
    without, with_first = valuation.order_value(base, "repeat_orders"), valuation.order_value(base, "all_orders")
    assert np.array_equal(without.orders, base.repeat_days)
    assert np.array_equal(with_first.orders, base.repeat_days + 1)
    assert base.spend is not None
    assert with_first.mean_spend == pytest.approx(base.spend / (base.repeat_days + 1))
    assert np.all(without.mean > 0)


@pytest.mark.parametrize(
    ("money", "code"),
    [
        (np.full(200, 20.0), "spend_constant"),
        (np.zeros(200), "few_spenders"),
        (np.full(200, -5.0), "few_spenders"),
        (np.full(200, np.nan), "few_spenders"),
    ],
)
def test_spend_without_a_gamma_gamma_falls_to_the_shrunken_mean(money: np.ndarray, code: str) -> None:
    """Equal, zero, negative and unknown spend: no Gamma-Gamma, a reason, and a finite value of 0 or more for everybody."""
    base = buyers(*[(1, 10, 50)] * 200)
    value = valuation.order_value(Buyers(*base.history, money * 2, money), "repeat_orders")
    assert value.model is None
    assert value.problem is not None
    assert value.problem[0] == code
    assert np.all(np.isfinite(value.mean) & (value.mean >= 0))


def test_a_log_without_amounts_has_no_value_of_an_order() -> None:
    """Asking for it is a mistake of the caller."""
    with pytest.raises(ValueError, match="without amounts"):
        valuation.order_value(buyers((1, 2, 3)), "repeat_orders")


def test_buyers_whose_spend_is_unknown_get_the_population_mean() -> None:
    """A customer without any amount in a log with amounts is worth an average order."""
    base = random_buyers(400)
    assert base.spend is not None
    assert base.repeat_spend is not None
    base.spend[0] = base.repeat_spend[0] = np.nan
    value = valuation.order_value(base, "repeat_orders")
    assert value.model is not None
    assert value.mean[0] == value.model.population_mean


def _ranges(base: Buyers, value: OrderValue | None, group: np.ndarray | None = None, **terms: float) -> valuation.Ranges:
    parts = valuation.slices([31, 59, 90], 0.10)
    forecast = valuation.by_model(BG, base, parts)
    everybody = np.full(base.age_days.size, 0)
    given = {"interval": 0.8, "margin": 1.0, "seed": 3} | terms
    return valuation.ranges(BG, base, forecast, value, parts, everybody if group is None else group, **given)  # type: ignore[arg-type]


def test_equal_buyers_share_one_interval() -> None:
    """The interval is a property of history and spend, not of a lucky draw; rows may come in any order."""
    base = random_buyers(300)
    twice = Buyers(*(np.concatenate([column, column]) for column in (*base.history, base.spend, base.repeat_spend)))  # type: ignore[arg-type]
    made = _ranges(twice, valuation.order_value(twice, "repeat_orders"))
    assert made.low is not None
    assert made.high is not None
    assert np.array_equal(made.low[:300], made.low[300:])
    assert np.array_equal(made.high[:300], made.high[300:])
    assert np.all(made.low <= made.high)


def test_the_draws_agree_with_the_forecast() -> None:
    """The mean of the simulated totals is near the expected one, for orders and for discounted money."""
    base = random_buyers(3000)
    value, parts = valuation.order_value(base, "repeat_orders"), valuation.slices([31, 59, 90], 0.10)
    made, forecast = _ranges(base, value), valuation.by_model(BG, base, parts)
    assert made.total_orders.mean() == pytest.approx(forecast.orders.sum(), rel=0.05)
    assert made.total_money is not None
    assert made.total_money.mean() == pytest.approx(float(np.sum(forecast.discounted * value.mean)), rel=0.05)


def test_margin_scales_money_and_only_counted_buyers_are_in_the_total() -> None:
    """Half the margin is half of every bound; the totals leave out who is not counted."""
    base = random_buyers(200)
    value = valuation.order_value(base, "repeat_orders")
    whole, half = _ranges(base, value), _ranges(base, value, margin=0.5)
    assert half.high == pytest.approx(whole.high * 0.5)  # type: ignore[operator]
    nobody = _ranges(base, value, np.full(200, -1))
    assert nobody.total_orders.max() == 0.0
    assert np.array_equal(nobody.high, whole.high)  # type: ignore[arg-type]


@pytest.mark.parametrize("interval", [0.0, 0.5, 1.0])
def test_every_width_of_interval_is_finite(interval: float) -> None:
    """0 % is the median twice, 100 % the extremes of the draws."""
    base = random_buyers(100)
    made = _ranges(base, valuation.order_value(base, "repeat_orders"), interval=interval)
    assert np.all(np.isfinite(made.low) & np.isfinite(made.high))  # type: ignore[arg-type]
    if interval == 0.0:
        assert np.array_equal(made.low, made.high)  # type: ignore[arg-type]


def test_without_amounts_only_orders_are_drawn() -> None:
    """No money, no interval of money, but a total of orders."""
    made = _ranges(random_buyers(50), None)
    assert made.low is None
    assert made.total_money is None
    assert made.total_orders.max() > 0


def test_another_estimator_replaces_the_fit_and_keeps_ours_beside_it() -> None:
    """`model` is the other fit, `fitted` our own; where the other fails, ours is used and the reason kept."""
    base = random_buyers(400)
    own = valuation.order_value(base, "repeat_orders")
    assert own.fitted is not None

    def other(x: np.ndarray, m: np.ndarray) -> spend.SpendParams:
        return spend.fit(x, m * 2)

    def failing(x: np.ndarray, m: np.ndarray) -> spend.SpendParams:
        raise spend.FitError("lifetimes_failed", "did not converge")

    replaced = valuation.order_value(base, "repeat_orders", other)  # type: ignore[arg-type]
    assert replaced.fitted == own.fitted
    assert replaced.model != own.fitted
    failed = valuation.order_value(base, "repeat_orders", failing)  # type: ignore[arg-type]
    assert failed.model == own.fitted
    assert failed.problem == ("lifetimes_failed", "did not converge")


def test_groups_have_totals_of_their_own() -> None:
    """Draws of the groups add up to those of all; who is in no group is in no total."""
    base = random_buyers(300)
    value = valuation.order_value(base, "repeat_orders")
    whole, parted = _ranges(base, value), _ranges(base, value, np.arange(300) % 3)
    assert parted.total_orders.shape[0] == 3
    assert np.array_equal(parted.total_orders.sum(axis=0), whole.total_orders[0])
    assert parted.total_money is not None
    assert whole.total_money is not None
    assert parted.total_money.sum(axis=0) == pytest.approx(whole.total_money[0])
    some = _ranges(base, value, np.where(np.arange(300) % 3 == 1, -1, 0))
    assert some.total_orders[0] == pytest.approx(parted.total_orders[[0, 2]].sum(axis=0))


def test_enormous_buyers_are_those_above_a_tenth() -> None:
    """One of 5,000 and, without it, one of 200; in a base too small for a model nobody is."""
    x = np.concatenate([[5000.0, 200.0], np.ones(150)])
    base = Buyers(x, x, x + 1.0)
    assert np.flatnonzero(base.enormous).tolist() == [0, 1]
    assert not base.taken(np.arange(152) >= 2).enormous.any()
    assert not base.taken(np.arange(152) < 90).enormous.any()
