"""The report as JSON (every number, exact) and as Markdown (what the page says, without pictures).

It may not compute or word anything: JSON lists METRICS, both read the outline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from clm.inert import json_text
from clm.report.blocks import (
    Block,
    Column,
    Commands,
    Figure,
    Heat,
    Pairs,
    Panel,
    Paragraph,
    Points,
    Table,
    Verdict,
)
from clm.report.outline import outline, sources
from clm.report.words import plain

_SCHEMA = 1
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")


def to_json(metrics: pl.DataFrame, facts: dict[str, Any], lang: str, named: pl.DataFrame | None = None) -> str:
    """One object: who made it and from what, sentences and tables in `lang`, and METRICS row by row."""
    report = outline(metrics, facts, lang, named)
    document = {
        "schema": _SCHEMA,
        "lang": lang,
        "title": report.title,
        "as_of": str(day) if (day := metrics["as_of"].max()) is not None else None,
        "currency": facts.get("currency"),
        "zone": facts.get("zone"),
        "clm_version": facts.get("clm_version"),
        "sources": sources(facts),
        "headlines": list(report.headlines),
        "key_figures": {
            "note": report.tiles_note,
            "tiles": [
                {"code": tile.code, "label": tile.label, "value": tile.value, "change": tile.change, "note": tile.note}
                for tile in report.tiles
            ],
        },
        "notices": [{"heading": heading, "text": text} for heading, text in report.notices],
        "panels": [_panel(panel) for panel in report.panels],
        "metrics": [{name: value for name, value in row.items() if name != "as_of"} for row in metrics.iter_rows(named=True)],
    }
    return json_text(document, indent=1) + "\n"


def _panel(panel: Panel) -> dict[str, Any]:
    said = [block.text for block in panel.blocks if isinstance(block, Paragraph | Verdict)]
    said += [item for block in panel.blocks if isinstance(block, Points) for item in block.items]
    said += [block.note for block in panel.blocks if isinstance(block, Table | Figure | Heat) and block.note]
    tables = [
        block.table if isinstance(block, Figure) else _grid(block) if isinstance(block, Heat) else block
        for block in panel.blocks
        if isinstance(block, Table | Figure | Heat)
    ]
    return {
        "code": panel.code,
        "title": panel.title,
        "text": said,
        "tables": [
            {
                "caption": table.caption,
                "columns": [column.label for column in table.columns],
                "rows": [[cell.text if cell.value is None else cell.value for cell in row] for row in table.rows],
            }
            for table in tables
        ],
        "commands": [line for block in panel.blocks if isinstance(block, Commands) for line in block.lines],
    }


def _grid(heat: Heat) -> Table:
    from clm.report.blocks import Cell

    rows = zip(heat.rows, heat.cells, strict=True)
    return Table(
        heat.caption,
        (Column(heat.corner, numeric=False), *(Column(label) for label in heat.columns)),
        tuple((Cell(label), *(Cell(cell.text, cell.value) for cell in cells)) for label, cells in rows),
        heat.note,
    )


def to_markdown(metrics: pl.DataFrame, facts: dict[str, Any], lang: str, named: pl.DataFrame | None = None) -> str:
    """The page in Markdown with pipe tables; what could be markup in names is escaped."""
    report = outline(metrics, facts, lang, named)
    lines = [f"# {_md(report.title)}", "", " · ".join(map(_md, report.subtitle)), ""]
    lines += [f"## {_md(report.overview_title)}", "", *(f"* {_md(sentence)}" for sentence in report.headlines), ""]
    lines += [_md(report.tiles_note), ""] if report.tiles_note else []
    for tile in report.tiles:
        beside = "".join(f" ({_md(text)})" for text in (tile.change, tile.note) if text)
        lines.append(f"* {_md(tile.label)}: **{_md(tile.text)}**{beside}")
    if report.tiles:
        lines.append("")
    if report.notices:
        lines += [f"**{_md(report.notices_title)}**", ""]
        lines += [*(f"* {_md(line)}" for line in report.notice_lines), ""]
    for panel in report.panels:
        lines += [f"## {_md(panel.title)}", ""]
        for block in panel.blocks:
            lines += [*_block(block), ""]
    return "\n".join([*lines, _md(report.made_by)]) + "\n"


def _block(block: Block) -> list[str]:
    match block:
        case Paragraph():
            return [_md(block.text)]
        case Verdict():
            return [f"**{_md(block.text)}**"]
        case Points():
            return [f"* {_md(item)}" for item in block.items]
        case Pairs():
            return [f"* {_md(term)}: {_md(text)}" for term, text in block.items]
        case Commands():
            longest = max((len(run) for line in block.lines for run in re.findall("`+", line)), default=0)
            fence = "`" * max(3, longest + 1)
            return [f"**{_md(block.title)}**", "", fence, *map(plain_line, block.lines), fence, "", _md(block.note)]
        case Figure():
            return [f"*{_md(block.alt)}*", "", *_table(block.table), *(["", _md(block.note)] if block.note else [])]
        case Heat():
            return _table(_grid(block))
        case Table():
            return _table(block)


def plain_line(text: str) -> str:
    """A line of any length with nothing invisible in it."""
    return plain(text, longest=100_000)


def _table(table: Table) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    rows = [[_md(cell.text) for cell in row] for row in table.rows]
    rule = ["---:" if column.numeric else "---" for column in table.columns]
    head = [line([_md(column.label) for column in table.columns]), line(rule)]
    note = ["", _md(table.note)] if table.note else []
    return [f"**{_md(table.caption)}**", "", *head, *map(line, rows), *note]


def _md(text: str) -> str:
    escaped = plain_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", escaped)
