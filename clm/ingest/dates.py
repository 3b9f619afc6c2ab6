"""Dates as shops write them: which format a column uses, and the wall time behind each cell.

It may not look at files or at column names; everything is a Polars expression over text, so that it streams.
A family is an order of day, month and year. All its separators and times of day are read; ISO stamps are read in any family,
because four digits in front cannot be anything else. Which of two families that read the same cells is meant is for
`understand` to ask, never for this room to guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from clm.errors import UsageError
from clm.ingest.families import BY_NAME, COMPACT, DIGITS, FAMILIES, ISO, TIMES, WALL, exactly, readings
from clm.tables import YEARS

_OFFSET = r"(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|T\d{4}(?:\d{2})?)\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
_EARLIEST, _LATEST = datetime(YEARS[0], 1, 1), datetime(YEARS[1] + 1, 1, 1)  # outside, the row is rejected, not dated
_FEW = 400


@dataclass(frozen=True)
class DateFormat:
    """How one column is read: a family, the exact format most cells have (tried first), and whether stamps carry offsets.

    `utc`: stamps without an offset are in universal time, because the column's name says so.
    """

    family: str
    first: str | None = None
    offsets: bool = False
    only: str | None = None
    utc: bool = False

    @property
    def shown(self) -> str:
        return self.only or BY_NAME[self.family].shown

    @property
    def universal(self) -> bool:
        """Whether the cells tell a moment in universal time, whatever the shop's day."""
        return self.utc or (self.family == "unix" and self.only is None)

    def to_json(self) -> dict[str, Any]:
        told = {"family": self.family, "first": self.first, "offsets": self.offsets, "only": self.only}
        return told | {"utc": True} if self.utc else told


def wall_time(cell: pl.Expr, chosen: DateFormat, zone: str | None) -> pl.Expr:
    """Datetime(us) of the business wall clock, null where the cell cannot be read in the chosen format.

    A stamp with an offset keeps its own wall time, or is moved to `zone` when one is given; a stamp without is taken as it is.
    """
    return sane(parsed(cell, chosen, zone))


