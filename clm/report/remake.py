"""The commands that make the report again, with the settings of the footers, and which panel each of them makes.

It may not judge or compute. Footers hold no paths: a source has its own name, every other file a name of its kind. What it writes
is safe to paste into a shell.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from clm import settings
from clm.report.cohort_panel import length_of
from clm.report.footer_numbers import stage_facts
from clm.report.numbers import Numbers, finite
from clm.report.words import plain

ORDERS, EARLIER = "clean.parquet", "earlier.parquet"
_OUTPUTS = {
    "clean": ORDERS,
    "rfm": "rfm.parquet",
    "segment": "segments.parquet",
    "clv": "clv.parquet",
    "churn": "customers.parquet",
}
# files a footer knows by their hash alone
_FILES = {
    "cuts": "cuts.toml",
    "tiers": "tiers.toml",
    "previous": EARLIER,
    "attributes": "attributes.csv",
    "costs": "costs.csv",
    "model": "model.json",
    "key_id": "key",
}
_OPTIONS = {"key_id": "key-file"}
_HASHED = "sha256:"
PANELS = {
    "clean": ("quality",),
    "rfm": ("rfm_grid",),
    "segment": ("segments", "tiers", "lifecycle", "portfolio"),
    "clv": ("clv", "costs", "backtest", "alive"),
    "churn": ("survival", "churn"),
    "cohort": ("cohorts",),
    "migrate": ("migration",),
    "report": ("overview", "revenue", "assumptions"),
}


@dataclass(frozen=True)
class Made:
    """A command line, and the panels whose numbers it makes."""

    line: str
    panels: tuple[str, ...]


def commands(facts: dict[str, Any], numbers: Numbers, lang: str) -> tuple[Made, ...]:
    """One command per stage the footers know, then the tables of cohorts and of who moved where the report has them, then itself.

    Every setting that is not the default is written; the report is made in the language `lang`.
    """
    lines, last = _stages(facts)
    if not lines:
        return ()
    found = [Made(line, PANELS[stage]) for stage, line in lines.items()]
    names, moved = numbers.groups("cohorts", ("customers",)), numbers.rows("migration", "customers")
    if names:
        period = ["--period", length_of(names[0])]
        day = ["--as-of", str(numbers.as_of)]
        found.append(Made(_line("cohort", [ORDERS], [*period, *day], "cohorts.parquet"), PANELS["cohort"]))
    if moved:
        found.append(Made(_line("migrate", [EARLIER, last], [], "moves.parquet"), PANELS["migrate"]))
    options = ["--orders", ORDERS] if names or numbers.rows("revenue", "month_complete") else []
    options += ["--previous", EARLIER] if moved else []
    usual, least = settings.ReportSettings(), numbers.value("privacy", "min_cell")
    options += [] if least in (None, usual.min_cell) else ["--min-cell", f"{least:.0f}"]
    options += [] if lang == usual.lang else ["--lang", lang]
    return (*found, Made(_line("report", [last], options, "report.html"), PANELS["report"]))


def _stages(facts: dict[str, Any]) -> tuple[dict[str, str], str]:
    """The command of each stage, every one reading what the one before wrote; and the table the last one wrote."""
    ancestors = facts.get("ancestors")
    named = [one for one in ancestors if isinstance(one, dict)] if isinstance(ancestors, list) else []
    files = [plain(one["source"], 120) for one in named if isinstance(one.get("source"), str)]
    before = [shlex.quote(name if not name.startswith("-") else f"./{name}") for name in files]
    lines: dict[str, str] = {}
    for stage, output in _OUTPUTS.items():
        made = stage_facts(facts, stage)
        if not made:
            continue
        options = _options(stage, made["settings"])
        options += ["--orders", ORDERS] if stage in ("clv", "churn") else []
        lines[stage] = _line(stage, before or ["orders.csv"], options, output)
        before = [output]
    return lines, before[0] if before else ""


def _line(command: str, inputs: list[str], options: list[str], output: str) -> str:
    return " ".join(["clm", command, *inputs, *options, "-o", output])


def _options(stage: str, used: dict[str, Any]) -> list[str]:
    """Settings of a stage as they would be typed; what the footer does not say stays at its default."""
    parts: list[str] = []
    for field, option in settings.options(settings.COMMANDS[stage]):
        key = field.name.rstrip("_")
        if not option.recorded or key not in used or used[key] == settings.json_value(field.default):
            continue
        value, flag = used[key], f"--{settings.option_name(field.name)}"
        if isinstance(value, str) and value.startswith(_HASHED):
            value = f"{key}.toml"
        if option.flag:
            parts += [flag] if value else []
            continue
        texts = [f"{name}={one}" for name, one in sorted(value.items())] if isinstance(value, dict) else value
        if not isinstance(texts, list):
            texts = [] if texts is None else [texts]
        elif texts and not option.repeat and not isinstance(value, dict):
            texts = [",".join(map(str, texts))]
        elif isinstance(value, dict) and not option.repeat:
            texts = [",".join(texts)]
        for text in texts:
            parts += [flag, shlex.quote(plain(text, 400))]
    for key, name in _FILES.items():
        if used.get(key):
            parts += [f"--{_OPTIONS.get(key, key)}", name]
    seed = finite(used.get("seed"))
    return [*parts, "--seed", f"{seed:.0f}"] if seed is not None and seed != settings.CommonSettings().seed else parts
