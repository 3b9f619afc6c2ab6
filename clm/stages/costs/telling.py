"""What is said about costs: notices with codes, the end of the closing line.

It may not compute a number: `returns` does, and what stands here repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from clm.outcome import Notice, counted
from clm.stages.costs.shares import KINDS, LEFT, SHARED, WHY, WITHOUT, Shares

_REASONS = {
    "no_customers": "while nobody bought",
    "before_log": "in periods before the log begins",
    "after_as_of": "in periods after as_of",
    "unknown_channel": "for channels nobody came through",
    "no_new_customers": "in periods in which nobody came",
    "nobody_yet": "in periods in which nobody was known yet",
    "before_costs": "came before the costs begin",
    "after_costs": "came after the costs end",
    "not_stated": "came in a period or through a channel the costs do not name",
}
_SHOWN = 5


@dataclass(frozen=True)
class About:
    """What there is to say something about: the shares, every buyer with what they cost, the file's lines."""

    found: Shares
    base: pl.DataFrame
    costs: pl.DataFrame
    as_of: date
    has_channels: bool


def notices(about: About) -> Iterator[Notice]:
    """What the reader must know: money that is nobody's, buyers without a cac, periods that are not over."""
    costs, without = about.costs, about.base.filter(pl.col("cac").is_null())
    for kind in KINDS:
        account = about.found.account(kind)
        left = account["in"] - account[SHARED]
        if left:
            why = _listed(f"{account[code]:,.2f} {_REASONS[code]}" for code in LEFT if code in account)
            yield Notice("costs_left", f"{left:,.2f} of {account['in']:,.2f} {kind} spend is nobody's: {why}")
    unknown = sorted({line["channel"] for line in about.found.lines if "unknown_channel" in line.values()})
    if unknown:
        yield Notice("costs_channels", f"the costs name channels nobody came through: {_listed(unknown)}")
    if not about.has_channels and costs["channel"].count():
        yield Notice(
            "costs_no_channels",
            "the table does not know through which channel customers came: every line is shared by all (map channel= when "
            "cleaning, and keep `clm rfm --columns all`)",
        )
    if without.height and about.base.height:
        reasons = dict(without[WHY].value_counts().iter_rows())
        why = _listed(f"{reasons[code]:,} {_REASONS[code]}" for code in WITHOUT if code in reasons)
        yield Notice(
            "no_cac",
            f"{counted(without.height, 'buyer')} of {about.base.height:,} without a cac (null, not 0): {why}",
        )
    running = costs.filter((pl.col("start") <= about.as_of) & (pl.col("end") > about.as_of))
    if running.height:
        names = _listed(running["period"].unique().sort().to_list())
        yield Notice(
            "costs_running", f"{names} is not over on {about.as_of}: its spend is shared by those who came or were known by then"
        )


def _listed(names: Iterable[str]) -> str:
    told = list(names)
    return ", ".join(told[:_SHOWN]) + (", …" if len(told) > _SHOWN else "")


def closing(total: dict[str, Any]) -> str:
    """The end of the closing line."""
    if not total["with_cac"]:
        return "no cac for any of them"
    ratio = f", clv {total['ltv_cac']:.2f} times that" if total["ltv_cac"] is not None else ""
    return f"cac {total['cac']:,.2f} over {counted(total['with_cac'], 'customer')}{ratio}"
