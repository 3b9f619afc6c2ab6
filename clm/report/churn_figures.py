"""The tests of the churn probabilities in pictures: can they be believed, whom do they find, what would acting have brought.

It may not compute; numbers come from METRICS. Each picture holds what is had for nothing: one rate for all, chance, silence.
"""

from __future__ import annotations

from clm.report.blocks import Block, Cell, Column, Figure, Mark, Paragraph, Table
from clm.report.cells import cell, people_of, shown, text
from clm.report.numbers import Numbers
from clm.report.words import Words, plain


def reliability(numbers: Numbers, words: Words) -> list[Block]:
    """Predicted against observed shares of ten groups, and the one rate that would be told of everybody."""
    marks, rows, gap = [], [], (-1.0, 0.0, 0.0)
    for group in numbers.groups("churn", ("reliability_predicted",)):
        predicted = numbers.find("churn", "reliability_predicted", group)
        observed = numbers.find("churn", "reliability_observed", group)
        both = (cell(number, words.percent) for number in (predicted, observed))
        rows.append((Cell(plain(group.lstrip("0"), 12)), people_of(predicted, words), *both))
        if predicted and observed and predicted.value is not None and observed.value is not None:
            marks.append(Mark("observed", group, observed.value, x=predicted.value))
            gap = max(gap, (abs(observed.value - predicted.value), predicted.value, observed.value))
    if not marks:
        return [Paragraph(words("churn.reliability_none"))] if numbers.rows("churn", "chosen") else []
    title = words("churn.reliability_title")
    columns = (
        Column(words("churn.bin"), numeric=False),
        Column(words("churn.customers")),
        Column(words("churn.predicted")),
        Column(words("churn.observed")),
    )
    alt = words("churn.reliability_alt", predicted=words.percent(gap[1]), observed=words.percent(gap[2]))
    key = [("observed", words("churn.observed")), ("equal", words("churn.perfect"))]
    base = numbers.value("churn", "base_rate")
    if base is not None:
        marks.append(Mark("base_rate", "", base, x=base))
        key.append(("base_rate", words("churn.base_rate", share=words.percent(base))))
    table = Table(title, columns, tuple(rows))
    return [Figure("reliability", title, tuple(key), tuple(marks), alt, table, words("churn.reliability"))]


def gain(numbers: Numbers, words: Words) -> list[Block]:
    """Share of the lost among those of highest risk, between chance and somebody who knew; the table to decide by."""
    found = shown(numbers.rows("churn", "gain"))
    seen = [row for row in found if row.value is not None]
    if not seen:
        return []
    series = [name for name in ("gain", "gain_hiatus", "gain_perfect") if numbers.rows("churn", name)]
    marks, rows = [], []
    for row in found:
        top = _top(row.group)
        values = {name: numbers.find("churn", name, row.group) for name in series}
        marks += [Mark(name, "", one.value, x=top) for name, one in values.items() if one and one.value is not None]
        lift = cell(numbers.find("churn", "lift", row.group), words.decimal)
        shares = (cell(one, words.percent) for one in values.values())
        rows.append((Cell(words.percent(top), top), people_of(row, words), *shares, lift))
    marks.sort(key=lambda mark: series.index(mark.series))
    columns = (
        Column(words("churn.top")),
        Column(words("churn.customers")),
        *(Column(words(f"churn.{name}")) for name in series),
        Column(words("churn.lift")),
    )
    title = words("churn.gain_title")
    fifth = numbers.find("churn", "gain", "top_020") or seen[0]
    said = {"top": words.percent(_top(fifth.group)), "share": text(fifth, words.percent)}
    key = (*((name, words(f"churn.{name}")) for name in series), ("equal", words("churn.chance")))
    alt = words("churn.gain_alt", **said)
    table = Table(title, columns, tuple(rows))
    return [Figure("gain", title, key, tuple(marks), alt, table, words("churn.gain_axes"))]


def profit(numbers: Numbers, words: Words) -> list[Block]:
    """What contacting the best so many would have brought in the test window, beside contacting anybody."""
    whole = next((row for row in numbers.rows("profit", "tested_realised") if row.group == "top_100"), None)
    steps = [row for row in shown(numbers.rows("profit", "tested_realised")) if row.group is not None]
    if whole is None or whole.value is None or len(steps) < 2:
        return [] if numbers.rows("profit", "contacts") else [Paragraph(words("churn.profit_none"))]
    marks, rows = [], []
    peak = max(abs(row.value or 0.0) for row in steps)

    def money(value: float | None) -> str:
        return words.cell(value, peak)

    for row in steps:
        top = _top(row.group)
        expected = numbers.find("profit", "tested_expected", row.group, row.period)
        marks += [
            Mark(name, "", one.value, x=top)
            for name, one in (("realised", row), ("expected", expected))
            if one is not None and one.value is not None
        ]
        rows.append((Cell(words.percent(top), top), people_of(row, words), *(cell(one, money) for one in (expected, row))))
    best = max(steps, key=lambda row: row.value or 0.0)
    marks = [*(Mark(name, "", 0.0, x=0.0) for name in ("realised", "expected", "equal")), *marks]
    marks.append(Mark("equal", "", whole.value, x=1.0))
    title = words("churn.profit_title", day=words.day(whole.period))
    columns = (
        Column(words("churn.top_value")),
        Column(words("churn.customers")),
        Column(words("churn.profit_expected")),
        Column(words("churn.profit_realised")),
    )
    said = {"top": words.percent(_top(best.group)), "best": words.money(best.value), "all": words.money(whole.value)}
    alt = words("churn.profit_alt", **said)
    key = (
        ("realised", words("churn.profit_realised")),
        ("expected", words("churn.profit_expected")),
        ("equal", words("churn.anybody")),
    )
    table = Table(title, columns, tuple(rows))
    note = words("format.sentence_gap").join((words("churn.profit_best", **said), words("churn.profit_axes")))
    return [Figure("profit", title, key, tuple(marks), alt, table, note, table_open=True)]


def _top(group: str | None) -> float:
    """`top_010` -> 0.1"""
    return int((group or "top_0").removeprefix("top_")) / 100
