"""`churn`: the probability that a customer places no order within the horizon, tested on the past before it is told.

It may not use P(alive) as a score, let a feature see past its snapshot or a label past the data, or score anybody silently by
an untested method. Labels come from the order log: the same snapshot, taken at earlier days, knows who ordered afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.models import classify, classify_backtest, classify_drift, classify_reasons, drift
from clm.models.classify_backtest import Past
from clm.models.classify_buyers import Typical
from clm.models.classify_fit import TRAINED, Fitted
from clm.models.classify_learned import Learned
from clm.outcome import Notice, Outcome, Rows
from clm.settings import ChurnSettings
from clm.stages import agreement
from clm.stages.churn import applied, contact, telling, windows
from clm.stages.churn.contact import Valued
from clm.stages.churn.windows import Known, Snapshot
from clm.tables import CHURN_RISK_EDGES, CHURN_RISKS, CUSTOMERS, NO_PURCHASE


def churn(
    customers: pl.DataFrame,
    orders: pl.LazyFrame | None,
    settings: ChurnSettings,
    seed: int,
    valued: Valued | None = None,
    saved: Mapping[str, Any] | None = None,
) -> Outcome:
    """INPUT with the churn columns; its rows and other columns stay as they are, in their order.

    `orders` (TRANSACTIONS) makes labels from past snapshots and trains on all its customers; without it the return probability
    comes from INPUT alone and is `not_validated`. `seed` deals customers to the folds of the calibration and draws those of the
    intervals. `valued` says where the CLV of INPUT comes from: with the costs of a campaign in `settings` every contact gets its
    value. `saved` is what this stage learned on another day: then nothing is learned, and the metrics tell how far these
    customers are from those.

    Raises DataError when INPUT has several `as_of`, when `orders` lacks or contradicts customers of INPUT at that day, when a
    method asked for by name cannot be learned from this log or a saved model not be applied to it; ConfigError when it is damaged
    or was made for another horizon or method than asked.
    """
    as_of = agreement.one_day(customers, "churn")
    agreement.check_histories(customers)
    kept = customers.drop(CUSTOMERS.names("churn"), strict=False)
    if as_of is None:
        frame = _finished(kept, None, None, "none", "too_little_history")
        frame = frame if settings.offer is None else frame.with_columns(pl.lit(None, pl.Float64).alias("contact_value"))
        return Outcome(frame, Rows(0, 0), metrics=telling.metrics(frame, None, None, "none"), closing="0 customers")
    given = applied.read(saved, settings, as_of) if saved is not None else None
    if orders is None:
        known = windows.from_input(customers, settings, as_of, given)
    else:
        known = windows.from_log(customers, orders, settings, as_of, seed, given)
    told = _as_saved(known, given) if given is not None else _learned(known, orders, settings, seed)
    now = known.now
    scores = _scores(now, told, known.gap_days) if told.probability is not None and known.gap_days is not None else None
    method, status = (told.fitted.name, told.status) if scores is not None else ("none", "too_little_history")
    frame = _finished(kept, scores, known.gap_days, method, status)
    horizon_days, costs, priced = now.buyers.horizon_days, contact.costs_of(settings), None
    if valued is not None and costs is not None:
        priced = contact.priced(frame, told.past, costs, valued, horizon_days, known.gap_days)
        frame = priced.frame
    said = telling.closing(frame, horizon_days, told.past, method, told.drift)
    return Outcome(
        frame=frame,
        rows=Rows(customers.height, frame.height, after_as_of=known.after_as_of),
        as_of=as_of,
        metrics=telling.metrics(frame, now, told.past, method, told.drift) | ({"profit": priced.metrics} if priced else {}),
        warnings=(*told.notices, *(priced.notices if priced else ())),
        learned=told.learned.to_json() if told.learned is not None else None,
        closing=f"{said}; {priced.told}" if priced else said,
    )


@dataclass(frozen=True)
class _Told:
    """What scores today's buyers, and what is said of it; `probability` None where there is too little history for any."""

    fitted: Fitted
    probability: Any
    usual: Typical
    status: str
    notices: tuple[Notice, ...]
    learned: Learned | None
    past: Past | None = None
    drift: dict[str, Any] | None = None


