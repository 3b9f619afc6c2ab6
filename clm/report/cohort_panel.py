"""The panel of cohorts: customers by the period of their first order, and what became of them.

It may not compute; numbers come from METRICS. A period not yet lived is an empty cell, a running one is marked.
"""

from __future__ import annotations

from clm.report.blocks import Block, Heat, HeatCell, Paragraph
from clm.report.cells import Show, text
from clm.report.numbers import Numbers
from clm.report.words import Words

_MOST_ROWS, _MOST_AGES, _ON_A_PHONE = 12, 13, 5
_LEVELS = (0.05, 0.1, 0.2, 0.4)


def cohorts(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Retention and revenue by cohort and age, the latest cohorts; the mean weighted over complete cells."""
    names = numbers.groups("cohorts", ("customers",))
    periods = list(numbers.periods("cohorts", "period_complete"))
    if not names:
        return (Paragraph(words("cohorts.none")),)
    unit = words(f"cohorts.{length_of(names[0])}")
    said = [words("cohorts.lead", unit=unit)]
    first = numbers.find("cohorts", "mean_retention", "age_01")
    if first is not None and first.value is not None:
        said.append(words("cohorts.next", unit=unit, share=words.percent(first.value)))
    if len(names) > _MOST_ROWS:
        said.append(words("cohorts.latest", n=words.whole(_MOST_ROWS), of=words.whole(len(names))))
    shown = names[-_MOST_ROWS:]
    ages = range(min(len(periods) - periods.index(shown[0]), _MOST_AGES))
    blocks: list[Block] = [Paragraph(words("format.sentence_gap").join(said))]
    blocks.append(_heat(numbers, words, "retention", shown, periods, ages, words.percent))
    if numbers.rows("cohorts", "revenue"):
        blocks.append(_heat(numbers, words, "revenue", shown, periods, ages, words.brief))
    return tuple(blocks)


def _heat(
    numbers: Numbers,
    words: Words,
    metric: str,
    names: list[str],
    periods: list[str],
    ages: range,
    show: Show,
) -> Heat:
    running = {row.period for row in numbers.rows("cohorts", "period_complete") if row.value == 0}
    whole, priced = metric == "retention", metric == "revenue" and bool(words.currency_code)
    peak = max((abs(row.value or 0.0) for row in numbers.rows("cohorts", metric)), default=0.0) or 1.0
    rows, cells = [], []
    for name in names:
        size = text(numbers.find("cohorts", "customers", name), words.whole)
        rows.append(words("cohorts.row", name=words.period(name), n=size))
        start = periods.index(name)
        line = []
        for age in ages:
            period = periods[start + age] if start + age < len(periods) else None
            found = None if period is None else numbers.find("cohorts", metric, name, period)
            value = found.value if found else None
            mark = words("cohorts.mark") if period in running else ""
            level = 0 if value is None else 1 + sum(value / (1.0 if whole else peak) >= step for step in _LEVELS)
            shown = found is not None and (found.hidden or value is not None)
            line.append(HeatCell(f"{text(found, show)}{mark}" if shown else "", value, "", level))
        cells.append(tuple(line))
    if whole:
        rows.append(words("cohorts.mean"))
        means = [numbers.find("cohorts", "mean_retention", f"age_{age:02d}") for age in ages]
        cells.append(
            tuple(HeatCell(text(mean, show), mean.value, "", 0) if mean else HeatCell("", None, "", 0) for mean in means)
        )
    return Heat(
        caption=words("cohorts.revenue_money", currency=words.currency_code) if priced else words(f"cohorts.{metric}"),
        corner=words("cohorts.corner"),
        columns=tuple(str(age) for age in ages),
        rows=tuple(rows),
        cells=tuple(cells),
        alt=words(f"cohorts.{metric}_alt"),
        note=words(f"cohorts.{metric}_note"),
        phone=_ON_A_PHONE,
        phone_note=words("cohorts.phone") if len(ages) > _ON_A_PHONE else "",
    )


def length_of(name: str) -> str:
    """How long the period of this name is: `2024-03`, `2024-Q1`, `2024`."""
    part = name.partition("-")[2]
    return "month" if part.isdecimal() else "quarter" if part else "year"
