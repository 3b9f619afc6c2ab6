"""The back-test in pictures: tenths of the forecast beside those of the best simple rule, and the total week by week.

It may not compute; numbers come from METRICS.
"""

from __future__ import annotations

from clm.report.blocks import Block, Cell, Column, Figure, Mark, Paragraph, Table
from clm.report.cells import cell, people_of
from clm.report.numbers import Numbers
from clm.report.words import Words, plain

_SIDES = ("predicted", "actual", "baseline_predicted", "baseline_actual")


def deciles(numbers: Numbers, words: Words) -> list[Block]:
    """What each tenth was forecast and did; beside it what the tenths of the best simple rule did."""
    groups = numbers.groups("clv", ("decile_predicted",))
    if not groups:
        return [Paragraph(words("clv.deciles_none"))] if numbers.rows("backtest", "origins") else []
    rules = [row.group for row in numbers.rows("clv", "decile_baseline")]
    sides = _SIDES if rules else _SIDES[:2]
    rule = words.name("method", rules[0]) if rules else ""
    marks, rows = [], []
    for group in groups:
        place = plain(group.lstrip("0"), 12)
        found = {side: numbers.find("clv", f"decile_{side}", group) for side in sides}
        marks += [
            Mark("rule" if side == "baseline_actual" else side, place, one.value)
            for side, one in found.items()
            if side != "baseline_predicted" and one is not None and one.value is not None
        ]
        people = people_of(found["predicted"], words)
        rows.append((Cell(place), people, *(cell(one, words.decimal) for one in found.values())))
    columns = (
        Column(words("clv.decile"), numeric=False),
        Column(words("clv.customers")),
        *(Column(words(f"clv.{side}")) for side in sides),
    )
    title = words("clv.deciles_title")
    alt = words("clv.deciles_alt", predicted=rows[0][2].text, actual=rows[0][3].text)
    key = [(side, words(f"clv.{side}")) for side in ("predicted", "actual")]
    note = [words("clv.deciles")]
    if rules:
        key.append(("rule", words("clv.baseline_actual")))
        note.append(words("clv.deciles_rule", rule=rule))
    table = Table(title, columns, tuple(rows))
    return [Figure("deciles", title, tuple(key), tuple(marks), alt, table, words("format.sentence_gap").join(note))]


def tracking(numbers: Numbers, words: Words) -> list[Block]:
    """Order days of everybody since the latest origin, as forecast and as they came."""
    weeks = [row for row in numbers.rows("backtest", "tracked_predicted") if row.value is not None]
    if len(weeks) < 2:
        return []
    origin = weeks[0].group
    marks = [Mark(side, "", 0.0, x=0.0) for side in ("predicted", "actual")]
    rows = []
    for row in weeks:
        days, actual = (
            int((row.period or "0d").removesuffix("d")),
            numbers.value("backtest", "tracked_actual", origin, row.period),
        )
        marks.append(Mark("predicted", "", row.value or 0.0, x=days))
        if actual is not None:
            marks.append(Mark("actual", "", actual, x=days))
        rows.append((Cell(words.whole(days)), Cell(words.whole(row.value), row.value), Cell(words.whole(actual), actual)))
    columns = (Column(words("backtest.day")), Column(words("clv.predicted")), Column(words("clv.actual")))
    title = words("backtest.tracking", day=words.day(origin))
    ends = {"predicted": rows[-1][1].text, "actual": rows[-1][2].text}
    alt = words("backtest.tracking_alt", days=words.count("days", marks[-1].x), **ends)
    key = tuple((side, words(f"clv.{side}")) for side in ("predicted", "actual"))
    return [
        Figure("tracking", title, key, tuple(marks), alt, Table(title, columns, tuple(rows)), words("backtest.tracking_axes"))
    ]
