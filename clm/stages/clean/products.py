"""Prices and quantities that contradict the product's own history: `price_outlier`, `quantity_outlier`.

It may not judge customers or orders, nor see a line twice: it counts lines per product and bin of 5 %, and only of products
whose prices (quantities) lie so far apart that one could be an outlier. Everything streams; what is counted is held.
"""

from __future__ import annotations

from math import exp

import polars as pl

from clm.engines.hold import Hold, some
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

ITEM = "item"
# more than the bins of any two floats are apart
_CELLS = 2**16


def values(*, quantities: bool) -> list[pl.Expr]:
    """`price` and `pieces` of a line as floats, null unless positive. Without `quantities` the line's amount is the price."""
    amount = _positive(pl.col("amount").cast(pl.Float64))
    if not quantities:
        return [amount.alias("price"), pl.lit(None, dtype=pl.Float64).alias("pieces")]
    pieces = _positive(pl.col("quantity").cast(pl.Float64))
    return [(amount / pieces).alias("price"), pieces.alias("pieces")]


def _positive(value: pl.Expr) -> pl.Expr:
    return pl.when(value > 0).then(value)


def ranges(sales: pl.LazyFrame) -> pl.LazyFrame:
    """One row per `item` of the `sales` (lines with `item`, null: unknown, and the values): how many lines have a price (pieces),
    and the bins of its least and most."""
    found = []
    for value in ("price", "pieces"):
        found += [pl.col(value).count().cast(pl.Int64).alias(f"{value}:lines")]
        found += [bins(end).alias(f"{value}:{end.meta.output_name()}") for end in _ends(value)]
    return sales.group_by(ITEM).agg(found)


def _ends(value: str) -> list[pl.Expr]:
    return [pl.col(value).min().alias("least"), pl.col(value).max().alias("most")]


def odd_prices(sales: pl.LazyFrame, known: pl.LazyFrame, hold: Hold) -> pl.LazyFrame | None:
    """One row per `item` some of whose prices contradict its others: bins up to `low` and from `high` on do. None: there is none.

    `known` are the `ranges` of the `sales`.
    """
    wide = pl.col("price:most") - pl.col("price:least") >= _PRICE_OFF * BINS_PER_E
    historic = pl.col(ITEM).is_not_null() & (pl.col("price:lines") >= _HISTORY)
    table = _counted(sales, known.filter(historic & wide), "price", hold)
    if table is None:
        return None
    off = pl.col("bin") / BINS_PER_E - pl.col("centre")
    side = pl.when(off > 0).then("above").otherwise("below").clip(_PRICE_FLOOR)
    far = table.filter((off.abs() >= _PRICE_OFF) & (off.abs() >= _PRICE_FAR * side))
    ends = [pl.col("bin").filter(off < 0).max().alias("low"), pl.col("bin").filter(off > 0).min().alias("high")]
    odd = far.group_by(ITEM).agg(*ends, beyond=pl.col("n").sum(), lines=pl.col("lines").min()).filter(_rare())
    return some(hold(odd.select(ITEM, "low", "high")))


def many_pieces(sales: pl.LazyFrame, known: pl.LazyFrame, hold: Hold) -> pl.LazyFrame | None:
    """Cells (`item`, `bin` of its pieces) that may contradict the product's history. None: there is none.

    `far` is how many deviations it lies above the product's; `sure` says that it does whoever buys. `known` are the `ranges`.
    """
    shop = _shop(sales) if some(known.filter(pl.col("pieces:lines").is_between(1, _HISTORY - 1))) is not None else Centre()
    historic = pl.col("lines") >= _HISTORY
    most = pl.col("pieces:most")
    wide = pl.when(pl.col("pieces:lines") >= _HISTORY).then(most - pl.col("pieces:least") >= _MANY_OFF * BINS_PER_E)
    apart = known.filter(wide.otherwise(shop.distance(most / BINS_PER_E, _MANY_FLOOR) >= _MANY_ALONE))
    table = _counted(sales, apart, "pieces", hold)
    if table is None:
        return None
    value = pl.col("bin") / BINS_PER_E
    off = value - pl.col("centre")
    far = off / pl.col("above").clip(_MANY_FLOOR)
    alone = shop.distance(value, _MANY_FLOOR)
    maybe = pl.when(historic).then((far >= _MANY_FAR) & (off >= _MANY_OFF)).otherwise(alone >= _MANY_ALONE)
    told = table.filter(maybe).with_columns(far=pl.when(historic).then(far).otherwise(alone))
    cells = some(hold(told.with_columns(sure=~historic | (pl.col("far") >= _MANY_SURE))))
    if cells is None:
        return None
    beyond = cells.filter("sure").group_by(ITEM).agg(beyond=pl.col("n").sum())
    joined = cells.join(beyond, on=ITEM, how="left", nulls_equal=True)
    return joined.select(ITEM, "bin", "far", sure=pl.col("sure") & _rare())


