"""Made-up shops with planted anomalies: the good rows of a log, and which of them somebody should look at.

It may not know how anomalies are found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

MONEY = pl.Decimal(18, 4)
KINDS = ("order_total", "price_x10", "price_tenth", "quantity_x100", "burst", "negative_price", "cancellation", "point_lost")
# which flag says what was planted; the others may be there as well
RIGHT = {
    "order_total": ("amount_outlier",),
    "price_x10": ("price_outlier",),
    "price_tenth": ("price_outlier",),
    "quantity_x100": ("quantity_outlier",),
    "burst": ("burst",),
    "negative_price": ("negative_price",),
    "cancellation": ("quick_cancellation",),
    "point_lost": ("price_outlier", "amount_outlier"),
}


@dataclass(frozen=True)
class Shop:
    """What a shop of a million lines is like (smaller logs have fewer customers and products).

    Deviations (`_sd`) are those of logarithms; `bulk` is the median quantity of a line.
    """

    customers: int
    lines_per_order: float
    products: int = 2_000
    level_sd: float = 0.5
    order_sd: float = 0.4
    activity_sd: float = 1.1
    bulk: float = 1.0
    bulk_sd: float = 0.6
    price: float = 12.0
    price_sd: float = 0.9
    weighed: float = 0.0
    returns: float = 0.02
    fees: float = 0.01
    has_products: bool = True
    dates_only: bool = False


# the wholesaler varies as the lines of Online Retail do: .7 within customer and product, 1.0 within a product
SHOPS = {
    "web shop": Shop(customers=60_000, lines_per_order=2.5),
    "grocer": Shop(
        customers=6_000, lines_per_order=22, products=6_000, price=2.4, price_sd=0.7, weighed=0.15, returns=0.003, fees=0
    ),
    "wholesaler": Shop(
        customers=5_000, lines_per_order=20, products=4_000, level_sd=0.75, order_sd=0.45, bulk=8, bulk_sd=0.6, price=3
    ),
    "b2b": Shop(
        customers=90, lines_per_order=9, products=110, level_sd=0.4, order_sd=0.5, activity_sd=0.8, bulk=35, bulk_sd=0.3, price=80
    ),
    "till": Shop(customers=40_000, lines_per_order=1, has_products=False, order_sd=0.5, level_sd=0.6, price=30),
    "days": Shop(customers=20_000, lines_per_order=2, dates_only=True),
}


def log(shop: Shop, lines: int, seed: int, *, planted: int = 200) -> pl.DataFrame:
    """Good rows in the order of time, with `planted` (the kind, null on clean lines) and `event` (which anomaly) beside them."""
    rng = np.random.default_rng(seed)
    share = lines / 1_000_000
    shop = replace(shop, customers=max(20, int(shop.customers * share)), products=max(50, int(shop.products * share**0.5)))
    made = _plain(shop, lines, rng)
    made = _with_returns(made, shop, rng)
    made = made.with_columns(planted=pl.lit(None, dtype=pl.String), event=pl.lit(None, dtype=pl.Int64))
    made = _plant(made, shop, planted, rng).sort("ordered_at", "order_id", "product_id", "amount", "kind", maintain_order=True)
    moment = pl.col("ordered_at").dt.truncate("1d") if shop.dates_only else pl.col("ordered_at")
    made = made.with_columns(
        moment.dt.cast_time_unit("us").alias("ordered_at"),
        pl.col("amount").round(2).cast(MONEY),
        pl.col("quantity").round(3).cast(MONEY),
        pl.int_range(pl.len(), dtype=pl.Int64).mul(3).add(2**40).alias("clm:at"),
    ).drop("price")
    return made if shop.has_products else made.drop("product_id", "product", "quantity")


def _plain(shop: Shop, lines: int, rng: np.random.Generator) -> pl.DataFrame:
    """Customers of their own level and habits, products of their own price with changes and promotions, seasons and hours."""
    orders = max(1, int(lines / shop.lines_per_order))
    activity = rng.lognormal(0, shop.activity_sd, shop.customers)
    customer = rng.choice(shop.customers, orders, p=activity / activity.sum())
    level = rng.normal(0, shop.level_sd, shop.customers)
    day = rng.choice(730, orders, p=_season())
    minute = np.clip(rng.normal(14 * 60, 200, orders), 6 * 60, 23 * 60 + 59).astype(int)
    mood = rng.normal(0, shop.order_sd, orders)
    size = 1 + rng.poisson(shop.lines_per_order - 1, orders) if shop.lines_per_order > 1 else np.ones(orders, dtype=int)
    order = np.repeat(np.arange(orders), size)
    count = len(order)
    popularity = 1 / np.arange(1, shop.products + 1) ** 0.8
    product = rng.choice(shop.products, count, p=popularity / popularity.sum())
    base = np.round(rng.lognormal(np.log(shop.price), shop.price_sd, shop.products), 2).clip(0.3)
    steps = rng.uniform(0.92, 1.12, (shop.products, 4)).cumprod(axis=1)
    price = base[product] * steps[product, day[order] // 183]
    price = np.where(rng.random(count) < 0.05, price * rng.choice([0.5, 0.7, 0.8, 0.9], count), price)
    pack = np.round(rng.lognormal(0, 0.4, shop.products), 1)
    lot = rng.lognormal(np.log(shop.bulk), shop.bulk_sd, count) * pack[product]
    loose = np.isin(product, np.flatnonzero(rng.random(shop.products) < shop.weighed))
    habit = np.exp(level[customer[order]] + mood[order])
    # where lines are single pieces a customer's level shows in what is chosen, not in how many
    lot = lot * habit if shop.bulk > 1 or not shop.has_products else lot
    quantity = np.where(loose, np.round(rng.lognormal(-0.5, 0.5, count), 3).clip(0.02), np.maximum(1, np.round(lot)))
    price = np.round(price, 2).clip(0.01)
    if not shop.has_products:
        price, quantity = np.round(shop.price * habit, 2).clip(0.05), np.ones(count)
    start = np.datetime64("2022-01-01T00:00:00", "us")
    moment = start + day[order].astype("timedelta64[D]") + minute[order].astype("timedelta64[m]")
    made = pl.DataFrame(
        {
            "customer_id": customer[order], "order_id": order, "ordered_at": moment, "amount": price * quantity,
            "quantity": quantity, "price": price, "product_id": product,
        }
    ).with_columns(
        pl.format("K{}", pl.col("customer_id") + 10_000), pl.format("R{}", pl.col("order_id") + 500_000),
        pl.format("P{}", pl.col("product_id") + 1_000), product=pl.format("Thing no. {}", "product_id"), kind=pl.lit("sale"),
    )  # fmt: skip
    fee = pl.Series(rng.random(count) < shop.fees)
    return made.with_columns(
        pl.when(fee).then(pl.lit("POST")).otherwise("product_id").alias("product_id"),
        pl.when(fee).then(pl.lit("Postage")).otherwise("product").alias("product"),
        pl.when(fee).then(1.0).otherwise("quantity").alias("quantity"),
        pl.when(fee).then(pl.Series(rng.choice([4.9, 6.9, 12.0], count))).otherwise("amount").alias("amount"),
    )


def _season() -> np.ndarray:
    days = np.arange(730)
    weight = 1 + 0.3 * np.sin(days / 365 * 2 * np.pi) + 0.8 * (days % 365 > 325) + 0.4 * (days % 7 == 5)
    return weight / weight.sum()


def _with_returns(made: pl.DataFrame, shop: Shop, rng: np.random.Generator) -> pl.DataFrame:
    """Some lines come back after days, whole or in part, as documents of their own."""
    back = made.filter(pl.Series(rng.random(made.height) < shop.returns) & (pl.col("product_id") != "POST"))
    share = pl.Series(rng.choice([1.0, 1.0, 0.5], back.height))
    taken = pl.when(pl.col("quantity") >= 2).then((pl.col("quantity") * share).floor()).otherwise("quantity")
    back = back.with_columns(
        quantity=-taken,
        amount=-pl.col("amount") * taken / pl.col("quantity"),
        ordered_at=pl.col("ordered_at") + pl.Series(rng.integers(1, 40, back.height) * 86_400_000_000).cast(pl.Duration("us")),
        order_id=pl.format("C{}", pl.int_range(pl.len()) + 900_000),
        kind=pl.lit("return"),
    )
    return pl.concat([made, back])


def _plant(made: pl.DataFrame, shop: Shop, count: int, rng: np.random.Generator) -> pl.DataFrame:
    kinds = [kind for kind in KINDS if _possible(kind, shop)]
    events = np.array_split(np.arange(count), len(kinds))
    for kind, numbers in zip(kinds, events, strict=True):
        clean = pl.col("planted").is_null() & (pl.col("kind") == "sale") & (pl.col("product_id") != "POST")
        made = made.with_row_index("row")
        if kind == "order_total":
            made = _grown(made, clean, numbers, rng)
        elif kind == "burst":
            made = _bursts(made, clean, numbers, rng)
        else:
            seen = pl.len().over("product_id") >= 30
            rows = rng.permutation(made.filter(clean & seen)["row"].to_numpy())[: len(numbers)]
            made = _changed(made, kind, pl.DataFrame({"row": rows, "number": numbers}, schema_overrides={"row": pl.UInt32}))
        made = made.drop("row")
    return made


def _possible(kind: str, shop: Shop) -> bool:
    if not shop.has_products and kind in ("price_x10", "price_tenth", "quantity_x100"):
        return False
    return not (shop.dates_only and kind in ("burst", "cancellation"))


def _changed(made: pl.DataFrame, kind: str, rows: pl.DataFrame) -> pl.DataFrame:
    made = made.join(rows, on="row", how="left", maintain_order="left")
    hit = pl.col("number").is_not_null()
    times = {"price_x10": 10, "price_tenth": 0.1, "quantity_x100": 100, "negative_price": -1, "point_lost": 100}.get(kind, 1)
    made = made.with_columns(
        pl.when(hit).then(pl.col("amount") * times).otherwise("amount").alias("amount"),
        pl.when(hit & (kind == "quantity_x100")).then(pl.col("quantity") * times).otherwise("quantity").alias("quantity"),
        pl.when(hit).then(pl.lit(kind)).otherwise("planted").alias("planted"),
        pl.when(hit).then("number").otherwise("event").alias("event"),
    )
    if kind == "cancellation":
        back = made.filter(hit).with_columns(
            -pl.col("amount"), -pl.col("quantity"), pl.col("ordered_at") + pl.duration(minutes=5),
            pl.format("X{}", "order_id").alias("order_id"), kind=pl.lit("return"),
        )  # fmt: skip
        made = pl.concat([made, back])
    return made.drop("number")


def _grown(made: pl.DataFrame, clean: pl.Expr, numbers: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """Orders 20 to 500 times what this customer's orders are (the geometric mean), of customers with five or more."""
    totals = made.filter(clean).group_by("customer_id", "order_id").agg(total=pl.col("amount").sum()).sort("order_id")
    totals = totals.with_columns(own=pl.col("total").log().mean().over("customer_id").exp(), n=pl.len().over("customer_id"))
    picked = totals.filter(pl.col("n") >= 5).sample(len(numbers), seed=int(rng.integers(1 << 30))).sort("order_id")
    times = pl.Series(np.exp(rng.uniform(np.log(20), np.log(500), picked.height)))
    picked = picked.select("customer_id", "order_id", factor=times * pl.col("own") / pl.col("total"), number=pl.Series(numbers))
    made = made.join(picked, on=["customer_id", "order_id"], how="left", maintain_order="left")
    hit = pl.col("number").is_not_null() & clean
    return made.with_columns(
        pl.when(hit).then(pl.col("amount") * pl.col("factor")).otherwise("amount").alias("amount"),
        pl.when(hit).then((pl.col("quantity") * pl.col("factor")).clip(0.001)).otherwise("quantity").alias("quantity"),
        pl.when(hit).then(pl.lit("order_total")).otherwise("planted").alias("planted"),
        pl.when(hit).then("number").otherwise("event").alias("event"),
    ).drop("number", "factor")


def _bursts(made: pl.DataFrame, clean: pl.Expr, numbers: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """20 to 40 orders of one customer within ten minutes."""
    lines = made.filter(clean)
    parts = [made]
    for number in numbers:
        like = lines[int(rng.integers(lines.height))]
        orders = int(rng.integers(20, 41))
        drawn = lines[rng.integers(0, lines.height, orders).tolist()]
        start = like["ordered_at"][0]
        assert isinstance(start, datetime)
        parts.append(
            drawn.with_columns(
                customer_id=pl.lit(like["customer_id"][0]),
                order_id=pl.format("B{}-{}", pl.lit(int(number)), pl.int_range(pl.len())),
                ordered_at=pl.lit(start).dt.cast_time_unit("us")
                + pl.Series(np.sort(rng.integers(0, 600, orders)) * 1_000_000).cast(pl.Duration("us")),
                planted=pl.lit("burst"),
                event=pl.lit(int(number), dtype=pl.Int64),
            )
        )
    return pl.concat(parts)
