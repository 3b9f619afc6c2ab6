"""Order logs of any length for the benchmarks: made up, the same every time, clean unless asked otherwise.

It may not measure anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

_CHUNK = 1_000_000
_HEADER = "order_id,customer_id,order_date,sku,quantity,amount\n"


def clean_log(folder: Path, rows: int, repeats: int = 0) -> Path:
    """A CSV of order lines, two to an order, kept in `folder` for the next time.

    Every `repeats`-th line is written twice (0: none is). Columns: order_id, customer_id, order_date, sku, quantity, amount.
    """
    path = folder / f"orders-{rows}-{repeats}.csv"
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("wb") as target:
            target.write(_HEADER.encode())
            for start in range(0, rows, _CHUNK):
                _lines(start, min(rows, start + _CHUNK), repeats).write_csv(
                    target, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S"
                )
        part.replace(path)
    return path


def parquet_log(folder: Path, rows: int) -> Path:
    """The same lines as warehouses keep them: whole numbers as ids, floats as money, nanoseconds; a million rows to a group."""
    import pyarrow.parquet as pq

    path = folder / f"orders-{rows}.parquet"
    if not path.exists():
        part = path.with_suffix(".part")
        typed = [
            pl.col("customer_id", "quantity").cast(pl.Int64),
            pl.col("amount").cast(pl.Float64),
            pl.col("order_date").cast(pl.Datetime("ns")),
        ]
        chunks = (_lines(start, min(rows, start + _CHUNK), 0).with_columns(typed) for start in range(0, rows, _CHUNK))
        tables = (chunk.to_arrow(compat_level=pl.CompatLevel.oldest()) for chunk in chunks)
        first = next(tables)
        with pq.ParquetWriter(part, first.schema) as target:
            target.write_table(first)
            for table in tables:
                target.write_table(table)
        part.replace(path)
    return path


def web_shop_log(folder: Path, rows: int) -> Path:
    """A shop's lines in the same types: regular customers, prices with a history, returns, fees, repeats and anomalies."""
    from tests.stages import planted

    path = folder / f"web-shop-{rows}.parquet"
    if not path.exists():
        part = path.with_suffix(".part")
        planted.log(planted.SHOPS["web shop"], rows, 1).select(
            "order_id",
            "customer_id",
            pl.col("ordered_at").cast(pl.Datetime("ns")).alias("order_date"),
            pl.col("product_id").alias("sku"),
            pl.col("quantity").cast(pl.Int64),
            pl.col("amount").cast(pl.Float64),
        ).write_parquet(part)
        part.replace(path)
    return path


