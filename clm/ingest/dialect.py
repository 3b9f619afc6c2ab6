"""Dialects: what separates the fields and what protects them, and with `header` where the records begin.

It may not decide what a column means; it sees the first lines only and says why it decided as it did.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from clm.dtypes import is_pattern
from clm.errors import DataError, UsageError
from clm.ingest import header, lines
from clm.ingest.header import DATA, Header, Records
from clm.ingest.lines import BLANK, Form

# what every table of `clean` has: who has these columns is ours
OURS = frozenset(("customer_id", "order_id", "ordered_at", "amount", "kind", "flags", "source_line"))
_CANDIDATES = (",", ";", "\t", "||", "|", "^", "~", "\x01", BLANK)
_MOST_COLUMNS = 16_384  # as many as a sheet has
_LOOK_AT = 200
# blanks and apostrophes occur in any text: who is to separate or to protect with them must do so plainly
_BLANK_TYPED = 0.5


@dataclass(frozen=True)
class Dialect:
    """How a text file is cut up. `header_line` is None when it has none; `first_line` is the first record's physical line.

    `below`: lines after the header that belong to it. `above`: what became of the lines before it, for people; `left_out`: those
    of them that a notice must name.
    """

    delimiter: str
    columns: tuple[str, ...]
    header_line: int | None
    first_line: int
    carriage_returns: bool
    why: str
    quote: str = '"'
    escape: str = ""
    padded: bool = False
    below: tuple[int, ...] = ()
    above: str = ""
    left_out: str = ""

    @property
    def width(self) -> int:
        return len(self.columns)

    @property
    def form(self) -> Form:
        return Form(self.delimiter, self.quote, self.escape, self.padded)

    @property
    def shown(self) -> str:
        return {"\t": "tab", BLANK: "runs of blanks", "\x01": "\\x01"}.get(self.delimiter, self.delimiter)

    @property
    def header_shown(self) -> str:
        line = "none; columns are #1, #2, …" if self.header_line is None else f"line {self.header_line}"
        return f"{line}; {self.above}" if self.above else line


def detect(head: str, name: str, given: str | None, whole: bool) -> Dialect:
    """Decide from the first part of a file as text. Raises `DataError` when it holds nothing to read."""
    carriage_returns = "\r" in head and "\n" not in head
    physical = lines.physical(head.replace("\r", "\n") if carriage_returns else head)
    if not whole and len(physical) > 1:
        physical = physical[:-1]  # it may be cut
    physical = physical[:_LOOK_AT]
    if not any(line.strip(' \t\r\n",;|') for line in physical):
        raise DataError(f"{name} is empty.", where=name, fix="give a file with a header and records.", code="empty")
    form, records, share = _form(physical, given)
    width = usual_width(records)
    if width == 1 and given is None:
        _question_whole_lines(records, name)
    if width > _MOST_COLUMNS:
        raise DataError(
            f"{name} has {width:,} columns.",
            where=name,
            fix=f"an order log has a few: give the file that holds the orders ({_MOST_COLUMNS:,} columns at most).",
            code="too_many_columns",
        )
    found = header.find(records, width)
    if found.names is None:
        columns = tuple(f"#{position + 1}" for position in range(width))
        line = records[found.at][0]
        why = f"{width} fields, no header"
    else:
        columns = unique_names(found.names)
        line = records[found.next][0] if found.next < len(records) else len(physical) + 1
        why = f"{width} fields in {share:.0%} of the first {len(records)} records"
    habits = (
        (form.padded, "a blank after each"), (form.quote == "'", "single quotes"), (form.escape, f"{form.escape} escapes"),
    )  # fmt: skip
    why = "; ".join([why, *(words for there, words in habits if there)])
    return Dialect(
        form.delimiter, columns, None if found.names is None else records[found.at][0], line, carriage_returns, why,
        form.quote, form.escape, form.padded, found.below, told_above(records, found, width),
        header.check_above(records, found, name),
    )  # fmt: skip


def _question_whole_lines(records: Records, name: str) -> None:
    """Raises `DataError` when each line is one quoted cell that is a record of several fields itself."""
    inside = [fields[0] for _, fields in records if len(fields) == 1]
    for mark in (",", ";", "\t", "|"):
        counts = Counter(cell.count(mark) for cell in inside)
        if len(inside) > 1 and not counts[0] and counts.most_common(1)[0][1] * 2 > len(inside):
            raise DataError(
                f"every line of {name} is quoted as a whole, so each is one cell.",
                where=name,
                fix="export it again with quotes around single cells only, or take off those at the ends of the lines: "
                'sed \'s/^"//;s/"\\(\\r*\\)$/\\1/;s/""/"/g\' FILE',
                code="quoted_lines",
            )


def told_above(records: Records, found: Header, width: int) -> str:
    """In words: what became of the lines above the records other than the header."""
    told = []
    if found.joined[1:]:
        told.append(f"the names of lines {found.joined[0]} to {found.joined[-1]} are joined")
    left = [line for line, _ in records[: found.at] if line not in found.joined]
    if left:
        told.append(f"left out: {header.lines_shown(left)}")
    if found.spurned is not None:
        told.append(f"the names on line {found.spurned} do not fit the {width} fields of the records")
    return ", ".join(told)


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


def _form(physical: list[str], given: str | None) -> tuple[Form, Records, float]:
    """The form that cuts the lines best, the records it cuts, and the share of them that have the commonest width.

    Best is the largest share of records of one width with their quotes right, times how far the cells look like one.
    A tie goes to the form named first; nothing that separates leaves one column.
    """
    text = "".join(physical)
    delimiters = [_one_character(given)] if given else [one for one in _CANDIDATES if one in (",", BLANK) or one in text]
    best = (-1.0, Form(","), [], 0.0)  # type: tuple[float, Form, Records, float]
    for form in (form for one in delimiters for form in _forms(physical, text, one)):
        cut = list(lines.loose(physical, form))
        width = usual_width([(line, fields) for line, fields, _ in cut])
        filled = [(fields, right) for _, fields, right in cut if any(map(str.strip, fields))]
        regular = [(fields, right) for fields, right in filled if len(fields) == width]
        right = sum(1.0 if right else 0.5 for _, right in regular) / len(filled)
        score = right * _single([fields for fields, _ in regular], form) if width > 1 else 0.0
        if form.delimiter == BLANK:
            score *= 0.7 if given or _tells_types([fields for fields, _ in regular]) else 0.0
        if score > best[0]:
            share = sum(len(fields) == width for fields, _ in filled) / len(filled)
            best = (score, form, [(line, fields) for line, fields, _ in cut], share)
    _, form, records, share = best
    if _padded(physical, records, form):
        form = replace(form, padded=True)
        records = [(line, fields) for line, fields, _ in lines.loose(physical, form)]
    return form, records, share


def _forms(physical: list[str], text: str, delimiter: str) -> Iterator[Form]:
    """The forms to try with a delimiter: double quotes; backslashes in them; single quotes when they are at work all over."""
    yield Form(delimiter)
    if '\\"' in text:
        yield Form(delimiter, escape="\\")
    # blanks that separate are no padding too: a million of them would be tried from each of them on
    mark, padding = ("[ \t]", "") if delimiter == BLANK else (re.escape(delimiter), " *")
    edges = (f"(?:^|{mark}){padding}'", f"'{padding}(?:$|\r|{mark})")
    opening, closing = (len(re.findall(edge, text, re.MULTILINE)) for edge in edges)
    if min(opening, closing) * 2 > len(physical) and not re.search(f'(?:^|{mark}){padding}"', text, re.MULTILINE):
        # who doubles every double quote between single ones means one
        doubled = '""' in text and not re.search(r'(?<!")"(?:"")*(?!")', text)
        yield Form(delimiter, quote="'", escape='"' if doubled else "")


def usual_width(records: Records) -> int:
    """The commonest number of fields, the larger of two equally common; comments (`# …`) do not count if there is more."""
    filled = [fields for _, fields in records if any(map(str.strip, fields))]
    widths = Counter(map(len, [fields for fields in filled if not fields[0].startswith("#")] or filled))
    return max(widths.items(), key=lambda pair: (pair[1], pair[0]))[0]


def _single(records: list[list[str]], form: Form) -> float:
    """How far the filled cells look like one each, from a half to one: no other separator in them, no quotes around them.

    A comma in a number, or before a blank, separates nothing.
    """
    others = [one for one in (";", "\t", "|") if one != form.delimiter]
    cells = odd = 0
    for cell in (cell for fields in records for field in fields if (cell := field.strip())):
        cells += 1
        comma = form.delimiter != "," and re.search(r",(?! )", cell) is not None and not DATA.match(cell)
        odd += comma or any(one in cell for one in others) or (len(cell) > 1 and cell[0] in "'\"" and cell[0] == cell[-1])
    return 1 - odd / max(1, cells) / 2


def _tells_types(records: list[list[str]]) -> bool:
    """Whether half of the cells are numbers and dates, but not a date and its time; words with blanks between them are text."""
    body = records[1:] or records
    if all(len(fields) == 2 and ":" in fields[1] and DATA.match(" ".join(fields)) for fields in body):
        return False
    cells = [field for fields in body for field in fields]
    return sum(DATA.match(field) is not None for field in cells) >= _BLANK_TYPED * len(cells)


def _padded(physical: list[str], records: Records, form: Form) -> bool:
    """Whether every delimiter has a blank after it, and no field but a quoted one could want it."""
    if form.delimiter in (BLANK, "\t") or not any(len(fields) > 1 for _, fields in records):
        return False
    mark = re.escape(form.delimiter)
    ends = [line - 1 for line, _ in records[1:]] + [len(physical)]
    raws = ("".join(physical[line - 1 : end]) for (line, _), end in zip(records, ends, strict=True))
    return all(
        re.search(mark + form.quote, raw) is None and len(re.findall(f"{mark}(?= |\r?\n?\\Z)", raw)) >= len(fields) - 1
        for raw, (_, fields) in zip(raws, records, strict=True)
    )


def are_names(cells: list[str]) -> bool:
    """Whether these can be column names: most of them there, none a number or a date."""
    return header.are_names(cells, len(cells))


def unique_names(cells: list[str]) -> tuple[str, ...]:
    """Header cells as column names: unique, none empty, none in the space clm keeps for itself or Polars takes for a pattern."""
    names: dict[str, None] = {}
    for position, cell in enumerate(cells):
        name = " ".join(cell.split()) or f"#{position + 1}"
        if name.startswith("clm:") or is_pattern(name):
            name = f"#{position + 1} {name}"
        repeat, unique = 1, name
        while unique in names:
            repeat += 1
            unique = f"{name} ({repeat})"
        names[unique] = None
    return tuple(names)
