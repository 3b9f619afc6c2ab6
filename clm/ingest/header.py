"""Headers: which of the first records name the columns, which lie above them, and which are part of them below.

It may not drop a line unsaid: what is left out or joined is told by line, what lies below the names is left for a reject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from clm.errors import DataError

Records = list[tuple[int, list[str]]]

# a number, a date or a time: what a header cell never is
DATA = re.compile(
    r"^[-+(]?\s*[$€£¥￥]?\s*\d[\d.,' ]*\)?$|^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}(?:日)?(?:[ T]\d{1,2}:\d{2}.*)?$"
    r"|^\d{1,2}:\d{2}(?::\d{2})?$"
)
# a heading of several rows is three or four rows high
_HIGHEST = 4
_TYPED = 0.8
# a title, a period and who printed it are a few lines; so many that hold numbers or dates are records of something
_FEW_ABOVE, _MOST_ABOVE = 3, 10


@dataclass(frozen=True)
class Header:
    """The column names (None: there are none), the record they are on and the first record after them, counted in the records.

    `joined` are the lines whose cells make the names when it takes several, `below` lines under the names that are no records,
    `spurned` the line of names that do not fit the records.
    """

    names: list[str] | None
    at: int
    next: int
    joined: tuple[int, ...] = ()
    below: tuple[int, ...] = ()
    spurned: int | None = None


def find(records: Records, width: int) -> Header:
    """Decide on the first records (physical line, fields), of which most have `width` fields."""
    full = [place for place, (_, fields) in enumerate(records) if len(fields) == width and any(map(str.strip, fields))]
    if not full:
        return Header(None, 0, 0)
    while len(full) > 1 and width > 2 and _filled(records[full[0]][1]) == 1 and _titles(records, full, width):
        full = full[1:]
    first = full[0]
    above = _above(records, first, width, full)
    if above is not None:
        return above
    spurned = None
    if first and abs(len(records[first - 1][1]) - width) == 1 and width > 2 and are_names(records[first - 1][1], width - 1):
        spurned = records[first - 1][0]
    several = _several(records, full, width)
    if several is not None:
        return several
    cells = [field.strip() for field in records[first][1]]
    if are_names(cells, width):
        return Header(cells, first, first + 1, spurned=spurned)
    return Header(None, first, first, spurned=spurned)


def left_out(records: Records, found: Header) -> tuple[list[int], int, bool]:
    """The lines above the header that are no part of it, how many look like records, and whether they are the log's own.

    They are its own when most of the names stand above them once more: an export that gained a column half way.
    """
    above = [
        (line, [field.strip().lower() for field in fields]) for line, fields in records[: found.at] if line not in found.joined
    ]
    alike = [sum(DATA.match(field) is not None for field in fields) for _, fields in above]
    names = {name.lower() for name in found.names or () if name}
    own = any(
        2 <= len(names & set(fields)) >= len(names) / 2 and any(alike[place + 1 :]) for place, (_, fields) in enumerate(above)
    )
    return [line for line, _ in above], sum(many > 1 for many in alike), own


def check_above(records: Records, found: Header, name: str) -> str:
    """What must be said about the lines left out, if anything. Raises `DataError` when they look like orders of the log."""
    left, alike, own = left_out(records, found)
    if own or alike > _MOST_ABOVE:
        line = records[found.at][0]
        raise DataError(
            f"above line {line} of {name} stands another table, with other columns than below it.",
            where=f"{name}, {lines_shown(left)}",
            fix=f"cut the file in two before line {line}, and give both parts, or only the one that holds the orders.",
            code="tables",
        )
    return f"{lines_shown(left)} of {name}" if len(left) > _FEW_ABOVE or alike else ""


def lines_shown(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    return f"{len(numbers)} lines, from line {numbers[0]} to line {numbers[-1]}"


def _filled(fields: Sequence[str]) -> int:
    return sum(bool(field.strip()) for field in fields)


def are_names(fields: Sequence[str], width: int) -> bool:
    """Whether these can be names: most of them there, none a number or a date."""
    return _filled(fields) * 2 > width and not any(DATA.match(field.strip()) for field in fields)


def _titles(records: Records, full: list[int], width: int) -> bool:
    """Whether names follow soon: then a line with one cell above them is a title."""
    return any(are_names(records[place][1], width) for place in full[1 : 1 + _HIGHEST])


def _above(records: Records, first: int, width: int, full: list[int]) -> Header | None:
    """Names one short or with cells to spare right above the first full record, when that cell is empty in all the records.

    Who writes a delimiter at the end of each record, or of the header only, means nothing by it.
    """
    if not first:
        return None
    names = [field.strip() for field in records[first - 1][1]]
    if len(names) == width - 1 and width > 2 and are_names(names, width - 1):
        if not any(records[place][1][-1].strip() for place in full):
            return Header([*names, ""], first - 1, first)
    elif len(names) > width > 1 and not any(names[width:]) and are_names(names, width):
        return Header(names[:width], first - 1, first)
    return None


def _several(records: Records, full: list[int], width: int) -> Header | None:
    """Names in several rows: groups above (`Customer,,Order,`), the names proper, and at times a word more below.

    Only when the first row cannot be the header alone, having gaps, and the records after it tell text from numbers.
    """
    run = []
    for place in full[: _HIGHEST + 1]:
        if any(DATA.match(field.strip()) for field in records[place][1]):
            break
        run.append(place)
    body = full[len(run) :]
    if not 1 < len(run) <= _HIGHEST or not 1 < _filled(records[run[0]][1]) < width or len(body) < 2:
        return None
    typed = [column for column in range(width) if _is_typed([records[place][1][column].strip() for place in body])]
    named = [place for place in run if _filled(records[place][1]) * 2 > width]
    if not typed or not named:
        return None
    last = named[-1]
    rows = [[field.strip() for field in records[place][1]] for place in run if place <= last]
    below = [place for place in run if place > last]
    if any(records[place][1][column].strip() for place in below for column in range(width) if column not in typed):
        return None
    lines = tuple(records[place][0] for place in run)
    return Header(_joined(rows), last, last + 1, lines[: len(rows)], lines[len(rows) :])


def _is_typed(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and sum(DATA.match(cell) is not None for cell in filled) >= _TYPED * len(filled)


def _joined(rows: list[list[str]]) -> list[str]:
    """One name a column: a group's name goes on to the right until the next one, as far as something stands under it."""
    width = len(rows[0])
    names = [[] for _ in range(width)]  # type: list[list[str]]
    for depth, row in enumerate(rows):
        group = ""
        for column in range(width):
            if row[column]:
                group = row[column]
            elif any(above[column] for above in rows[:depth]):
                group = ""  # a new group above ends this one
            if row[column] or (group and any(under[column] for under in rows[depth + 1 :])):
                names[column].append(group)
    return [" ".join(parts) for parts in names]
