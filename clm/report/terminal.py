"""The report as text for a terminal: sentences, key figures, aligned tables, bars of characters.

It may not compute or word anything: it draws the outline. Without colour it keeps to ASCII signs around the words of the
language, so that a pipe, a mail or `LANG=C` shows it whole.
"""

from __future__ import annotations

import io
import shlex
from itertools import accumulate
from typing import Any, Literal

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from clm.report.blocks import (
    Block,
    Commands,
    Figure,
    Heat,
    Outline,
    Pairs,
    Paragraph,
    Points,
    Table,
    Verdict,
)
from clm.report.outline import outline
from clm.report.words import Words, ascii_typography, load, plain
from clm.report.wrap import cells, wrapped

_LEAST, _MOST = 40, 110
_LONGEST = 24  # rows of a table: a screen and a bit
_BAR = 18
_CURVES = ("lorenz", "survival", "tracking", "alive")
_GAP = 2  # between columns: one of padding, one of the ruled box
_RULED = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def render(
    metrics: pl.DataFrame,
    facts: dict[str, Any],
    lang: str,
    width: int = 80,
    colour: bool = False,
    named: pl.DataFrame | None = None,
) -> str:
    """The report as lines of at most `width` cells (Chinese signs are two wide); with ANSI colours only when `colour`.

    A command that is longer than a line is continued with a backslash.
    """
    drawn = io.StringIO()
    width = max(_LEAST, min(width, _MOST))
    page = _Page(outline(metrics, facts, lang, named, plain_signs=not colour), load(lang), drawn, width, colour)
    page.draw()
    text = drawn.getvalue() if colour else ascii_typography(drawn.getvalue())
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n") + "\n"


def _is_curve(block: Block) -> bool:
    """A curve has no form in characters; sentences and tables beside it say what it shows."""
    return isinstance(block, Figure) and block.kind in _CURVES


