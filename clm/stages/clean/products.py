"""Prices and quantities that contradict the product's own history: `price_outlier`, `quantity_outlier`.

It may not judge customers or orders. One row per product, price and quantity (in bins of 5 %) is counted and collected, no line.
"""

from __future__ import annotations

from math import exp

import polars as pl

from clm.stages.clean.spread import BINS_PER_E, Centre, bins, centres

# fewer lines than this are no history of a product
_HISTORY = 8
# a price is at least this far from the product's (in ln: 3.5 times), in deviations of the product's prices
_PRICE_OFF, _PRICE_FAR, _PRICE_FLOOR = 1.25, 4.0, 0.1
# a quantity is at least so far above the product's (in ln: seven times), in deviations of its quantities; `sure` whoever buys
_MANY_OFF, _MANY_FAR, _MANY_SURE, _MANY_FLOOR = 2.0, 2.3, 4.5, 0.4
# without a history of its own a product is held against all lines of the shop
_MANY_ALONE = 6.0
# what more than this share of a product's lines do (or more than these few) is one of its ways, not an outlier
_SHARE, _FEW = 0.01, 2
# times the usual quantity of this customer and product (in ln: five times), where there are two others
_HABIT_OFF = 1.6
# who has bought so many lines has a habit: deviations from it, and from habit and product together
_LINES, _OWN, _BOTH = 8, 2.0, 5.5

ITEM, PRICE_BIN, QUANTITY_BIN = "item", "price_bin", "quantity_bin"
CELL = [ITEM, PRICE_BIN, QUANTITY_BIN]


def priced(*, quantities: bool) -> list[pl.Expr]:
    """The bins of a line with `amount` and, with `quantities`, `quantity`. Without, the line's amount is the price."""
    amount = pl.col("amount").cast(pl.Float64)
    if not quantities:
        return [bins(amount).alias(PRICE_BIN), pl.lit(None, dtype=pl.Int32).alias(QUANTITY_BIN)]
    quantity = pl.col("quantity").cast(pl.Float64)
    return [bins(pl.when(quantity > 0).then(amount / quantity)).alias(PRICE_BIN), bins(quantity).alias(QUANTITY_BIN)]


def strange(sales: pl.LazyFrame, *, quantities: bool, items: bool) -> pl.DataFrame:
    """Cells (`item`, `price_bin`, `quantity_bin`) that contradict their product's history.

    `price` is true where the price does. `far` is, where the quantity may, how many deviations it lies above the product's, else
    null; `sure` says that it does whoever buys. `sales` are lines with `item` (null: unknown) and the bins; `items` says whether
    the log knows products.
    """
    table = sales.group_by(CELL).agg(n=pl.len().cast(pl.Int64)).collect(engine="streaming")
    prices = _prices(table) if items else table.with_columns(price=pl.lit(value=False))
    many = _quantities(table) if quantities else table.with_columns(far=pl.lit(None, dtype=pl.Float64), sure=False)
    both = prices.select(*CELL, "price").join(
        many.select(*CELL, "far", "sure"), on=CELL, how="full", coalesce=True, nulls_equal=True
    )
    told = both.with_columns(pl.col("price", "sure").fill_null(value=False))
    return told.filter(pl.col("price") | pl.col("far").is_not_null()).sort(CELL)


def near(cells: pl.DataFrame, *, quantities: bool) -> pl.Expr:
    """Which lines (with `item`) could stand in one of the cells: a lookup and a comparison are cheaper than a join."""
    odd = cells.filter("price")[ITEM].unique()
    found = pl.col(ITEM).is_in(odd.to_list())
    least = cells.filter(pl.col("far").is_not_null())[QUANTITY_BIN].min()
    if not quantities or least is None:
        return found
    assert isinstance(least, int)
    return found | (pl.col("quantity").cast(pl.Float64) >= exp((least - 1) / BINS_PER_E))


