"""What every figure is made of: the palette and who wears it, axes, the data behind the marks.

It may not draw a figure: `chart_bars` and `chart_curves` do, and `charts` finishes them. Axis extents are fixed from the
length of the labels, never measured, so the bytes do not depend on the fonts of the machine.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace
from typing import Any

from clm.report.blocks import Mark
from clm.report.words import plain

STRONG, SOFT, INK, GRID, BASE = "#1d5c8a", "#c47a1c", "#56606b", "#e4e7ea", "#aeb6bf"
WIDE, NARROW = 840, 344
FONT = 12
SIDES = 64  # of a figure's width that its number axis and its padding take
PERCENT = "format(datum.value, '.0%')"

_COLOURS = {"strong": STRONG, "soft": SOFT, "quiet": INK, "base": BASE}
# what the reader looks for is drawn strong, what it is held against soft
_ROLES = (
    dict.fromkeys(("returning", "all", "revenue_share", "clv", "actual", "observed", "survival", "band", "gain"), "strong")
    | dict.fromkeys(("realised", "often", "lifetime_cac"), "strong")
    | dict.fromkeys(("rule", "once", "base_rate", "gain_perfect"), "quiet")
    | {"equal": "base", "one": "quiet"}
)
_SWATCHES = dict.fromkeys(("equal", "one", "gain_perfect", "once"), "dash") | {"band": "band"}
_NUMBER = "abs(datum.value) < 1000 ? format(datum.value, ',~g') : replace(format(datum.value, ',~s'), 'G', 'B')"
_NUMBER_ZH = (
    "abs(datum.value) >= 1e8 ? format(datum.value / 1e8, ',~g') + '亿' : "
    "abs(datum.value) >= 1e4 ? format(datum.value / 1e4, ',~g') + '万' : format(datum.value, ',~g')"
)


def role(series: str) -> str:
    """The part a series plays: `strong` is what the reader looks for, `soft` and `quiet` what it is held against, `base` the line
    of what is had for nothing."""
    return _ROLES.get(series, "soft")


def swatch(series: str) -> str:
    """How the key shows a series: a dash for a dashed line, a band for a band, nothing for a square."""
    return _SWATCHES.get(series, "")


def names(marks: tuple[Mark, ...]) -> list[str]:
    """The series of these marks, in order of appearance."""
    return list(dict.fromkeys(mark.series for mark in marks))


def places(marks: tuple[Mark, ...]) -> list[str]:
    """The places of these marks, in order of appearance."""
    return list(dict.fromkeys(mark.place for mark in marks))


def data(alt: Any, marks: tuple[Mark, ...]) -> Any:
    """The marks as Vega sees them."""
    order = {series: place for place, series in enumerate(names(marks))}
    return alt.InlineData(
        values=[
            {
                "series": mark.series,
                "turn": order[mark.series],
                "place": mark.place,
                "value": mark.value,
                "x": mark.x,
                "low": mark.low,
                "high": mark.high,
                "text": mark.text,
                "opacity": 0.45 if mark.faint else 1,
            }
            for mark in marks
        ]
    )


def colours(alt: Any, marks: tuple[Mark, ...]) -> Any:
    """Each series in the colour of its role."""
    series = names(marks)
    scale = alt.Scale(domain=series, range=[_COLOURS[role(one)] for one in series])
    return alt.Color("series:N", scale=scale, legend=None)


def dashes(alt: Any, marks: tuple[Mark, ...]) -> Any:
    """References are dashed, so that colour is not the only difference."""
    series = names(marks)
    scale = alt.Scale(domain=series, range=[[4, 4] if role(one) in ("base", "quiet") else [1, 0] for one in series])
    return alt.StrokeDash("series:N", scale=scale, legend=None)


def number_axis(alt: Any, lang: str, **more: Any) -> Any:
    """An upright axis of numbers, in the units of the language."""
    return alt.Axis(labelExpr=number(lang), tickCount=4, domain=False, minExtent=44, maxExtent=44, **more)


def number(lang: str) -> str:
    """The expression that writes a number on an axis."""
    return _NUMBER_ZH if lang == "zh" else _NUMBER


def ems(text: str) -> float:
    """About how wide a text is, in ems: full-width signs one, others a little over half."""
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WFA" else 0.56 for sign in text.rstrip())


def inert(marks: tuple[Mark, ...], room: float = math.inf) -> tuple[Mark, ...]:
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
    if ems(label) * FONT <= room:
        return label
    while label and (ems(label) + 1) * FONT > room:
        label = label[:-1]
    return f"{label.rstrip()}…"
