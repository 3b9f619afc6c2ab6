"""The last panel: what was assumed, what the models found, and the commands that make the report again.

It may not compute or judge; settings come from the footers, parameters from METRICS.
"""

from __future__ import annotations

import shlex
from typing import Any

from clm import settings
from clm.report import key_figures
from clm.report.blocks import Block, Cell, Column, Commands, Points, Table
from clm.report.footer_numbers import stage_facts
from clm.report.numbers import ACTIVE_DAYS, Numbers, finite
from clm.report.words import Words, plain

_OUTPUTS = {
    "clean": "clean.parquet",
    "rfm": "rfm.parquet",
    "segment": "segments.parquet",
    "clv": "clv.parquet",
    "churn": "customers.parquet",
}


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
    lines = commands(facts, words.lang)
    if lines:
        blocks.append(Commands(words("assumptions.commands"), lines, words("assumptions.commands_note")))
    return tuple(blocks)


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


def commands(facts: dict[str, Any], lang: str = "en") -> tuple[str, ...]:
    """One command per stage the footers know, with every setting that is not the default, safe to paste into a shell.

    The last makes the report in the language `lang`.
    """
    ancestors = facts.get("ancestors")
    named = [one for one in ancestors if isinstance(one, dict)] if isinstance(ancestors, list) else []
    files = [plain(one["source"], 120) for one in named if isinstance(one.get("source"), str)]
    lines, before = [], [shlex.quote(name if not name.startswith("-") else f"./{name}") for name in files]
    for stage, output in _OUTPUTS.items():
        made = stage_facts(facts, stage)
        if not made:
            continue
        parts = ["clm", stage, *(before or ["orders.csv"]), *_options(stage, made["settings"])]
        if stage in ("clv", "churn"):
            parts += ["--orders", _OUTPUTS["clean"]]
        lines.append(" ".join([*parts, "-o", output]))
        before = [output]
    if lines:
        told = [] if lang == settings.ReportSettings().lang else ["--lang", lang]
        lines.append(" ".join(["clm", "report", *before, "--orders", _OUTPUTS["clean"], *told, "-o", "report.html"]))
    return tuple(lines)


def _options(stage: str, used: dict[str, Any]) -> list[str]:
    """Settings of a stage as they would be typed; what the footer does not say stays at its default."""
    parts: list[str] = []
    kind = settings.COMMANDS[stage]
    for field, option in settings.options(kind):
        key = field.name.rstrip("_")
        if not option.recorded or key not in used or used[key] == settings.json_value(field.default):
            continue
        value, flag = used[key], f"--{settings.option_name(field.name)}"
        if option.flag:
            parts += [flag] if value else []
        elif isinstance(value, dict):
            for name, one in sorted(value.items()):
                parts += [flag, shlex.quote(plain(f"{name}={one}", 200))]
        elif isinstance(value, list):
            parts += [flag, shlex.quote(plain(",".join(map(str, value)), 400))] if value else []
        elif value is not None:
            parts += [flag, shlex.quote(plain(value, 200))]
    seed = finite(used.get("seed"))
    return [*parts, "--seed", f"{seed:.0f}"] if seed is not None and seed != settings.CommonSettings().seed else parts
