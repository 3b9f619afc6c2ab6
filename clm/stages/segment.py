"""`segment`: scores become names, by a linted scheme in which every combination of scores has exactly one.

It may not read files (the scheme comes in parsed) or look at anything but the customer's own scores.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from clm.errors import DataError
from clm.outcome import Outcome, Rows, counted
from clm.schemes import Scheme
from clm.tables import NO_PURCHASE

_COLUMN = {"r": "r_score", "f": "f_score", "m": "m_score"}


def segment(customers: pl.DataFrame, scheme: Scheme, bins: int) -> Outcome:
    """CUSTOMERS with `segment`; customers without a sale are `no_purchase`.

    `bins` is how finely the scores were cut. Raises DataError when the scheme is for other scores, or needs an empty one.
    """
    if bins != scheme.bins:
        raise DataError(
            f"the scheme {scheme.name} is made for scores from 1 to {scheme.bins}, these run from 1 to {bins}",
            fix=f"run `clm rfm --bins {scheme.bins}`, or give --scheme a file with bins = {bins}",
            code="bins",
        )
    columns = [_COLUMN[axis] for axis in scheme.axes]
    buyers = customers.filter(pl.col("orders") > 0)
    for column in columns:
        if buyers[column].null_count():
            raise DataError(
                f"the scheme {scheme.name} needs {column}, which is empty",
                fix="use a scheme over r and f for a log without amounts",
                code="no_score",
            )
    cells = _cells(scheme, columns)
    segmented = (
        customers.drop("segment", strict=False)
        .join(cells, on=columns, how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("orders") > 0).then(pl.col("segment")).otherwise(pl.lit(NO_PURCHASE)).alias("segment"))
    )
    outside = segmented["segment"].null_count()
    if outside:
        raise DataError(
            f"{counted(outside, 'customer')} with scores outside 1 to {bins}",
            where=f"columns {', '.join(columns)}",
            fix="make the table with `clm rfm`",
            code="scores",
        )
    counts = _counts(segmented, scheme)
    named_counts = {code: number for code, number in counts.items() if code != NO_PURCHASE and number}
    largest = max(named_counts, key=lambda code: named_counts[code], default=None)
    return Outcome(
        frame=segmented,
        rows=Rows(rows_in=customers.height, rows_out=segmented.height),
        as_of=customers["as_of"].max(),  # type: ignore[arg-type]
        metrics={"scheme": scheme.name, "segments": counts},
        closing=f"{counted(customers.height, 'customer')} in {counted(len(named_counts), 'segment')}"
        + (f", the largest {largest} ({counts[largest]:,})" if largest else "")
        + (f", {counts[NO_PURCHASE]:,} without a purchase" if NO_PURCHASE in counts else ""),
    )


def _cells(scheme: Scheme, columns: list[str]) -> pl.DataFrame:
    rows = [(*cell, code) for cell, code in scheme.cells.items()]
    schema: dict[str, Any] = dict.fromkeys(columns, pl.Int32) | {"segment": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _counts(segmented: pl.DataFrame, scheme: Scheme) -> dict[str, int]:
    """Customers per segment in the scheme's order, empty ones too, and those without a purchase last."""
    found = dict(segmented.group_by("segment").len().iter_rows())
    counts = {code: found.get(code, 0) for code in scheme.codes}
    return counts | ({NO_PURCHASE: found[NO_PURCHASE]} if NO_PURCHASE in found else {})
