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
