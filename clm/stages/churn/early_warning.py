"""Early warnings: whose silence passed what their own rhythm explains, since the customers of an earlier day were told.

It may not warn twice of one silence that both days know, miss one that began and passed in between, or warn of anybody whose
silence is within their own limit.

The limit is the .9 quantile of the next gap, given what the table holds of a customer's gaps: k = `repeat_days` of them in
`active_days` days, and g, the base's median gap (the g of `rhythm_days`). Gaps are taken as exponential with a rate of
Gamma(k + 1, active_days + g); nine in ten of such gaps are no longer than

    (active_days + g) * (10^(1 / (k + 1)) - 1) days,

the quantile of that mixture, a Pareto (Lomax) distribution. Who ordered once has the base's, 9 g; with many gaps it comes down to
ln 10 times the own rhythm. Of the gaps that did end 7 % were longer in Online Retail and 14 % in CDNOW; a gamma distribution with
the customer's own standard deviation was passed by a third of them: two or three gaps say little of their spread.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.outcome import Outcome, counted
from clm.stages import agreement
from clm.tables import EARLY_WARNINGS

NEEDS = ("customer_id", "as_of", "last_order_on", "recency_days", "active_days", "repeat_days", "rhythm_days")
SHARE = 0.9
_NEW, _KNOWN = EARLY_WARNINGS


def with_warnings(found: Outcome, before: pl.DataFrame) -> Outcome:
    """The outcome of `churn` with `silence_limit_days`, `early_warning` and `metrics.early_warning` since the table `before`.

    A customer's limit is judged in each table by that table's own numbers. `new`: passed now and not in the earlier table, or
    in another silence there; `known`: the same silence had passed its limit there; null: within the limit, or no purchase.

    Raises DataError when `before` is not of an earlier day, or when the two tables have no customer in common.
    """
    now = found.frame.lazy().collect()
    then = earlier_day(before, found.as_of)
    earlier = before.select("customer_id", seen=True, was_last="last_order_on", was_passed=_passed())
    joined = now.with_columns(silence_limit_days=_limit()).join(earlier, on="customer_id", how="left", maintain_order="left")
    in_both = joined["seen"].count()
    if now.height and before.height and not in_both:
        raise DataError(
            "the two tables have no customer in common",
            where="--previous, column customer_id",
            fix="give an earlier table of the same shop",
            code="previous_other",
        )
    known = pl.col("was_passed").fill_null(value=False) & pl.col("was_last").eq_missing(pl.col("last_order_on"))
    passed = pl.col("recency_days") > pl.col("silence_limit_days")
    marked = joined.with_columns(
        early_warning=pl.when(passed & known).then(pl.lit(_KNOWN)).when(passed).then(pl.lit(_NEW))
    )  # fmt: skip
    frame = marked.select(*now.columns, "silence_limit_days", "early_warning")
    warned = frame.filter(pl.col("early_warning") == _NEW)
    metrics: dict[str, Any] = {
        "since": then.isoformat() if then else None,
        "share": SHARE,
        "new": warned.height,
        "known": int((frame["early_warning"] == _KNOWN).sum()),
        "within": int((frame["recency_days"] <= frame["silence_limit_days"]).sum()),
        "not_in_previous": now.height - in_both,
        "clv": math.fsum(warned["clv"].drop_nulls().to_list()) if "clv" in warned.columns and warned["clv"].count() else None,
    }
    since = f" since {then}" if then else ""
    closing = f"{found.closing}; {counted(warned.height, 'customer')} newly silent beyond their own rhythm{since}"
    return replace(found, frame=frame, metrics=found.metrics | {"early_warning": metrics}, closing=closing)


def earlier_day(before: pl.DataFrame, as_of: date | None) -> date | None:
    """The day of an earlier CUSTOMERS (column `as_of`). Raises DataError when it is not before `as_of`."""
    then = agreement.one_day(before, "churn --previous")
    if then is not None and as_of is not None and then >= as_of:
        raise DataError(
            f"the previous table is of {then}, not of a day before {as_of}",
            where="--previous, column as_of",
            fix="give the customers of an earlier day",
            code="previous_later",
        )
    return then


def _limit() -> pl.Expr:
    """The last day of silence the own rhythm explains, whole days; null where there is no rhythm."""
    # rhythm_days is (active_days + g) / (repeat_days + 1)
    gaps = pl.col("repeat_days") + 1
    stretch = pl.lit(1 / (1 - SHARE)).round(9).pow(1 / gaps) - 1
    return (pl.col("rhythm_days") * gaps * stretch).floor().cast(pl.Int32)


def _passed() -> pl.Expr:
    return pl.col("recency_days") > _limit()
