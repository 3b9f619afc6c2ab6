"""What a stage hands back: a frame, and the facts about how it came to be.

It may not touch files or decide anything; storage writes it down, the shell reads it out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


_WIDE = Context(prec=60)  # sums are Decimal(38, 4); the default context stops at 28 digits


@dataclass(frozen=True)
class Notice:
    """Something the reader must know: a stable `code` for scripts, a sentence (`text`) for people."""

    code: str
    text: str

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "text": self.text}


@dataclass(frozen=True)
class Rows:
    """Row accounting of one stage: `rows_in = rows_out + Σ rejected + Σ collapsed (+ after_as_of)` where rows are lines."""

    rows_in: int
    rows_out: int
    rejected: dict[str, int] = field(default_factory=dict)
    collapsed: dict[str, int] = field(default_factory=dict)
    after_as_of: int | None = None

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "in": self.rows_in,
            "out": self.rows_out,
            "rejected": self.rejected,
            "collapsed": self.collapsed,
        }
        if self.after_as_of is not None:
            record["after_as_of"] = self.after_as_of
        return record


@dataclass(frozen=True)
class Amount:
    """Money accounting of one stage, exact; the same keys as `Rows`."""

    amount_in: Decimal
    amount_out: Decimal
    rejected: dict[str, Decimal] = field(default_factory=dict)
    collapsed: dict[str, Decimal] = field(default_factory=dict)
    after_as_of: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        record: dict[str, Any] = {
            "in": money_text(self.amount_in),
            "out": money_text(self.amount_out),
            "rejected": {code: money_text(value) for code, value in self.rejected.items()},
            "collapsed": {code: money_text(value) for code, value in self.collapsed.items()},
        }
        if self.after_as_of is not None:
            record["after_as_of"] = money_text(self.after_as_of)
        return record


@dataclass(frozen=True)
class Outcome:
    """One stage's result. `frame` holds the rows of the stage's table; the rest travels in the footer and in `--json`.

    `learned` is what was fitted, as JSON numbers (for `--save-model`); `closing` the stage's line for people, without its name.
    """

    frame: pl.DataFrame | pl.LazyFrame
    rows: Rows
    amount: Amount | None = None
    as_of: date | None = None
    currency: str | None = None
    zone: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[Notice, ...] = ()
    learned: dict[str, Any] | None = None
    closing: str = ""


def money_text(value: Decimal) -> str:
    """A decimal with exactly four places, never in exponent form: the only way money is written as text."""
    return f"{value.quantize(Decimal('0.0001'), context=_WIDE):f}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 customer`, `2,357 customers`: a count as people read it."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
