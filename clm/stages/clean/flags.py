"""All review flags of a log in one column: each row is kept, the flag says that somebody should look, and why.

It may not drop or change a row. Everything that touches lines streams; only small sets (hits, one row per product and price) are
collected, and one row per order is handed to `hold`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import reduce

import polars as pl

from clm.expressions.meaning import compiled
from clm.expressions.tree import Expression
from clm.stages.clean import amounts, bursts, goods, products, refunds
from clm.stages.clean.accounting import Sum
from clm.stages.clean.refunds import Refunds
from clm.tables import RETURN, SALE

AT = "clm:at"
FLAGS = (
    "duplicate", "amount_outlier", "price_outlier", "quantity_outlier", "burst", "negative_price", "zero_price",
    "quick_cancellation", "non_product", "unmatched_return",
)  # fmt: skip
_ORDER = ["customer_id", "order_id"]
_WIDE = Context(prec=60)
Hold = Callable[[pl.LazyFrame], pl.LazyFrame]
Hits = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Flagged:
    """`frame` is the good rows in their order with `flags` (comma-separated codes in a fixed order, or null)."""

    frame: pl.LazyFrame
    refunds: Refunds
    codes: tuple[str, ...]


def held(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The default of `hold`: in memory. The shell spools to disk instead."""
    return frame.collect(engine="streaming").lazy()


def flagged(
    good: pl.LazyFrame,
    *,
    non_products: tuple[str, ...] | None = None,
    rules: Sequence[tuple[Expression, str]] = (),
    more: Sequence[tuple[pl.Expr, str]] = (),
    hold: Hold = held,
) -> Flagged:
    """Judge good rows (one per line: `clm:at`, TRANSACTIONS columns as far as the log has them) and say what is remarkable.

    `good` is scanned several times. `non_products` are patterns (default: the shipped list, empty: none), `rules` add their flag
    where they hold, `more` are conditions already known per row (`duplicate`). `hold` keeps a frame that is used again.
    Raises `ExpressionError` for a rule the columns cannot answer.
    """
    schema = good.collect_schema()
    log = _Log.of(good, set(schema.names()), non_products)
    visible = {name: dtype for name, dtype in schema.items() if not name.startswith("clm:")}
    conditions = [*more, *log.conditions(), *((compiled(rule, visible), code) for rule, code in rules)]
    by_order: Hits = {}
    by_line: Hits = {}
    summary = Refunds()
    if log.rows:
        orders = hold(log.orders(good))
        by_order = _order_hits(orders, log)
        cells = products.strange(log.sales(good), quantities=log.quantities, items=log.items) if log.celled else None
        hits = log.in_cells(good, cells) if cells is not None and cells.height else None
        by_line, summary = _line_hits(good, log, orders, hits, hold)
    codes = [*FLAGS, *dict.fromkeys(code for _, code in conditions if code not in FLAGS)]
    return Flagged(_joined(good, conditions, by_order, by_line, codes), summary, tuple(codes))


