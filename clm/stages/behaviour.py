"""Behaviour: what else the same lines say of each customer: rhythm, windows, products, channels, and carried columns.

It may not look past `as_of`, score, or hold customers in memory by itself: they are one query, which streams. Like the snapshot
it reduces with narwhals, in whole numbers, decimals and text; the arithmetic on one row per customer is Polars.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from clm.dtypes import polars_type
from clm.engines.frames import Orders, lazily, once, types
from clm.engines.hold import Cut, Hold, held, whole
from clm.stages import snapshot
from clm.tables import BEHAVIOUR, SALE

WINDOWS = (30, 90, 365)
TREND_DAYS = 180  # two halves of 90 days are compared
# more than any gap within the calendar: a day and the gap before it in one whole number, of which the latest is the largest
_GAP_ROOM = 1 << 22
_MONEY = pl.Decimal(38, 4)
_NOTHING = pl.lit(0, _MONEY)
_SOURCES = ("product_id", "product", "category", "channel", "device", "cost")
_ENDS = (("first", "category"), ("last", "category"), ("first", "channel"))
_GAPS = ("gap", "gaps")
_PER_ORDER = ("channel", "device")  # the values that say where an order was made


@dataclass(frozen=True)
class Base:
    """Customers with core and behaviour columns, and the base's median gap in days (None when nobody ordered on a second day)."""

    customers: pl.LazyFrame
    median_gap_days: int | None


def take(orders: Orders, as_of: date, carry: Sequence[str] = (), hold: Hold = held, cut: Cut = whole) -> Base:
    """One row per customer with any line up to `as_of`, sorted by `customer_id`: core, behaviour and carried columns.

    A column whose source the log lacks is null, with its type. `carry` are text columns of the log. `hold` keeps the customers:
    they may be more than memory holds; `cut` takes a log apart that is too long to be reduced at once.
    """
    lines = orders.select(needed(types(orders), carry))
    base = pl.concat([hold(_customers_and_gaps(some, as_of, carry)) for some in cut(lines)])
    histogram = base.filter(pl.col("gap").is_not_null()).group_by("gap").agg(pl.col("gaps").sum()).collect(engine="streaming")
    median_gap_days = snapshot.gap_quantile(snapshot.gap_table(histogram), 0.5)
    customers = base.filter(pl.col("gap").is_null()).drop(_GAPS).rename(_named(carry))
    return Base(customers.with_columns(rhythm(median_gap_days)), median_gap_days)


def needed(present: Iterable[str], carry: Sequence[str]) -> list[str]:
    """The columns of a log that the core is made of, behaviour as far as they are `present`, and those that are carried."""
    optional = [name for name in _SOURCES if name in present]
    return list(dict.fromkeys(["customer_id", "order_id", "ordered_at", "kind", "amount", *optional, *carry]))


def _customers_and_gaps(orders: Orders, as_of: date, carry: Sequence[str]) -> pl.LazyFrame:
    """The customers without what needs the median gap, and the histogram's rows, which alone have a `gap`."""
    present = types(orders)
    columns = [name for name in _SOURCES if name in present]
    reduced = lazily(reduce(nw.from_native(orders), as_of, columns, carry)).sort("customer_id", nulls_last=False)
    core, found = snapshot.core(as_of), _columns(columns)
    return reduced.with_columns(core).select(
        *(column.meta.output_name() for column in core),
        *(found.get(column.name, pl.lit(None)).cast(polars_type(column)).alias(column.name) for column in BEHAVIOUR),
        *_GAPS,
        *_named(carry),
    )


def core(orders: Orders, as_of: date, carry: Sequence[str]) -> pl.LazyFrame:
    """The core and carried columns of the same customers as a query, from the snapshot's own reduce."""
    lines = nw.from_native(orders)
    reduced = snapshot.joined(snapshot.reduce(lines, as_of), _carried(lines, as_of, carry))
    return lazily(reduced).sort("customer_id").select(*snapshot.core(as_of), *_named(carry)).rename(_named(carry))


def rhythm(median_gap_days: int | None) -> list[pl.Expr]:
    """`rhythm_days` and `rhythm_before_days` of CUSTOMERS for a base with this median gap; null when it has none."""
    median = pl.lit(median_gap_days, pl.Int64)
    repeats, active = pl.col("repeat_days"), pl.col("active_days")
    now = (active + median).cast(pl.Float64) / (repeats + 1)
    before = pl.when(repeats > 0).then((active - pl.col("last_gap_days") + median).cast(pl.Float64) / repeats)
    return [now.alias("rhythm_days"), before.alias("rhythm_before_days")]


