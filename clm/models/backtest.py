"""The back-test at one origin: everything refitted on what was known that day, scored on the orders and money that followed.
Arrays in, scores out; it takes no snapshot itself and cannot see past the arrays it is given, and it chooses nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import baselines, btyd, ladder, valuation
from clm.models.evaluate import Decile, Score, deciles, score
from clm.models.valuation import Buyers

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MOST_ORIGINS = 4
_LEAST_DAYS = 28
_DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Window:
    """Buyers as known on `origin` (ISO day), and what they did in the `horizon_days` after it.

    recent_orders: their order days in the period of equal length up to the origin. earlier_recency, earlier_returned: the
    buyers at the start of that period, their days of silence then and whether they ordered in it. orders, spend: order
    days and net money (None without amounts) in (origin, origin + horizon].
    """

    origin: str
    horizon_days: int
    buyers: Buyers
    recent_orders: FloatArray
    earlier_recency: FloatArray
    earlier_returned: BoolArray
    orders: FloatArray
    spend: FloatArray | None


@dataclass(frozen=True)
class Scored:
    """Scores of every forecast at one origin, for orders and (with amounts) for money, and the forecasts of orders."""

    origin: str
    orders: tuple[Score, ...]
    spend: tuple[Score, ...]
    forecasts: dict[str, FloatArray]
    actual: FloatArray

    def deciles(self, name: str) -> tuple[Decile, ...]:
        """Mean forecast and outcome by tenths of one forecast; empty where it was not made at this origin."""
        return deciles(self.forecasts[name], self.actual) if name in self.forecasts else ()


def window_days(horizon_days: int, log_days: int) -> int:
    """Length of the test: the horizon if the log is three times as long, else a quarter of the log in whole weeks, at least 4."""
    if log_days >= 3 * horizon_days:
        return horizon_days
    return max(_LEAST_DAYS, log_days // 4 // _DAYS_PER_WEEK * _DAYS_PER_WEEK)


def run(window: Window, families: Collection[str], estimator: str, include_first: bool) -> Scored:
    """Fit the families and the value of an order at the origin, and score them beside every baseline.

    A family that cannot be fitted there has no score; one that does not converge is scored as it is, because a forecast
    without scores at every origin could not be compared. NBD counts as a baseline. The money of a forecast is its orders
    times the value of an order the ladder would use with it. The origin must have buyers.
    """
    buyers, days = window.buyers, window.horizon_days
    fits = ladder.fit_families(families, buyers, estimator).used
    parts = valuation.slices([days], 0.0)
    modelled = {name: valuation.by_model(params, buyers, parts).orders for name, params in fits.items()}
    cutoff = baselines.hiatus_cutoff(window.earlier_recency, window.earlier_returned)
    naive = {
        "zero": baselines.zero(buyers.age_days.size),
        "mean": baselines.mean(window.recent_orders, days, days),
        "rate": baselines.own_rate(buyers.repeat_days, buyers.age_days, days),
        "last_period": baselines.last_period(window.recent_orders, days, days),
        "hiatus": baselines.hiatus(buyers.repeat_days, buyers.age_days, buyers.recency_days, cutoff, days),
    }
    forecasts = modelled | naive
    scores = [_score(window, name, orders, window.orders, counts=True) for name, orders in forecasts.items()]
    money = []
    if window.spend is not None:
        by_gamma_gamma = valuation.order_value(buyers, include_first, ladder.other_spend_fit(estimator)).mean
        by_mean = valuation.shrunken_value(buyers)
        for name, orders in forecasts.items():
            worth = orders * (by_gamma_gamma if name in modelled else by_mean)
            money.append(_score(window, name, worth, window.spend, counts=False))
    return Scored(window.origin, tuple(scores), tuple(money), forecasts, window.orders)


def _score(window: Window, name: str, predicted: FloatArray, actual: FloatArray, *, counts: bool) -> Score:
    kind = "model" if name in btyd.FAMILIES and name != "nbd" else "baseline"
    return score(name, kind, window.origin, window.horizon_days, predicted, actual, counts=counts)  # type: ignore[arg-type]
