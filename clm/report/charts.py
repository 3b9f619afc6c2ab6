"""Figures as static SVG, drawn by Vega-Lite without a browser.

It may not compute numbers or choose words: marks come ready, long texts stand in the page around the figure. Colours are the
light theme's; the page repaints them by attribute for the dark one. `chart_bars` and `chart_curves` know the kinds.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from clm.report import chart_bars, chart_curves
from clm.report.blocks import Figure
from clm.report.chart_parts import BASE, FONT, GRID, INK, NARROW, SOFT, STRONG, WIDE, inert, role, swatch

__all__ = ["BASE", "GRID", "INK", "KINDS", "NARROW", "SOFT", "STRONG", "WIDE", "role", "svg", "swatch"]

KINDS = {
    "months": chart_bars.months,
    "segments": chart_bars.groups,
    "ratios": chart_bars.ratios,
    "survival": chart_curves.survival,
    "lorenz": chart_curves.shares,
    "deciles": chart_bars.deciles,
    "tracking": chart_curves.tracking,
    "reliability": chart_curves.reliability,
    "gain": chart_curves.shares,
    "profit": chart_curves.profit,
    "alive": chart_curves.alive,
}
_VEGA_LITE = "6.4"
_FONTS = "system-ui, sans-serif"


def svg(figure: Figure, lang: str, width: int = WIDE) -> Markup:
    """The figure as one `<svg>` with its text alternative, `width` units wide; safe to put into a page.

    `figure.kind` is one of KINDS. The same figure always gives the same bytes.
    """
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(specification(figure, lang, width), vl_version=_VEGA_LITE, allowed_base_urls=[])
    return _labelled(drawn, figure.alt)


def specification(figure: Figure, lang: str, width: int = WIDE) -> dict[str, Any]:
    """The figure in Vega-Lite."""
    import altair as alt
    from altair.utils import schemapi

    figure = replace(figure, marks=inert(figure.marks))
    # held against the schema by the tests: doing it for every part of every page takes longer than drawing
    with schemapi.debug_mode(False):
        spec: dict[str, Any] = KINDS[figure.kind](alt, figure, lang, width).configure(**_config()).to_dict(validate=False)
    return spec | {"padding": {"left": 2, "right": 14, "top": 8, "bottom": 2}}


def _config() -> dict[str, Any]:
    """One look for every figure: hairline grid, no frame, quiet text."""
    axis = {
        "labelColor": INK,
        "labelFontSize": FONT,
        "labelLimit": 0,
        "labelOverlap": False,
        "title": None,
        "gridColor": GRID,
        "domainColor": BASE,
        "ticks": False,
        "labelPadding": 6,
    }
    return {
        "aria": False,  # the whole figure carries one text alternative, in the report's language
        "background": "transparent",
        "font": _FONTS,
        "view": {"stroke": None},
        "axis": axis,
        "text": {"fill": INK, "fontSize": FONT},
    }


_SPACES = re.compile(r">\s+<")
_UNSEEN = re.compile(r'<path class="(?:background|foreground)"[^<>]*/>')  # frames of groups: no fill, no stroke
_TAG = re.compile(r"<\w[^<>]*>")
# what says nothing: hooks for scripts and styles, defaults, and words of the library; the font stands at the root
_IDLE = re.compile(
    r' (?:class|role|aria-\w+|pointer-events|font-family)="[^"]*"| (?:opacity|stroke-width)="1"| transform="translate\(0,0\)"'
)
_ROOT = re.compile(r"<svg [^>]*?width=\"(?P<width>[\d.]+)\" height=\"(?P<height>[\d.]+)\"[^>]*>")


def _labelled(drawn: str, alternative: str) -> Markup:
    """The SVG with a root of our own, one alternative for the picture, and nothing in it that nobody sees."""
    root = _ROOT.match(drawn)
    assert root, "vl-convert changed the shape of its SVG root"
    head = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" ').format(
        w=root["width"], h=root["height"]
    )
    head += Markup('overflow="visible" font-family="{}" role="img" aria-label="{}">').format(_FONTS, escape(alternative))
    body = _UNSEEN.sub("", _SPACES.sub("><", drawn[root.end() :]))
    body = _TAG.sub(lambda tag: _IDLE.sub("", tag[0]), body)
    return head + Markup(body)  # noqa: S704 - Vega escapes text; tests parse it
