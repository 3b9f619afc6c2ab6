"""`churn`: the probability that a customer places no order within the horizon, tested on the past before it is told.

It may not use P(alive) as a score, let a feature see past its snapshot or a label past the data, or score anybody silently by
an untested method. Labels come from the order log: the same snapshot, taken at earlier days, knows who ordered afterwards.
More than 300 lines, because windows, scores and table share these frames, and a second file would be a stage importing a stage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from math import ceil
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.models import classify, classify_backtest, classify_features
from clm.models.btyd import MIN_REPEAT_CUSTOMERS, BtydParams
from clm.models.classify_backtest import Fitted, Past, Window
from clm.models.classify_features import Buyers, Typical
from clm.outcome import Notice, Outcome, Rows, counted
from clm.settings import ChurnSettings
from clm.stages import snapshot
from clm.tables import CHURN_RISKS, CHURN_STATUSES, CUSTOMERS, NO_PURCHASE, SALE

SHORTEST_HORIZON_DAYS = 28
SHORTEST_HISTORY_DAYS = 60
MOST_TRAINING_WINDOWS = 8
_MEDIUM_RISK, _HIGH_RISK = 0.5, 0.8


@dataclass(frozen=True)
class _Snapshot:
    """Buyers on one day: their rows, the same as arrays, and the return model fitted to exactly them (None: too few)."""

    on: date
    frame: pl.DataFrame
    buyers: Buyers
    model: BtydParams | None


@dataclass(frozen=True)
class _Known:
    """What there is to learn from: today's buyers, labelled windows (latest first), the base's median gap, later lines."""

    now: _Snapshot
    windows: list[Window]
    gap_days: float | None
    after_as_of: int | None


def churn(customers: pl.DataFrame, orders: pl.LazyFrame | None, settings: ChurnSettings, seed: int) -> Outcome:
    """INPUT with the churn columns; its rows and other columns stay as they are, in their order.

    `orders` (TRANSACTIONS) makes labels from past snapshots and trains on all its customers; without it the return probability
    comes from INPUT alone and is `not_validated`. `seed` deals customers to the folds of the calibration.

    Raises DataError when INPUT has several `as_of`, when `orders` lacks or contradicts customers of INPUT at that day, or when a
    method asked for by name cannot be learned from this log.
    """
    as_of = snapshot.one_day(customers, "churn")
    snapshot.check_histories(customers)
    kept = customers.drop(CUSTOMERS.names("churn"), strict=False)
    if as_of is None:
        frame = _finished(kept, None, None, "none", "too_little_history")
        return Outcome(frame, Rows(0, 0), metrics=_metrics(frame, None, None, "none"), closing="0 customers")
    known = _from_log(customers, orders, settings, as_of, seed) if orders is not None else _from_input(customers, settings, as_of)
    now, asked = known.now, None if settings.method == "auto" else settings.method
    past = classify_backtest.learn(known.windows, asked)
    why = _why_untested(orders, known)
    if past is None and asked in ("hiatus", "logistic"):
        raise DataError(
            f"{asked} cannot be learned here: {why}",
            where="--method", fix="use --method auto, or a shorter --horizon", code="method_not_possible",
        )  # fmt: skip
    fitted = past.fitted if past else classify_backtest.UNTESTED
    scores, method, status = None, "none", "too_little_history"
    if now.model is not None and known.gap_days is not None:
        scores = _scores(now, now.model, fitted, past.usual if past else None, known.gap_days)
        method, status = fitted.name, "ok" if past else "not_validated"
    frame = _finished(kept, scores, known.gap_days, method, status)
    return Outcome(
        frame=frame,
        rows=Rows(customers.height, frame.height, after_as_of=known.after_as_of),
        as_of=as_of,
        metrics=_metrics(frame, now, past, method),
        warnings=tuple(_notices(now, past, why)),
        learned=_learned(now, fitted, past),
        closing=_closing(frame, now.buyers.horizon_days, past, method),
    )


def _from_input(customers: pl.DataFrame, settings: ChurnSettings, as_of: date) -> _Known:
    buyers = customers.filter(pl.col("orders") > 0).sort("customer_id")
    # Without the log the customers' mean gaps stand for their gaps, each counted once per gap.
    mean_gap = (pl.col("active_days") / pl.col("repeat_days")).alias("gap_days")
    repeated = buyers.filter(pl.col("repeat_days") > 0).group_by(mean_gap)
    gaps = repeated.agg(pl.col("repeat_days").sum().alias("gaps")).sort("gap_days")
    horizon_days = _horizon_days(settings, buyers, gaps, as_of)
    now = _snapshot(buyers, None, as_of, 0, horizon_days, money=False)
    return _Known(now, [], snapshot.gap_quantile(gaps, 0.5), None)


def _from_log(customers: pl.DataFrame, orders: pl.LazyFrame, settings: ChurnSettings, as_of: date, seed: int) -> _Known:
    base, later = snapshot.reconciled(customers, orders, as_of)
    buyers = base.filter(pl.col("orders") > 0)
    gaps = snapshot.gap_counts(orders, as_of)
    horizon_days = _horizon_days(settings, buyers, gaps, as_of)
    money = not _unpriced(orders, as_of)
    days = _window_days(orders, as_of, horizon_days)
    now = _snapshot(buyers, days, as_of, 0, horizon_days, money=money)
    windows = [] if now.model is None else _windows(orders, days, now, seed, money=money)
    return _Known(now, windows, snapshot.gap_quantile(gaps, 0.5), later)


def _unpriced(orders: pl.LazyFrame, as_of: date) -> int:
    """Lines up to `as_of` without an amount."""
    unpriced = pl.col("amount").is_null() & (pl.col("ordered_at").dt.date() <= as_of)
    return int(orders.select(unpriced.sum()).collect(engine="streaming").item())


def _horizon_days(settings: ChurnSettings, buyers: pl.DataFrame, gaps: pl.DataFrame, as_of: date) -> int:
    """auto: the .85 quantile of gaps between order days, up to a whole week, between 28 days and a quarter of the log."""
    if settings.horizon is not None:
        return settings.horizon.days(as_of)
    first = buyers["first_order_on"].min()
    log_days = (as_of - first).days + 1 if isinstance(first, date) else 0
    weeks = ceil((snapshot.gap_quantile(gaps, 0.85) or 0) / 7)
    return max(SHORTEST_HORIZON_DAYS, min(weeks * 7, log_days // 4))


def _window_days(orders: pl.LazyFrame, as_of: date, horizon_days: int) -> pl.DataFrame:
    """Order days per customer and window: window 0 is the last horizon up to `as_of`, 1 the one before it, and so on."""
    day = pl.col("ordered_at").dt.date()
    window = (pl.lit(as_of, pl.Date) - day).dt.total_days() // horizon_days
    return (
        orders.filter((pl.col("kind") == SALE) & (day <= as_of))
        .select("customer_id", day.alias("day"), window.alias("window"))
        .filter(pl.col("window") <= MOST_TRAINING_WINDOWS + 1)
        .unique()
        .group_by("customer_id", "window")
        .agg(pl.len().cast(pl.Int64).alias("order_days"))
        .collect(engine="streaming")
    )


def _snapshot(
    buyers: pl.DataFrame, days: pl.DataFrame | None, on: date, window: int, horizon_days: int, *, money: bool
) -> _Snapshot:
    """Buyers known on a day as arrays, with the return model fitted to exactly them. Rows are sorted by customer."""
    active, repeat = buyers["active_days"].cast(pl.Float64).to_numpy(), buyers["repeat_days"].cast(pl.Float64).to_numpy()
    known = Buyers(
        recency_days=buyers["recency_days"].cast(pl.Float64).to_numpy(),
        active_days=active,
        repeat_days=repeat,
        returns=buyers["returns"].cast(pl.Float64).to_numpy(),
        recent_order_days=None if days is None else _order_days_in(buyers, days, window).to_numpy(),
        spend_per_order_day=(buyers["spend"].cast(pl.Float64) / buyers["order_days"]).to_numpy() if money else None,
        gap_days=classify_features.typical_gap(active, repeat) or 1.0,
        horizon_days=horizon_days,
    )
    return _Snapshot(on, buyers, known, classify.fit_return(repeat, active, known.age_days))


def _order_days_in(buyers: pl.DataFrame, days: pl.DataFrame, window: int) -> pl.Series:
    inside = days.filter(pl.col("window") == window).select("customer_id", "order_days")
    joined = buyers.select("customer_id").join(inside, on="customer_id", how="left", maintain_order="left")
    return joined["order_days"].fill_null(0).cast(pl.Float64)


def _windows(orders: pl.LazyFrame, days: pl.DataFrame, now: _Snapshot, seed: int, *, money: bool) -> list[Window]:
    """Labelled snapshots back from `as_of`, latest first: the test window, then those before it."""
    first = now.frame["first_order_on"].min()
    assert isinstance(first, date)
    horizon_days, log_days = now.buyers.horizon_days, (now.on - first).days
    fold = now.frame.select("customer_id", fold=pl.Series(classify_backtest.folds(now.frame.height, seed)))
    windows: list[Window] = []
    for number in range(1, MOST_TRAINING_WINDOWS + 2):
        if log_days - number * horizon_days < max(horizon_days, SHORTEST_HISTORY_DAYS):
            break
        on = now.on - timedelta(days=number * horizon_days)
        known = snapshot.take(orders, on).filter(pl.col("orders") > 0)
        then = _snapshot(known, days, on, number, horizon_days, money=money)
        if then.model is None:
            break
        windows.append(_labelled(then, days, number, fold))
    return windows


def _labelled(then: _Snapshot, days: pl.DataFrame, number: int, fold: pl.DataFrame) -> Window:
    assert then.model is not None
    ordered = _order_days_in(then.frame, days, number - 1)
    dealt = then.frame.select("customer_id").join(fold, on="customer_id", how="left", maintain_order="left")["fold"]
    return Window(
        on=then.on.isoformat(),
        buyers=then.buyers,
        chance=classify.p_return(then.model, then.buyers),
        churned=(ordered == 0).cast(pl.Float64).to_numpy(),
        fold=dealt.to_numpy(),
    )


def _scores(now: _Snapshot, model: BtydParams, fitted: Fitted, usual: Typical | None, gap_days: float) -> pl.DataFrame:
    """Per buyer: the probability, and what raises it against the customers who stayed.

    Without a tested window nobody is known to have stayed: the half at lowest risk stands for them.
    """
    probability = fitted.probability(now.buyers, classify.p_return(model, now.buyers))
    usual = usual or classify_backtest.typical_of_safest(now.buyers, probability)
    rhythm = now.frame.select(_rhythm(gap_days)).to_series()
    chance_of = partial(classify.p_return, model)
    causes = classify_backtest.reasons(fitted, now.buyers, chance_of, usual, rhythm.to_numpy())
    known = now.frame.with_columns(
        rhythm.alias("rhythm_days"),
        pl.lit(None, pl.Int64).alias("recent_order_days")
        if now.buyers.recent_order_days is None
        else pl.Series("recent_order_days", now.buyers.recent_order_days),
        pl.Series("cause", causes).arr.to_list(),
    )
    told = pl.concat_list(_reason_texts(usual)).list.gather(pl.col("cause"), null_on_oob=True).list.drop_nulls().list.join(";")
    return known.select(
        "customer_id",
        pl.Series("churn_probability", probability),
        pl.when(told != "").then(told).alias("churn_reasons"),
    )


def _reason_texts(usual: Typical) -> list[pl.Expr]:
    """One text for each of REASONS, in their order: the customer's number, then what it is compared with."""
    own_spend = pl.col("spend").cast(pl.Float64) / pl.col("order_days")
    return [
        _pair("silent_days", pl.col("recency_days"), "own_rhythm_days", pl.col("rhythm_days"), 1),
        _pair("order_days", pl.col("order_days"), "usual_order_days", usual.repeat_days + 1, 0),
        _pair("recent_order_days", pl.col("recent_order_days"), "usual_recent_order_days", usual.recent_order_days, 0),
        _pair("spend_per_order_day", own_spend, "usual_spend_per_order_day", usual.spend_per_order_day, 2),
        _pair("returns", pl.col("returns"), "usual_returns", usual.returns, 0),
    ]


