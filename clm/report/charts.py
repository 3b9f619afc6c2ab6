"""Figures as static SVG, drawn by Vega-Lite without a browser.

It may not compute numbers or choose words: marks come ready, long texts stand in the page around the figure. Axis extents are
fixed from the length of the labels, never measured, so the bytes do not depend on the fonts of the machine. Colours are the
light theme's; the page repaints them by attribute for the dark one.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from clm.report.blocks import Figure, Mark
from clm.report.words import plain

STRONG, SOFT, INK, GRID, BASE = "#1d5c8a", "#c47a1c", "#56606b", "#e4e7ea", "#aeb6bf"
_COLOURS = {"strong": STRONG, "soft": SOFT, "base": BASE}
WIDE, NARROW = 840, 344

_FONT = 12
_BAR_STEP = 22  # of one bar and its share of the gap: its number must not touch the next one's
_FIRST = {"returning", "revenue_share", "clv", "actual", "observed"}  # what the reader looks for is drawn strong
_VEGA_LITE = "6.4"
_NUMBER = "abs(datum.value) < 1000 ? format(datum.value, ',~g') : replace(format(datum.value, ',~s'), 'G', 'B')"
_NUMBER_ZH = (
    "abs(datum.value) >= 1e8 ? format(datum.value / 1e8, ',~g') + '亿' : "
    "abs(datum.value) >= 1e4 ? format(datum.value / 1e4, ',~g') + '万' : format(datum.value, ',~g')"
)
_PERCENT = "format(datum.value, '.0%')"


def role(series: str) -> str:
    """The part a series plays: `strong` is what the reader looks for, `soft` what it is held against, `base` a reference."""
    return "strong" if series in _FIRST else "base" if series == "equal" else "soft"


def svg(figure: Figure, lang: str, width: int = WIDE) -> Markup:
    """The figure as one `<svg>` with its text alternative, `width` units wide; safe to put into a page.

    Kinds: months, segments, concentration, deciles, reliability. The same figure always gives the same bytes.
    """
    import altair as alt
    import vl_convert

    draw = {
        "months": _months,
        "segments": _segments,
        "concentration": _concentration,
        "deciles": _deciles,
        "reliability": _reliability,
    }[figure.kind]
    figure = replace(figure, marks=_inert(figure.marks))
    spec = draw(alt, figure, lang, width).configure(**_config()).to_dict()
    spec["padding"] = {"left": 2, "right": 14, "top": 8, "bottom": 2}
    drawn = vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE, allowed_base_urls=[])
    return _labelled(drawn, figure.alt)


def _config() -> dict[str, Any]:
    """One look for every figure: hairline grid, no frame, quiet text."""
    axis = {
        "labelColor": INK,
        "labelFontSize": _FONT,
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
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": axis,
        "text": {"fill": INK, "fontSize": _FONT},
    }


def _inert(marks: tuple[Mark, ...], room: float = math.inf) -> tuple[Mark, ...]:
    """The marks with labels that are safe to draw, at most `room` units wide; two places stay two.

    vl-convert aborts the whole process on a control byte in a label, and fails where Vega cuts an emoji in half. Vega looks
    places up as names of an object: followed by a blank, `constructor` is none that JavaScript gives every object.
    """
    labels: dict[str, str] = {}
    for place in dict.fromkeys(mark.place for mark in marks):
        label = _shortened(plain(place).rstrip(), room) + " "
        while label in labels.values():
            label += " "
        labels[place] = label
    return tuple(replace(mark, place=labels[mark.place], text=plain(mark.text)) for mark in marks)


def _shortened(label: str, room: float) -> str:
    if ems(label) * _FONT <= room:
        return label
    while label and (ems(label) + 1) * _FONT > room:
        label = label[:-1]
    return f"{label.rstrip()}…"


def _data(alt: Any, marks: tuple[Mark, ...]) -> Any:
    order = {series: place for place, series in enumerate(dict.fromkeys(mark.series for mark in marks))}
    return alt.InlineData(
        values=[
            {
                "series": mark.series,
                "turn": order[mark.series],
                "place": mark.place,
                "value": mark.value,
                "x": mark.x,
                "text": mark.text,
                "opacity": 0.45 if mark.faint else 1,
            }
            for mark in marks
        ]
    )


def _colours(alt: Any, marks: tuple[Mark, ...]) -> Any:
    series = list(dict.fromkeys(mark.series for mark in marks))
    scale = alt.Scale(domain=series, range=[_COLOURS[role(one)] for one in series])
    return alt.Color("series:N", scale=scale, legend=None)


def _number_axis(alt: Any, lang: str, **more: Any) -> Any:
    return alt.Axis(
        labelExpr=_NUMBER_ZH if lang == "zh" else _NUMBER, tickCount=4, domain=False, minExtent=44, maxExtent=44, **more
    )


def _months(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Stacked bars by month; months that are not over are lighter."""
    places = list(dict.fromkeys(mark.place for mark in figure.marks))
    plot = width - 64
    return (
        alt.Chart(_data(alt, figure.marks))
        .mark_bar()
        .encode(
            x=alt.X(
                "place:O",
                sort=places,
                scale=alt.Scale(paddingInner=0.25, paddingOuter=0.15),
                axis=alt.Axis(values=_spread(places, plot), labelAngle=0, minExtent=24, maxExtent=24),
            ),
            y=alt.Y("value:Q", stack="zero", axis=_number_axis(alt, lang)),
            color=_colours(alt, figure.marks),
            order=alt.Order("turn:Q"),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
        )
        .properties(width=plot, height=220 if width > 500 else 190)
    )


