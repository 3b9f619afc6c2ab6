"""The panel of revenue by month, and of new against returning customers: by month too, or by longer periods where months have
too few of them to be told.

It may not compute; numbers come from METRICS and are put into words, tables and a figure here.
"""

from __future__ import annotations

from functools import partial

from clm.report.blocks import Block, Cell, Column, Figure, Mark, Paragraph, Table
from clm.report.cells import Show, cell
from clm.report.cohort_panel import length_of
from clm.report.numbers import Numbers
from clm.report.words import Words
from clm.tables import NO_PURCHASE

# ten years of bars; more of them than this no page can hold, and Vega refuses some thousands
_MOST_MONTHS = 120
_TOTALS = (("revenue_of_buyers", None), ("orders", None))


def revenue(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Months: money of new against returning customers; orders where the log has no amounts."""
    months, earlier = _shown_months(numbers)
    if not months:
        return (Paragraph(words("revenue.none")),)
    priced = any(row.value is not None for row in numbers.rows("revenue", "revenue"))
    periods = [period for period in numbers.periods("revenue", "customers") if length_of(period) != "month"]
    said = [_lead(numbers, words, periods or months)] if priced else [words("revenue.lead_orders")]
    if periods:
        least = words.count("customers", numbers.value("privacy", "min_cell"))
        said.append(words(f"revenue.by_{length_of(periods[0])}", customers=least))
    text = words("format.sentence_gap").join(one for one in said if one)
    blocks: list[Block] = [Paragraph(text)] if text else []
    if not periods:
        table = _table(words, words("panel.revenue"), months, numbers, _parts(numbers, priced))
        blocks.append(_figure(numbers, words, months, earlier, ("returning", "new"), table))
        return tuple(blocks)
    totals = _table(words, words("panel.revenue"), months, numbers, list(_TOTALS if priced else _TOTALS[1:]))
    blocks.append(_figure(numbers, words, months, earlier, ("all",), totals))
    title = words(f"revenue.table_{length_of(periods[0])}")
    blocks.append(_table(words, title, periods[-_MOST_MONTHS:], numbers, _parts(numbers, priced)))
    return tuple(blocks)


def _lead(numbers: Numbers, words: Words, periods: list[str]) -> str:
    """What returning customers brought of the last full period; nothing where it is not known."""
    full = [period for period in periods if not _running(numbers, period)]
    share = numbers.value("revenue", "returning_share", None, full[-1]) if full else None
    if share is None:
        return ""
    length = length_of(full[-1])
    if length != "month":
        return words(f"revenue.lead_{length}", period=words.period(full[-1]), share=words.percent(share))
    whole = words.money(numbers.value("revenue", "revenue_of_buyers", None, full[-1]))
    return words("revenue.lead", month=words.month(full[-1], long=True), share=words.percent(share), revenue=whole)


def _running(numbers: Numbers, period: str) -> bool:
    """Whether the period is not over: its last month is not."""
    year, _, part = period.partition("-")
    last = period if part.isdecimal() else f"{year}-{3 * int(part.strip('Q') or 4):02d}"
    return not numbers.value("revenue", "month_complete", None, last)


def _figure(numbers: Numbers, words: Words, months: list[str], earlier: int, series: tuple[str, ...], table: Table) -> Figure:
    """The bars of months: of each of the series on top of each other."""
    priced = any(row.value is not None for row in numbers.rows("revenue", "revenue"))
    measure, total = ("revenue", "revenue_of_buyers") if priced else ("orders", "orders")
    show = words.money if priced else words.whole
    running = {month for month in months if _running(numbers, month)}
    totals = {month: numbers.value("revenue", total, None, month) or 0.0 for month in months}
    marks = [
        Mark(
            group,
            words.month(month),
            totals[month] if group == "all" else numbers.value("revenue", measure, group, month) or 0.0,
            faint=month in running,
        )
        for month in months
        for group in series
    ]
    peak = max(months, key=lambda month: (totals[month], month))
    alt = words(
        "revenue.alt" if "all" not in series else "revenue.alt_all",
        first=words.month(months[0], long=True),
        last=words.month(months[-1], long=True),
        measure=words(f"revenue.measure_{measure}"),
        peak=words.month(peak, long=True),
        value=show(totals[peak]),
    )
    notes = [
        words("revenue.running", month=words.month(month, long=True), day=words.day(numbers.as_of))
        for month in months
        if month in running
    ]
    drawn = [row for name in (measure, total) for row in numbers.rows("revenue", name) if row.period in months]
    notes += [words("revenue.not_drawn")] if any(row.hidden for row in drawn if (row.group is None) == ("all" in series)) else []
    notes += [words("revenue.no_purchase")] if _others(numbers) else []
    notes += [words("revenue.earlier", count=words.whole(earlier), month=words.month(months[0], long=True))] if earlier else []
    code = words.currency_code
    title = words("revenue.figure_orders") if not priced else words("revenue.figure")
    title = words("revenue.figure_money", currency=code) if priced and code else title
    key = tuple((group, words(f"revenue.{group}")) for group in series)
    return Figure("months", title, key, tuple(marks), alt, table, words("format.sentence_gap").join(notes))


def _others(numbers: Numbers) -> bool:
    return NO_PURCHASE in numbers.groups("revenue", ("revenue",))


def _shown_months(numbers: Numbers) -> tuple[list[str], int]:
    """The months a figure can hold, the latest, and how many earlier ones METRICS has beside them."""
    months = [period for period in numbers.periods("revenue", "month_complete") if period]
    return months[-_MOST_MONTHS:], max(0, len(months) - _MOST_MONTHS)


def _parts(numbers: Numbers, priced: bool) -> list[tuple[str, str | None]]:
    """What a table of new and returning customers tells of each period."""
    parts: list[tuple[str, str | None]] = []
    if priced:
        parts += [("revenue", "returning"), ("revenue", "new"), ("returning_share", None)]
        parts += [("revenue", NO_PURCHASE)] if _others(numbers) else []
    return [*parts, ("orders", "returning"), ("orders", "new")]


def _table(words: Words, title: str, periods: list[str], numbers: Numbers, parts: list[tuple[str, str | None]]) -> Table:
    priced = any(metric != "orders" for metric, _ in parts)
    labels = {
        ("revenue_of_buyers", None): "of_all",
        ("orders", None): "orders_of_all",
        ("revenue", "returning"): "returning",
        ("revenue", "new"): "new",
        ("returning_share", None): "share_returning",
        ("revenue", NO_PURCHASE): "other",
        ("orders", "returning"): "orders_returning",
        ("orders", "new"): "orders_new",
    }
    columns = [Column(words(f"revenue.{length_of(periods[0])}"), numeric=False)]
    columns += [
        Column(words(f"revenue.{labels[part]}"), minor=priced and part[0] == "orders" and part[1] is not None) for part in parts
    ]
    peak = max((abs(row.value or 0.0) for row in numbers.rows("revenue", "revenue")), default=0.0)
    shows: dict[str, Show] = {"returning_share": words.percent, "orders": words.whole}
    money = partial(words.cell, largest=peak)
    rows = []
    for period in periods:
        name = words.period(period)
        cells = [Cell(words("revenue.running_mark", month=name) if _running(numbers, period) else name)]
        cells += [cell(numbers.find("revenue", *part, period), shows.get(part[0], money)) for part in parts]
        rows.append(tuple(cells))
    return Table(title, tuple(columns), tuple(rows))
