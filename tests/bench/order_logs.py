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


def transactions(folder: Path, lines: int, *, wide: bool = False) -> Path:
    """TRANSACTIONS of three years, 20 lines a customer on average, kept in `folder` for the next time.

    Customers begin, stay and leave at different times and buy at different rates, so that there is something to learn of them.
    A line an order; `wide`: two lines an order, with product, category, channel, device and cost.
    """
    path = folder / f"transactions-{lines}{'-wide' * wide}.parquet"
    if not path.exists():
        part, pieces = path.with_suffix(".part"), []
        for start in range(0, lines, 4 * _CHUNK):
            piece = folder / f"{path.stem}-{start}.piece"
            made = _sales(start, min(lines, start + 4 * _CHUNK), lines // 20, 2 if wide else 1)
            (made.with_columns(**_WIDE) if wide else made).write_parquet(piece)
            pieces.append(piece)
        pl.scan_parquet(pieces).sink_parquet(part)
        part.replace(path)
        for piece in pieces:
            piece.unlink()
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


def _sales(start: int, end: int, customers: int, lines_per_order: int) -> pl.DataFrame:
    line = pl.int_range(start, end, dtype=pl.Int64)
    order = line // lines_per_order
    spread = (order * 2_654_435_761 % 1_000_003).cast(pl.Float64) / 1_000_003
    customer = ((spread**1.5) * customers).cast(pl.Int64)
    begun, stay = customer * 7_919 % 900, 20 + customer * 104_729 % 800
    day = pl.min_horizontal(begun + order * 40_503 % 99_991 * stay // 99_991, pl.lit(1_094, pl.Int64))
    return pl.select(
        customer_id=customer.cast(pl.String).str.zfill(8),
        order_id=pl.lit("O") + order.cast(pl.String).str.zfill(9),
        ordered_at=(pl.lit(datetime(2021, 1, 1)) + pl.duration(days=day, hours=order % 24)).cast(pl.Datetime("us")),
        amount=((line * 7_919 % 99_000 + 100).cast(pl.Decimal(18, 4)) / 100).cast(pl.Decimal(18, 4)),
        kind=pl.when(line % 50 == 49).then(pl.lit("return")).otherwise(pl.lit("sale")),
        flags=pl.lit(None, pl.String),
        source_line=line + 2,
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
