"""Order logs of any length for the benchmarks: made up, the same every time, clean unless asked otherwise.

It may not measure anything.
"""

from __future__ import annotations

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


def transactions(folder: Path, orders: int) -> Path:
    """TRANSACTIONS of three years, a line an order and 20 of them a customer on average, kept in `folder` for the next time.

    Customers begin, stay and leave at different times and buy at different rates, so that there is something to learn of them.
    """
    path = folder / f"transactions-{orders}.parquet"
    if not path.exists():
        part, pieces = path.with_suffix(".part"), []
        for start in range(0, orders, 4 * _CHUNK):
            piece = folder / f"{path.stem}-{start}.piece"
            _orders(start, min(orders, start + 4 * _CHUNK), orders // 20).write_parquet(piece)
            pieces.append(piece)
        pl.scan_parquet(pieces).sink_parquet(part)
        part.replace(path)
        for piece in pieces:
            piece.unlink()
    return path


def _orders(start: int, end: int, customers: int) -> pl.DataFrame:
    order = pl.int_range(start, end, dtype=pl.Int64)
    spread = (order * 2_654_435_761 % 1_000_003).cast(pl.Float64) / 1_000_003
    customer = ((spread**1.5) * customers).cast(pl.Int64)
    begun, stay = customer * 7_919 % 900, 20 + customer * 104_729 % 800
    day = pl.min_horizontal(begun + order * 40_503 % 99_991 * stay // 99_991, pl.lit(1_094, pl.Int64))
    return pl.select(
        customer_id=customer.cast(pl.String).str.zfill(8),
        order_id=pl.lit("O") + order.cast(pl.String).str.zfill(9),
        ordered_at=(pl.lit(datetime(2021, 1, 1)) + pl.duration(days=day, hours=order % 24)).cast(pl.Datetime("us")),
        amount=((order * 7_919 % 99_000 + 100).cast(pl.Decimal(18, 4)) / 100).cast(pl.Decimal(18, 4)),
        kind=pl.when(order % 50 == 49).then(pl.lit("return")).otherwise(pl.lit("sale")),
        flags=pl.lit(None, pl.String),
        source_line=order + 2,
    ).with_columns(amount=pl.when(pl.col("kind") == "return").then(-pl.col("amount")).otherwise("amount").cast(pl.Decimal(18, 4)))


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
