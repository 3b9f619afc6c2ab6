"""Overlap: two files that hold the same orders of the same days, as exports of overlapping periods do.

It may not drop a row: which of two equal rows is one too many is the user's to say.
"""

from __future__ import annotations

import polars as pl

from clm.errors import DataError
from clm.ingest.reading import Reading
from clm.ingest.scan import FILE, SOURCE
from clm.settings import CleanSettings

_KEYS = ("customer_id", "order_id", "ordered_at", "amount")
# what tells lines of one order apart, where the source has it
_TELLING = ("product_id", "product", "quantity")
_DAY, _ROWS, _OTHER = "clm:day", "clm:rows", "clm:other"
_SHARE = 0.5
# over all days in common; on one day alone it takes more to be no accident
_FEWEST, _FEWEST_ON_A_DAY = 2, 10


def refusal(good: pl.LazyFrame, reading: Reading, settings: CleanSettings) -> DataError | None:
    """The question about the two files that share most, when they share more than half of the smaller one's rows.

    `good` are the rows without a reason and without repeated files, with their final ids. It is asked only while nobody has said
    what to do with repeats; with line ids a repeat is known without asking.
    """
    known = "line_id" in reading.roles and not reading.ours
    if not reading.several_sources or settings.duplicates != "flag" or known:
        return None
    good = good.with_columns(pl.col("ordered_at").dt.date().alias(_DAY))
    days = good.group_by(SOURCE, FILE, _DAY).agg(pl.len().alias(_ROWS)).collect(engine="streaming")
    common = days.group_by(_DAY).agg(pl.len()).filter(pl.col("len") > 1).select(_DAY)
    if not common.height:
        return None
    keys = [*_KEYS, *(role for role in _TELLING if role in reading.roles)]
    shared = _shared(good.join(common.lazy(), on=_DAY, how="semi"), keys)
    if not shared.height:
        return None
    worst = _worst(shared, days)
    return _question(worst.row(0, named=True), days) if worst.height else None


def _shared(good: pl.LazyFrame, keys: list[str]) -> pl.DataFrame:
    """Rows that two sources have in common, by pair of sources and day."""
    counts = good.group_by(*keys, _DAY, SOURCE).agg(pl.len().alias(_ROWS))
    several = counts.group_by(keys).agg(pl.len()).filter(pl.col("len") > 1).select(keys)
    again = counts.join(several, on=keys, how="semi", nulls_equal=True)
    other = again.select(*keys, pl.col(SOURCE).alias(_OTHER), pl.col(_ROWS).alias("clm:other_rows"))
    pairs = again.join(other, on=keys, nulls_equal=True).filter(pl.col(SOURCE) < pl.col(_OTHER))
    return (
        pairs.group_by(SOURCE, _OTHER, _DAY)
        .agg(shared=pl.min_horizontal(_ROWS, "clm:other_rows").cast(pl.Int64).sum())
        .collect(engine="streaming")
    )


def _worst(shared: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """(source, other, shared, rows of the smaller) of the pairs that share too much, most first."""
    rows = days.select(SOURCE, _DAY, pl.col(_ROWS).cast(pl.Int64))
    pair = shared.select(SOURCE, _OTHER).unique()
    both = (
        pair.join(rows, on=SOURCE)
        .join(rows.select(pl.col(SOURCE).alias(_OTHER), _DAY, pl.col(_ROWS).alias("clm:other_rows")), on=[_OTHER, _DAY])
        .join(shared, on=[SOURCE, _OTHER, _DAY], how="left")
        .with_columns(pl.col("shared").fill_null(0))
    )
    one_day = (pl.col("shared") >= _FEWEST_ON_A_DAY) & (pl.col("shared") > _SHARE * pl.min_horizontal(_ROWS, "clm:other_rows"))
    found = both.group_by(SOURCE, _OTHER).agg(
        pl.col("shared").sum(), smaller=pl.min_horizontal(pl.col(_ROWS).sum(), pl.col("clm:other_rows").sum()), day=one_day.any()
    )
    whole = (pl.col("shared") >= _FEWEST) & (pl.col("shared") > _SHARE * pl.col("smaller"))
    return (
        found.filter(whole | pl.col("day"))
        .sort("shared", SOURCE, _OTHER, descending=[True, False, False])
        .select(SOURCE, _OTHER, "shared", "smaller")
    )


def _question(worst: dict[str, int], days: pl.DataFrame) -> DataError:
    names = dict(days.select(SOURCE, FILE).unique().iter_rows())
    files = [names[worst[SOURCE]], names[worst[_OTHER]]]
    return DataError(
        f"{' and '.join(files)} share {worst['shared']:,} rows (customer, order, time and amount) of the days they have in "
        f"common, where the smaller has {worst['smaller']:,}.",
        where=", ".join(files),
        fix="say whether they are the same orders twice (--duplicates drop leaves out rows equal in every column) "
        "or not (--duplicates keep)",
        code="overlap",
    )
