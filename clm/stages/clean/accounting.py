"""The accounting of `clean`: rows and money, in and out, by reason; and the line that adds up.

It may not decide what happens to a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal

import polars as pl

from clm.ingest.numbers import SUM
from clm.outcome import Amount, counted
from clm.tables import COLLAPSED_CODES, REJECT_CODES, RETURN, SALE

_WIDE = Context(prec=60)
SAID = {
    "fields_few": "too few fields",
    "fields_many": "too many fields",
    "quote": "broken quote",
    "nul": "zero byte",
    "date": "unreadable date",
    "amount": "unreadable amount",
    "quantity": "unreadable quantity",
    "no_customer": "no customer id",
    "no_order": "no order id",
    "id_destroyed": "id destroyed by a spreadsheet",
    "totals_row": "totals row",
    "header_repeat": "header again",
    "blank_row": "blank row",
    "future": "in the future",
    "test_order": "test order",
    "cancelled": "cancelled",
    "currency_other": "other currency",
    "not_a_sale": "not a sale",
    "duplicate": "repeated row",
    "order_line": "line of an order with one amount",
    "same_file": "file given twice",
}


@dataclass(frozen=True)
class Sum:
    """Rows and their readable money."""

    rows: int = 0
    money: Decimal = field(default_factory=lambda: Decimal(0))

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.rows + other.rows, _WIDE.add(self.money, other.money))


def by_group(frame: pl.LazyFrame, keys: Sequence[str], usual: pl.Expr) -> pl.LazyFrame:
    """`rows` and `amount` of every group. All rows for which `usual` holds are of one group: they need no looking up."""
    sums = [pl.len().cast(pl.Int64).alias("rows"), pl.col("amount").cast(SUM).sum()]
    most = frame.filter(usual).select(*(pl.col(key).first() for key in keys), *sums).filter(pl.col("rows") > 0)
    return pl.concat([most, frame.filter(~usual).group_by(keys).agg(sums)])


def total(frame: pl.LazyFrame) -> Sum:
    row = frame.select(pl.len(), pl.col("amount").cast(SUM).sum()).collect(engine="streaming").row(0)
    return Sum(row[0], row[1] or Decimal(0))


@dataclass(frozen=True)
class Account:
    """Everything that came in, and where it went."""

    total: Sum
    by_kind: dict[str, Sum]
    rejected: dict[str, Sum]
    collapsed: dict[str, Sum]

    @classmethod
    def of(cls, by_reason: pl.DataFrame, by_kind: pl.DataFrame, collapsed: dict[str, Sum]) -> Account:
        """From counts per (reason, file given again) of all records, and per kind of the kept ones."""
        everything, again = Sum(), Sum()
        rejected: dict[str, Sum] = {}
        for reason, repeated, rows, money in by_reason.iter_rows():
            one = Sum(rows, money or Decimal(0))
            everything += one
            if repeated:
                again += one
            elif reason in COLLAPSED_CODES:
                collapsed = collapsed | {reason: one}
            elif reason is not None:
                rejected[reason] = one
        kinds = {SALE: Sum(), RETURN: Sum()} | {kind: Sum(rows, money or Decimal(0)) for kind, rows, money in by_kind.iter_rows()}
        collapsed = collapsed | ({"same_file": again} if again.rows else {})
        return cls(
            everything,
            kinds,
            {code: rejected[code] for code in REJECT_CODES if code in rejected},
            {code: collapsed[code] for code in COLLAPSED_CODES if code in collapsed},
        )

    @property
    def kept(self) -> Sum:
        return sum(self.by_kind.values(), Sum())

    @property
    def rejected_rows(self) -> dict[str, int]:
        return {code: one.rows for code, one in self.rejected.items()}

    @property
    def collapsed_rows(self) -> dict[str, int]:
        return {code: one.rows for code, one in self.collapsed.items()}

    def amounts(self, known: bool) -> Amount | None:
        if not known:
            return None
        return Amount(
            self.total.money,
            self.kept.money,
            {code: one.money for code, one in self.rejected.items()},
            {code: one.money for code, one in self.collapsed.items()},
        )

    def prove(self) -> None:
        """Rows and money in = kept + rejected + collapsed, or clm has a bug and must not write."""
        gone = sum((*self.rejected.values(), *self.collapsed.values()), Sum())
        if self.kept + gone != self.total:
            raise AssertionError(f"the accounting does not add up: in {self.total}, kept {self.kept}, gone {gone}")


def closing_line(account: Account) -> str:
    """`541,909 rows = 397,924 sales + 8,905 returns + 135,080 rejected (no customer id)`."""
    parts = [counted(account.by_kind[SALE].rows, "sale"), counted(account.by_kind[RETURN].rows, "return")]
    for word, codes in (("rejected", account.rejected), ("collapsed", account.collapsed)):
        if codes:
            number = sum(one.rows for one in codes.values())
            why = [SAID[code] if len(codes) == 1 else f"{one.rows:,} {SAID[code]}" for code, one in codes.items()]
            parts.append(f"{number:,} {word} ({', '.join(why)})")
    return f"{counted(account.total.rows, 'row')} = {' + '.join(parts)}"
