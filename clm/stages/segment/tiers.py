"""Tiers with memory: up at once, down only after a stretch below the edge without a break.

It may not forget: what a customer was, since when, and since when below, travels in the table of the earlier day. Nor may it
depend on who stands where in the table: customers who tie with an edge are all above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from math import ceil
from typing import Any

import polars as pl

from clm.errors import ConfigError, DataError
from clm.outcome import Notice
from clm.schemes.pyramid import MARGIN, Edge, Pyramid
from clm.stages import agreement
from clm.tables import TIER_REASONS

COLUMNS = ("tier", "tier_since", "tier_below_since", "tier_reason")
NEEDS = ("customer_id", "as_of", "tier", "tier_since", "tier_below_since", "tier_reason")
_BOUGHT = pl.col("orders") > 0
_MONEY = pl.Decimal(38, 4)
_EXACT = pl.Decimal(38, 6)  # holds money, and every edge a file may give
_STEP = Decimal("0.000001")


@dataclass(frozen=True)
class Ranked:
    """Customers with their tiers; `learned` are the edges as numbers."""

    customers: pl.DataFrame
    learned: list[dict[str, Any]]
    metrics: dict[str, Any]
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class Bar:
    """An edge as a number: `value` of the column must be reached (`least`) or not exceeded. None: nobody can reach it."""

    column: str
    least: bool
    value: Decimal | None

    def reached(self, values: pl.Expr, slack: Decimal, dtype: pl.DataType) -> pl.Expr:
        """Whether the value is at the bar, or no further from it than `slack` of its size."""
        if self.value is None:
            return pl.lit(value=False)
        room = abs(self.value) * slack
        bar = self.value - room if self.least else self.value + room
        if dtype.is_float():
            side, edge = values.cast(pl.Float64), pl.lit(float(bar))
        else:
            side, edge = values.cast(_EXACT), pl.lit(bar.quantize(_STEP), _EXACT)
        return (side >= edge if self.least else side <= edge).fill_null(value=False)

    def to_json(self) -> dict[str, Any]:
        value = None if self.value is None else f"{self.value.normalize():f}"
        return {"column": self.column, "at_least" if self.least else "at_most": value}


Bars = list[tuple[tuple[Bar, ...], tuple[Bar, ...]]]  # of each tier: all of these, and one of those


def ranked(customers: pl.DataFrame, pyramid: Pyramid, previous: pl.DataFrame | None = None, learned: Any = None) -> Ranked:
    """The customers with `tier`, `tier_since`, `tier_below_since`, `tier_reason`; null without a sale.

    `previous` are CUSTOMERS of an earlier day, or the same, with these columns; `learned` edges of another base. Raises DataError
    when `previous` is of a later day or of other tiers, when a column is not there or money is empty.
    """
    pyramid.check(customers.schema)
    day = agreement.one_day(customers, "segment")
    frame = customers.drop(*COLUMNS, strict=False)
    buyers = frame.filter(_BOUGHT)
    blank = [name for name in pyramid.columns if buyers.height and buyers[name].null_count() == buyers.height]
    money = next((name for name in blank if frame.schema[name] == _MONEY), None)
    if money is not None:
        fix = "ask columns this log fills, such as orders_365d"
        raise DataError(
            f"the tier file {pyramid.name} needs {money}, which is empty", where=f"column {money}", fix=fix, code="no_amounts"
        )
    bars = bars_of(frame, pyramid) if learned is None else _read(learned, pyramid)
    moved = _moved(frame, pyramid, bars, _memory(previous, pyramid, day), day)
    counts = dict(moved.group_by("tier").len().iter_rows())
    reasons = dict(moved.group_by("tier_reason").len().iter_rows())
    plain = [
        {"code": tier.code, "all": [bar.to_json() for bar in every], "any": [bar.to_json() for bar in some]}
        for tier, (every, some) in zip(pyramid.tiers, bars, strict=True)
    ]
    metrics = {
        "tiers": {code: counts.get(code, 0) for code in pyramid.codes},
        "tier_moves": {reason: reasons.get(reason, 0) for reason in TIER_REASONS},
        "tier_edges": plain,
    }
    bought = moved["tier"].count()
    unfilled = [code for code in pyramid.codes if not counts.get(code, 0)]
    notices = []
    if unfilled and bought:
        text = f"nobody is {', '.join(unfilled)}: customers who tie with an edge are all above it"
        notices.append(Notice("tier_empty", text))
    if blank:
        notices.append(Notice("tier_column_empty", f"{', '.join(blank)} is empty for everybody: its edges let nobody in"))
    return Ranked(moved, plain, metrics, tuple(notices))


def levels(frame: pl.DataFrame, pyramid: Pyramid, bars: Bars) -> list[pl.Expr]:
    """Two columns of places from the top (0): by the edges as they are, and by `demote_below` of them."""
    slacks = (Decimal(0), 1 - pyramid.demote_below)
    return [
        pl.coalesce(
            pl.when(_inside(frame, tier_bars, slack)).then(pl.lit(place, pl.Int32)) for place, tier_bars in enumerate(bars)
        )
        for slack in slacks
    ]


def _inside(frame: pl.DataFrame, bars: tuple[tuple[Bar, ...], tuple[Bar, ...]], slack: Decimal) -> pl.Expr:
    every, some = ([bar.reached(value_of(bar.column), slack, _dtype(frame, bar.column)) for bar in part] for part in bars)
    alternatives = [pl.any_horizontal(some)] if some else []
    return pl.all_horizontal(pl.lit(value=True), *every, *alternatives)


def value_of(column: str) -> pl.Expr:
    """The values an edge is over: a column, or what is made of two."""
    return pl.col("spend") - pl.col("cost") if column == MARGIN else pl.col(column)


def _dtype(frame: pl.DataFrame, column: str) -> pl.DataType:
    return _MONEY if column == MARGIN else frame.schema[column]


def bars_of(customers: pl.DataFrame, pyramid: Pyramid) -> Bars:
    """The edges of a pyramid as numbers, shares taken from this base."""
    buyers = customers.filter(_BOUGHT)
    parts = [(tier.every, tier.some) for tier in pyramid.tiers]
    return [(tuple(_bar(edge, buyers) for edge in every), tuple(_bar(edge, buyers) for edge in some)) for every, some in parts]


def _bar(edge: Edge, buyers: pl.DataFrame) -> Bar:
    if edge.kind in ("at_least", "at_most"):
        return Bar(edge.column, edge.kind == "at_least", edge.value)
    values = buyers.select(value_of(edge.column).alias("value"))["value"].drop_nulls()
    if values.is_empty():
        return Bar(edge.column, True, None)
    if edge.kind == "top":
        # inside are those of whom fewer than the share's number are strictly better: whoever ties with the last is inside too
        place = ceil(edge.value * len(values))
        return Bar(edge.column, True, Decimal(str(values.top_k(place).min())))
    # floats are added as decimals: their sum would depend on the order of the rows
    exact = values.cast(_EXACT) if values.dtype.is_float() or values.dtype.is_integer() else values
    share = (Decimal(exact.sum()) * edge.value).quantize(_STEP, rounding=ROUND_CEILING)
    return Bar(edge.column, True, share)


def _read(learned: Any, pyramid: Pyramid) -> Bars:
    """Edges learned from another base, held against the file: the same tiers over the same columns."""
    fix = "make the model with the same --tiers, or leave out --model"

    def wrong() -> ConfigError:
        text = "the model's tiers are not those of the tier file"
        return ConfigError(text, where="learned.segment.tiers", fix=fix, code="model")

    if not isinstance(learned, list) or len(learned) != len(pyramid.tiers):
        raise wrong()
    bars: Bars = []
    for one, tier in zip(learned, pyramid.tiers, strict=True):
        if not isinstance(one, Mapping) or set(one) != {"code", "all", "any"} or one["code"] != tier.code:
            raise wrong()
        parts = []
        for given, edges in ((one["all"], tier.every), (one["any"], tier.some)):
            if not isinstance(given, list) or len(given) != len(edges):
                raise wrong()
            found = [_read_bar(bar, edge) for bar, edge in zip(given, edges, strict=True)]
            if None in found:
                raise wrong()
            parts.append(tuple(bar for bar in found if bar is not None))
        bars.append((parts[0], parts[1]))
    return bars


def _read_bar(given: Any, edge: Edge) -> Bar | None:
    side = "at_most" if edge.kind == "at_most" else "at_least"
    if not isinstance(given, Mapping) or set(given) != {"column", side} or given["column"] != edge.column:
        return None
    if given[side] is None:
        return Bar(edge.column, side == "at_least", None)
    try:
        value = Decimal(str(given[side]))
    except InvalidOperation:
        return None
    fits = value.is_finite() and (value == 0 or -400 < value.adjusted() < 30)
    return Bar(edge.column, side == "at_least", value) if fits else None


def _memory(previous: pl.DataFrame | None, pyramid: Pyramid, day: date | None) -> pl.DataFrame:
    """What is remembered of each customer: `was` (place of the tier), since when, below since when, why, and of which day."""
    if previous is None or day is None:
        schema = {"customer_id": pl.String, "was": pl.Int32, "was_since": pl.Date, "was_below": pl.Date, "was_why": pl.String}
        return pl.DataFrame(schema=schema).with_columns(seen=pl.lit(None, pl.Date))
    then = agreement.one_day(previous, "segment --previous")
    if then is not None and then > day:
        raise DataError(
            f"the previous table is of {then}, after {day}: it would remember the future",
            where="--previous, column as_of",
            fix="give the customers of an earlier day",
            code="previous_later",
        )
    known = previous.filter(pl.col("tier").is_not_null())
    strange = sorted(set(known["tier"].unique().to_list()) - set(pyramid.codes))
    if strange:
        raise DataError(
            f"the previous table has tiers the file does not name: {', '.join(strange[:3])}",
            where="--previous, column tier",
            fix="name them in the tier file, or start afresh without --previous",
            code="previous_tiers",
        )
    place = pl.col("tier").replace_strict({code: n for n, code in enumerate(pyramid.codes)}, return_dtype=pl.Int32)
    return known.select(
        "customer_id",
        place.alias("was"),
        pl.col("tier_since").fill_null(pl.lit(then)).alias("was_since"),
        pl.col("tier_below_since").alias("was_below"),
        pl.col("tier_reason").alias("was_why"),
        pl.lit(then, pl.Date).alias("seen"),
    )


def _moved(frame: pl.DataFrame, pyramid: Pyramid, bars: Bars, memory: pl.DataFrame, day: date | None) -> pl.DataFrame:
    strict, loose = levels(frame, pyramid, bars)
    was, today = pl.col("was"), pl.lit(day, pl.Date)
    up, inside = pl.col("strict") < was, pl.col("loose") <= was
    below = pl.coalesce("was_below", today)
    due = (today - below).dt.total_days() >= pyramid.demote_after_days
    same = pl.col("place") == was
    codes = pl.col("place").replace_strict(dict(enumerate(pyramid.codes)), return_dtype=pl.String)
    why = (
        pl.when(was.is_null()).then(pl.lit("first"))
        .when(up).then(pl.lit("promoted"))
        .when(~inside & due).then(pl.lit("demoted"))
        # the same day once more: nothing has happened since, so the reason stays
        .when(pl.col("seen") == today).then(pl.col("was_why"))
        .when(~inside).then(pl.lit("below"))
        .when(pl.col("strict") > was).then(pl.lit("held"))
        .otherwise(pl.lit("kept"))
    )  # fmt: skip
    place = pl.when(was.is_null() | up).then(pl.col("strict")).when(~inside & due).then(pl.col("loose")).otherwise(was)
    return (
        frame.with_columns(strict.alias("strict"), loose.alias("loose"))
        .join(memory, on="customer_id", how="left", maintain_order="left")
        .with_columns(place.alias("place"))
        .with_columns(
            pl.when(_BOUGHT).then(codes).alias("tier"),
            pl.when(_BOUGHT).then(pl.when(same).then(pl.col("was_since")).otherwise(today)).alias("tier_since"),
            pl.when(_BOUGHT & same & ~inside & ~due).then(below).alias("tier_below_since"),
            pl.when(_BOUGHT).then(why).alias("tier_reason"),
        )
        .drop("strict", "loose", "place", "was", "was_since", "was_below", "was_why", "seen")
    )
