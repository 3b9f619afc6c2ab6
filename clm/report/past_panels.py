"""Panels about what has happened: data quality, revenue by month, recency and frequency.

It may not compute; numbers come from METRICS and are put into words, tables and figures here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from clm.report.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Heat,
    HeatCell,
    Mark,
    Pairs,
    Paragraph,
    Table,
    Verdict,
)
from clm.report.cells import Show, cell, text
from clm.report.numbers import Numbers
from clm.report.words import Words, plain
from clm.tables import NO_PURCHASE

_LEVELS = (0.01, 0.03, 0.06, 0.12)  # shares of customers at which a cell of the grid gets the next tint

# ten years of bars; more of them than this no page can hold, and Vega refuses some thousands
_MOST_MONTHS = 120


def quality(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[Block, ...]:
    """What became of every row and every amount, and what the log is."""
    pairs = Pairs(_about(numbers, facts, words))
    rows_in, rows_out = (numbers.value("quality", f"rows_{end}") for end in ("in", "out"))
    if rows_in is None:
        return (Paragraph(words("quality.none")), pairs)
    rejected, collapsed = (numbers.value("quality", f"rows_{kind}") or 0 for kind in ("rejected", "collapsed"))
    said = {
        "rows_in": words.count("rows", rows_in),
        "rows_out": words.whole(rows_out),
        "rejected": words.whole(rejected),
        "collapsed": words.whole(collapsed),
    }
    key = "lead_collapsed" if collapsed else "lead" if rejected else "lead_all"
    blocks: list[Block] = [Paragraph(words(f"quality.{key}", **said))]
    flags = [row.value for kind in ("rows", "amount") for row in numbers.rows("quality", f"{kind}_balanced")]
    good = all(flag == 1 for flag in flags)
    blocks.append(
        Verdict(
            words("quality.not_balanced" if not good else "quality.money_balanced" if len(flags) > 1 else "quality.balanced"),
            good,
        )
    )
    blocks.append(_account(numbers, words))
    blocks += _flags(numbers, words)
    late = numbers.value("quality", "rows_after_as_of")
    if late:
        day = words.day(numbers.as_of)
        blocks.append(Paragraph(words("quality.after_as_of", rows=words.count("rows", late), day=day)))
    blocks.append(pairs)
    return tuple(blocks)


def _account(numbers: Numbers, words: Words) -> Table:
    priced = numbers.find("quality", "amount_in") is not None
    lines: list[tuple[str, str, str | None]] = [(words("quality.read"), "in", None), (words("quality.used"), "out", None)]
    for kind, names in (("rejected", "reject"), ("collapsed", "collapsed")):
        codes = numbers.groups("quality", (f"rows_{kind}",))
        lines += [(words.name(names, code), kind, code) for code in codes]
    rows = []
    for label, end, code in lines:
        count, money = (numbers.value("quality", f"{what}_{end}", code) for what in ("rows", "amount"))
        share = numbers.value("quality", "rows_share", f"{end}.{code}" if code else end)
        row = (Cell(label), Cell(words.whole(count), count), Cell(words.percent(share), share))
        rows.append((*row, Cell(words.cell(money), money)) if priced else row)
    parts = ("rows", "share", "amount") if priced else ("rows", "share")
    columns = (Column(words("quality.step"), numeric=False), *(Column(words(f"quality.{part}")) for part in parts))
    return Table(words("quality.table"), columns, tuple(rows), strong=(1,))


def _flags(numbers: Numbers, words: Words) -> list[Block]:
    """Rows that were kept but are remarkable: how many, what the flag means, what to do."""
    whole = numbers.find("quality", "rows_flagged")
    if whole is None:
        return []
    if not whole.value:
        return [Paragraph(words("quality.flags_none"))]
    codes = sorted(
        numbers.groups("quality", ("rows_flagged",)), key=lambda code: -(numbers.value("quality", "rows_flagged", code) or 0.0)
    )
    priced = bool(numbers.rows("quality", "amount_flagged"))
    rows = []
    for code in codes:
        count, share, money = (
            numbers.value("quality", metric, code) for metric in ("rows_flagged", "flagged_share", "amount_flagged")
        )
        said = code if words.known(f"flag.{code}") else "own"
        cells = [Cell(words.name("flag", code)), Cell(words.whole(count), count), Cell(words.percent(share), share)]
        cells += [Cell(words.cell(money), money)] if priced else []
        rows.append((*cells, Cell(words(f"flag_means.{said}")), Cell(words(f"flag_do.{said}"))))
    parts = ("rows", "share", *(("amount",) if priced else ()))
    columns = (
        Column(words("quality.flag"), numeric=False),
        *(Column(words(f"quality.{part}")) for part in parts),
        *(Column(words(f"quality.flag_{part}"), numeric=False) for part in ("means", "do")),
    )
    whole_share = words.percent(numbers.value("quality", "flagged_share"))
    lead = words("quality.flags", rows=words.count("rows", whole.value), share=whole_share)
    return [Paragraph(lead), Table(words("quality.flags_table"), columns, tuple(rows), words("quality.flags_note"))]


def _about(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[tuple[str, str], ...]:
    items = []
    window = numbers.single("quality", "window")
    if window and window.period:
        first, last = (words.day(day) for day in window.period.split("/"))
        text = words("quality.window_text", first=first, last=last, days=words.count("days", window.value))
        items.append((words("quality.window"), text))
    unknown = words("report.unknown")
    items.append((words("quality.as_of"), words.day(numbers.as_of)))
    items.append((words("quality.currency"), plain(facts.get("currency") or unknown, 12)))
    if facts.get("zone"):
        items.append((words("quality.zone"), plain(facts["zone"], 40)))
    ancestors = facts.get("ancestors")
    named = [one for one in ancestors if isinstance(one, dict) and "source" in one] if isinstance(ancestors, list) else []
    for source in named:
        name, size, digest = plain(source["source"], 60), source.get("bytes"), source.get("sha256")
        text = (
            words("quality.source_text", name=name, bytes=words.count("bytes", size), sha256=plain(digest)[:12])
            if isinstance(size, int) and isinstance(digest, str)
            else words("quality.source_plain", name=name)
        )
        items.append((words("quality.source"), text))
    return tuple(items)


def revenue(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Months: money of new against returning customers; orders where the log has no amounts."""
    months, earlier = _shown_months(numbers)
    if not months:
        return (Paragraph(words("revenue.none")),)
    priced = any(row.value is not None for row in numbers.rows("revenue", "revenue"))
    measure = "revenue" if priced else "orders"
    show = words.money if priced else words.whole
    running = {row.period for row in numbers.rows("revenue", "month_complete") if row.value == 0}
    blocks: list[Block] = []
    full = [month for month in months if month not in running]
    share = numbers.value("revenue", "returning_share", None, full[-1]) if full else None
    if not priced:
        blocks.append(Paragraph(words("revenue.lead_orders")))
    elif share is not None:
        whole = words.money(numbers.value("revenue", "revenue_of_buyers", None, full[-1]))
        said = {"month": words.month(full[-1], long=True), "share": words.percent(share), "revenue": whole}
        blocks.append(Paragraph(words("revenue.lead", **said)))
    marks = [
        Mark(group, words.month(month), numbers.value("revenue", measure, group, month) or 0.0, faint=month in running)
        for month in months
        for group in ("returning", "new")
    ]
    total = "revenue_of_buyers" if priced else "orders"
    totals = {month: numbers.value("revenue", total, None, month) or 0.0 for month in months}
    peak = max(months, key=lambda month: (totals[month], month))
    alt = words(
        "revenue.alt",
        first=words.month(months[0], long=True),
        last=words.month(months[-1], long=True),
        measure=words(f"revenue.measure_{measure}"),
        peak=words.month(peak, long=True),
        value=show(totals[peak]),
    )
    others = NO_PURCHASE in numbers.groups("revenue", ("revenue",))
    notes = [
        words("revenue.running", month=words.month(month, long=True), day=words.day(numbers.as_of)) for month in running if month
    ]
    notes += [words("revenue.not_drawn")] if any(row.hidden for row in numbers.rows("revenue", measure)) else []
    notes += [words("revenue.no_purchase")] if others else []
    notes += [words("revenue.earlier", count=words.whole(earlier), month=words.month(months[0], long=True))] if earlier else []
    key = tuple((group, words(f"revenue.{group}")) for group in ("returning", "new"))
    table = _months(numbers, words, months, priced, others)
    code = words.currency_code
    title = words("revenue.figure_orders") if not priced else words("revenue.figure")
    title = words("revenue.figure_money", currency=code) if priced and code else title
    gap = words("format.sentence_gap")
    blocks.append(Figure("months", title, key, tuple(marks), alt, table, gap.join(notes)))
    return tuple(blocks)