def parsed(cell: pl.Expr, chosen: DateFormat, zone: str | None) -> pl.Expr:
    """`wall_time` before years are checked: two steps, because an expression used twice is worked out twice."""
    text = cell.str.strip_chars()
    bare = text.str.replace(_OFFSET, "$1") if chosen.offsets else text
    when = _parse(bare, chosen)
    if chosen.offsets and zone is not None:
        minutes = offset_minutes(text).fill_null(0) if chosen.universal else offset_minutes(text)
        moved = (when - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        when = pl.when(minutes.is_null()).then(when).otherwise(moved.dt.replace_time_zone(None))
    elif chosen.universal and zone is not None:
        when = when.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return when


def usual(cell: pl.Expr, chosen: DateFormat) -> pl.Expr:
    """What `parsed` gives for the cells in the format most of them have, null for others: nearly all, at a tenth of the price."""
    if chosen.first is None or chosen.universal:
        return pl.lit(None, dtype=WALL)
    return exactly(cell, chosen.first)


def left_over(cell: str, read: str, chosen: DateFormat) -> pl.Expr:
    """The moment of the cells of a column that `usual` could not read, which made the column `read`."""
    return wall_time(pl.when(pl.col(read).is_null()).then(pl.col(cell)), replace(chosen, first=None), None)


def sane(when: pl.Expr) -> pl.Expr:
    """The moment, null when its year can only be a typing error or a placeholder."""
    return pl.when(when.is_between(_EARLIEST, _LATEST, closed="left")).then(when)


def offset_minutes(cell: pl.Expr) -> pl.Expr:
    """Minutes east of UTC written on a stamp (`Z` is 0), null where there is none."""
    written = cell.str.strip_chars().str.extract(_OFFSET, 2)
    sign = pl.when(written.str.starts_with("-")).then(-1).otherwise(1)
    hours = written.str.extract(r"^[+-](\d{2})", 1).cast(pl.Int32, strict=False)
    minutes = written.str.extract(r"^[+-]\d{2}:?(\d{2})", 1).cast(pl.Int32, strict=False)
    return pl.when(written.is_null()).then(None).otherwise(sign * (hours.fill_null(0) * 60 + minutes.fill_null(0))).cast(pl.Int32)


def _parse(text: pl.Expr, chosen: DateFormat) -> pl.Expr:
    """The first format decides nearly every cell; what it leaves goes through the family and ISO.

    Only the leftovers are handed on (nulls cost nothing), and each later format looks at all leftovers: a chain in which every
    format contains the one before would double with each of them.
    """
    tries: list[pl.Expr] = []
    rest = text
    if chosen.first is not None:
        first = exactly(text, chosen.first)
        tries.append(first)
        rest = pl.when(first.is_null()).then(text)
    if chosen.only is None:
        tries += readings(rest, BY_NAME[chosen.family])
    elif chosen.first is None:
        tries.append(exactly(text, chosen.only))
    if chosen.only is None and chosen.family not in (ISO.name, "unix"):
        tries += readings(rest, ISO)
    return pl.coalesce(tries)


def has_offsets(cells: pl.Series) -> bool:
    return bool(cells.str.strip_chars().str.contains(_OFFSET).any())


def candidates(cells: pl.Series) -> dict[str, int]:
    """For each family, how many of these cells it reads, in the order of `FAMILIES`: ISO stamps count in every family, and
    where all are ISO stamps that is the only one.

    Families that read few of the first distinct cells are left out: they cannot come to read nearly all. Every distinct cell
    is read once by each of the others, in the format that most cells have.
    """
    told = cells.value_counts(name="cells")
    offsets = has_offsets(told[cells.name])
    some = told if told.height <= 2 * _FEW else told.gather_every(told.height // _FEW)
    filled = int(some["cells"].sum())
    iso = _read_by(some, cells.name, [best_format(some[cells.name], ISO.name, offsets)])
    if iso[ISO.name] == filled and some.height < told.height:
        iso = _read_by(told, cells.name, [best_format(some[cells.name], ISO.name, offsets)])
    if iso[ISO.name] == cells.len():
        return iso
    likely = _read_by(some, cells.name, [DateFormat(name, offsets=offsets) for name in BY_NAME])
    most = max(likely.values())
    left = [name for name, count in likely.items() if count and count * 2 > most]
    if some.height == told.height:
        return {name: likely[name] for name in left}
    counts = _read_by(told, cells.name, [best_format(some[cells.name], name, offsets) for name in left])
    return {name: count for name, count in counts.items() if count}


def _read_by(told: pl.DataFrame, name: str, formats: list[DateFormat]) -> dict[str, int]:
    return {one.family: int(told["cells"].filter(_moments(told[name], one).is_not_null()).sum()) for one in formats}


def _moments(cells: pl.Series, chosen: DateFormat) -> pl.Series:
    """`wall_time` of cells at hand: the slow ways only see what the usual format leaves."""
    frame = cells.alias("cell").to_frame()
    if chosen.first is None:
        return frame.select(wall_time(pl.col("cell"), chosen, None)).to_series()
    bare = pl.col("cell").str.strip_chars()
    bare = bare.str.replace(_OFFSET, "$1") if chosen.offsets else bare
    read = frame.select(exactly(bare, chosen.first)).select(sane(pl.col("cell"))).to_series()
    left = read.is_null().arg_true()
    return read.scatter(left, _moments(cells.gather(left), replace(chosen, first=None))) if left.len() else read


def unread(cells: pl.Series, chosen: DateFormat) -> pl.Series:
    """The cells that are no day in this format."""
    return cells.filter(_moments(cells, chosen).is_null())


def days_of_month(cells: pl.Series, chosen: DateFormat) -> pl.Series:
    """The day of the month of each cell, null where it is no day in this format."""
    return _moments(cells, chosen).dt.day()


def agree(cells: pl.Series, families: Sequence[str]) -> bool:
    """Whether these families give every cell the same moment, so that it does not matter which is meant."""
    cells = cells.unique()
    offsets = has_offsets(cells)
    read = [_moments(cells, best_format(cells, name, offsets)) for name in families]
    return all(read[0].equals(other) for other in read[1:])


def best_format(cells: pl.Series, family: str, offsets: bool | None = None) -> DateFormat:
    """The family with the exact format that reads most of these cells, to be tried first."""
    offsets = has_offsets(cells) if offsets is None else offsets
    cells = cells.gather_every(max(1, cells.len() // _FEW))
    one = pl.col(cells.name).str.strip_chars()
    bare = one.str.replace(_OFFSET, "$1") if offsets else one
    forms: tuple[str, ...]
    if family == "compact":
        forms = COMPACT
    else:
        # a blank in a format matches nothing at all too: "%Y %m %d" would read 20240305
        marks = "-/. " if family.startswith("named") else "-/."
        days = [day.replace("-", mark) for day in BY_NAME[family].dates for mark in marks]
        forms = tuple(day + time for day in days for time in (*TIMES, "T%H:%M:%S", "T%H:%M:%S%.f"))
    if not forms or not cells.len():
        return DateFormat(family, None, offsets)
    counts = cells.to_frame().select(
        sane(exactly(bare, form)).is_not_null().sum().alias(form) for form in forms
    ).row(0, named=True)  # fmt: skip
    form, count = max(counts.items(), key=lambda pair: pair[1])
    return DateFormat(family, form if count else None, offsets)


def check_zone(zone: str) -> None:
    """Raises `UsageError` when `--tz` names no zone."""
    try:
        pl.select(pl.lit(_EARLIEST).dt.replace_time_zone("UTC").dt.convert_time_zone(zone))
    except pl.exceptions.PolarsError:
        raise UsageError(f"there is no time zone {zone}.", fix="use a name such as Asia/Shanghai or Europe/London.") from None


def given(form: str) -> DateFormat:
    """What `--date-format` says: a family when it is one (so every time of day is read), else that very format.

    Raises `UsageError` when it is no format.
    """
    wanted = form
    if "%" not in form:
        for word, code in (("YYYY", "%Y"), ("YY", "%y"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S")):
            wanted = wanted.replace(word, code)
    day = wanted.split(" ")[0].split("T")[0]
    for mark in "/.":
        day = day.replace(mark, "-")
    for family in FAMILIES:
        if day in family.dates or form == family.name or (family.name == "compact" and wanted == "%Y%m%d"):
            return DateFormat(family.name)
    # the only sure way to know a format is to write a moment in it and read it back
    moment = datetime(2024, 3, 5, 22, 15, 30)
    try:
        back = pl.select(exactly(pl.lit(moment.strftime(wanted)), wanted)).item()
    except (pl.exceptions.PolarsError, ValueError):
        back = None
    if back is None or back.date() != moment.date():
        raise UsageError(f"--date-format {form} is no date format.", fix="write it such as %d/%m/%Y or '%d.%m.%Y %H:%M'.")
    return DateFormat(ISO.name, first=wanted, only=wanted)


def best_share(cells: pl.Series) -> float:
    """Share of the cells that are unmistakably dates: bare digits are left out, ids look like that too."""
    others = cells.filter(~cells.str.contains(r"^\d+$"))
    counts = candidates(others) if others.len() else {}
    return max((count for name, count in counts.items() if name not in DIGITS), default=0) / max(cells.len(), 1)


def zulu(cells: pl.Series) -> bool:
    """Whether stamps are in universal time: some say so, or all are at +00:00, which programs write and shops rarely mean."""
    written = cells.str.strip_chars().str.extract(_OFFSET, 2).drop_nulls()
    said = written.is_in(["Z", "z", "UTC", "GMT"]).any()
    return bool(said or (written.len() and written.str.contains(r"^[+-]00:?(?:00)?$").all()))


def option(family: str) -> str:
    """What to type after `--date-format` for a family."""
    return {
        "ymd": "%Y-%m-%d", "compact": "%Y%m%d", "mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y", "mdy2": "%m/%d/%y", "dmy2": "%d/%m/%y",
        "ymd2": "%y/%m/%d", "named": "%d %b %Y", "named2": "%d-%b-%y", "excel": "excel",
        "unix": "unix",
    }[family]  # fmt: skip