def strange(sales: pl.LazyFrame, prices: pl.LazyFrame | None, cells: pl.LazyFrame | None) -> pl.LazyFrame:
    """The lines that stand in one of the `odd_prices` (`odd`) or in one of the cells of `many_pieces` (`bin`, `far`, `sure`)."""
    price, odd = bins(pl.col("price")), pl.lit(value=False)
    if prices is not None:
        sales = sales.join(prices, on=ITEM, how="left")
        odd = ((price <= pl.col("low")) | (price >= pl.col("high"))).fill_null(value=False)
    told = sales.with_columns(odd=odd)
    if cells is None:
        return told.filter("odd").with_columns(far=pl.lit(None, dtype=pl.Float64))
    least = cells.select(pl.col("bin").min()).collect(engine="streaming").item()
    # a comparison first: the join then sees few lines
    near = told.filter(pl.col("odd") | (pl.col("pieces") >= exp((least - 1) / BINS_PER_E)))
    joined = near.with_columns(bin=bins(pl.col("pieces"))).join(cells, on=[ITEM, "bin"], how="left", nulls_equal=True)
    return joined.filter(pl.col("odd") | pl.col("far").is_not_null())


def _shop(sales: pl.LazyFrame) -> Centre:
    """What all lines say about pieces, for products without a history of their own."""
    count = pl.col("pieces").count().cast(pl.Int64)
    return Centre.of(sales.group_by(bin=bins(pl.col("pieces"))).agg(n=count).filter(pl.col("bin").is_not_null()))


def _counted(sales: pl.LazyFrame, apart: pl.LazyFrame, value: str, hold: Hold) -> pl.LazyFrame | None:
    """Lines `n` per item and `bin` of a value, for `ranges` that lie `apart`, with the item's `lines`, `centre` and sides."""
    wanted = some(hold(apart.select(ITEM, lines=f"{value}:lines").with_row_index("place")))
    if wanted is None:
        return None
    of_them = sales.join(wanted.select(ITEM, "place"), on=ITEM, how="inner", nulls_equal=True).filter(pl.col(value).is_not_null())
    # one number for both: half the time of grouping by item and bin
    cell = pl.col("place").cast(pl.Int64) * _CELLS + bins(pl.col(value)) + _CELLS // 2
    counted = of_them.group_by(cell=cell).agg(n=pl.len().cast(pl.Int64))
    place = (pl.col("cell") // _CELLS).cast(pl.UInt32)
    told = counted.select("n", place=place, bin=(pl.col("cell") % _CELLS - _CELLS // 2).cast(pl.Int32))
    table = hold(told.join(wanted, on="place", how="inner"))
    return table.join(centres(table, "place"), on="place", how="inner").drop("place")


def _rare() -> pl.Expr:
    return pl.col("beyond") <= pl.max_horizontal(pl.lit(_FEW), pl.col("lines") * _SHARE)


def _lots() -> list[pl.Expr]:
    """What lines say about how much their customer buys at a time: how many there are, and sums of bins and of their squares."""
    size = bins(pl.col("quantity")).cast(pl.Int64)
    return [size.count().cast(pl.Int64).alias("lots"), size.sum().alias("lot"), (size * size).sum().alias("lot_squares")]


def unused_to(hits: pl.LazyFrame, pairs: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    """`clm:at` of the lines in `hits` (with `bin`, `far` and `sure`) whose customer is not used to such a quantity.

    `pairs` holds all sales (`customer_id`, `item`, `pieces`) of the customers and products in `hits`, `lines` are all of the log.
    Who has bought enough is held against himself; who has not, against the product alone.
    """
    keys = ["customer_id", ITEM]
    size = pl.col("bin").cast(pl.Int64)
    binned = pairs.select(*keys, bin=bins(pl.col("pieces")))
    usual = binned.group_by(keys).agg(same=size.count().cast(pl.Int64), same_lot=size.sum())
    theirs = lines.join(hits.select("customer_id").unique(), on="customer_id", how="semi")
    people = theirs.group_by("customer_id").agg(_lots())
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
