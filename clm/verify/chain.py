"""The ancestors in a footer: whether the chain is whole and of one piece, and whether files that are there are those it names.

It may not judge rows. An ancestor is known by its hash alone; what is not there cannot be held against anything, and is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from clm.outcome import counted
from clm.storage.facts import Facts
from clm.tables import ALL, CUSTOMERS, TRANSACTIONS
from clm.verify import books
from clm.verify.checks import Check, Checked
from clm.verify.there import There

_HASH = re.compile(r"[0-9a-f]{64}")
_MANY = re.compile(r"\d+ files")
# the table a stage's own input is of, where it must have one
_READS = {
    "rfm": TRANSACTIONS.name,
    "cohort": TRANSACTIONS.name,
    "segment": CUSTOMERS.name,
    "clv": CUSTOMERS.name,
    "report": CUSTOMERS.name,
    "migrate": CUSTOMERS.name,
    "list": CUSTOMERS.name,
}
# what stays the same from the log to the last table
_KEPT = ("currency", "zone")


def checks(facts: Facts, there: There, checked: Checked) -> Iterator[Check]:
    """The chain by itself, its books, then each ancestor against what is there."""
    tables = [one for one in facts.ancestors if "source" not in one]
    foreign = [one for one in tables if one.get("table") is None]
    known = [one for one in tables if one.get("table") is not None]
    sources = [one for one in facts.ancestors if "source" in one]
    told = f"{counted(len(sources), 'source')}, {counted(len(tables), 'earlier table')}"
    if not facts.ancestors:
        yield checked.unknown("ancestors", "the footer names none: the table was made of something that cannot be known")
    else:
        yield checked.judged("ancestors", list(_faults(facts, sources, known)), told)
        if foreign:
            yield checked.unknown("ancestors", f"{counted(len(foreign), 'ancestor')} without a clm footer: its own are not known")
    if known:
        yield checked.judged("chain", list(_disagreements(facts, known)), _versions(facts, known))
    if tables and len(known) == len(tables):
        yield from _against_there(tables, there, checked)
    yield from _sources(sources, there, checked)


def _faults(facts: Facts, sources: Sequence[dict[str, Any]], known: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What makes the list itself impossible."""
    hashes = [one["sha256"] for one in facts.ancestors]
    if not all(_HASH.fullmatch(one) for one in hashes):
        yield "an ancestor has no SHA-256"
    if len(set(hashes)) < len(hashes):
        yield "an ancestor is named twice"
    if not sources and all(one.get("table") is not None for one in facts.ancestors):
        yield "no source is named"
    steps = [*known, facts.to_json()]
    for number, one in enumerate(steps):
        reads = _READS.get(one["stage"])
        complete = len(known) == len(facts.ancestors) - len(sources)
        if complete and reads is not None and not any(before["table"] == reads for before in steps[:number]):
            yield f"{one['stage'][:40]} reads a {reads} table, and no earlier one is named"
        if one["table"] not in ALL:
            yield f"an ancestor is of a table clm does not know: {one['table'][:40]}"
        if not isinstance(one.get("table_version"), int):
            yield f"the version of the {one['table'][:40]} table is not named"


def _disagreements(facts: Facts, known: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What two stages of one chain cannot both say."""
    for name in _KEPT:
        if len({one.get(name) for one in (*known, facts.to_json()) if one.get(name) is not None}) > 1:
            yield f"the {name} changes on the way"
    keys = {one["settings"].get("key_id") for one in known if one["stage"] == "clean"}
    if len(keys) > 1:
        yield "the logs were pseudonymised under different keys"
    for one in known:
        if one.get("table_version", 0) > (ALL[one["table"]].version if one["table"] in ALL else 0):
            yield f"the {one['table'][:40]} table before it was written by a newer clm"
    if facts.table == CUSTOMERS.name:
        days = {one.get("as_of") for one in (*known, facts.to_json()) if one["table"] == CUSTOMERS.name}
        if len(days) > 1:
            yield "as_of changes on the way"
    before = _before(facts, known)
    # customers taken out of a table later are missing from it, and not from what it was made of
    if before is not None and not any(notice["code"] == "forgotten" for notice in facts.warnings):
        yield from books.against_before(facts, before)


def _before(facts: Facts, known: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The stage before, where it is certain: the only log of `rfm`, the newest table of a customer stage."""
    if facts.stage == "rfm":
        logs = [one for one in known if one["table"] == TRANSACTIONS.name]
        return logs[0] if len(logs) == 1 else None
    if facts.table == CUSTOMERS.name:
        return next((one for one in reversed(known) if one["table"] == CUSTOMERS.name), None)
    return None


def _versions(facts: Facts, known: Sequence[dict[str, Any]]) -> str:
    versions = sorted({str(one.get("clm_version"))[:20] for one in (*known, facts.to_json())})
    stages = " → ".join(one["stage"][:20] for one in (*known, facts.to_json()))
    return f"{stages}, by clm {', '.join(versions)}; one currency, zone, key; books meet"


def _against_there(tables: Sequence[dict[str, Any]], there: There, checked: Checked) -> Iterator[Check]:
    lacking = [one for one in tables if not all(_has(there, part) for part in one.get("parts", [one]))]
    found = len(tables) - len(lacking)
    if found:
        yield checked.ok("tables", f"{counted(found, 'earlier table')} found, byte for byte")
    if lacking:
        stages = ", ".join(dict.fromkeys(str(one.get("stage"))[:40] for one in lacking))
        yield checked.unknown("tables", f"not here to compare: what {stages} made (--inputs DIR names a folder that has it)")


def _has(there: There, table: dict[str, Any]) -> bool:
    return there.has_all(table) if _MANY.fullmatch(table.get("source", "")) else there.has_table(table["sha256"])


def _sources(sources: Sequence[dict[str, Any]], there: There, checked: Checked) -> Iterator[Check]:
    lacking = []
    for one in sources:
        same_name, called = there.named(one["source"]), one["source"][:80]
        if any(path.stat().st_size == one["bytes"] and there.sha256(path) == one["sha256"] for path in same_name):
            yield checked.ok("source", f"{called} is unchanged")
        elif _MANY.fullmatch(one["source"]) and there.has_all(one):
            yield checked.ok("source", f"{called} are unchanged")
        elif same_name:
            yield checked.wrong("source", f"{called} is another file than the one the table was made from")
        else:
            lacking.append(called)
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        hint = (
            "known by one hash: --inputs DIR names a folder of them alone"
            if _MANY.fullmatch(lacking[0])
            else "--inputs DIR names its folder"
        )
        yield checked.unknown("source", f"not here to compare: {lacking[0]}{more} ({hint})")
