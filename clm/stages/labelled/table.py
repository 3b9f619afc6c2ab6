"""The table a labelled stage is given, and the one it hands back: the key and the churn columns, in the order of the rows.

It may not read a file or score a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from clm.stages.labelled import roles, telling
from clm.stages.labelled.saved import Saved
from clm.tables import CHURN_RISK_EDGES, CHURN_RISKS, LABELLED

ROW = "row"  # the key of a table without one: the rows' numbers
_ORDER = "clm:order"


@dataclass(frozen=True)
class Given:
    """A table as read: `frame` Float64, Date or String by column; `text` the same cells as written; `key` what names the rows.

    name: of the file; lines: where in it each row stands; undecided: columns of days that can be read in two ways.
    """

    name: str
    frame: pl.DataFrame
    text: pl.DataFrame
    lines: pl.Series
    key: pl.Series
    undecided: Sequence[str] = ()
    sha256: str = ""


def check_key(given: Given) -> None:
    if given.key.name != ROW:
        roles.check_key(given.key, given.key.name, given.name, given.lines)


def finished(
    given: Given,
    order: pl.Series,
    frame: pl.DataFrame,
    saved: Saved,
    probability: Any,
    causes: Any,
    basis: Sequence[str],
    status: str,
) -> pl.DataFrame:
    """The key and the churn columns, back in the order of the table."""
    low, medium, high = CHURN_RISKS
    edges = CHURN_RISK_EDGES
    value = pl.col("churn_probability")
    usual = [0.0 if one is None else one for one in saved.usual]
    scored = pl.DataFrame(
        [
            given.key.gather(order),
            pl.Series("churn_probability", probability),
            telling.reason_texts(frame, saved.features, usual, causes),
            pl.Series("churn_basis", basis, dtype=pl.String),
            order.alias(_ORDER),
        ]
    )
    risk = pl.when(value >= edges[1]).then(pl.lit(high)).when(value >= edges[0]).then(pl.lit(medium)).otherwise(pl.lit(low))
    told = scored.sort(_ORDER).with_columns(
        risk.alias("churn_risk"),
        pl.lit(saved.scorer.name).alias("churn_method"),
        pl.lit(status).alias("churn_status"),
    )
    return told.select(given.key.name, *LABELLED.names())