def _shown_months(numbers: Numbers) -> tuple[list[str], int]:
    """The months a figure can hold, the latest, and how many earlier ones METRICS has beside them."""
    months = [period for period in numbers.periods("revenue", "month_complete") if period]
    return months[-_MOST_MONTHS:], max(0, len(months) - _MOST_MONTHS)


def _months(numbers: Numbers, words: Words, months: list[str], priced: bool, others: bool) -> Table:
    columns = [Column(words("revenue.month"), numeric=False)]
    parts: list[tuple[str, str | None]] = []
    if priced:
        parts += [("revenue", "returning"), ("revenue", "new"), ("returning_share", None)]
        parts += [("revenue", NO_PURCHASE)] if others else []
    parts += [("orders", "returning"), ("orders", "new")]
    labels = {
        ("revenue", "returning"): "returning",
        ("revenue", "new"): "new",
        ("returning_share", None): "share_returning",
        ("revenue", NO_PURCHASE): "other",
        ("orders", "returning"): "orders_returning",
        ("orders", "new"): "orders_new",
    }
    columns += [Column(words(f"revenue.{labels[part]}"), minor=priced and part[0] == "orders") for part in parts]
    peak = max((abs(row.value or 0.0) for row in numbers.rows("revenue", "revenue")), default=0.0)
    shows: dict[str, Show] = {"returning_share": words.percent, "orders": words.whole}
    shows["revenue"] = partial(words.cell, largest=peak)
    rows = []
    for complete in numbers.rows("revenue", "month_complete"):
        month = complete.period or ""
        if month not in months:
            continue
        name = words.month(month)
        cells = [Cell(name if complete.value else words("revenue.running_mark", month=name))]
        for metric, group in parts:
            cells.append(cell(numbers.find("revenue", metric, group, month), shows[metric]))
        rows.append(tuple(cells))
    return Table(words("panel.revenue"), tuple(columns), tuple(rows))


