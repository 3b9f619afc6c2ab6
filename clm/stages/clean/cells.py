"""Cells: a batch of records read the plain way wherever that gives what the general reading would, for a tenth of its price.

It may not know what a column means, nor look across rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from clm.ingest import native


@dataclass(frozen=True)
class Cell:
    """How a value is read from a record: `general` from its text, or `quick` where `plain` holds and both are the same.

    `plain` and `quick` see a number, day or moment as what it is in its file, `general` sees what it says as text.
    """

    general: pl.Expr
    plain: pl.Expr | None = None
    quick: pl.Expr | None = None


def read(batch: pl.DataFrame, cells: dict[str, Cell]) -> pl.DataFrame:
    """The batch with a column for each cell, and one `NAME:plain` where there are two ways to read it.

    The general reading sees only the records that need it.
    """
    two_ways = {name: cell for name, cell in cells.items() if cell.plain is not None}
    one_way = [cell.general.alias(name) for name, cell in cells.items() if cell.plain is None]
    quick = [cell.quick.alias(name) for name, cell in cells.items() if cell.quick is not None]
    quick += [cell.plain.fill_null(False).alias(f"{name}:plain") for name, cell in two_ways.items() if cell.plain is not None]
    # lazy, because only then is a part that several of them share worked out once
    made = batch.lazy().with_columns(quick).collect()
    made = made.hstack(seen(batch, one_way))
    for name, cell in two_ways.items():
        odd = ~made[f"{name}:plain"]
        if odd.any():
            rest = put_back(seen(batch.filter(odd), [cell.general.alias(name)]), odd)
            made = made.with_columns(pl.when(odd).then(rest[name]).otherwise(pl.col(name)).alias(name))
    return made


def seen(batch: pl.DataFrame, values: Sequence[pl.Expr]) -> pl.DataFrame:
    """These values alone, worked out with every cell of a file as text."""
    told = native.texted(batch.lazy(), batch.schema).with_columns(values)
    return told.select(value.meta.output_name() for value in values).collect()


def put_back(rows: pl.DataFrame, taken: pl.Series) -> pl.DataFrame:
    """Rows made of the taken places of a batch, back at those places; null at the others."""
    place = pl.select(pl.when(taken).then(taken.cum_sum() - 1)).to_series()
    return rows.select(pl.all().gather(place))
