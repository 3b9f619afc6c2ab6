"""Posterior draws of what customers will order and spend: intervals per customer, and draws of the total.
Takes fitted records and arrays; random numbers come from the given seed alone, whatever the memory or the machine.

One draw: parameters from N(log estimate, covariance), then per customer alive or not, rate and drop-out from their
posterior given the history, orders, and spend = Gamma(p Y, 1)/nu (models of btyd and spend). A draw uses the same
parameters for every customer, so the draws of the total keep the uncertainty that all customers share.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models import btyd_bg, btyd_nbd, btyd_pareto
from clm.models.btyd_params import DAYS_PER_WEEK, BtydParams
from clm.models.btyd_tuples import Histories, histories
from clm.models.spend import SpendParams

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.intp]

DRAWS = 200
_BLOCK = 4096  # customers per block; part of the result, as every block has its own stream of random numbers
_LARGEST_EVENTS = 1e9  # of a Poisson draw


@dataclass(frozen=True)
class Draws:
    """Draws for a block of customers: row i belongs to customer `customers[i]`, a column is one draw of the parameters."""

    customers: IndexArray
    orders: FloatArray
    spend: FloatArray | None


@dataclass(frozen=True)
class Simulation:
    """Intervals per customer (arrays of n) and draws of the totals (arrays of the number of draws)."""

    orders_low: FloatArray
    orders_high: FloatArray
    total_orders: FloatArray
    spend_low: FloatArray | None
    spend_high: FloatArray | None
    total_spend: FloatArray | None


def simulate(
    params: BtydParams,
    repeat_days: ArrayLike,
    active_days: ArrayLike,
    age_days: ArrayLike,
    horizon_days: float,
    *,
    spend: SpendParams | None = None,
    spend_orders: ArrayLike | None = None,
    mean_spend: ArrayLike | None = None,
    interval: float = 0.8,
    draws: int = DRAWS,
    seed: int = 0,
) -> Simulation:
    """Equal-tailed intervals of orders and spend in (T, T + H] per customer, and draws of their totals.

    spend: a Gamma-Gamma and what it was fitted on (`spend_orders` and `mean_spend`, as in `spend.fit`). interval: the
    coverage, between 0 and 1. Memory does not grow with the customers beyond the arrays returned.
    """
    if not 0.0 < interval < 1.0:
        raise ValueError("interval is a share between 0 and 1")
    tails = [(1.0 - interval) / 2.0, (1.0 + interval) / 2.0]
    size = np.atleast_1d(np.asarray(repeat_days)).size
    orders_bounds, spend_bounds = np.zeros((2, size)), np.zeros((2, size))
    total_orders, total_spend = np.zeros(draws), np.zeros(draws)
    for block in posterior_draws(
        params, repeat_days, active_days, age_days, horizon_days,
        spend=spend, spend_orders=spend_orders, mean_spend=mean_spend, draws=draws, seed=seed,
    ):  # fmt: skip
        orders_bounds[:, block.customers] = np.quantile(block.orders, tails, axis=1, method="inverted_cdf")
        total_orders += block.orders.sum(axis=0)
        if block.spend is not None:
            spend_bounds[:, block.customers] = np.quantile(block.spend, tails, axis=1)
            total_spend += block.spend.sum(axis=0)
    if spend is None:
        return Simulation(orders_bounds[0], orders_bounds[1], total_orders, None, None, None)
    return Simulation(orders_bounds[0], orders_bounds[1], total_orders, spend_bounds[0], spend_bounds[1], total_spend)


def posterior_draws(
    params: BtydParams,
    repeat_days: ArrayLike,
    active_days: ArrayLike,
    age_days: ArrayLike,
    horizon_days: float,
    *,
    spend: SpendParams | None = None,
    spend_orders: ArrayLike | None = None,
    mean_spend: ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Iterator[Draws]:
    """The draws behind `simulate`, block by block; blocks hold customers of like history, in a fixed order."""
    if not (np.isfinite(horizon_days) and horizon_days >= 0.0) or draws < 1:
        raise ValueError("the horizon must be a finite number of days, 0 or more, and draws 1 or more")
    known = histories(repeat_days, active_days, age_days).scaled(DAYS_PER_WEEK)
    values = _parameter_draws(params.values(), params.covariance_log, draws, seed, 0)
    valued = None
    if spend is not None:
        valued = _Valued(spend, spend_orders, mean_spend, known.of_customer.size, draws, seed)
    # Customers of one history follow each other, so P(alive) is computed once for each history of a block.
    ranked = np.argsort(known.of_customer, kind="stable")
    for number, start in enumerate(range(0, ranked.size, _BLOCK)):
        customers = ranked[start : start + _BLOCK]
        rng = np.random.default_rng([seed, 2, number])
        orders = _orders(params, values, known, known.of_customer[customers], horizon_days / DAYS_PER_WEEK, rng)
        yield Draws(customers, orders, None if valued is None else valued.draw(customers, orders, rng))


def _parameter_draws(
    values: FloatArray, covariance: tuple[tuple[float, ...], ...] | None, draws: int, seed: int, stream: int
) -> FloatArray:
    """One row per parameter, one column per draw; the estimate itself where the fit has no covariance."""
    logs = np.repeat(np.log(values)[:, None], draws, axis=1)
    if covariance is not None:
        matrix = np.array(covariance)
        scale = np.sqrt(np.diag(matrix))
        # Cholesky of the correlations: unlike eigenvectors its signs do not flip with the last digit of the fit.
        root = np.linalg.cholesky(matrix / np.outer(scale, scale) + 1e-8 * np.eye(values.size))
        logs += scale[:, None] * (root @ np.random.default_rng([seed, stream]).standard_normal((values.size, draws)))
    return np.asarray(np.exp(np.clip(logs, -20.0, 20.0)))


def _orders(
    params: BtydParams, values: FloatArray, known: Histories, entry: IndexArray, horizon: float, rng: np.random.Generator
) -> FloatArray:
    """Orders of each customer (row) in each draw (column)."""
    first, last = int(entry[0]), int(entry[-1]) + 1
    here = entry - first
    x, active, age = known.x[first:last], known.active[first:last], known.age[first:last]
    shape = (entry.size, values.shape[1])
    if params.has_attrition:
        row, draw = np.nonzero(rng.random(shape) < _p_alive(params, values, x, active, age)[here])
    else:
        row, draw = (part.ravel() for part in np.indices(shape))
    x, active, age = x[here[row]], active[here[row]], age[here[row]]
    r, alpha = values[0][draw], values[1][draw]
    events_before = r + params.erlang * x
    phase = np.zeros(row.size)
    if params.erlang > 1:
        weights = btyd_nbd.phases(np.stack([r, alpha]), params.erlang, x, active, age)
        phase = np.sum(rng.random(row.size)[:, None] > np.cumsum(weights, axis=1)[:, :-1], axis=1).astype(np.float64)
    rate = rng.standard_gamma(events_before + phase) / (alpha + age)
    time = np.full(row.size, horizon)
    if params.family == "paretonbd":
        leaving = rng.standard_gamma(values[2][draw]) / (values[3][draw] + age)
        time = np.minimum(time, rng.standard_exponential(row.size) / np.maximum(leaving, 1e-300))
    events = rng.poisson(np.minimum(rate * time, _LARGEST_EVENTS)).astype(np.float64)
    made = np.floor((events + phase) / params.erlang)
    if params.has_attrition and params.family != "paretonbd":
        some = np.flatnonzero(made > 0.0)
        kept = values[3][draw[some]] + x[some] + float(params.family in btyd_bg.MODIFIED)
        leaving = np.clip(rng.beta(values[2][draw[some]], kept), 1e-12, 1.0)
        made[some] = np.minimum(made[some], rng.geometric(leaving).astype(np.float64))
    orders = np.zeros(shape)
    orders[row, draw] = made
    return orders


def _p_alive(params: BtydParams, values: FloatArray, x: FloatArray, active: FloatArray, age: FloatArray) -> FloatArray:
    """P(alive) of each history (row) under each draw (column); one column where all draws are the estimate."""
    if params.covariance_log is None:
        values = values[:, :1]
    if params.family == "paretonbd":
        return np.stack([btyd_pareto.p_alive(one, x, active, age) for one in values.T], axis=1)
    modified = params.family in btyd_bg.MODIFIED
    return btyd_bg.p_alive(values, params.erlang, modified, x[:, None], active[:, None], age[:, None])


class _Valued:
    """The spend side of the draws: what a number of orders costs, given each customer's own orders."""

    def __init__(
        self, spend: SpendParams, orders: ArrayLike | None, mean_spend: ArrayLike | None, customers: int, draws: int,
        seed: int,
    ) -> None:  # fmt: skip
        if orders is None or mean_spend is None:
            raise ValueError("intervals of spend need spend_orders and mean_spend")
        x = np.atleast_1d(np.asarray(orders, dtype=np.float64))
        m = np.atleast_1d(np.asarray(mean_spend, dtype=np.float64))
        if x.size != customers or m.size != customers:
            raise ValueError("spend_orders and mean_spend must have one entry per customer")
        self.x, self.paid = x, x * np.where(x > 0.0, np.maximum(np.nan_to_num(m), 0.0), 0.0)
        self.values = _parameter_draws(spend.values(), spend.covariance_log, draws, seed, 1)

    def draw(self, customers: IndexArray, orders: FloatArray, rng: np.random.Generator) -> FloatArray:
        p, q, gamma = self.values
        spent = np.zeros_like(orders)
        row, draw = np.nonzero(orders)
        x, paid = self.x[customers[row]], self.paid[customers[row]]
        nu = rng.standard_gamma(q[draw] + p[draw] * x) / (gamma[draw] + paid)
        amount = rng.standard_gamma(p[draw] * orders[row, draw]) / np.maximum(nu, 1e-300)
        spent[row, draw] = amount
        return spent
