"""`columns`: a foreign table of any columns, each read as what it holds: numbers, days or words.

It may not know what a column means or drop a row; what no cell's neighbours can read becomes missing, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from clm.errors import DataError
from clm.ingest import dates, numbers
from clm.ingest.numbers import Mark
from clm.ingest.structure import LINE, PROBLEM
from clm.ingest.text import TextLog
from clm.outcome import Notice, counted

# how programs and people write "nothing" into a column of numbers or days; in a column of words NA may be North America
_NOTHING = (
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "none",
    "nil",
    "inf",
    "-inf",
    "?",
    "-",
    "--",
    "—",
    ".",
    "unknown",
    "0000-00-00",
    "无",
    "空",
)
_SKIPPED = ("blank_row", "header_repeat")
_ENOUGH = 0.9  # of the cells that say something; the rest are slips
_MOST_SLIPS = 20  # different ones
_FEW = 400
_DAY = r"\d[-/.年 ](?:\d|\p{L}{3})|\d{8}T"
_CODE = r"^[+-]?0\d"
_THOUSANDS = r"^-?\d{1,3}(?:\.\d{3})+$"


@dataclass(frozen=True)
class Repair:
    """What reading one column took: cells of nothing but blanks, numbers with signs or thousands, cells that are neither."""

    blank: int = 0
    rewritten: int = 0
    unread: int = 0


@dataclass(frozen=True)
class Columns:
    """The rows of one file: `frame` Float64, Date or String by column, `text` the cells as written, `lines` where they stand.

    `repairs`: columns that were not plain; `undecided`: columns of days that can be read in two ways, left as words.
    """

    name: str
    frame: pl.DataFrame
    text: pl.DataFrame
    lines: pl.Series
    repairs: Mapping[str, Repair] = field(default_factory=dict)
    undecided: tuple[str, ...] = ()

    @property
    def notices(self) -> Iterator[Notice]:
        """What the reader should know of the cells that were not plain."""
        for what, code, says in (
            ("blank", "blank_cells", "cells of nothing but blanks are missing values"),
            ("unread", "unread_cells", "cells that are no number or day like the rest of their column are missing values"),
            ("rewritten", "numbers_in_text", "numbers written with signs, thousands or a comma were read"),
        ):
            found = [(name, getattr(one, what)) for name, one in self.repairs.items() if getattr(one, what)]
            if found:
                shown = ", ".join(f"{name} ({count:,})" for name, count in found[:5]) + (", …" if len(found) > 5 else "")
                yield Notice(code, f"{says}: {shown}")


def typed(log: TextLog) -> Columns:
    """The table in a file of text. Raises DataError for a file without rows or columns, and for records that cannot be cut up."""
    name = log.parts[0].source.name
    table = log.frame.select(LINE, PROBLEM, *log.columns).collect(engine="streaming")
    broken = table.filter(~pl.col(PROBLEM).is_in(_SKIPPED))
    if broken.height:
        raise DataError(
            f"{counted(broken.height, 'record')} of {name} cannot be read, the first {broken[PROBLEM][0]}",
            where=f"{name}, line {broken[LINE][0]}",
            fix="mend the file: every row must have as many cells as the header",
            code="broken_rows",
        )
    table = table.filter(pl.col(PROBLEM).is_null())
    if not table.height or not log.columns:
        raise DataError(
            f"{name} holds no rows", where=name, fix="give a table with a header and a row for each customer", code="empty"
        )
    plain = {one: _Plain.of(table[one]) for one in log.columns}
    mark = _usual_mark(plain, log.parts[0].dialect.delimiter if log.parts[0].dialect else None)
    read = {one: _read(cells, mark) for one, cells in plain.items()}
    return Columns(
        name,
        pl.DataFrame([column.rename(one) for one, (column, _, _) in read.items()]),
        pl.DataFrame([cells.cells.rename(one) for one, cells in plain.items()]),
        table[LINE],
        {one: repair for one, (_, repair, _) in read.items() if repair != Repair()},
        tuple(one for one, (_, _, undecided) in read.items() if undecided),
    )


@dataclass(frozen=True)
class _Plain:
    """A column's cells without blanks at the ends, the plain numbers among them, and the different cells that are none."""

    cells: pl.Series
    number: pl.Series
    odd: pl.Series
    blank: int

    @staticmethod
    def of(column: pl.Series) -> _Plain:
        text = column.alias("cell").to_frame()
        bare = text.select(pl.col("cell").str.strip_chars()).to_series()
        cells = bare.to_frame().select(pl.when(pl.col("cell") != "").then(pl.col("cell"))).to_series()
        blank = int(((bare == "") & (column != "")).sum() or 0)
        number = cells.cast(pl.Float64, strict=False)
        number = number.to_frame().select(pl.when(pl.col("cell").is_finite()).then(pl.col("cell"))).to_series()
        odd = cells.filter(number.is_null() & cells.is_not_null()).unique()
        saying = ~odd.str.to_lowercase().is_in(list(_NOTHING))
        return _Plain(cells, number, odd.filter(saying), blank)


