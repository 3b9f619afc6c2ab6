"""Dates as shops write them: which format a column uses, and the wall time behind each cell.

It may not look at files or at column names; everything is a Polars expression over text, so that it streams.
A family is an order of day, month and year. All its separators and times of day are read; ISO stamps are read in any family,
because four digits in front cannot be anything else. Which of two families that read the same cells is meant is for
`understand` to ask, never for this room to guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from clm.errors import UsageError

WALL = pl.Datetime("us")
# A year outside is a typing error or a placeholder (0024, 9999): the row is rejected, not dated.
_EARLIEST, _LATEST = datetime(1800, 1, 1), datetime(2300, 1, 1)
_FEW = 400
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)

_TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S%.f", " %I:%M:%S %p", " %I:%M %p")
_COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M", "%Y%m%d %H%M%S")
_NAMED = ("%d-%b-%Y", "%b-%d-%Y", "%Y-%b-%d")
_NAMED_SHORT = ("%d-%b-%y",)
_OFFSET = r"(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
_PARTS = r"^(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})(?:\s*日)?(?:\s*[T,]\s*|\s+|$)"
_WORDS = (
    r"^(?:\p{L}{3,9},\s*)?(\d{1,4}|\p{L}{3})\p{L}*\.?[\s/-]+(\d{1,2}|\p{L}{3})\p{L}*\.?,?[\s/-]+(\d{2,4})"
    r"(?:\s*[T,]\s*|\s+|$)"
)


@dataclass(frozen=True)
class Family:
    """An order of the parts: its name for people, its date formats (with `-`), and how cells of it must begin."""

    name: str
    shown: str
    dates: tuple[str, ...]
    begins: str


ISO = Family("ymd", "YYYY-MM-DD", ("%Y-%m-%d",), r"^\d{4}-")
FAMILIES: tuple[Family, ...] = (
    ISO,
    Family("compact", "YYYYMMDD", (), r"^\d{8}"),
    Family("mdy", "MM/DD/YYYY", ("%m-%d-%Y",), r"^\d{1,2}-\d{1,2}-\d{4}"),
    Family("dmy", "DD/MM/YYYY", ("%d-%m-%Y",), r"^\d{1,2}-\d{1,2}-\d{4}"),
    Family("mdy2", "MM/DD/YY", ("%m-%d-%y",), r"^\d{1,2}-\d{1,2}-\d{2}(?:\D|$)"),
    Family("dmy2", "DD/MM/YY", ("%d-%m-%y",), r"^\d{1,2}-\d{1,2}-\d{2}(?:\D|$)"),
    Family("ymd2", "YY/MM/DD", ("%y-%m-%d",), r"^\d{2}-\d{1,2}-\d{1,2}(?:\D|$)"),
    Family("named", "DD Mon YYYY", _NAMED, r"^(?:\d{4}-\p{L}|\d{1,2}-\p{L}{3}-\d{4}|\p{L}{3}-\d{1,2}-\d{4})"),
    Family("named2", "DD-Mon-YY", _NAMED_SHORT, r"^\d{1,2}-\p{L}{3}-\d{2}(?:\D|$)"),
    Family("excel", "Excel serial number", (), r"^[2-7]\d{4}(?:\.\d+)?$"),
)
_BY_NAME = {family.name: family for family in FAMILIES}


@dataclass(frozen=True)
class DateFormat:
    """How one column is read: a family, the exact format most cells have (tried first), and whether stamps carry offsets."""

    family: str
    first: str | None = None
    offsets: bool = False
    only: str | None = None

    @property
    def shown(self) -> str:
        return self.only or _BY_NAME[self.family].shown

    def to_json(self) -> dict[str, Any]:
        return {"family": self.family, "first": self.first, "offsets": self.offsets, "only": self.only}


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
        minutes = offset_minutes(text)
        moved = (when - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        when = pl.when(minutes.is_null()).then(when).otherwise(moved.dt.replace_time_zone(None))
    return when


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
        first = _exactly(text, chosen.first)
        tries.append(first)
        rest = pl.when(first.is_null()).then(text)
    if chosen.only is None:
        tries += _family(rest, _BY_NAME[chosen.family])
    elif chosen.first is None:
        tries.append(_exactly(text, chosen.only))
    if chosen.only is None and chosen.family != ISO.name:
        tries += _family(rest, ISO)
    return pl.coalesce(tries)


def _family(text: pl.Expr, family: Family) -> list[pl.Expr]:
    if family.name == "compact":
        digits = pl.when(text.str.contains(r"^\d{8}(?:\d{2}|\d{4}|\d{6}|[ T]\d{1,2}:.*| \d{6})?$")).then(text)
        hours = pl.when(digits.str.contains(r"^\d{10}$")).then(pl.concat_str(digits, pl.lit("00")))
        return [_exactly(digits, one) for one in _COMPACT] + [_exactly(hours, "%Y%m%d%H%M")]
    if family.name == "excel":
        days = pl.when(text.str.contains(family.begins)).then(text).cast(pl.Float64, strict=False)
        return [pl.lit(_EXCEL_DAY_ZERO).cast(WALL) + pl.duration(seconds=(days * 86400).round(0).cast(pl.Int64))]
    pattern = _WORDS if family.name.startswith("named") else _PARTS
    dashed = text.str.replace(pattern, "$1-$2-$3 ").str.strip_chars_end()
    dashed = pl.when(dashed.str.contains(family.begins)).then(dashed)
    return [_exactly(dashed, day + time) for day in family.dates for time in _TIMES]


def _exactly(text: pl.Expr, form: str) -> pl.Expr:
    return text.str.to_datetime(form, time_unit="us", strict=False, exact=True)


def has_offsets(cells: pl.Series) -> bool:
    return bool(cells.str.strip_chars().str.contains(_OFFSET).any())


def candidates(cells: pl.Series) -> dict[str, int]:
    """For each family, how many of these cells it reads (ISO stamps count in every family), in the order of `FAMILIES`.

    Families that read few of the first distinct cells are left out: they cannot come to read nearly all.
    """
    told = cells.str.strip_chars().value_counts(sort=True, name="cells")
    offsets = has_offsets(cells)
    iso = _read_by(told, cells.name, [ISO.name], offsets)
    if iso[ISO.name] == cells.len():
        return iso
    likely = _read_by(told.gather_every(max(1, told.height // _FEW)), cells.name, list(_BY_NAME), offsets)
    most = max(likely.values())
    return {
        name: count
        for name, count in _read_by(told, cells.name, [one for one in likely if likely[one] * 2 > most], offsets).items()
        if count
    }


def _read_by(told: pl.DataFrame, name: str, families: list[str], offsets: bool) -> dict[str, int]:
    if not families:
        return {}
    counts = told.select(
        pl.col("cells").filter(wall_time(pl.col(name), DateFormat(one, offsets=offsets), None).is_not_null()).sum().alias(one)
        for one in families
    )
    return {one: int(count) for one, count in counts.row(0, named=True).items()}


def agree(cells: pl.Series, families: Sequence[str]) -> bool:
    """Whether these families give every cell the same moment, so that it does not matter which is meant."""
    one, offsets = pl.col(cells.name), has_offsets(cells)
    read = cells.to_frame().select(wall_time(one, DateFormat(name, offsets=offsets), None).alias(name) for name in families)
    return all(read[families[0]].equals(read[name].alias(families[0])) for name in families[1:])


def best_format(cells: pl.Series, family: str) -> DateFormat:
    """The family with the exact format that reads most of these cells, to be tried first."""
    offsets = has_offsets(cells)
    cells = cells.gather_every(max(1, cells.len() // _FEW))
    one = pl.col(cells.name).str.strip_chars()
    bare = one.str.replace(_OFFSET, "$1") if offsets else one
    forms: tuple[str, ...]
    if family == "compact":
        forms = _COMPACT[:3]
    else:
        days = [day.replace("-", mark) for day in _BY_NAME[family].dates for mark in ("-", "/", ".", " ")]
        forms = tuple(day + time for day in days for time in (*_TIMES, "T%H:%M:%S", "T%H:%M:%S%.f"))
    if not forms or not cells.len():
        return DateFormat(family, None, offsets)
    counts = cells.to_frame().select(
        sane(_exactly(bare, form)).is_not_null().sum().alias(form) for form in forms
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
        back = pl.select(_exactly(pl.lit(moment.strftime(wanted)), wanted)).item()
    except (pl.exceptions.PolarsError, ValueError):
        back = None
    if back is None or back.date() != moment.date():
        raise UsageError(f"--date-format {form} is no date format.", fix="write it such as %d/%m/%Y or '%d.%m.%Y %H:%M'.")
    return DateFormat(ISO.name, first=wanted, only=wanted)


def best_share(cells: pl.Series) -> float:
    """Share of the cells that are unmistakably dates: bare digits are left out, ids look like that too."""
    counts = candidates(cells)
    return max((count for name, count in counts.items() if name not in ("compact", "excel")), default=0) / max(cells.len(), 1)


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
    }[family]  # fmt: skip
