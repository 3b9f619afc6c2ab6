"""One Parquet table of clm without some customers: rows, books and ancestors, written through the one writer.

It may not decide which files there are. A table nothing has changed for is not written: its bytes stay.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from clm.outcome import money_text
from clm.stages.clean import forgotten
from clm.storage import files, publish
from clm.storage.facts import Facts
from clm.storage.publish import Output
from clm.tables import ALL, CUSTOMERS, LABELLED, REJECTS

KEY = "customer_id"
# tables of numbers over customers: what they hold of somebody cannot be taken out of them
AGGREGATES = ("COHORTS", "BACKTEST", "METRICS")
_PASSING = ("segment", "clv", "churn")
_COUNTED = ("rows", "amount", "metrics", "warnings", "learned")
# settings in which somebody may have written an id
_WRITTEN_BY_HAND = ("rule", "review", "nobody", "map", "non_products")


@dataclass(frozen=True)
class Held:
    """One of our tables, and what it holds of the customers: rows of theirs, the ids found, records that name one (`raw`)."""

    path: Path
    facts: Facts
    sha256: str
    rows: int
    found: frozenset[str]
    raw: int = 0

    @property
    def any(self) -> bool:
        return bool(self.rows or self.raw)


def key_of(facts: Facts, schema: pl.Schema) -> str | None:
    """The column of ids; a labelled table keeps its own name for it."""
    name = schema.names()[0] if facts.table == LABELLED.name else KEY
    return name if schema.get(name) == pl.String else None


def theirs(key: str, ids: frozenset[str]) -> pl.Expr:
    """Whether a row is about one of them."""
    return pl.col(key).is_in(pl.Series(sorted(ids), dtype=pl.String).implode()).fill_null(value=False)


def held(path: Path, facts: Facts, ids: frozenset[str]) -> Held:
    """What a table holds of them."""
    frame = pl.scan_parquet(path, glob=False)
    schema = frame.collect_schema()
    found: frozenset[str] = frozenset()
    rows = raw = 0
    if (key := key_of(facts, schema)) is not None:
        counts = frame.filter(theirs(key, ids)).group_by(key).agg(pl.len()).collect(engine="streaming")
        found, rows = frozenset(counts[key].to_list()), int(counts["len"].sum())
    if facts.table == REJECTS.name and "raw" in schema:
        raw = int(naming(frame.select("raw").collect()["raw"], ids).sum())
    return Held(path, facts, files.sha256_of(path), rows, found, raw)


def naming(raw: pl.Series, ids: frozenset[str]) -> pl.Series:
    """Whether each raw record names one of them, as a word of its own: 12 is not in 1234.

    A record is not cut into cells again: that, or what is in them, is what went wrong with it.
    """
    text = raw.str.normalize("NFC").fill_null("")
    inside = text.str.extract_many(sorted(ids), overlapping=True) if ids else None
    if inside is None:
        return pl.Series([False] * len(raw), dtype=pl.Boolean)
    named = [any(_as_a_word(one, record) for one in set(hits)) for record, hits in zip(text, inside, strict=True)]
    return pl.Series(named, dtype=pl.Boolean)


def _as_a_word(text: str, record: str) -> bool:
    return re.search(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])", record) is not None


def settings_naming(tables: Iterable[Held], ids: frozenset[str]) -> list[str]:
    """Settings in the footers, as `stage.option`, in which one of them may be named: a rule about one customer, say."""
    found = set()
    for one in tables:
        for record in (one.facts.to_json(), *one.facts.ancestors):
            for option, value in (record.get("settings") or {}).items():
                text = unicodedata.normalize("NFC", json.dumps(value, ensure_ascii=False))
                if option in _WRITTEN_BY_HAND and any(_as_a_word(one_id, text) for one_id in ids if one_id in text):
                    found.add(f"{record['stage']}.{option}")
    return sorted(found)


def without(one: Held, ids: frozenset[str], facts: Facts) -> Output:
    """Write the table again with these facts and without the rows of the customers, and their records among the rejects."""
    frame = pl.scan_parquet(one.path, glob=False)
    schema = frame.collect_schema()
    if (key := key_of(one.facts, schema)) is not None and one.rows:
        frame = frame.filter(~theirs(key, ids))
    if one.raw:
        rows = frame.collect()
        frame = rows.with_columns(raw=pl.when(~naming(rows["raw"], ids)).then(pl.col("raw"))).lazy()
    table = ALL[one.facts.table]
    return publish.publish(one.path, lambda temporary: publish.write_table(frame, table, facts, temporary))


def log_facts(one: Held, ids: frozenset[str]) -> Facts:
    """The facts of TRANSACTIONS without the customers: as if their rows had never been in the log."""
    frame = pl.scan_parquet(one.path, glob=False)
    told = one.facts.to_json()
    told |= forgotten.books(told, frame.filter(theirs(KEY, ids)))
    told |= forgotten.counts(told, frame.filter(~theirs(KEY, ids)))
    return replace(one.facts, rows=told["rows"], amount=told["amount"], metrics=told["metrics"], warnings=told["warnings"])


def loose_facts(one: Held, ids: frozenset[str]) -> Facts:
    """The facts of a table that is not made again: fewer rows, and none of the numbers that counted who is gone."""
    rows = dict(one.facts.rows)
    if isinstance(rows.get("out"), int):
        rows["out"] -= one.rows
    if one.facts.table == CUSTOMERS.name and one.facts.stage in _PASSING and isinstance(rows.get("in"), int):
        rows["in"] -= one.rows
    amount = None
    if one.facts.amount is not None and one.facts.table == CUSTOMERS.name:
        frame = pl.scan_parquet(one.path, glob=False).filter(~theirs(KEY, ids))
        stay = money_text(frame.select(pl.col("spend").sum()).collect().item() or Decimal(0))
        amount = {"in": stay, "out": stay, "rejected": {}, "collapsed": {}}
    return replace(one.facts, rows=rows, amount=amount, metrics={}, warnings=_with_notice(one.facts))


def _with_notice(facts: Facts) -> list[dict[str, str]]:
    others = [notice for notice in facts.warnings if notice["code"] != forgotten.NOTICE.code]
    return [*others, forgotten.NOTICE.to_json()]


def descended(facts: Facts, replaced: Mapping[str, list[dict[str, Any]]]) -> Facts:
    """The facts with every ancestor that was written again as it is now; `replaced`: lineages, by the hash of the file that was.

    What is there now may be of another making: for another day, or put there after an interruption. It is no ancestor then; the
    one that was stays named, without its numbers, which counted who is gone. Either way the table says that customers are gone.
    """
    found: list[dict[str, Any]] = []
    for record in facts.ancestors:
        if any(part["sha256"] in replaced for part in record.get("parts", [])):
            found.append({name: record[name] for name in record if name not in _COUNTED})
            continue
        *before, now = replaced.get(record["sha256"], [record])
        alike = all(now.get(name) == record.get(name) for name in ("table", "stage", "settings", "as_of"))
        whole = {one["sha256"] for one in before} <= {one["sha256"] for one in found}
        found.append(now if alike and whole else {name: record[name] for name in record if name not in _COUNTED})
    if found == facts.ancestors:
        return facts
    return replace(facts, ancestors=found, warnings=_with_notice(facts))
