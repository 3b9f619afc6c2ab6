"""Signs: returns that a source writes without the minus get it, so that money given back is never counted as money taken.

It may not decide what is a return; it decides per source, on all its records, and asks when a source writes both.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from clm.errors import DataError
from clm.ingest.evidence import Evidence
from clm.ingest.numbers import SUM
from clm.ingest.reading import Reading
from clm.ingest.scan import AGAIN, SOURCE
from clm.outcome import Notice, counted
from clm.settings import CleanSettings, typed
from clm.stages.clean.judge import REASON, RETURN

_NO_RECORD = ("totals_row", "header_repeat", "blank_row")


@dataclass(frozen=True)
class Signs:
    """Sources (by place) whose returns are negated, with how many and how much; `mixed` returns stand on either side of zero."""

    sources: tuple[int, ...] = ()
    rows: int = 0
    money: Decimal = Decimal(0)
    mixed: tuple[int, int] | None = None


def look(judged: pl.LazyFrame, reading: Reading, settings: CleanSettings) -> Signs:
    """Compare the signs of returns in each source. Who names the amount column has said that every return is money given back.

    Where money is quantity × price a return above zero (a refund by status, a negative price) is just as surely given back.
    """
    if reading.ours or not reading.has_amounts or not {"quantity", "status"} & reading.roles.keys():
        return Signs()
    money = pl.col("amount")
    table = (
        _returns(judged.filter(~pl.col(AGAIN)))
        .group_by(SOURCE)
        .agg(
            above=(money > 0).sum(),
            below=(money < 0).sum(),
            money=pl.when(money > 0).then(money).cast(SUM).sum(),
        )
        .filter(pl.col("above") > 0)
        .collect(engine="streaming")
        .sort(SOURCE)
    )
    both = table.filter(pl.col("below") > 0)
    if both.height and "amount" in reading.roles and "amount" not in dict(settings.map):
        return Signs(mixed=(int(both["above"].sum()), int(both["below"].sum())))
    total = sum(table["money"].to_list(), Decimal(0))
    return Signs(tuple(table[SOURCE].to_list()), int(table["above"].sum()), total)


def _returns(judged: pl.LazyFrame) -> pl.LazyFrame:
    return judged.filter(pl.col(RETURN) & ~pl.col(REASON).is_in(_NO_RECORD).fill_null(False))


def applied(judged: pl.LazyFrame, signs: Signs) -> pl.LazyFrame:
    """The judged table with the money of those returns below zero."""
    if not signs.sources:
        return judged
    record = ~pl.col(REASON).is_in(_NO_RECORD).fill_null(False)
    unsigned = pl.col(SOURCE).is_in(list(signs.sources)) & pl.col(RETURN) & (pl.col("amount") > 0) & record
    return judged.with_columns(pl.when(unsigned).then(-pl.col("amount")).otherwise(pl.col("amount")).alias("amount"))


def notices(signs: Signs, reading: Reading) -> list[Notice]:
    if not signs.sources:
        return []
    return [Notice("returns_unsigned", f"{_said(signs, reading)}: taken as money given back.")]


def evidence(signs: Signs, reading: Reading) -> list[Evidence]:
    if not signs.sources:
        return []
    return [Evidence("returns", "made negative", _said(signs, reading))]


def _said(signs: Signs, reading: Reading) -> str:
    has = counted(signs.rows, "return has", "returns have")
    column = reading.roles["amount"][0] if "amount" in reading.roles else "quantity × price"
    return f"{has} a positive {column} ({signs.money:,.2f} in all)"


def refusal(signs: Signs, reading: Reading) -> DataError | None:
    if signs.mixed is None:
        return None
    above, below = signs.mixed
    amount, quantity = reading.roles["amount"][0], reading.column("quantity")
    product = f"take quantity × price ({typed('map', f'quantity={quantity}')} --map unit_price=COLUMN), or " if quantity else ""
    return DataError(
        f"{counted(above, 'return has', 'returns have')} a positive {amount} and {below:,} a negative one: "
        "what was given back and what was paid cannot be told apart.",
        where=f"column {amount}",
        fix=f"{product}say that every return is money given back: {typed('map', f'amount={amount}')}",
        code="return_signs",
    )
