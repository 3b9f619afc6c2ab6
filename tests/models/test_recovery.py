"""Recovery: shops with known parameters are simulated and fitted; the truth lies inside the intervals as often as they promise.

CLM_RECOVERY=all runs 20 settings a family (100 of the models that fit in no time); without it two (10), so that a slip in a
standard error or a draw is seen at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from clm.models import bgbb, btyd, sbg, spend
from clm.models.btyd_params import BtydParams
from clm.models.btyd_simulate import posterior_draws
from tests.models.lives import Lives, lives

ALL = os.environ.get("CLM_RECOVERY") == "all"
SETTINGS = 20 if ALL else 2
CUSTOMERS = 4000
HORIZON_WEEKS = 39.0
LEAST_COVERED = 0.88 if ALL else 0.6  # two settings are eight parameters or fewer

KINDS = [("nbd", 1), ("bgnbd", 1), ("mbgnbd", 1), ("bgcnbd", 2), ("bgcnbd", 3), ("mbgcnbd", 2), ("mbgcnbd", 3), ("paretonbd", 1)]
# Shops from one order a year to one a week, losing from a tenth to most of their customers.
TIMING = ((0.3, 2.0), (3.0, 15.0))
LEAVING = {"paretonbd": ((0.4, 1.5), (5.0, 20.0))}
LEAVING_AT_ORDERS = ((0.4, 1.5), (1.0, 5.0))


def between(ranges: tuple[tuple[float, float], ...], rng: np.random.Generator) -> tuple[float, ...]:
    """One value of each range, evenly in its logarithm."""
    return tuple(float(np.exp(rng.uniform(np.log(low), np.log(high)))) for low, high in ranges)


def shops(family: str, erlang: int) -> list[tuple[tuple[float, ...], Lives]]:
    """Simulated customers of 20 to 100 weeks under each setting."""
    made = []
    for number in range(SETTINGS):
        rng = np.random.default_rng([number, erlang, sorted(btyd.FAMILIES).index(family)])
        timing = between(TIMING, rng)
        values = (timing[0], timing[1] / erlang)  # orders, not hidden events, come at the same pace
        if family != "nbd":
            values += between(LEAVING.get(family, LEAVING_AT_ORDERS), rng)
        age = rng.uniform(20.0, 100.0, CUSTOMERS)
        made.append((values, lives(family, values, age, rng, erlang=erlang, horizon_weeks=HORIZON_WEEKS)))
    return made


def fitted(family: str, erlang: int, made: Lives) -> BtydParams:
    return btyd.fit(family, *made.history, erlang=erlang, log_gap_sum=made.log_gaps)


def inside(estimates: dict[str, float], errors: dict[str, float | None], truth: tuple[float, ...]) -> list[bool]:
    """Whether each true value lies within exp(log estimate +- 1.96 standard errors of the log)."""
    found = []
    for (name, estimate), true in zip(estimates.items(), truth, strict=True):
        error = errors[name]
        assert error is not None
        found.append(abs(np.log(true / estimate)) <= 1.96 * error / estimate)
    return found


def report(capsys: pytest.CaptureFixture[str], name: str, covered: list[bool], unidentified: int) -> None:
    if ALL:
        with capsys.disabled():
            print(f"\n{name}: {np.mean(covered):.1%} of {len(covered)} parameters inside, {unidentified} fits not identified")


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_the_truth_lies_inside_the_95_percent_interval(family: str, erlang: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Over settings and parameters at least 88 % of the true values; fits that say they identify nothing are counted apart."""
    covered: list[bool] = []
    unidentified = 0
    for values, made in shops(family, erlang):
        params = fitted(family, erlang, made)
        assert params.converged
        if not params.identified:
            unidentified += 1
            continue
        covered += inside(params.parameters, params.standard_errors, values)
    report(capsys, f"{btyd.FAMILY_TITLES[family]} k {erlang}", covered, unidentified)
    assert unidentified <= SETTINGS // 4
    assert np.mean(covered) >= LEAST_COVERED


