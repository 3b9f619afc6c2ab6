"""Panels about groups of customers: segments, stages of life, tiers, the portfolio of segments, and who moved.

It may not compute; numbers come from METRICS and are put into words, tables and figures here.
"""

from __future__ import annotations

import math
from functools import partial

from clm.report.blocks import Block, Cell, Column, Figure, Heat, HeatCell, Mark, Paragraph, Table
from clm.report.cells import Show, cell, text
from clm.report.numbers import Number, Numbers
from clm.report.words import NOTHING, Words
from clm.tables import MIGRATED, NO_PURCHASE

_FIELDS = ("star", "earner", "riser", "fader")
_MOVES = 8
_WIDEST = 14  # codes side by side in a matrix; with more, only the largest moves are told
_LEVELS = (0.02, 0.1, 0.25, 0.5)  # shares of a row at which a cell of a matrix gets the next tint
_COLUMNS = ("customers", "customer_share", "revenue", "revenue_share", "median_recency_days", "mean_clv", "clv")
_WHERE_KNOWN = ("revenue", "revenue_share", "mean_clv", "clv")
_NAMES = {"segments": "segment", "lifecycle": "lifecycle", "tiers": "tier"}


def segments(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Who the customers are, what they bring, and what to do with them."""
    codes = numbers.groups("segments", ("customers",))
    if not codes:
        return (Paragraph(words("segments.none")),)
    names = {code: words.name("segment", code) for code in codes}
    blocks = _shares(numbers, words, "segments")
    known = [code for code in codes if words.known(f"action.{code}")]
    if known:
        blocks.append(
            Table(
                words("segments.actions"),
                tuple(Column(words(f"segments.{part}"), numeric=False) for part in ("group", "meaning", "action")),
                tuple((Cell(names[code]), Cell(words(f"meaning.{code}")), Cell(words(f"action.{code}"))) for code in known),
                note=words("segments.scores_equal") if _one_score(numbers) else "",
            )
        )
    return tuple(blocks)


def lifecycle(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Where customers stand by silence against their own rhythm."""
    codes = [code for code in numbers.groups("lifecycle", ("customers",)) if words.known(f"stage.{code}")]
    if not [code for code in codes if code != NO_PURCHASE]:
        return (Paragraph(words("lifecycle.none")),)
    columns = tuple(Column(words(f"lifecycle.{part}"), numeric=False) for part in ("group", "rule"))
    rules = tuple((Cell(words.name("lifecycle", code)), Cell(words(f"stage.{code}"))) for code in codes)
    return (*_shares(numbers, words, "lifecycle"), Table(words("lifecycle.rules"), columns, rules, words("lifecycle.rhythm")))


def tiers(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """The pyramid of customers, best first."""
    if not numbers.groups("tiers", ("customers",)):
        return (Paragraph(words("tiers.none")),)
    return tuple(_shares(numbers, words, "tiers"))


def _shares(numbers: Numbers, words: Words, section: str) -> list[Block]:
    """A sentence about the strongest group, bars of the shares of customers and revenue, and the table behind them."""
    codes = numbers.groups(section, ("customers",))
    names = {code: words.name(_NAMES[section], code) for code in codes}
    shared = [code for code in codes if numbers.value(section, "customer_share", code) is not None]
    priced = any(numbers.value(section, "revenue_share", code) is not None for code in shared)
    measures = ("revenue_share", "customer_share") if priced else ("customer_share",)
    blocks: list[Block] = []
    if shared:
        best = max(shared, key=lambda code: numbers.value(section, measures[0], code) or 0.0)
        share = words.percent(numbers.value(section, measures[0], best))
        people = words.percent(numbers.value(section, "customer_share", best))
        if _surely_first(numbers, section, measures[0], best):
            lead, said = ("lead", {"revenue": share}) if priced else ("lead_customers", {})
            blocks.append(Paragraph(words(f"{section}.{lead}", name=names[best], customers=people, **said)))
        marks = tuple(
            Mark(measure, names[code], number.value or 0.0, text(number, words.percent))
            for code in codes
            for measure in reversed(measures)
            if (number := numbers.find(section, measure, code)) is not None and (number.hidden or number.value is not None)
        )
        alt = words(f"{section}.alt" if priced else f"{section}.alt_customers", name=names[best], value=share)
        key = tuple((measure, words(f"groups.{measure}")) for measure in reversed(measures))
        table = _table(numbers, words, section, codes)
        title = words("groups.figure" if priced else "groups.figure_customers")
        blocks.append(Figure("segments", title, key, marks, alt, table, table_open=True))
    none = numbers.value(section, "customers", NO_PURCHASE)
    if none:
        blocks.append(Paragraph(words("groups.no_purchase_note", customers=words.count("customers", none))))
    return blocks


def _surely_first(numbers: Numbers, section: str, measure: str, code: str) -> bool:
    """Whether no group that is hidden can have a larger share than this one: all of them together have less."""
    rows = numbers.rows(section, measure)
    shown = math.fsum(row.value for row in rows if row.value is not None)
    return not any(row.hidden for row in rows) or 1 - shown <= (numbers.value(section, measure, code) or 0.0)


def _one_score(numbers: Numbers) -> bool:
    """True when all buyers share one recency score or one frequency score, so that segments rest on the other alone."""
    filled = [(row.group or "").partition("f") for row in numbers.rows("rfm_grid", "customers") if row.value or row.hidden]
    return bool(filled) and 1 in (len({r for r, _, _ in filled}), len({f for _, _, f in filled}))


def _table(numbers: Numbers, words: Words, section: str, codes: list[str]) -> Table:
    known = {part for part in _WHERE_KNOWN if any(row.value is not None for row in numbers.rows(section, part))}
    parts = [part for part in _COLUMNS if part not in _WHERE_KNOWN or part in known]
    shows: dict[str, Show] = {"customers": words.whole, "median_recency_days": words.whole}
    shows |= {"customer_share": words.percent, "revenue_share": words.percent}
    peaks = {part: max((abs(row.value or 0.0) for row in numbers.rows(section, part)), default=0.0) for part in parts}
    rows = []
    for code in codes:
        cells = [Cell(words.name(_NAMES[section], code))]
        for part in parts:
            show = shows.get(part) or partial(words.cell, largest=peaks[part])
            cells.append(cell(numbers.find(section, part, code), show))
        rows.append(tuple(cells))
    columns = (
        Column(words(f"{section}.group"), numeric=False),
        *(Column(words(f"groups.{part}"), minor=part == "median_recency_days") for part in parts),
    )
    return Table(words(f"{section}.table"), columns, tuple(rows))


def portfolio(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Segments by what a member brings now and by growth: four fields, each with what to do."""
    placed = [row.group.split(".", 1) for row in numbers.rows("portfolio", "field") if row.group]
    if not placed:
        return (Paragraph(words("portfolio.none")),)
    fields = []
    for field in _FIELDS:
        here = [words.name("segment", code) for name, code in placed if name == field]
        fields.append(
            (Cell(words(f"field.{field}")), Cell(words("format.list").join(here) or NOTHING), Cell(words(f"field.{field}_do")))
        )
    heads = tuple(Column(words(f"portfolio.{part}"), numeric=False) for part in ("field", "segments", "action"))
    peak = max((abs(row.value or 0.0) for row in numbers.rows("portfolio", "revenue")), default=0.0)
    rows = []
    for revenue in numbers.rows("portfolio", "revenue"):
        code = revenue.group or ""
        value, growth = (numbers.find("portfolio", of, code, period) for of, period in (("value", "365d"), ("growth", "90d")))
        rows.append(
            (
                Cell(words.name("segment", code)), cell(revenue, partial(words.cell, largest=peak)),
                cell(value, words.decimal), cell(growth, words.signed_percent),
            )
        )  # fmt: skip
    columns = (
        Column(words("segments.group"), numeric=False),
        *(Column(words(f"portfolio.{part}")) for part in ("revenue", "value", "growth")),
    )
    return (
        Paragraph(words("portfolio.lead")),
        Table(words("portfolio.fields"), heads, tuple(fields)),
        Table(words("portfolio.table"), columns, tuple(rows), words("portfolio.note")),
    )


def migration(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Who moved between the groups since an earlier table."""
    cells = [row for row in numbers.rows("migration", "customers") if row.group and row.period]
    if not cells:
        return (Paragraph(words("migration.absent")),)
    period = cells[0].period or ""
    was, now = (words.day(day) for day in period.split("/"))
    blocks: list[Block] = []
    for of in MIGRATED:
        moved = numbers.find("migration", "moved_share", of, period)
        if moved is None:
            continue
        ways = {
            way: text(numbers.find("migration", "direction", f"{of}:{way}", period), words.whole)
            for way in ("up", "down", "new", "lost")
        }
        kind = words(f"migration.{of}")
        if moved.value is not None:
            blocks.append(
                Paragraph(words("migration.lead", was=was, now=now, kind=kind, share=words.percent(moved.value), **ways))
            )
        blocks += _moves(numbers, words, of, period)
    return tuple(blocks)


def _moves(numbers: Numbers, words: Words, of: str, period: str) -> list[Block]:
    """The matrix of row shares, where it is not too wide, and the largest moves with their money."""
    found: dict[tuple[str, str], Number] = {}
    for row in numbers.rows("migration", "customers"):
        kind, _, ends = (row.group or "").partition(":")
        if kind == of and row.period == period:
            before, _, after = ends.partition(">")
            found[before, after] = row
    known = numbers.groups({"segment": "segments", "tier": "tiers"}.get(of, of), ("customers",))
    seen = list(dict.fromkeys([*(before for before, _ in found), *(after for _, after in found)]))
    codes = [code for code in known if code in seen] + [code for code in seen if code not in known]
    blocks: list[Block] = [_matrix(numbers, words, of, period, codes, found)] if len(codes) <= _WIDEST else []
    moves = [(row.value, move) for move, row in found.items() if move[0] != move[1] and row.value is not None]
    largest = [move for _, move in sorted(moves, key=lambda one: -one[0])[:_MOVES]]
    if largest:
        priced = any(row.value is not None for row in numbers.rows("migration", "spend_after"))
        parts = ("spend_before", "spend_after") if priced else ()
        rows = []
        for move in largest:
            money = [numbers.value("migration", part, f"{of}:{move[0]}>{move[1]}", period) for part in parts]
            both = [Cell(_called(words, of, code)) for code in move]
            rows.append((*both, cell(found[move], words.whole), *(Cell(words.cell(one, 10_000), one) for one in money)))
        heads = (Column(words("migration.from"), numeric=False), Column(words("migration.to"), numeric=False))
        columns = (*heads, Column(words("groups.customers")), *(Column(words(f"migration.{part}")) for part in parts))
        blocks.append(Table(words("migration.moves", kind=words(f"migration.{of}")), columns, tuple(rows)))
    return blocks


def _matrix(numbers: Numbers, words: Words, of: str, period: str, codes: list[str], found: dict[tuple[str, str], Number]) -> Heat:
    """Shares of each row; columns bear the numbers of the rows."""
    rows = [code for code in codes if any(before == code for before, _ in found)]
    columns = [code for code in codes if any(after == code for _, after in found)]
    place = {code: str(number) for number, code in enumerate(codes, 1)}
    cells = []
    for before in rows:
        line = []
        for after in columns:
            row = numbers.find("migration", "share", f"{of}:{before}>{after}", period)
            share = row.value if row else None
            level = 0 if share is None else 1 + sum(share >= step for step in _LEVELS)
            line.append(HeatCell(text(row, words.percent) if row else "", share, "", level))
        cells.append(tuple(line))
    kind = words(f"migration.{of}")
    return Heat(
        caption=words("migration.matrix", kind=kind),
        corner=words("migration.corner"),
        columns=tuple(place[code] for code in columns),
        rows=tuple(f"{place[code]} {_called(words, of, code)}" for code in rows),
        cells=tuple(cells),
        alt=words("migration.alt", kind=kind),
        phone=0,
        phone_note=words("migration.phone"),
        note=words(
            "migration.numbers", names=words("format.list").join(f"{place[code]} {_called(words, of, code)}" for code in columns)
        ),
    )


def _called(words: Words, of: str, code: str) -> str:
    """The name of a code; who was not there, or is gone, is called by its own word."""
    bare = code.strip("()")
    return words(f"migration.{bare}") if bare != code and words.known(f"migration.{bare}") else words.name(of, code)