def _pair(code: str, value: pl.Expr, other: str, compared: pl.Expr | float | None, places: int) -> pl.Expr:
    compared = compared if isinstance(compared, pl.Expr) else pl.lit(compared, pl.Float64)
    numbers = (one.cast(pl.Float64).round(places).cast(pl.String).str.strip_suffix(".0") for one in (value, compared))
    return pl.format(f"{code}={{}};{other}={{}}", *numbers)


def _rhythm(gap_days: float) -> pl.Expr:
    """Own mean gap in days, drawn towards the base's by one gap; one-time buyers have the base's."""
    return (pl.col("active_days") + gap_days) / (pl.col("repeat_days") + 1)


def _finished(kept: pl.DataFrame, scores: pl.DataFrame | None, gap_days: float | None, method: str, status: str) -> pl.DataFrame:
    """INPUT's rows and columns with the churn columns last; customers without a sale say `no_purchase`."""
    bought = pl.col("orders") > 0
    probability = pl.col("churn_probability")
    if scores is None:
        empty = [pl.lit(None, pl.Float64).alias("churn_probability"), pl.lit(None, pl.String).alias("churn_reasons")]
        known = kept.with_columns(empty)
    else:
        known = kept.join(scores, on="customer_id", how="left", maintain_order="left")
    overdue = None if gap_days is None else (pl.col("recency_days") - 2 * _rhythm(gap_days)).ceil()
    low, medium, high = CHURN_RISKS
    risk = pl.when(probability >= _HIGH_RISK).then(pl.lit(high)).when(probability >= _MEDIUM_RISK).then(pl.lit(medium))
    return known.with_columns(
        pl.when(probability.is_not_null()).then(risk.otherwise(pl.lit(low))).alias("churn_risk"),
        pl.lit(None, pl.Int32).alias("days_overdue") if overdue is None else overdue.cast(pl.Int32).alias("days_overdue"),
        pl.when(bought).then(pl.lit(method)).otherwise(pl.lit("none")).alias("churn_method"),
        pl.when(bought).then(pl.lit(status)).otherwise(pl.lit(NO_PURCHASE)).alias("churn_status"),
    ).select(*kept.columns, *CUSTOMERS.needed("churn"))


