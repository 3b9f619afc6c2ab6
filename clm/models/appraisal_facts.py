"""What an appraisal says of itself: its facts as JSON, and what its reader must know, as codes with sentences.
Records in, documents and sentences out; it computes no forecast and knows no table.
More than 300 lines: a number and the sentence that qualifies it change together, so they stay together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clm.models import btyd_params, choice, spend
from clm.models.appraisal import Appraisal
from clm.models.backtest import Scored
from clm.models.btyd import FEW_REPEAT_CUSTOMERS, MIN_REPEAT_CUSTOMERS
from clm.models.btyd_params import FAMILY_TITLES, BtydParams
from clm.models.choice import TotalInterval
from clm.models.evaluate import Score
from clm.models.ladder import AUTO, LIFETIMES, Fits, Rung
from clm.models.spend import SpendParams
from clm.models.valuation import Buyers, OrderValue
from clm.outcome import counted

_TOTALS = ("expected_orders", "expected_spend", "clv", "clv_low", "clv_high", "expected_orders_low", "expected_orders_high")
_TWO_CYCLES_DAYS = 730
_EARLY, _MOST = 0.1, 0.5
_LEAST_TO_DATE = 30  # customers, below which their first days say nothing about where the log begins
_NAIVE = {
    "rate": "each customer's own rate of order days",
    "last_period": "repeating the last period",
    "mean": "the mean of all customers",
    "nbd": "NBD, the model without drop-out",
}


@dataclass(frozen=True)
class Made:
    """What was fitted, how it was tested (latest origin first), which rung was taken, and the numbers it gives."""

    asked: str
    estimator: str
    fits: Fits
    tests: tuple[Scored, ...]
    rung: Rung
    value: OrderValue | None
    numbers: Appraisal

    @property
    def status(self) -> str:
        """The clv_status of every buyer."""
        if self.value is None:
            return "no_amounts"
        if self.rung.status in ("ok", "not_validated") and self.value.model is None:
            return "degenerate"
        return self.rung.status

    @property
    def shown(self) -> BtydParams | None:
        """clm's own fit of the family that is told: the one that forecasts, or knows P(alive)."""
        params = self.rung.params or self.rung.alive
        return self.fits.own[params.family] if params is not None else None

    @property
    def scores(self) -> list[Score]:
        """The scores of orders of the forecast that is used, latest origin first; empty where it was not tested."""
        return [one for test in self.tests for one in test.orders if self.rung.tested and one.name == self.rung.method]

    @property
    def beats(self) -> dict[str, bool]:
        """Per metric, whether the forecast beats the best baseline; empty where it was not tested."""
        scores = [score for test in self.tests for score in test.orders]
        return choice.beats_best_baseline(scores, self.rung.method) if self.scores else {}


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
        "candidates": [],
        "choice": None,
        "backtest": [],
        "backtest_spend": [],
        "deciles": [],
        "beats_best_baseline": {},
        "totals": {"customers": 0} | dict.fromkeys(_TOTALS, 0.0) | _error(None, None),
    }


def facts(made: Made) -> dict[str, Any]:
    """JSON-ready: the keys of `nothing`; with the lifetimes estimator also its fits, beside clm's own."""
    rung, value, shown = made.rung, made.value, made.shown
    found = {
        "method": rung.method,
        "status": made.status,
        "model": _fitted(shown) if shown is not None else None,
        "spend": _spend(value.fitted) if value is not None else None,
        "spend_method": None if value is None else "shrunken_mean" if value.model is None else "gammagamma",
        "candidates": [_fitted(one) for one in made.fits.own.values()],
        "choice": rung.choice.to_json() if rung.choice is not None else None,
        "backtest": [score.to_json() for test in made.tests for score in test.orders],
        "backtest_spend": [score.to_json() for test in made.tests for score in test.spend],
        "deciles": _deciles(made),
        "beats_best_baseline": made.beats,
        "totals": _totals(made.numbers),
    }
    if made.estimator == LIFETIMES:
        other = made.fits.lifetimes.get(shown.family) if shown is not None else None
        found["model_lifetimes"] = _fitted(other) if other is not None else None
        found["spend_lifetimes"] = _spend(value.model) if value is not None and value.model is not value.fitted else None
    return found