def _spread(places: list[str], plot: int) -> list[str]:
    """As many labels as fit side by side, evenly, from the first on."""
    widest = max(ems(place) for place in places) * _FONT + 10
    every = next(step for step in (1, 2, 3, 6, *range(12, 12000, 12)) if plot / len(places) * step >= widest)
    return places[::every]


def ems(text: str) -> float:
    """About how wide a text is, in ems: full-width signs one, others a little over half."""
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WFA" else 0.56 for sign in text.rstrip())


def _segments(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Pairs of bars with their numbers at the end: no axis to read them off."""
    extent = min(int(max(ems(mark.place) for mark in figure.marks) * _FONT) + 12, width // 2)
    figure = replace(figure, marks=_inert(figure.marks, extent))
    places = list(dict.fromkeys(mark.place for mark in figure.marks))
    series = list(dict.fromkeys(mark.series for mark in figure.marks))
    longest = max((mark.value for mark in figure.marks), default=0.0)
    least = min(0.0, *(mark.value for mark in figure.marks))
    plot = width - extent - 20
    room = 52 / plot * max(longest, 0.01)  # for the number after the longest bar
    base = alt.Chart(_data(alt, figure.marks)).encode(
        y=alt.Y(
            "place:N",
            sort=places,
            scale=alt.Scale(paddingInner=0.3),
            axis=alt.Axis(domain=False, minExtent=extent, maxExtent=extent),
        ),
        yOffset=alt.YOffset("series:N", sort=series),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[least, max(longest, 0.01) + room], nice=False)),
    )
    bars = base.mark_bar().encode(color=_colours(alt, figure.marks))
    texts = base.mark_text(align="left", dx=5, baseline="middle", fontSize=11).encode(text="text:N")
    return (bars + texts).properties(width=plot, height=len(places) * _BAR_STEP * max(len(series), 1.3))


def _shares(alt: Any, width: int, largest: float) -> tuple[Any, Any]:
    """Both axes of a square of shares from 0 to 100 %."""
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    x = alt.Axis(values=ticks, labelExpr=_PERCENT, grid=False, minExtent=24, maxExtent=24)
    y = alt.Axis(values=ticks, labelExpr=_PERCENT, domain=False, minExtent=44, maxExtent=44)
    return (
        alt.X("x:Q", axis=x, scale=alt.Scale(domain=[0, 1], nice=False)),
        alt.Y("value:Q", axis=y, scale=alt.Scale(domain=[0, max(1.0, largest)], nice=False)),
    )


def _diagonal(alt: Any, x: Any, y: Any) -> Any:
    ends = alt.InlineData(values=[{"x": 0, "value": 0}, {"x": 1, "value": 1}])
    return alt.Chart(ends).mark_line(color=BASE, strokeWidth=1.25, strokeDash=[4, 4]).encode(x=x, y=y)


def _concentration(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    series = list(dict.fromkeys(mark.series for mark in figure.marks))
    marks = (*(Mark(one, "", 0.0, x=0.0) for one in series), *figure.marks)
    x, y = _shares(alt, width, max(mark.value for mark in marks))
    lines = alt.Chart(_data(alt, marks)).mark_line(strokeWidth=2.25, interpolate="monotone")
    lines = lines.encode(x=x, y=y, color=_colours(alt, marks))
    return (_diagonal(alt, x, y) + lines).properties(width=min(width, 560) - 64, height=260)


def _reliability(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    x, y = _shares(alt, width, max(mark.value for mark in figure.marks))
    points = alt.Chart(_data(alt, figure.marks)).mark_circle(size=70, opacity=1).encode(x=x, y=y)
    points = points.encode(color=_colours(alt, figure.marks))
    return (_diagonal(alt, x, y) + points).properties(width=min(width, 400) - 64, height=min(width, 400) - 84)


def _deciles(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    places = list(dict.fromkeys(mark.place for mark in figure.marks))
    series = list(dict.fromkeys(mark.series for mark in figure.marks))
    plot = min(width, 640) - 64
    return (
        alt.Chart(_data(alt, figure.marks))
        .mark_bar()
        .encode(
            x=alt.X(
                "place:O",
                sort=places,
                scale=alt.Scale(paddingInner=0.3, paddingOuter=0.1),
                axis=alt.Axis(labelAngle=0, minExtent=24, maxExtent=24),
            ),
            xOffset=alt.XOffset("series:N", sort=series),
            y=alt.Y("value:Q", axis=_number_axis(alt, lang)),
            color=_colours(alt, figure.marks),
        )
        .properties(width=plot, height=200)
    )


_ROLE = re.compile(r'(<g [^>]*?) role="graphics-\w+" aria-roledescription="[^"]*"')
_SPACES = re.compile(r">\s+<")
_ROOT = re.compile(r"<svg [^>]*?width=\"(?P<width>[\d.]+)\" height=\"(?P<height>[\d.]+)\"[^>]*>")


def _labelled(drawn: str, alternative: str) -> Markup:
    """The SVG with a root of our own: sizes only in the viewBox, the text alternative as its label."""
    root = _ROOT.match(drawn)
    assert root, "vl-convert changed the shape of its SVG root"
    head = Markup('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" ').format(
        w=root["width"], h=root["height"]
    )
    head += Markup('overflow="visible" role="img" aria-label="{}">').format(escape(alternative))
    body = _ROLE.sub(r"\1", _SPACES.sub("><", drawn[root.end() :]))  # one picture, one alternative
    return head + Markup(body)  # noqa: S704 - Vega escapes text; tests parse it