def reduce(orders: nw.LazyFrame[Any], as_of: date, columns: Sequence[str], carry: Sequence[str] = ()) -> nw.LazyFrame[Any]:
    """Order lines up to `as_of` -> the snapshot's reduced row per customer with what behaviour needs, and the gaps' histogram.

    The rows of the histogram alone have a `gap` (and `gaps`, how many): one query makes both, from the same groups. `columns`
    are the optional source columns to use, `carry` those to carry along (as `carry 0`, `carry 1`, …). On any engine. It streams
    over the lines; of what it joins by customer Polars keeps some six hundred bytes each in memory, whatever the budget.
    """
    kept = snapshot.lines(orders, as_of, columns)
    sales = kept.filter(nw.col("kind") == SALE)
    costs = "cost" in columns
    days = snapshot.daily(kept, (nw.col("cost").sum().alias("cost"), nw.col("cost").count().alias("costs")) if costs else ())
    bought = once(snapshot.order_days(days))
    customers = once(snapshot.customers_of(days, bought, _of_days(as_of, costs)))
    parts = [
        *_by_order(sales, as_of, [name for name in _PER_ORDER if name in columns]),
        snapshot.returns(kept),
        *_distinct(sales, columns),
        *_ends(sales, customers, columns),
        *_carried(orders, as_of, carry),
    ]
    # a type of their own: an engine may take that of a column only one of the two has for unknown
    whole = {name: nw.lit(None, nw.Int64) for name in _GAPS}
    histogram = snapshot.gap_histogram(bought).select(nw.col(*_GAPS).cast(nw.Int64))
    return nw.concat([snapshot.joined(customers, parts).with_columns(**whole), histogram], how="diagonal")


def _carried(orders: nw.LazyFrame[Any], as_of: date, carry: Sequence[str]) -> Iterator[nw.LazyFrame[Any]]:
    """The last filled value of each carried column, as `carry 0`, `carry 1`, …"""
    for place, name in enumerate(carry):
        filled = orders.filter(nw.col("ordered_at").dt.date() <= as_of, ~nw.col(name).is_null(), nw.col(name) != "")
        valued = filled.select("customer_id", nw.col(name).alias("value"), "ordered_at")
        seen = valued.group_by("customer_id", "value").agg(nw.col("ordered_at").max().alias("rank"))
        yield _top(seen, "value").select("customer_id", nw.col("value").alias(f"carry {place}"))


def _named(carry: Sequence[str]) -> dict[str, str]:
    """The carried columns' own names by those they have here, where a name of the log may mean something else."""
    return {f"carry {place}": name for place, name in enumerate(carry)}


def _of_days(as_of: date, costs: bool) -> list[nw.Expr]:
    """What is summed of a customer's days beside the snapshot's own."""
    gap = nw.col("gap")
    return [
        *(nw.when(_within(n, as_of)).then(nw.col("amount")).sum().alias(f"money_{n}") for n in WINDOWS),
        *((nw.col("cost").sum().alias("cost"), nw.col("costs").sum().alias("costs")) if costs else ()),
        (gap * gap).sum().alias("gap_squares"),
        gap.max().alias("longest_gap"),
        (nw.col("number") * _GAP_ROOM + gap).max().alias("number_and_last_gap"),
    ]


def _within(days: int, as_of: date, day: str = "day") -> nw.Expr:
    """Whether a day lies in (as_of − days, as_of], given that it is not after `as_of`."""
    return nw.col(day) >= date.fromordinal(max(as_of.toordinal() - days + 1, 1))


def _distinct(sales: nw.LazyFrame[Any], columns: Sequence[str]) -> list[nw.LazyFrame[Any]]:
    """How many products and categories the sales of a customer have.

    n_unique counts the null of a line without a value as one more: lines and those with a value are counted beside it.
    """
    product = next((name for name in ("product_id", "product") if name in columns), None)
    counted = ({"categories": "category"} if "category" in columns else {}) | ({"products": product} if product else {})
    if not counted:
        return []
    found = [nw.len().alias("sale_lines")]
    for name, column in counted.items():
        found += [nw.col(column).n_unique().alias(name), nw.col(column).count().alias(f"{name}_lines")]
    return [sales.group_by("customer_id").agg(*found)]


def _ends(sales: nw.LazyFrame[Any], customers: nw.LazyFrame[Any], columns: Sequence[str]) -> list[nw.LazyFrame[Any]]:
    """The smallest text of the lines of a customer's first and last order day: these few are picked out by a join."""
    wanted = [(end, name) for end, name in _ENDS if name in columns]
    if not wanted:
        return []
    ends = nw.concat(
        [
            customers.select("customer_id", nw.col(f"{end}_day").alias("day"), nw.lit(end).alias("end"))
            for end in sorted({end for end, _ in wanted})
        ]
    )
    texts = sorted({name for _, name in wanted})
    there = sales.select("customer_id", "day", *texts).join(ends, on=["customer_id", "day"], how="inner")
    smallest = (nw.when(nw.col("end") == end).then(nw.col(name)).min().alias(f"{end}_{name}") for end, name in wanted)
    return [there.group_by("customer_id").agg(*smallest)]


