"""A long log in slices of whole customers, to be reduced one after the other: each within the memory there is.

Polars can reduce a log of any length at once, but what does not fit into memory it writes to disk, often several times over; a
slice is read from the log itself once more. It may not know what is made of a slice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import polars as pl

from clm.engines.frames import Orders

Cut = Callable[[Orders], list[Orders]]
# so many lines say where to cut: a slice is then seldom a tenth longer than meant
_SAMPLED = 20_000


def whole(orders: Orders) -> list[Orders]:
    """The default: one slice."""
    return [orders]


def of_customers(orders: Orders, room: int, need: Callable[[int, int], int]) -> list[Orders]:
    """The log in slices of about as many lines by ranges of `customer_id`, in its order, a customer in one of them alone.

    `need` tells the bytes it takes to reduce a number of lines of a number of customers, `room` those there are. Lines without a
    customer are in the first slice. Only of logs that are files of this machine: others are dear to read again.
    """
    if not isinstance(orders, pl.LazyFrame):
        return [orders]
    rows = orders.select(pl.len()).collect(engine="streaming").item()
    if need(rows, rows) <= room:  # each with a line: it cannot be more
        return [orders]
    customers = orders.select(pl.col("customer_id").approx_n_unique()).collect(engine="streaming").item()
    slices = math.ceil(need(rows, customers) / room)
    if slices == 1:
        return [orders]
    numbered = orders.select("customer_id").with_row_index("line").filter(pl.col("line") % max(1, rows // _SAMPLED) == 0)
    sample = numbered.select(pl.col("customer_id").drop_nulls().sort()).collect(engine="streaming")["customer_id"]
    edges = sorted({sample[len(sample) * place // slices] for place in range(1, slices)} if len(sample) else ())
    return [orders.filter(within) for within in _ranges(edges)] if edges else [orders]


def _ranges(edges: list[str]) -> Iterator[pl.Expr]:
    key = pl.col("customer_id")
    yield key.is_null() | (key < edges[0])
    for low, high in pairwise(edges):
        yield (key >= low) & (key < high)
    yield key >= edges[-1]
