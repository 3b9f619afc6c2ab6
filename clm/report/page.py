"""The report as one offline HTML page: no script, nothing fetched, readable in ten years.

It may not compute or word anything: it draws the outline. Everything but the SVG of `charts` passes through autoescape.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from clm.report import charts
from clm.report.blocks import Figure
from clm.report.outline import outline
from clm.report.words import exact


def render(metrics: pl.DataFrame, facts: dict[str, Any], lang: str, named: pl.DataFrame | None = None) -> str:
    """The page in `lang` from METRICS, the footer of the customers file and the customers it may name. Same input, same text."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    report = outline(metrics, facts, lang, named)
    return environment.get_template("page.html.j2").render(
        report=report,
        kind=lambda block: type(block).__name__,
        drawings=lambda figure: _drawings(figure, lang),
        charts=charts,
        exact=exact,
    )


def figures(metrics: pl.DataFrame, facts: dict[str, Any], lang: str) -> list[tuple[str, str]]:
    """Each figure of the page as one picture: a name made of its panel and its place there, and the SVG."""
    found = []
    for panel in outline(metrics, facts, lang).panels:
        drawn = [block for block in panel.blocks if isinstance(block, Figure)]
        found += [(f"{panel.code}-{place}.svg", str(charts.svg(figure, lang))) for place, figure in enumerate(drawn, 1)]
    return found


def _drawings(figure: Figure, lang: str) -> tuple[tuple[str, Any], ...]:
    """The figure for wide and for narrow windows: text in a picture that shrinks is not readable."""
    return tuple((name, charts.svg(figure, lang, width)) for name, width in (("wide", charts.WIDE), ("narrow", charts.NARROW)))
