"""What is used again: worked out once and held, in memory or wherever the caller keeps it; what is too long is taken apart.

It may not open a file: who has one gives a `Hold` and a `Cut` of his own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import polars as pl

from clm.engines.frames import Orders

Hold = Callable[[pl.LazyFrame], pl.LazyFrame]
# a log in parts of whole customers, in the order of their ids; each is done with before the next is asked for
Cut = Callable[[Orders], Iterable[Orders]]


def held(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The default: in memory. For a log of any length the caller spools to disk instead."""
    return frame.collect(engine="streaming").lazy()


def whole(orders: Orders) -> Iterable[Orders]:
    """The default: in one part."""
    return [orders]


def some(held: pl.LazyFrame) -> pl.LazyFrame | None:
    """The frame, unless it has no row."""
    return held if held.select(pl.len()).collect(engine="streaming").item() else None
