"""How long customers stay: Kaplan-Meier over the base, by cohort, segment and first channel, as metrics beside the churn table.

It may not call a life ended before its silence was as long as the churn horizon H, or alive where nobody can know yet: everybody
is observed until `as_of` - H, no longer. A customer of a shop does not cancel, so the end is a definition:

    A life begins on the first order day and ends on the first order day that no order follows within H days.

The same H is waited for everybody, whenever they came, so older cohorts have no more time to come back than younger ones, and a
life once counted as ended stays so as the log grows: a later order is a return, not the same life. The two easier readings are
biased. "Alive until `as_of` unless silent for H" counts everybody who left in the last H days as present. "Left when silent for
H until `as_of`" gives old cohorts years to return and young ones H days, so that the young seem to leave more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from clm.models.survival import Curve, kaplan_meier
from clm.outcome import Outcome, counted
from clm.stages import snapshot

LEAST_CUSTOMERS = 30  # in a group; smaller ones are told together when they are as many
MOST_GROUPS = 20  # of a kind other than months; the smaller ones are told together
OTHER = "(other)"
MONTHS = (1, 3, 6, 12)
_LONGEST_CURVE = 60  # months
_GROUPS = {"cohort": "cohort", "segment": "segment", "channel": "first_channel"}
_GROUPED_BY = {
    "cohort": "month of the first order",
    "segment": "segment as of today, which silence itself decides: what became of them, not why",
    "channel": "channel of the first order",
}


def with_survival(found: Outcome, orders: pl.LazyFrame | None) -> Outcome:
    """The outcome of `churn` with `metrics.survival`; None in it where there is no log, no horizon or no customer.

    Only customers of INPUT are told, by the columns they have: segment as of today, channel of the first order.
    """
    horizon_days = found.metrics["horizon_days"]
    if orders is None or found.as_of is None or horizon_days is None:
        return replace(found, metrics=found.metrics | {"survival": None})
    seen = lives(found.frame.lazy().collect(), orders, found.as_of, horizon_days)
    return replace(found, metrics=found.metrics | {"survival": _told(seen, found.as_of, horizon_days)})


def lives(customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date, horizon_days: int) -> pl.DataFrame:
    """Customers with a sale, with `life_days` and `ended`: null for those first seen after `as_of` - H, not observed yet.

    Only what groups them comes along: a table may carry a column by any name.
    """
    until = pl.lit(as_of - timedelta(days=horizon_days), pl.Date)
    silences = snapshot.first_silences(orders, as_of, horizon_days)
    end = pl.coalesce("on", "last_order_on")
    ended, begun = end <= until, pl.col("first_order_on")
    needed = ("customer_id", "orders", "first_order_on", "last_order_on", *_GROUPS.values())
    return (
        customers.filter(pl.col("orders") > 0)
        .select(name for name in needed if name in customers.columns)
        .join(silences, on="customer_id", how="left", maintain_order="left")
        .with_columns(
            pl.when(begun <= until).then((pl.when(ended).then(end).otherwise(until) - begun).dt.total_days()).alias("life_days"),
            pl.when(begun <= until).then(ended).alias("ended"),
            begun.dt.strftime("%Y-%m").alias("cohort"),
        )
        .drop("on")
    )


def _told(seen: pl.DataFrame, as_of: date, horizon_days: int) -> dict[str, Any]:
    observed = seen.drop_nulls("life_days")
    until = as_of - timedelta(days=horizon_days)
    whole = _curve(observed)
    kinds = {kind: of for kind, of in _GROUPS.items() if of in observed.columns and observed[of].null_count() < observed.height}
    groups, small = [], {}
    unknown = {kind: nulls for kind, column in kinds.items() if (nulls := observed[column].null_count())}
    for kind, column in kinds.items():
        named, rest = _named(observed, kind, column)
        groups += [_group(kind, code, _curve(members)) for code, members in named]
        if rest.height:
            small[kind] = {"groups": rest[column].n_unique(), "customers": rest.height, "told": rest.height >= LEAST_CUSTOMERS}
            groups += [_group(kind, OTHER, _curve(rest))] if rest.height >= LEAST_CUSTOMERS else []
    return {
        "definition": (
            "a life begins on the first order day and ends on the first order day that no order follows within "
            f"{counted(horizon_days, 'day')}; a later order is a return, not the same life"
        ),
        "horizon_days": horizon_days,
        "observed_until": until.isoformat(),
        "too_new": seen.height - observed.height,
        "all": _group("all", None, whole) | {"curve": list(_monthly(whole))} if whole.customers else None,
        "grouped_by": {kind: _GROUPED_BY[kind] for kind in kinds},
        "groups": groups,
        "small": small,
        "unknown": unknown,
    }


def _named(observed: pl.DataFrame, kind: str, column: str) -> tuple[list[tuple[str, pl.DataFrame]], pl.DataFrame]:
    """The groups of a kind with their members, months in order and others by size; and the members of the groups too small."""
    sizes = observed.group_by(column).len().drop_nulls(column).filter(pl.col("len") >= LEAST_CUSTOMERS)
    months = kind == "cohort"
    names = sizes.sort(column) if months else sizes.sort(-pl.col("len").cast(pl.Int64), column).head(MOST_GROUPS)
    kept = pl.col(column).is_in(names[column].to_list())
    parts = observed.filter(kept).partition_by(column, as_dict=True)
    return [(name, parts[name,]) for name in names[column]], observed.filter(~kept & pl.col(column).is_not_null())


def _curve(members: pl.DataFrame) -> Curve:
    return kaplan_meier(members["life_days"].to_numpy(), members["ended"].to_numpy())


def _group(kind: str, code: str | None, curve: Curve) -> dict[str, Any]:
    """One group: how many, how many lives ended, the median life and the retention, each with its 95 % interval."""
    median, low, high = curve.median()
    return {
        "of": kind,
        "group": code,
        "customers": curve.customers,
        "left": curve.ended,
        "median_days": median,
        "median_low": low,
        "median_high": high,
        "retention": [_at(curve, months) for months in MONTHS],
    }


def _at(curve: Curve, months: int) -> dict[str, Any]:
    """S after so many months, null beyond what was observed."""
    days = month_days(months)
    point = curve.at(days)
    empty = {"days": days, "at_risk": 0, "survival": None, "error": None, "low": None, "high": None}
    return {"months": months, **(asdict(point) if point else empty)}


def _monthly(curve: Curve) -> Iterator[dict[str, Any]]:
    """The curve of the base at the end of every month that was observed, five years at most; month 0 is the first order day."""
    for months in range(_LONGEST_CURVE + 1):
        point = _at(curve, months)
        if point["survival"] is None:
            return
        yield point


def month_days(months: int) -> int:
    """The days of so many months of a life, which begins on any day: 365.25 / 12 each, rounded down (30, 91, 182, 365)."""
    return months * 1461 // 48
