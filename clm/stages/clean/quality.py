"""The quality of what was read, in numbers: how full the columns are, which days they cover, what is flagged, what was left out.

It may not judge: it counts what `settle` keeps, and both sides of the accounting come from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl

from clm.outcome import Notice, counted, money_text
from clm.stages.clean import flags
from clm.stages.clean.accounting import Account, Sum, by_group
from clm.tables import SALE

_SAID = 4
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Kept:
    """Rows and money of what is kept, by kind and by flag; empty cells by column; the days that have rows, in order."""

    by_kind: pl.DataFrame
    by_flag: dict[str, Sum]
    flagged: int
    rows: int
    empty: dict[str, int]
    days: list[date]

    @property
    def total(self) -> Sum:
        return sum((Sum(rows, money or Decimal(0)) for _, rows, money in self.by_kind.iter_rows()), Sum())


def count(kept: pl.LazyFrame, codes: tuple[str, ...], before: pl.LazyFrame) -> Kept:
    """Counts of the kept rows, which have the columns of TRANSACTIONS; `before` are the same without their flags."""
    columns = [name for name in kept.collect_schema().names() if name not in ("flags", "kind")]
    sums = by_group(kept, ["kind", "flags"], (pl.col("kind") == SALE) & pl.col("flags").is_null())
    cells = kept.select(pl.col(name).null_count().alias(name) for name in columns)
    table, empty = pl.collect_all([sums, cells], engine="streaming")
    table = table.sort("kind", "flags", nulls_last=True)
    days = before.select(day=pl.col("ordered_at").dt.date()).unique().collect(engine="streaming")
    flagged = table.filter(pl.col("flags").is_not_null())
    return Kept(
        table.group_by("kind", maintain_order=True).agg(pl.col("rows").sum(), pl.col("amount").sum()),
        flags.tally(flagged, codes),
        int(flagged["rows"].sum()),
        int(table["rows"].sum()),
        empty.row(0, named=True),
        days["day"].sort().to_list(),
    )


def metrics(kept: Kept, account: Account, known_money: bool) -> dict[str, Any]:
    """`metrics.quality`: completeness and flags as shares of what is kept, what is left out as shares of what came in."""
    rows = max(kept.rows, 1)
    gone = {**account.rejected, **account.collapsed}
    found: dict[str, Any] = {
        "completeness": {name: round(1 - empty / rows, 6) for name, empty in kept.empty.items()},
        "flags": {code: _told(one, kept.total, known_money) for code, one in kept.by_flag.items()},
        "flagged_rows": kept.flagged,
        "left_out": {code: _told(one, account.total, known_money) for code, one in gone.items()},
    }
    return found | _coverage(kept.days)


def _coverage(days: list[date]) -> dict[str, Any]:
    """First and last day, how many in between have no rows, and the longest stretch of those (the first of equal ones)."""
    if not days:
        return {}
    found = {
        "first_day": days[0].isoformat(),
        "last_day": days[-1].isoformat(),
        "days_with_rows": len(days),
        "days_without_rows": (days[-1] - days[0]).days + 1 - len(days),
    }
    gaps = [(after - before - _DAY, before + _DAY, after - _DAY) for before, after in pairwise(days) if after - before > _DAY]
    if not gaps:
        return found | {"longest_gap": {"days": 0}}
    length, first, last = max(gaps, key=lambda gap: gap[0])
    return found | {"longest_gap": {"days": length.days, "first_day": first.isoformat(), "last_day": last.isoformat()}}


def notices(kept: Kept) -> list[Notice]:
    """What was flagged, the commonest first. Repeated rows have a notice of their own, for there is something to decide."""
    found: list[Notice] = []
    if "duplicate" in kept.by_flag:
        again = counted(kept.by_flag["duplicate"].rows, "row repeats", "rows repeat")
        found.append(
            Notice(
                "duplicates_flagged",
                f"{again} an earlier one in every column: kept and flagged (--duplicates drop leaves them out).",
            )
        )
    others = {code: one.rows for code, one in kept.by_flag.items() if code != "duplicate"}
    if others:
        listed = sorted(others.items(), key=lambda pair: -pair[1])
        told = ", ".join(f"{number:,} {code}" for code, number in listed[:_SAID])
        more = f" and {len(listed) - _SAID} more" if len(listed) > _SAID else ""
        found.append(Notice("rows_flagged", f"somebody should look at some rows: {told}{more} (column flags)."))
    return found


def _told(one: Sum, whole: Sum, known_money: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"rows": one.rows, "row_share": _share(one.rows, whole.rows)}
    return told | ({"amount": money_text(one.money), "amount_share": _share(one.money, whole.money)} if known_money else {})


def _share(part: int | Decimal, whole: int | Decimal) -> float | None:
    """A share rounded to a millionth; None of nothing, and of money that cancels out."""
    return round(float(part / whole), 6) if whole else None
