"""What an appraisal says of itself as JSON: fits, scores, the choice and the totals.
Records in, documents out; it computes no forecast, words no sentence (appraisal_notes does) and knows no table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clm.models.appraisal import Appraisal, Total
from clm.models.backtest import Tracking
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers
from clm.models.choice import TotalInterval
from clm.models.ladder import LIFETIMES, Rung
from clm.models.rhythm import Rhythm
from clm.models.spend import SpendParams
from clm.models.trial import Trial
from clm.models.valuation import OrderValue

_TOTALS = (
    "expected_orders", "expected_spend", "clv", "clv_low", "clv_high", "clv_drawn_low", "clv_drawn_high",
    "expected_orders_low", "expected_orders_high", "expected_orders_drawn_low", "expected_orders_drawn_high",
)  # fmt: skip


@dataclass(frozen=True)
class Made:
    """How a base was fitted and tested, the value of its orders (None without amounts), and the numbers it gets.

    rhythm: None without the log; tracking: at each origin, order days up to the end of each week as the forecast used had
    expected them, and as they came. applied_of: the day of the saved model that made all of it, None for a fit. history: what
    the fit makes of invented customers, None where it knows no P(alive).
    """

    trial: Trial
    value: OrderValue | None
    numbers: Appraisal
    rhythm: Rhythm | None = None
    tracking: tuple[Tracking, ...] = ()
    applied_of: str | None = None
    history: dict[str, Any] | None = None

    @property
    def rung(self) -> Rung:
        return self.trial.rung

    @property
    def status(self) -> str:
        """The clv_status of every buyer."""
        if self.value is None:
            return "no_amounts"
        if self.rung.status in ("ok", "not_validated") and self.value.model is None and self.value.problem is not None:
            return "degenerate"
        return self.rung.status


@dataclass(frozen=True)
class Setting:
    """What surrounds an appraisal: who was fitted, days of the horizon and of the log, and whether a test was possible.

    log_days: from the first day of the log to the last, as the ages of customers are counted; one day of log is 0.
    """

    buyers: Buyers
    horizon_days: int
    log_days: int
    orders_given: bool
    test_wanted: bool

    @property
    def covered_days(self) -> int:
        """Days the log covers, its first and its last included."""
        return self.log_days + 1


def nothing() -> dict[str, Any]:
    """The facts where nobody bought: every key, no number."""
    return {
        "method": "none",
        "status": "no_purchase",
        "model": None,
        "spend": None,
        "spend_method": None,
        "spend_choice": None,
        "rhythm": None,
        "candidates": [],
        "choice": None,
        "backtest": [],
        "backtest_spend": [],
        "deciles": [],
        "tracking": [],
        "alive_history": None,
        "applied": None,
        "drift": None,
        "beats_best_baseline": {},
        "totals": {"customers": 0} | dict.fromkeys(_TOTALS, 0.0) | _error(None, None),
        "segments": {},
    }


def facts(made: Made) -> dict[str, Any]:
    """JSON-ready: the keys of `nothing`; with the lifetimes estimator also its fits, beside clm's own."""
    trial, value = made.trial, made.value
    found = {
        "method": made.rung.method,
        "status": made.status,
        "spend": _spend(value.fitted) if value is not None else None,
        "spend_method": None if value is None else "shrunken_mean" if value.model is None else "gammagamma",
        "totals": _totals(made.numbers.total) | _error_of(made.numbers.total),
        "segments": {name: _totals(total) for name, total in made.numbers.segments.items()},
        "alive_history": made.history,
    } | tested(trial, made.rhythm, made.tracking)
    if trial.asked.estimator == LIFETIMES:
        found["spend_lifetimes"] = _spend(value.model) if value is not None and value.model is not value.fitted else None
    return found


