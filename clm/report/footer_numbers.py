"""Numbers that come from footers of forecasts: how they were tested, which churn candidate won, who stays.

It may not fail on a fact that is missing or has another shape: such a number is absent and the panel says so.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any

from clm.report.numbers import CHURN_SCORES, ERROR_SCORES, RANK_SCORES, Sheet, finite
from clm.tables import EARLY_WARNINGS


def add(sheet: Sheet, facts: dict[str, Any]) -> None:
    """Add back-test, fitted models and the churn candidates, as far as the facts hold them."""
    made = stage_facts(facts, "clv").get("metrics", {})
    _backtest(sheet, made)
    _tracking(sheet, made)
    _model(sheet, made)
    _alive(sheet, objects(made.get("alive_history")))
    churned = stage_facts(facts, "churn").get("metrics", {})
    _churn(sheet, churned)
    _profit(sheet, objects(churned.get("profit")))
    _early_warning(sheet, objects(churned.get("early_warning")))
    _survival(sheet, objects(churned.get("survival")))


def stage_facts(facts: dict[str, Any], stage: str) -> dict[str, Any]:
    """The facts of the latest table this stage made on the way to the file; {} when there is none.

    `settings` and `metrics` are always objects in what is returned, whatever the footer held.
    """
    ancestors = facts.get("ancestors")
    line = [*(ancestors if isinstance(ancestors, list) else []), facts]
    for made in reversed(line):
        if isinstance(made, dict) and made.get("stage") == stage:
            safe = {key: objects(made.get(key)) for key in ("settings", "metrics", "rows", "amount")}
            return made | safe
    return {}


def objects(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def records(value: Any) -> list[dict[str, Any]]:
    return [record for record in value if isinstance(record, dict)] if isinstance(value, list) else []


def money_of(value: Any) -> Decimal | None:
    """Amounts travel as text (`"9747747.9340"`)."""
    try:
        money = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except InvalidOperation:
        return None
    return money if money is not None and money.is_finite() else None


def _backtest(sheet: Sheet, made: dict[str, Any]) -> None:
    """Every score at every origin, and its mean over the origins under period null."""
    tests = records(made.get("backtest"))
    means: dict[tuple[str, str], list[float]] = {}
    for test in tests:
        group = f"{test.get('kind', 'model')}:{test.get('name', '')}"
        period = f"{test.get('origin', '')}+{test.get('horizon_days', '')}d"
        for score in ("bias", *ERROR_SCORES, *RANK_SCORES):
            value = finite(test.get(score))
            if value is not None:
                sheet.add("backtest", score, value, group=group, period=period)
                means.setdefault((score, group), []).append(value)
    for (score, group), values in means.items():
        sheet.add("backtest", score, math.fsum(values) / len(values), group=group)
    origins = {str(test.get("origin")) for test in tests}
    if tests:
        lengths = [length for test in tests if (length := finite(test.get("horizon_days"))) is not None]
        sheet.add("backtest", "origins", len(origins))
        sheet.add("backtest", "horizon", max(lengths, default=None))
    for score, won in objects(made.get("beats_best_baseline")).items():
        if isinstance(won, bool):
            sheet.add("backtest", "beats_best_baseline", int(won), group=str(score))
    for decile in records(made.get("deciles")):
        number, n = finite(decile.get("decile")), finite(decile.get("customers"))
        group = f"{int(number):02d}" if number is not None else str(decile.get("decile"))
        for side in ("predicted", "actual", "baseline_predicted", "baseline_actual"):
            if side in decile:
                sheet.add("clv", f"decile_{side}", finite(decile.get(side)), group=group, n=_people(n))
    for rule in dict.fromkeys(str(decile["baseline"]) for decile in records(made.get("deciles")) if "baseline" in decile):
        sheet.add("clv", "decile_baseline", 1, group=rule)


def _tracking(sheet: Sheet, made: dict[str, Any]) -> None:
    """Order days since the latest origin, week by week, as forecast and as they came."""
    weeks = records(made.get("tracking"))
    latest = max((str(week.get("origin")) for week in weeks), default="")
    sizes = {str(test.get("origin")): finite(test.get("customers")) for test in records(made.get("backtest"))}
    for week in weeks:
        days = finite(week.get("days"))
        if str(week.get("origin")) == latest and days is not None:
            for side in ("predicted", "actual"):
                value, n = finite(week.get(side)), _people(sizes.get(latest))
                sheet.add("backtest", f"tracked_{side}", value, group=latest, period=f"{int(days)}d", n=n)


def _alive(sheet: Sheet, told: dict[str, Any]) -> None:
    """P(alive) of three invented customers, step by step; no row of it is about anybody real."""
    step = finite(told.get("step_days"))
    if step is None:
        return
    sheet.add("alive", "step", step, group=str(told.get("family")))
    for pattern in records(told.get("patterns")):
        name, history = str(pattern.get("pattern")), pattern.get("p_alive")
        for at, value in enumerate(history if isinstance(history, list) else []):
            sheet.add("alive", "p_alive", finite(value), group=name, period=f"{at * int(step)}d")
        orders = pattern.get("orders")
        for day in orders if isinstance(orders, list) else []:
            if (known := finite(day)) is not None:
                sheet.add("alive", "order", 1, group=name, period=f"{int(known)}d")


def _model(sheet: Sheet, made: dict[str, Any]) -> None:
    for fitted in (objects(made.get("model")), objects(made.get("spend"))):
        family = fitted.get("family")
        if not isinstance(family, str):
            continue
        if isinstance(fitted.get("identified"), bool):
            sheet.add("model", "identified", int(fitted["identified"]), group=family)
        for metric, key in (("parameter", "parameters"), ("standard_error", "standard_errors")):
            for name, value in objects(fitted.get(key)).items():
                sheet.add("model", metric, finite(value), group=f"{family}.{name}")
        likelihood = finite(fitted.get("log_likelihood"))
        if likelihood is not None:
            sheet.add("model", "log_likelihood", likelihood, group=family)


def _churn(sheet: Sheet, made: dict[str, Any]) -> None:
    candidates = records(made.get("candidates"))
    for candidate in candidates:
        name = str(candidate.get("name", ""))
        for score in CHURN_SCORES:
            sheet.add("churn", score, finite(candidate.get(score)), group=name)
        sheet.add("churn", "chosen", int(name == made.get("chosen")), group=name)
    for one in records(made.get("differences")):
        if one.get("against") == made.get("chosen") and one.get("score") in ("log_loss", "auc"):
            by, low, high = (finite(one.get(key)) for key in ("difference", "low", "high"))
            sheet.add("churn", f"{one['score']}_beside_chosen", by, group=str(one.get("name", "")), lower=low, upper=high)
    for one in records(made.get("importance")):
        sheet.add("churn", "importance", finite(one.get("log_loss")), group=str(one.get("quantity", "")))
    indices = objects(made.get("psi_features"))
    for name, value in (indices | {"score": made.get("psi_score")} if indices else {}).items():
        sheet.add("churn", "psi", finite(value), group=name)
    _gain(sheet, made)
    for bin_ in records(made.get("reliability")):
        number, n = finite(bin_.get("bin")), finite(bin_.get("customers"))
        group = f"{int(number):02d}" if number is not None else str(bin_.get("bin"))
        for side in ("predicted", "observed"):
            people = int(n) if n is not None else None
            sheet.add("churn", f"reliability_{side}", finite(bin_.get(side)), group=group, n=people)


def _gain(sheet: Sheet, made: dict[str, Any]) -> None:
    """Share of the lost among the customers of highest risk: as found, by silence alone, and by somebody who knew."""
    tested = [finite(bin_.get("customers")) for bin_ in records(made.get("reliability"))]
    size = math.fsum(one for one in tested if one is not None)
    base = finite(made.get("base_rate_test"))
    if base is not None:
        sheet.add("churn", "base_rate", base, n=_people(size or None))
    for metric, steps in (("gain", made.get("gain")), ("gain_hiatus", made.get("gain_hiatus"))):
        for step in records(steps):
            share = finite(step.get("share"))
            if share is None:
                continue
            group, n = f"top_{round(share * 100):03d}", _people(math.ceil(round(share * size, 6)) if size else None)
            captured = finite(step.get("captured"))
            sheet.add("churn", metric, captured, group=group, n=n)
            if metric == "gain" and base and captured is not None and share > 0:
                sheet.add("churn", "gain_perfect", min(1.0, share / base), group=group, n=n)
                sheet.add("churn", "lift", captured / share, group=group, n=n)


def _profit(sheet: Sheet, told: dict[str, Any]) -> None:
    """Who is worth contacting, and what the list of the test window would have brought."""
    contacts = finite(told.get("contacts"))
    if contacts is None:
        return
    n, valued = _people(contacts), _people(finite(told.get("valued")))
    sheet.add("profit", "contacts", contacts, n=n)
    sheet.add("profit", "expected", finite(told.get("expected_profit")), n=n)
    sheet.add("profit", "expected_of_all", finite(told.get("expected_profit_of_all")), n=valued)
    sheet.add("profit", "kept", finite(told.get("expected_kept")), n=n)
    for cost in ("offer", "contact"):
        sheet.add("profit", "cost", finite(told.get(cost)), group=cost)
    sheet.add("profit", "accept", finite(told.get("accept")))
    for risk, cut in objects(told.get("risk_from")).items():
        sheet.add("profit", "risk_from", finite(cut), group=str(risk))
    test = objects(told.get("test"))
    day = str(test.get("on"))
    whole = (None, test.get("contacts"), test.get("expected_profit"), test.get("realised_profit"))
    steps: list[tuple[Any, ...]] = [whole] if test else []
    for step in records(test.get("curve")):
        share = finite(step.get("share"))
        if share is not None:
            steps.append((f"top_{round(share * 100):03d}", step.get("customers"), step.get("expected"), step.get("realised")))
    for group, customers, *sums in steps:
        for name, value in zip(("tested_expected", "tested_realised"), sums, strict=True):
            sheet.add("profit", name, finite(value), group=group, period=day, n=_people(finite(customers)))


def _early_warning(sheet: Sheet, told: dict[str, Any]) -> None:
    """Who fell silent beyond their own rhythm since the earlier table."""
    since = told.get("since")
    if not isinstance(since, str):
        return
    for group in EARLY_WARNINGS:
        number = finite(told.get(group))
        sheet.add("early_warning", "customers", number, group=group, period=since, n=_people(number))
    within = finite(told.get("within"))
    sheet.add("early_warning", "within", within, period=since, n=_people(within))
    value = finite(told.get("clv"))
    if value is not None:
        sheet.add("early_warning", "clv_of_new", value, period=since, n=_people(finite(told.get("new"))))


def _survival(sheet: Sheet, told: dict[str, Any]) -> None:
    """How long customers stay, of all and by group, as the stage counted it."""
    whole = objects(told.get("all"))
    if not whole:
        return
    until = told.get("observed_until")
    sheet.add("survival", "horizon", finite(told.get("horizon_days")), period=until if isinstance(until, str) else None)
    too_new = finite(told.get("too_new"))
    sheet.add("survival", "too_new", too_new, n=_people(too_new))
    for kind, rest in objects(told.get("small")).items():
        small = finite(objects(rest).get("customers"))
        if objects(rest).get("told") is False:
            sheet.add("survival", "small", small, group=str(kind), n=_people(small))
    for kind, several in objects(told.get("unknown")).items():
        unknown = finite(several)
        sheet.add("survival", "unknown", unknown, group=str(kind), n=_people(unknown))
    for one in (whole, *records(told.get("groups"))):
        group = None if one is whole else f"{one.get('of')}:{one.get('group')}"
        customers, left = finite(one.get("customers")), finite(one.get("left"))
        n = _people(customers)
        sheet.add("survival", "customers", customers, group=group, n=n)
        sheet.add("survival", "left", left, group=group, n=_people(left))
        median, low, high = (finite(one.get(f"median_{end}")) for end in ("days", "low", "high"))
        sheet.add("survival", "median_days", median, group=group, lower=low, upper=high, n=n)
        _retention(sheet, "retention", group, one.get("retention"))
    _retention(sheet, "curve", None, whole.get("curve"))


def _retention(sheet: Sheet, metric: str, group: str | None, points: Any) -> None:
    for point in records(points):
        survival, low, high = (finite(point.get(end)) for end in ("survival", "low", "high"))
        period, n = f"{point.get('months')}m", _people(finite(point.get("at_risk")))
        sheet.add("survival", metric, survival, group=group, period=period, lower=low, upper=high, n=n)


def _people(number: float | None) -> int | None:
    return None if number is None else int(number)