@dataclass(frozen=True)
class _Log:
    """What a log has: columns, amounts, times of day, returns; and which of its lines are no product."""

    columns: frozenset[str]
    rows: int
    amounts: bool
    times: bool
    returns: bool
    fees: goods.NonProducts

    @classmethod
    def of(cls, good: pl.LazyFrame, columns: set[str], patterns: tuple[str, ...] | None) -> _Log:
        timed = (pl.col("ordered_at").dt.time().cast(pl.Int64) > 0).any()
        facts = good.select(pl.len(), amounts=pl.col("amount").count(), timed=timed, back=(pl.col("kind") == RETURN).any())
        rows, known, times, returns = facts.collect(engine="streaming").row(0)
        named = [column for column in ("product_id", "product") if column in columns]
        fees = goods.find(good, named, goods.default_patterns() if patterns is None else patterns)
        return cls(frozenset(columns), rows, bool(known), bool(times), bool(returns), fees)

    @property
    def items(self) -> bool:
        return bool({"product_id", "product"} & self.columns)

    @property
    def quantities(self) -> bool:
        return "quantity" in self.columns

    @property
    def celled(self) -> bool:
        return self.quantities or (self.items and self.amounts)

    @property
    def keys(self) -> list[str]:
        """What a return must share with the purchase it undoes: the product, or the money where none is known."""
        if self.items:
            return ["customer_id", products.ITEM]
        return ["customer_id", "size"] if self.amounts else ["customer_id"]

    def item(self) -> pl.Expr:
        named = [pl.col(column) for column in ("product_id", "product") if column in self.columns]
        return (pl.coalesce(named) if named else pl.lit(None, dtype=pl.String)).alias(products.ITEM)

    def size(self) -> pl.Expr:
        """What two lines of one size share: units of a product, or money."""
        if self.quantities and (self.items or not self.amounts):
            return pl.col("quantity").abs().alias("size")
        return pl.col("amount").abs().alias("size")

    def units(self) -> pl.Expr:
        """How much of its key a line is: units, or just one."""
        counted = self.quantities and (self.items or not self.amounts)
        units = pl.col("quantity").abs().fill_null(1) if counted else pl.lit(1)
        return units.cast(pl.Decimal(18, 4)).alias("units")

    def conditions(self) -> list[tuple[pl.Expr, str]]:
        """What a line shows by itself."""
        sale, money = pl.col("kind") == SALE, pl.col("amount")
        found: list[tuple[pl.Expr, str]] = []
        if self.amounts:
            positive = pl.col("quantity").fill_null(1) > 0 if self.quantities else pl.lit(value=True)
            # money taken off by a voucher is no price
            found.append((sale & (money < 0) & positive & ~self.fees.holds(), "negative_price"))
            found.append((sale & (money == 0), "zero_price"))
        if self.fees:
            found.append((self.fees.holds(), "non_product"))
        return found

    def orders(self, good: pl.LazyFrame) -> pl.LazyFrame:
        """One row per order: `sold` and `back` (money of its sales and returns) and `first`, the moment of its first sale."""
        sale = pl.col("kind") == SALE
        made = {"first": pl.when(sale).then(pl.col("ordered_at")).min()}
        lots = products.lots() if self.quantities else []
        if self.amounts:
            money = pl.col("amount").cast(pl.Decimal(38, 4))
            made["sold"] = pl.when(sale).then(money).sum() if self.returns else money.sum()
        if self.returns:
            made["returns"] = (~sale).any()
            if self.amounts:
                made["back"] = pl.when(~sale).then(money).sum()
        return good.group_by(_ORDER).agg(*lots, **made)

    def sales(self, good: pl.LazyFrame) -> pl.LazyFrame:
        """Sale lines of products with the bins of their price and quantity."""
        lines = good.filter((pl.col("kind") == SALE) & ~self.fees.holds()) if self.fees else good.filter(pl.col("kind") == SALE)
        return lines.select(AT, "customer_id", self.item(), *products.priced(quantities=self.quantities))

    def in_cells(self, good: pl.LazyFrame, cells: pl.DataFrame) -> pl.LazyFrame:
        """The sale lines that stand in strange cells, with what is strange."""
        named = cells[products.ITEM].unique()
        # most products have nothing strange about them, and a lookup is cheaper than two logarithms
        near = good if named.null_count() else good.filter(self.item().is_in(named.to_list()))
        return self.sales(near).join(cells.lazy(), on=products.CELL, how="inner", nulls_equal=True)


def _order_hits(orders: pl.LazyFrame, log: _Log) -> Hits:
    sold = orders.filter(pl.col("first").is_not_null())
    found = {"burst": bursts.bursts(sold, times=log.times)}
    if log.amounts:
        found["amount_outlier"] = amounts.outliers(sold)
    return dict(zip(found, pl.collect_all(list(found.values()), engine="streaming"), strict=True))


