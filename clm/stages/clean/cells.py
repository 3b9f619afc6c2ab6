"""Cells: a batch of records read the plain way wherever that gives what the general reading would, for a tenth of its price.

It may not know what a column means, nor look across rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Cell:
    """How a value is read from a record: `general` always, or `quick` where `plain` holds and both are the same."""

    general: pl.Expr
    plain: pl.Expr | None = None
    quick: pl.Expr | None = None


def read(batch: pl.DataFrame, cells: dict[str, Cell]) -> pl.DataFrame:
    """The batch with a column for each cell, and one `NAME:plain` where there are two ways to read it.

    The general reading sees only the records that need it.
    """
    two_ways = {name: cell for name, cell in cells.items() if cell.plain is not None}
    read_now = [(cell.general if cell.quick is None else cell.quick).alias(name) for name, cell in cells.items()]
    read_now += [cell.plain.fill_null(False).alias(f"{name}:plain") for name, cell in two_ways.items() if cell.plain is not None]
    # lazy, because only then is a part that several of them share worked out once
    made = batch.lazy().with_columns(read_now).collect()
    for name, cell in two_ways.items():
        odd = ~made[f"{name}:plain"]
        if odd.any():
            rest = put_back(batch.filter(odd).lazy().select(cell.general.alias(name)).collect(), odd)
            made = made.with_columns(pl.when(odd).then(rest[name]).otherwise(pl.col(name)).alias(name))
    return made


def put_back(rows: pl.DataFrame, taken: pl.Series) -> pl.DataFrame:
    """Rows made of the taken places of a batch, back at those places; null at the others."""
    place = pl.select(pl.when(taken).then(taken.cum_sum() - 1)).to_series()
    return rows.select(pl.all().gather(place))