def learned(made: Made) -> dict[str, Any]:
    """What can be applied again: the family that forecasts and the Gamma-Gamma, with their covariances."""
    params, value = made.rung.params, made.value
    return {
        "method": made.rung.method,
        "btyd": params.to_json() if params is not None else None,
        "spend": value.model.to_json() if value is not None and value.model is not None else None,
    }


def notes(made: Made, around: Setting) -> Iterator[tuple[str, str]]:
    """(code, sentence) of everything the reader must know before using the numbers."""
    yield from _about_models(made, around)
    yield from _about_money(made)
    yield from _about_test(made, around)
    yield from _about_log(around)


def verdict(made: Made) -> str:
    """How the forecast was made and how it fared: `mbgnbd, tested over 19 weeks: beats the baselines in 7 of 9 scores`.

    Poisson deviance decides what is used, so a loss there is named; a total that was far off is, too.
    """
    method, beats = made.rung.method, made.beats
    if not made.scores:
        return f"{method}, not validated"
    tested = f"{method}, tested over {stretch(made.scores[0].horizon_days)}"
    if made.rung.status == "baseline_better":
        return f"{tested}: {_winner(made)} beats every model in deviance{_off(made.scores)}"
    rivals = "the other baselines" if method in choice.USABLE_BASELINES else "the baselines"
    lost = "" if beats.get("poisson_deviance", True) else ", not in deviance"
    return f"{tested}: beats {rivals} in {sum(beats.values())} of {counted(len(beats), 'score')}{lost}{_off(made.scores)}"


def _off(scores: list[Score]) -> str:
    """How far the totals were off, where that is more than the sigma of an untested forecast."""
    biases = [one.bias for one in scores if one.bias is not None]
    size = sum(map(abs, biases)) / len(biases) if biases else 0.0
    if size <= choice.DEFAULT_SPREAD:
        return ""
    way = "too high" if min(biases) > 0.0 else "too low" if max(biases) < 0.0 else "off"
    return f", its total {size:.0%} {way}" if len(biases) == 1 else f", its totals {size:.0%} {way} on average"


def stretch(days: int) -> str:
    """`19 weeks`, `5 days`: whole weeks from four weeks on."""
    return counted(round(days / 7), "week") if days >= 28 else counted(days, "day")


def _fitted(params: BtydParams) -> dict[str, Any]:
    return {key: value for key, value in params.to_json().items() if key != "covariance_log"}


def _spend(params: SpendParams | None) -> dict[str, Any] | None:
    if params is None:
        return None
    return {"family": "gammagamma", "erlang": None, "time_unit": None} | {
        key: value for key, value in params.to_json().items() if key != "covariance_log"
    }


def _deciles(made: Made) -> list[dict[str, Any]]:
    if not (made.tests and made.rung.tested):
        return []
    latest = made.tests[0]
    return [
        {
            "origin": latest.origin,
            "decile": one.decile,
            "customers": one.customers,
            "predicted": one.predicted_mean,
            "actual": one.actual_mean,
        }
        for one in latest.deciles(made.rung.method)
    ]


def _totals(numbers: Appraisal) -> dict[str, Any]:
    orders, money = numbers.orders_interval, numbers.clv_interval
    return {
        "customers": numbers.customers,
        "expected_orders": numbers.total_orders,
        "expected_spend": numbers.total_spend,
        "clv": numbers.total_clv,
        "clv_low": money.low if money is not None else None,
        "clv_high": money.high if money is not None else None,
        "expected_orders_low": orders.low if orders is not None else None,
        "expected_orders_high": orders.high if orders is not None else None,
    } | _error(money if numbers.total_clv is not None else orders, orders)


def _error(money: TotalInterval | None, orders: TotalInterval | None) -> dict[str, Any]:
    """Sigma that widens the interval of the money (of the orders, without amounts), and where it comes from; None without one."""
    return {
        "backtest_error": money.spread if money is not None else None,
        "backtest_error_from": money.source if money is not None else None,
        "backtest_error_orders": orders.spread if orders is not None else None,
        "backtest_error_orders_from": orders.source if orders is not None else None,
    }


