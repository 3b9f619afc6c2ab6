"""The panel about what the fitted model makes of a silence: P(alive) of three invented customers.

It may not compute; numbers come from METRICS. Nobody real is in it, and where it is empty it says why.
"""

from __future__ import annotations

from clm.report.blocks import Block, Cell, Column, Figure, Mark, Paragraph, Table
from clm.report.numbers import Numbers
from clm.report.words import Words

PATTERNS = ("often", "rare", "once")
_WITHOUT_ATTRITION = "attrition_not_identified"


def alive(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Three histories side by side; or the sentence why there are none."""
    told = [row for row in numbers.rows("alive", "p_alive") if row.group in PATTERNS and row.value is not None]
    if {row.group for row in told} != set(PATTERNS):
        return (Paragraph(words(_why_not(numbers))),)
    marks = tuple(Mark(row.group or "", "", row.value or 0.0, x=_day(row.period)) for row in told)
    days = list(dict.fromkeys(row.period for row in told))
    rows = tuple(
        (
            Cell(words.whole(_day(day))),
            *(Cell(words.percent(p), p) for p in (numbers.value("alive", "p_alive", name, day) for name in PATTERNS)),
        )
        for day in days
    )
    ends = {name: words.percent(numbers.value("alive", "p_alive", name, days[-1])) for name in PATTERNS}
    title = words("alive.title")
    key = tuple((name, words(f"alive.{name}")) for name in PATTERNS)
    columns = (Column(words("alive.day")), *(Column(label) for _, label in key))
    length = words.count("days", _day(days[-1]))
    lead = words("alive.lead", family=_family(numbers, words), **_gaps(numbers, words), days=length)
    read = words("alive.read", **ends)
    alt = words("alive.alt", days=length, **ends)
    figure = Figure("alive", title, key, marks, alt, Table(title, columns, rows), words("alive.axes"))
    return (Paragraph(words("format.sentence_gap").join((lead, read))), figure)


def _why_not(numbers: Numbers) -> str:
    statuses = {row.group for row in numbers.rows("clv", "customers_by_status") if row.value}
    methods = {row.group for row in numbers.rows("clv", "customers_by_method") if row.value}
    if not statuses:
        return "alive.none"
    if _WITHOUT_ATTRITION in statuses or "nbd" in methods:
        return "alive.not_identified"
    if "few_repeat_buyers" in statuses:
        return "alive.few"
    return "alive.rule" if methods & {"rate", "last_period", "mean", "zero", "hiatus"} else "alive.unknown"


def _family(numbers: Numbers, words: Words) -> str:
    step = numbers.rows("alive", "step")
    return words.name("method", step[0].group if step else "")


def _gaps(numbers: Numbers, words: Words) -> dict[str, str]:
    """Days between two orders of each pattern that has several, and the day of the last of who stopped."""
    days = {name: [_day(row.period) for row in numbers.rows("alive", "order") if row.group == name] for name in PATTERNS}
    gaps = {f"{name}_gap": words.count("days", days[name][1] if len(days[name]) > 1 else None) for name in ("often", "rare")}
    return gaps | {"stopped": words.count("days", days["often"][-1] if days["often"] else None)}


def _day(period: str | None) -> int:
    """`16d` -> 16"""
    return int((period or "0d").removesuffix("d"))
