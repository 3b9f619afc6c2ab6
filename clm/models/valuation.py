"""What a fitted model or a naive forecast says about each buyer: orders, money by monthly slice, next order, interval.
Arrays and records in, arrays out; it knows no table, chooses no model and fits none but the value of an order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clm.models import btyd, btyd_simulate, spend
from clm.models.btyd_params import BtydParams
from clm.models.btyd_tuples import Histories, histories
from clm.models.buyers import Buyers
from clm.models.fitting import FitError
from clm.models.spend import SpendParams

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]

SpendFit = Callable[[ArrayLike, ArrayLike], SpendParams]
# how an order is valued: Gamma-Gamma on the orders after the first day, Gamma-Gamma on all of them, or the shrunken mean
Way = Literal["repeat_orders", "all_orders", "shrunken_mean"]

DAYS_PER_YEAR = 365.0
_POOLED = 20  # members of a group of equal buyers whose draws make its interval
_CELLS = 2_000_000  # forecasts (histories x slices) held at a time
_NO_MODEL = ("no_population_mean", "spend_not_converged", "spend_not_identified")  # notes of a Gamma-Gamma nobody should use


@dataclass(frozen=True)
class OrderValue:
    """Expected money of one order day of each buyer: `mean`, finite and >= 0.

    model: the Gamma-Gamma where it makes `mean`, None where the shrunken mean does; fitted: clm's own fit, used or not;
    problem: (code, sentence) why a fit is not used. orders, mean_spend: what Gamma-Gamma was fitted on.
    """

    mean: FloatArray
    model: SpendParams | None
    fitted: SpendParams | None
    problem: tuple[str, str] | None
    orders: FloatArray
    mean_spend: FloatArray

    @staticmethod
    def by_mean(buyers: Buyers) -> "OrderValue":
        """The shrunken mean alone, with no Gamma-Gamma tried."""
        return OrderValue(shrunken_value(buyers), None, None, None, *_means(buyers.spend, buyers.repeat_days + 1.0))

    def by_mean_instead(self, buyers: Buyers) -> "OrderValue":
        """The shrunken mean, this fit shown beside it."""
        return replace(OrderValue.by_mean(buyers), fitted=self.fitted)


@dataclass(frozen=True)
class Slices:
    """Consecutive slices of the horizon: last day of each, counted from as_of, and the discount factor at its middle."""

    ends: tuple[int, ...]
    discounts: tuple[float, ...]

    @property
    def horizon_days(self) -> int:
        return self.ends[-1]


@dataclass(frozen=True)
class OrderForecast:
    """Expected order days of each buyer within the horizon: plain, and with each slice times its discount factor."""

    orders: FloatArray
    discounted: FloatArray


@dataclass(frozen=True)
class Ranges:
    """Equal-tailed interval of each buyer's discounted money (None without amounts), and draws of the totals: one row a group."""

    low: FloatArray | None
    high: FloatArray | None
    total_orders: FloatArray
    total_money: FloatArray | None


def slices(ends: Sequence[int], annual_discount: float) -> Slices:
    """Slices that end on these days after as_of, discounted by (1 + rate)^(-days/365) at the middle of each.

    Raises ValueError unless the ends rise from above 0 and the rate is above -1.
    """
    days = [0, *ends]
    if len(days) < 2 or any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("slices need rising ends, the first above 0")
    if not annual_discount > -1.0:
        raise ValueError("the yearly discount rate must be above -100 %")
    middles = [(start + end) / 2.0 for start, end in pairwise(days)]
    return Slices(tuple(ends), tuple((1.0 + annual_discount) ** (-middle / DAYS_PER_YEAR) for middle in middles))


def order_value(buyers: Buyers, way: Way, other: SpendFit | None = None) -> OrderValue:
    """Value of an order by Gamma-Gamma, or by the shrunken mean where Gamma-Gamma cannot be fitted or not be trusted.

    other: another estimator whose fit is used in place of clm's own wherever both succeed. Raises ValueError for a log
    without amounts.
    """
    if way == "shrunken_mean":
        return OrderValue.by_mean(buyers)
    known = spend_seen(buyers, way)
    try:
        fitted = spend.fit(*known)
    except FitError as error:
        return OrderValue(shrunken_value(buyers), None, None, (error.code, error.sentence), *known)
    bad = next((note for note in _NO_MODEL if note in fitted.notes), None)
    if bad is not None:
        return OrderValue(shrunken_value(buyers), None, fitted, (bad, spend.NOTES[bad]), *known)
    model, problem = fitted, None
    if other is not None:
        try:
            model = other(*known)
        except FitError as error:
            problem = (error.code, error.sentence)
    return OrderValue(spend.expected_mean_spend(model, *known), model, fitted, problem, *known)


