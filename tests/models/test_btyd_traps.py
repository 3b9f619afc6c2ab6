"""The traps of customer bases, each by name: every family gives a finite record that says what is wrong, or a FitError."""

from __future__ import annotations

import json

import numpy as np
import pytest
from literature import Customers, published

from clm.models import btyd, spend, via_lifetimes
from clm.models.btyd_params import BtydParams
from clm.models.btyd_simulate import simulate
from clm.models.fitting import FitError
from tests.models.lives import in_whole_days, lives

KINDS = [("nbd", 1), ("bgnbd", 1), ("mbgnbd", 1), ("bgcnbd", 2), ("mbgcnbd", 3), ("paretonbd", 1)]
History = tuple[np.ndarray, np.ndarray, np.ndarray]


def checked(family: str, erlang: int, history: History) -> BtydParams:
    """The fit, after every forecast from it was found finite and its record to survive JSON."""
    gaps = np.log(np.maximum(history[1], 1.0)) * (history[0] > 0)
    fitted = btyd.fit(family, *history, erlang=erlang, log_gap_sum=gaps)
    assert BtydParams.from_json(json.loads(json.dumps(fitted.to_json(), allow_nan=False))) == fitted
    for horizon in (30.0, 3650.0):
        orders = btyd.expected_orders(fitted, *history, horizon)
        returns = btyd.p_return(fitted, *history, horizon)
        assert np.isfinite(orders).all()
        assert ((returns >= 0.0) & (returns <= 1.0)).all()
    if fitted.has_attrition:
        alive = btyd.p_alive(fitted, *history)
        assert ((alive >= 0.0) & (alive <= 1.0)).all()
    assert np.isfinite(simulate(fitted, *history, 365.0, draws=20).total_orders).all()
    return fitted


@pytest.mark.parametrize(("family", "erlang"), KINDS)
@pytest.mark.parametrize("size", [1, 2, 5, 20])
def test_small_samples_on_which_fits_do_not_converge(family: str, erlang: int, size: int, cdnow: Customers) -> None:
    """One, two, five, twenty customers of a real log: never NaN, and nothing is passed off as identified without errors."""
    rng = np.random.default_rng(size)
    buyers = np.flatnonzero(cdnow.x > 0)
    for _ in range(5):
        some = np.append(rng.choice(buyers, 1), rng.integers(0, cdnow.x.size, size - 1))
        fitted = checked(family, erlang, tuple(values[some] for values in cdnow.history))
        assert "few_repeat_buyers" in fitted.notes
        assert not fitted.identified or all(fitted.standard_errors.values())


@pytest.mark.parametrize("family", ["bgnbd", "mbgnbd"])
def test_a_plus_b_below_1(family: str, cdnow: Customers) -> None:
    """Where a + b < 1 the printed hypergeometric forms may be NaN: here finite, and rising with the horizon."""
    for a, b in [(0.3, 0.4), (0.05, 0.05), (0.9, 0.05)]:
        params = published(family, 0.25, 4.4, a, b)
        orders = btyd.expected_orders(params, *cdnow.history, [30, 365, 3650])
        assert np.isfinite(orders).all()
        assert (np.diff(orders, axis=1) >= 0.0).all()
    made = lives(family, (0.8, 5.0, 0.3, 0.4), np.random.default_rng(3).uniform(20, 100, 3000), np.random.default_rng(4))
    assert sum(checked(family, 1, made.history).parameters[name] for name in "ab") < 1.2


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_no_repeaters(family: str, erlang: int) -> None:
    """A base in which nobody came back has no rate to learn."""
    with pytest.raises(FitError) as failure:
        btyd.fit(family, np.zeros(500), np.zeros(500), np.arange(500), erlang=erlang, log_gap_sum=np.zeros(500))
    assert failure.value.code == "no_repeat_orders"


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_132_orders_the_last_of_them_today(family: str, erlang: int, cdnow: Customers) -> None:
    """x = 132 with t_x = T: alive as good as certain, in the fit of a log that holds such a customer and at its parameters."""
    history = tuple(np.append(values, extra) for values, extra in zip(cdnow.history, (132.0, 1400.0, 1400.0), strict=True))
    fitted = checked(family, erlang, history)
    if fitted.has_attrition:
        alive = btyd.p_alive(fitted, [132], [1400], [1400])[0]
        assert alive == 1.0 if family == "paretonbd" else 0.98 < alive <= 1.0


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_one_fake_customer_with_5000_orders(family: str, erlang: int, cdnow: Customers) -> None:
    """One enormous customer bends every family; the record names him and stays finite."""
    history = tuple(np.append(values, extra) for values, extra in zip(cdnow.history, (5000.0, 5000.0, 5000.0), strict=True))
    assert "dominant_customer" in checked(family, erlang, history).notes


def test_all_spend_equal() -> None:
    """No spread of order values: our fit refuses, and so does the one through lifetimes."""
    with pytest.raises(FitError) as failure:
        spend.fit(np.arange(1, 101), np.full(100, 20.0))
    assert failure.value.code == "spend_constant"
    with pytest.raises(FitError):
        via_lifetimes.fit_spend(np.ones(100), np.full(100, 20.0))


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_all_ages_equal(family: str, erlang: int) -> None:
    """A cohort of one day: rate and unit of time are told from the counts alone, and the forecast keeps the pace."""
    rng = np.random.default_rng(7)
    made = lives("nbd", (1.0, 10.0), np.full(3000, 52.0), rng)
    fitted = checked(family, erlang, in_whole_days(made))
    assert fitted.converged
    orders = btyd.expected_orders(fitted, *in_whole_days(made), 364.0).mean()
    if erlang == 1:
        assert orders == pytest.approx(in_whole_days(made)[0].mean(), rel=0.1)


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_everyone_bought_on_the_last_day(family: str, erlang: int) -> None:
    """t_x = T for all: nothing shows that anybody left, so no family claims to know who did."""
    rng = np.random.default_rng(2)
    age = rng.integers(10, 400, 800).astype(float)
    fitted = checked(family, erlang, (rng.integers(1, 9, 800).astype(float), age, age))
    if fitted.has_attrition:
        assert not fitted.identified
        assert "attrition_not_identified" in fitted.notes


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_ages_of_0_days(family: str, erlang: int, cdnow: Customers) -> None:
    """Customers who came today tell nothing and change no parameter of a plain family; with nobody else there is no fit."""
    newcomers = tuple(np.append(values, np.zeros(500)) for values in cdnow.history)
    fitted = checked(family, erlang, newcomers)
    if family in ("nbd", "bgnbd", "paretonbd") and erlang == 1:
        alone = btyd.fit(family, *cdnow.history)
        assert list(fitted.parameters.values()) == pytest.approx(list(alone.parameters.values()), rel=1e-6)
    with pytest.raises(FitError):
        btyd.fit(family, np.zeros(9), np.zeros(9), np.zeros(9), erlang=erlang, log_gap_sum=np.zeros(9))
