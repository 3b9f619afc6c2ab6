"""One Parquet table of clm held against what it says of itself: footer, seal, pages, contract, order, books.

It may not look beyond the file (`chain` does), or stop at the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from clm.errors import DataError
from clm.outcome import counted
from clm.storage import contract, facts, files, seal
from clm.storage.examined import Examined, examine
from clm.storage.facts import Facts
from clm.tables import ALL, CUSTOMERS, REJECTS, TRANSACTIONS, Table
from clm.verify import books
from clm.verify.checks import Check, Checked

_IN_ORDER = (TRANSACTIONS.name, REJECTS.name)


def facts_of(path: Path) -> Facts | None:
    """The facts in a file, when it has some that can be read."""
    found = examine(path)
    try:
        return facts.parse(found.text, path.name) if found is not None and found.text is not None else None
    except DataError:
        return None


def is_whole(path: Path) -> bool:
    """Whether a table is, to the byte, the one that was sealed."""
    found = examine(path)
    return found is not None and found.text is not None and seal.kept(path, found.text) is True


def fits(path: Path, known: Facts) -> bool:
    """Whether a table is one this version of clm knows and could write, whatever its seal says."""
    found = examine(path)
    if found is None or _footer(known, Checked(path.name)).status != "ok":
        return False
    frame = pl.scan_parquet(path, glob=False, use_statistics=False)
    return not _broken_rule(frame, found.schema, ALL[known.table], known, path.name)


def checks(path: Path, checked: Checked) -> Iterator[Check]:
    """Every check the file allows by itself, in this order."""
    found = examine(path)
    if found is None:
        yield checked.wrong("file", "no Parquet file that can be opened: its end is missing or damaged")
        return
    known = None
    if found.text is None:
        yield checked.unknown("footer", "no clm footer: where its numbers come from cannot be known")
    else:
        try:
            known = facts.parse(found.text, path.name)
            yield _footer(known, checked)
        except DataError:
            yield checked.wrong("footer", "the clm footer is not what clm writes")
        yield _seal(path, found.text, checked)
    if files.damaged(path):
        yield checked.wrong("pages", "some cannot be read")
        return
    yield checked.ok("pages", f"{counted(found.rows, 'row')} of {counted(len(found.schema), 'column')} can be read")
    table = ALL.get(known.table) if known is not None else contract.resembled(found.schema)
    if table is None:
        yield checked.unknown("contract", "no table of clm has these columns: there is no rule to hold it against")
        return
    try:
        yield from _content(path, found, table, known, checked)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        yield checked.wrong("contract", "its rows cannot be worked with")


def _footer(known: Facts, checked: Checked) -> Check:
    table = ALL.get(known.table)
    if table is None:
        return checked.wrong("footer", f"clm has no table {known.table[:40]}")
    if known.schema > facts.SCHEMA or known.table_version > table.version:
        return checked.unknown("footer", f"written by clm {known.clm_version[:20]}, which is newer than this one")
    return checked.ok("footer", f"{known.table}, by `clm {known.stage[:40]}` of clm {known.clm_version[:20]}")


def _seal(path: Path, text: str, checked: Checked) -> Check:
    kept = seal.kept(path, text)
    if kept is None:
        return checked.wrong("seal", "the footer bears none: it was edited, or copied into another file")
    return checked.judged("seal", [] if kept else ["the file has changed since it was written"], "not a byte has changed")


def _content(path: Path, found: Examined, table: Table, known: Facts | None, checked: Checked) -> Iterator[Check]:
    # statistics may lie as well as anything else
    frame = pl.scan_parquet(path, glob=False, use_statistics=False)
    broken = _broken_rule(frame, found.schema, table, known, path.name)
    yield checked.judged("contract", broken, f"names, types and rules of {table.name}{' and its order' if table.key else ''}")
    if broken:
        return
    if table.name in _IN_ORDER:
        sources = sum("source" in one for one in known.ancestors) if known is not None else None
        yield _order(frame, found.schema, sources, checked)
    if known is None:
        return
    if table is CUSTOMERS:
        days = frame.select(pl.col("as_of").cast(pl.String).unique()).collect(engine="streaming")["as_of"].to_list()
        faults = [] if days in ([], [known.as_of]) else ["the column as_of holds another day than the footer"]
        yield checked.judged("as_of", faults, f"{known.as_of}, in footer and rows")
    faults = list(books.faults(known))
    faults = faults or list(books.against_rows(known, frame))
    yield checked.judged("books", faults, "" if faults else _told(known))


def _broken_rule(frame: pl.LazyFrame, schema: pl.Schema, table: Table, known: Facts | None, name: str) -> list[str]:
    try:
        contract.check_schema(schema, table, _needed(table, known), name)
        contract.check_data(frame, table, name)
    except DataError as error:
        return [error.what]
    return []


def _needed(table: Table, known: Facts | None) -> list[str]:
    """Columns the file must have: of CUSTOMERS those of the stages it went through."""
    if table is CUSTOMERS:
        went = [one.get("stage") for one in known.ancestors if one.get("table") == table.name] if known is not None else []
        stages = {str(stage) for stage in (*went, known.stage if known is not None else "rfm")}
        return [*table.key, *(name for name in table.needed(*sorted(stages)) if name not in table.key)]
    return [column.name for column in table.columns if not column.optional]


def _order(frame: pl.LazyFrame, schema: pl.Schema, sources: int | None, checked: Checked) -> Check:
    """Lines ascend within a source, and one source follows another."""
    line = pl.col("source_line")
    back = line <= line.shift(1)
    if "source_file" in schema:
        back = back & (pl.col("source_file") == pl.col("source_file").shift(1))
    backwards = frame.select(back.fill_null(value=False).cast(pl.Int64).sum()).collect(engine="streaming").item()
    if backwards == 0:
        return checked.ok("order", "rows follow the lines of their source")
    if sources is None or backwards < sources:  # two sources of one name
        return checked.unknown("order", "the lines begin again where a source of the same name may begin")
    return checked.wrong("order", f"{counted(backwards, 'row')} out of the order of the source")


def _told(known: Facts) -> str:
    rows, money = known.rows, " and money" if known.amount is not None else ""
    if known.table in _IN_ORDER:
        left = sum(sum(rows.get(part, {}).values()) for part in ("rejected", "collapsed"))
        return f"{rows['in']:,} rows = {rows['out']:,} kept + {left:,} left out; the file holds its rows{money}"
    return f"{counted(rows['out'], 'row')}{money}: the file says what its footer says"
