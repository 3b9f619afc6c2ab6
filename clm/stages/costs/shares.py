"""Who bears what was spent: each line of the costs shared among customers to the last ten-thousandth, or left over with a reason.

It may not read the file, know what a customer is worth, or lose money: what is shared and what is left add up to the file.

* Acquisition spend is shared equally by the customers whose first order lies in its period and came through its channel.
* Retention spend is shared equally by all customers known by the end of its period (up to as_of) who first came through its
  channel: also by those who did not order, for they were addressed too, and sparing them would make silence look free.
* What does not divide is given out in ten-thousandths, to the earliest customers first (then by id).
* A line for all channels is shared by everybody; where the log has no channels, every line is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

MONEY = pl.Decimal(38, 4)
KINDS = ("acquisition", "retention")
SHARED = "shared"
# why money is left over, the first that applies
LEFT = ("no_customers", "before_log", "after_as_of", "unknown_channel", "no_new_customers", "nobody_yet")
# why a buyer has no cac, the first that applies
WHY = "clm:without"  # no file can have a column of this name
WITHOUT = ("before_costs", "after_costs", "not_stated")
_UNITS, _UNIT = 10_000, Decimal("0.0001")


@dataclass(frozen=True)
class Shares:
    """`customers`: one row a buyer, `customer_id`, `cac`, `retention_cost` (Decimal, null where no line is about them) and
    WHY (why there is no cac). `lines`: the file's lines with, per kind, how many share it and what became of it.
    """

    customers: pl.DataFrame
    lines: list[dict[str, Any]]

    def account(self, kind: str) -> dict[str, Decimal]:
        """The money of one kind: `in` = `shared` + each reason it is left over for."""
        found = {"in": Decimal(0), SHARED: Decimal(0)} | dict.fromkeys(LEFT, Decimal(0))
        for line in self.lines:
            money = line[kind]
            if money is not None:
                found["in"] += money
                found[line[f"{kind}_status"]] += money
        return {key: value for key, value in found.items() if value or key in ("in", SHARED)}


def shares(buyers: pl.DataFrame, costs: pl.DataFrame, as_of: date) -> Shares:
    """The costs (lines as `stages.clean.costs` reads them) shared among buyers: `customer_id`, `first_order_on`, `channel_key`.

    `channel_key` of buyers is null where unknown; costs have theirs beside `channel`.
    """
    base = (
        buyers.select("customer_id", "first_order_on", "channel_key").sort("first_order_on", "customer_id").with_row_index("row")
    )
    has_channels = base["channel_key"].count() > 0
    records: dict[int, dict[str, Any]] = {}
    parts: list[pl.DataFrame] = []
    # lines of one channel never overlap, so in each pass a customer meets one line of acquisition at most
    for (channel,), lines in costs.group_by(["channel_key"], maintain_order=True):
        members = base if channel is None or not has_channels else base.filter(pl.col("channel_key") == channel)
        parts += [_acquisition(members, lines), _retention(members, lines, as_of)]
        records |= dict(_told(members, lines, base, as_of))
    summed = pl.concat(parts).group_by("row").agg(
        pl.when(pl.col(kind).count() > 0).then(pl.col(kind).sum()).alias(kind) for kind in KINDS
    )  # fmt: skip
    stated, day = costs.filter(pl.col("acquisition").is_not_null()), pl.col("first_order_on")
    why = (
        pl.when(pl.col("acquisition").is_null() & (day < pl.lit(stated["start"].min(), pl.Date)))
        .then(pl.lit("before_costs"))
        .when(pl.col("acquisition").is_null() & (day > pl.lit(stated["end"].max(), pl.Date)))
        .then(pl.lit("after_costs"))
        .when(pl.col("acquisition").is_null())
        .then(pl.lit("not_stated"))
    )
    found = base.join(summed, on="row", how="left", maintain_order="left").select(
        "customer_id", _money("acquisition").alias("cac"), _money("retention").alias("retention_cost"), why.alias(WHY)
    )
    return Shares(found, [records[line] for line in sorted(records)])


def _money(units: str) -> pl.Expr:
    return (pl.col(units).cast(MONEY) * pl.lit(_UNIT, MONEY)).cast(MONEY)


def _units(kind: str) -> pl.Expr:
    return (pl.col(kind) * _UNITS).cast(pl.Int64)


def _acquisition(members: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Each member's share of the one line whose period holds their first order, in units; null without such a line."""
    stated = lines.filter(pl.col("acquisition").is_not_null())
    spans = stated.select("line", "start", "end", _units("acquisition").alias("units")).sort("start")
    met = members.select("row", "first_order_on").join_asof(
        spans, left_on="first_order_on", right_on="start", strategy="backward"
    )
    met = met.filter(pl.col("first_order_on") <= pl.col("end"))
    place, several = pl.int_range(pl.len()).over("line"), pl.len().over("line").cast(pl.Int64)
    share = pl.col("units") // several + (place < pl.col("units") % several).cast(pl.Int64)
    return met.select("row", share.alias("acquisition"), pl.lit(None, pl.Int64).alias("retention"))


