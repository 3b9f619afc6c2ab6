"""Overlap: two files that hold the same orders of the same days, as exports of overlapping periods do.

It may not drop a row unasked: which of two equal rows is one too many is the user's to say. Rows are equal when what they say is
(customer, order, time, amount, product, quantity), however each file writes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from clm.errors import DataError
from clm.ingest.reading import Reading
from clm.ingest.scan import FILE, SOURCE
from clm.outcome import Notice, counted
from clm.settings import CleanSettings
from clm.stages.clean.judge import REASON

_KEYS = ("customer_id", "order_id", "ordered_at", "amount")
# what tells lines of one order apart, where the source has it
_TELLING = ("product_id", "product", "quantity")
_DAY, _ROWS, _OTHER = "clm:day", "clm:rows", "clm:other"
_KEY, _PLACE, _BEFORE, _LINES = "clm:key", "clm:place", "clm:before", "clm:lines"
_HASH, _EARLIER, _KEPT = "clm:hash", "clm:earlier", "clm:kept"
_SHARE = 0.5
# over all days in common; on one day alone it takes more to be no accident
_FEWEST, _FEWEST_ON_A_DAY = 2, 10


@dataclass(frozen=True)
class Overlap:
    """Pairs of sources that share too much (SOURCE, clm:other, shared, smaller; most first), and the rows of each day."""

    pairs: pl.DataFrame
    days: pl.DataFrame
    keys: tuple[str, ...]

    @property
    def common(self) -> pl.DataFrame:
        """The days that the sources of these pairs have in common."""
        ours = self.days.filter(pl.col(SOURCE).is_in(self.sources))
        return ours.group_by(_DAY).agg(pl.len()).filter(pl.col("len") > 1).select(_DAY)

    @property
    def sources(self) -> list[int]:
        return [*{*self.pairs[SOURCE], *self.pairs[_OTHER]}]


def look(good: pl.LazyFrame, reading: Reading, settings: CleanSettings) -> Overlap | None:
    """The pairs of files that share more than half of the smaller one's rows, over the days in common or on one of them.

    `good` are the rows without a reason and without repeated files, with their final ids. With line ids a repeat is known
    without looking; who keeps repeats has said that they are none.
    """
    known = "line_id" in reading.roles and not reading.ours
    if not reading.several_sources or settings.duplicates == "keep" or known:
        return None
    good = good.with_columns(_day())
    days = good.group_by(SOURCE, FILE, _DAY).agg(pl.len().alias(_ROWS)).collect(engine="streaming")
    common = days.group_by(_DAY).agg(pl.len()).filter(pl.col("len") > 1).select(_DAY)
    if not common.height:
        return None
    keys = [*_KEYS, *(role for role in _TELLING if role in reading.roles)]
    shared = _shared(good.join(common.lazy(), on=_DAY, how="semi"), keys)
    if not shared.height:
        return None
    worst = _worst(shared, days)
    return Overlap(worst, days, tuple(keys)) if worst.height else None


def refusal(found: Overlap | None, settings: CleanSettings) -> DataError | None:
    """The question about the two files that share most, while nobody has said what to do with repeats."""
    if found is None or settings.duplicates != "flag":
        return None
    return _question(found.pairs.row(0, named=True), found.days)


def again(good: pl.LazyFrame, found: Overlap, place: str, dropped: pl.DataFrame) -> pl.DataFrame:
    """The places (column `place`) of rows that equal rows of an earlier file: of each the larger number remains.

    `dropped` are the places of rows that repeat another in every cell, and go anyway: they are the first to count.
    """
    key = [_HASH, "ordered_at", "amount"]
    rows = (
        good.filter(pl.col(SOURCE).is_in(found.sources))
        .with_columns(_day())
        .join(found.common.lazy(), on=_DAY, how="semi")
        .select(_hash(found.keys).alias(_HASH), "ordered_at", "amount", SOURCE, place)
    )
    counts = rows.group_by(*key, SOURCE).agg(pl.len().cast(pl.Int64).alias(_ROWS))
    pairs = found.pairs.lazy().select(SOURCE, _OTHER)
    earlier = (
        counts.join(pairs, on=SOURCE)
        .rename({SOURCE: _EARLIER, _OTHER: SOURCE, _ROWS: _BEFORE})
        .join(counts, on=[*key, SOURCE], how="semi", nulls_equal=True)
        .group_by(*key, SOURCE)
        .agg(pl.col(_BEFORE).max())
    )
    gone = dropped.lazy().select(place, pl.lit(0).alias(_KEPT))
    ranked = (
        rows.join(earlier, on=[*key, SOURCE], nulls_equal=True)
        .join(gone, on=place, how="left")
        .with_columns(pl.col(_KEPT).fill_null(1))
        .sort(*key, SOURCE, _KEPT, place)
        .with_row_index(_PLACE)
    )
    new = ~pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(1)) for name in [*key, SOURCE])
    # the first of each kind stands where the largest beginning so far is
    start = pl.when(new).then(pl.col(_PLACE)).otherwise(0).cum_max()
    return ranked.filter(pl.col(_PLACE) - start < pl.col(_BEFORE)).select(place).collect(engine="streaming")


def notices(judged: pl.LazyFrame, found: Overlap | None, reading: Reading, settings: CleanSettings) -> list[Notice]:
    """How many orders stand in several of these files with different lines: what differs stays, and somebody should know."""
    if found is None or settings.duplicates != "drop" or "order_id" not in reading.roles:
        return []
    days = found.common[_DAY]
    # what was cancelled may be all that a file has of a day
    among = pl.col(SOURCE).is_in(found.sources) & pl.col("ordered_at").dt.date().is_between(days.min(), days.max())
    rows = judged.filter(among & pl.col("order_id").is_not_null()).select(
        "order_id", SOURCE, (_hash((*found.keys, REASON)) % 2**32).alias(_KEY)
    )
    orders = rows.group_by("order_id", SOURCE).agg(pl.col(_KEY).sum(), pl.len().alias(_ROWS))
    unlike = pl.any_horizontal(pl.col(name).min() != pl.col(name).max() for name in (_KEY, _ROWS))
    several = orders.group_by("order_id").agg(unlike.cast(pl.Int64).alias(_LINES))
    count = several.select(pl.col(_LINES).sum()).collect(engine="streaming").item()
    if not count:
        return []
    stands = counted(count, "order stands", "orders stand")
    return [
        Notice(
            "orders_differ",
            f"{stands} in several files with different lines (another amount, product, quantity or fate): only equal lines are "
            "left out, so some money may count twice. Where one export is newer, give it alone for the days they share.",
        )
    ]


def _day() -> pl.Expr:
    return pl.col("ordered_at").dt.date().alias(_DAY)


def _hash(keys: tuple[str, ...]) -> pl.Expr:
    return pl.struct(keys).hash()


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
        fix="say whether they are the same orders twice (--duplicates drop takes each from the first file that has it) "
        "or not (--duplicates keep)",
        code="overlap",
    )
