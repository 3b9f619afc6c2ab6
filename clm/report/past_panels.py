"""Panels about what has happened: data quality, recency and frequency.

It may not compute; numbers come from METRICS and are put into words, tables and figures here.
"""

from __future__ import annotations

from typing import Any

from clm.report.blocks import (
    Block,
    Cell,
    Column,
    Heat,
    HeatCell,
    Pairs,
    Paragraph,
    Table,
    Verdict,
)
from clm.report.cells import text
from clm.report.numbers import Numbers
from clm.report.words import Words, plain

_LEVELS = (0.01, 0.03, 0.06, 0.12)  # shares of customers at which a cell of the grid gets the next tint


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