def _prices(table: pl.DataFrame) -> pl.DataFrame:
    known = table.filter(pl.col(PRICE_BIN).is_not_null() & pl.col(ITEM).is_not_null())
    joined = table.join(centres(known, [ITEM], PRICE_BIN, "n").rename({"n": "lines"}), on=ITEM, how="left")
    off = pl.col(PRICE_BIN) / BINS_PER_E - pl.col("centre")
    side = pl.when(off > 0).then("above").otherwise("below").clip(_PRICE_FLOOR)
    far = (off.abs() >= _PRICE_OFF) & (off.abs() >= _PRICE_FAR * side) & (pl.col("lines") >= _HISTORY)
    marked = joined.with_columns(price=far.fill_null(value=False))
    return marked.with_columns(price=pl.col("price") & _rare(pl.col("price")))


def _quantities(table: pl.DataFrame) -> pl.DataFrame:
    known = table.filter(pl.col(QUANTITY_BIN).is_not_null())
    shop = Centre.of(known, QUANTITY_BIN, "n")
    joined = table.join(centres(known, [ITEM], QUANTITY_BIN, "n").rename({"n": "lines"}), on=ITEM, how="left", nulls_equal=True)
    value = pl.col(QUANTITY_BIN) / BINS_PER_E
    off = value - pl.col("centre")
    far = off / pl.col("above").clip(_MANY_FLOOR)
    alone = shop.distance(value, _MANY_FLOOR)
    historic = pl.col("lines") >= _HISTORY
    maybe = pl.when(historic).then((far >= _MANY_FAR) & (off >= _MANY_OFF)).otherwise(alone >= _MANY_ALONE)
    surely = maybe & (~historic | (far >= _MANY_SURE))
    marked = joined.with_columns(far=pl.when(maybe).then(pl.when(historic).then(far).otherwise(alone)), sure=surely)
    return marked.with_columns(sure=pl.col("sure") & _rare(pl.col("sure")))


def _rare(marked: pl.Expr) -> pl.Expr:
    beyond = pl.when(marked).then("n").otherwise(0).sum().over(ITEM)
    return beyond <= pl.max_horizontal(pl.lit(_FEW), pl.col("lines") * _SHARE)


def lots() -> list[pl.Expr]:
    """What an order says about how much its customer buys at a time, to be summed: lines, and bins and their squares."""
    size = bins(pl.col("quantity")).cast(pl.Int64)
    return [size.count().cast(pl.Int64).alias("lots"), size.sum().alias("lot"), (size * size).sum().alias("lot_squares")]


def unused_to(hits: pl.LazyFrame, pairs: pl.LazyFrame, orders: pl.LazyFrame) -> pl.LazyFrame:
    """`clm:at` of the lines in `hits` (with `far` and `sure`) whose customer is not used to such a quantity.

    `pairs` holds all sales (`customer_id`, `item`, `quantity_bin`) of the customers and products in `hits`, `orders` the `lots`.
    Who has bought enough is held against himself; who has not, against the product alone.
    """
    keys = ["customer_id", ITEM]
    size = pl.col(QUANTITY_BIN).cast(pl.Int64)
    usual = pairs.group_by(keys).agg(same=size.count().cast(pl.Int64), same_lot=size.sum())
    people = (
        orders.join(hits.select("customer_id").unique(), on="customer_id", how="semi")
        .group_by("customer_id")
        .agg(pl.col("lots", "lot", "lot_squares").sum())
    )
    joined = hits.join(usual, on=keys, how="left", nulls_equal=True, maintain_order="left").join(
        people, on="customer_id", how="left", maintain_order="left"
    )
    same = pl.col("same") - 1
    unusual = (same < 2) | (size - (pl.col("same_lot") - size) / same >= _HABIT_OFF * BINS_PER_E)
    others = (pl.col("lots") - 1).cast(pl.Float64)
    mean = (pl.col("lot") - size) / others
    squares = (pl.col("lot_squares") - size * size).cast(pl.Float64) - mean * mean * others
    deviation = pl.max_horizontal((squares / (others - 1)).clip(0).sqrt(), pl.lit(_MANY_FLOOR * BINS_PER_E))
    own = (size - mean) / deviation
    unused = pl.when(others >= _LINES).then((own >= _OWN) & (own + pl.col("far") >= _BOTH)).otherwise(pl.col("sure"))
    return joined.filter(unusual & unused).select("clm:at")