def _usual_mark(plain: Mapping[str, _Plain], delimiter: str | None) -> Mark:
    """The decimal mark of the file's numbers; where no cell tells, a file that is cut at semicolons leaves the comma to them."""
    votes = {".": 0, ",": 0}
    for one in plain.values():
        if one.odd.len() and one.odd.str.contains(r"\d").any():
            fit = numbers.fit(_without_percent(one.odd.sort().gather_every(-(-one.odd.len() // _FEW))))
            votes["."] += fit.dot > fit.comma
            votes[","] += fit.comma > fit.dot
        elif not one.odd.len() and one.number.len() and one.cells.str.contains(r"\.\d{1,2}$|\.\d{4,}$").any():
            votes["."] += 1
    if votes["."] != votes[","]:
        return "." if votes["."] > votes[","] else ","
    return "," if delimiter == ";" else "."


def _read(plain: _Plain, mark: Mark) -> tuple[pl.Series, Repair, bool]:
    """A column as what it holds, what that took, and whether its days can be read in two ways."""
    cells, filled = plain.cells, plain.cells.len() - plain.cells.null_count()
    if not filled:
        return cells, Repair(plain.blank), False
    if not plain.odd.len():
        if cells.str.contains(_CODE + r"\d*$").any():  # 007 is a code: as a number it would lose its zeros
            return cells, Repair(plain.blank), False
        if plain.number.null_count() == cells.len():
            return cells, Repair(plain.blank), False
        if mark == "," and cells.str.contains(_THOUSANDS).sum() == filled:
            return _rewritten(plain, mark)
        return plain.number, Repair(plain.blank, 0, filled - (cells.len() - plain.number.null_count())), False
    number, repair, _ = _rewritten(plain, mark)
    saying = int((~cells.str.to_lowercase().is_in(list(_NOTHING))).sum() or 0)
    read = cells.len() - number.null_count()
    if read and read >= _ENOUGH * saying and _slips(plain, number) <= _MOST_SLIPS:
        return number, repair, False
    return _day(plain, saying)


def _slips(plain: _Plain, number: pl.Series) -> int:
    return plain.cells.filter(number.is_null() & plain.cells.is_not_null()).n_unique()


def _rewritten(plain: _Plain, mark: Mark) -> tuple[pl.Series, Repair, bool]:
    """The column's cells as numbers in the shop's notation."""
    different = plain.cells.unique().drop_nulls() if mark == "," else plain.odd
    bare = _without_percent(different).alias("cell").to_frame()
    meant = bare.select(numbers.canonical(pl.col("cell"), mark).cast(pl.Float64, strict=False)).to_series()
    known = pl.DataFrame({"cell": different, "meant": meant}).drop_nulls()
    asked = plain.cells.alias("cell").to_frame().with_columns(plain=plain.number)
    found = asked.join(known, on="cell", how="left", maintain_order="left")
    value = found.select(pl.coalesce("meant", "plain")).to_series()
    rewritten = int(found.select((pl.col("meant").is_not_null() & pl.col("plain").ne_missing(pl.col("meant"))).sum()).item())
    filled = plain.cells.len() - plain.cells.null_count()
    return value, Repair(plain.blank, rewritten, filled - (value.len() - value.null_count())), False


def _without_percent(cells: pl.Series) -> pl.Series:
    """A percent sign behind a number is only its unit."""
    return cells.str.replace(r"(\d)\s*[%％]$", "$1")


def _day(plain: _Plain, saying: int) -> tuple[pl.Series, Repair, bool]:
    """The column as days where nearly all cells are, else as words."""
    cells = plain.cells
    some = plain.odd.head(_FEW)
    if some.str.contains(_DAY).sum() >= _ENOUGH * some.len():
        counts = dates.candidates(cells.drop_nulls())
        most = max(counts.values(), default=0)
        best = [family for family, count in counts.items() if count == most]
        if most and most >= _ENOUGH * saying:
            if len(best) > 1 and not dates.agree(cells.drop_nulls(), best):
                return _words(cells), Repair(plain.blank), True
            chosen = dates.best_format(cells.drop_nulls(), best[0])
            day = cells.to_frame().select(dates.wall_time(pl.col(cells.name), chosen, None).dt.date()).to_series()
            return day, Repair(plain.blank, 0, day.null_count() - cells.null_count()), False
    return _words(cells), Repair(plain.blank), False


def _words(cells: pl.Series) -> pl.Series:
    return cells.str.normalize("NFC")
