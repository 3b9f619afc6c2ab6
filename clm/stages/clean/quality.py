"""The quality of what was read, in numbers: how full the columns are, which days they cover, what is flagged, what was left out.

It may not judge: it counts what `settle` keeps, in one pass, and both sides of the accounting come from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from clm.outcome import Notice, counted, money_text
from clm.stages.clean import flags
from clm.stages.clean.accounting import Account, Sum, by_group
from clm.tables import SALE

_SAID = 4


@dataclass(frozen=True)
class Kept:
    """Rows and money of what is kept, by kind and by flag; empty cells by column; first and last moment."""

    by_kind: pl.DataFrame
    by_flag: dict[str, Sum]
    flagged: int
    rows: int
    empty: dict[str, int]
    first: datetime | None
    last: datetime | None


def count(kept: pl.LazyFrame, codes: tuple[str, ...]) -> Kept:
    """One streaming pass over the kept rows, which have the columns of TRANSACTIONS."""
    columns = [name for name in kept.collect_schema().names() if name not in ("flags", "kind")]
    sums = by_group(kept, ["kind", "flags"], (pl.col("kind") == SALE) & pl.col("flags").is_null())
    cells = kept.select(
        pl.col("ordered_at").min().alias("clm:first"),
        pl.col("ordered_at").max().alias("clm:last"),
        *(pl.col(name).null_count().alias(f"clm:empty:{name}") for name in columns),
    )
    table, found = pl.collect_all([sums, cells], engine="streaming")
    table, told = table.sort("kind", "flags", nulls_last=True), found.row(0, named=True)
    flagged = table.filter(pl.col("flags").is_not_null())
    return Kept(
        table.group_by("kind", maintain_order=True).agg(pl.col("rows").sum(), pl.col("amount").sum()),
        flags.tally(flagged, codes),
        int(flagged["rows"].sum()),
        int(table["rows"].sum()),
        {name: told[f"clm:empty:{name}"] for name in columns},
        told["clm:first"],
        told["clm:last"],
    )


def metrics(kept: Kept, account: Account, known_money: bool) -> dict[str, Any]:
    """`metrics.quality`: shares are of the rows kept, or of rows and money that came in."""
    rows = max(kept.rows, 1)
    everything = account.total
    gone = {**account.rejected, **account.collapsed}
    found: dict[str, Any] = {
        "completeness": {name: round(1 - empty / rows, 6) for name, empty in kept.empty.items()},
        "flags": {code: _told(one, known_money) for code, one in kept.by_flag.items()},
        "flagged_rows": kept.flagged,
        "left_out": {
            code: {"rows": one.rows, "row_share": _share(one.rows, everything.rows)}
            | ({"amount_share": _share(one.money, everything.money)} if known_money else {})
            for code, one in gone.items()
        },
    }
    if kept.first is not None and kept.last is not None:
        found["first_day"], found["last_day"] = kept.first.date().isoformat(), kept.last.date().isoformat()
    return found


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


def _told(one: Sum, known_money: bool) -> dict[str, Any]:
    return {"rows": one.rows} | ({"amount": money_text(one.money)} if known_money else {})


def _share(part: int | Decimal, whole: int | Decimal) -> float | None:
    """A share rounded to a millionth; None of nothing, and of money that cancels out."""
    return round(float(part / whole), 6) if whole else None
