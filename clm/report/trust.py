"""How far the forecasts may be told as findings: what their tests said, or that there was no test.

It may not word or compute; it reads METRICS and the footer's notices, and the views say what follows.
"""

from __future__ import annotations

from typing import Any

from clm.report.footer_numbers import stage_facts
from clm.report.numbers import Numbers

FEW, UNTESTED, NO_SKILL = "few_repeat_buyers", "not_validated", "no_skill"
_LEAST_AUC = 0.55  # a coin reaches .5; what is this near to it found nobody


def forecast_doubt(numbers: Numbers) -> str | None:
    """Why the forecast counts as not validated (FEW, UNTESTED); None when it was tested."""
    statuses = {row.group for row in numbers.rows("clv", "customers_by_status") if row.value or row.hidden}
    if FEW in statuses:
        return FEW
    return UNTESTED if UNTESTED in statuses or not numbers.rows("backtest", "origins") else None


def cannot_tell(numbers: Numbers) -> bool:
    """True when the mean of all customers was to be forecast and nobody ever came back: METRICS then has no expectation."""
    methods = {row.group for row in numbers.rows("clv", "customers_by_method") if row.value or row.hidden}
    expected = numbers.single("clv", "expected_orders")
    return methods == {"mean"} and expected is not None and expected.value is None


def churn_doubt(numbers: Numbers, facts: dict[str, Any]) -> str | None:
    """NO_SKILL when the test could not tell who is lost, UNTESTED when there was none; None when the test was passed."""
    warnings = stage_facts(facts, "churn").get("warnings")
    codes = {one.get("code") for one in warnings if isinstance(one, dict)} if isinstance(warnings, list) else set()
    chosen = [row.group for row in numbers.rows("churn", "chosen") if row.value]
    reached = [auc for group in chosen if (auc := numbers.value("churn", "auc", group)) is not None]
    if NO_SKILL in codes or any(auc <= _LEAST_AUC for auc in reached):
        return NO_SKILL
    return None if chosen else UNTESTED
