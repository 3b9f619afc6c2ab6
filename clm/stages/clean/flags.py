"""All review flags of a log in one column: each row is kept, the flag says that somebody should look, and why.

It may not drop or change a row. Everything that touches lines streams; only small sets (hits, one row per product, price and
quantity) are collected, and what is used again is handed to `hold`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import polars as pl

from clm.expressions import Rule
from clm.expressions.meaning import compiled
from clm.stages.clean import amounts, bursts, goods, products, refunds
from clm.stages.clean.accounting import Sum
from clm.stages.clean.refunds import Refunds
from clm.stages.clean.views import AT, ORDER, PAIR, SUM, Log
from clm.tables import FLAGS, RETURN

_MASK = "clm:mask"
Hold = Callable[[pl.LazyFrame], pl.LazyFrame]
Hits = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Flagged:
    """`frame` is the good rows in their order with `flags`: codes out of `codes`, in that order, with commas between; or null."""

    frame: pl.LazyFrame
    refunds: Refunds
    codes: tuple[str, ...]


def held(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The default of `hold`: in memory. For a log of any length the caller spools to disk instead."""
    return frame.collect(engine="streaming").lazy()


def flagged(
    good: pl.LazyFrame,
    *,
    non_products: tuple[str, ...] | None = None,
    rules: Sequence[Rule] = (),
    known: Sequence[tuple[pl.Expr, str]] = (),
    hold: Hold = held,
    look: bool = True,
) -> Flagged:
    """Judge good rows (one per line: `clm:at` and TRANSACTIONS as far as the log has it) and say what is remarkable about them.

    `good` is scanned several times. `non_products` are patterns (default: the shipped list; empty: none). `rules` add their flag
    where they hold, `known` are conditions the caller has per row (`duplicate`). `hold` keeps a frame that is used again: one row
    per order or customer, or the lines of what came back. Without `look` only `known` and `rules` count.
    Raises `ExpressionError` for a rule these columns cannot answer.
    """
    schema = {name: dtype for name, dtype in good.collect_schema().items() if not name.startswith("clm:")}
    own = [(compiled(rule.when, schema), rule.flag) for rule in rules]
    hits: Hits = {}
    account = Refunds()
    judgements: list[tuple[pl.Expr, str]] = []
    log = Log.of(good, goods.default_patterns() if non_products is None else non_products) if look else None
    if log is not None and log.rows:
        judgements = log.conditions()
        orders = hold(log.orders())
        hits = _order_hits(log, orders, hold)
        found, account = _line_hits(log, orders, hold)
        hits |= found
    conditions = [*known, *judgements, *own]
    codes = [*FLAGS, *dict.fromkeys(code for _, code in conditions if code not in FLAGS)]
    return Flagged(_joined(good, conditions, hits, codes), account, tuple(codes))


def _order_hits(log: Log, orders: pl.LazyFrame, hold: Hold) -> Hits:
    """Places of all lines of orders that are strange as a whole."""
    sold = orders.filter(pl.col("first").is_not_null())
    strange = {"burst": bursts.bursts(sold, times=log.times)}
    if log.amounts:
        strange["amount_outlier"] = amounts.outliers(sold, hold)
    tables = pl.collect_all(list(strange.values()), engine="streaming")
    keys = pl.concat([table.with_columns(code=pl.lit(code)) for code, table in zip(strange, tables, strict=True)])
    if not keys.height:
        return {}
    # a lookup of the few customers first: the join then sees few lines
    near = log.good.select(AT, *ORDER).filter(pl.col("customer_id").is_in(keys["customer_id"].unique().to_list()))
    found = near.join(keys.lazy(), on=ORDER, how="inner").select(AT, "code").collect(engine="streaming")
    return {code: found.filter(pl.col("code") == code).select(AT) for code in strange}


