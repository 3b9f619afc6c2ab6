"""The back-test at one origin: everything refitted on what was known that day, scored on the orders and money that followed.
Arrays in, scores out; it takes no snapshot itself and cannot see past the arrays it is given, and it chooses nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clm.models import baselines, choice, ladder, valuation
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers
from clm.models.evaluate import Decile, Score, deciles, score
from clm.models.ladder import Asked
from clm.models.valuation import Way

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
    days and net money (None without amounts) in (origin, origin + horizon]. weekly: the order days of all of them up to
    the end of each week of it, the last week as long as what is left.
    """

    origin: str
    horizon_days: int
    buyers: Buyers
    recent_orders: FloatArray
    earlier_recency: FloatArray
    earlier_returned: BoolArray
    orders: FloatArray
    spend: FloatArray | None
    weekly: tuple[float, ...]


@dataclass(frozen=True)
class Scored:
    """Scores of every forecast at one origin, for orders and (with amounts) for money.

    fits: the families as fitted there; deciles: tenths of each forecast of orders.
    """

    origin: str
    horizon_days: int
    orders: tuple[Score, ...]
    spend: tuple[Score, ...]
    fits: dict[str, BtydParams]
    deciles: dict[str, tuple[Decile, ...]]


@dataclass(frozen=True)
class Tracking:
    """Order days of all buyers from an origin up to each of these days after it: as expected, and as they came."""

    origin: str
    days: tuple[int, ...]
    predicted: tuple[float, ...]
    actual: tuple[float, ...]

    def to_json(self, week: int) -> dict[str, object]:
        """One week of it, JSON-ready."""
        return {
            "origin": self.origin,
            "week": week + 1,
            "days": self.days[week],
            "predicted": self.predicted[week],
            "actual": self.actual[week],
        }


def window_days(horizon_days: int, log_days: int) -> int:
    """Length of the test: the horizon if the log is three times as long, else a quarter of the log in whole weeks, at least 4."""
    if log_days >= 3 * horizon_days:
        return horizon_days
    return max(_LEAST_DAYS, log_days // 4 // _DAYS_PER_WEEK * _DAYS_PER_WEEK)


def run(window: Window, asked: Asked, families: Collection[str], value: FloatArray | None) -> Scored:
    """Fit the families at the origin, and score them beside every baseline.

    A family that cannot be fitted there has no score; one that does not converge is scored as it is, because a forecast
    without scores at every origin could not be compared. NBD counts as a baseline. The money of a forecast is its orders
    times the value of an order the ladder would use with it: `value` (None without amounts) with a family, else the
    shrunken mean. The origin must have buyers.
    """
    fits = {name: one for name, one in ladder.fit_families(asked, window.buyers).used.items() if name in families}
    modelled = {name: forecast(params, window) for name, params in fits.items()}
    forecasts = modelled | naive(window)
    scores = [_score(window, name, orders, window.orders, counts=True) for name, orders in forecasts.items()]
    money = []
    if window.spend is not None and value is not None:
        by_mean = valuation.shrunken_value(window.buyers)
        for name, orders in forecasts.items():
            worth = orders * (value if name in modelled else by_mean)
            money.append(_score(window, name, worth, window.spend, counts=False))
    tenths = {name: deciles(orders, window.orders) for name, orders in forecasts.items()}
    return Scored(window.origin, window.horizon_days, tuple(scores), tuple(money), fits, tenths)


def forecast(params: BtydParams, window: Window) -> FloatArray:
    """Expected orders of each buyer in the window, by one family fitted at its origin."""
    return valuation.by_model(params, window.buyers, valuation.slices([window.horizon_days], 0.0)).orders


def week_ends(horizon_days: int) -> list[int]:
    """Days after the origin on which its weeks end, the horizon the last of them."""
    return [*range(_DAYS_PER_WEEK, horizon_days, _DAYS_PER_WEEK), horizon_days]


def tracked(name: str, tested: Scored, window: Window) -> Tracking:
    """A forecast of the window followed week by week; a naive one spreads its orders evenly."""
    ends = week_ends(window.horizon_days)
    if name in tested.fits:
        predicted = valuation.running_total(tested.fits[name], window.buyers, ends)
    else:
        predicted = np.array(ends) / window.horizon_days * float(np.sum(naive(window)[name]))
    return Tracking(window.origin, tuple(ends), tuple(predicted.tolist()), window.weekly)


def naive(window: Window) -> dict[str, FloatArray]:
    """Expected orders of each buyer in the window, by every naive forecast."""
    buyers, days = window.buyers, window.horizon_days
    cutoff = baselines.hiatus_cutoff(window.earlier_recency, window.earlier_returned)
    return {
        "zero": baselines.zero(buyers.age_days.size),
        "mean": baselines.mean(window.recent_orders, days, days),
        "rate": baselines.own_rate(buyers.repeat_days, buyers.age_days, days),
        "last_period": baselines.last_period(window.recent_orders, days, days),
        "hiatus": baselines.hiatus(buyers.repeat_days, buyers.age_days, buyers.recency_days, cutoff, days),
    }


def valued(window: Window, asked: Asked, names: Collection[Way]) -> dict[Way, FloatArray]:
    """The value of an order of each buyer as known at the origin, by each of these ways; empty without amounts."""
    if window.spend is None:
        return {}
    return {way: valuation.order_value(window.buyers, way, asked.spend_fit).mean for way in names}


def value_errors(window: Window, values: Mapping[Way, FloatArray]) -> dict[Way, float]:
    """RMSE per customer of the money that came, had the orders that came been known: the error of the value alone."""
    if window.spend is None:
        return {}
    return {way: float(np.sqrt(np.mean((window.orders * mean - window.spend) ** 2))) for way, mean in values.items()}


def _score(window: Window, name: str, predicted: FloatArray, actual: FloatArray, *, counts: bool) -> Score:
    kind = "baseline" if name in choice.BASELINES else "model"
    return score(name, kind, window.origin, window.horizon_days, predicted, actual, counts=counts)  # type: ignore[arg-type]
