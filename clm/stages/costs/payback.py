"""Payback: in which month of their life customers have earned back what winning them cost.

It may not count a month that is not over, or compare customers who had a year with those who had a week: month k is averaged
over those who have lived it to its end (Nelson's mean cumulative function, Nelson 1988, without the running month).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from clm.stages.costs.margins import Margin

NOT_YET, NO_ORDERS, NO_FULL_MONTH, NO_CAC, NO_AMOUNTS = "not_yet", "no_orders", "no_full_month", "no_cac", "no_amounts"
_MONEY = pl.Decimal(38, 4)


@dataclass(frozen=True)
class Payback:
    """`month`: 0 is the calendar month of the first order; None when not yet, with `missing` money a customer, or not known."""

    month: int | None
    missing: Decimal | None
    months: int
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        return {
            "payback_month": self.month,
            "payback_missing": float(self.missing) if self.missing is not None else None,
            "payback_months_seen": self.months,
            "payback_reason": self.reason,
        }


@dataclass(frozen=True)
class Lives:
    """Margin by cohort (month number of the first order), channel and month of life, beside who came and what they cost."""

    came: dict[tuple[int, str | None], tuple[int, Decimal]]
    earned: dict[tuple[int, str | None], dict[int, Decimal]]
    last: int

    def of(self, cohort: int | None = None, channel: str | None = None, *, by_channel: bool = False) -> Payback:
        """The payback of a cohort, of a channel (None for unknown), or of all."""
        chosen = [
            key for key in self.came if (cohort is None or key[0] == cohort) and (not by_channel or key[1] == channel)
        ]  # fmt: skip
        people = sum(self.came[key][0] for key in chosen)
        if not people:
            return Payback(None, None, 0, NO_CAC)
        cac = Fraction(sum((self.came[key][1] for key in chosen), Decimal(0))) / people
        total, month = Fraction(0), -1
        for month, gained in enumerate(self._months(chosen)):
            total += gained
            if total >= cac:
                return Payback(month, None, month + 1, None)
        if month < 0:
            return Payback(None, None, 0, NO_FULL_MONTH)
        missing = cac - total
        return Payback(None, Decimal(missing.numerator) / Decimal(missing.denominator), month + 1, NOT_YET)

    def _months(self, chosen: list[tuple[int, str | None]]) -> Iterator[Fraction]:
        """Mean margin of each month of life, of those who have lived it to its end, as long as there are any."""
        month = 0
        while lived := [key for key in chosen if key[0] + month <= self.last]:
            gained = sum((self.earned.get(key, {}).get(month, Decimal(0)) for key in lived), Decimal(0))
            yield Fraction(gained) / sum(self.came[key][0] for key in lived)
            month += 1


def month_number(day: pl.Expr) -> pl.Expr:
    """Months since the year 0, so that differences count calendar months."""
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1


def lives(counted: pl.DataFrame, orders: pl.LazyFrame, as_of: date, margin: Margin) -> Lives:
    """The months of life of customers with a cac: `customer_id`, `first_order_on`, `channel`, `cac`, `cost_known`.

    A return before the first sale counts in month 0. Where costs decide, a customer without any has the base's share.
    """
    born = counted.select("customer_id", month_number(pl.col("first_order_on")).alias("born"), "channel", "cost_known")
    goods = pl.col("cost") if margin.by_cost and "cost" in orders.collect_schema() else pl.lit(None, _MONEY).alias("cost")
    day = pl.col("ordered_at").dt.date()
    lines = orders.filter(day <= as_of).select("customer_id", "amount", goods, month_number(day).alias("month"))
    sums = (
        lines.join(born.lazy(), on="customer_id")
        .with_columns((pl.col("month") - pl.col("born")).clip(lower_bound=0).alias("month"))
        .group_by("born", "channel", "month", "cost_known")
        .agg(pl.col("amount", "cost").cast(_MONEY).sum())
        .with_columns(pl.when(pl.col("cost_known")).then(pl.col("cost")).alias("cost"))
        .select("born", "channel", "month", margin.earned("amount").alias("earned"))
        .collect(engine="streaming")
    )
    earned: dict[tuple[int, str | None], dict[int, Decimal]] = {}
    for cohort, channel, month, money in sums.iter_rows():
        months = earned.setdefault((cohort, channel), {})
        months[month] = months.get(month, Decimal(0)) + money
    came = {
        (cohort, channel): (number, cost)
        for cohort, channel, number, cost in counted.group_by(month_number(pl.col("first_order_on")).alias("born"), "channel")
        .agg(pl.len(), pl.col("cac").sum())
        .iter_rows()
    }
    return Lives(came, earned, _last_full(as_of))


def _last_full(as_of: date) -> int:
    """Number of the last month that is over: that of as_of when it is the month's last day."""
    after = as_of + timedelta(days=1)
    return after.year * 12 + after.month - 2
