"""Totals: a last row that is the sum of its file and nobody's order, though no word such as 合计 says so.

It may not take a row that names a customer: two equal orders make the last one the sum of the others too.
"""

from __future__ import annotations

import polars as pl

from clm.ingest.numbers import SUM
from clm.ingest.reading import Reading
from clm.ingest.scan import SOURCE
from clm.ingest.structure import DETAIL, LINE
from clm.stages.clean.judge import COLUMN, REASON

_LACKING = ("date", "no_customer")
_NO_RECORD = ("totals_row", "header_repeat", "blank_row")
_FEWEST_OTHERS = 2


def applied(judged: pl.LazyFrame, reading: Reading) -> pl.LazyFrame:
    """The judged table in which such rows are rejected as what they are."""
    if reading.ours or not reading.has_amounts:
        return judged
    paid = judged.filter(pl.col("amount").is_not_null() & ~pl.col(REASON).is_in(_NO_RECORD).fill_null(False))
    last = paid.group_by(SOURCE).agg(
        pl.col(LINE).max(), pl.col("amount").cast(SUM).sum().alias("clm:sum"), pl.len().alias("clm:rows")
    )
    found = (
        paid.filter(pl.col(REASON).is_in(_LACKING) & pl.col("customer_id").is_null() & (pl.col("amount") != 0))
        .select(SOURCE, LINE, "amount")
        .join(last.filter(pl.col("clm:rows") > _FEWEST_OTHERS), on=[SOURCE, LINE])
        .filter(pl.col("amount").cast(SUM) * 2 == pl.col("clm:sum"))
        .select(SOURCE, LINE)
        .collect(engine="streaming")
    )
    for source, line in found.sort(SOURCE).iter_rows():
        it = (pl.col(SOURCE) == source) & (pl.col(LINE) == line)
        nothing = pl.lit(None, dtype=pl.String)
        judged = judged.with_columns(
            pl.when(it).then(pl.lit("totals_row")).otherwise(pl.col(REASON)).alias(REASON),
            *(pl.when(it).then(nothing).otherwise(pl.col(name)).alias(name) for name in (COLUMN, DETAIL)),
        )
    return judged
