"""The table of `clm clv --costs` in the terminal: who cost what, what came back, and what the columns mean.

It may not compute: the numbers are those of `metrics.costs`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from clm.outcome import counted
from clm.report import wrap

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
    widths = [max(wrap.cells(row[place]) for row in cells) for place in range(len(_HEAD))]
    widths[0] = max(_LEAST, min(widths[0], _WIDTH - sum(widths[1:]) - len(_HEAD) + 1))
    told = []
    for name, *rest in cells:
        right = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        told.append(" ".join([_fitted(name, widths[0]), *right]).rstrip())
    hidden = len(metrics["groups"]) - len(shown)
    more = [f"{counted(hidden, 'more group')} in --json: earlier cohorts, or nobody with a cac"] if hidden else []
    return [*told, *more, *_KEY]


def _fitted(name: str, width: int) -> str:
    """The name cut or filled to this width; a Chinese sign is two wide."""
    while wrap.cells(name) > width:
        name = name[:-1]
    return name + " " * (width - wrap.cells(name))


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