def gamma_gamma(rng: np.random.Generator) -> tuple[tuple[float, ...], Callable[[], spend.SpendParams]]:
    truth = between(((2.0, 10.0), (2.5, 6.0), (5.0, 50.0)), rng)
    p, q, gamma = truth
    orders = np.minimum(rng.geometric(0.35, CUSTOMERS), 200).astype(float)
    means = rng.gamma(p * orders, gamma / rng.gamma(q, 1.0, CUSTOMERS)) / orders
    return truth, lambda: spend.fit(orders, means)


def yearly(rng: np.random.Generator) -> tuple[tuple[float, ...], Callable[[], bgbb.BgbbParams]]:
    truth = between(((0.5, 3.0), (0.5, 3.0), (0.4, 1.5), (2.0, 8.0)), rng)
    chances = rng.integers(3, 13, CUSTOMERS)
    takes, leaves = rng.beta(truth[0], truth[1], CUSTOMERS), rng.beta(truth[2], truth[3], CUSTOMERS)
    lasts = rng.geometric(np.clip(leaves, 1e-12, 1.0)) - 1  # chances while present
    taken = rng.random((CUSTOMERS, 12)) < takes[:, None]
    taken &= np.arange(1, 13)[None, :] <= np.minimum(lasts, chances)[:, None]
    last = np.where(taken.any(axis=1), 12 - np.argmax(taken[:, ::-1], axis=1), 0)
    return truth, lambda: bgbb.fit(taken.sum(axis=1), last, chances)


def contracts(rng: np.random.Generator) -> tuple[tuple[float, ...], Callable[[], sbg.SbgParams]]:
    truth = between(((0.5, 3.0), (1.0, 8.0)), rng)
    due = rng.integers(2, 13, CUSTOMERS)
    lasts = rng.geometric(np.clip(rng.beta(*truth, CUSTOMERS), 1e-12, 1.0))
    return truth, lambda: sbg.fit(np.minimum(lasts, due), lasts <= due)


@pytest.mark.parametrize("made", [gamma_gamma, yearly, contracts], ids=["Gamma-Gamma", "BG/BB", "sBG"])
def test_the_truth_lies_inside_for_spend_years_and_contracts(
    made: Callable[[np.random.Generator], tuple[tuple[float, ...], Callable[[], spend.SpendParams]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same for Gamma-Gamma, BG/BB and sBG."""
    covered: list[bool] = []
    unidentified = 0
    for number in range(5 * SETTINGS):
        truth, fit = made(np.random.default_rng([number, 77]))
        params = fit()
        if not params.identified:
            unidentified += 1
            continue
        covered += inside(params.parameters, params.standard_errors, truth)
    report(capsys, made.__name__, covered, unidentified)
    assert unidentified <= SETTINGS // 4
    assert np.mean(covered) >= LEAST_COVERED


def covered_share(params: BtydParams, history: tuple[np.ndarray, ...], later: np.ndarray, horizon_days: float) -> float:
    """Share of customers whose randomised PIT of what they did lies between .1 and .9, in expectation over its randomness."""
    covered = np.zeros(later.size)
    for block in posterior_draws(params, *history, horizon_days, draws=200):
        actual = later[block.customers][:, None]
        below, equal = (block.orders < actual).mean(axis=1), np.maximum((block.orders == actual).mean(axis=1), 1e-12)
        within = np.minimum(below + equal, 0.9) - np.maximum(below, 0.1)
        covered[block.customers] = np.clip(within / equal, 0.0, 1.0)
    return float(covered.mean())


@pytest.mark.parametrize(("family", "erlang"), KINDS)
def test_80_percent_intervals_cover_75_to_85_percent_of_simulated_customers(
    family: str, erlang: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every setting, for every family and k: orders of the next 39 weeks inside the interval of their customer."""
    shares = []
    for _, made in shops(family, erlang):
        params = fitted(family, erlang, made)
        if params.identified:
            shares.append(covered_share(params, made.history, made.later, HORIZON_WEEKS * 7.0))
    if ALL:
        with capsys.disabled():
            print(f"\n{btyd.FAMILY_TITLES[family]} k {erlang}: {min(shares):.1%} to {max(shares):.1%} of customers covered")
    assert min(shares) >= 0.75
    assert max(shares) <= 0.85
