"""`clv` with a saved model: applied without fitting, checked like any document from outside, and held against a new fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from clm.errors import ConfigError
from clm.outcome import Outcome
from clm.settings import ClvSettings
from clm.stages import snapshot
from clm.stages.clv import clv
from clm.values import horizon
from tests.stages.test_clv import AS_OF, codes, frame, made, one_time, shop

LOG = shop(500)


@pytest.fixture(scope="module")
def fitted() -> Outcome:
    return made(LOG)


@pytest.fixture(scope="module")
def learned(fitted: Outcome) -> dict[str, Any]:
    """What the shop taught, as it comes back from a file."""
    assert fitted.learned is not None
    return dict(json.loads(json.dumps(fitted.learned, allow_nan=False)))


def applied(learned: dict[str, Any], log: pl.DataFrame = LOG, **settings: Any) -> Outcome:
    if isinstance(text := settings.get("horizon"), str):
        settings["horizon"] = horizon(text)
    return clv(snapshot.take(log.lazy(), AS_OF), None, ClvSettings(**settings), 0, learned)


def test_a_model_applied_to_its_own_base_gives_its_numbers(fitted: Outcome, learned: dict[str, Any]) -> None:
    """Fit time and apply time agree to the last bit, the calibrated total with them; nothing is fitted or tested."""
    again = applied(learned)
    assert frame(again).equals(frame(fitted))
    assert again.metrics["totals"] == fitted.metrics["totals"]
    assert again.metrics["backtest"] == []
    assert again.metrics["applied"] == {"as_of": str(AS_OF), "horizon_days": 365, "tested_days": 119}
    assert again.metrics["drift"]["drifted"] is False
    assert again.metrics["drift"]["applied"] == pytest.approx(again.metrics["drift"]["refitted"], abs=1e-9)
    assert "model_applied" in codes(again)
    assert not {"not_validated", "model_drifted", "model_without_spend"} & codes(again)
    assert again.closing.endswith(f"the model of {AS_OF} applied)")
    assert again.learned == learned


def test_the_margin_and_the_discount_are_today_s(fitted: Outcome, learned: dict[str, Any]) -> None:
    """What was fitted is applied, what was asked for is asked anew."""
    half = frame(applied(learned, margin=0.5))
    assert half["clv"].to_list() == pytest.approx((frame(fitted)["clv"] * 0.5).to_list())


def test_another_horizon_is_said(learned: dict[str, Any]) -> None:
    """The error of the total belongs to the horizon it was measured for: the notice names both."""
    said = [notice.text for notice in applied(learned, horizon="90d").warnings if notice.code == "model_applied"]
    assert said[0].endswith("its totals were tested over 119 days, for a forecast over 365 days instead of 90")


def test_a_base_the_model_no_longer_describes_is_told(learned: dict[str, Any]) -> None:
    """Customers who now leave twice as often: log-likelihood per customer and totals of both, as a warning."""
    outcome = applied(learned, shop(900, leave=0.65, seed=11))
    assert "model_drifted" in codes(outcome)
    drift = outcome.metrics["drift"]
    assert drift["refitted"] > drift["applied"]
    assert drift["orders_applied"] > 1.1 * drift["orders_refitted"]


def test_a_base_without_amounts_is_forecast_in_orders(learned: dict[str, Any]) -> None:
    """The model knows money, the table does not: orders as before, money null, the status says why."""
    outcome = applied(learned, LOG.with_columns(amount=pl.lit(None, pl.Decimal(18, 4))))
    assert set(frame(outcome)["clv_status"]) == {"no_amounts"}
    assert outcome.metrics["totals"]["expected_orders"] > 0
    assert outcome.metrics["totals"]["clv"] is None


def test_a_model_without_amounts_leaves_money_to_the_table() -> None:
    """Fitted without money, applied to a table with it: orders are worth the shrunken mean, and that is said."""
    log = shop(400, amounts=lambda _: None)
    taught = made(log).learned
    assert taught is not None
    outcome = applied(taught, LOG)
    assert "model_without_spend" in codes(outcome)
    assert outcome.metrics["spend_method"] == "shrunken_mean"
    assert frame(outcome)["clv"].null_count() == 0


def test_a_base_too_small_for_a_fit_can_be_valued(learned: dict[str, Any]) -> None:
    """Twenty customers, or none who came back: the saved family serves, and no drift can be told."""
    for log in (LOG.filter(pl.col("customer_id") < "c0020"), one_time(30)):
        outcome = applied(learned, log)
        assert set(frame(outcome)["clv_method"]) == {learned["method"]}
        assert outcome.metrics["drift"] is None


def _with(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: document | changes


def _rate(document: dict[str, Any], r: float, alpha: float) -> dict[str, Any]:
    """A family whose customers would order r/alpha times a week."""
    family = document["btyd"]
    return document | {"btyd": family | {"parameters": family["parameters"] | {"r": r, "alpha": alpha}}}


def test_an_error_of_the_totals_beyond_all_bounds_stays_a_number(learned: dict[str, Any]) -> None:
    """Totals 600 orders of magnitude apart: the interval is absurdly wide and finite, and the footer can be written."""
    pairs = [[1e308, 1e-308]] * 3
    outcome = applied(learned | {"calibration": {"orders": pairs, "spend": pairs}})
    assert json.dumps(outcome.metrics, allow_nan=False)


def test_a_model_of_another_currency_is_refused(learned: dict[str, Any]) -> None:
    """Order values learned in pounds are no values in dollars; where one side does not say, nothing is claimed."""
    pounds = learned | {"currency": "GBP"}
    customers = snapshot.take(LOG.lazy(), AS_OF)
    with pytest.raises(ConfigError, match="orders in GBP, this table is in USD") as refused:
        clv(customers, None, ClvSettings(), 0, pounds, "USD")
    assert refused.value.code == "model_currency"
    for told, known in (("GBP", "GBP"), ("GBP", None), (None, "USD")):
        assert clv(customers, None, ClvSettings(), 0, learned | {"currency": told}, known).learned
    assert clv(customers, None, ClvSettings(), 0, pounds | {"spend": None, "spend_way": None}, "USD").learned


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_with(btyd=None), "holds no fitted family"),
        (_with(btyd=7), "expected a JSON object"),
        (_with(status="splendid"), "status: expected one of"),
        (_with(method="rate"), "method"),
        (_with(as_of="yesterday"), "isoformat"),
        (_with(as_of=5), "as_of: expected a day"),
        (_with(tested_days=-1), "tested_days"),
        (_with(horizon_days=True), "horizon_days"),
        (_with(spend_way=None), "spend_way"),
        (_with(spend_way="guess"), "spend_way"),
        (_with(calibration={"orders": [[1]], "spend": []}), "calibration"),
        (_with(calibration={"orders": [["1", 2]], "spend": []}), "calibration"),
        (_with(currency="\n"), "currency"),
        (_with(extra=1), "unknown entry"),
        (lambda document: _rate(document, 1e12, 1.0), "order days a week"),
        (lambda document: _rate(document, 71.0, 1.0), "order days a week"),
        (lambda document: {key: value for key, value in document.items() if key != "spend"}, "'spend' is missing"),
        (lambda document: document | {"btyd": document["btyd"] | {"parameters": {"r": 1e300}}}, "parameters"),
    ],
)
def test_a_hostile_document_is_refused(learned: dict[str, Any], change: Any, said: str) -> None:
    """Every entry is checked before it is used: 78, and the words name what is wrong."""
    with pytest.raises(ConfigError) as refused:
        applied(change(learned))
    assert said in str(refused.value)
    assert refused.value.code == "model"


def test_a_family_that_is_not_the_saved_one_is_refused(learned: dict[str, Any]) -> None:
    """--model-family and --model must not contradict each other; the saved one by its name is fine."""
    with pytest.raises(ConfigError, match="--model-family asks for nbd"):
        applied(learned, model_family="nbd")
    assert frame(applied(learned, model_family=learned["method"])).equals(frame(applied(learned)))


def test_a_naive_forecast_teaches_nothing_that_could_be_applied() -> None:
    """Few repeat buyers: the document says so with a null family."""
    outcome = made(shop(60))
    assert outcome.learned is not None
    assert outcome.learned["btyd"] is None