def _by_order(sales: nw.LazyFrame[Any], as_of: date, texts: Sequence[str]) -> list[nw.LazyFrame[Any]]:
    """Orders, all and in the windows, and the values of `texts` that most orders have: from one grouping by order.

    An order's `last` day is that of its latest sale.
    """
    made = once(sales.group_by("customer_id", "order_id", *texts).agg(nw.col("day").max().alias("last")))
    whole = made.group_by("customer_id", "order_id").agg(nw.col("last").max()) if texts else made
    counted = [nw.when(_within(n, as_of, "last")).then(1).otherwise(0).sum().alias(f"sold_{n}") for n in (*WINDOWS, TREND_DAYS)]
    parts = [whole.group_by("customer_id").agg(nw.len().alias("orders"), *counted)]
    for text in texts:
        orders = (
            made.filter(~nw.col(text).is_null()).group_by("customer_id", text).agg(nw.col("order_id").n_unique().alias("rank"))
        )
        parts.append(_top(orders, text).rename({text: f"main_{text}", "rank": f"main_{text}_orders"}))
    return parts


def _top(seen: nw.LazyFrame[Any], value: str) -> nw.LazyFrame[Any]:
    """Per customer the value of the largest `rank`, ties to the smaller text. `seen` has a row per customer and value."""
    seen = once(seen)
    best = seen.group_by("customer_id").agg(nw.col("rank").max().alias("best"))
    return (
        seen.join(best, on="customer_id", how="left")
        .filter(nw.col("rank") == nw.col("best"))
        .group_by("customer_id")
        .agg(nw.col(value).min(), nw.col("rank").max())
    )


def _columns(columns: Sequence[str]) -> dict[str, pl.Expr]:
    """The behaviour columns that can be known, over core columns and reduced sums side by side."""
    repeats, active, money = pl.col("repeat_days"), pl.col("active_days"), pl.col("spend").is_not_null()
    # sample variance in whole numbers: n·Σg² fits 64 bits for any gaps within the calendar
    spread = repeats * pl.col("gap_squares") - active.cast(pl.Int64) ** 2
    variance = spread.cast(pl.Float64) / (repeats * (repeats - 1))
    sold = {days: pl.col(f"sold_{days}").fill_null(0) for days in (*WINDOWS, TREND_DAYS)}
    gross = pl.col("spend") + pl.col("returned_amount")
    half, both = sold[TREND_DAYS // 2], sold[TREND_DAYS]
    found = {
        "gap_mean_days": pl.when(repeats > 0).then(active.cast(pl.Float64) / repeats),
        "gap_sd_days": pl.when(repeats > 1).then(variance.sqrt()),
        "last_gap_days": pl.col("number_and_last_gap") % _GAP_ROOM,
        "longest_gap_days": pl.col("longest_gap"),
        "trend_orders": pl.when((pl.col("age_days") >= TREND_DAYS) & (both > 0)).then((2 * half - both).cast(pl.Float64) / both),
        "returns_share": pl.when(gross > 0).then(pl.col("returned_amount").cast(pl.Float64) / gross.cast(pl.Float64)),
    }
    for days in WINDOWS:
        found[f"orders_{days}d"] = sold[days]
        found[f"spend_{days}d"] = pl.when(money).then(pl.col(f"money_{days}").cast(_MONEY).fill_null(_NOTHING))
    if "product_id" in columns or "product" in columns:
        found["products"] = _without_null("products")
    if "category" in columns:
        found |= {name: pl.col(name) for name in ("first_category", "last_category")}
        found["categories"] = _without_null("categories")
    for text in _PER_ORDER:
        if text in columns:
            found[f"main_{text}"] = pl.col(f"main_{text}")
            found[f"main_{text}_share"] = pl.col(f"main_{text}_orders").cast(pl.Float64) / pl.col("orders")
    if "channel" in columns:
        found["first_channel"] = pl.col("first_channel")
    if "cost" in columns:
        found["cost"] = pl.when(pl.col("costs") > 0).then(pl.col("cost").cast(_MONEY))
    return found


def _without_null(counted: str) -> pl.Expr:
    """Distinct values of a customer's sales, of which `counted` may have a null; 0 without a sale."""
    return (pl.col(counted).cast(pl.Int64) - (pl.col(f"{counted}_lines") < pl.col("sale_lines")).cast(pl.Int64)).fill_null(0)
