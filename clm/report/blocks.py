"""What a panel is made of: sentences, tables, figures. Every view draws these and nothing else.

It may not hold logic: text is already in one language, numbers stand beside the text that shows them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One cell: what is read, the number behind it (None for words), and the length of a bar from 0 to 1 where one helps."""

    text: str
    value: float | None = None
    bar: float | None = None


@dataclass(frozen=True)
class Column:
    """`numeric` columns stand right; `minor` ones may be left out where there is no room."""

    label: str
    numeric: bool = True
    minor: bool = False


@dataclass(frozen=True)
class Table:
    """`strong` are the indices of rows to set off: the total, the chosen one."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    strong: tuple[int, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Verdict:
    """A sentence that says whether something holds."""

    text: str
    good: bool


@dataclass(frozen=True)
class Mark:
    """One mark of a figure: which series, at which place, how much. `faint` marks what is not complete.

    `x` is where it stands on an axis of numbers, `low` to `high` the band around it.
    """

    series: str
    place: str
    value: float
    text: str = ""
    x: float | None = None
    faint: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Figure:
    """A chart: its kind says how `charts` draws it; `key` is series code and label; `alt` says it in words, `table` in numbers.

    `table_open` when the table is worth reading beside the chart; otherwise it is folded away where it can be.
    """

    kind: str
    title: str
    key: tuple[tuple[str, str], ...]
    marks: tuple[Mark, ...]
    alt: str
    table: Table
    note: str = ""
    table_open: bool = False


@dataclass(frozen=True)
class HeatCell:
    """What is read, the number behind it (None: there is none, the cell is empty), a note, and the tint."""

    text: str
    value: float | None
    note: str
    level: int


@dataclass(frozen=True)
class Heat:
    """A grid of numbers: rows from top to bottom, `level` 0 (empty) to 5 (fullest) for the tint.

    `phone` is how many columns the narrowest screens have room for (None: all of them, 0: no grid at all), and `phone_note` what
    is said there instead.
    """

    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[tuple[HeatCell, ...], ...]
    alt: str
    note: str = ""
    phone: int | None = None
    phone_note: str = ""


@dataclass(frozen=True)
class Pairs:
    """Terms with what they are."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Points:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Commands:
    title: str
    lines: tuple[str, ...]
    note: str


Block = Paragraph | Verdict | Table | Figure | Heat | Pairs | Points | Commands


@dataclass(frozen=True)
class Panel:
    code: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Tile:
    """One key figure: its name, the number, what it is part of, and its change with sign and words (nothing when not known)."""

    code: str
    label: str
    text: str
    value: float
    note: str
    change: str = ""


@dataclass(frozen=True)
class Outline:
    """The whole report in one language; `tiles_note` says what the tiles are about."""

    lang: str
    title: str
    subtitle: tuple[str, ...]
    headlines: tuple[str, ...]
    tiles: tuple[Tile, ...]
    tiles_note: str
    notices: tuple[tuple[str, str], ...]
    notice_lines: tuple[str, ...]
    panels: tuple[Panel, ...]
    overview_title: str
    notices_title: str
    contents_title: str
    data_title: str
    made_by: str