def _about_models(made: Made, around: Setting) -> Iterator[tuple[str, str]]:
    repeaters = around.buyers.repeat_buyers
    if repeaters < MIN_REPEAT_CUSTOMERS:
        yield (
            "few_repeat_buyers",
            f"{counted(repeaters, 'customer')} ordered on a second day, a model needs {MIN_REPEAT_CUSTOMERS}: "
            "every order rate is drawn to the mean of all"
            if repeaters
            else "nobody ordered on a second day: this log cannot tell whether anybody comes back, and no order is expected",
        )
    elif repeaters < FEW_REPEAT_CUSTOMERS:
        yield "few_repeat_buyers", f"only {repeaters} customers ordered on a second day: the parameters are rough"
    for family, reason in sorted(made.fits.failed.items()):
        yield "model_failed", f"{FAMILY_TITLES[family]} could not be fitted: {reason}"
    if made.estimator == LIFETIMES:
        yield (
            "estimator_lifetimes",
            "forecasts use the fits of the lifetimes package where it has them; clm's own stand beside them",
        )
    rivals = {name: fit for name, fit in made.fits.own.items() if name != "nbd"}
    if rivals and not any(fit.identified and fit.converged for fit in rivals.values()):
        yield (
            "attrition_not_identified",
            "attrition not identified: the data do not show that anybody left, so NBD is used and no P(alive) is told",
        )
    told = made.shown or made.fits.own.get("nbd")
    for note in () if told is None else told.notes:
        if note not in ("few_repeat_buyers", "attrition_not_identified"):
            yield note, f"{FAMILY_TITLES[told.family]}: {btyd_params.NOTES[note]}" if told is not None else ""


def _about_money(made: Made) -> Iterator[tuple[str, str]]:
    if made.value is None:
        yield "no_amounts", "the log has no amounts: order days are forecast, money is not"
        return
    if made.value.problem is not None:
        code, sentence = made.value.problem
        used = (
            "the shrunken mean values orders instead of Gamma-Gamma"
            if made.value.model is None
            else "clm's own Gamma-Gamma is used"
        )
        yield code, f"{used}: {sentence}"
    fitted = made.value.fitted
    for note in () if fitted is None else fitted.notes:
        if note in spend.NOTES and (made.value.problem is None or note != made.value.problem[0]):
            yield note, f"Gamma-Gamma: {spend.NOTES[note]}"


def _about_test(made: Made, around: Setting) -> Iterator[tuple[str, str]]:
    if made.numbers.orders_interval is None or (made.value is not None and made.numbers.clv_interval is None):
        yield "no_interval", f"no interval: {_no_interval(made, around)}"
    if not made.scores:
        yield "not_validated", f"not validated: {_untested(made, around)}"
        return
    days = made.scores[0].horizon_days
    if days < around.horizon_days:
        yield "tested_shorter", f"tested over {stretch(days)}, forecast over {stretch(around.horizon_days)}"
    if made.rung.status == "baseline_better":
        used = "and is used" if made.asked == AUTO else f"but {made.rung.method} was asked for and is used"
        winner = _winner(made)
        yield "baseline_better", f"in the back-test {_NAIVE[winner]} ({winner}) beats every model, {used}"


def _untested(made: Made, around: Setting) -> str:
    if not around.test_wanted:
        return "the back-test was switched off (--no-backtest)"
    if not around.orders_given:
        return "without the orders there is no past to test on (--orders clean.parquet)"
    if made.tests:
        return f"{made.rung.method} as it is used here could not be tested on the past"
    return f"the log of {stretch(around.covered_days)} leaves no earlier day with enough history and repeat buyers"


def _no_interval(made: Made, around: Setting) -> str:
    if made.rung.params is None:
        return f"{made.rung.method} says nothing of its own error, and no test measured it"
    days = f"{stretch(around.horizon_days)} is longer than the log of {stretch(around.covered_days)}"
    return f"the forecast over {days}, and no test measured its error"


def _about_log(around: Setting) -> Iterator[tuple[str, str]]:
    if around.log_days < _TWO_CYCLES_DAYS:
        yield (
            "season_not_modelled",
            f"the log covers {stretch(around.covered_days)}, less than two years: season is not modelled",
        )
    if around.buyers.age_days.size < _LEAST_TO_DATE:
        return
    came = around.log_days - around.buyers.age_days
    early = float((came <= _EARLY * around.log_days).mean()) if around.log_days else 0.0
    if early > _MOST:
        yield (
            "log_starts_late",
            f"{early:.0%} of the customers are first seen in the first tenth of the log: many of them probably bought before it "
            "begins, so ages and numbers of new customers are not what they seem",
        )


def _winner(made: Made) -> str:
    return made.rung.choice.name if made.rung.choice is not None else made.rung.method
