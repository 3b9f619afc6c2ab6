"""The tests of the churn probabilities in pictures: can they be believed, whom do they find, what would acting have brought.

It may not compute; numbers come from METRICS. Each picture holds what is had for nothing: one rate for all, chance, silence.
"""

from __future__ import annotations

from clm.report.blocks import Block, Cell, Column, Figure, Mark, Paragraph, Table
from clm.report.numbers import Numbers
from clm.report.words import Words, plain


def reliability(numbers: Numbers, words: Words) -> list[Block]:
    """Predicted against observed shares of ten groups, and the one rate that would be told of everybody."""
    marks, rows, gap = [], [], (-1.0, 0.0, 0.0)
    for group in numbers.groups("churn", ("reliability_predicted",)):
        predicted = numbers.find("churn", "reliability_predicted", group)
        observed = numbers.value("churn", "reliability_observed", group)
        if predicted is None or predicted.value is None or observed is None:
            continue
        marks.append(Mark("observed", group, observed, x=predicted.value))
        gap = max(gap, (abs(observed - predicted.value), predicted.value, observed))
        n = predicted.n
        cells = (Cell(plain(group.lstrip("0"), 12)), Cell(words.whole(n), n))
        both = (Cell(words.percent(number), number) for number in (predicted.value, observed))
        rows.append((*cells, *both))
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
    found = [row for row in numbers.rows("churn", "gain") if row.value is not None]
    if not found:
        return []
    series = [name for name in ("gain", "gain_hiatus", "gain_perfect") if numbers.rows("churn", name)]
    marks, rows = [], []
    for row in found:
        top = _top(row.group)
        values = {name: numbers.value("churn", name, row.group) for name in series}
        marks += [Mark(name, "", value, x=top) for name, value in values.items() if value is not None]
        lift = numbers.value("churn", "lift", row.group)
        shares = (Cell(words.percent(value), value) for value in values.values())
        rows.append((Cell(words.percent(top), top), Cell(words.whole(row.n), row.n), *shares, Cell(words.decimal(lift), lift)))
    marks.sort(key=lambda mark: series.index(mark.series))
    columns = (
        Column(words("churn.top")),
        Column(words("churn.customers")),
        *(Column(words(f"churn.{name}")) for name in series),
        Column(words("churn.lift")),
    )
    title = words("churn.gain_title")
    fifth = numbers.find("churn", "gain", "top_020") or found[0]
    said = {"top": words.percent(_top(fifth.group)), "share": words.percent(fifth.value)}
    key = (*((name, words(f"churn.{name}")) for name in series), ("equal", words("churn.chance")))
    alt = words("churn.gain_alt", **said)
    table = Table(title, columns, tuple(rows))
    return [Figure("gain", title, key, tuple(marks), alt, table, words("churn.gain_axes"))]


def profit(numbers: Numbers, words: Words) -> list[Block]:
    """What contacting the best so many would have brought in the test window, beside contacting anybody."""
    whole = next((row for row in numbers.rows("profit", "tested_realised") if row.group == "top_100"), None)
    steps = [row for row in numbers.rows("profit", "tested_realised") if row.group is not None and row.value is not None]
    if whole is None or whole.value is None or len(steps) < 2:
        return [] if numbers.rows("profit", "contacts") else [Paragraph(words("churn.profit_none"))]
    marks, rows = [], []
    peak = max(abs(row.value or 0.0) for row in steps)
    for row in steps:
        top = _top(row.group)
        expected = numbers.value("profit", "tested_expected", row.group, row.period)
        marks.append(Mark("realised", "", row.value or 0.0, x=top))
        if expected is not None:
            marks.append(Mark("expected", "", expected, x=top))
        money = (Cell(words.cell(value, peak), value) for value in (expected, row.value))
        rows.append((Cell(words.percent(top), top), Cell(words.whole(row.n), row.n), *money))
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
