"""Margin earned so far: what of the money paid was left after the goods, exact to a ten-thousandth for each customer.

It may not look ahead: a forecast shrinks a customer's own margin, the past is what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from clm.settings import MARGIN_FROM_COST

_MONEY, _FINE = pl.Decimal(38, 4), pl.Decimal(38, 16)
_SHARE = pl.Decimal(38, 12)


@dataclass(frozen=True)
class Margin:
    """`share` of every payment; with `by_cost`, payment less cost, and `share` (the base's) only where no cost is known."""

    share: Decimal
    by_cost: bool

    @staticmethod
    def of(customers: pl.DataFrame, setting: Any) -> Margin:
        """The margin a setting means; with costs, the base's: 1 − cost ÷ spend over those who have both and spent anything."""
        if setting != MARGIN_FROM_COST:
            return Margin(Decimal(str(setting)), by_cost=False)
        known = customers.filter(pl.col("cost").is_not_null() & (pl.col("spend") > 0))
        spend, cost = known["spend"].sum(), known["cost"].sum()
        share = 1 - Decimal(cost) / Decimal(spend) if known.height else Decimal(0)
        return Margin(share.quantize(Decimal("1e-12")), by_cost=True)

    def earned(self, paid: str, cost: str = "cost") -> pl.Expr:
        """The margin of money paid, rounded once; null where nothing is known to be paid."""
        part = (pl.col(paid).cast(_FINE) * pl.lit(self.share, _SHARE)).cast(_MONEY)
        if not self.by_cost:
            return part
        return pl.when(pl.col(cost).is_not_null()).then(pl.col(paid).cast(_MONEY) - pl.col(cost).cast(_MONEY)).otherwise(part)
