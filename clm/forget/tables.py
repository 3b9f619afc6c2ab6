"""One Parquet table of clm without some customers: rows, books and ancestors, written through the one writer.

It may not decide which files there are. A table nothing has changed for is not written: its bytes stay.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from clm.forget.mentions import as_a_word, naming
from clm.outcome import money_text
from clm.report.words import LANGUAGES, load
from clm.stages.clean import forgotten
from clm.storage import files, publish
from clm.storage.facts import Facts
from clm.storage.publish import Output
from clm.tables import ALL, CUSTOMERS, LABELLED, LIST, REJECTS, TRANSACTIONS, Table
from clm.verify import books
from clm.verify import table as verifying

KEY = "customer_id"
# tables of numbers over customers: what they hold of somebody cannot be taken out of them
AGGREGATES = ("COHORTS", "BACKTEST", "METRICS")
_COUNTED = ("rows", "amount", "metrics", "warnings", "learned")
# settings in which somebody may have written an id
_WRITTEN_BY_HAND = ("rule", "review", "nobody", "map", "non_products", "where")


@dataclass(frozen=True)
class Held:
    """One of our tables, and what it holds of the customers: rows of theirs, the ids found, records that name one (`raw`).

    `named`: whether a row that stays names one; `nameless`: it has no ids, as a list may be asked for without.
    """

    path: Path
    facts: Facts
    sha256: str
    rows: int
    found: frozenset[str]
    raw: int = 0
    named: bool = False
    nameless: bool = False

    @property
    def any(self) -> bool:
        return bool(self.rows or self.raw)


def key_of(facts: Facts, schema: pl.Schema) -> str | None:
    """The column of ids; a labelled table keeps its own name for it, a list has it in its language."""
    if facts.table == LABELLED.name:
        return next(iter(schema.names()), None)
    called = [KEY, *(load(lang).name("column", KEY) for lang in LANGUAGES)] if facts.table == LIST.name else [KEY]
    return next((name for name in called if name in schema), None)


def own(names: Iterable[str], table: Table) -> list[str]:
    """Columns in which somebody's own words may stand: those that were carried along, names of products, places, e-mail.

    What the table's contract calls text is theirs, but for the sentences of a list, and raw rejects, which are looked into apart.
    """
    if table is LIST:
        ours = {column.name for column in (*LIST.columns, *CUSTOMERS.columns)}
    else:
        ours = {column.name for column in table.columns if column.unit != "text" or table is REJECTS}
    return [name for name in names if name not in ours]


def theirs(key: str, ids: frozenset[str]) -> pl.Expr:
    """Whether a row is about one of them."""
    return pl.col(key).cast(pl.String).is_in(pl.Series(sorted(ids), dtype=pl.String).implode()).fill_null(value=False)


def _rows(path: Path) -> pl.LazyFrame:
    """The rows of a table, all of them: its statistics may lie as well as anything else."""
    return pl.scan_parquet(path, glob=False, use_statistics=False)


def held(path: Path, facts: Facts, ids: frozenset[str]) -> Held | None:
    """What a table holds of them; None when it is not as it was written, cannot be read, is not one this clm could write, or
    its books are of other rows.
    """
    if not verifying.is_whole(path):
        return None
    try:
        wrong = not verifying.fits(path, facts) or any(books.faults(facts)) or any(books.against_rows(facts, _rows(path)))
        return None if wrong else _held(path, facts, ids)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _held(path: Path, facts: Facts, ids: frozenset[str]) -> Held:
    frame = _rows(path)
    schema = frame.collect_schema()
    found: frozenset[str] = frozenset()
    rows = raw = 0
    if (key := key_of(facts, schema)) is not None:
        counts = frame.filter(theirs(key, ids)).group_by(pl.col(key).cast(pl.String)).agg(pl.len()).collect(engine="streaming")
        found, rows = frozenset(counts[key].to_list()), int(counts["len"].sum())
    if facts.table == REJECTS.name and "raw" in schema:
        raw = int(naming(frame.select("raw").collect()["raw"], ids).sum())
    told = [name for name in own(schema, ALL[facts.table]) if name != key and schema[name] == pl.String]
    stay = frame.filter(~theirs(key, ids)) if key is not None else frame
    named = any(naming(stay.select(pl.col(name).unique()).collect(engine="streaming")[name], ids).any() for name in told)
    nameless = key is None and facts.table != REJECTS.name and facts.table not in AGGREGATES
    return Held(path, facts, files.sha256_of(path), rows, found, raw, named, nameless)


def settings_naming(tables: Iterable[Held], ids: frozenset[str]) -> list[str]:
    """Settings in the footers, as `stage.option`, in which one of them may be named: a rule about one customer, say."""
    found = set()
    for one in tables:
        for record in (one.facts.to_json(), *one.facts.ancestors):
            for option, value in (record.get("settings") or {}).items():
                text = unicodedata.normalize("NFC", json.dumps(value, ensure_ascii=False))
                if option in _WRITTEN_BY_HAND and any(as_a_word(one_id, text) for one_id in ids if one_id in text):
                    found.add(f"{record['stage']}.{option}")
    return sorted(found)


def without(one: Held, ids: frozenset[str], facts: Facts, folder: Path) -> Output:
    """Write the table into `folder` with these facts, without the rows of the customers and their records among the rejects."""
    frame = _rows(one.path)
    schema = frame.collect_schema()
    if (key := key_of(one.facts, schema)) is not None and one.rows:
        frame = frame.filter(~theirs(key, ids))
    if one.raw:
        rows = frame.collect()
        frame = rows.with_columns(raw=pl.when(~naming(rows["raw"], ids)).then(pl.col("raw"))).lazy()
    table = ALL[one.facts.table]
    return publish.publish(folder / one.path.name, lambda temporary: publish.write_table(frame, table, facts, temporary))


def log_facts(one: Held, ids: frozenset[str]) -> Facts:
    """The facts of TRANSACTIONS without the customers: as if their rows had never been in the log."""
    frame = _rows(one.path)
    told = one.facts.to_json()
    told |= forgotten.books(told, frame.filter(theirs(KEY, ids)))
    told |= forgotten.counts(told, frame.filter(~theirs(KEY, ids)))
    return replace(one.facts, rows=told["rows"], amount=told["amount"], metrics=told["metrics"], warnings=told["warnings"])


def loose_facts(one: Held, ids: frozenset[str]) -> Facts:
    """The facts of a table that is not made again: fewer rows, and none of the numbers that counted who is gone."""
    rows = one.facts.rows | {"out": one.facts.rows["out"] - one.rows}
    if one.facts.table == TRANSACTIONS.name:
        rows["in"] -= one.rows
    amount = None
    if one.facts.amount is not None and one.facts.table == CUSTOMERS.name:
        frame = _rows(one.path).filter(~theirs(KEY, ids))
        stay = money_text(frame.select(pl.col("spend").sum()).collect().item() or Decimal(0))
        amount = {"in": stay, "out": stay, "rejected": {}, "collapsed": {}}
    return replace(one.facts, rows=rows, amount=amount, metrics={}, learned=None, warnings=_with_notice(one.facts))


def _with_notice(facts: Facts) -> list[dict[str, str]]:
    others = [notice for notice in facts.warnings if notice["code"] != forgotten.NOTICE.code]
    return [*others, forgotten.NOTICE.to_json()]


def descended(one: Held, facts: Facts, replaced: Mapping[str, list[dict[str, Any]]]) -> Facts:
    """The facts with every ancestor that was written again as it is now; `replaced`: lineages, by the hash of the file that was.

    What is there now may be of another making: for another day, or put there after an interruption. It is no ancestor then; the
    one that was stays named, without its numbers, which counted who is gone. So do all others when customers are taken out of
    the table itself. Either way the table says that customers are gone.
    """
    found: list[dict[str, Any]] = []
    for record in facts.ancestors:
        *before, now = replaced.get(record["sha256"], [record])
        alike = all(now.get(name) == record.get(name) for name in ("table", "stage", "settings", "as_of"))
        whole = {other["sha256"] for other in before} <= {other["sha256"] for other in found}
        parts = any(part["sha256"] in replaced for part in record.get("parts", []))
        gone = parts or not (alike and whole) or (one.any and now is record)
        found.append({name: record[name] for name in record if name not in _COUNTED} if gone else now)
    if not one.any and found == facts.ancestors:
        return facts
    return replace(facts, rows=_handed(one, facts, found), ancestors=found, warnings=_with_notice(facts))


def _handed(one: Held, facts: Facts, ancestors: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows of the books. What came in counted them too: it is what the table before hands on now, where that is known."""
    if facts.table in (TRANSACTIONS.name, REJECTS.name):
        return facts.rows
    was, now = (known[-1].get("rows", {}).get("out") if known else None for known in (one.facts.ancestors, ancestors))
    known = now is not None and was == one.facts.rows["in"] and facts.stage not in books.PASSING
    rows = {name: number for name, number in facts.rows.items() if name != "after_as_of"}
    return rows | {"in": now if known else rows["out"]}
