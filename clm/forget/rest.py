"""What the run's later stages make of the log that is left: under the settings the run had, as run.json holds them.

It may not guess: settings of which run.json holds only a hash (files of rules, models, earlier days) must be given again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

from clm import pipeline
from clm import record as record_file
from clm.errors import ClmError, ConfigError
from clm.outcome import Notice
from clm.pipeline import Plan
from clm.record import Entry, Record
from clm.settings import STAGES, option_name, options

_HASHED = "sha256:"
_LATER = tuple(stage for stage in STAGES if stage != "clean")


def as_recorded(plan: Plan, record: Record) -> Plan:
    """The plan with every setting run.json holds; what it holds a hash of stays as the plan has it."""
    settings = dict(plan.settings)
    common = plan.common
    for stage in _LATER:
        told = _told(record, stage)
        settings[stage] = replace(settings[stage], **dict(_parsed(settings[stage], told)))
        if isinstance(told.get("seed"), int):
            common = replace(common, seed=told["seed"])
    return replace(plan, settings=settings, common=common)


def made(plan: Plan, record: Record, cleaned: Entry, say: Callable[[str], None]) -> list[Entry]:
    """The later stages and run.json, in the plan's folder, where the log lies already.

    Raises the error of the stage that can make nothing of this log.
    """
    record_file.write(plan.folder, record, None)
    entries: list[Entry] = []
    stage = ""

    def begin(name: str, reason: str) -> None:
        nonlocal stage
        stage = name
        say(f"{name}: {reason}")

    try:
        pipeline.rest(plan, cleaned, begin, entries.append)
    except ClmError as error:
        error.what = f"without them {stage or 'the rest'} cannot be made: {error.what}"
        raise
    return entries


def _told(record: Record, stage: str) -> dict[str, Any]:
    entry = record.entry(stage)
    found = (entry.made_from or {}).get("settings", {}) if entry is not None else {}
    return found if isinstance(found, dict) else {}


def _parsed(settings: Any, told: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    defaults = {one.name: one.default for one in fields(settings)}
    for one, option in options(type(settings)):
        name = one.name.rstrip("_")
        if not option.recorded or name not in told or str(told[name]).startswith(_HASHED):
            continue
        try:
            yield one.name, defaults[one.name] if told[name] is None else option.parse(told[name])
        except ValueError:
            raise ConfigError(
                f"run.json holds no usable {name}", where=str(name), fix="make the folder anew with `clm run --force`"
            ) from None


def differences(plan: Plan, record: Record) -> list[Notice]:
    """Settings that are not the run's: a file that has changed since, told. Raises ConfigError (78) for one that is missing."""
    found = []
    for stage in plan.stages:
        told = _told(record, stage)
        if stage == "clean" or not told:
            continue
        now = pipeline.settings_of(stage, plan)
        for name, value in told.items():
            if value is not None and now.get(name) is None:
                raise ConfigError(
                    f"the run was made with --{option_name(name)} for {stage}, and nothing says so here",
                    where=f"{plan.folder}, {stage}",
                    fix="call it where `clm run` is called, with its clm.toml, --previous and --model",
                    code="setting_missing",
                )
            if value != now.get(name):
                found.append(Notice("setting_changed", f"{stage}: {option_name(name)} is another than the run had; it is taken"))
        recorded = {one.name.rstrip("_") for one, option in options(type(plan.settings[stage])) if option.recorded}
        new = [name for name in now if name not in told and name not in recorded and now[name] is not None]
        found += [Notice("setting_changed", f"{stage}: {option_name(name)} is new since the run; it is taken") for name in new]
    return found
