"""Reads the report's views back: the page as a browser would, the workbook as a spreadsheet would, tables and numbers of all."""

from __future__ import annotations

import html
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """Every element in order, with the text directly inside; unbalanced tags are an AssertionError."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(source)
        self.close()
        assert not self._open, f"not closed: {[one.tag for one in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in <{tag}>"
        parents = tuple(one.tag for one in self._open)
        element = Element(tag, {name: value or "" for name, value in attrs}, parents)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text.append(data)

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def words(self) -> str:
        """What a reader sees: text outside <style>, and the labels of pictures."""
        shown = [" ".join("".join(one.text).split()) for one in self.all("body")]
        labels = [
            value for one in self.elements for name, value in one.attributes.items() if name in ("aria-label", "data-label")
        ]
        return " ".join([*shown, *labels])


_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Sheet:
    """One sheet: cells by (row, column) from 0, text as str and numbers as float; the raw XML; the row and column it freezes."""

    cells: dict[tuple[int, int], str | float]
    xml: str
    frozen: tuple[int, int]

    def rows(self) -> list[list[str | float | None]]:
        """Every row from the first, as long as the widest."""
        width = max((place for _, place in self.cells), default=-1) + 1
        height = max((row for row, _ in self.cells), default=-1) + 1
        return [[self.cells.get((row, place)) for place in range(width)] for row in range(height)]


def sheets(book: bytes) -> dict[str, Sheet]:
    """The sheets of a workbook by name, in their order, read from its XML; a formula or a link is an AssertionError."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    sheets_and_links = [text.lower() for name, text in parts.items() if "worksheets" in name or name.endswith(".rels")]
    assert not [text for text in sheets_and_links if "hyperlink" in text]
    shared = ET.fromstring(parts["xl/sharedStrings.xml"]) if "xl/sharedStrings.xml" in parts else []
    texts = [_unescaped("".join(piece.text or "" for piece in item.iter(f"{_MAIN}t"))) for item in shared]
    targets = {one.attrib["Id"]: one.attrib["Target"] for one in ET.fromstring(parts["xl/_rels/workbook.xml.rels"])}
    found = {}
    for sheet in ET.fromstring(parts["xl/workbook.xml"]).iter(f"{_MAIN}sheet"):
        xml = parts["xl/" + targets[sheet.attrib[_LINK]]]
        tree = ET.fromstring(xml)
        assert not list(tree.iter(f"{_MAIN}f"))
        cells: dict[tuple[int, int], str | float] = {}
        for cell in tree.iter(f"{_MAIN}c"):
            value = cell.findtext(f"{_MAIN}v")
            if value is not None:
                kind = cell.attrib.get("t", "n")
                assert kind in ("s", "n", "b")
                cells[_place(cell.attrib["r"])] = texts[int(value)] if kind == "s" else float(value)
        pane = next(tree.iter(f"{_MAIN}pane"), None)
        frozen = (0, 0) if pane is None else (int(pane.attrib.get("ySplit", 0)), int(pane.attrib.get("xSplit", 0)))
        found[sheet.attrib["name"]] = Sheet(cells, xml, frozen)
    return found


def _unescaped(text: str) -> str:
    return re.sub("_x([0-9A-F]{4})_", lambda code: chr(int(code[1], 16)), text)


def _place(reference: str) -> tuple[int, int]:
    letters, digits = re.fullmatch("([A-Z]+)([0-9]+)", reference).groups()  # type: ignore[union-attr]
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(digits) - 1, column - 1


Shown = tuple[str, float | None]  # what a cell shows, and the number behind it where the view has one
Tables = list[list[list[Shown]]]


def page_tables(source: str) -> list[Tables]:
    """The data tables of each panel of a page, headings first."""
    found: list[Tables] = []
    for one in Page(source).elements:
        shown = " ".join("".join(one.text).split())
        if one.tag == "section":
            found.append([])
        elif one.tag == "table":
            found[-1].append([])
        elif one.tag == "tr":
            found[-1][-1].append([])
        elif one.tag in ("th", "td"):
            found[-1][-1][-1].append((shown, None))
        elif one.tag == "data" and {"td", "th"} & {*one.parents}:
            found[-1][-1][-1][-1] = (shown, float(one.attributes["value"]))
    return found[1:]  # the first section is the overview


def markdown_tables(source: str) -> list[Tables]:
    """The same of Markdown, where only what is shown can be read."""
    found: list[Tables] = []
    before = ""
    for line in re.sub(r"(?ms)^(`{3,})$.*?^\1$", "", source).splitlines():
        if line.startswith("## "):
            found.append([])
        elif line.startswith("|") and not re.fullmatch(r"[|:\- ]+", line):
            if not before.startswith("|"):
                found[-1].append([])
            cells = re.findall(r"((?:\\.|[^\\|])*)\|", line[1:])
            found[-1][-1].append([(html.unescape(re.sub(r"\\(.)", r"\1", cell)).strip(), None) for cell in cells])
        before = line
    return found[1:]


def json_tables(panels: list[dict[str, Any]]) -> list[Tables]:
    """The same of JSON, where a number stands instead of what is shown."""

    def cell(one: str | float) -> Shown:
        return (one, None) if isinstance(one, str) else ("", float(one))

    return [
        [
            [[(label, None) for label in table["columns"]], *([cell(one) for one in row] for row in table["rows"])]
            for table in tables
        ]
        for tables in (panel["tables"] for panel in panels)
    ]


def sheet_tables(found: list[Sheet], like: list[Tables]) -> list[Tables]:
    """The same of a workbook: on each panel's sheet, one below the other, the tables whose headings and heights `like` has."""
    read: list[Tables] = []
    for sheet, tables in zip(found, like, strict=True):
        read.append([])
        rows, at = sheet.rows(), 0
        for table in tables:
            heading = [text for text, _ in table[0]]
            at = next(row for row in range(at, len(rows)) if [cell or "" for cell in rows[row][: len(heading)]] == heading)
            block = rows[at : at + len(table)]
            read[-1].append([[_shown(cell) for cell in row[: len(heading)]] for row in block])
            at += len(table)
    return read


def _shown(cell: str | float | None) -> Shown:
    return ("", cell) if isinstance(cell, float) else (cell or "", None)


_GREAT = {"k": 1e3, "M": 1e6, "B": 1e9, "万": 1e4, "亿": 1e8, "万亿": 1e12}
_NUMBER = re.compile(r"(<?)([-−+]?)[^\d\-−+<]*(\d[\d,]*)(?:\.(\d+))?(%?)(k|M|B|万亿|万|亿)?")


def number_shown(text: str) -> tuple[float, float, bool]:
    """The first number a text shows, half of its last digit, and whether it is only a bound (`<0.1%`)."""
    match = _NUMBER.search(text)
    assert match is not None, text
    below, sign, whole, decimals, percent, great = match.groups()
    unit = (0.01 if percent else 1.0) * _GREAT.get(great or "", 1.0)
    shown = float(f"{whole.replace(',', '')}.{decimals or '0'}")
    return (-shown if sign in ("-", "−") else shown) * unit, 0.5 * 10.0 ** -len(decimals or "") * unit, bool(below)
