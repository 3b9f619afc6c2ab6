"""What is used again: worked out once and held, in memory or wherever the caller keeps it.

It may not open a file: who has one gives a `Hold` of his own.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

Hold = Callable[[pl.LazyFrame], pl.LazyFrame]


def held(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The default: in memory. For a log of any length the caller spools to disk instead."""
    return frame.collect(engine="streaming").lazy()


def some(held: pl.LazyFrame) -> pl.LazyFrame | None:
    """The frame, unless it has no row."""
    return held if held.select(pl.len()).collect(engine="streaming").item() else None
