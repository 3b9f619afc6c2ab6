"""Moment: the column of the day put together with what stands beside it: a time of day, or a day where it has none.

It may not read how dates are written: `notation` does.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from clm.errors import DataError
from clm.ingest import dates, statuses
from clm.ingest.evidence import Evidence
from clm.ingest.text import TextLog
from clm.settings import CleanSettings, typed

_TIMES = {
    "time", "ordertime", "saletime", "purchasetime", "transactiontime", "invoicetime", "timeofday",
    "时间", "下单时间", "交易时间", "uhrzeit", "heure", "hora", "ora", "godzina",
}  # fmt: skip
_CLOCK = r"^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp][Mm])?$"
_ENOUGH = 0.95
_UNPAID = (*statuses.CANCELLED, *statuses.UNPAID)


def time_beside(day: tuple[str, ...] | None, known: Mapping[str, set[str]], taken: set[str], sample: pl.DataFrame) -> str | None:
    """The one column that is called a time, holds times of day only, and stands beside days that have none."""
    if day is None or len(day) > 1 or not sample.height or sample[day[0]].str.contains(r"\d:\d").any():
        return None
    found = [
        column
        for column, variants in known.items()
        if column not in taken and variants & _TIMES and sample[column].str.strip_chars().str.contains(_CLOCK).all()
    ]
    return found[0] if len(found) == 1 and sample[found[0]].null_count() < sample.height else None


def of_every_row(
    log: TextLog, found: dict[str, tuple[str, ...]], others: list[str], settings: CleanSettings, evidence: list[Evidence]
) -> None:
    """Another day for all rows when the chosen one (a payment's, say) is empty on rows that were never paid.

    Raises `DataError` when more rows lack the chosen day and have another than may be rejected, and no status says why.
    """
    day = found["ordered_at"]
    if len(day) > 1 or not others or not log.sample.height:
        return
    empty = log.sample.filter(_empty(day[0]))
    if not empty.height or empty.height == log.sample.height:
        return
    other = next((one for one in others if _dated(empty, one) and _dated(log.sample, one)), None)
    if other is None:
        return
    if "status" in found:
        word = statuses.said(pl.col(found["status"][0]))
        if (empty.select(word.is_in(_UNPAID).sum()).item() or 0) >= _ENOUGH * empty.height:
            found["ordered_at"] = (other,)
            evidence.append(
                Evidence(
                    "ordered_at",
                    other,
                    f"it dates every row; {day[0]} is empty where {found['status'][0]} says cancelled or unpaid",
                )
            )
            return
    share = empty.height / log.sample.height
    allowed = settings.max_rejects if isinstance(settings.max_rejects, float) else settings.max_rejects / log.sample.height
    if share > allowed:
        raise DataError(
            f"{day[0]} is empty in {empty.height:,} of {log.sample.height:,} rows looked at, all of which {other} dates: "
            "orders nobody paid, or a day that was not written down.",
            where=f"columns {day[0]}, {other}",
            fix=f"if they are orders, {typed('map', f'ordered_at={other}')}; if not, {typed('map', f'ordered_at={day[0]}')} "
            f"--max-rejects {min(100, int(share * 100) + 1)}% rejects them",
            code="day_empty",
        )


def _empty(column: str) -> pl.Expr:
    return (pl.col(column).str.strip_chars() == "").fill_null(True)


def _dated(rows: pl.DataFrame, column: str) -> bool:
    """Whether nearly all of these rows have a day in this column."""
    filled = rows.filter(~_empty(column))[column].str.strip_chars()
    return filled.len() >= _ENOUGH * rows.height and max(dates.candidates(filled).values(), default=0) >= _ENOUGH * filled.len()
