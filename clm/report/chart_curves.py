"""Figures of lines and points: shares against shares, and what happens over time.

It may not compute numbers or choose words: marks come ready with their `x`, `value` and band.
"""

from __future__ import annotations

from typing import Any

from clm.report.blocks import Figure, Mark
from clm.report.chart_parts import BASE, INK, PERCENT, SIDES, STRONG, colours, dashes, data, names, number, number_axis

_FIFTHS = [0, 0.2, 0.4, 0.6, 0.8, 1]
_STROKE = 2.25
_APART = 40  # from one label of whole numbers to the next
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
_DAYS = tuple(step * 10**power for power in range(6) for step in (1, 2, 5))


def _shares(alt: Any, largest: float) -> tuple[Any, Any]:
    """Both axes of a square of shares from 0 to 100 %."""
    x = alt.Axis(values=_FIFTHS, labelExpr=PERCENT, grid=False, minExtent=24, maxExtent=24)
    return (
        alt.X("x:Q", axis=x, scale=alt.Scale(domain=[0, 1], nice=False)),
        alt.Y("value:Q", axis=_share_axis(alt), scale=alt.Scale(domain=[0, max(1.0, largest)], nice=False)),
    )


def _share_axis(alt: Any) -> Any:
    return alt.Axis(values=_FIFTHS, labelExpr=PERCENT, domain=False, minExtent=44, maxExtent=44)


def _diagonal(alt: Any, x: Any, y: Any) -> Any:
    ends = alt.InlineData(values=[{"x": 0, "value": 0}, {"x": 1, "value": 1}])
    return alt.Chart(ends).mark_line(color=BASE, strokeWidth=1.25, strokeDash=[4, 4]).encode(x=x, y=y)


def shares(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Lines of shares against shares of the customers, from nothing to all, over the line where all are alike."""
    marks = (*(Mark(one, "", 0.0, x=0.0) for one in names(figure.marks)), *figure.marks)
    x, y = _shares(alt, max(mark.value for mark in marks))
    lines = alt.Chart(data(alt, marks)).mark_line(strokeWidth=_STROKE)
    lines = lines.encode(x=x, y=y, color=colours(alt, marks), strokeDash=dashes(alt, marks))
    return (_diagonal(alt, x, y) + lines).properties(width=min(width, 560) - SIDES, height=260)


def reliability(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Points of what was predicted against what happened, over the line where both are the same; a cross for one rate for all."""
    x, y = _shares(alt, max(mark.value for mark in figure.marks))
    told = tuple(mark for mark in figure.marks if mark.series != "base_rate")
    rest = tuple(mark for mark in figure.marks if mark.series == "base_rate")
    colour = colours(alt, figure.marks)
    points = alt.Chart(data(alt, told)).mark_circle(size=70, opacity=1).encode(x=x, y=y, color=colour)
    drawn = _diagonal(alt, x, y) + points
    if rest:
        cross = alt.Chart(data(alt, rest)).mark_point(shape="cross", size=110, filled=True, opacity=1)
        drawn += cross.encode(x=x, y=y, color=colour)
    return drawn.properties(width=min(width, 400) - SIDES, height=min(width, 400) - 84)


def survival(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """A share that falls with the months, in its band."""
    plot = min(width, 640) - SIDES
    x = _from_zero(alt, figure.marks, lang, plot, _MONTHS)
    told = tuple(mark for mark in figure.marks if mark.low is not None and mark.high is not None)
    band = alt.Chart(data(alt, told)).mark_area(color=STRONG, opacity=0.2)
    band = band.encode(x=x, y=alt.Y("low:Q", axis=_share_axis(alt), scale=_whole(alt)), y2="high:Q")
    line = alt.Chart(data(alt, figure.marks)).mark_line(strokeWidth=_STROKE)
    y = alt.Y("value:Q", axis=_share_axis(alt), scale=_whole(alt))
    return (band + line.encode(x=x, y=y, color=colours(alt, figure.marks))).properties(width=plot, height=220)


def alive(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Probabilities over days."""
    plot = width - SIDES
    lines = alt.Chart(data(alt, figure.marks)).mark_line(strokeWidth=_STROKE)
    return lines.encode(
        x=_from_zero(alt, figure.marks, lang, plot, _DAYS),
        y=alt.Y("value:Q", axis=_share_axis(alt), scale=_whole(alt)),
        color=colours(alt, figure.marks),
        strokeDash=dashes(alt, figure.marks),
    ).properties(width=plot, height=220)


def tracking(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """A growing total over days, as forecast and as it came."""
    plot = min(width, 640) - SIDES
    lines = alt.Chart(data(alt, figure.marks)).mark_line(strokeWidth=_STROKE)
    return lines.encode(
        x=_from_zero(alt, figure.marks, lang, plot, _DAYS),
        y=alt.Y("value:Q", axis=number_axis(alt, lang)),
        color=colours(alt, figure.marks),
    ).properties(width=plot, height=200)


def profit(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Money over the share of the customers contacted, with the line of nothing gained."""
    plot = min(width, 640) - SIDES
    x, _ = _shares(alt, 1.0)
    y = alt.Y("value:Q", axis=number_axis(alt, lang))
    zero = alt.Chart(alt.InlineData(values=[{"value": 0}])).mark_rule(color=INK, strokeWidth=1).encode(y=y)
    lines = alt.Chart(data(alt, figure.marks)).mark_line(strokeWidth=_STROKE)
    lines = lines.encode(x=x, y=y, color=colours(alt, figure.marks), strokeDash=dashes(alt, figure.marks))
    return (zero + lines).properties(width=plot, height=220)


def _whole(alt: Any) -> Any:
    return alt.Scale(domain=[0, 1], nice=False)


def _from_zero(alt: Any, marks: tuple[Mark, ...], lang: str, plot: int, steps: tuple[int, ...]) -> Any:
    """An axis of whole numbers from 0 to the last mark, labelled in the first of these steps that leaves room."""
    last = max(mark.x or 0.0 for mark in marks)
    step = next((step for step in steps if plot / max(last, 1) * step >= _APART), steps[-1])
    axis = alt.Axis(values=list(range(0, int(last) + 1, step)), labelExpr=number(lang), grid=False, minExtent=24, maxExtent=24)
    return alt.X("x:Q", axis=axis, scale=alt.Scale(domain=[0, last], nice=False))
