"""Figures of bars: months, groups, tenths of the customers.

It may not compute numbers or choose words: marks come ready.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clm.report.blocks import Figure
from clm.report.chart_parts import FONT, INK, SIDES, colours, data, ems, inert, names, number_axis, places

_STEP = 22  # of one bar and its share of the gap: its number must not touch the next one's


def months(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Stacked bars by month; months that are not over are lighter."""
    shown = places(figure.marks)
    plot = width - SIDES
    return (
        alt.Chart(data(alt, figure.marks))
        .mark_bar()
        .encode(
            x=alt.X(
                "place:O",
                sort=shown,
                scale=alt.Scale(paddingInner=0.25, paddingOuter=0.15),
                axis=alt.Axis(values=_spread(shown, plot), labelAngle=0, minExtent=24, maxExtent=24),
            ),
            y=alt.Y("value:Q", stack="zero", axis=number_axis(alt, lang)),
            color=colours(alt, figure.marks),
            order=alt.Order("turn:Q"),
            opacity=alt.Opacity("opacity:Q", scale=None, legend=None),
        )
        .properties(width=plot, height=220 if width > 500 else 190)
    )


def _spread(labels: list[str], plot: int) -> list[str]:
    """As many labels as fit side by side, evenly, from the first on."""
    widest = max(ems(label) for label in labels) * FONT + 10
    every = next(step for step in (1, 2, 3, 6, *range(12, 12000, 12)) if plot / len(labels) * step >= widest)
    return labels[::every]


def ratios(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Bars of groups over the line at 1, where as much comes back as was spent."""
    return groups(alt, figure, lang, width, line=1.0)


def groups(alt: Any, figure: Figure, lang: str, width: int, line: float | None = None) -> Any:
    """Bars of groups with their numbers at the end: no axis to read them off."""
    extent = min(int(max(ems(mark.place) for mark in figure.marks) * FONT) + 12, width // 2)
    figure = replace(figure, marks=inert(figure.marks, extent))
    shown, series = places(figure.marks), names(figure.marks)
    longest = max((line or 0.0, *(mark.value for mark in figure.marks)))
    least = min(0.0, *(mark.value for mark in figure.marks))
    plot = width - extent - 20
    room = 52 / plot * max(longest, 0.01)  # for the number after the longest bar
    x = alt.X("value:Q", axis=None, scale=alt.Scale(domain=[least, max(longest, 0.01) + room], nice=False))
    base = alt.Chart(data(alt, figure.marks)).encode(
        y=alt.Y(
            "place:N",
            sort=shown,
            scale=alt.Scale(paddingInner=0.3),
            axis=alt.Axis(domain=False, minExtent=extent, maxExtent=extent),
        ),
        yOffset=alt.YOffset("series:N", sort=series),
        x=x,
    )
    bars = base.mark_bar().encode(color=colours(alt, figure.marks))
    texts = base.mark_text(align="left", dx=5, baseline="middle", fontSize=11).encode(text="text:N")
    drawn = bars + texts
    if line is not None:
        at = alt.Chart(alt.InlineData(values=[{"value": line}]))
        drawn += at.mark_rule(color=INK, strokeWidth=1.25, strokeDash=[4, 4]).encode(x=x)
    return drawn.properties(width=plot, height=len(shown) * _STEP * max(len(series), 1.3))


def deciles(alt: Any, figure: Figure, lang: str, width: int) -> Any:
    """Pairs of upright bars for tenths of the customers; what the simple rule's tenths did as a stroke across."""
    plot = min(width, 640) - SIDES
    barred = tuple(mark for mark in figure.marks if mark.series != "rule")
    ruled = tuple(mark for mark in figure.marks if mark.series == "rule")
    x = alt.X(
        "place:O",
        sort=places(figure.marks),
        scale=alt.Scale(paddingInner=0.3, paddingOuter=0.1),
        axis=alt.Axis(labelAngle=0, minExtent=24, maxExtent=24),
    )
    y = alt.Y("value:Q", axis=number_axis(alt, lang))
    colour = colours(alt, figure.marks)
    bars = alt.Chart(data(alt, barred)).mark_bar()
    drawn = bars.encode(x=x, y=y, xOffset=alt.XOffset("series:N", sort=names(barred)), color=colour)
    if ruled:
        strokes = alt.Chart(data(alt, ruled)).mark_tick(thickness=2.5, size=plot / len(places(ruled)) * 0.8)
        drawn += strokes.encode(x=x, y=y, color=colour)
    return drawn.properties(width=plot, height=200)
