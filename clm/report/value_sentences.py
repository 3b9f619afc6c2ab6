"""What the customers are worth in sentences: the value with its interval and what that is made of, orders, who is alive.

It may not compute; numbers come from METRICS, the parts of the interval from the footer of `clv`.
"""

from __future__ import annotations

from typing import Any

from clm.report.footer_numbers import stage_facts
from clm.report.numbers import Numbers, finite
from clm.report.words import Words


def sentences(numbers: Numbers, facts: dict[str, Any], words: Words) -> list[str]:
    """Of customers with a forecast, in the order they are read."""
    clv, orders = numbers.single("clv", "clv"), numbers.single("clv", "expected_orders")
    assert orders is not None
    days = words.count("order_days", orders.value)
    said = []
    if clv and clv.value is not None:
        values = {
            "horizon": words.stretch(clv.period),
            "clv": words.money(clv.value),
            "each": words.money(numbers.single_value("clv", "mean_clv")),
        }
        if clv.lower is not None and clv.upper is not None:
            ends = {"low": words.money(clv.lower), "high": words.money(clv.upper)}
            said.append(words("clv.lead_interval", **values, **ends, interval=interval_share(facts, words)))
            said += _parts(facts, words)
        else:
            said.append(words("clv.lead", **values))
        revenue = words.money(numbers.single_value("clv", "expected_revenue"))
        said.append(words("clv.orders", orders=days, revenue=revenue))
    else:
        said.append(words("clv.no_amounts"))
        if orders.lower is not None and orders.upper is not None:
            ends = {"low": words.whole(orders.lower), "high": words.whole(orders.upper)}
            said.append(words("clv.orders_only_interval", orders=days, **ends, interval=interval_share(facts, words)))
        else:
            said.append(words("clv.orders_only", orders=days))
    alive = numbers.single("clv", "expected_alive")
    if alive and alive.value is not None:
        said.append(words("clv.alive", alive=words.whole(alive.value), n=words.count("customers", alive.n)))
    return said


def interval_share(facts: dict[str, Any], words: Words) -> str:
    """The width of the intervals as a prefix; nothing where the footer does not say."""
    width = finite(stage_facts(facts, "clv").get("settings", {}).get("interval"))
    return words("clv.interval_share", share=words.percent(width)) if width else ""


def _parts(facts: dict[str, Any], words: Words) -> list[str]:
    """What the interval of the value is made of: the draws alone, and the error of past totals that widens them."""
    totals = stage_facts(facts, "clv").get("metrics", {}).get("totals")
    totals = totals if isinstance(totals, dict) else {}
    value, low, high, error = (finite(totals.get(key)) for key in ("clv", "clv_drawn_low", "clv_drawn_high", "backtest_error"))
    if low is None or high is None or error is None:
        return []
    by = {"backtest": "clv.widened", "few_origins": "clv.widened_few"}.get(str(totals.get("backtest_error_from")))
    widened = words(by or "clv.widened_default", error=words.percent(error))
    if low == high == value:
        return [words("clv.parts_error", widened=widened)]
    return [words("clv.parts", low=words.money(low), high=words.money(high), widened=widened)]