def _line_hits(
    good: pl.LazyFrame, log: _Log, orders: pl.LazyFrame, strange: pl.LazyFrame | None, hold: Hold
) -> tuple[Hits, Refunds]:
    """Places of lines with a strange price or quantity, of quick cancellations, and of returns without a purchase."""
    hits: Hits = {}
    if strange is not None:
        lines = strange.collect(engine="streaming")
        hits["price_outlier"] = lines.filter("price").select(AT)
        many = lines.filter(pl.col("far").is_not_null())
        if many.height:
            pairs = _sharing(log.sales(good), many.lazy(), ["customer_id", products.ITEM])
            hits["quantity_outlier"] = products.unused_to(many.lazy(), pairs, orders).collect(engine="streaming")
    if not log.returns:
        return hits, Refunds()
    sized = good.select(
        AT, *_ORDER, "ordered_at", "kind", "amount", log.item(), log.size(), log.units(), goods=~log.fees.holds()
    )  # fmt: skip
    returns = hold(sized.filter(pl.col("kind") == RETURN))
    histories = hold(_sharing(sized, returns, log.keys))
    if log.times:
        hits["quick_cancellation"] = refunds.quick(histories, log.keys).collect(engine="streaming")
    enough = pl.col("returns") & pl.col("first").is_not_null()
    if log.amounts:
        enough = enough & (pl.col("sold") + pl.col("back") >= 0)
    missing = refunds.unmatched(histories.filter("goods"), log.keys, orders.filter(enough).select(_ORDER))
    hits["unmatched_return"] = missing.collect(engine="streaming")
    return hits, refunds.summed(returns, hits["unmatched_return"].lazy())


def _sharing(lines: pl.LazyFrame, some: pl.LazyFrame, keys: list[str]) -> pl.LazyFrame:
    return lines.join(some.select(keys).unique(), on=keys, how="semi", nulls_equal=True)


def _joined(
    good: pl.LazyFrame, conditions: list[tuple[pl.Expr, str]], by_order: Hits, by_line: Hits, codes: list[str]
) -> pl.LazyFrame:
    """The flags of each line: what holds for it, for its place and for its order."""
    tests: dict[str, list[pl.Expr]] = {code: [] for code in codes}
    for condition, code in conditions:
        tests[code].append(condition)
    frame = good
    for name, hits, keys in (("clm:by_line", by_line, [AT]), ("clm:by_order", by_order, _ORDER)):
        masks = [table.with_columns(pl.lit(1 << codes.index(code)).alias(name)) for code, table in hits.items() if table.height]
        if not masks:
            continue
        mask = pl.concat(masks).group_by(keys).agg(pl.col(name).sum())
        frame = frame.join(mask.lazy(), on=keys, how="left", maintain_order="left")
        for code in hits:
            tests[code].append((pl.col(name) & (1 << codes.index(code))).fill_null(0) != 0)
    told = [
        pl.when(reduce(pl.Expr.or_, parts)).then(pl.lit(code)) for code, parts in tests.items() if parts
    ]
    flags = pl.concat_str(told, separator=",", ignore_nulls=True) if told else pl.lit("")
    kept = [name for name in good.collect_schema().names() if name != "flags"]
    return frame.with_columns(flags=flags).select(*kept, flags=pl.when(pl.col("flags") != "").then(pl.col("flags")))


def by_flags(frame: pl.LazyFrame) -> pl.DataFrame:
    """Rows and money of every combination of flags that occurs: a small table, for `tally`."""
    money = pl.col("amount").cast(pl.Decimal(38, 4)).sum()
    return frame.group_by("flags").agg(rows=pl.len(), amount=money).collect(engine="streaming").sort("flags")


def tally(counted: pl.DataFrame, codes: Sequence[str] = FLAGS) -> dict[str, Sum]:
    """Rows and money by code, in the order of `codes`; a row with two flags counts for both. `counted` is from `by_flags`."""
    totals: dict[str, Sum] = {}
    for flags, rows, amount in counted.select("flags", "rows", "amount").iter_rows():
        for code in (flags or "").split(",") if flags else ():
            before = totals.get(code, Sum())
            totals[code] = Sum(before.rows + rows, _WIDE.add(before.money, amount or Decimal(0)))
    known = [*codes, *sorted(totals.keys() - set(codes))]
    return {code: totals[code] for code in known if code in totals}
