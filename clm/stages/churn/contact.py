"""Whom to contact: what a contact of each customer is expected to bring, how many are worth it, and what the list would have
brought on the test window.

It may not value the past by what is known today: on the test window values are those of that day, from the log up to it. Nor may
it call a list tested where no window was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from clm.models import profit
from clm.models.classify_backtest import Past
from clm.models.profit import Costs, Cuts
from clm.outcome import Notice, counted
from clm.settings import ChurnSettings
from clm.tables import CHURN_RISKS

NEEDS = ("clv", "expected_orders")


@dataclass(frozen=True)
class Then:
    """Buyers of an earlier day by customer, with NEEDS as they were told then; how far these look; the base's median gap then."""

    buyers: pl.DataFrame
    horizon_days: int
    gap_days: float


@dataclass(frozen=True)
class Valued:
    """Where values come from: the days the `clv` of INPUT looks ahead, and the values of an earlier day (None: none known)."""

    horizon_days: int
    then: Callable[[date], Then | None]


@dataclass(frozen=True)
class Priced:
    """Customers with `contact_value` and the risk of the profit curve, and what is to be said of it."""

    frame: pl.DataFrame
    metrics: dict[str, Any]
    notices: tuple[Notice, ...]
    told: str


def costs_of(settings: ChurnSettings) -> Costs | None:
    """The campaign the settings describe; None without one."""
    if settings.offer is None or settings.contact is None or settings.accept is None:
        return None
    return Costs(settings.offer, settings.contact, settings.accept)


def priced(
    frame: pl.DataFrame, past: Past | None, costs: Costs, valued: Valued, horizon_days: int, gap_days: float | None
) -> Priced:
    """Customers (`churn` columns, NEEDS) with `contact_value` last; null without a probability or a value.

    `past` is the test the probabilities passed, `horizon_days` what they look ahead, `gap_days` the base's median gap.
    """
    known = frame.filter(pl.all_horizontal(pl.col("churn_probability", *NEEDS).is_not_null()))
    now = Then(known, valued.horizon_days, gap_days or 1.0)
    p, lost = _stakes(now, known["churn_probability"].to_numpy(), horizon_days)
    values = profit.contact_values(p, lost, costs)
    found = profit.cuts(p, values)
    listed = values > 0.0
    told = known.select("customer_id", contact_value=pl.Series(values, dtype=pl.Float64))
    with_values = frame.join(told, on="customer_id", how="left", maintain_order="left")
    if found is not None:
        with_values = with_values.with_columns(churn_risk=_risk(found))
    contacts, gain = int(listed.sum()), math.fsum(values[listed].tolist())
    test, why = _tested(past, costs, valued, horizon_days)
    metrics: dict[str, Any] = {
        "definition": (
            "contact_value = p × accept × (L − offer) − (1 − p) × offer − contact, L = what leaving takes away; "
            "worth contacting: above 0"
        ),
        "offer": costs.offer,
        "contact": costs.contact,
        "accept": costs.accept,
        "clv_horizon_days": valued.horizon_days,
        "valued": known.height,
        "contacts": contacts,
        "share": contacts / known.height if known.height else None,
        "expected_profit": gain,
        "expected_kept": costs.accept * math.fsum(p[listed].tolist()),
        "expected_profit_of_all": math.fsum(values.tolist()),
        "risk_from": {"medium": found.medium, "high": found.high} if found else None,
        "test": test,
    }
    notices = list(_notices(known.height, contacts, values.max(initial=-math.inf), test, why))
    line = f"{counted(contacts, 'customer')} worth contacting, {gain:,.0f} expected"
    if test is not None:
        line += f" (the list of {test['on']}: {test['realised_profit']:,.0f} of {test['expected_profit']:,.0f})"
    if found is not None:
        line += f", risk cut by profit at {found.medium:.3f} and {found.high:.3f}"
    return Priced(with_values, metrics, tuple(notices), line)


def _stakes(on: Then, probability: Any, horizon_days: int) -> tuple[Any, Any]:
    """Probability and L of each customer, as arrays."""
    # own mean gap as in rhythm_days: drawn towards the base's by one gap
    rhythm = (pl.col("active_days") + on.gap_days) / (pl.col("repeat_days") + 1)
    columns = on.buyers.select(*NEEDS, most=on.horizon_days / rhythm).cast(pl.Float64)
    value, orders, most = (columns[name].to_numpy() for name in (*NEEDS, "most"))
    return probability, profit.stakes(probability, value, orders, most, on.horizon_days / horizon_days)


def _tested(past: Past | None, costs: Costs, valued: Valued, horizon_days: int) -> tuple[dict[str, Any] | None, str]:
    """What the list of the test day was expected to bring, and what it would have brought by who left and who stayed; or why
    that is not known."""
    if past is None:
        return None, "no past window tested the probabilities"
    on = date.fromisoformat(past.test.on)
    then = valued.then(on)
    if then is None:
        return None, f"no value could be told on {on}"
    assert then.buyers["recency_days"].cast(pl.Float64).to_list() == past.test.buyers.recency_days.tolist(), "other buyers"
    seen = then.buyers.with_columns(
        probability=pl.Series(past.verdict.winner.probability), churned=pl.Series(past.test.churned)
    ).drop_nulls(NEEDS)
    if seen.is_empty():
        return None, f"no value could be told on {on}"
    p, lost = _stakes(replace(then, buyers=seen), seen["probability"].to_numpy(), horizon_days)
    expected = profit.contact_values(p, lost, costs)
    realised = profit.contact_values(seen["churned"].to_numpy(), lost, costs)
    listed = expected > 0.0
    return {
        "on": on.isoformat(),
        "customers": seen.height,
        "contacts": int(listed.sum()),
        "expected_profit": math.fsum(expected[listed].tolist()),
        "realised_profit": math.fsum(realised[listed].tolist()),
        "expected_profit_of_all": math.fsum(expected.tolist()),
        "realised_profit_of_all": math.fsum(realised.tolist()),
        "best": profit.best(expected, realised),
        "curve": profit.curve(expected, realised),
    }, ""


def _risk(cuts: Cuts) -> pl.Expr:
    """The risk by the cuts of the profit curve, null without a probability."""
    low, medium, high = CHURN_RISKS
    p = pl.col("churn_probability")
    named = pl.when(p >= cuts.high).then(pl.lit(high)).when(p >= cuts.medium).then(pl.lit(medium)).otherwise(pl.lit(low))
    return pl.when(p.is_not_null()).then(named)


def _notices(valued: int, contacts: int, best: float, test: dict[str, Any] | None, why: str) -> Iterator[Notice]:
    if not valued:
        yield Notice("no_contact_value", "no contact value: no customer has both a churn probability and a value")
        return
    if not contacts:
        yield Notice("nobody_worth_contacting", f"nobody is worth contacting: the best contact is expected to bring {best:,.2f}")
    if test is None:
        yield Notice("profit_not_tested", f"the profit of contacting is not tested: {why}")
    elif test["contacts"] and test["realised_profit"] < test["expected_profit"] / 2:
        listed = counted(test["contacts"], "customer")
        yield Notice(
            "profit_missed",
            f"the list of {test['on']} ({listed}) would have brought {test['realised_profit']:,.0f}"
            f" where {test['expected_profit']:,.0f} was expected",
        )
