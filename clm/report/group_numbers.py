"""Numbers about how spend is spread: concentration, classes A, B and C, and the portfolio of segments, value now by growth.

It may not read files or words; it adds rows to the sheet it is given, the same whatever the order of the customers.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from clm.report.concentration import Curve, curve
from clm.report.numbers import Sheet
from clm.tables import NO_PURCHASE

LORENZ = tuple(percent / 100 for percent in (*range(0, 100, 5), 97, 98, 99, 100))  # the last steps are the steep ones
# fields of the portfolio by (value at or above the mean buyer's, growth at or above 0)
FIELDS = {(True, True): "star", (True, False): "earner", (False, True): "riser", (False, False): "fader"}
_RECENT, _YEAR = 90, 365  # days of the two windows CUSTOMERS knows


def add(sheet: Sheet, buyers: pl.DataFrame) -> None:
    """Concentration where somebody spent something; the portfolio where spend by window is known."""
    found = curve(buyers["spend"])
    if found is not None:
        _concentration(sheet, found)
    if {"segment", "spend_90d", "spend_365d"} <= set(buyers.columns) and buyers["spend_365d"].count():
        _portfolio(sheet, buyers)


def _concentration(sheet: Sheet, found: Curve) -> None:
    n = found.customers
    fewest, fifth = found.fewest(80), -(-n // 5)
    sheet.add("concentration", "four_fifths", fewest / n, n=fewest)
    sheet.add("concentration", "top_fifth", found.top_share(fifth), n=fifth)
    sheet.add("concentration", "gini", found.gini(), n=n)
    sheet.add("concentration", "negative", found.negative, n=found.negative)
    for part in LORENZ:
        group = f"poorest_{round(part * 100):03d}"
        sheet.add("concentration", "lorenz", found.lorenz(part), group=group, n=int(part * n + 1e-9))
    for one in found.classes():
        sheet.add("concentration", "abc_customers", one.customers, group=one.name, n=one.customers)
        sheet.add("concentration", "abc_customer_share", one.customers / n, group=one.name, n=one.customers)
        sheet.add("concentration", "abc_revenue_share", one.share, group=one.name, n=one.customers)
        sheet.add("concentration", "abc_least", one.least, group=one.name, n=one.customers)


def _portfolio(sheet: Sheet, buyers: pl.DataFrame) -> None:
    """Each segment: what a member spent in the last year against all buyers, and the pace of 90 days against that before."""
    earlier = _earlier_days(buyers)
    sums = buyers.filter(pl.col("segment") != NO_PURCHASE).group_by("segment").agg(
        pl.len().alias("n"), pl.col("spend_365d", "spend_90d").sum()
    )  # fmt: skip
    rows = sorted(sums.iter_rows(named=True), key=lambda row: (-row["spend_365d"], row["segment"]))
    members, whole = sum(row["n"] for row in rows), sum((row["spend_365d"] for row in rows), Decimal(0))
    for row in rows:
        n, code = row["n"], row["segment"]
        value = float(row["spend_365d"] * members / (whole * n)) if whole > 0 else None
        growth = _growth(row, earlier)
        sheet.add("portfolio", "revenue", row["spend_365d"], group=code, period=f"{_YEAR}d", n=n)
        sheet.add("portfolio", "value", value, group=code, period=f"{_YEAR}d", n=n)
        sheet.add("portfolio", "growth", growth, group=code, period=f"{_RECENT}d", n=n)
        if value is not None and earlier:
            # where nothing was spent nothing grows
            field = FIELDS[value >= 1, growth is not None and growth >= 0]
            sheet.add("portfolio", "field", 1, group=f"{field}.{code}", n=n)


def _earlier_days(buyers: pl.DataFrame) -> int:
    """Days of the last year before the last 90 that the log covers; 0 when these are less than 90, too few to compare."""
    first, day = buyers["first_order_on"].min(), buyers["as_of"].max()
    covered = (day - first).days + 1 if isinstance(first, date) and isinstance(day, date) else 0
    earlier = min(covered, _YEAR) - _RECENT
    return earlier if earlier >= _RECENT else 0


def _growth(row: dict[str, Any], earlier: int) -> float | None:
    """(a − b) ÷ (a + b) of the daily pace of the last 90 days (a) and of the days before (b); null when nothing was spent.

    A stretch in which more came back than was bought brought nothing: who is new with a refund before is still new.
    """
    if not earlier:
        return None
    recent = max(row["spend_90d"] * earlier, Decimal(0))
    before = max((row["spend_365d"] - row["spend_90d"]) * _RECENT, Decimal(0))
    return float((recent - before) / (recent + before)) if recent + before > 0 else None
