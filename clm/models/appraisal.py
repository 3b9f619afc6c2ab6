"""The forecast a base of buyers gets on its rung of the ladder: numbers per buyer, and totals with their intervals.
Arrays and records in, arrays and records out; what was learned and tested comes in, nothing is fitted or chosen here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import baselines, btyd, choice, valuation
from clm.models.backtest import Scored
from clm.models.buyers import Buyers
from clm.models.choice import TotalInterval
from clm.models.evaluate import Score
from clm.models.ladder import Rung
from clm.models.valuation import OrderForecast, OrderValue, Slices

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]

NEXT_ORDER_HORIZONS = 3  # how many horizons ahead the next order is looked for


@dataclass(frozen=True)
class Recent:
    """The `days` up to as_of, for forecasts made of them: order days of each buyer in them, and what silence meant before.

    earlier_recency, earlier_returned: the buyers at the start of the period, their days of silence then and whether they
    ordered in it.
    """

    orders: FloatArray
    days: int
    earlier_recency: FloatArray
    earlier_returned: BoolArray


@dataclass(frozen=True)
class Terms:
    """How money and uncertainty are told: margin on revenue (one, or one for each buyer), width of the intervals, seed of the
    simulation, days of the log."""

    margin: float | FloatArray
    interval: float
    seed: int
    log_days: int


@dataclass(frozen=True)
class Groups:
    """Who the totals are about: the number of the segment each buyer counts in, -1 for who does not count.

    names: of the segments, in the order of their numbers; without segments everybody who counts is number 0.
    """

    of_buyer: IndexArray
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Total:
    """Numbers of all buyers, or of a segment; money None without amounts, an interval None where nothing supports one."""

    customers: int
    orders: float
    spend: float | None
    clv: float | None
    orders_interval: TotalInterval | None
    clv_interval: TotalInterval | None


@dataclass(frozen=True)
class Spread:
    """How wrong a total was: totals that came and that were forecast, at each origin, of orders and of money."""

    orders: tuple[tuple[float, float], ...] = ()
    spend: tuple[tuple[float, float], ...] = ()

    @staticmethod
    def of(method: str, tests: Sequence[Scored]) -> "Spread":
        """Of one forecast in the back-test."""

        def pairs(scores: Sequence[Score]) -> tuple[tuple[float, float], ...]:
            return tuple((one.actual_total, one.predicted_total) for one in scores if one.name == method)

        return Spread(
            tuple(pair for test in tests for pair in pairs(test.orders)),
            tuple(pair for test in tests for pair in pairs(test.spend)),
        )


@dataclass(frozen=True)
class Appraisal:
    """One entry per buyer; None where the rung, or a log without amounts, has no such number.

    orders: expected order days in the horizon; spend: their money, undiscounted, before margin; clv: by slice, discounted,
    times margin, with its interval low to high; next_order_days: first day by which an order is likelier than not, -1 for
    none within three horizons. total, segments: over the buyers that count; their intervals are None where nobody can know
    how wrong the total is.
    """

    orders: FloatArray
    p_alive: FloatArray | None
    spend: FloatArray | None
    clv: FloatArray | None
    low: FloatArray | None
    high: FloatArray | None
    next_order_days: NDArray[np.int64] | None
    total: Total
    segments: dict[str, Total]


def appraise(
    rung: Rung,
    buyers: Buyers,
    value: OrderValue | None,
    recent: Recent | None,
    spread: Spread,
    parts: Slices,
    groups: Groups,
    terms: Terms,
) -> Appraisal:
    """Numbers for every buyer, and totals over those in `groups`.

    A family gives each buyer an interval by simulation. A naive forecast has no distribution, so its buyers have none; its
    total has the width of the back-test's error. Where the back-test measured nothing, only a family whose horizon is no
    longer than the log has an interval: any other width would be an invention. A segment's total is widened by the error
    of the whole, which is the least it can be wrong by. `recent` is needed by the rungs last_period, hiatus and mean (else
    the mean is that of the repeat order days per day).
    """
    forecast, drawn = _orders(rung, buyers, recent, parts), None
    spread = spread if rung.tested else Spread()
    untested = rung.params is not None and parts.horizon_days <= terms.log_days + 1  # days the log covers
    if rung.params is not None and (spread.orders or untested):
        drawn = valuation.ranges(
            rung.params, buyers, forecast, value, parts, groups.of_buyer,
            interval=terms.interval, margin=terms.margin, seed=terms.seed,
        )  # fmt: skip
    later = rung.params or rung.alive
    next_days = None
    if later is not None:
        next_days = btyd.days_to_next_order(later, *buyers.history, NEXT_ORDER_HORIZONS * parts.horizon_days)
    alive = None if rung.alive is None else btyd.p_alive(rung.alive, *buyers.history)
    spend = None if value is None else forecast.orders * value.mean
    clv = None if value is None else forecast.discounted * value.mean * terms.margin

    def total(numbers: Sequence[int]) -> Total:
        here = np.isin(groups.of_buyer, numbers)
        orders = float(np.sum(forecast.orders[here]))
        money = None if clv is None else float(np.sum(clv[here]))
        return Total(
            customers=int(here.sum()),
            orders=orders,
            spend=None if spend is None else float(np.sum(spend[here])),
            clv=money,
            orders_interval=_interval(
                _summed(drawn.total_orders if drawn else None, numbers, orders), spread.orders, terms, untested=untested
            ),
            clv_interval=None
            if money is None
            else _interval(_summed(drawn.total_money if drawn else None, numbers, money), spread.spend, terms, untested=untested),
        )

    whole = total(range(max(len(groups.names), 1)))
    known = drawn is not None and whole.clv_interval is not None
    return Appraisal(
        orders=forecast.orders,
        p_alive=alive,
        spend=spend,
        clv=clv,
        low=drawn.low if known and drawn is not None else None,
        high=drawn.high if known and drawn is not None else None,
        next_order_days=next_days,
        total=whole,
        segments={name: total([number]) for number, name in enumerate(groups.names)},
    )


def _orders(rung: Rung, buyers: Buyers, recent: Recent | None, parts: Slices) -> OrderForecast:
    if rung.params is not None:
        return valuation.by_model(rung.params, buyers, parts)
    horizon = parts.horizon_days
    if rung.method == "rate" and rung.status == "baseline_better":
        orders = baselines.own_rate(buyers.repeat_days, buyers.age_days, horizon)
    elif rung.method == "rate":
        orders = valuation.shrunken_rate(buyers, horizon)
    elif rung.method == "zero":
        orders = baselines.zero(buyers.age_days.size)
    elif rung.method == "last_period" and recent is not None:
        orders = baselines.last_period(recent.orders, recent.days, horizon)
    elif rung.method == "hiatus" and recent is not None:
        cutoff = baselines.hiatus_cutoff(recent.earlier_recency, recent.earlier_returned)
        orders = baselines.hiatus(buyers.repeat_days, buyers.age_days, buyers.recency_days, cutoff, horizon)
    elif recent is not None:
        orders = baselines.mean(recent.orders, recent.days, horizon)
    else:
        observed = float(buyers.age_days.sum())
        per_day = float(buyers.repeat_days.sum()) / observed if observed else 0.0
        orders = np.full(buyers.age_days.shape, per_day * horizon)
    return valuation.spread_evenly(orders, parts)


def _summed(draws: FloatArray | None, numbers: Sequence[int], total: float) -> Sequence[float] | FloatArray:
    """Draws of the total of some groups; the total itself where nothing was drawn."""
    if draws is None:
        return [total]
    return np.asarray(np.sum(draws[[number for number in numbers if number < draws.shape[0]]], axis=0))


def _interval(
    draws: Sequence[float] | FloatArray, pairs: Sequence[tuple[float, float]], terms: Terms, *, untested: bool
) -> TotalInterval | None:
    actual, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return choice.total_interval(draws, actual, predicted, terms.interval, untested=untested)
