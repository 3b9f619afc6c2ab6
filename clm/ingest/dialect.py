"""Dialects: what separates the fields, which line is the header, and where the records begin.

It may not decide what a column means; it sees the first lines only and says why it decided as it did.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

from clm.errors import DataError, UsageError
from clm.ingest import lines

BLANK = "blank"
# what every table of `clean` has: who has these columns is ours
OURS = frozenset(("customer_id", "order_id", "ordered_at", "amount", "kind", "flags", "source_line"))
_CANDIDATES = (",", ";", "\t", "|")
_LOOK_AT = 200
# a number, a date or a time: what a header cell never is
_DATA = re.compile(
    r"^[-+(]?\s*[$€£¥￥]?\s*\d[\d.,' ]*\)?$|^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}(?:日)?(?:[ T]\d{1,2}:\d{2}.*)?$"
    r"|^\d{1,2}:\d{2}(?::\d{2})?$"
)


@dataclass(frozen=True)
class Dialect:
    """How a text file is cut up. `header_line` is None when it has none; `first_line` is the first record's physical line."""

    delimiter: str
    columns: tuple[str, ...]
    header_line: int | None
    first_line: int
    carriage_returns: bool
    why: str

    @property
    def width(self) -> int:
        return len(self.columns)

    @property
    def shown(self) -> str:
        return {"\t": "tab", BLANK: "runs of blanks"}.get(self.delimiter, self.delimiter)


def detect(head: str, name: str, given: str | None, whole: bool) -> Dialect:
    """Decide from the first part of a file as text. Raises `DataError` when it holds nothing to read."""
    carriage_returns = "\r" in head and "\n" not in head
    physical = lines.physical(head.replace("\r", "\n") if carriage_returns else head)
    if not whole and len(physical) > 1:
        physical = physical[:-1]  # it may be cut
    physical = physical[:_LOOK_AT]
    if not any(line.strip(' \t\r\n",;|') for line in physical):
        raise DataError(f"{name} is empty.", where=name, fix="give a file with a header and records.", code="empty")
    choices = (_one_character(given),) if given else (*_CANDIDATES, BLANK)
    score, delimiter, records = max(
        ((*_score(physical, one),) for one in choices), key=lambda found: (found[0], -choices.index(found[1]))
    )
    width = _width(records)
    start, header = _header(records, width)
    if header is None:
        columns = tuple(f"#{position + 1}" for position in range(width))
        line = start
        why = f"{width} fields, no header"
    else:
        columns = unique_names(header)
        line = records[start + 1][0] if start + 1 < len(records) else len(physical) + 1
        why = f"{width} fields in {score:.0%} of the first {len(records)} records"
    if header is None:
        line = records[start][0]
    return Dialect(delimiter, columns, None if header is None else records[start][0], line, carriage_returns, why)


def exported(columns: tuple[str, ...]) -> bool:
    """Whether these are the columns of TRANSACTIONS, as `clean` exports them."""
    return set(columns) >= OURS


def restored(found: Dialect) -> Dialect:
    """The dialect of our own CSV export, its column names as they were: those like a formula were given an apostrophe."""
    return replace(found, columns=unique_names([name.removeprefix("'") for name in found.columns]))


def _one_character(given: str) -> str:
    named = {"tab": "\t", "\\t": "\t", "blank": BLANK, "space": BLANK, " ": BLANK, "comma": ",", "semicolon": ";", "pipe": "|"}
    delimiter = named.get(given, given)
    if delimiter != BLANK and (len(delimiter) != 1 or delimiter in '"\r\n' or ord(delimiter) > 127):
        raise UsageError(f"--delimiter {given} is not one character.", fix="use one such as ';', or the words tab or blank.")
    return delimiter


Records = list[tuple[int, list[str]]]


def _score(physical: list[str], delimiter: str) -> tuple[float, str, Records]:
    """Share of the records that have the commonest width above one, a little less for blanks, which also occur inside text."""
    records = list(lines.loose(physical, delimiter))
    widths = Counter(len(fields) for _, fields in records if any(field.strip() for field in fields))
    if not widths:
        return 0.0, delimiter, records
    width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    if width == 1:
        return 0.0, delimiter, records
    return count / widths.total() * (0.7 if delimiter == BLANK else 1.0), delimiter, records


def _width(records: Records) -> int:
    widths = Counter(len(fields) for _, fields in records if any(field.strip() for field in fields))
    return max(widths.items(), key=lambda pair: (pair[1], pair[0]))[0]


def _header(records: Records, width: int) -> tuple[int, list[str] | None]:
    """Position of the first record of full width, and its cells when they are names: text, no number and no date, no repeats."""
    for position, (_, fields) in enumerate(records):
        if len(fields) == width and any(field.strip() for field in fields):
            cells = [field.strip() for field in fields]
            filled = [cell for cell in cells if cell]
            names = not any(_DATA.match(cell) for cell in filled) and len(filled) * 2 > width
            return position, cells if names else None
    return 0, None


def unique_names(cells: list[str]) -> tuple[str, ...]:
    """Header cells as column names: unique, none empty, none in the space clm keeps for itself."""
    names: list[str] = []
    for position, cell in enumerate(cells):
        name = " ".join(cell.split()) or f"#{position + 1}"
        if name.startswith("clm:"):
            name = f"#{position + 1} {name}"
        repeat, unique = 1, name
        while unique in names:
            repeat += 1
            unique = f"{name} ({repeat})"
        names.append(unique)
    return tuple(names)
