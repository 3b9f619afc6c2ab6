"""The facts that travel in a file's footer: what made it, with which settings, what it counted, and from whom it descends.

It may not hold a clock, a host, a path or a personal value: a pipe and a file must give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from clm import __version__, shapes, strict_json
from clm.errors import DataError
from clm.outcome import Outcome
from clm.shapes import Shape
from clm.tables import Table

KEY = "clm"
SCHEMA = 1
_MANY_SOURCES = 50
_DEEPEST = 40
_LONGEST_KEY = 64
_MONEY = re.compile(r"-?[0-9]{1,50}\.[0-9]{4}")


@dataclass(frozen=True)
class Facts:
    """One file's facts; `ancestors` are the same records of every earlier table and source, oldest first, without repeats."""

    table: str
    table_version: int
    stage: str
    settings: dict[str, Any]
    rows: dict[str, Any]
    as_of: str | None = None
    currency: str | None = None
    zone: str | None = None
    amount: dict[str, Any] | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)
    learned: dict[str, Any] | None = None
    ancestors: list[dict[str, Any]] = field(default_factory=list)
    clm_version: str = __version__
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        record = {
            "schema": self.schema,
            "table": self.table,
            "table_version": self.table_version,
            "clm_version": self.clm_version,
            "stage": self.stage,
            "settings": self.settings,
            "as_of": self.as_of,
            "currency": self.currency,
            "zone": self.zone,
            "rows": self.rows,
            "amount": self.amount,
            "metrics": self.metrics,
            "warnings": self.warnings,
            "learned": self.learned,
            "ancestors": self.ancestors,
        }
        return {key: value for key, value in record.items() if value is not None or key not in ("amount", "learned")}

    def to_text(self) -> str:
        return json.dumps(self.to_json(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def of_outcome(outcome: Outcome, table: Table, stage: str, settings: dict[str, Any], lineage: Iterable[dict[str, Any]]) -> Facts:
    """The facts of the file an outcome will be written to; `lineage` as `merge` gives it."""
    return Facts(
        table=table.name,
        table_version=table.version,
        stage=stage,
        settings=settings,
        as_of=outcome.as_of.isoformat() if isinstance(outcome.as_of, date) else None,
        currency=outcome.currency,
        zone=outcome.zone,
        rows=outcome.rows.to_json(),
        amount=outcome.amount.to_json() if outcome.amount is not None else None,
        metrics=outcome.metrics,
        warnings=[notice.to_json() for notice in outcome.warnings],
        learned=outcome.learned,
        ancestors=list(lineage),
    )


def parse(text: str, name: str) -> Facts:
    """The facts in a footer's text. Raises DataError when they are not clm's: whoever reads them may rely on their types.

    Books are there, whole and of numbers a sum can hold; whether they add up is not asked here.
    """
    try:
        record = strict_json.loads(text)
        known = {key: record[key] for key in Facts.__dataclass_fields__ if key in record}
        facts = Facts(**known)
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(name) from error
    if strict_json.fault(record, _DEEPEST) or not _FACTS(known) or not all(_ancestor(one) for one in facts.ancestors):
        raise _damaged(name)
    return facts


def _damaged(name: str) -> DataError:
    return DataError(f"the clm footer of {name} is damaged", fix="make the file again", code="footer")


def _ancestor(record: Any) -> bool:
    """Whether a record is a source's or an earlier table's; of a table in `parts` these are as sources are."""
    if not isinstance(record, dict) or not isinstance(record.get("sha256"), str):
        return False
    parts = record.get("parts", [])
    if not isinstance(parts, list) or not all(isinstance(one, dict) and "source" in one and _ancestor(one) for one in parts):
        return False
    if "source" in record:
        return set(record) <= _OF_SOURCE and isinstance(record["source"], str) and shapes.count(record.get("bytes"))
    if record.get("table") is None:
        return set(record) <= _OF_UNKNOWN
    return {"table", "stage", "settings"} <= set(record) and _FACTS(record)


# all that is known of a source, and of a table without a footer
_OF_SOURCE = {"source", "bytes", "sha256", "parts"}
_OF_UNKNOWN = {"table", "bytes", "sha256", "parts"}


def _money(value: Any) -> bool:
    return isinstance(value, str) and bool(_MONEY.fullmatch(value))


def _key(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST_KEY


def _books_of(number: Shape) -> Shape:
    """What `outcome.Rows` or `outcome.Amount` writes."""
    codes = shapes.by_name(number)
    entries = {"in": number, "out": number, "rejected": codes, "collapsed": codes, "after_as_of": shapes.or_none(number)}
    return shapes.record_of(entries, "in", "out")


# of settings and metrics what is read again
_SETTINGS = {
    "key_id": shapes.or_none(_key),
    "pseudonymise": shapes.or_none(shapes.list_of(shapes.text)),
    "bins": shapes.or_none(shapes.count),
}
_METRICS = {"flags": shapes.record, "horizon": shapes.record}
# every fact there is; an ancestor may have lost its books
_FACTS = shapes.record_of({
    "schema": shapes.count,
    "table": shapes.text,
    "table_version": shapes.count,
    "clm_version": shapes.text,
    "stage": shapes.text,
    "settings": shapes.record_of(_SETTINGS),
    "as_of": strict_json.day_or_none,
    "currency": shapes.or_none(shapes.text),
    "zone": shapes.or_none(shapes.text),
    "rows": _books_of(shapes.count),
    "amount": shapes.or_none(_books_of(_money)),
    "metrics": shapes.record_of(_METRICS),
    "warnings": shapes.notices,
    "learned": shapes.or_none(shapes.record),
    "ancestors": shapes.list_of(shapes.record),
})  # fmt: skip


def source(name: str, size: int, sha256: str) -> dict[str, Any]:
    """A foreign file as an ancestor: base name, bytes, hash."""
    return {"source": name, "bytes": size, "sha256": sha256}


def lineage_of(facts: Facts | None, size: int, sha256: str) -> list[dict[str, Any]]:
    """A table's own ancestors and, last, the table itself, known by its hash alone."""
    if facts is None:
        return [{"table": None, "bytes": size, "sha256": sha256}]
    own = {key: value for key, value in facts.to_json().items() if key != "ancestors"}
    return [*facts.ancestors, own | {"sha256": sha256}]


def merge(lineages: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Several parents' lineages as one: oldest first, each hash once."""
    seen: dict[str, dict[str, Any]] = {}
    for lineage in lineages:
        for record in lineage:
            seen.setdefault(str(record.get("sha256")), record)
    return list(seen.values())


def sources(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sources of `clean`; above 50 files one entry with their number and the hash of the sorted list."""
    if len(entries) <= _MANY_SOURCES:
        return entries
    return [together(entries)]


def together(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Many files as one entry: their number, their bytes and the hash of the sorted list of their hashes and names."""
    import hashlib

    listed = "\n".join(sorted(f"{entry['sha256']} {entry['source']}" for entry in entries))
    total = sum(int(entry["bytes"]) for entry in entries)
    return source(f"{len(entries)} files", total, hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest())
