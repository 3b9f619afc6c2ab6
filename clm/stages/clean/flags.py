"""All review flags of a log in one column: each row is kept, the flag says that somebody should look, and why.

It may not drop or change a row. Everything streams, and what is used again is handed to `hold`; nothing as long as the log (or as
its orders, customers or products) is gathered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

import polars as pl

from clm.engines.hold import Hold, held, some
from clm.expressions import Rule
from clm.expressions.meaning import compiled
from clm.stages.clean import amounts, bursts, places, products, refunds
from clm.stages.clean.accounting import Sum
from clm.stages.clean.places import AT
from clm.stages.clean.refunds import Refunds
from clm.stages.clean.views import ORDER, PAIR, SUM, Log
from clm.tables import FLAGS, RETURN

_MASK = "clm:mask"
Hits = dict[str, pl.LazyFrame]
Conditions = list[tuple[pl.Expr, str]]


@dataclass(frozen=True)
class Flagged:
    """`frame` is the good rows in their order with `flags`: codes out of `codes`, in that order, with commas between; or null."""

    frame: pl.LazyFrame
    refunds: Refunds
    codes: tuple[str, ...]


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
    judgements: Conditions = []
    log = Log.of(good, non_products) if look else None
    if log is not None and log.rows:
        judgements = log.conditions()
        orders = hold(log.orders())
        hits = _order_hits(log, orders, hold)
        found, account = _line_hits(log, orders, hold)
        hits |= found
    conditions = [*known, *judgements, *own]
    codes = [*FLAGS, *dict.fromkeys(code for _, code in conditions if code not in FLAGS)]
    told = some(hold(_told(good, conditions, hits, codes, hold)))
    before = good.select(name for name in good.collect_schema().names() if name != "flags")
    if told is None:
        return Flagged(before.with_columns(flags=pl.lit(None, dtype=pl.String)), account, tuple(codes))
    return Flagged(places.told(before, told, "flags"), account, tuple(codes))


def _order_hits(log: Log, orders: pl.LazyFrame, hold: Hold) -> Hits:
    """Places of all lines of orders that are strange as a whole."""
    strange = {"burst": bursts.bursts(orders, hold, times=log.times)}
    if log.amounts:
        strange["amount_outlier"] = amounts.outliers(orders, hold)
    keys = {code: some(hold(orders)) for code, orders in strange.items() if orders is not None}
    lines = log.good.select(AT, *ORDER)
    return {code: lines.join(one, on=ORDER, how="semi").select(AT) for code, one in keys.items() if one is not None}


def _line_hits(log: Log, orders: pl.LazyFrame, hold: Hold) -> tuple[Hits, Refunds]:
    """Places of lines with a strange price or quantity, of quick cancellations, and of returns without a purchase."""
    strange = _strange(log, hold) if log.valued else None
    hits: Hits = {"price_outlier": strange.filter("odd").select(AT)} if strange is not None else {}
    many = some(hold(strange.filter(pl.col("far").is_not_null()))) if strange is not None else None
    returns = hold(log.sized(log.lines().filter(pl.col("kind") == RETURN))) if log.returns else None
    wanted = [lines.select(PAIR) for lines in (many, returns) if lines is not None]
    if not wanted:
        return hits, Refunds()
    # what else happened between these customers and these products: one pass for both questions
    pairs = log.lines().join(pl.concat(wanted).unique(), on=PAIR, how="semi", nulls_equal=True) if log.items else log.lines()
    shared = hold(pairs) if log.items else pairs
    if many is not None:
        same = log.sales(shared).join(many.select(PAIR).unique(), on=PAIR, how="semi", nulls_equal=True)
        hits["quantity_outlier"] = products.unused_to(many, same, log.good)
    if returns is None:
        return hits, Refunds()
    histories = log.sized(shared)
    if not log.items:
        histories = hold(histories.join(returns.select(log.keys).unique(), on=log.keys, how="semi", nulls_equal=True))
    if log.times:
        hits["quick_cancellation"] = refunds.quick(histories, log.keys)
    enough = refunds.orders_undone(returns, orders, amounts=log.amounts)
    missing = hold(refunds.unmatched(histories.filter("goods"), log.keys, enough))
    return hits | {"unmatched_return": missing}, refunds.summed(returns, missing)


def _strange(log: Log, hold: Hold) -> pl.LazyFrame | None:
    """Sale lines whose price is `odd`, or whose quantity may be: `far` and `sure`, with the `bin` of their pieces."""
    sales = log.sales(log.lines())
    known = hold(products.ranges(sales))
    prices = products.odd_prices(sales, known, hold) if log.priced else None
    cells = products.many_pieces(sales, known, hold) if log.quantities else None
    if prices is None and cells is None:
        return None
    return hold(products.strange(sales.select(AT, *PAIR, "price", "pieces"), prices, cells))


def _told(good: pl.LazyFrame, conditions: Conditions, hits: Hits, codes: list[str], hold: Hold) -> pl.LazyFrame:
    """Place and flags of each line that has one: what holds for it, and what was found at its place."""
    tests: dict[str, list[pl.Expr]] = {code: [] for code in codes}
    for condition, code in conditions:
        tests[code].append(condition)
    if hits:
        masks = [found.select(AT, pl.lit(1 << codes.index(code)).alias(_MASK)) for code, found in hits.items()]
        good = places.told(good, hold(pl.concat(masks).group_by(AT).agg(pl.col(_MASK).sum())), _MASK)
        for code in hits:
            tests[code].append((pl.col(_MASK) & (1 << codes.index(code))).fill_null(0) != 0)
    holds = {code: reduce(pl.Expr.or_, parts) for code, parts in tests.items() if parts}
    told = [pl.when(one).then(pl.lit(code)) for code, one in holds.items()]
    return good.filter(pl.any_horizontal(pl.lit(value=False), *holds.values())).select(
        AT, flags=pl.concat_str(told, separator=",", ignore_nulls=True) if told else pl.lit(None, dtype=pl.String)
    )


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
