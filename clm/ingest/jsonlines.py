"""JSON, one object a line, one list of objects or one object around such a list, as the batches structure makes from CSV.

It may not interpret a value: numbers stay as they are written, null is empty, true and false are words. An object inside a
record is laid out one level deep (`customer.id`); what is deeper, and lists, stay JSON text. What is no object, names a key
twice or holds half a character is a reject with its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.ingest.dialect import unique_names
from clm.ingest.evidence import Evidence
from clm.ingest.sources import Source
from clm.ingest.structure import DETAIL, LINE, PROBLEM, RAW
from clm.ingest.table import Table

_BATCH = 20_000
_LARGEST_LINE, _LARGEST_LIST, _MOST_COLUMNS = 2**25, 2**26, 10_000
_OBJECT = re.compile(r'\s*\{\s*(?:"(?:[^"\\\n]|\\.)*"\s*:|\}\s*(?:\n|$))')
_LIST = re.compile(r"\s*\[\s*\{")
_GAP = re.compile(r"[ \t\r\n]*")
_BLANK, _NOT_ONE, _NUL = "blank_row", "fields_few", "nul"

Path = tuple[str, ...]


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Record:
    """Where it stands, its cells or what is wrong with it, and its text."""

    line: int
    cells: dict[Path, str] | None
    problem: str | None
    raw: str


class _TwiceError(ValueError):
    """An object names a key twice: either value would be a guess."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwiceError
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_Number, parse_int=_Number, parse_constant=_Number)


def is_json(text: str) -> bool:
    """Whether a file that begins so is JSON: a CSV may begin with a brace too, but not with an object."""
    return _LIST.match(text) is not None or _OBJECT.match(text) is not None


def read(source: Source, text: str, stream: Callable[[], Iterable[bytes]]) -> Table:
    """`text` is the file's beginning, `stream` its UTF-8 from the start, each time anew. Columns come from a first pass.

    Raises `DataError` for a document too long to hold, and for one that is damaged.
    """
    lines = [line for line in text.splitlines() if line.strip()][:100]
    several = len(lines) > 1 and _LIST.match(text) is None
    by_line = several and any(_record(0, line).cells is not None for line in lines[: 1 if len(text) > _LARGEST_LINE else 100])

    def records() -> Iterator[_Record]:
        return _lines(source, stream()) if by_line else _document(source, stream())

    paths: dict[Path, None] = {}
    rows = 0
    for record in records():
        rows += 1
        paths.update(dict.fromkeys(record.cells or ()))
        if len(paths) > _MOST_COLUMNS:
            raise DataError(
                f"{source.name} has more than {_MOST_COLUMNS:,} different keys.",
                where=f"{source.name}, line {record.line}",
                fix="write orders with the same keys in every object.",
                code="json",
            )
    names = dict(zip(paths, unique_names([".".join(path) for path in paths]), strict=True))

    def batches(raw: bool) -> Iterator[pl.DataFrame]:
        held: list[_Record] = []
        for record in records():
            held.append(record)
            if len(held) == _BATCH:
                yield _frame(held, names, raw)
                held = []
        if held:
            yield _frame(held, names, raw)

    why = "its first line is an object" if by_line else "it is one list or object over several lines"
    found = Evidence(f"{source.name}: container", f"JSON {'lines' if by_line else 'document'}, {rows:,} records", why)
    return Table(tuple(names.values()), rows, batches, (found,))


def _frame(records: list[_Record], names: dict[Path, str], raw: bool) -> pl.DataFrame:
    cells = [record.cells for record in records]
    columns: dict[str, pl.Series] = {
        name: pl.Series(name, [None if one is None else one.get(path, "") for one in cells], dtype=pl.String)
        for path, name in names.items()
    }
    details = {_NOT_ONE: "no JSON object"}
    own = {
        LINE: pl.Series([record.line for record in records], dtype=pl.Int64),
        PROBLEM: pl.Series([record.problem for record in records], dtype=pl.String),
        DETAIL: pl.Series([details.get(record.problem or "") for record in records], dtype=pl.String),
        RAW: pl.Series([record.raw if raw else None for record in records], dtype=pl.String),
    }
    return pl.DataFrame(columns | own)


def _lines(source: Source, stream: Iterable[bytes]) -> Iterator[_Record]:
    line, held = 1, b""
    for block in stream:
        *whole, held = (held + block).split(b"\n")
        for text in whole:
            yield _record(line, text.decode())
            line += 1
        if len(held) > _LARGEST_LINE:
            raise DataError(
                f"line {line} of {source.name} is longer than {_LARGEST_LINE >> 20} MB.",
                where=f"{source.name}, line {line}",
                fix="write one object a line.",
                code="json",
            )
    if held:
        yield _record(line, held.decode())


