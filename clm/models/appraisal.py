"""The forecast a base of buyers gets on its rung of the ladder: numbers per buyer, and totals with their intervals.
Arrays and records in, arrays and records out; what was learned and tested comes in, nothing is fitted or chosen here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import baselines, btyd, choice, valuation
from clm.models.backtest import Scored
from clm.models.choice import TotalInterval
from clm.models.evaluate import Score
from clm.models.ladder import Rung
from clm.models.valuation import Buyers, OrderForecast, OrderValue, Ranges, Slices

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NEXT_ORDER_HORIZONS = 3  # how many horizons ahead the next order is looked for


@dataclass(frozen=True)
class Recent:
    """Order days of each buyer in the `days` up to as_of: what a forecast by the last period repeats."""

    orders: FloatArray
    days: int


@dataclass(frozen=True)
class Terms:
    """How money and uncertainty are told: margin on revenue (one, or one for each buyer), width of the intervals, seed of the
    simulation, days of the log."""

    margin: float | FloatArray
    interval: float
    seed: int
    log_days: int


@dataclass(frozen=True)
class Appraisal:
    """One entry per buyer; None where the rung, or a log without amounts, has no such number.

    orders: expected order days in the horizon; spend: their money, undiscounted, before margin; clv: by slice, discounted,
    times margin, with its interval low to high; next_order_days: first day by which an order is likelier than not, -1 for
    none within three horizons. Totals are over the buyers that were counted; their intervals are None where nobody can
    know how wrong the total is.
    """

    orders: FloatArray
    p_alive: FloatArray | None
    spend: FloatArray | None
    clv: FloatArray | None
    low: FloatArray | None
    high: FloatArray | None
    next_order_days: NDArray[np.int64] | None
    customers: int
    total_orders: float
    total_spend: float | None
    total_clv: float | None
    orders_interval: TotalInterval | None
    clv_interval: TotalInterval | None


def appraise(
    rung: Rung,
    buyers: Buyers,
    value: OrderValue | None,
    recent: Recent | None,
    tests: Sequence[Scored],
    parts: Slices,
    counted: BoolArray,
    terms: Terms,
) -> Appraisal:
    """Numbers for every buyer; `counted` are the ones the totals are about.

    A family gives each buyer an interval by simulation. A naive forecast has no distribution, so its buyers have none; its
    total has the width of the back-test's error. Where the back-test measured nothing, only a family whose horizon is no
    longer than the log has an interval: any other width would be an invention. `recent` is needed by the rungs last_period
    and mean (else the mean is that of the repeat order days per day).
    """
    forecast, drawn = _orders(rung, buyers, recent, parts), None
    tests = tests if rung.tested else ()
    untested = rung.params is not None and parts.horizon_days <= terms.log_days
    if rung.params is not None and (tests or untested):
        drawn = valuation.ranges(
            rung.params, buyers, forecast, value, parts, counted,
            interval=terms.interval, margin=terms.margin, seed=terms.seed,
        )  # fmt: skip
    horizon = parts.horizon_days
    total_orders = float(np.sum(forecast.orders[counted]))
    told = drawn.total_orders if drawn else [total_orders]
    orders_interval = _total(rung.method, told, [t.orders for t in tests], terms, untested=untested)
    later = rung.params or rung.alive
    next_days = None
    if later is not None:
        next_days = btyd.days_to_next_order(later, *buyers.history, NEXT_ORDER_HORIZONS * horizon)
    alive = None if rung.alive is None else btyd.p_alive(rung.alive, *buyers.history)
    if value is None:
        return Appraisal(
            forecast.orders, alive, None, None, None, None, next_days,
            int(counted.sum()), total_orders, None, None, orders_interval, None,
        )  # fmt: skip
    spend = forecast.orders * value.mean
    clv = forecast.discounted * value.mean * terms.margin
    total_clv = float(np.sum(clv[counted]))
    money = _money(drawn, total_clv)
    clv_interval = _total(rung.method, money, [t.spend for t in tests], terms, untested=untested)
    low, high = (drawn.low, drawn.high) if drawn is not None and clv_interval is not None else (None, None)
    return Appraisal(
        forecast.orders, alive, spend, clv, low, high, next_days,
        int(counted.sum()), total_orders, float(np.sum(spend[counted])), total_clv, orders_interval, clv_interval,
    )  # fmt: skip


def _orders(rung: Rung, buyers: Buyers, recent: Recent | None, parts: Slices) -> OrderForecast:
    if rung.params is not None:
        return valuation.by_model(rung.params, buyers, parts)
    horizon = parts.horizon_days
    if rung.method == "rate" and rung.status == "baseline_better":
        orders = baselines.own_rate(buyers.repeat_days, buyers.age_days, horizon)
    elif rung.method == "rate":
        orders = valuation.shrunken_rate(buyers, horizon)
    elif rung.method == "last_period" and recent is not None:
        orders = baselines.last_period(recent.orders, recent.days, horizon)
    elif recent is not None:
        orders = baselines.mean(recent.orders, recent.days, horizon)
    else:
        observed = float(buyers.age_days.sum())
        per_day = float(buyers.repeat_days.sum()) / observed if observed else 0.0
        orders = np.full(buyers.age_days.shape, per_day * horizon)
    return valuation.spread_evenly(orders, parts)


def _money(drawn: Ranges | None, total: float) -> Sequence[float] | FloatArray:
    return [total] if drawn is None or drawn.total_money is None else drawn.total_money


def _total(
    method: str, draws: Sequence[float] | FloatArray, tests: Sequence[Sequence[Score]], terms: Terms, *, untested: bool
) -> TotalInterval | None:
    own = [score for scores in tests for score in scores if score.name == method]
    actual, predicted = [score.actual_total for score in own], [score.predicted_total for score in own]
    return choice.total_interval(draws, actual, predicted, terms.interval, untested=untested)
