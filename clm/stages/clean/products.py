"""Prices and quantities that contradict the product's own history: `price_outlier`, `quantity_outlier`.

It may not judge customers or orders. One row per product, price and quantity (in bins of 5 %) is counted and collected, no line.
"""

from __future__ import annotations

import polars as pl

from clm.stages.clean.spread import BINS_PER_E, Centre, bins, centres

# fewer lines than this are no history of a product
_HISTORY = 8
# a price is at least this far from the product's (in ln: 3.5 times), in deviations of the product's prices
_PRICE_OFF, _PRICE_FAR, _PRICE_FLOOR = 1.25, 4.0, 0.1
# a quantity is at least so far above the product's (eight times), in deviations of its quantities; `sure` without a habit
_MANY_OFF, _MANY_FAR, _MANY_SURE, _MANY_FLOOR = 2.0, 3.0, 4.5, 0.4
# without a history of its own a product is held against all lines of the shop
_MANY_ALONE = 6.0
# what more than this share of a product's lines do (or more than these few) is one of its ways, not an outlier
_SHARE, _FEW = 0.01, 2
# times the usual quantity of this customer and product (in ln: five times)
_HABIT_OFF = 1.6

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

    `price` is true where the price does; `many` is 1 where the quantity does unless the customer is used to it, 2 where it
    does for whoever has no habit with the product either, else 0. `sales` are lines with `item` (null: unknown) and the bins;
    `items` says whether the log knows products.
    """
    table = sales.group_by(CELL).agg(n=pl.len().cast(pl.Int64)).collect(engine="streaming")
    prices = _prices(table) if items else table.with_columns(price=pl.lit(value=False))
    many = _quantities(table) if quantities else table.with_columns(many=pl.lit(0, dtype=pl.Int8))
    both = prices.select(*CELL, "price").join(many.select(*CELL, "many"), on=CELL, how="inner", nulls_equal=True)
    return both.filter(pl.col("price") | (pl.col("many") > 0)).sort(CELL)


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
    joined = table.join(
        centres(known, [ITEM], QUANTITY_BIN, "n").rename({"n": "lines"}), on=ITEM, how="left", nulls_equal=True
    )
    value = pl.col(QUANTITY_BIN) / BINS_PER_E
    off = value - pl.col("centre")
    far = off / pl.col("above").clip(_MANY_FLOOR)
    alone = shop.distance(value, _MANY_FLOOR)
    historic = pl.col("lines") >= _HISTORY
    most = pl.when(far >= _MANY_SURE).then(2).when(far >= _MANY_FAR).then(1).otherwise(0)
    level = pl.when(historic & (off >= _MANY_OFF)).then(most).when(~historic & (alone >= _MANY_ALONE)).then(2).otherwise(0)
    marked = joined.with_columns(many=level.fill_null(0).cast(pl.Int8))
    return marked.with_columns(many=pl.when(_rare(pl.col("many") > 0)).then("many").otherwise(0).cast(pl.Int8))


def _rare(marked: pl.Expr) -> pl.Expr:
    beyond = pl.when(marked).then("n").otherwise(0).sum().over(ITEM)
    return beyond <= pl.max_horizontal(pl.lit(_FEW), pl.col("lines") * _SHARE)


def unused_to(histories: pl.LazyFrame, hits: pl.LazyFrame) -> pl.LazyFrame:
    """`clm:at` of the lines in `hits` (with `many`) whose customer is not used to such a quantity of the product.

    `histories` holds all sales (`customer_id`, `item`, `quantity_bin`) of the pairs in `hits`.
    """
    keys = ["customer_id", ITEM]
    size = pl.col(QUANTITY_BIN).cast(pl.Int64)
    usual = histories.group_by(keys).agg(n=size.count().cast(pl.Int64), s=size.sum())
    joined = hits.join(usual, on=keys, how="left", nulls_equal=True, maintain_order="left")
    others = pl.col("n") - 1
    off = size - (pl.col("s") - size) / others
    unused = pl.when(others >= 2).then(off >= _HABIT_OFF * BINS_PER_E).otherwise(pl.col("many") == 2)
    return joined.filter(unused).select("clm:at")
