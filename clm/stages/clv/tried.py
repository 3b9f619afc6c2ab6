"""What is fitted to a base and how it fared in the past windows of its log: what `clv` values by, and all that `backtest` tells.

It may not forecast beyond `as_of`, or choose by anything but the models' own rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from clm.errors import DataError, UsageError
from clm.models import backtest, btyd, ladder, valuation
from clm.models.appraisal import NEXT_ORDER_HORIZONS
from clm.models.backtest import Tracking
from clm.models.choice import REGULAR
from clm.models.ladder import Asked
from clm.models.rhythm import Rhythm
from clm.models.trial import Trial, trial
from clm.models.valuation import Slices
from clm.settings import ForecastSettings
from clm.stages.clv import past
from clm.stages.clv.past import Base
from clm.values import Horizon, add_months

_LONGEST_DAYS = 36_525


@dataclass(frozen=True)
class Tried:
    """Fits, scores and choice; the rhythm of the log (None without it); the forecast used, week by week at each origin."""

    trial: Trial
    rhythm: Rhythm | None
    tracking: tuple[Tracking, ...]


def tried(
    base: Base, orders: pl.LazyFrame | None, settings: ForecastSettings, horizon_days: int, *, wanted: bool = True
) -> Tried:
    """Fit, test in every past window there is (where `wanted`), and choose."""
    rhythm = None if orders is None else past.rhythm_of(orders, base.as_of)
    asked = asked_of(settings, rhythm)
    check_repeat_buyers(asked, base)
    days = backtest.window_days(horizon_days, base.log_days)
    windows = past.windows(base, orders, days) if orders is not None and wanted else []
    found = trial(asked, base.buyers, windows)
    method = found.rung.method
    tracking = tuple(
        backtest.tracked(method, test, window)
        for test, window in zip(found.tests, windows, strict=True)
        if any(one.origin == test.origin for one in found.scores)
    )
    return Tried(found, rhythm, tracking)


def asked_of(settings: ForecastSettings, rhythm: Rhythm | None) -> Asked:
    """What the settings ask of the models, once the gaps of the log (None without the log) are known.

    `--erlang auto` asks how regular the gaps are only where that can be told; a number is taken as it is. The first purchase
    is left to the back-test by auto alone: a family by name is there to be compared with what is published of it.
    """
    family, erlang = settings.model_family, settings.erlang
    if isinstance(erlang, int) and erlang > 1 and family != ladder.AUTO and family not in REGULAR:
        raise UsageError(
            f"--erlang {erlang} does not go with {family}, whose gaps are Poisson (k = 1)",
            fix="the families of regular gaps are bgcnbd and mbgcnbd",
            code="erlang",
        )
    told = rhythm is not None and rhythm.regularity_can_be_told
    order = erlang if isinstance(erlang, int) else None if told else 1
    first = True if settings.include_first else None if family == ladder.AUTO else False
    return Asked(family, order, settings.estimator, first)


def check_repeat_buyers(asked: Asked, base: Base) -> None:
    """Raises DataError when a family was asked for by name that so few repeat buyers cannot carry."""
    if asked.family != ladder.AUTO and base.buyers.repeat_buyers < btyd.MIN_REPEAT_CUSTOMERS:
        raise DataError(
            f"{asked.family} needs {btyd.MIN_REPEAT_CUSTOMERS} customers who ordered on a second day, "
            f"here are {base.buyers.repeat_buyers}",
            fix="use --model-family auto, which falls back to a simpler forecast",
            code="few_repeat_buyers",
        )


def slices_of(horizon: Horizon, as_of: date, annual_discount: float = 0.0) -> Slices:
    """The horizon cut at the calendar months after `as_of`, the last slice as long as what is left.

    Raises DataError for a horizon of more than a century, or one that leaves the calendar.
    """
    try:
        days = (horizon.end(as_of) - as_of).days
    except (OverflowError, ValueError):
        days = _LONGEST_DAYS + 1
    if days > _LONGEST_DAYS or days * NEXT_ORDER_HORIZONS > (date.max - as_of).days:
        raise DataError(
            f"the horizon {horizon} after {as_of} is longer than a century, or leaves the calendar",
            fix="give a shorter one, such as --horizon 12m",
            code="horizon",
        )
    ends = [(add_months(as_of, month) - as_of).days for month in range(1, days // 28 + 1)]
    return valuation.slices([*(end for end in ends if end < days), days], annual_discount)
