"""Posterior draws: means equal the formulas, intervals cover what they promise, the seed is all that matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from literature import Customers, published

from clm.models import btyd, btyd_bg, spend
from clm.models.btyd_simulate import posterior_draws, simulate

KINDS = [("nbd", 1), ("nbd", 2), ("bgnbd", 1), ("mbgnbd", 1), ("bgcnbd", 2), ("bgcnbd", 3), ("mbgcnbd", 3), ("paretonbd", 1)]


@pytest.mark.parametrize(("family", "erlang"), KINDS)
@pytest.mark.parametrize("history", [(0, 0, 200), (1, 30, 200), (4, 150, 200), (12, 200, 200)])
def test_mean_of_a_million_futures_is_the_expectation(family: str, erlang: int, history: tuple[int, int, int]) -> None:
    """10^6 simulated futures of one customer at fixed parameters: mean orders and share returning as in the formulas."""
    values = (0.7, 5.0) if family == "nbd" else (0.7, 5.0, 0.8, 2.5)
    params = published(family, *values, erlang=erlang)
    one = tuple(np.array([value]) for value in history)
    futures = next(iter(posterior_draws(params, *one, 300.0, draws=1_000_000, seed=4))).orders[0]
    expected, returning = btyd.expected_orders(params, *one, 300.0)[0], btyd.p_return(params, *one, 300.0)[0]
    assert futures.mean() == pytest.approx(expected, abs=4.5 * futures.std() / 1e3)
    assert (futures > 0).mean() == pytest.approx(returning, abs=4.5 * 0.5 / 1e3)


@pytest.mark.parametrize("family", ["bgnbd", "mbgnbd", "paretonbd"])
def test_80_percent_intervals_cover_77_to_83_percent(cdnow: Customers, family: str) -> None:
    """CDNOW holdout: the randomised PIT of what customers did lies between .1 and .9 for 77 to 83 % of them."""
    fitted = btyd.fit(family, *cdnow.history)
    covered = np.zeros(cdnow.x.size)
    for block in posterior_draws(fitted, *cdnow.history, 273, draws=400):
        actual = cdnow.later[block.customers][:, None]
        below, equal = (block.orders < actual).mean(axis=1), np.maximum((block.orders == actual).mean(axis=1), 1e-12)
        # The PIT is uniform on [below, below + equal]: its chance to lie inside, instead of one draw of it.
        inside = np.minimum(below + equal, 0.9) - np.maximum(below, 0.1)
        covered[block.customers] = np.clip(inside / equal, 0.0, 1.0)
    assert 0.77 <= covered.mean() <= 0.83


def test_simulation_of_orders_and_spend(cdnow: Customers) -> None:
    """Intervals hold the expectation of most customers; totals centre on the sums of the formulas."""
    fitted, value = btyd.fit("bgnbd", *cdnow.history), spend.fit(cdnow.x, cdnow.mean_repeat)
    found = simulate(fitted, *cdnow.history, 273, spend=value, spend_orders=cdnow.x, mean_spend=cdnow.mean_repeat, draws=400)
    orders = btyd.expected_orders(fitted, *cdnow.history, 273)
    money = orders * spend.expected_mean_spend(value, cdnow.x, cdnow.mean_repeat)
    assert found.spend_low is not None
    assert found.spend_high is not None
    assert found.total_spend is not None
    assert (found.orders_low <= found.orders_high).all()
    assert (found.spend_low <= found.spend_high).all()
    assert np.isfinite(found.spend_high).all()
    busy = orders > 1.0
    assert np.mean((found.orders_low <= orders) & (orders <= found.orders_high + 1))[()] > 0.95
    assert np.mean((found.spend_low <= money) & (money <= found.spend_high), where=busy) > 0.95
    assert found.total_orders.mean() == pytest.approx(orders.sum(), rel=0.02)
    assert found.total_spend.mean() == pytest.approx(money.sum(), rel=0.03)
    assert 0.03 < found.total_orders.std() / found.total_orders.mean() < 0.1


def test_the_seed_decides_and_nothing_else(cdnow: Customers) -> None:
    """Twice the same seed: equal to the bit; another seed: different draws of the total."""
    fitted = btyd.fit("mbgnbd", *cdnow.history)
    first, again, other = (simulate(fitted, *cdnow.history, 90, draws=50, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.total_orders, again.total_orders)
    assert np.array_equal(first.orders_high, again.orders_high)
    assert not np.array_equal(first.total_orders, other.total_orders)
    assert first.spend_low is None


def test_parameter_uncertainty_widens_the_total(cdnow: Customers) -> None:
    """The total moves with the shared parameters: without their covariance its draws are too narrow."""
    fitted = btyd.fit("bgnbd", *cdnow.history)
    certain = simulate(replace(fitted, covariance_log=None), *cdnow.history, 273, draws=300)
    assert simulate(fitted, *cdnow.history, 273, draws=300).total_orders.std() > 1.2 * certain.total_orders.std()


def test_many_customers_are_drawn_in_blocks() -> None:
    """Every customer appears once whatever the number of blocks, in the order the caller gave."""
    x = np.tile([0, 1, 5], 4000)
    active, age = x * 20, np.full(x.size, 200)
    params = published("bgnbd", 0.4, 5.0, 0.8, 2.5)
    seen = np.concatenate([block.customers for block in posterior_draws(params, x, active, age, 90, draws=5)])
    assert np.array_equal(np.sort(seen), np.arange(x.size))
    found = simulate(params, x, active, age, 365, draws=100)
    means = [found.orders_high[x == level].mean() for level in (0, 1, 5)]
    assert means == sorted(means)
    assert means[0] < means[2]


@pytest.mark.parametrize("family", sorted(btyd.FAMILIES))
def test_hard_histories_and_unidentified_fits_stay_finite(online_retail: Customers, family: str) -> None:
    """A collapsed fit, x = 3000, T = 0 and no horizon at all: finite draws, no warning."""
    erlang = 2 if family in ("bgcnbd", "mbgcnbd") else 1
    fitted = btyd.fit(family, *online_retail.history, erlang=erlang, log_gap_sum=online_retail.log_gaps)
    history = ([0, 0, 3000, 3000, 1], [0, 0, 3000, 3000, 1], [0, 3650, 3000, 3650, 3650])
    for horizon in (0.0, 3650.0):
        found = simulate(fitted, *history, horizon, draws=200)
        assert np.isfinite(found.total_orders).all()
        assert (found.total_orders.sum() == 0.0) == (horizon == 0.0)


def test_no_customers_and_bad_arguments() -> None:
    """Nobody: empty intervals, totals of 0. Bad coverage, horizon or missing spend columns: ValueError."""
    params = published("bgnbd", 0.4, 5.0, 0.8, 2.5)
    nobody = simulate(params, [], [], [], 90, draws=7)
    assert nobody.orders_low.size == 0
    assert nobody.total_orders.tolist() == [0.0] * 7
    with pytest.raises(ValueError, match="interval"):
        simulate(params, [0], [0], [9], 90, interval=1.0)
    with pytest.raises(ValueError, match="horizon"):
        simulate(params, [0], [0], [9], -1)
    value = spend.fit([1, 2, 3, 4] * 5, np.arange(1.0, 21.0))
    with pytest.raises(ValueError, match="mean_spend"):
        simulate(params, [0], [0], [9], 90, spend=value)
    with pytest.raises(ValueError, match="one entry per customer"):
        simulate(params, [0], [0], [9], 90, spend=value, spend_orders=[1, 2], mean_spend=[3.0, 4.0])


def test_modified_families_are_named_once() -> None:
    """The families with d = 1 are those whose names say so."""
    assert set(btyd_bg.MODIFIED) == {family for family in btyd.FAMILIES if family.startswith("m")}
