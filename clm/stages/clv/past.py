"""The log as the models of `clv` see it: the buyers of a day as arrays, past windows to be tested in, the gaps between orders.

It may not look past `as_of` or fit anything; frames become arrays here and nowhere else in `clv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from clm.models import backtest
from clm.models.appraisal import Recent
from clm.models.backtest import Window
from clm.models.btyd import MIN_REPEAT_CUSTOMERS
from clm.models.buyers import Buyers
from clm.models.rhythm import Rhythm, rhythm
from clm.stages import snapshot
from clm.tables import SALE


@dataclass(frozen=True)
class Base:
    """The buyers that are fitted and forecast, sorted by customer, as rows and as arrays; `first` is their earliest day."""

    frame: pl.DataFrame
    buyers: Buyers
    as_of: date
    first: date

    @staticmethod
    def of(customers: pl.DataFrame, as_of: date) -> Base | None:
        """The customers with a sale; None when there is none."""
        bought = customers.filter(pl.col("orders") > 0).sort("customer_id")
        return Base(bought, buyers(bought), as_of, bought["first_order_on"].min()) if bought.height else None  # type: ignore[arg-type]

    @property
    def log_days(self) -> int:
        return (self.as_of - self.first).days


def buyers(bought: pl.DataFrame, *, money: bool | None = None) -> Buyers:
    """Customers with a sale as arrays; `money` says whether the log has amounts (by default: whether these rows have)."""
    if money is None:
        money = bought["spend"].null_count() < bought.height
    gaps = bought["log_gap_sum"] if "log_gap_sum" in bought.columns else pl.Series([None])
    x, active, age = (floats(bought[name]) for name in ("repeat_days", "active_days", "age_days"))
    spend, repeat_spend = (floats(bought[name]) if money else None for name in ("spend", "repeat_spend"))
    return Buyers(x, active, age, spend, repeat_spend, None if gaps.null_count() else floats(gaps))


def rhythm_of(orders: pl.LazyFrame, as_of: date) -> Rhythm:
    """What the gaps of the log up to the day say."""
    histogram = snapshot.gap_counts(orders, as_of)
    return rhythm(histogram["gap_days"].to_numpy(), histogram["gaps"].to_numpy())


def windows(base: Base, orders: pl.LazyFrame, days: int) -> list[Window]:
    """The past windows of this length, latest first: as_of − h, − 2h, … while h and 100 repeat buyers remain before them."""
    if base.buyers.repeat_buyers < MIN_REPEAT_CUSTOMERS:
        return []
    found: list[Window] = []
    later, here = base.frame, _bought(orders, base.as_of - timedelta(days=days))
    for number in range(1, backtest.MOST_ORIGINS + 1):
        on = base.as_of - timedelta(days=number * days)
        if (on - base.first).days < days or here.filter(pl.col("repeat_days") > 0).height < MIN_REPEAT_CUSTOMERS:
            break
        earlier = _bought(orders, on - timedelta(days=days))
        found.append(
            Window(
                origin=on.isoformat(),
                horizon_days=days,
                buyers=buyers(here, money=base.buyers.spend is not None),
                recent_orders=_gained(here, earlier, here, "order_days"),
                earlier_recency=floats(earlier["recency_days"]),
                earlier_returned=_gained(earlier, earlier, here, "order_days") > 0,
                orders=_gained(here, here, later, "order_days"),
                spend=_gained(here, here, later, "spend") if base.buyers.spend is not None else None,
                weekly=_weekly(here, orders, on, days),
            )
        )
        later, here = here, earlier
    return found


def recent(base: Base, orders: pl.LazyFrame, days: int) -> Recent:
    """The last days of the base, for the forecasts that are made of them."""
    earlier = _bought(orders, base.as_of - timedelta(days=days))
    return Recent(
        orders=_gained(base.frame, earlier, base.frame, "order_days"),
        days=days,
        earlier_recency=floats(earlier["recency_days"]),
        earlier_returned=_gained(earlier, earlier, base.frame, "order_days") > 0,
    )


def _bought(orders: pl.LazyFrame, on: date) -> pl.DataFrame:
    return snapshot.take(orders, on).filter(pl.col("orders") > 0)


def _gained(rows: pl.DataFrame, start: pl.DataFrame, end: pl.DataFrame, column: str) -> Any:
    """What each customer of `rows` added to a running total between two snapshots; returns make money go down."""
    joined = rows.select("customer_id")
    for name, frame in (("start", start), ("end", end)):
        told = frame.select("customer_id", pl.col(column).alias(name))
        joined = joined.join(told, on="customer_id", how="left", maintain_order="left")
    return floats(joined.select(pl.col("end").fill_null(0) - pl.col("start").fill_null(0)).to_series())


def _weekly(known: pl.DataFrame, orders: pl.LazyFrame, origin: date, days: int) -> tuple[float, ...]:
    """Order days of the customers known at the origin, up to the end of each week after it."""
    day = pl.col("ordered_at").dt.date()
    after = (day - pl.lit(origin)).dt.total_days().alias("after")
    made = (
        orders.filter(pl.col("kind") == SALE, day > origin, day <= origin + timedelta(days=days))
        .select("customer_id", after)
        .unique()
        .join(known.lazy().select("customer_id"), on="customer_id", how="semi")
        .group_by("after")
        .len()
        .collect(engine="streaming")
    )
    return tuple(float(made.filter(pl.col("after") <= end)["len"].sum()) for end in backtest.week_ends(days))


def floats(values: pl.Series) -> Any:
    """A float array; null becomes NaN, which the models take for unknown."""
    return values.cast(pl.Float64).to_numpy()