def _record(line: int, text: str) -> _Record:
    text = text.removesuffix("\r")
    if not text.strip():
        return _Record(line, None, _BLANK, text)
    if "\0" in text:
        return _Record(line, None, _NUL, text)
    try:
        value, end = _DECODER.raw_decode(text, _after_gap(text, 0))
    except (ValueError, RecursionError):  # the latter for ten thousand brackets
        return _Record(line, None, _NOT_ONE, text)
    return _judged(line, value if not text[end:].strip() else None, text)


def _judged(line: int, value: Any, raw: str) -> _Record:
    if not isinstance(value, dict):
        return _Record(line, None, _NOT_ONE, raw)
    cells: dict[Path, str] = {}
    for key, one in value.items():
        if isinstance(one, dict):
            cells |= {(key, inner): _text(deeper) for inner, deeper in one.items()}
        else:
            cells[key,] = _text(one)
    if "\\u" in raw:
        told = "".join([*cells.values(), *(name for path in cells for name in path)])
        if "\0" in told:
            return _Record(line, None, _NUL, raw)
        if any("\ud800" <= character <= "\udfff" for character in told):
            return _Record(line, None, _NOT_ONE, raw)
    return _Record(line, cells, None if any(cells.values()) else _BLANK, raw)


def _text(value: Any) -> str:
    if value is None or (isinstance(value, _Number) and value == "NaN"):  # how pandas writes "nothing"
        return ""
    return value if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    """JSON text, its numbers as they were."""
    if isinstance(value, _Number):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _document(source: Source, stream: Iterable[bytes]) -> Iterator[_Record]:
    """The objects of a list, or of a list that is all an object holds; any other object is one record."""
    held = bytearray()
    for block in stream:
        held += block
        if len(held) > _LARGEST_LIST:
            raise DataError(
                f"{source.name} is one JSON document of more than {_LARGEST_LIST >> 20} MB.",
                where=source.name,
                fix="write it as one object a line: jq -c '.[]' FILE > orders.jsonl",
                code="json",
            )
    text = held.decode()
    start = _after_gap(text, 0)
    if text[start] == "[":
        yield from _listed(source, text, start)
        return
    value, end = _decoded(source, text, start)
    if text[end:].strip():
        raise _broken(source, text, end, "something follows the object")
    # with anything beside it, the list may be the lines of one order
    envelope = next(iter(value)) if len(value) == 1 else None
    inside = value[envelope] if envelope is not None else None
    if isinstance(inside, list) and inside and all(isinstance(one, dict) for one in inside):
        _, after_key = _DECODER.raw_decode(text, _after_gap(text, start + 1))
        yield from _listed(source, text, _after_gap(text, _after_gap(text, after_key) + 1))
    else:
        yield _judged(1 + text.count("\n", 0, start), value, text[start:end])


def _listed(source: Source, text: str, start: int) -> Iterator[_Record]:
    """The objects of the list at `start`, with the line each begins on; nothing follows a list that is the whole document."""
    at, line, counted = start + 1, 1, 0
    while True:
        at = _after_gap(text, at)
        line, counted = line + text.count("\n", counted, at), at
        value, end = _decoded(source, text, at)
        yield _judged(line, value, text[at:end])
        at = _after_gap(text, end)
        if text[at : at + 1] == "]":
            if text[at + 1 :].strip(" \t\r\n") and not text[:start].strip(" \t\r\n"):
                raise _broken(source, text, at, "something follows the list")
            return
        if text[at : at + 1] != ",":
            raise _broken(source, text, at, "no comma and no end after an object")
        at += 1


def _after_gap(text: str, at: int) -> int:
    return _GAP.match(text, at).end()  # type: ignore[union-attr]


def _decoded(source: Source, text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except _TwiceError:
        raise _broken(source, text, at, "an object names a key twice") from None
    except (ValueError, RecursionError):
        raise _broken(source, text, at, "it cannot be read further") from None


def _broken(source: Source, text: str, at: int, why: str) -> DataError:
    line = 1 + text.count("\n", 0, at)
    return DataError(
        f"{source.name} is a JSON document that is cut off or damaged: {why}.",
        where=f"{source.name}, line {line}",
        fix="get the file again.",
        code="damaged",
    )
