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
    made = beside(batch.lazy().with_columns(quick).collect(), seen(batch, one_way))
    for name, cell in two_ways.items():
        odd = ~made[f"{name}:plain"]
        if odd.any():
            rest = of_some(batch, odd, [cell.general.alias(name)])
            made = made.with_columns(pl.when(odd).then(rest[name]).otherwise(pl.col(name)).alias(name))
    return made


def seen(batch: pl.DataFrame, values: Sequence[pl.Expr]) -> pl.DataFrame:
    """These values alone, worked out with every cell of a file as text."""
    told = native.texted(batch.lazy(), batch.schema).with_columns(values)
    return told.select(value.meta.output_name() for value in values).collect()


def beside(batch: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """The batch and further columns of its records; one that says the same of all stays the one value it is."""
    return pl.concat([batch, made], how="horizontal") if made.width else batch


def of_some(batch: pl.DataFrame, taken: pl.Series, values: Sequence[pl.Expr]) -> pl.DataFrame:
    """These values of the taken records, each at its place in the batch; null at the others."""
    rows = seen(batch.filter(taken), values)
    if not rows.height:
        nothing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in rows.schema.items()]
        return batch.with_columns(nothing).select(rows.columns)
    place = pl.select(pl.when(taken).then(taken.cum_sum() - 1)).to_series()
    return rows.select(pl.all().gather(place))
