"""`churn`: the probability that a customer places no order within the horizon, tested on the past before it is told.

It may not use P(alive) as a score, let a feature see past its snapshot or a label past the data, or score anybody silently by
an untested method. Labels come from the order log: the same snapshot, taken at earlier days, knows who ordered afterwards.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl

from clm.errors import DataError
from clm.models import classify, classify_backtest, classify_reasons
from clm.models.btyd import BtydParams
from clm.models.classify_backtest import Fitted, Past
from clm.models.classify_buyers import Typical
from clm.models.classify_fit import TRAINED
from clm.outcome import Outcome, Rows
from clm.settings import ChurnSettings
from clm.stages import snapshot
from clm.stages.churn import contact, telling, windows
from clm.stages.churn.contact import Valued
from clm.stages.churn.windows import Snapshot
from clm.tables import CHURN_RISKS, CUSTOMERS, NO_PURCHASE

_MEDIUM_RISK, _HIGH_RISK = 0.5, 0.8


def churn(
    customers: pl.DataFrame, orders: pl.LazyFrame | None, settings: ChurnSettings, seed: int, valued: Valued | None = None
) -> Outcome:
    """INPUT with the churn columns; its rows and other columns stay as they are, in their order.

    `orders` (TRANSACTIONS) makes labels from past snapshots and trains on all its customers; without it the return probability
    comes from INPUT alone and is `not_validated`. `seed` deals customers to the folds of the calibration.
    `valued` says where the CLV of INPUT comes from: with the costs of a campaign in `settings` every contact gets its value.

    Raises DataError when INPUT has several `as_of`, when `orders` lacks or contradicts customers of INPUT at that day, or when a
    method asked for by name cannot be learned from this log.
    """
    as_of = snapshot.one_day(customers, "churn")
    snapshot.check_histories(customers)
    kept = customers.drop(CUSTOMERS.names("churn"), strict=False)
    if as_of is None:
        frame = _finished(kept, None, None, "none", "too_little_history")
        frame = frame if settings.offer is None else frame.with_columns(pl.lit(None, pl.Float64).alias("contact_value"))
        return Outcome(frame, Rows(0, 0), metrics=telling.metrics(frame, None, None, "none"), closing="0 customers")
    if orders is None:
        known = windows.from_input(customers, settings, as_of)
    else:
        known = windows.from_log(customers, orders, settings, as_of, seed)
    now, asked = known.now, None if settings.method == "auto" else settings.method
    past = classify_backtest.learn(known.windows, asked)
    why = telling.why_untested(orders, known)
    if past is None and asked in TRAINED:
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
    horizon_days, costs, priced = now.buyers.horizon_days, contact.costs_of(settings), None
    if valued is not None and costs is not None:
        priced = contact.priced(frame, past, costs, valued, horizon_days, known.gap_days)
        frame = priced.frame
    told = telling.closing(frame, horizon_days, past, method)
    return Outcome(
        frame=frame,
        rows=Rows(customers.height, frame.height, after_as_of=known.after_as_of),
        as_of=as_of,
        metrics=telling.metrics(frame, now, past, method) | ({"profit": priced.metrics} if priced else {}),
        warnings=(*telling.notices(now, past, why), *(priced.notices if priced else ())),
        learned=_learned(now, fitted, past),
        closing=f"{told}; {priced.told}" if priced else told,
    )


def _scores(now: Snapshot, model: BtydParams, fitted: Fitted, usual: Typical | None, gap_days: float) -> pl.DataFrame:
    """Per buyer: the probability, and what raises it against the customers who stayed.

    Without a tested window nobody is known to have stayed: the half at lowest risk stands for them.
    """
    probability = fitted.probability(now.buyers, classify.p_return(model, now.buyers))
    usual = usual or classify_backtest.typical_of_safest(now.buyers, probability)
    rhythm = now.frame.select(_rhythm(gap_days)).to_series()
    chance_of = partial(classify.p_return, model)
    causes = classify_reasons.reasons(fitted, now.buyers, chance_of, usual, rhythm.to_numpy())
    known = now.frame.with_columns(rhythm.alias("rhythm_days"), pl.Series("cause", causes).arr.to_list())
    texts = pl.concat_list(telling.reason_texts(usual, known.columns))
    told = texts.list.gather(pl.col("cause"), null_on_oob=True).list.drop_nulls().list.join(";")
    return known.select(
        "customer_id",
        pl.Series("churn_probability", probability),
        pl.when(told != "").then(told).alias("churn_reasons"),
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
    risk = pl.when(probability >= _HIGH_RISK).then(pl.lit(high)).when(probability >= _MEDIUM_RISK).then(pl.lit(medium))
    return known.with_columns(
        pl.when(probability.is_not_null()).then(risk.otherwise(pl.lit(low))).alias("churn_risk"),
        pl.lit(None, pl.Int32).alias("days_overdue") if overdue is None else overdue.cast(pl.Int32).alias("days_overdue"),
        pl.when(bought).then(pl.lit(method)).otherwise(pl.lit("none")).alias("churn_method"),
        pl.when(bought).then(pl.lit(status)).otherwise(pl.lit(NO_PURCHASE)).alias("churn_status"),
    ).select(*kept.columns, *CUSTOMERS.needed("churn"))


def _learned(now: Snapshot, fitted: Fitted, past: Past | None) -> dict[str, Any] | None:
    """Everything another day's customers need to be scored, as JSON numbers."""
    if now.model is None:
        return None
    return {
        "horizon_days": now.buyers.horizon_days,
        "gap_days": now.buyers.gap_days,
        "return": now.model.to_json(),
        "validated": past is not None,
        "usual": past.usual if past else None,
        **fitted.to_json(),
    }
