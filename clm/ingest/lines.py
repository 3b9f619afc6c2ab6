"""Lines into records, one character at a time: for the few lines the fast reader must not decide about.

It may not drop a character unsaid: a line that cannot be cut into fields is handed back whole, with what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_MOST_LINES, _MOST_CHARACTERS = 2000, 2**20
_WRONG, _OPEN = "wrong", "open"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its first physical line (counted from 0), its fields or what is wrong, and its text as it stands."""

    line: int
    fields: list[str] | None
    problem: str | None
    detail: str | None
    raw: str


def physical(text: str) -> list[str]:
    """Physical lines with their ends (CR LF, LF or CR)."""
    return _LINE.findall(text)


def loose(physical_lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(physical line from 1, fields) for looking at a file: blank lines left out, a wrong quote read as a character."""
    at = 0
    while at < len(physical_lines):
        fields, taken = _record(physical_lines, at, delimiter)
        if fields is None:
            fields, taken = _split_plain(_body(physical_lines[at]), delimiter), 1
        if any(field.strip() for field in fields) or len(fields) > 1:
            yield at + 1, fields
        at += taken


def strict(text: str, delimiter: str, width: int, final: bool) -> tuple[list[Record], str]:
    """Every record of a text that starts at a record, and the tail that may go on in what has not been read yet."""
    rows = physical(text)
    records: list[Record] = []
    at = 0
    while at < len(rows):
        fields, taken = _record(rows, at, delimiter, width)
        if fields is None and taken == 0 and not final and len(rows) - at < _MOST_LINES:
            tail = "".join(rows[at:])
            if len(tail) < _MOST_CHARACTERS:
                return records, tail
        taken = taken or 1
        raw = "".join(rows[at : at + taken])
        records.append(_judged(at, fields, raw, width))
        at += taken
    return records, ""


def _judged(line: int, fields: list[str] | None, raw: str, width: int) -> Record:
    raw = _body(raw)
    if "\0" in raw:
        return Record(line, None, "nul", None, raw)
    if fields is None:
        return Record(line, None, "quote", None, raw)
    if len(fields) == width:
        return Record(line, fields, None, None, raw)
    if not raw.strip():
        return Record(line, None, "blank_row", None, raw)
    problem = "fields_few" if len(fields) < width else "fields_many"
    return Record(line, None, problem, f"{len(fields)} of {width} fields", raw)


def _record(rows: list[str], at: int, delimiter: str, width: int | None = None) -> tuple[list[str] | None, int]:
    """Fields and number of lines of the record that starts at `at`; (None, 1) for a wrong quote, (None, 0) for one never closed.

    A quoted field may hold line ends. But when the line alone has the right number of fields with the quote read as a
    character, and so has the line after it, the quote is a slip that would swallow whole records: then it is wrong.
    """
    fields, state = split(_body(rows[at]), delimiter)
    if state is None:
        return fields, 1
    if state == _WRONG:
        return None, 1
    text = rows[at]
    for end in range(at + 1, min(len(rows), at + _MOST_LINES)):
        if len(text) > _MOST_CHARACTERS:
            return None, 1
        text += rows[end]
        fields, state = split(_body(text), delimiter)
        if state == _WRONG:
            return None, 1
        if state is None:
            if width is not None and len(fields) != width and len(_split_plain(_body(rows[at]), delimiter)) == width:
                return None, 1
            swallowed = width is not None and width > 1 and any(
                len(_split_plain(_body(row), delimiter)) == width for row in rows[at + 1 : end]
            )  # fmt: skip
            if swallowed and len(_split_plain(_body(rows[at]), delimiter)) == width:
                return None, 1
            return fields, end - at + 1
    return None, 0 if len(rows) - at < _MOST_LINES else 1


def split(line: str, delimiter: str) -> tuple[list[str], str | None]:
    """Fields of one record's text (without its last line end), and None, `open` (a quote never closed) or `wrong`."""
    if delimiter == "blank":
        line = line.strip(" \t\r\n")
        if '"' not in line:
            return line.split(), None
        separators = " \t"
    else:
        separators = delimiter
        if '"' not in line:
            return line.split(delimiter), None
    fields: list[str] = []
    at, end = 0, len(line)
    while True:
        start = at
        while start < end and line[start] in " \t" and line[start] not in separators:
            start += 1
        if start < end and line[start] == '"':
            value, at, state = _quoted(line, start + 1, separators)
            if state is not None:
                return fields, state
            fields.append(value)
        else:
            stop = min((found for found in (line.find(one, at) for one in separators) if found >= 0), default=end)
            fields.append(line[at:stop])
            at = stop
        if at >= end:
            return fields, None
        at += 1
        if delimiter == "blank":
            while at < end and line[at] in separators:
                at += 1


def _quoted(line: str, at: int, separators: str) -> tuple[str, int, str | None]:
    """The quoted field that starts at `at`, where it ends, and what is wrong with it."""
    parts: list[str] = []
    while True:
        quote = line.find('"', at)
        if quote < 0:
            return "", at, _OPEN
        parts.append(line[at:quote])
        if line[quote + 1 : quote + 2] == '"':
            parts.append('"')
            at = quote + 2
            continue
        after = quote + 1
        while after < len(line) and line[after] in " \t" and line[after] not in separators:
            after += 1
        if after == len(line) or line[after] in separators:
            return "".join(parts), after, None
        return "", after, _WRONG


def _split_plain(line: str, delimiter: str) -> list[str]:
    return line.split() if delimiter == "blank" else line.split(delimiter)


def _body(line: str) -> str:
    """The line without its end."""
    if line.endswith("\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith(("\n", "\r")) else line