def transactions(folder: Path, lines: int, *, wide: bool = False) -> Path:
    """TRANSACTIONS of three years, 20 lines a customer on average, kept in `folder` for the next time.

    Customers begin, stay and leave at different times and buy at different rates, more before Christmas, so that there is
    something to learn of them: the busiest hundredth has a tenth of the lines. A line an order, the columns every log has;
    `wide`: two lines an order, with product, category, channel, device and cost. Written in one pass, as clm writes.
    """
    from polars.io.plugins import register_io_source

    from clm.storage import publish

    path = folder / f"sales-{lines}{'-wide' * wide}.parquet"
    if not path.exists():

        def made(start: int) -> pl.DataFrame:
            sales = _sales(start, min(lines, start + _CHUNK), max(1, lines // 20), 2 if wide else 1)
            return sales.with_columns(**_WIDE) if wide else sales

        def read(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch: int | None
        ) -> Iterator[pl.DataFrame]:
            yield from map(made, range(0, lines, _CHUNK))

        part = path.with_suffix(".part")
        publish.sink(register_io_source(read, schema=made(0).schema), part)
        part.replace(path)
    return path


def sales_log(folder: Path, lines: int) -> Path:
    """The same sales and returns as a shop hands them on, a CSV: order_id, customer_id, order_date, amount (returns below 0)."""
    path = folder / f"sales-{lines}.csv"
    if not path.exists():
        part = path.with_suffix(".part-csv")
        asked = ("order_id", "customer_id", pl.col("ordered_at").alias("order_date"), "amount")
        pl.scan_parquet(transactions(folder, lines)).select(asked).sink_csv(part, datetime_format="%Y-%m-%d %H:%M:%S")
        part.replace(path)
    return path


_LINE = pl.col("source_line")
_ORDER = _LINE // 2
_WIDE = {
    "product_id": pl.lit("SKU-") + (_LINE * 48_271 % 9_973).cast(pl.String),
    "category": pl.lit("C") + (_LINE * 48_271 % 9_973 % 40).cast(pl.String),
    "channel": pl.lit("channel ") + (_ORDER * 31 % 7).cast(pl.String),
    "device": pl.when(_ORDER % 11 > 0).then(pl.lit("device ") + (_ORDER * 17 % 3).cast(pl.String)),
    "cost": (pl.col("amount") / 2).cast(pl.Decimal(18, 4)),
}
_PRIME = 2**31 - 1
_DAYS = 1_095


def _sales(start: int, end: int, customers: int, lines_per_order: int) -> pl.DataFrame:
    line = pl.int_range(start, end, dtype=pl.Int64)
    order = line // lines_per_order
    frame = pl.select(line=line, order=order, drawn=_mixed(order)).with_columns(
        customer=((pl.col("drawn") / _PRIME) ** 2 * customers).cast(pl.Int64)
    )
    line, order, customer = pl.col("line"), pl.col("order"), pl.col("customer")
    begun = customer * 7_919 % 900
    gone = pl.min_horizontal(begun + 20 + customer * 104_729 % 800, pl.lit(_DAYS, pl.Int64))
    day = begun + _mixed(pl.col("drawn") + 1) * (gone - begun) // _PRIME
    # a third of what would be bought from July to mid-September waits for November and December
    waits = (order % 3 == 0) & (day % 365).is_between(181, 255) & (day + 120 < gone)
    amount = ((line * 7_919 % 99_000 + 100).cast(pl.Decimal(18, 4)) / 100).cast(pl.Decimal(18, 4))
    back = line % 50 == 49
    return frame.select(
        customer_id=customer.cast(pl.String).str.zfill(8),
        order_id=pl.lit("O") + order.cast(pl.String).str.zfill(9),
        ordered_at=(
            pl.lit(datetime(2021, 1, 1)) + pl.duration(days=pl.when(waits).then(day + 120).otherwise(day), hours=order % 24)
        ).cast(pl.Datetime("us")),
        amount=pl.when(back).then(-amount).otherwise(amount).cast(pl.Decimal(18, 4)),
        kind=pl.when(back).then(pl.lit("return")).otherwise(pl.lit("sale")),
        flags=pl.lit(None, pl.String),
        source_line=line + 2,
    )


def _mixed(number: pl.Expr) -> pl.Expr:
    """Whole numbers below 2^31 scattered over as many, by a fixed rule: two products modulo a prime with a shift between."""
    once = number % _PRIME * 48_271 % _PRIME
    return (once ^ (once // 2**15)) * 69_621 % _PRIME


def _lines(start: int, end: int, repeats: int) -> pl.DataFrame:
    line = pl.int_range(start, end, dtype=pl.Int64)
    if repeats:
        line = pl.when(line % repeats == repeats - 1).then(line - 1).otherwise(line)
    # one multiplier a column scatters the values without a random generator whose stream could change
    order = line // 2
    cents = line * 7_919 % 99_000 + 100
    return pl.select(
        order_id=pl.lit("O") + (order + 1).cast(pl.String).str.zfill(9),
        customer_id=(order * 2_654_435_761 % 400_009).cast(pl.String).str.zfill(7),
        order_date=pl.lit(datetime(2021, 1, 1)) + pl.duration(seconds=order * 40_503 % 94_608_000),
        sku=pl.lit("SKU-") + (line * 48_271 % 9_973).cast(pl.String),
        quantity=line % 5 + 1,
        amount=(cents // 100).cast(pl.String) + "." + (cents % 100).cast(pl.String).str.zfill(2),
    )
