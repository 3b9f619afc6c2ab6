"""Kinds: which of the good rows are sales and which are returns.

It may not judge a record by itself (`judge` did) nor change money: it adds up orders.
"""

from __future__ import annotations

import polars as pl

from clm.engines.hold import Hold, some
from clm.ingest.numbers import SUM
from clm.ingest.reading import Reading
from clm.stages.clean import places
from clm.stages.clean.judge import RETURN
from clm.stages.clean.places import AT
from clm.tables import RETURN as RETURNED
from clm.tables import SALE


def told(kept: pl.LazyFrame, reading: Reading, hold: Hold) -> pl.LazyFrame:
    """`return` for records that are one by themselves, and for every line of an order whose total is negative."""
    kind = pl.when(pl.col(RETURN)).then(pl.lit(RETURNED)).otherwise(pl.lit(SALE)).alias("kind")
    if reading.ours or not reading.has_amounts:
        return kept.with_columns(kind)
    keys = ["customer_id", "order_id"]
    # only an order with money below zero can be negative as a whole, and it matters only where a line is no return by itself
    below = some(hold(kept.filter(pl.col("amount") < 0).select(keys).unique()))
    if below is None:
        return kept.with_columns(kind)
    sums = kept.join(below, on=keys, how="semi").group_by(keys).agg(pl.col("amount").cast(SUM).sum(), pl.col(RETURN).all())
    negative = some(hold(sums.filter((pl.col("amount") < 0) & ~pl.col(RETURN)).select(keys)))
    if negative is None:
        return kept.with_columns(kind)
    lines = hold(kept.join(negative, on=keys, how="semi").select(AT))
    returned = pl.col(RETURN) | pl.col("clm:negative")
    marked = places.among(kept, lines, "clm:negative")
    return marked.with_columns(pl.when(returned).then(pl.lit(RETURNED)).otherwise(pl.lit(SALE)).alias("kind"))
