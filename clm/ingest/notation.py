"""`notation`: how the days of a log are written: which date format they have.

It may not guess. What two readings fit equally well is put to the whole column, and if they still tie, to the user: `DataError`
with both readings and the option that settles it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from clm.errors import DataError
from clm.ingest import dates, families
from clm.ingest.dates import DateFormat
from clm.ingest.evidence import Evidence
from clm.ingest.scan import SOURCE
from clm.ingest.structure import PROBLEM
from clm.ingest.text import TextLog
from clm.outcome import Notice, counted
from clm.settings import CleanSettings

_ENOUGH = 0.95
_EXAMPLE = "05/03/2024"
_LAST_EITHER = 12
# Days up to the 12th can be either; how many cells of the other order are a mixture and not a slip of the pen
_SWAPPED = {"mdy": "dmy", "dmy": "mdy", "mdy2": "dmy2", "dmy2": "mdy2"}
_SEVERAL, _FEW = 3, 0.01
# `Created (UTC)`, `created_at_utc`, `dateUTC`; GMT+8 is a shop's own time
_UTC = re.compile(r"(?:(?<![A-Za-z])(?i:utc|gmt)|(?<=[a-z])(?:UTC|GMT|Utc|Gmt))(?![A-Za-z])(?!\s*[+\-]\s*\d)")
_TIME = r"\d:\d|T\d{4}"


def joined(columns: Sequence[str]) -> pl.Expr:
    """The text of the date column, or of a date and a time column joined."""
    if len(columns) == 1:
        return pl.col(columns[0])
    return pl.concat_str([pl.col(name).str.strip_chars() for name in columns], separator=" ").str.strip_chars()


def date_format(log: TextLog, columns: tuple[str, ...], settings: CleanSettings) -> tuple[DateFormat, Evidence, list[Notice]]:
    """How the day is written, what speaks for it, and what speaks against it for a few cells."""
    name = "+".join(columns)
    cells = _filled(log.sample.lazy(), columns).collect()["cell"]
    chosen, because = _chosen(log, columns, cells, settings)
    if any(_UTC.search(column) for column in columns) and cells.str.contains(_TIME).any():
        chosen, because = replace(chosen, utc=True), f"{because}; in universal time, as its name says"
    if settings.tz is None and cells.len() and (chosen.universal or (chosen.offsets and dates.zulu(cells))):
        raise DataError(
            f"the times in {name} are universal time ({_why_universal(chosen)}), not the shop's day.",
            where=f"column {name}",
            fix="name the shop's zone: --tz Asia/Shanghai, --tz Europe/London, …",
            code="zone",
        )
    mixed = []
    if settings.date_format is None:
        _question_swapped(log, columns, chosen)
        mixed = _mixed(chosen, cells, name)
    return chosen, Evidence("date format", chosen.shown, because), mixed


def _why_universal(chosen: DateFormat) -> str:
    return "its name says so" if chosen.utc else "Unix time" if chosen.universal else "Z or +00:00"


def _chosen(log: TextLog, columns: tuple[str, ...], cells: pl.Series, settings: CleanSettings) -> tuple[DateFormat, str]:
    name = "+".join(columns)
    if settings.date_format is not None:
        asked = dates.given(settings.date_format)
        if asked.only is None:
            return dates.best_format(cells, asked.family), "given by --date-format"
        return DateFormat(asked.family, asked.first, dates.has_offsets(cells), asked.only), "given by --date-format"
    if not cells.len():
        return DateFormat("ymd"), "no cell to go by"
    counts = dates.candidates(cells)
    best = _survivors(counts, cells.len())
    because = f"reads {max(counts.values(), default=0):,} of {cells.len():,} cells of {name}"
    if len(best) > 1 and not dates.agree(cells, best) and counts.get("ymd", 0) >= _ENOUGH * cells.len():
        best = ["ymd"]  # a few odd cells among ISO stamps are rejects, not worth a question
    if len(best) > 1 and not dates.agree(cells, best):
        if not log.whole:
            counts = _count_all(log, columns, best, dates.has_offsets(cells))
            best = [family for family in best if counts[family] == max(counts.values())]
            because = f"reads {max(counts.values()):,} cells of {name}, every other format fewer"
        if len(best) > 1:
            raise _ambiguous_dates(name, best)
    if len(log.parts) > 1:
        _question_other_files(log, columns, best)
    if not best:
        raise _no_date_format(log, name, counts, cells.len())
    return dates.best_format(cells, best[0]), because


def _question_other_files(log: TextLog, columns: tuple[str, ...], best: list[str]) -> None:
    """Raises `DataError` when a file writes its days in another order than the others: half of them would be read wrong."""
    order: dict[str, str] = {}
    for place, sample in by_file(log):
        cells = _filled(sample.lazy(), columns).collect()["cell"]
        counts = dates.candidates(cells) if cells.len() else {}
        survivors = _survivors(counts, cells.len())
        if survivors == [families.ISO.name] and best and best[0] != "unix":
            continue  # ISO stamps are read in any family
        if survivors and not set(survivors) & set(best):
            order[survivors[0]] = log.parts[place].source.name
        elif survivors and best:
            order.setdefault(best[0], log.parts[place].source.name)
    if len(order) < 2:
        return
    shown = " and ".join(
        f"{name} as {families.BY_NAME[family].shown} (--date-format '{dates.option(family)}')" for family, name in order.items()
    )
    raise DataError(
        f"the files write their dates in different ways: {shown}.",
        where="column " + "+".join(columns),
        fix="clean those of each kind by themselves with their own --date-format, then the results together: "
        "clm clean a.parquet b.parquet",
        code="date_formats",
    )


def _question_swapped(log: TextLog, columns: tuple[str, ...], chosen: DateFormat) -> None:
    """Raises `DataError` when a spreadsheet took the days of a file it could for days of the other order.

    Those are true dates (ISO) now, none after the 12th; what it could not take stayed text, every day of it after the 12th.
    """
    rival = _SWAPPED.get(chosen.family)
    if rival is None:
        return
    for place, sample in by_file(log):
        cells = _filled(sample.lazy(), columns).collect()["cell"].unique()
        stamps = dates.days_of_month(cells, DateFormat(families.ISO.name, offsets=chosen.offsets))
        text = dates.days_of_month(cells.filter(stamps.is_null()), chosen).drop_nulls()
        true = stamps.drop_nulls()
        if not true.len() or not text.len() or (true > _LAST_EITHER).any() or (text <= _LAST_EITHER).any():
            continue
        column, file = "+".join(columns), log.parts[place].source.name
        raise DataError(
            f"{file}: in {column} the true dates are all of days up to the 12th, the texts "
            f"({families.BY_NAME[chosen.family].shown}) all of later ones: a spreadsheet swapped day and month where it could.",
            where=f"{file}, column {column}",
            fix="export the log anew with its dates as text (YYYY-MM-DD), never opened in a spreadsheet; or, if the true "
            f"dates are right, take them as they are: --date-format '{dates.option(chosen.family)}'",
            code="swapped_dates",
        )


def _mixed(chosen: DateFormat, cells: pl.Series, name: str) -> list[Notice]:
    """Cells that are no days in the chosen order of day and month, but in the other: then some of the rest may be meant so too.

    Raises `DataError` when they are more than a few.
    """
    rival = _SWAPPED.get(chosen.family)
    if rival is None:
        return []
    left = dates.unread(cells, chosen)
    odd = left.len() - dates.unread(left, DateFormat(rival, offsets=chosen.offsets)).len()
    if not odd:
        return []
    ways = f"{chosen.shown}, but {counted(odd, 'cell is a day', 'cells are days')} only as {families.BY_NAME[rival].shown}"
    if odd >= _SEVERAL and odd > _FEW * cells.len():
        raise DataError(
            f"most dates in {name} are {ways}: days up to the 12th can be meant either way.",
            where=f"column {name}",
            fix=f"write all of them in one way; or take them as they are: --date-format '{dates.option(chosen.family)}' "
            "rejects the others",
            code="mixed_dates",
        )
    return [
        Notice("mixed_dates", f"the dates in {name} are {ways}: rejected; days up to the 12th written like that are misread.")
    ]


def by_file(log: TextLog) -> Iterator[tuple[int, pl.DataFrame]]:
    """The place of each file in the sample, with its records."""
    for place in log.sample[SOURCE].unique(maintain_order=True).to_list():
        yield place, log.sample.filter(pl.col(SOURCE) == place)


def _filled(frame: pl.LazyFrame, columns: tuple[str, ...]) -> pl.LazyFrame:
    return frame.select(joined(columns).alias("cell")).filter(pl.col("cell").str.strip_chars() != "")


def _survivors(counts: dict[str, int], filled: int) -> list[str]:
    """Families that read at least 95 % of the cells, those that read most; in the fixed order of `families.FAMILIES`."""
    most = max(counts.values(), default=0)
    return [name for name, count in counts.items() if count == most and count >= _ENOUGH * filled]


def _count_all(log: TextLog, columns: tuple[str, ...], among: list[str], offsets: bool) -> dict[str, int]:
    """How many cells of the whole column each of these families reads: one streaming pass over that column."""
    best = {name: dates.best_format(_filled(log.sample.lazy(), columns).collect()["cell"], name, offsets) for name in among}
    cells = _filled(log.frame.filter(pl.col(PROBLEM).is_null()), columns)
    read = {name: f"clm:{name}" for name in among}
    found = (
        cells.with_columns(dates.usual(pl.col("cell"), one).alias(read[name]) for name, one in best.items())
        .select(
            (pl.col(read[name]).is_not_null() | dates.left_over("cell", read[name], one).is_not_null()).sum().alias(name)
            for name, one in best.items()
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    return {name: int(count) for name, count in found.items()}


def _ambiguous_dates(name: str, best: list[str]) -> DataError:
    shown = families.BY_NAME
    readings = ", or ".join(f"{shown[one].shown} (--date-format '{dates.option(one)}')" for one in best)
    example = ""
    if "mdy" in best and "dmy" in best:
        example = f" {_EXAMPLE} would be 3 May or 5 March 2024."
    return DataError(
        f"the dates in {name} can be read in more than one way: {readings}.{example}",
        where=f"column {name}",
        fix=f"say which: --date-format '{dates.option(best[0])}' or --date-format '{dates.option(best[1])}'",
        code="ambiguous_date",
    )


def _no_date_format(log: TextLog, name: str, counts: dict[str, int], filled: int) -> DataError:
    another = "another column: --map ordered_at=COLUMN"
    if not any(counts.values()):
        return DataError(
            f"no date format reads any of the {filled:,} cells of {name}.",
            where=f"column {name}",
            fix=f"name the format they have, such as --date-format '%d.%m.%Y %H:%M', or {another}",
            code="date_format",
        )
    family, count = max(counts.items(), key=lambda pair: pair[1])
    return DataError(
        f"no date format reads 95% of {name}: the best, {families.BY_NAME[family].shown}, reads {count:,} of {filled:,} cells.",
        where=f"column {name}",
        fix=f"name the format (--date-format '{dates.option(family)}' rejects the others), or {another}",
        code="date_format",
    )