def _learned(known: Known, orders: pl.LazyFrame | None, settings: ChurnSettings, seed: int) -> _Told:
    """The method that is best on past windows, fitted to all of them; the return probability untested where there are none."""
    now, asked = known.now, None if settings.method == "auto" else settings.method
    past = classify_backtest.learn(known.windows, asked, seed)
    why = telling.why_untested(orders, known)
    if past is None and asked in TRAINED:
        raise DataError(
            f"{asked} cannot be learned here: {why}",
            where="--method", fix="use --method auto, or a shorter --horizon", code="method_not_possible",
        )  # fmt: skip
    fitted = past.fitted if past else classify_backtest.UNTESTED
    notices = tuple(telling.notices(now, past, why))
    if now.model is None:
        return _Told(fitted, None, {}, "too_little_history", notices, None, past)
    chance = classify.p_return(now.model, now.buyers)
    probability = fitted.probability(now.buyers, chance)
    # without a tested window nobody is known to have stayed: the half at lowest risk stands for them
    usual = past.usual if past else classify_backtest.typical_of_safest(now.buyers, probability)
    watched = classify_drift.features(fitted.model, now.buyers, chance, probability)
    learned = Learned(
        horizon_days=now.buyers.horizon_days,
        gap_days=now.buyers.gap_days,
        median_gap_days=known.gap_days,
        returning=now.model,
        validated=past is not None,
        usual=usual,
        fitted=fitted,
        reference={name: drift.reference(values) for name, values in watched.items()},
    )
    return _Told(fitted, probability, usual, "ok" if past else "not_validated", notices, learned, past)


def _as_saved(known: Known, given: Learned) -> _Told:
    """What another day's customers taught, applied to these."""
    buyers = known.now.buyers
    applied.check_known(given, buyers)
    chance = classify.p_return(given.returning, buyers)
    probability = given.fitted.probability(buyers, chance)
    moved = applied.drift(given, classify_drift.features(given.fitted.model, buyers, chance, probability))
    status = "ok" if given.validated else "not_validated"
    notices = tuple(applied.notices(given, moved, buyers.recency_days.size))
    return _Told(given.fitted, probability, given.usual, status, notices, given, drift=moved)


def _scores(now: Snapshot, told: _Told, gap_days: float) -> pl.DataFrame:
    """Per buyer: the probability, and what raises it against the customers who stayed."""
    assert now.model is not None
    rhythm = now.frame.select(_rhythm(gap_days)).to_series()
    chance_of = partial(classify.p_return, now.model)
    causes = classify_reasons.reasons(told.fitted, now.buyers, chance_of, told.usual, rhythm.to_numpy())
    known = now.frame.with_columns(rhythm.alias("rhythm_days"), pl.Series("cause", causes).arr.to_list())
    texts = pl.concat_list(telling.reason_texts(told.usual, known.columns))
    reasons = texts.list.gather(pl.col("cause"), null_on_oob=True).list.drop_nulls().list.join(";")
    return known.select(
        "customer_id",
        pl.Series("churn_probability", told.probability),
        pl.when(reasons != "").then(reasons).alias("churn_reasons"),
    )


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
    from_medium, from_high = CHURN_RISK_EDGES
    risk = pl.when(probability >= from_high).then(pl.lit(high)).when(probability >= from_medium).then(pl.lit(medium))
    return known.with_columns(
        pl.when(probability.is_not_null()).then(risk.otherwise(pl.lit(low))).alias("churn_risk"),
        pl.lit(None, pl.Int32).alias("days_overdue") if overdue is None else overdue.cast(pl.Int32).alias("days_overdue"),
        pl.when(bought).then(pl.lit(method)).otherwise(pl.lit("none")).alias("churn_method"),
        pl.when(bought).then(pl.lit(status)).otherwise(pl.lit(NO_PURCHASE)).alias("churn_status"),
    ).select(*kept.columns, *CUSTOMERS.needed("churn"))