class _Page:
    def __init__(self, report: Outline, words: Words, drawn: io.StringIO, width: int, colour: bool) -> None:
        self.report, self.words, self.width, self.colour = report, words, width, colour
        # an environment of its own: the terminal the program happens to run in may not change the text
        self.console = Console(
            file=drawn,
            width=width,
            force_terminal=colour,
            color_system="standard" if colour else None,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            _environ={"TERM": "xterm"},
        )

    def text(self, words: str, style: str = "", width: int = 0) -> Text:
        """One inert piece of text: no markup, no control bytes; broken into lines when a width is given."""
        shown = plain(words, longest=100_000)
        broken = "\n".join(wrapped(shown, width)) if width else shown
        return Text(broken, style=style if self.colour else "")

    def put(self, words: str, style: str = "") -> None:
        self.console.print(self.text(words, style, self.width))

    def gap(self) -> None:
        self.console.print()

    def draw(self) -> None:
        report = self.report
        self.put(report.title, "bold")
        self.put(" · ".join(report.subtitle), "dim")
        self.gap()
        self.points(report.headlines)
        self.gap()
        self.tiles()
        if report.notices:
            self.gap()
            self.put(report.notices_title, "bold")
            self.points(report.notice_lines)
        for panel in report.panels:
            self.gap()
            self.heading(panel.title)
            drawn = [block for block in panel.blocks if not _is_curve(block)]
            for place, block in enumerate(drawn):
                if place:
                    self.gap()
                self.block(block)
        self.gap()
        self.put(report.made_by, "dim")

    def heading(self, title: str) -> None:
        rule = "─" if self.colour else "-"
        self.put(f"{rule}{rule} {title} {rule * (self.width - cells(title) - 4)}", "bold")

    def points(self, items: tuple[str, ...] | list[str]) -> None:
        grid = RichTable.grid(padding=(0, 1))
        for item in items:
            grid.add_row(self.text("•" if self.colour else "*"), self.text(item, width=self.width - 2))
        self.console.print(grid)

    def tiles(self) -> None:
        grid = RichTable.grid(padding=(0, 2))
        grid.add_column()
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column()
        if self.report.tiles_note:
            self.put(self.report.tiles_note)
            self.gap()
        for tile in self.report.tiles:
            beside = self.words("format.reason_gap").join(text for text in (tile.change, tile.note) if text)
            grid.add_row(self.text(tile.label), self.text(tile.text, "bold"), self.text(beside, "dim"))
        self.console.print(grid)

    def block(self, block: Block) -> None:
        match block:
            case Paragraph():
                self.put(block.text)
            case Verdict():
                self.put(block.text if block.good else f"! {block.text}", "bold" if block.good else "bold red")
            case Points():
                self.points(block.items)
            case Pairs():
                self.pairs(block)
            case Commands():
                self.put(block.title, "bold")
                for line in block.lines:
                    self.command(line)
                self.put(block.note, "dim")
            case Heat():
                self.heat(block)
            case Figure():
                self.figure(block)
            case Table():
                self.table(block)

    def pairs(self, pairs: Pairs) -> None:
        grid = RichTable.grid(padding=(0, 2))
        left = max((cells(term) for term, _ in pairs.items), default=0)
        for term, text in pairs.items:
            grid.add_row(self.text(term, "dim"), self.text(text, width=max(self.width - left - 2, 10)))
        self.console.print(grid)

    def command(self, line: str) -> None:
        """A command as it can be pasted, continued with a backslash where it is longer than the line."""
        lines = [""]
        for part in shlex.split(line):
            word = shlex.quote(part)
            if lines[-1] and cells(f"{lines[-1]} {word}") > self.width - 6:
                lines.append("  ")
            lines[-1] = f"{lines[-1]} {word}" if lines[-1].strip() else lines[-1] + word
        for place, one in enumerate(lines):
            more = " \\" if place + 1 < len(lines) else ""
            self.console.print(self.text(f"  {one}{more}"), soft_wrap=True)

    def figure(self, figure: Figure) -> None:
        """Its table, with a bar beside each row where rows are the places of the figure."""
        self.put(figure.title, "bold")
        bars = self.bars(figure)
        columns = self.columns(figure.table, _BAR + _GAP) if bars else None
        barred = columns is not None
        columns = columns or self.columns(figure.table) or {}
        if barred and figure.kind == "months":
            key = zip(self.signs(), figure.key, strict=False)
            self.put("  ".join(f"{sign} {label}" for sign, (_, label) in key), "dim")
        self.rows(figure.table, columns, bars if barred else [])
        if figure.note:
            self.put(figure.note, "dim")

    def signs(self) -> tuple[str, str]:
        return ("█", "░") if self.colour else ("#", "=")

    def bars(self, figure: Figure) -> list[str]:
        """Months: the series of the key on top of each other; segments: the one the reader looks for."""
        if figure.kind not in ("months", "segments"):
            return []
        stacked = [series for series, _ in figure.key] if figure.kind == "months" else [figure.key[-1][0]]
        lengths: dict[str, list[float]] = {}
        for mark in figure.marks:
            if mark.series in stacked:
                lengths.setdefault(mark.place, []).append(max(mark.value, 0.0))
        longest = max((sum(parts) for parts in lengths.values()), default=0.0)
        if longest <= 0:
            return []
        return [
            "".join(sign * round(_BAR * part / longest) for sign, part in zip(self.signs(), parts, strict=False))
            for parts in lengths.values()
        ]

    def table(self, table: Table) -> None:
        self.put(table.caption, "bold")
        self.rows(table, self.columns(table) or {}, [])

    def columns(self, table: Table, reserve: int = 0) -> dict[int, int] | None:
        """The columns that fit, each with its width: minor ones go first, all at once, then the last.

        With a `reserve` for bars only minor columns go, and None says that the bars do not fit.
        """
        needs = {place: self.need(table, place) for place in range(len(table.columns))}
        minor = [place for place in needs if place and table.columns[place].minor]
        major = [place for place in needs if place and not table.columns[place].minor]

        def room() -> int:
            return self.width - reserve - sum(needs.values()) - _GAP * (len(needs) - 1)

        if room() < 0:
            needs = {place: need for place, need in needs.items() if place not in minor}
        while room() < 0 and major and not reserve:
            del needs[major.pop()]
        if room() < 0 and reserve:
            return None
        for place in needs:  # spend what is left on headings of three lines or more
            while room() > 0 and len(wrapped(table.columns[place].label, needs[place])) > 2:
                needs[place] += 1
        return needs

    def need(self, table: Table, place: int) -> int:
        """Numbers are never broken, headings only between words; words may be broken down to a third of the line."""
        widest = max([*(cells(row[place].text) for row in table.rows), 1])
        word = max([cells(word) for word in table.columns[place].label.split()], default=1)
        if table.columns[place].numeric:
            return max(widest, word)
        return max(min(widest, self.width // 3 if len(table.columns) < 4 else self.width // 4), word)

    def spread(self, table: Table, needs: dict[int, int], reserve: int) -> dict[int, int]:
        """What is left of the line goes to the columns of words, evenly, as far as they can use it."""
        widths = dict(needs)
        wants = {place: max(cells(row[place].text) for row in table.rows) for place in needs if table.rows}
        left = self.width - reserve - sum(widths.values()) - _GAP * (len(widths) - 1)
        while left > 0 and (hungry := [place for place, want in wants.items() if widths[place] < want]):
            for place in hungry[:left]:
                widths[place] += 1
                left -= 1
        return widths

    def rows(self, table: Table, needs: dict[int, int], bars: list[str]) -> None:
        grid = self.grid((0, 1, 0, 0))
        widths = self.spread(table, needs, _BAR + _GAP if bars else 0)
        for place, need in needs.items():
            column = table.columns[place]
            justify: Literal["left", "right"] = "right" if column.numeric else "left"
            head = self.text(column.label, "dim", need)
            grid.add_column(head, justify=justify, width=widths[place], vertical="top", overflow="fold")
        if bars:
            grid.add_column("", width=_BAR, no_wrap=True)
        rows = list(enumerate(table.rows))
        for number, row in rows[-_LONGEST:]:
            style = "bold" if number in table.strong else ""
            shown = [self.text(row[place].text, style, widths[place]) for place in needs]
            bar = [Text(bars[number] if number < len(bars) else "", "blue" if self.colour else "")] if bars else []
            grid.add_row(*shown, *bar)
        self.console.print(grid)
        if len(rows) > _LONGEST:
            self.put(self.words.count("earlier", len(rows) - _LONGEST), "dim")
        if table.note:
            self.put(table.note, "dim")
        if len(needs) < len(table.columns):
            self.put(self.words("report.more_columns"), "dim")

    def grid(self, padding: tuple[int, int, int, int]) -> RichTable:
        """A table with a line under its headings; one blank and the padding between columns."""
        ruled = box.SIMPLE_HEAD if self.colour else _RULED
        return RichTable(box=ruled, pad_edge=False, show_edge=False, header_style="", padding=padding)

    def heat(self, heat: Heat) -> None:
        """The grid with its rows named in full; closer together where that shows all columns, else the first that fit."""
        self.put(heat.caption, "bold")
        head = max(cells(text) for text in (heat.corner, *heat.rows))
        columns = list(zip(*heat.cells, strict=True))
        needs = [
            max([*map(cells, label.split()), *(cells(cell.text) for cell in column)])
            for label, column in zip(heat.columns, columns, strict=True)
        ]
        gap = _GAP if head + sum(needs) + _GAP * len(needs) <= self.width else 1
        fitting = sum(head + total + gap * place <= self.width for place, total in enumerate(accumulate(needs), 1))
        grid = self.grid((0, 0, 0, gap - 1))
        grid.add_column(self.text(heat.corner, "dim"), width=head)
        for label, need in zip(heat.columns[:fitting], needs, strict=False):
            grid.add_column(self.text(label, "dim", need), justify="right", width=need, no_wrap=True)
        for label, row in zip(heat.rows, heat.cells, strict=True):
            grid.add_row(
                self.text(label, "dim"),
                *(self.text(cell.text, "bold" if cell.level > 3 else "" if cell.level else "dim") for cell in row[:fitting]),
            )
        self.console.print(grid)
        if fitting < len(needs):
            self.put(self.words("report.more_columns"), "dim")
        self.put(heat.note, "dim")
