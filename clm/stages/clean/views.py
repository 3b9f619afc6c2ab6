"""What a log has (amounts, times, returns, products) and how each judgement sees its good rows.

It may not judge: it chooses columns, keys and sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import polars as pl

from clm.stages.clean import amounts, goods, products
from clm.stages.clean.places import AT
from clm.tables import RETURN, SALE

ORDER = ["customer_id", "order_id"]
PAIR = ["customer_id", products.ITEM]
SUM = pl.Decimal(38, 4)


@dataclass(frozen=True)
class Log:
    """The good rows of a log, one per line, and what they have.

    `named` are the columns that name a product, `fees` the values that are none.
    """

    good: pl.LazyFrame
    columns: frozenset[str]
    rows: int
    amounts: bool
    times: bool
    returns: bool
    named: tuple[str, ...]
    fees: goods.NonProducts

    @classmethod
    def of(cls, good: pl.LazyFrame, patterns: tuple[str, ...] | None) -> Self:
        columns = frozenset(good.collect_schema().names())
        named = tuple(column for column in ("product_id", "product") if column in columns)
        timed = (pl.col("ordered_at").dt.time().cast(pl.Int64) > 0).any()
        facts = good.select(
            pl.len(),
            amounts=pl.col("amount").count(),
            times=timed,
            returns=(pl.col("kind") == RETURN).any(),
            unnamed=pl.col(named[0]).null_count() if named else pl.lit(0),
        )
        rows, amounts_, times, returns, unnamed = facts.collect(engine="streaming").row(0)
        fees = goods.find(good, list(named), patterns) if rows else goods.NonProducts()
        # names are read only where an id is missing
        named = named if unnamed else named[:1]
        return cls(good, columns, rows, bool(amounts_), bool(times), bool(returns), named, fees)

    @property
    def items(self) -> bool:
        return bool(self.named)

    @property
    def quantities(self) -> bool:
        return "quantity" in self.columns

    @property
    def valued(self) -> bool:
        """Whether lines have a price or a quantity that could be strange."""
        return self.quantities or self.priced

    @property
    def priced(self) -> bool:
        """Whether products have prices."""
        return self.items and self.amounts

    @property
    def keys(self) -> list[str]:
        """What a return must share with the purchase it undoes: the product, or the money where none is known."""
        if self.items:
            return PAIR
        return ["customer_id", "size"] if self.amounts else ["customer_id"]

    def item(self) -> pl.Expr:
        return (pl.coalesce(self.named) if self.named else pl.lit(None, dtype=pl.String)).alias(products.ITEM)

    def lines(self) -> pl.LazyFrame:
        """All that judgements of lines ask."""
        asked = [AT, *ORDER, "ordered_at", "kind", "amount", *self.fees.columns, *(["quantity"] if self.quantities else [])]
        return self.good.select(*asked, self.item())

    def sales(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Sale lines of products, out of `lines`, with `price` and `pieces`."""
        product = ~self.fees.holds() if self.fees else pl.lit(value=True)
        sold = lines.filter((pl.col("kind") == SALE) & product)
        return sold.with_columns(products.values(quantities=self.quantities))

    def sized(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """Lines with `size` (what two lines of one size share: units, or money), `units` and `goods`, as `refunds` sees them."""
        counted = self.quantities and (self.items or not self.amounts)
        units = pl.col("quantity").abs().fill_null(1) if counted else pl.lit(1)
        size = pl.col("quantity") if counted else pl.col("amount")
        return lines.with_columns(
            size.abs().alias("size"), units.cast(pl.Decimal(18, 4)).alias("units"), (~self.fees.holds()).alias("goods")
        )

    def orders(self) -> pl.LazyFrame:
        """One row per order with a sale: `first` (its moment), `sold` (money of its sales), `x` (its logarithm)."""
        sales = self.good.filter(pl.col("kind") == SALE) if self.returns else self.good
        made = [pl.col("ordered_at").min().alias("first")]
        made += [pl.col("amount").cast(SUM).sum().alias("sold")] if self.amounts else []
        orders = sales.group_by(ORDER).agg(made)
        return orders.with_columns(amounts.logarithm().alias("x")) if self.amounts else orders

    def conditions(self) -> list[tuple[pl.Expr, str]]:
        """What a line shows by itself."""
        sale, money = pl.col("kind") == SALE, pl.col("amount")
        found: list[tuple[pl.Expr, str]] = []
        if self.amounts:
            below = sale & (money < 0)
            below = below & (pl.col("quantity").fill_null(1) > 0) if self.quantities else below
            # money taken off by a voucher is no price
            found.append((below & ~self.fees.holds() if self.fees else below, "negative_price"))
            found.append((sale & (money == 0), "zero_price"))
        if self.fees:
            found.append((self.fees.holds(), "non_product"))
        return found
