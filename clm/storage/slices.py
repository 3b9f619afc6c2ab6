"""A long log in slices of whole customers, to be reduced one after the other: each within the memory there is.

Polars can reduce a log of any length at once, but what does not fit into memory it writes to disk and reads again, many times
over; here each line is written once. It may not know what is made of a slice, nor outlive the command: the folder is its own.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from clm.engines.frames import Orders
from clm.storage.faults import footer, writing

# so many lines say where to cut: a slice is then seldom a tenth longer than meant
_SAMPLED = 20_000
# files written to at once; of a longer log each slice is more than memory holds, and Polars' own business
_MOST = 64
_ROW_GROUP = 100_000


def of_customers(orders: Orders, folder: Path, room: int, need: Callable[[int, int], int]) -> Iterator[Orders]:
    """The log in slices of about as many lines by ranges of `customer_id`, in its order, a customer in one of them alone.

    `need` tells the bytes it takes to reduce a number of lines of a number of customers, `room` those there are. A slice lies in
    `folder` until the next one is asked for. Lines without a customer are in the first. A log on another engine stays whole.
    Raises StorageError (74) where there is no room for them.
    """
    edges = _edges(orders, room, need) if isinstance(orders, pl.LazyFrame) else []
    if not (edges and isinstance(orders, pl.LazyFrame)):
        yield orders
        return
    number = pl.sum_horizontal((pl.col("customer_id") >= edge).cast(pl.UInt8) for edge in edges)
    key = "slice"
    while key in orders.collect_schema():  # a column that is carried along
        key += "_"
    folder.mkdir(exist_ok=True)
    with writing(folder), footer(folder / "room"):
        orders.with_columns(number.alias(key)).sink_parquet(
            pl.PartitionBy(folder, key=key, include_key=False),
            compression="zstd",
            compression_level=1,
            statistics=False,
            row_group_size=_ROW_GROUP,
            mkdir=True,
            engine="streaming",
        )
    for place in range(len(edges) + 1):
        found = folder / f"{key}={place}"
        if found.is_dir():
            yield pl.scan_parquet(sorted(found.iterdir()), glob=False, hive_partitioning=False)
            shutil.rmtree(found)


def _edges(orders: pl.LazyFrame, room: int, need: Callable[[int, int], int]) -> list[str]:
    """The first customer of every slice but the first; none where the log can be reduced at once."""
    rows = orders.select(pl.len()).collect(engine="streaming").item()
    if need(rows, rows) <= room:  # each customer with a line: it cannot be more
        return []
    customers = orders.select(pl.col("customer_id").approx_n_unique()).collect(engine="streaming").item()
    slices = min(_MOST, math.ceil(need(rows, customers) / room))
    if slices == 1:
        return []
    numbered = orders.select("customer_id").with_row_index("line").filter(pl.col("line") % max(1, rows // _SAMPLED) == 0)
    sample = numbered.select(pl.col("customer_id").drop_nulls().sort()).collect(engine="streaming")["customer_id"]
    return sorted({sample[len(sample) * place // slices] for place in range(1, slices)} if len(sample) else ())
