"""A saved model of `clv`, applied to another day's customers: nothing is fitted or tested, only checked and valued.

It may not trust the document: every entry is checked, and a model that cannot serve is a ConfigError (78) that says which.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from clm.errors import ConfigError
from clm.models import ladder, valuation
from clm.models.appraisal import Spread
from clm.models.btyd_params import BtydParams
from clm.models.buyers import Buyers
from clm.models.ladder import Asked, Fits, Rung
from clm.models.records import as_count, as_list, as_number, as_object, as_word
from clm.models.refit import Refit
from clm.models.spend import SpendParams
from clm.models.trial import Trial
from clm.models.valuation import OrderValue
from clm.outcome import Notice, counted
from clm.settings import ClvSettings
from clm.tables import CLV_STATUSES

_FIX = "make it with `clm clv --save-model`, or take model.json of a run"
_WAYS = ("repeat_orders", "all_orders", "shrunken_mean")


@dataclass(frozen=True)
class Saved:
    """What `learned` of an earlier day says: the family, the value of an order, and how wrong the totals were in its test.

    horizon_days: of the forecast it was made for; tested_days: of its back-test, 0 without one.
    """

    as_of: date
    horizon_days: int
    tested_days: int
    status: str
    params: BtydParams
    spend: SpendParams | None
    way: valuation.Way | None
    spread: Spread
    currency: str | None

    def trial(self, settings: ClvSettings, buyers: Buyers) -> Trial:
        """The rung of these buyers under the saved family, with no test of its own."""
        asked = Asked(settings.model_family, self.params.erlang, settings.estimator, self.way == "all_orders")
        rung = Rung(self.params.family, self.status, self.params, self.params if self.params.has_attrition else None, None)
        values: dict[valuation.Way, OrderValue] = {}
        if buyers.spend is not None and self.way is not None:
            values = {self.way: valuation.applied_value(buyers, self.way, self.spend)}
        return Trial(asked, Fits({self.params.family: self.params}, {}, {}), (), rung, self.way if values else None, values, ())

    def facts(self, drift: Refit | None) -> dict[str, Any]:
        """JSON-ready: which model was applied, and how far the base has drifted from it."""
        return {
            "applied": {"as_of": self.as_of.isoformat(), "horizon_days": self.horizon_days, "tested_days": self.tested_days},
            "drift": drift.to_json() if drift is not None else None,
        }

    def notices(self, buyers: Buyers, horizon_days: int, drift: Refit | None) -> Iterator[Notice]:
        """What must be known of a number by a model of another day."""
        then = f"its totals were tested over {counted(self.tested_days, 'day')}" if self.tested_days else "it was never tested"
        if horizon_days != self.horizon_days:
            then += f", for a forecast over {counted(self.horizon_days, 'day')} instead of {horizon_days:,}"
        yield Notice("model_applied", f"the model of {self.as_of} is applied, nothing is fitted or tested here: {then}")
        if buyers.spend is not None and self.way is None:
            yield Notice(
                "model_without_spend", "the saved model knows no amounts: orders are worth the shrunken mean of this table"
            )
        if drift is not None and drift.drifted:
            yield Notice(
                "model_drifted",
                f"the saved model no longer describes this base: log-likelihood per customer {drift.applied:.4f}, fitted anew "
                f"{drift.refitted:.4f}; it expects {drift.orders_applied:,.0f} orders, the new fit {drift.orders_refitted:,.0f}",
            )


def document(trial: Trial, status: str, as_of: date, horizon_days: int, spread: Spread, currency: str | None) -> dict[str, Any]:
    """What can be applied again, as JSON numbers; `btyd` null where no family makes the forecast, which cannot be applied."""
    params, rung = trial.rung.params, trial.rung
    model = trial.values[trial.way].model if trial.way is not None and params is not None else None
    return {
        "as_of": as_of.isoformat(),
        "horizon_days": horizon_days,
        "tested_days": trial.scores[0].horizon_days if trial.scores else 0,
        "method": rung.method,
        "status": status,
        "btyd": params.to_json() if params is not None else None,
        "spend": model.to_json() if model is not None else None,
        "spend_way": trial.way if params is not None else None,
        "currency": currency,
        "calibration": {"orders": [list(pair) for pair in spread.orders], "spend": [list(pair) for pair in spread.spend]},
    }


def read(learned: dict[str, Any], settings: ClvSettings, currency: str | None) -> Saved:
    """The checked document. Raises ConfigError: a broken entry, no family in it, not the family that was asked for, or order
    values in another currency than the table's, where both are known."""
    found = from_json(learned)
    if found is None:
        raise ConfigError(
            "the saved model holds no fitted family: its own log was forecast by a naive rule",
            where="learned.clv.btyd",
            fix="leave out --model for clv, or save a model from a log with enough repeat buyers",
            code="model",
        )
    if settings.model_family not in (ladder.AUTO, found.params.family):
        raise ConfigError(
            f"the saved model is {found.params.family}, --model-family asks for {settings.model_family}",
            where="learned.clv.btyd.family",
            fix="leave out --model-family, or --model",
            code="model",
        )
    if found.spend is not None and found.currency and currency and found.currency != currency:
        raise ConfigError(
            f"the saved model values orders in {found.currency}, this table is in {currency}",
            where="learned.clv.currency",
            fix="save a model from a log in the currency of this one",
            code="model_currency",
        )
    return found


def from_json(learned: dict[str, Any]) -> Saved | None:
    """The document by itself; None where it holds no family. Raises ConfigError for a broken entry."""
    try:
        return _read(learned)
    except ValueError as error:
        raise ConfigError(f"the saved model cannot be applied: {error}", where="learned.clv", fix=_FIX, code="model") from error


def _read(learned: dict[str, Any]) -> Saved | None:
    names = ("as_of", "horizon_days", "tested_days", "method", "status", "btyd", "spend", "spend_way", "currency", "calibration")
    entries = as_object(learned, "clv", names)
    if entries["btyd"] is None:
        return None
    params = BtydParams.from_json(entries["btyd"])
    as_word(entries["method"], "method", (params.family,))
    told = entries["as_of"]
    if not isinstance(told, str):
        raise ValueError("as_of: expected a day")
    currency = entries["currency"]
    if not (currency is None or (isinstance(currency, str) and currency.isprintable() and len(currency) <= 10)):
        raise ValueError("currency: expected a short code")
    way: Any = None if entries["spend_way"] is None else as_word(entries["spend_way"], "spend_way", _WAYS)
    spend = None if entries["spend"] is None else SpendParams.from_json(entries["spend"])
    if spend is not None and way not in ("repeat_orders", "all_orders"):
        raise ValueError("spend_way: a spend model needs the orders it was fitted on")
    errors = as_object(entries["calibration"], "calibration", ("orders", "spend"))
    return Saved(
        as_of=date.fromisoformat(told),
        horizon_days=as_count(entries["horizon_days"], "horizon_days", 1),
        tested_days=as_count(entries["tested_days"], "tested_days"),
        status=as_word(entries["status"], "status", CLV_STATUSES),
        params=params,
        spend=spend,
        way=way,
        spread=Spread(_pairs(errors["orders"]), _pairs(errors["spend"])),
        currency=currency,
    )


def _pairs(value: object) -> tuple[tuple[float, float], ...]:
    pairs = [as_list(one, "calibration", 2) for one in as_list(value, "calibration")]
    return tuple((as_number(actual, "calibration"), as_number(told, "calibration")) for actual, told in pairs)
