"""The panel that names customers: the first of `clm list`, where they stand and why they are in danger. Only when asked for.

It may not choose anybody: `stages/choosing` did.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl

from clm.report import told
from clm.report.blocks import Block, Cell, Column, Paragraph, Table
from clm.report.words import Words, plain

# what is told of each, as far as the table knows it
COLUMNS = ("customer_id", "segment", "last_order_on", "orders", "spend", "clv", "churn_probability", "reasons")
_NUMERIC = {"orders", "spend", "clv", "churn_probability"}
_MINOR = {"last_order_on", "orders", "spend"}  # a narrow screen has room for what is expected, and why
_LONGEST = 200  # of what is said of one customer


def customers(chosen: pl.DataFrame, words: Words) -> tuple[Block, ...]:
    """One row per customer of `chosen` (columns of COLUMNS, reasons as codes), best first."""
    if chosen.is_empty():
        return (Paragraph(words("customers.none")),)
    names = chosen.columns
    peaks: dict[str, float] = {name: _most(chosen[name]) for name in ("spend", "clv") if name in names}
    worded = told.in_words(chosen, words)
    rows = tuple(
        tuple(_cell(name, value, peaks.get(name, 0.0), words) for name, value in zip(names, row, strict=True))
        for row in worded.iter_rows()
    )
    columns = tuple(Column(words.name("column", name), numeric=name in _NUMERIC, minor=name in _MINOR) for name in names)
    return (Paragraph(words("customers.lead")), Table(words("customers.table"), columns, rows))


def _most(column: pl.Series) -> float:
    return max((abs(float(value)) for value in column.drop_nulls().to_list()), default=0.0)


def _cell(name: str, value: Any, most: float, words: Words) -> Cell:
    if name == "last_order_on":
        return Cell(words.day(value))
    if name not in _NUMERIC:
        return Cell(plain("" if value is None else value, _LONGEST))
    number = None if value is None else float(value)
    shows = {"orders": words.whole, "churn_probability": words.percent}
    show = shows.get(name) or partial(words.cell, largest=most)
    return Cell(show(number), number)
