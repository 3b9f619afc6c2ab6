"""The windows: buyers on a day as arrays, with the return model fitted to exactly them, and the labelled days of the past.

It may not let a feature see past its snapshot or a label past the data; it chooses and scores nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any

import polars as pl

from clm.models import classify, classify_buyers, classify_fit
from clm.models.btyd import BtydParams
from clm.models.classify_buyers import Buyers, Habits
from clm.models.classify_fit import Window
from clm.models.classify_learned import Learned
from clm.settings import ChurnSettings
from clm.stages import agreement, snapshot
from clm.stages.churn import history
from clm.stages.churn.history import History

SHORTEST_HORIZON_DAYS = 28
SHORTEST_HISTORY_DAYS = 60
MOST_TRAINING_WINDOWS = 8


@dataclass(frozen=True)
class Snapshot:
    """Buyers on one day: their rows by customer, the same as arrays, and the return model (None: too few to fit one)."""

    on: date
    frame: pl.DataFrame
    buyers: Buyers
    model: BtydParams | None


@dataclass(frozen=True)
class Known:
    """What there is to learn from: today's buyers, labelled windows (latest first), the base's median gap, later lines."""

    now: Snapshot
    windows: list[Window]
    gap_days: float | None
    after_as_of: int | None


def from_input(customers: pl.DataFrame, settings: ChurnSettings, as_of: date, given: Learned | None = None) -> Known:
    """Without the log the customers' mean gaps stand for their gaps, each counted once per gap. `given` is a saved model."""
    buyers = customers.filter(pl.col("orders") > 0).sort("customer_id")
    mean_gap = (pl.col("active_days") / pl.col("repeat_days")).alias("gap_days")
    repeated = buyers.filter(pl.col("repeat_days") > 0).group_by(mean_gap)
    gaps = repeated.agg(pl.col("repeat_days").sum().alias("gaps")).sort("gap_days")
    first = buyers["first_order_on"].min()
    horizon_days = (
        given.horizon_days if given else _horizon_days(settings, gaps, first if isinstance(first, date) else None, as_of)
    )
    now = _snapshot(buyers, as_of, horizon_days, money=False, given=given)
    return Known(now, [], given.median_gap_days if given else snapshot.gap_quantile(gaps, 0.5), None)


def from_log(
    customers: pl.DataFrame, orders: pl.LazyFrame, settings: ChurnSettings, as_of: date, seed: int, given: Learned | None = None
) -> Known:
    """Today's buyers of the whole log, and as many labelled days before as it holds; none for a saved model, which has learned.

    Raises DataError when the log lacks or contradicts customers of INPUT.
    """
    base, later = agreement.reconciled(customers, orders, as_of)
    log = history.read(orders, as_of)
    gaps = log.gaps()
    horizon_days = given.horizon_days if given else _horizon_days(settings, gaps, log.first_day, as_of)
    known = history.buyers(log, as_of, horizon_days)
    core = base.filter(pl.col("orders") > 0)
    assert core.height == known.height
    frame = pl.concat([core, known.select(pl.exclude(*core.columns, "customer"))], how="horizontal")
    now = _snapshot(frame, as_of, horizon_days, money=log.money, log=log, given=given)
    if given is not None:
        return Known(now, [], given.median_gap_days, later)
    windows = [] if now.model is None else _windows(log, now, seed)
    return Known(now, windows, snapshot.gap_quantile(gaps, 0.5), later)


