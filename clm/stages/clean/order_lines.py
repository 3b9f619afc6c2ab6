"""Order lines: in a log with one row per order, further rows of an order that is there are its lines, and are collapsed.

It may not judge anew: only rows whose amount or day was missing change their fate, and a line whose order is not in the log
stays a reject.
"""

from __future__ import annotations

import polars as pl

from clm.ingest.reading import Reading
from clm.stages.clean.judge import COLUMN, REASON
from clm.stages.clean.meanings import LINE_ROW

ORDER_LINE = "order_line"
_UNFILLED = ("date", "amount", "no_customer")
_THERE = "clm:order_there"


def collapsed(judged: pl.LazyFrame, reading: Reading) -> pl.LazyFrame:
    """The judged table with `order_line` as the reason of such rows, whatever became of their order.

    The order's own row carries its amount and its fate: a cancelled order is one reject, and its lines are lines all the same.
    """
    if not reading.one_row_per_order:
        return judged
    orders = judged.filter(~pl.col(LINE_ROW) & pl.col("order_id").is_not_null()).select("order_id").unique()
    told = judged.join(orders.with_columns(pl.lit(True).alias(_THERE)), on="order_id", how="left", maintain_order="left")
    line = pl.col(LINE_ROW) & pl.col(_THERE).fill_null(False) & pl.col(REASON).is_in(_UNFILLED).fill_null(False)
    return told.with_columns(
        pl.when(line).then(pl.lit(ORDER_LINE)).otherwise(pl.col(REASON)).alias(REASON),
        pl.when(~line).then(pl.col(COLUMN)).alias(COLUMN),
    )