def _retention(members: pl.DataFrame, lines: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Each member's share of all lines up to whose end they were known, in units.

    Members stand in the order of their first orders, so those who share a line are the first n of them: a running sum over
    where the shares end, whatever the number of lines.
    """
    stated = lines.filter(pl.col("retention").is_not_null() & (pl.col("start") <= as_of))
    known = stated.select(_units("retention").alias("units"), _known(members, stated).alias("n")).filter(pl.col("n") > 0)
    ends = [known.select(place=pl.col("n"), units=pl.col("units") // pl.col("n"), lines=pl.lit(1, pl.Int64))]
    # the first r of them bear a ten-thousandth more
    ends.append(known.select(place=pl.col("units") % pl.col("n"), units=pl.lit(1, pl.Int64), lines=pl.lit(0, pl.Int64)))
    steps = pl.concat(ends).group_by("place").agg(pl.col("units", "lines").sum()).filter(pl.col("place") > 0)
    placed = members.select("row", place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)).join(
        steps, on="place", how="left", maintain_order="left"
    )
    # a member at place p bears every line that ends at p or later
    units, count = (pl.col(name).fill_null(0).cum_sum(reverse=True) for name in ("units", "lines"))
    shared = pl.when(count > 0).then(units)
    return placed.select("row", pl.lit(None, pl.Int64).alias("acquisition"), shared.alias("retention"))


def _known(members: pl.DataFrame, lines: pl.DataFrame) -> pl.Series:
    """How many members are known by the end of each line's period."""
    return members["first_order_on"].search_sorted(lines["end"], side="right").cast(pl.Int64)


def _told(members: pl.DataFrame, lines: pl.DataFrame, base: pl.DataFrame, as_of: date) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line as the metrics tell it: who shares it and what became of it."""
    first = base["first_order_on"].min()
    known = _known(members, lines).to_list()
    before = members["first_order_on"].search_sorted(lines["start"], side="left").to_list()
    for line, reached, earlier in zip(lines.iter_rows(named=True), known, before, strict=True):
        counts = {"acquisition": reached - earlier, "retention": reached if line["start"] <= as_of else 0}
        told = {key: line[key] for key in ("line", "period", "start", "end", "channel", *KINDS)}
        for kind in KINDS:
            status = SHARED if counts[kind] else _left(kind, line, first, members.is_empty(), as_of)
            stated = line[kind] is not None
            told |= {f"{kind}_customers": counts[kind] if stated else None, f"{kind}_status": status if stated else None}
        yield line["line"], told


def _left(kind: str, line: dict[str, Any], first: Any, unknown: bool, as_of: date) -> str:
    if first is None:
        return "no_customers"
    if line["end"] < first:
        return "before_log"
    if line["start"] > as_of:
        return "after_as_of"
    if unknown:
        return "unknown_channel"
    return "no_new_customers" if kind == "acquisition" else "nobody_yet"
