"""The steps that value customers, `clv`, and that tell how far its forecasts can be trusted, `backtest`.

It may not compute: it opens, calls the pure stage, and hands on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm.formats import Emit
from clm.model_file import Model
from clm.outcome import Outcome
from clm.settings import BacktestSettings, CleanSettings, ClvSettings, CommonSettings, recorded
from clm.steps.step import Step, customers_table, finish, model_of, orders_table, saved
from clm.tables import BACKTEST, CUSTOMERS

if TYPE_CHECKING:
    from clm.stages.clean.costs import Costs
    from clm.storage.publish import Output


def clv(
    source: Path,
    settings: ClvSettings,
    common: CommonSettings,
    emit: Emit,
    model: Model | None = None,
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """CUSTOMERS -> CUSTOMERS with expected orders, spend and value; with costs, what each customer cost and brings back.

    `model` is what a run applies; `save` writes one.
    """
    from clm.stages import clv as stage
    from clm.stages.costs import returns

    costs = spent(settings)
    model = model or model_of(settings.model)
    learned = model.of("clv") if model else None
    customers = customers_table(source, CUSTOMERS.needed("rfm"))
    orders = orders_table(Path(settings.orders)) if settings.orders else None
    currency = customers.facts.currency if customers.facts else None
    if costs is not None:
        costs.check_currency(currency)

    def compute() -> Outcome:
        lines = orders.frame if orders else None
        found = stage.clv(customers.frame.collect(), lines, settings, common.seed, learned, currency)
        if costs is None:
            return found
        found = replace(found, warnings=(*found.warnings, *costs.notices))
        return returns.with_costs(found, costs.frame, lines, settings.margin)

    return saved(
        finish("clv", compute, recorded(settings, common) | beside_clv(settings, model), [customers, orders], emit), save
    )


def backtest(source: Path, settings: BacktestSettings, common: CommonSettings, emit: Emit) -> Step:
    """TRANSACTIONS, or CUSTOMERS and the TRANSACTIONS they came from -> BACKTEST."""
    from clm.stages import agreement, snapshot
    from clm.stages.clv import backtest as stage

    customers = customers_table(source, CUSTOMERS.needed("rfm")) if settings.orders else None
    orders = orders_table(Path(settings.orders) if settings.orders else source)

    def compute() -> Outcome:
        known = customers.frame.collect() if customers else None
        day = agreement.one_day(known, "backtest") if known is not None else None
        if day is None:
            day = snapshot.resolve_as_of(snapshot.last_day(orders.frame), settings.as_of)
        return stage.backtest(known, orders.frame, day, settings)

    return finish("backtest", compute, recorded(settings, common), [customers, orders], emit, BACKTEST)


def told_backtest(step: Step) -> list[str]:
    """A back-test's tables as lines of text."""
    from clm.report import backtest_text

    return backtest_text.lines(step.outcome.metrics)


def spent(settings: ClvSettings) -> Costs | None:
    """The file of costs, read whole. Raises DataError (65) for one that cannot be taken as it stands."""
    from clm import ingest
    from clm.stages.clean.costs import costs

    return costs(ingest.read_text([settings.costs], CleanSettings(profile="none"))) if settings.costs else None


def beside_clv(settings: ClvSettings, model: Model | None) -> dict[str, Any]:
    """What decides the values beside the recorded settings: the file of costs and a saved model, by their hashes."""
    from clm.storage import files

    model = model or model_of(settings.model)
    costs = {"costs": f"sha256:{files.sha256_of(Path(settings.costs))}"} if settings.costs else {}
    return costs | ({"model": model.identity} if model else {})


def told_fits(step: Step) -> list[str]:
    """With the lifetimes estimator, every fit by clm and by lifetimes as lines, one under the other."""
    metrics = step.outcome.metrics
    theirs = {one["family"]: one for one in metrics.get("candidates_lifetimes", [])}
    pairs = [(one, theirs.get(one["family"])) for one in metrics.get("candidates", [])]
    lines = []
    for ours, other in [*pairs, (metrics.get("spend"), metrics.get("spend_lifetimes"))]:
        for estimator, fit in (("clm", ours), ("lifetimes", other)):
            if ours and other and fit:
                numbers = " ".join(f"{name} {value:.4f}" for name, value in fit["parameters"].items())
                lines.append(f"{fit['family']} by {estimator:<9} log-likelihood {fit['log_likelihood']:.4f}  {numbers}")
    return lines


def told_totals(step: Step, *, segments: bool) -> list[str]:
    """The totals with their intervals and what these are made of, as lines of a table; nothing without an interval."""
    from clm.report import total_lines

    return total_lines.lines(step.outcome.metrics, float(step.facts.settings["interval"]), segments=segments)


def told_costs(step: Step) -> list[str]:
    """What the costs brought back, as lines of a table; nothing without costs."""
    from clm.report import cost_lines

    found = step.outcome.metrics.get("costs")
    return cost_lines.lines(found) if found else []
