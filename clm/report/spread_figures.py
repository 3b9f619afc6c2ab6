"""How the expected value is spread over the customers: bands, the Lorenz curve, and what the best carry.

It may not compute; numbers come from METRICS.
"""

from __future__ import annotations

from clm.report.blocks import Block, Cell, Column, Figure, Mark, Paragraph, Table
from clm.report.cells import cell, shown, text
from clm.report.numbers import Numbers
from clm.report.words import Words

_TOP = ("top_001", "top_005", "top_010", "top_020", "top_050")


def bands(numbers: Numbers, words: Words) -> list[Block]:
    """Shares of the customers and of the value in bands that grow, lowest first; the middle and the ends below."""
    people = shown(numbers.rows("clv", "value_customers"))
    seen = [row for row in people if row.value is not None]
    if not seen:
        return []
    marks, rows = [], []
    for row in people:
        name = _band(row.group, words)
        cells = [Cell(name), cell(row, words.whole)]
        for metric, series in (("value_customer_share", "customer_share"), ("value_share", "clv")):
            share = numbers.find("clv", metric, row.group)
            cells.append(cell(share, words.percent))
            if share is not None and (share.hidden or share.value is not None):
                marks.append(Mark(series, name, share.value or 0.0, text(share, words.percent)))
        rows.append(tuple(cells))
    key = (("customer_share", words("spread.customer_share")), ("clv", words("spread.value_share")))
    columns = (
        Column(words("spread.band"), numeric=False),
        Column(words("clv.customers")),
        *(Column(label) for _, label in key),
    )
    title = words("spread.title")
    fullest = max(seen, key=lambda row: row.value or 0.0)
    most = words.percent(numbers.value("clv", "value_customer_share", fullest.group))
    alt = words("spread.alt", band=_band(fullest.group, words), share=most)
    table = Table(title, columns, tuple(rows))
    return [Figure("segments", title, key, tuple(marks), alt, table, words("spread.note")), *_quantiles(numbers, words)]


def _band(group: str | None, words: Words) -> str:
    """`100..200` -> 100 to 200"""
    low, high = (group or "..").split("..")
    if not low:
        return words("spread.nothing")
    return words("spread.below", high=_edge(high, words)) if low == "0" else _between(low, high, words)


def _between(low: str, high: str, words: Words) -> str:
    return words("spread.between", low=_edge(low, words), high=_edge(high, words))


def _edge(text: str, words: Words) -> str:
    """An edge of a band, in the digits it has: 0.5, 200."""
    amount = float(text)
    places = 0 if amount >= 1 else len(f"{amount:.10f}".rstrip("0").partition(".")[2])
    return words.money(amount, places)


def _quantiles(numbers: Numbers, words: Words) -> list[Block]:
    marks = shown(numbers.rows("clv", "value_quantile"))
    if not any(row.value is not None for row in marks):
        return []
    peak = max(abs(row.value or 0.0) for row in marks)
    mean = numbers.single("clv", "mean_clv")

    def money(value: float | None) -> str:
        return words.cell(value, peak)

    labels = [words("spread.quantile", share=words.percent(_hundredth(row.group, "p_"))) for row in marks]
    columns = (Column("", numeric=False), *(Column(label) for label in labels), Column(words("spread.mean")))
    row = (Cell(words("spread.each")), *(cell(one, money) for one in (*marks, mean)))
    return [Table(words("spread.quantiles"), columns, (row,))]


def concentration(numbers: Numbers, words: Words) -> list[Block]:
    """Lorenz curves of past revenue and of expected value over the line of equality, and the shares of the best."""
    told = {
        of: rows
        for of, rows in (("spend", numbers.rows("concentration", "lorenz")), ("clv", numbers.rows("clv", "lorenz_clv")))
        if rows
    }
    if not told:
        return []
    gini = {"spend": numbers.value("concentration", "gini"), "clv": numbers.value("clv", "gini_clv")}
    marks = [
        Mark(of, "", row.value, x=_hundredth(row.group, "poorest_"))
        for of, rows in told.items()
        for row in rows
        if row.value is not None
    ]
    groups = list(dict.fromkeys(row.group for rows in told.values() for row in rows))
    values = {of: {row.group: row for row in rows} for of, rows in told.items()}
    rows = []
    for group in groups:
        part = _hundredth(group, "poorest_")
        rows.append((Cell(words.percent(part), part), *(cell(values[of].get(group), words.percent) for of in told)))
    columns = (Column(words("spread.poorest")), *(Column(words(f"clv.share_{of}")) for of in told))
    title = words("spread.lorenz")
    named = words("format.list").join(
        words("spread.gini", name=words(f"clv.share_{of}"), gini=words.decimal(gini[of])) for of in told
    )
    key = (*((of, words(f"clv.share_{of}")) for of in told), ("equal", words("clv.equal")))
    axes = words("spread.lorenz_axes", gini=named)
    alt = words("spread.lorenz_alt", gini=named)
    figure = Figure("lorenz", title, key, tuple(marks), alt, Table(title, columns, tuple(rows)), axes)
    return [*_lead(numbers, words), figure, *_best(numbers, words)]


def _lead(numbers: Numbers, words: Words) -> list[Block]:
    tenth = {of: numbers.value("clv", f"top_share_{of}", "top_010") for of in ("spend", "clv")}
    for of, key in (("clv", "concentration"), ("spend", "concentration_spend")):
        fifths = numbers.value("clv", f"four_fifths_{of}")
        if None not in (tenth["spend"], tenth[of], fifths):
            shares = {one: words.percent(tenth[one]) for one in dict.fromkeys(("spend", of))}
            return [Paragraph(words(f"clv.{key}", **shares, four_fifths=words.percent(fifths)))]
    return []


def _best(numbers: Numbers, words: Words) -> list[Block]:
    """What the best customers carry, the best hundredth first."""
    told = [of for of in ("spend", "clv") if numbers.rows("clv", f"top_share_{of}")]
    if not told:
        return []
    rows = []
    for group in _TOP:
        top = _hundredth(group, "top_")
        shares = (numbers.find("clv", f"top_share_{of}", group) for of in told)
        rows.append((Cell(words.percent(top), top), *(cell(share, words.percent, bar=True) for share in shares)))
    columns = (Column(words("clv.top")), *(Column(words(f"clv.share_{of}")) for of in told))
    return [Table(words("clv.concentration_title"), columns, tuple(rows))]


def _hundredth(group: str | None, prefix: str) -> float:
    """`top_010` -> 0.1"""
    return int((group or f"{prefix}0").removeprefix(prefix)) / 100
