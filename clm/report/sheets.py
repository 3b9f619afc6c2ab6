"""The report as a workbook: the overview, a sheet for each panel, and every number of METRICS.

It may not compute or word anything: it draws the outline. A cell with a number behind it is that number, shown with the sign of
currency, the percent and the decimals of the page; charts are left out, their tables stand for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from clm.report import excel, told, workbook
from clm.report.blocks import (
    Block,
    Cell,
    Column,
    Commands,
    Figure,
    Heat,
    Outline,
    Pairs,
    Panel,
    Paragraph,
    Points,
    Table,
    Verdict,
)
from clm.report.outline import outline
from clm.report.words import load, plain
from clm.report.wrap import cells, wrapped

_TEXT_WIDTH = 96  # signs a sentence may be long before it goes on in the next line
_LEAST, _MOST = 9, 32  # widths of columns, in signs; longer words go on in the next line
_LINE = 15.75  # points of a line
_NEAR_TOP = 12  # a heading below this row would freeze half a screen
_TINTS = ("#F3F4F6", "#DCE9F7", "#B7D2EF", "#83B0DF", "#3F7FBF", "#1F5A96")  # of a grid, by level
_MOST_PLACES = 6
_LIGHT_FROM = 4  # letters are white on the darkest tints
_SHOWN = re.compile(r"([-−+]?)([^\d\"]{0,8})(\d[\d,]*)(?:\.(\d+))?(%?)([^\d\"][^\"]{0,80})?")


def to_workbook(metrics: pl.DataFrame, facts: dict[str, Any], lang: str, named: pl.DataFrame | None = None) -> bytes:
    """The workbook in `lang`. Same input, same bytes.

    Raises DataError (65) when METRICS has more rows than a sheet, or a text is longer than a cell.
    """
    words, report = load(lang), outline(metrics, facts, lang, named)
    numbers = told.headed(metrics, words)
    workbook.check(numbers)

    def fill(book: Any) -> None:
        names: list[str] = []

        def name(code: str, title: str) -> str:
            names.append(excel.sheet_name(words.name("sheet", code) if words.known(f"sheet.{code}") else title, names))
            return names[-1]

        _overview(_Sheet(book, name("overview", report.overview_title)), report)
        for panel in report.panels:
            _panel(_Sheet(book, name(panel.code, panel.title)), panel)
        workbook.table_sheet(book, name("numbers", "METRICS"), numbers)

    return excel.workbook(report.title, fill)


def _overview(sheet: _Sheet, report: Outline) -> None:
    """Headlines, key figures, notices."""
    sheet.widths = [26, 16, 54]
    sheet.title(report.title)
    sheet.say(" · ".join(report.subtitle), font_color="#666666")
    sheet.row += 1
    for sentence in report.headlines:
        sheet.say(sentence)
    sheet.row += 1
    for tile in report.tiles:
        value = Cell(tile.text, tile.value)
        sheet.put(0, Cell(tile.label), bottom=4)
        sheet.put(1, value, _look(value), bottom=4, bold=True, align="right")
        sheet.put(2, Cell(tile.note), bottom=4, font_color="#666666", indent=1)
        sheet.row += 1
    if report.notices:
        sheet.row += 1
        sheet.say(report.notices_title, bold=True)
        for line in report.notice_lines:
            sheet.say(line)
    sheet.row += 1
    sheet.say(report.made_by, font_color="#666666")
    sheet.done(1)


def _panel(sheet: _Sheet, panel: Panel) -> None:
    """Sentences and tables in the order of the page; the heading of an only table stays in sight."""
    tables = [table for block in panel.blocks if (table := _table_of(block))]
    terms = [cells(term) for block in panel.blocks if isinstance(block, Pairs) for term, _ in block.items]
    sheet.widths = _widths(tables, terms)
    sheet.title(panel.title)
    heading = 0
    for block in panel.blocks:
        heading = sheet.block(block) or heading
        sheet.row += 1
    sheet.done(heading if len(tables) == 1 and 0 < heading < _NEAR_TOP else 1)


def _table_of(block: Block) -> Table | None:
    """A block that can be read as a table; a grid is one whose first column names the rows."""
    match block:
        case Figure():
            return block.table
        case Heat():
            rows = zip(block.rows, block.cells, strict=True)
            return Table(
                block.caption,
                (Column(block.corner, numeric=False), *(Column(label) for label in block.columns)),
                tuple((Cell(label), *(Cell(cell.text, cell.value) for cell in line)) for label, line in rows),
                block.note,
            )
        case Table():
            return block
        case _:
            return None


def _widths(tables: list[Table], terms: list[int]) -> list[int]:
    """Of the columns the tables share; sentences run over all of them, so there are enough for one."""
    places = max((len(table.columns) for table in tables), default=2)
    widths = []
    for place in range(places):
        columns = [table for table in tables if place < len(table.columns)]
        needs = [cells(word) + 2 for table in columns for word in table.columns[place].label.split()]
        needs += [cells(row[place].text) + 2 for table in columns for row in table.rows]
        needs += terms if place == 0 else []
        widths.append(min(max(needs, default=0), _MOST))
    widths = [max(width, _LEAST) for width in widths]
    while sum(widths) < _TEXT_WIDTH:
        widths.append(min(_TEXT_WIDTH - sum(widths), 12))
    return widths


@dataclass
class _Sheet:
    """A sheet that is filled from top to bottom; `row` is the next one."""

    book: Any
    name: str
    widths: list[int] = field(default_factory=list)
    row: int = 0
    shapes: dict[tuple[tuple[str, Any], ...], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sheet = self.book.add_worksheet(self.name)
        self.sheet.hide_gridlines(2)
        self.sheet.set_landscape()
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)

    def shape(self, **looks: Any) -> Any:
        """One format for each set of properties."""
        key = tuple(sorted(looks.items()))
        if key not in self.shapes:
            self.shapes[key] = self.book.add_format(dict(key))
        return self.shapes[key]

    def done(self, frozen: int) -> None:
        for place, width in enumerate(self.widths):
            self.sheet.set_column(place, place, width)
        self.sheet.freeze_panes(frozen, 0)

    def title(self, text: str) -> None:
        excel.put_text(self.sheet, self.row, 0, plain(text), self.shape(bold=True, font_size=14))
        self.row += 2

    def say(self, text: str, first: int = 0, **looks: Any) -> None:
        """A sentence over the width of the sheet, in as many lines as it needs."""
        if not text:
            return
        shown, last = plain(text, excel.LONGEST_TEXT + 1), len(self.widths) - 1
        shape = self.shape(text_wrap=True, valign="top", **looks)
        if first < last:
            self.sheet.merge_range(self.row, first, self.row, last, "", shape)
        excel.put_text(self.sheet, self.row, first, shown, shape)
        self.end([(shown, sum(self.widths[first:]))])

    def end(self, texts: list[tuple[str, int]]) -> None:
        """The row is done: as high as the longest of its texts needs in its width, for not every program works that out."""
        lines = max((len(wrapped(text, max(width - 2, 4))) for text, width in texts), default=1)
        if lines > 1:
            self.sheet.set_row(self.row, _LINE * lines)
        self.row += 1

    def put(self, place: int, cell: Cell, look: str = "", **looks: Any) -> None:
        """One cell: the number where there is one, the words otherwise."""
        if cell.value is not None:
            excel.put_number(self.sheet, self.row, place, cell.value, self.shape(num_format=look, **looks))
        elif cell.text:
            text = plain(cell.text, excel.LONGEST_TEXT + 1)
            excel.put_text(self.sheet, self.row, place, text, self.shape(num_format="@", **looks))
        elif looks:
            self.sheet.write_blank(self.row, place, None, self.shape(**looks))

    def block(self, block: Block) -> int:
        """Draws a block; the row below the heading of its table, 0 without one."""
        match block:
            case Paragraph():
                self.say(block.text)
            case Verdict():
                self.say(block.text, bold=True, font_color="#1B7F3B" if block.good else "#B42318")
            case Points():
                for item in block.items:
                    self.say(f"• {item}")
            case Pairs():
                for term, text in block.items:
                    self.put(0, Cell(term), font_color="#666666", valign="top")
                    self.say(text, first=1)
            case Commands():
                self.say(block.title, bold=True)
                for line in block.lines:
                    self.put(0, Cell(line), font_name="Consolas")
                    self.row += 1
                self.say(block.note, font_color="#666666")
        table = _table_of(block)
        levels = [[cell.level for cell in line] for line in block.cells] if isinstance(block, Heat) else []
        heading = self.table(table, levels) if table else 0
        if isinstance(block, Figure):
            self.say(block.note, font_color="#666666")
        return heading

    def table(self, table: Table, levels: list[list[int]]) -> int:
        self.say(table.caption, bold=True)
        for place, column in enumerate(table.columns):
            align = "right" if column.numeric else "left"
            self.put(place, Cell(column.label), bold=True, bottom=1, text_wrap=True, align=align, valign="bottom")
        self.end(list(zip([column.label for column in table.columns], self.widths, strict=False)))
        heading = self.row
        looks = [_common([row[place] for row in table.rows]) for place in range(len(table.columns))]
        if levels:
            looks = [looks[0], *[_common([cell for row in table.rows for cell in row[1:]])] * (len(looks) - 1)]
        for number, row in enumerate(table.rows):
            for place, (cell, column) in enumerate(zip(row, table.columns, strict=True)):
                style: dict[str, Any] = {"bold": True} if number in table.strong else {}
                style |= {"align": "right"} if column.numeric else {"text_wrap": True}
                style |= _tint(levels[number][place - 1]) if levels and place and cell.value is not None else {}
                self.put(place, cell, _look(cell, looks[place]), valign="top", **style)
            self.end([(cell.text, width) for cell, width in zip(row, self.widths, strict=False) if cell.value is None])
        self.say(table.note, font_color="#666666")
        return heading


def _tint(level: int) -> dict[str, Any]:
    return {"bg_color": _TINTS[level], "font_color": "#FFFFFF" if level >= _LIGHT_FROM else "#111111"}


@dataclass(frozen=True)
class _Look:
    """How a number is shown: what stands before it, its decimals, whether it is a share or carries its sign."""

    before: str = ""
    places: int = 0
    share: bool = False
    signed: bool = False

    def format(self, after: str = "") -> str:
        digits = "#,##0" + (f".{'0' * self.places}" if self.places else "") + ("%" if self.share else "")
        shown = "".join((f'"{self.before}"' if self.before else "", digits, f'"{after}"' if after else ""))
        return f"+{shown};-{shown};{shown}" if self.signed else shown


def _read(cell: Cell) -> tuple[_Look, str] | None:
    """How a cell shows its number, and what stands behind it; None where the words are not that number, only told by it."""
    match = _SHOWN.fullmatch(cell.text)
    if match is None or cell.value is None:
        return None
    sign, before, whole, decimals, percent, after = match.groups()
    value = abs(cell.value) * (100 if percent else 1)
    places = len(decimals or "")
    if abs(float(f"{whole.replace(',', '')}.{decimals or '0'}") - value) > 0.51 * 10**-places:
        return None
    return _Look(before, places, bool(percent), sign == "+"), after or ""


def _common(column: list[Cell]) -> _Look | None:
    """One look for a column: the most decimals any of its cells shows; None when its cells are of several kinds."""
    found = [read[0] for cell in column if (read := _read(cell))]
    if len({(look.before, look.share) for look in found}) != 1:
        return None
    return _Look(found[0].before, max(look.places for look in found), found[0].share, any(look.signed for look in found))


def _look(cell: Cell, common: _Look | None = None) -> str:
    """The number format of a cell: its column's, or its own where the column has none."""
    read = _read(cell)
    if read:
        return (common or read[0]).format(read[1])
    mark = "*" if cell.text.endswith("*") else ""  # of a period that is not over
    if common and cell.value:
        shown, places = abs(cell.value) * (100 if common.share else 1), common.places
        while shown < 10**-places and places < _MOST_PLACES:  # what is tiny never reads 0
            places += 1
        return replace(common, places=places).format(mark)
    return _Look().format(mark) if cell.value is not None and abs(cell.value) >= 1000 else "General"
