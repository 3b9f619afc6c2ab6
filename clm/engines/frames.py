"""Frames of whatever engine: what a log may be, and how a reduced frame is collected.

It may not know a column; a reduce is written once, in the words of narwhals, and collected here.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl

Orders = pl.LazyFrame | nw.LazyFrame[Any]  # TRANSACTIONS on this machine, or on another engine


def types(orders: Orders) -> pl.Schema:
    """The columns of a log with their types, as Polars names them."""
    return orders.collect_schema() if isinstance(orders, pl.LazyFrame) else orders.collect_schema().to_polars()


def once(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """A frame several others are made of, computed once: Polars shares a plan only where all want the same of its columns."""
    native = frame.to_native()
    return nw.from_native(native.cache()) if isinstance(native, pl.LazyFrame) else frame


def lazily(frame: nw.LazyFrame[Any]) -> pl.LazyFrame:
    """A reduced frame as a query of Polars: its own, or what another engine has computed."""
    native = frame.to_native()
    return native if isinstance(native, pl.LazyFrame) else collected(frame).lazy()


def collected(frame: nw.LazyFrame[Any]) -> pl.DataFrame:
    """A reduced frame, computed by its engine."""
    native = frame.to_native()
    return native.collect(engine="streaming") if isinstance(native, pl.LazyFrame) else frame.collect(backend="polars").to_native()
