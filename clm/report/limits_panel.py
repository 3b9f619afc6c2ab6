"""The last panel: what was assumed, what the models found, and the commands that make the report again.

It may not compute or judge; settings come from the footers, numbers from METRICS.
"""

from __future__ import annotations

from typing import Any

from clm.report import key_figures, remake
from clm.report.blocks import Block, Cell, Column, Commands, Points, Table
from clm.report.footer_numbers import stage_facts
from clm.report.numbers import ACTIVE_DAYS, Numbers, finite
from clm.report.words import Words, plain


def assumptions(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[Block, ...]:
    """Assumptions and limits, fitted parameters, commands."""
    days = words.count("days", ACTIVE_DAYS)
    said = [
        words("assumptions.customer"),
        words("assumptions.revenue"),
        words("assumptions.active", days=days, day=words.day(numbers.as_of)),
    ]
    if numbers.rows("clv", "customers_by_status"):
        said += [_forecast(facts, words), words("assumptions.interval"), words("assumptions.season")]
    horizon = numbers.single_value("churn", "horizon")
    if horizon is not None:
        said.append(words("assumptions.lost", horizon=words.length(horizon)))
    said += [
        words("assumptions.not_identified", name=words.name("method", row.group))
        for row in numbers.rows("model", "identified")
        if not row.value
    ]
    blocks: list[Block] = [Points(tuple(said)), *key_figures.definitions(numbers, words)]
    blocks += _parameters(numbers, words)
    return (*blocks, *_commands(numbers, facts, words))


def _commands(numbers: Numbers, facts: dict[str, Any], words: Words) -> list[Block]:
    """What to type, and which panel each command makes."""
    made = remake.commands(facts, numbers, words.lang)
    if not made:
        return []
    rows = []
    for one in made:
        panels = [words(f"panel.{code}") for code in one.panels if words.known(f"panel.{code}")]
        rows.append((Cell(" ".join(one.line.split(" ", 2)[:2])), Cell(words("format.list").join(panels))))
    columns = tuple(Column(words(f"assumptions.{part}"), numeric=False) for part in ("command", "panels"))
    lines = tuple(one.line for one in made)
    return [
        Commands(words("assumptions.commands"), lines, words("assumptions.commands_note")),
        Table(words("assumptions.made_by"), columns, tuple(rows)),
    ]


def _forecast(facts: dict[str, Any], words: Words) -> str:
    used = stage_facts(facts, "clv").get("settings", {})
    discount, margin = finite(used.get("annual_discount")), finite(used.get("margin"))
    if discount is None or margin is None or not isinstance(used.get("horizon"), str):
        return words("assumptions.forecast_plain")
    return words(
        "assumptions.forecast",
        horizon=words.stretch(used["horizon"]),
        discount=words.percent(discount),
        margin=words.percent(margin),
    )


def _parameters(numbers: Numbers, words: Words) -> list[Block]:
    rows = []
    for row in numbers.rows("model", "parameter"):
        family, _, name = (row.group or "").partition(".")
        error = numbers.value("model", "standard_error", row.group)
        label = f"{words.name('method', family)} {plain(name, 20)}"
        rows.append((Cell(label), Cell(words.decimal(row.value, 4), row.value), Cell(words.decimal(error, 4), error)))
    for row in numbers.rows("model", "log_likelihood"):
        label = f"{words.name('method', row.group)} {words('assumptions.log_likelihood')}"
        rows.append((Cell(label), Cell(words.decimal(row.value, 4), row.value), Cell("")))
    columns = (
        Column(words("assumptions.parameter"), numeric=False),
        Column(words("assumptions.value")),
        Column(words("assumptions.standard_error")),
    )
    return [Table(words("assumptions.model"), columns, tuple(rows))] if rows else []