def _horizon_days(settings: ChurnSettings, gaps: pl.DataFrame, first: date | None, as_of: date) -> int:
    """auto: the .85 quantile of gaps between order days, up to a whole week, between 28 days and a quarter of the log."""
    if settings.horizon is not None:
        return settings.horizon.days(as_of)
    log_days = (as_of - first).days + 1 if first is not None else 0
    weeks = ceil((snapshot.gap_quantile(gaps, 0.85) or 0) / 7)
    return max(SHORTEST_HORIZON_DAYS, min(weeks * 7, log_days // 4))


def _snapshot(
    frame: pl.DataFrame,
    on: date,
    horizon_days: int,
    *,
    money: bool,
    log: History | None = None,
    given: Learned | None = None,
) -> Snapshot:
    active, repeat = _array(frame, "active_days"), _array(frame, "repeat_days")
    buyers = Buyers(
        recency_days=_array(frame, "recency_days"),
        active_days=active,
        repeat_days=repeat,
        returns=_array(frame, "returns"),
        spend_per_order_day=_array(frame, pl.col("spend").cast(pl.Float64) / pl.col("order_days")) if money else None,
        gap_days=given.gap_days if given else classify_buyers.typical_gap(active, repeat) or 1.0,
        horizon_days=horizon_days,
        habits=None if log is None else _habits(frame, log),
    )
    return Snapshot(on, frame, buyers, given.returning if given else classify.fit_return(repeat, active, buyers.age_days))


def _habits(frame: pl.DataFrame, log: History) -> Habits:
    repeats, squares = pl.col("repeat_days"), pl.col("gap_squares")
    # whole numbers up to the last division, as in stages/behaviour
    variance = (repeats * squares - pl.col("active_days").cast(pl.Int64) ** 2).cast(pl.Float64) / (repeats * (repeats - 1))
    gross = pl.col("spend").cast(pl.Float64) + pl.col("returned_amount").cast(pl.Float64)
    share = pl.when(gross > 0).then(pl.col("returned_amount").cast(pl.Float64) / gross)
    return Habits(
        recent_order_days=_array(frame, "recent_order_days"),
        earlier_order_days=_array(frame, "earlier_order_days"),
        last_gap_days=_array(frame, "last_gap_days"),
        longest_gap_days=_array(frame, "longest_gap_days"),
        gap_sd_days=_array(frame, pl.when(repeats > 1).then(variance.sqrt())),
        recent_spend=_array(frame, "recent_spend") if log.money else None,
        returned_share=_array(frame, share) if log.money else None,
        products=_array(frame, "products") if log.products else None,
    )


def _array(frame: pl.DataFrame, value: str | pl.Expr) -> Any:
    """One value per row as floats, NaN where there is none."""
    expression = pl.col(value) if isinstance(value, str) else value
    return frame.select(expression.cast(pl.Float64).fill_null(float("nan"))).to_series().to_numpy()


def _windows(log: History, now: Snapshot, seed: int) -> list[Window]:
    """Labelled snapshots back from `as_of`, latest first: the test window, then those before it."""
    first = log.first_day
    assert first is not None
    horizon_days, log_days = now.buyers.horizon_days, (now.on - first).days
    fold = pl.Series(classify_fit.folds(log.customers.height, seed))
    windows: list[Window] = []
    for on in _days_before(now.on, horizon_days):
        if log_days - (now.on - on).days < max(horizon_days, SHORTEST_HISTORY_DAYS):
            break
        then = _snapshot(history.buyers(log, on, horizon_days), on, horizon_days, money=log.money, log=log)
        if then.model is None:
            break
        came_back = history.ordered_between(log, on, on + timedelta(days=horizon_days)).with_columns(churned=pl.lit(0.0))
        labelled = then.frame.select("customer").join(came_back, on="customer", how="left", maintain_order="left")
        windows.append(
            Window(
                on=on.isoformat(),
                buyers=then.buyers,
                returning=then.model,
                chance=classify.p_return(then.model, then.buyers),
                churned=labelled["churned"].fill_null(1.0).to_numpy(),
                fold=fold.gather(then.frame["customer"]).to_numpy(),
            )
        )
    return windows


def _days_before(as_of: date, horizon_days: int) -> Iterable[date]:
    return (as_of - timedelta(days=number * horizon_days) for number in range(1, MOST_TRAINING_WINDOWS + 2))