def grid(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Customers by recency and frequency score: the best at the top right."""
    bins = int(numbers.value("rfm_grid", "bins") or 0)
    if not bins:
        return (Paragraph(words("grid.none")),)
    lead = words("grid.lead_plain")
    if numbers.find("segments", "customers", "champion"):
        lead = words("grid.lead", name=words.name("segment", "champion"))
    rows, fullest = [], (0.0, 1, 1)
    for f in range(bins, 0, -1):
        row = []
        for r in range(1, bins + 1):
            found = numbers.find("rfm_grid", "customers", f"r{r}f{f}")
            if found is not None and found.hidden:
                row.append(HeatCell(text(found, words.whole), None, "", 1))
                continue
            count = (found.value if found else None) or 0.0
            share = numbers.value("rfm_grid", "customer_share", f"r{r}f{f}") or 0.0
            level = 0 if not count else 1 + sum(share >= step for step in _LEVELS)
            row.append(HeatCell(words.whole(count), count, words.percent(share) if count else "", level))
            fullest = max(fullest, (count, r, f))
        rows.append(tuple(row))
    count, r, f = fullest
    alt = words("grid.alt", bins=str(bins), r=str(r), f=str(f), customers=words.count("customers", count))
    heat = Heat(
        caption=words("grid.caption"),
        corner=words("grid.corner"),
        columns=tuple(words("grid.r_axis", n=str(r)) for r in range(1, bins + 1)),
        rows=tuple(words("grid.f_axis", n=str(f)) for f in range(bins, 0, -1)),
        cells=tuple(rows),
        alt=alt,
        note=words("grid.empty_scores"),
    )
    return (Paragraph(lead), heat)