def _metrics(frame: pl.DataFrame, now: _Snapshot | None, past: Past | None, method: str) -> dict[str, Any]:
    """The `metrics` of `--json`; base rates are shares who placed no order in the horizon."""
    counts = {name: dict(frame.group_by(name).len().iter_rows()) for name in ("churn_status", "churn_risk")}
    return {
        "horizon_days": now.buyers.horizon_days if now else None,
        "chosen": method,
        **(past.to_json() if past else classify_backtest.NOTHING_LEARNED),
        "family": now.model.family if now and now.model else None,
        "customers": frame.height,
        "status": {status: counts["churn_status"].get(status, 0) for status in CHURN_STATUSES},
        "risk": {risk: counts["churn_risk"].get(risk, 0) for risk in CHURN_RISKS},
    }


def _learned(now: _Snapshot, fitted: Fitted, past: Past | None) -> dict[str, Any] | None:
    """Everything another day's customers need to be scored, as JSON numbers."""
    if now.model is None:
        return None
    return {
        "horizon_days": now.buyers.horizon_days,
        "gap_days": now.buyers.gap_days,
        "return": now.model.to_json(),
        "validated": past is not None,
        "usual": past.usual.to_json() if past else None,
        **fitted.to_json(),
    }


def _why_untested(orders: pl.LazyFrame | None, known: _Known) -> str:
    horizon_days = known.now.buyers.horizon_days
    if orders is None:
        return "without the order log (--orders) there is no past window to test on"
    if not known.windows:
        return (
            f"the log holds no complete window: {counted(horizon_days, 'day')} of labels after at least "
            f"{max(horizon_days, SHORTEST_HISTORY_DAYS)} days with {MIN_REPEAT_CUSTOMERS} repeat customers"
        )
    if len(known.windows) == 1 and classify_backtest.enough_events(known.windows):
        return "no labelled window lies before the one that tests"
    return f"the past windows hold fewer than {classify_backtest.MIN_EVENTS} customers who left, or who came back"


