"""Whom to contact: the column, the list on the test window valued as of that day, the risk by profit, and what cannot be told."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from clm.models.profit import Costs, contact_values, stakes
from clm.outcome import Outcome
from clm.settings import ChurnSettings
from clm.stages import snapshot
from clm.stages.churn import churn
from clm.stages.churn.contact import Then, Valued
from clm.values import horizon
from tests.logs import Line, transactions

START = date(2023, 1, 2)


@pytest.fixture(scope="module")
def shop() -> pl.LazyFrame:
    """An invented shop: customers with their own rate, who leave after any order with a chance of one in eight."""
    dice, lines = random.Random(7), list[Line]()
    for number in range(700):
        who, day, rate = f"c{number:05}", dice.randrange(280), dice.gammavariate(1.2, 1 / 50)
        while day < 420:
            lines.append((who, f"{who}/{day}", str(START + timedelta(days=day)), str(dice.randrange(5, 90))))
            if dice.random() < 0.125:
                break
            day += 1 + int(dice.expovariate(rate))
    return transactions(*lines).lazy()


def _valued(customers: pl.DataFrame) -> pl.DataFrame:
    """A value everybody can work out: an order is worth 40, and who ordered k times orders k / 2 times."""
    orders = pl.col("order_days") / 2
    return customers.with_columns(expected_orders=orders, clv=orders * 40)


def _run(shop: pl.LazyFrame, customers: pl.DataFrame | None = None, *, log: bool = True, **given: Any) -> Outcome:
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    settings = ChurnSettings(**({"horizon": horizon("45d"), "offer": 10.0, "contact": 1.0, "accept": 0.2} | given))

    def then(on: date) -> Then:
        return Then(_valued(snapshot.take(shop, on)), 90, snapshot.gap_quantile(snapshot.gap_counts(shop, on), 0.5) or 1.0)

    base = _valued(snapshot.take(shop, as_of)) if customers is None else customers
    return churn(base, shop if log else None, settings, 0, Valued(90, then))


@pytest.fixture(scope="module")
def campaign(shop: pl.LazyFrame) -> Outcome:
    return _run(shop)


def test_each_value_is_the_formula_over_the_row(campaign: Outcome, shop: pl.LazyFrame) -> None:
    """contact_value from p, clv, expected orders and rhythm of the same row; the list, its sum and its share add up."""
    frame = campaign.frame.lazy().collect()
    g = snapshot.gap_quantile(snapshot.gap_counts(shop, campaign.as_of), 0.5)  # type: ignore[arg-type]
    rhythm = (frame["active_days"] + g) / (frame["repeat_days"] + 1)
    p, value, orders = (frame[name].to_numpy() for name in ("churn_probability", "clv", "expected_orders"))
    by_hand = contact_values(p, stakes(p, value, orders, (90 / rhythm).to_numpy(), 2.0), Costs(10, 1, 0.2))
    assert frame["contact_value"].to_list() == pytest.approx(by_hand.tolist())
    told = campaign.metrics["profit"]
    listed = frame.filter(pl.col("contact_value") > 0)
    assert 0 < told["contacts"] == listed.height < frame.height
    assert told["expected_profit"] == pytest.approx(listed["contact_value"].sum())
    assert told["expected_profit_of_all"] == pytest.approx(frame["contact_value"].sum())
    assert told["expected_kept"] == pytest.approx(0.2 * listed["churn_probability"].sum())
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_list_of_the_test_day_earns_what_its_labels_say(campaign: Outcome, shop: pl.LazyFrame) -> None:
    """Those who left keep accept x (L - offer), those who stayed cost the offer; expected by a forecast that is about right."""
    test = campaign.metrics["profit"]["test"]
    assert test["on"] == campaign.metrics["test_on"]
    assert test["customers"] == snapshot.take(shop, date.fromisoformat(test["on"])).height
    steps = test["curve"]
    assert steps[-1]["customers"] == test["customers"]
    assert steps[-1]["realised"] == pytest.approx(test["realised_profit_of_all"])
    assert steps[-1]["expected"] == pytest.approx(test["expected_profit_of_all"])
    assert max(step["expected"] for step in steps) <= test["expected_profit"] + 1e-9
    assert test["best"]["realised"] >= test["realised_profit"] - 1e-9
    assert test["realised_profit"] == pytest.approx(test["expected_profit"], rel=0.35)


def test_risk_is_cut_where_the_profit_curve_says(campaign: Outcome) -> None:
    """low < medium <= ... < high <= p; contacting everybody from high on earns more than from any other probability."""
    frame, cuts = campaign.frame.lazy().collect(), campaign.metrics["profit"]["risk_from"]
    by_risk = frame.sort("churn_probability", descending=True)
    sums = by_risk.group_by("churn_probability", maintain_order=True).agg(pl.col("contact_value").sum())
    sums = sums.with_columns(pl.col("contact_value").cum_sum())
    best = sums.filter(pl.col("churn_probability") == cuts["high"])["contact_value"].item()
    assert best == pytest.approx(sums["contact_value"].max())
    assert (frame.filter(pl.col("churn_risk") == "high")["churn_probability"] >= cuts["high"]).all()
    assert campaign.metrics["risk"] == {
        risk: frame.filter(pl.col("churn_risk") == risk).height for risk in ("low", "medium", "high")
    }
    assert f"risk cut by profit at {cuts['medium']:.3f} and {cuts['high']:.3f}" in campaign.closing


def test_without_a_campaign_nothing_is_added(shop: pl.LazyFrame) -> None:
    """No costs: no column, no metric, the usual risks; and the probabilities are the same with costs."""
    plain, priced = _run(shop, offer=None, contact=None, accept=None), _run(shop)
    assert "contact_value" not in plain.frame.lazy().collect_schema()
    assert "profit" not in plain.metrics
    names = ("customer_id", "churn_probability", "churn_reasons")
    assert plain.frame.lazy().select(names).collect().equals(priced.frame.lazy().select(names).collect())


def test_costs_that_never_pay_leave_the_usual_risk_and_say_so(shop: pl.LazyFrame) -> None:
    """An offer dearer than any customer, or one nobody takes: nobody worth contacting, the best contact named."""
    for costs in ({"offer": 1e6}, {"accept": 0.0}):
        found = _run(shop, **costs)
        assert found.metrics["profit"]["contacts"] == 0
        assert found.metrics["profit"]["risk_from"] is None
        assert "nobody_worth_contacting" in {notice.code for notice in found.warnings}
        frame = found.frame.lazy().collect()
        assert (frame.filter(pl.col("churn_risk") == "high")["churn_probability"] >= 0.8).all()


def test_a_contact_that_costs_nothing_pays_for_all_who_may_leave(shop: pl.LazyFrame) -> None:
    """Offer and contact free, everybody accepts: each value is p L, never negative."""
    frame = _run(shop, offer=0.0, contact=0.0, accept=1.0).frame.lazy().collect()
    assert (frame["contact_value"] >= 0).all()


def test_a_list_that_no_window_tested_says_so(shop: pl.LazyFrame) -> None:
    """Without the log values and a list, but no test, and why."""
    found = _run(shop, log=False)
    assert found.metrics["profit"]["test"] is None
    assert found.metrics["profit"]["contacts"] > 0
    said = {notice.code: notice.text for notice in found.warnings}
    assert said["profit_not_tested"] == "the profit of contacting is not tested: no past window tested the probabilities"


@pytest.mark.parametrize("rows", ["no value", "nobody", "one", "refunds"])
def test_what_has_no_probability_or_value_has_no_contact_value(shop: pl.LazyFrame, rows: str) -> None:
    """Nulls where clv is null, an empty table stays empty, one customer and refunds only go through with a notice."""
    as_of = snapshot.last_day(shop)
    assert as_of is not None
    base = _valued(snapshot.take(shop, as_of))
    if rows == "no value":
        found = _run(shop, base.with_columns(pl.lit(None, pl.Float64).alias("clv")))
        assert found.frame.lazy().collect()["contact_value"].null_count() == base.height
        assert {notice.code for notice in found.warnings} >= {"no_contact_value"}
        assert found.metrics["profit"]["contacts"] == 0
        assert found.frame.lazy().collect()["churn_risk"].null_count() == 0
    elif rows == "nobody":
        nobody = _run(shop, base.clear()).frame.lazy().collect()
        assert (nobody.height, nobody["contact_value"].dtype) == (0, pl.Float64)
    elif rows == "one":
        found = _run(shop, base.head(1))
        assert found.frame.lazy().collect()["contact_value"].null_count() == 0
    else:
        log = transactions(("a", "r", "2023-01-01", "-5"), ("b", "r2", "2023-01-04", "-5")).lazy()
        given = _valued(snapshot.take(log, date(2023, 1, 4))).with_columns(pl.lit(None, pl.Float64).alias("clv"))
        settings = ChurnSettings(offer=1.0, contact=1.0, accept=0.5)
        found = churn(given, log, settings, 0, Valued(90, lambda on: None))
        assert found.frame.lazy().collect()["contact_value"].null_count() == 2
        assert isinstance(given["spend"].sum(), Decimal)
