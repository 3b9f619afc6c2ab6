"""What is said about costs: notices with codes, a table for the terminal, the end of the closing line.

It may not compute a number: `returns` does, and what stands here repeats it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
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


_COHORTS = 12
_WIDTH, _LEAST = 78, 12
_HEAD = ("", "buyers", "spent", "cac", "earned", "clv", "clv/cac", "roi", "paid back")
_KEY = (
    "spent: acquisition + retention, of customers with a cac; cac: acquisition each",
    "earned: margin so far; clv: margin expected in the horizon, the future alone",
    "roi: (earned + clv − spent) ÷ spent; paid back: month of life, 0 the first, in",
    "which the mean margin reaches the mean cac; – not yet, ? cannot be known",
)


def lines(metrics: dict[str, Any]) -> list[str]:
    """`metrics.costs` as a table with its definitions, 78 columns wide at most, since notes are indented.

    Groups in which nobody has a cac, and cohorts before the latest, are counted only.
    """
    known = [row for row in metrics["groups"] if row["with_cac"]]
    cohorts = [row for row in known if row["by"] == "cohort"]
    shown = [row for row in known if row not in cohorts[:-_COHORTS]]
    cells = [_HEAD, _cells(metrics["total"])]
    for at, row in enumerate(shown):
        if not at or shown[at - 1]["by"] != row["by"]:
            cells.append((f"by {row['by']}", *[""] * (len(_HEAD) - 1)))
        cells.append(_cells(row))
    widths = [max(len(row[place]) for row in cells) for place in range(len(_HEAD))]
    widths[0] = max(_LEAST, min(widths[0], _WIDTH - sum(widths[1:]) - len(_HEAD) + 1))
    told = []
    for name, *rest in cells:
        right = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        told.append(" ".join([name[: widths[0]].ljust(widths[0]), *right]).rstrip())
    hidden = len(metrics["groups"]) - len(shown)
    more = [f"{counted(hidden, 'more group')} in --json: earlier cohorts, or nobody with a cac"] if hidden else []
    return [*told, *more, *_KEY]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    name = "all" if row["by"] == "all" else f"  {row['group'] if row['group'] is not None else '(none)'}"
    spent, earned = (Decimal(row[name]) if row[name] is not None else None for name in ("cost", "margin_to_date"))
    month, reason = row.get("payback_month"), row.get("payback_reason")
    back = str(month) if month is not None else "–" if reason == "not_yet" else "?" if reason else ""
    money = (_whole(spent), _each(row["cac"]), _whole(earned), _whole(row["clv"]))
    return (name, f"{row['with_cac']:,}", *money, _two(row["ltv_cac"]), _percent(row["roi"]), back)


def _whole(value: Any) -> str:
    return "?" if value is None else f"{value:,.0f}"


def _each(value: Any) -> str:
    """Money of one customer: cents below 1,000."""
    return _whole(value) if value is not None and value >= 1000 else _two(value)


def _two(value: Any) -> str:
    return "?" if value is None else f"{value:,.2f}"


def _percent(value: Any) -> str:
    return "?" if value is None else f"{value:,.0%}"