def _notices(now: _Snapshot, past: Past | None, why: str) -> Iterator[Notice]:
    if now.model is None:
        yield Notice("too_little_history", f"no churn probability: fewer than {MIN_REPEAT_CUSTOMERS} customers ordered twice")
    elif past is None:
        yield Notice("not_validated", f"the return probability is not validated: {why}")
    else:
        if past.verdict.chosen_on == "test":
            trained = counted(len(past.training), "training window")
            yield Notice("chosen_on_test", f"the method was chosen on the window that tests it ({trained}, fewer than 3)")
        if past.drift is not None:
            yield Notice("base_rate_shift", past.drift)
        if past.verdict.no_skill is not None:
            yield Notice("no_skill", past.verdict.no_skill)
        better = past.verdict.beaten_by
        if better is not None:
            yield Notice("beaten", f"{better} has a lower log-loss than {past.verdict.chosen} on the test window")


def _closing(frame: pl.DataFrame, horizon_days: int, past: Past | None, method: str) -> str:
    statuses, risks = frame["churn_status"], frame["churn_risk"]
    counts = [(int((risks == risk).sum()), f"{risk} risk") for risk in reversed(CHURN_RISKS)]
    counts.append((int((statuses == "too_little_history").sum()), "with too little history"))
    counts.append((int((statuses == NO_PURCHASE).sum()), "without a purchase"))
    told = f"{counted(frame.height, 'customer')} = {' + '.join(f'{number:,} {what}' for number, what in counts if number)}"
    if method == "none":
        return told
    if past is None:
        return f"{told}; {counted(horizon_days, 'day')}, {method}, not validated"
    auc, loss = past.verdict.winner.scores["auc"], past.verdict.winner.scores["log_loss"]
    return f"{told}; {counted(horizon_days, 'day')}, {method}, AUC {auc:.3f}, log-loss {loss:.3f} on {past.test.on}"