def applied_value(buyers: Buyers, way: Way, model: SpendParams | None) -> OrderValue:
    """Value of an order under a Gamma-Gamma fitted elsewhere; the shrunken mean where there is none."""
    if model is None or way == "shrunken_mean":
        return OrderValue.by_mean(buyers)
    known = spend_seen(buyers, way)
    return OrderValue(spend.expected_mean_spend(model, *known), model, model, None, *known)


def spend_seen(buyers: Buyers, way: Way) -> tuple[FloatArray, FloatArray]:
    """Order days and mean spend of each buyer as Gamma-Gamma sees them, for its fit and for its forecast."""
    if way == "repeat_orders":
        return _means(buyers.repeat_spend, buyers.repeat_days)
    return _means(buyers.spend, buyers.repeat_days + 1.0)


def shrunken_value(buyers: Buyers) -> FloatArray:
    """The shrunken mean of each buyer over all order days, the first too: it is needed where repeats are few."""
    return spend.shrunken_mean(*_means(buyers.spend, buyers.repeat_days + 1.0))


def by_model(params: BtydParams, buyers: Buyers, parts: Slices) -> OrderForecast:
    """Expected orders of a fitted family: each slice is a difference of cumulative expectations.

    Buyers of equal history share their forecast, so a million of them cost as much as their distinct histories.
    """
    known = histories(*buyers.history)
    orders, discounted = np.zeros(known.x.size), np.zeros(known.x.size)
    for here, cumulative in _cumulative(params, known, parts.ends):
        reached = np.zeros(cumulative.shape[0])
        for column, factor in enumerate(parts.discounts):
            later = np.maximum(cumulative[:, column], reached)
            discounted[here] += factor * (later - reached)
            reached = later
        orders[here] = reached
    return OrderForecast(orders[known.of_customer], discounted[known.of_customer])


def running_total(params: BtydParams, buyers: Buyers, ends: Sequence[int]) -> FloatArray:
    """Expected orders of all buyers together up to each of these days."""
    known = histories(*buyers.history)
    total = np.zeros(len(ends))
    for here, cumulative in _cumulative(params, known, ends):
        total += known.count[here] @ cumulative
    return total


