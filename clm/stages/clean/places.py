"""Places: what is known of some rows only, told where they stand. Looked up batch by batch; a join would carry the whole log.

It may not judge, nor hold more places in memory than `_MOST`.
"""

from __future__ import annotations

from functools import partial

import polars as pl

AT = "clm:at"
# 12 MB of places; what is known of more rows is joined, which needs no memory of its own
_MOST = 500_000


def told(frame: pl.LazyFrame, places: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """The frame with `column` of `places` (one row for each place, `clm:at`), null where those say nothing."""
    few = places.select(AT, column).head(_MOST + 1).collect(engine="streaming")
    if few.height > _MOST:
        return frame.join(places.select(AT, column), on=AT, how="left", maintain_order="left")
    look_up = partial(_looked_up, few, column)
    return frame.with_columns(pl.col(AT).map_batches(look_up, few.schema[column], is_elementwise=True).alias(column))


def among(frame: pl.LazyFrame, places: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The frame with a column that says whether a row stands at one of the `places`; never null."""
    there = told(frame, places.select(AT, pl.lit(value=True).alias(name)), name)
    return there.with_columns(pl.col(name).fill_null(value=False))


def _looked_up(places: pl.DataFrame, column: str, at: pl.Series) -> pl.Series:
    """Only the places between the first and the last of the batch are compared with it."""
    near = places.filter(pl.col(AT).is_between(at.min(), at.max()))
    return at.to_frame(AT).join(near, on=AT, how="left", maintain_order="left").get_column(column)
