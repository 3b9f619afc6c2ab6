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
BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Form:
    """What cuts a line: the delimiter (`BLANK`: runs of blanks), the quote, and two habits.

    `escape`: the character that, between quotes, takes the meaning of a quote or of itself away. `padded`: a blank follows each
    delimiter and is no part of the field.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""
    padded: bool = False


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


def loose(physical_lines: list[str], form: Form) -> Iterator[tuple[int, list[str], bool]]:
    """(physical line from 1, fields, quotes right) for looking at a file: no blank lines, a wrong quote read as a character."""
    at = 0
    while at < len(physical_lines):
        fields, taken = _record(physical_lines, at, form)
        right = fields is not None
        if fields is None:
            fields, taken = _split_plain(_body(physical_lines[at]), form), 1
        if any(field.strip() for field in fields) or len(fields) > 1:
            yield at + 1, fields, right
        at += taken


def strict(text: str, form: Form, width: int, final: bool) -> tuple[list[Record], str]:
    """Every record of a text that starts at a record, and the tail that may go on in what has not been read yet."""
    rows = physical(text)
    records: list[Record] = []
    at = 0
    while at < len(rows):
        fields, taken = _record(rows, at, form, width)
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


def _record(rows: list[str], at: int, form: Form, width: int | None = None) -> tuple[list[str] | None, int]:
    """Fields and number of lines of the record that starts at `at`; (None, 1) for a wrong quote, (None, 0) for one never closed.

    A quoted field may hold line ends. But when the line alone has the right number of fields with the quote read as a
    character, and so has a line after it, the quote is a slip that would swallow whole records: then it is wrong.
    """
    fields, state = split(_body(rows[at]), form)
    if state is None:
        return fields, 1
    if state == _WRONG:
        return None, 1
    text = rows[at]
    for end in range(at + 1, min(len(rows), at + _MOST_LINES)):
        if len(text) > _MOST_CHARACTERS:
            return None, 1
        text += rows[end]
        fields, state = split(_body(text), form)
        if state == _WRONG:
            return None, 1
        if state is None:
            alone = width is not None and len(_split_plain(_body(rows[at]), form)) == width
            if alone and len(fields) != width:
                return None, 1
            if alone and width != 1 and any(len(_split_plain(_body(row), form)) == width for row in rows[at + 1 : end]):
                return None, 1
            return fields, end - at + 1
    return None, 0 if len(rows) - at < _MOST_LINES else 1


def split(line: str, form: Form) -> tuple[list[str], str | None]:
    """Fields of one record's text (without its last line end), and None, `open` (a quote never closed) or `wrong`."""
    if form.quote not in line:
        return _split_plain(line, form), None
    if form.delimiter == BLANK:
        line = line.strip(" \t\r\n")
    fields: list[str] = []
    at, end = 0, len(line)
    while True:
        start = at
        while start < end and line[start] in " \t" and not _separates(line, start, form):
            start += 1
        if start < end and line[start] == form.quote:
            value, at, state = _quoted(line, start + 1, form)
            if state is not None:
                return fields, state
            fields.append(value)
        else:
            stop = _next_separator(line, at, form)
            field = line[at:stop]
            fields.append(field.removeprefix(" ") if form.padded and fields else field)
            at = stop
        if at >= end:
            return fields, None
        if form.delimiter != BLANK:
            at += len(form.delimiter)
            continue
        while at < end and line[at] in " \t":
            at += 1


def _separates(line: str, at: int, form: Form) -> bool:
    return line[at] in " \t" if form.delimiter == BLANK else line.startswith(form.delimiter, at)


def _next_separator(line: str, at: int, form: Form) -> int:
    """Where the next separator begins, or the end of the line."""
    marks = (" ", "\t") if form.delimiter == BLANK else (form.delimiter,)
    return min((found for found in (line.find(mark, at) for mark in marks) if found >= 0), default=len(line))


def _quoted(line: str, at: int, form: Form) -> tuple[str, int, str | None]:
    """The quoted field that starts at `at`, where it ends, and what is wrong with it."""
    parts: list[str] = []
    while True:
        quote = line.find(form.quote, at)
        escape = line.find(form.escape, at, quote if quote >= 0 else None) if form.escape else -1
        if escape >= 0:
            taken = escape + (line[escape + 1 : escape + 2] in (form.quote, form.escape))
            parts += [line[at:escape], line[taken]]
            at = taken + 1
            continue
        if quote < 0:
            return "", at, _OPEN
        parts.append(line[at:quote])
        if line[quote + 1 : quote + 2] == form.quote:
            parts.append(form.quote)
            at = quote + 2
            continue
        after = quote + 1
        while after < len(line) and line[after] in " \t" and not _separates(line, after, form):
            after += 1
        if after == len(line) or _separates(line, after, form):
            return "".join(parts), after, None
        # an apostrophe: text between single quotes is full of them; but one that begins a line opens the next record
        if form.quote == "'" and line[quote - 1] not in "\r\n":
            parts.append("'")
            at = quote + 1
            continue
        return "", after, _WRONG


def _split_plain(line: str, form: Form) -> list[str]:
    if form.delimiter == BLANK:
        return line.split()
    fields = line.split(form.delimiter)
    return [fields[0], *(field.removeprefix(" ") for field in fields[1:])] if form.padded else fields


def _body(line: str) -> str:
    """The line without its end."""
    if line.endswith("\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith(("\n", "\r")) else line
