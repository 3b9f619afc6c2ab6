"""run.json: what a run did, stage by stage, and from what each file was made. The only file with a clock.

It may not decide anything: the pipeline reads it to know what is stale, people and scripts to know what happened.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clm import __version__, shapes, strict_json
from clm.inert import json_text
from clm.storage import publish

NAME = "run.json"
_SCHEMA = 1
_DEEPEST = 40
_LONGEST_WORD, _LONGEST_NAME = 40, 255


@dataclass(frozen=True)
class Entry:
    """One stage in run.json. `status`: made, fresh (nothing changed), skipped (not possible with this data), failed.

    `made_from` is what decides whether it is stale: hashes of the inputs, settings, versions.
    """

    stage: str
    status: str
    reason: str
    seconds: float = 0.0
    rows: dict[str, Any] = field(default_factory=dict)
    amount: dict[str, Any] | None = None
    warnings: list[dict[str, str]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    made_from: dict[str, Any] | None = None
    closing: str = ""

    def to_json(self) -> dict[str, Any]:
        record = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "closing"}
        return {key: value for key, value in record.items() if value is not None}


@dataclass(frozen=True)
class Record:
    """run.json: the only file with a clock. Its `rows` and `amount` are those of `clean`, where the books are kept."""

    started: str
    finished: str | None = None
    as_of: str | None = None
    status: str = "running"
    exit_code: int | None = None
    stages: tuple[Entry, ...] = ()

    def to_json(self) -> dict[str, Any]:
        head = {"schema": _SCHEMA, "clm_version": __version__}
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "stages"}
        cleaned = self.entry("clean")
        books = {"rows": cleaned.rows, "amount": cleaned.amount} if cleaned is not None and cleaned.rows else {}
        books = {key: value for key, value in books.items() if value is not None}
        return head | own | books | {"stages": [entry.to_json() for entry in self.stages]}

    def entry(self, stage: str) -> Entry | None:
        return next((entry for entry in self.stages if entry.stage == stage), None)

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of every output, by its path in the folder."""
        return {str(one["path"]): str(one["sha256"]) for entry in self.stages for one in entry.outputs}

    @property
    def idle(self) -> bool:
        return all(entry.status == "fresh" for entry in self.stages)


def read(folder: Path) -> Record | None:
    """The record of the last run, or None when there is none that can be read: then everything is made again."""
    try:
        given = strict_json.loads((folder / NAME).read_bytes())
        if strict_json.fault(given, _DEEPEST) or not _RECORD(given):
            return None
        known = {one.name: given[one.name] for one in fields(Record) if one.name in given}
        found = Record(**known | {"stages": tuple(Entry(**entry) for entry in given["stages"])})
    except (OSError, ValueError, TypeError):
        return None
    # every run begins with it
    return found if found.entry("clean") is not None else None


def _word(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_WORD


def _in_folder(value: Any) -> bool:
    """Whether a value can be the name of a file in the folder."""
    if not isinstance(value, str) or value in ("", "..") or "\0" in value:
        return False
    return value == Path(value).name and len(os.fsencode(value)) <= _LONGEST_NAME


def _reads_folder(value: Any) -> bool:
    """Inputs of `clean` have names as they were given, those of every later stage lie in the folder."""
    return value["stage"] == "clean" or all(map(_in_folder, (value.get("made_from") or {}).get("inputs", {})))


_OUTPUT = shapes.record_of(
    {"path": _in_folder, "sha256": shapes.text, "rows": shapes.or_none(shapes.count)}, "path", "sha256", "rows"
)
_ENTRY = shapes.record_of(
    {
        "stage": _word,
        "status": _word,
        "reason": shapes.text,
        "seconds": shapes.number,
        "rows": shapes.record,
        "amount": shapes.or_none(shapes.record),
        "warnings": shapes.notices,
        "outputs": shapes.list_of(_OUTPUT),
        "made_from": shapes.or_none(shapes.record_of({"inputs": shapes.by_name(shapes.text), "settings": shapes.record})),
    },
    "stage",
)
_RECORD = shapes.record_of(
    {
        "started": shapes.text,
        "finished": shapes.or_none(shapes.text),
        "as_of": strict_json.day_or_none,
        "status": _word,
        "exit_code": shapes.or_none(shapes.count),
        "stages": shapes.list_of(lambda value: _ENTRY(value) and _reads_folder(value)),
    },
    "stages",
)


def write(folder: Path, record: Record, before: Record | None) -> None:
    """Write run.json. What is known of stages not reached yet stays known: the next run need not make them for nothing."""
    reached = {entry.stage for entry in record.stages}
    waiting = (
        [replace(one, status="skipped", reason="not reached") for one in before.stages if one.stage not in reached]
        if before
        else []
    )
    text = json_text(replace(record, stages=(*record.stages, *waiting)).to_json(), indent=1)
    publish.publish_bytes(folder / NAME, text.encode() + b"\n")


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