def tested(trial: Trial, rhythm: Rhythm | None, tracking: Sequence[Tracking]) -> dict[str, Any]:
    """What was fitted and how it fared, JSON-ready: the part a back-test alone can tell."""
    shown = trial.shown
    found = {
        "model": _fitted(shown) if shown is not None else None,
        "rhythm": rhythm.to_json() if rhythm is not None else None,
        "candidates": [_fitted(one) for one in trial.fits.own.values()],
        "choice": trial.rung.choice.to_json() if trial.rung.choice is not None else None,
        "backtest": [score.to_json() for test in trial.tests for score in test.orders],
        "backtest_spend": [score.to_json() for test in trial.tests for score in test.spend],
        "deciles": _deciles(trial),
        "tracking": [one.to_json(number) for one in tracking for number in range(len(one.days))],
        "beats_best_baseline": trial.beats,
        "spend_choice": _spend_choice(trial),
        "applied": None,
        "drift": None,
    }
    if trial.asked.estimator == LIFETIMES:
        other = trial.fits.lifetimes.get(shown.family) if shown is not None else None
        found["candidates_lifetimes"] = [_fitted(one) for one in trial.fits.lifetimes.values()]
        found["model_lifetimes"] = _fitted(other) if other is not None else None
    return found


def _fitted(params: BtydParams) -> dict[str, Any]:
    return {key: value for key, value in params.to_json().items() if key != "covariance_log"}


def _spend(params: SpendParams | None) -> dict[str, Any] | None:
    if params is None:
        return None
    return {"family": "gammagamma", "erlang": None, "time_unit": None} | {
        key: value for key, value in params.to_json().items() if key != "covariance_log"
    }


def _deciles(trial: Trial) -> list[dict[str, Any]]:
    """Tenths by the forecast used at the latest origin, beside those of the other baseline of lowest deviance there."""
    if not (trial.tests and trial.rung.tested):
        return []
    latest = trial.tests[0]
    told = [
        {
            "origin": latest.origin,
            "decile": one.decile,
            "customers": one.customers,
            "predicted": one.predicted_mean,
            "actual": one.actual_mean,
        }
        for one in latest.deciles.get(trial.rung.method, ())
    ]
    known = [one for one in latest.orders if one.name in latest.deciles and one.name != trial.rung.method]
    rules = [(one.poisson_deviance, one.name) for one in known if one.kind == "baseline" and one.poisson_deviance is not None]
    if not rules:
        return told
    name = min(rules)[1]
    beside = [
        {"baseline": name, "baseline_predicted": one.predicted_mean, "baseline_actual": one.actual_mean}
        for one in latest.deciles[name]
    ]
    return [one | other for one, other in zip(told, beside, strict=True)]


def _spend_choice(trial: Trial) -> dict[str, Any] | None:
    """How orders are valued beside a family, what decided it, and the mean error of every way there was."""
    if trial.way is None:
        return None
    errors = trial.value_errors
    reason = "backtest" if trial.way_chosen else "default" if trial.asked.include_first is None else "asked"
    rmse = {way: sum(one[way] for one in errors) / len(errors) for way in errors[0]} if errors else {}
    return {"way": trial.way, "reason": reason, "rmse": rmse}


def _totals(total: Total) -> dict[str, Any]:
    orders, money = total.orders_interval, total.clv_interval
    ends = ("low", "high", "drawn_low", "drawn_high")
    return (
        {"customers": total.customers, "expected_orders": total.orders, "expected_spend": total.spend, "clv": total.clv}
        | {f"clv_{end}": getattr(money, end, None) for end in ends}
        | {f"expected_orders_{end}": getattr(orders, end, None) for end in ends}
    )


def _error_of(total: Total) -> dict[str, Any]:
    return _error(total.clv_interval if total.clv is not None else total.orders_interval, total.orders_interval)


def _error(money: TotalInterval | None, orders: TotalInterval | None) -> dict[str, Any]:
    """Sigma that widens the interval of the money (of the orders, without amounts), and where it comes from; None without one."""
    return {
        "backtest_error": money.spread if money is not None else None,
        "backtest_error_from": money.source if money is not None else None,
        "backtest_error_orders": orders.spread if orders is not None else None,
        "backtest_error_orders_from": orders.source if orders is not None else None,
    }