def _cumulative(params: BtydParams, known: Histories, ends: Sequence[int]) -> Iterator[tuple[slice, FloatArray]]:
    """Expected orders of distinct histories (rows) up to each day (columns), a block of rows at a time."""
    step = max(1, _CELLS // len(ends))
    for start in range(0, known.x.size, step):
        here = slice(start, start + step)
        yield here, btyd.expected_orders(params, known.x[here], known.active[here], known.age[here], list(ends))


def spread_evenly(orders: FloatArray, parts: Slices) -> OrderForecast:
    """A naive forecast of the whole horizon, spread over its days alike."""
    starts = (0, *parts.ends[:-1])
    share = sum(factor * (end - start) for factor, start, end in zip(parts.discounts, starts, parts.ends, strict=True))
    return OrderForecast(orders, orders * (share / parts.horizon_days))


def shrunken_rate(buyers: Buyers, horizon_days: float) -> FloatArray:
    """Orders at the own rate drawn to the rate of all: H (x + mean x)/(T + mean T), finite for every history.

    The prior weighs one average customer. Plain x/T would promise 180 orders a year to whoever bought twice in two
    days; this is what a base too small for a model gets.
    """
    if not buyers.repeat_days.size:
        return np.zeros(0)
    repeats, age = float(buyers.repeat_days.mean()), float(buyers.age_days.mean())
    if age == 0.0:
        return np.zeros_like(buyers.repeat_days)
    return np.asarray(horizon_days * (buyers.repeat_days + repeats) / (buyers.age_days + age))


def ranges(
    params: BtydParams,
    buyers: Buyers,
    forecast: OrderForecast,
    value: OrderValue | None,
    parts: Slices,
    group: IndexArray,
    *,
    interval: float,
    margin: float | FloatArray,
    seed: int,
) -> Ranges:
    """Posterior simulation of orders and money: an interval per buyer, draws of the totals of each group of buyers.

    group: the number of the group a buyer counts in, from 0, or -1 for none.

    Spend is drawn for the whole horizon at once and discounted by the buyer's own ratio of discounted to plain expected
    orders; drawing month by month would change the interval by less than its own noise. Without a Gamma-Gamma every
    order is worth the shrunken mean. Buyers of equal history and spend share one interval, from their draws together.
    `margin` is one share, or one for each buyer.
    """
    worth = np.zeros_like(buyers.age_days) if value is None else value.mean
    plain = np.where(forecast.orders > 0.0, forecast.orders, 1.0)
    factor = np.where(forecast.orders > 0.0, forecast.discounted / plain, parts.discounts[0])
    kept = np.broadcast_to(np.asarray(margin, dtype=np.float64), worth.shape)
    # Sorted by what decides a buyer's distribution: the simulation keeps this order, so equal buyers stand together.
    order = np.lexsort((worth, buyers.age_days, buyers.active_days, buyers.repeat_days))
    x, active, age, worth, factor = (column[order] for column in (*buyers.history, worth, factor))
    groups = _groups(x, active, age, worth)
    bounds = np.zeros((2, int(groups[-1]) + 1 if groups.size else 0))
    known = np.full(bounds.shape[1], False)
    group, own_margin = group[order], kept[order][:, None]
    shape = (max(int(group.max(initial=0)) + 1, 1), btyd_simulate.DRAWS)
    total_orders, total_money = np.zeros(shape), np.zeros(shape)
    model = value.model if value is not None else None
    given = (value.orders[order], value.mean_spend[order]) if value is not None and model is not None else (None, None)
    for block in btyd_simulate.posterior_draws(
        params, x, active, age, parts.horizon_days, spend=model, spend_orders=given[0], mean_spend=given[1], seed=seed
    ):
        rows = block.customers
        _add(total_orders, block.orders, group[rows])
        if value is None:
            continue
        spent = block.spend if block.spend is not None else block.orders * worth[rows][:, None]
        money = spent * factor[rows][:, None]
        _add(total_money, own_margin[rows] * money, group[rows])
        _bounds(money, groups[rows], bounds, known, [(1.0 - interval) / 2.0, (1.0 + interval) / 2.0])
    if value is None:
        return Ranges(None, None, total_orders, None)
    low, high = np.empty_like(worth), np.empty_like(worth)
    low[order], high[order] = bounds[:, groups]
    return Ranges(kept * low, kept * high, total_orders, total_money)


def _add(totals: FloatArray, drawn: FloatArray, group: IndexArray) -> None:
    """Add the draws of a block (a row per buyer) to the totals (a row per group)."""
    for number in np.unique(group[group >= 0]):
        totals[number] += np.sum(drawn[group == number], axis=0)


def _groups(*sorted_columns: FloatArray) -> IndexArray:
    """Number of the group of equal rows each row belongs to, rising from 0."""
    first = sorted_columns[0]
    changed = np.zeros(first.size, dtype=np.intp)
    for column in sorted_columns:
        changed[1:] |= column[1:] != column[:-1]
    return np.cumsum(changed)


def _bounds(money: FloatArray, groups: IndexArray, bounds: FloatArray, known: BoolArray, tails: Sequence[float]) -> None:
    """Quantiles of each group of equal buyers that begins in this block, from the draws of up to _POOLED of its members."""
    number, start, size = np.unique(groups, return_index=True, return_counts=True)
    fresh = ~known[number]
    single = fresh & (size == 1)
    bounds[:, number[single]] = np.quantile(money[start[single]], tails, axis=1)
    for group, at, members in zip(number[fresh & ~single], start[fresh & ~single], size[fresh & ~single], strict=True):
        bounds[:, group] = np.quantile(money[at : at + min(members, _POOLED)], tails)
    known[number] = True


def _means(money: FloatArray | None, days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Order days whose money is known, and its mean per day (NaN where there is none)."""
    if money is None:
        raise ValueError("a log without amounts has no value of an order")
    known = np.where(np.isfinite(money), days, 0.0)
    return known, np.where(known > 0.0, money / np.where(known > 0.0, known, 1.0), np.nan)