def _line_hits(log: Log, orders: pl.LazyFrame, hold: Hold) -> tuple[Hits, Refunds]:
    """Places of lines with a strange price or quantity, of quick cancellations, and of returns without a purchase."""
    hits: Hits = {}
    wanted: list[pl.LazyFrame] = []
    many = returns = None
    if log.celled:
        strange = _strange(log)
        hits["price_outlier"] = strange.filter("price").select(AT)
        many = strange.filter(pl.col("far").is_not_null())
        wanted += [many.lazy().select(PAIR)] if many.height else []
    if log.returns:
        returns = hold(log.sized(log.lines().filter(pl.col("kind") == RETURN)))
        wanted.append(returns.select(PAIR))
    if not wanted:
        return hits, Refunds()
    # what else happened between these customers and these products: one pass for both questions
    pairs = log.lines().join(pl.concat(wanted).unique(), on=PAIR, how="semi", nulls_equal=True) if log.items else log.lines()
    shared = hold(pairs) if log.items else pairs
    if many is not None and many.height:
        same = log.sales(shared).join(many.lazy().select(PAIR).unique(), on=PAIR, how="semi", nulls_equal=True)
        hits["quantity_outlier"] = products.unused_to(many.lazy(), same, orders).collect(engine="streaming")
    if returns is None:
        return hits, Refunds()
    histories = log.sized(shared)
    if not log.items:
        histories = hold(histories.join(returns.select(log.keys).unique(), on=log.keys, how="semi", nulls_equal=True))
    if log.times:
        hits["quick_cancellation"] = refunds.quick(histories, log.keys).collect(engine="streaming")
    enough = refunds.orders_undone(returns, orders, amounts=log.amounts)
    missing = refunds.unmatched(histories.filter("goods"), log.keys, enough).collect(engine="streaming")
    return hits | {"unmatched_return": missing}, refunds.summed(returns, missing.lazy())


def _strange(log: Log) -> pl.DataFrame:
    """Sale lines (`clm:at`, customer, product, bins) whose price or quantity may contradict the product's history."""
    cells = products.strange(log.sales(log.lines()), quantities=log.quantities, items=log.items)
    near = log.lines().filter(products.near(cells, quantities=log.quantities))
    joined = log.sales(near).join(cells.lazy(), on=products.CELL, how="inner", nulls_equal=True)
    return joined.collect(engine="streaming")


def _joined(good: pl.LazyFrame, conditions: list[tuple[pl.Expr, str]], hits: Hits, codes: list[str]) -> pl.LazyFrame:
    """The flags of each line: what holds for it, and what was found at its place."""
    tests: dict[str, list[pl.Expr]] = {code: [] for code in codes}
    for condition, code in conditions:
        tests[code].append(condition)
    masks = [places.select(AT, pl.lit(1 << codes.index(code)).alias(_MASK)) for code, places in hits.items() if places.height]
    frame = good
    if masks:
        mask = pl.concat(masks).group_by(AT).agg(pl.col(_MASK).sum())
        frame = good.join(mask.lazy(), on=AT, how="left", maintain_order="left")
        for code in hits:
            tests[code].append((pl.col(_MASK) & (1 << codes.index(code))).fill_null(0) != 0)
    told = [pl.when(reduce(pl.Expr.or_, parts)).then(pl.lit(code)) for code, parts in tests.items() if parts]
    flags = pl.concat_str(told, separator=",", ignore_nulls=True) if told else pl.lit("")
    kept = [name for name in good.collect_schema().names() if name != "flags"]
    return frame.with_columns(flags=flags).select(*kept, flags=pl.when(pl.col("flags") != "").then(pl.col("flags")))


def by_flags(frame: pl.LazyFrame) -> pl.DataFrame:
    """Rows and money of every combination of flags that occurs: a small table, for `tally`."""
    money = pl.col("amount").cast(SUM).sum()
    return frame.group_by("flags").agg(rows=pl.len(), amount=money).collect(engine="streaming").sort("flags")


def tally(counted: pl.DataFrame, codes: Sequence[str] = FLAGS) -> dict[str, Sum]:
    """Rows and money by code, in the order of `codes`; a row with two flags counts for both. `counted` is from `by_flags`."""
    totals: dict[str, Sum] = {}
    for flags, rows, amount in counted.select("flags", "rows", "amount").iter_rows():
        for code in flags.split(",") if flags else ():
            totals[code] = totals.get(code, Sum()) + Sum(rows, amount or Decimal(0))
    return {code: totals[code] for code in codes if code in totals}
