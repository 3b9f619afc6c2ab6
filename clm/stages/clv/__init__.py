"""`clv`: what each customer will order and spend within a horizon, with the model's own test beside the number.

It may not look past `as_of`, hide which rung of the ladder made a number, or print P(alive) where attrition is not identified.
Frames are cut into arrays in `past` and arrays put back here; fits, tests and forecasts are made in models (trial, appraisal).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from clm.dtypes import polars_type
from clm.models import alive_history, appraisal_facts, appraisal_notes, refit
from clm.models.appraisal import Groups, Spread, Terms, appraise
from clm.models.appraisal_facts import Made, Setting
from clm.models.valuation import Slices
from clm.outcome import Notice, Outcome, Rows, counted
from clm.settings import ClvSettings
from clm.stages import agreement
from clm.stages.clv import margins, past, saved
from clm.stages.clv.past import Base
from clm.stages.clv.saved import Saved
from clm.stages.clv.tried import slices_of, tried
from clm.tables import CUSTOMERS, NO_PURCHASE


def clv(
    customers: pl.DataFrame,
    orders: pl.LazyFrame | None,
    settings: ClvSettings,
    seed: int,
    learned: dict[str, Any] | None = None,
    currency: str | None = None,
) -> Outcome:
    """INPUT with the clv columns; its rows and other columns stay as they are, in their order.

    `orders` (TRANSACTIONS up to and beyond `as_of`) makes the back-test, and all its customers train; without it only INPUT
    trains and nothing is validated. `seed` draws the intervals. `learned`: of an earlier day, applied instead of fitted.
    `currency`: of the amounts, where it is known.

    Raises DataError when INPUT has several `as_of` or an impossible history, when `orders` lacks or contradicts customers of
    INPUT, when the horizon is no day of the calendar, or when a family asked for by name has fewer than 100 repeat buyers;
    ConfigError when `learned` cannot be applied.
    """
    applied = saved.read(learned, settings, currency) if learned is not None else None
    as_of = agreement.one_day(customers, "clv")
    agreement.check_histories(customers)
    kept = customers.drop(CUSTOMERS.names("clv"), strict=False)
    if as_of is None:
        nothing = {"horizon": {"text": str(settings.horizon), "until": None, "days": None}} | appraisal_facts.nothing()
        nothing["margin"] = margins.facts(settings, None)
        return Outcome(_filled(kept, None), Rows(0, 0), metrics=nothing, closing="0 customers")
    margins.check(customers, settings)
    parts = slices_of(settings.horizon, as_of, settings.annual_discount)
    source, after = (customers, None) if orders is None else agreement.reconciled(customers, orders, as_of)
    base = Base.of(_known(source, customers), as_of)
    until = as_of + timedelta(days=parts.horizon_days)
    metrics: dict[str, Any] = {
        "horizon": {"text": str(settings.horizon), "until": until.isoformat(), "days": parts.horizon_days},
        "margin": margins.facts(settings, None),
    }
    rows = Rows(customers.height, customers.height, after_as_of=after)
    if base is None:
        closing = f"{counted(customers.height, 'customer')}, none with a purchase"
        return Outcome(_filled(kept, None), rows, as_of=as_of, metrics=metrics | appraisal_facts.nothing(), closing=closing)
    kept_of_money = margins.of_base(base, customers, settings)
    share = float(settings.margin) if kept_of_money is None else kept_of_money.shares
    terms = Terms(share, settings.interval, seed, base.log_days)
    if applied is not None:
        made, around_model, told = _apply(base, applied, settings, parts, terms)
    else:
        made, around_model, told = _make(base, orders, settings, parts, terms), {}, ()
    around = Setting(base.buyers, parts.horizon_days, base.log_days, orders is not None, not settings.no_backtest)
    return Outcome(
        frame=_filled(kept, _columns(base, made)),
        rows=rows,
        as_of=as_of,
        metrics=metrics | {"margin": margins.facts(settings, kept_of_money)} | appraisal_facts.facts(made) | around_model,
        warnings=(
            *told,
            *(Notice(code, text) for code, text in appraisal_notes.notes(made, around)),
            *margins.notices(base, customers, orders, settings, kept_of_money),
        ),
        learned=learned
        or saved.document(
            made.trial,
            made.status if made.value else made.rung.status,
            as_of,
            parts.horizon_days,
            Spread.of(made.rung.method, made.trial.tests),
            currency,
        ),
        closing=_closing(customers.height, made, until),
    )


def _apply(
    base: Base, applied: Saved, settings: ClvSettings, parts: Slices, terms: Terms
) -> tuple[Made, dict[str, Any], tuple[Notice, ...]]:
    """Value the base by a saved model: what it gives, facts about the model, and what must be known of it."""
    found = applied.trial(settings, base.buyers)
    value = found.value(base.buyers)
    numbers = appraise(found.rung, base.buyers, value, None, applied.spread, parts, _groups(base.frame), terms)
    drifted = refit.refit(applied.params, base.buyers, parts)
    told = tuple(applied.notices(base.buyers, parts.horizon_days, drifted))
    history = alive_history.told(found.rung.alive, base.buyers, base.log_days)
    return Made(found, value, numbers, applied_of=applied.as_of.isoformat(), history=history), applied.facts(drifted), told


def _make(base: Base, orders: pl.LazyFrame | None, settings: ClvSettings, parts: Slices, terms: Terms) -> Made:
    """Fit, test, choose a rung, forecast."""
    found = tried(base, orders, settings, parts.horizon_days, wanted=not settings.no_backtest)
    rung, value = found.trial.rung, found.trial.value(base.buyers)
    recent = None
    if rung.needs_recent and orders is not None:
        recent = past.recent(base, orders, min(parts.horizon_days, base.log_days))
    spread = Spread.of(rung.method, found.trial.tests)
    numbers = appraise(rung, base.buyers, value, recent, spread, parts, _groups(base.frame), terms)
    history = alive_history.told(rung.alive, base.buyers, base.log_days)
    return Made(found.trial, value, numbers, found.rhythm, found.tracking, history=history)


def _known(source: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """The customers to fit with what the totals ask of them: `in_input`, and `segment` where INPUT has it."""
    asked = [name for name in ("customer_id", "segment") if name in customers.columns]
    marked = customers.select(asked).with_columns(in_input=pl.lit(value=True))
    joined = source.drop("segment", strict=False).join(marked, on="customer_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("in_input").fill_null(value=False))


def _groups(bought: pl.DataFrame) -> Groups:
    """Who the totals are about: the buyers of INPUT, by segment where INPUT has segments."""
    nobody = pl.lit(-1, pl.Int64)
    if "segment" not in bought.columns:
        return Groups(bought.select(pl.when("in_input").then(pl.lit(0, pl.Int64)).otherwise(nobody)).to_series().to_numpy())
    names = bought.filter("in_input")["segment"].unique().drop_nulls().sort().to_list()
    number = pl.col("segment").replace_strict(dict(zip(names, range(len(names)), strict=True)), default=0, return_dtype=pl.Int64)
    return Groups(bought.select(pl.when("in_input").then(number).otherwise(nobody)).to_series().to_numpy(), tuple(names))


def _columns(base: Base, made: Made) -> pl.DataFrame:
    """The clv columns of every buyer of the base, with `customer_id`."""
    numbers = made.numbers
    found = {
        "p_alive": numbers.p_alive,
        "expected_orders": numbers.orders,
        "expected_spend": numbers.spend,
        "clv": numbers.clv,
        "clv_low": numbers.low,
        "clv_high": numbers.high,
    }
    days = pl.Series(
        "days", numbers.next_order_days if numbers.next_order_days is not None else [None] * base.frame.height, pl.Int64
    )
    epoch = (base.as_of - date(1970, 1, 1)).days
    return base.frame.select("customer_id").with_columns(
        *(
            pl.Series(name, values if values is not None else [None] * base.frame.height, pl.Float64)
            for name, values in found.items()
        ),
        pl.when(days > 0).then(days + epoch).cast(pl.Int32).cast(pl.Date).alias("next_order_on"),
        pl.lit(made.rung.method).alias("clv_method"),
        pl.lit(made.status).alias("clv_status"),
    )


def _filled(kept: pl.DataFrame, columns: pl.DataFrame | None) -> pl.DataFrame:
    """INPUT with the clv columns at its end; who has none did not buy."""
    if columns is None:
        columns = pl.DataFrame(
            schema={"customer_id": pl.String}
            | {one.name: polars_type(one) for one in CUSTOMERS.of_stage("clv") if not one.optional}
        )
    return kept.join(columns, on="customer_id", how="left", maintain_order="left").with_columns(
        pl.col("clv_method").fill_null("none"), pl.col("clv_status").fill_null(NO_PURCHASE)
    )


def _closing(customers: int, made: Made, until: date) -> str:
    numbers = made.numbers
    expected = f"{counted(round(numbers.total.orders), 'order')}"
    if numbers.total.spend is not None:
        expected += f" and {numbers.total.spend:,.0f}"
    without = (
        f", {customers - numbers.total.customers:,} of them without a purchase" if customers > numbers.total.customers else ""
    )
    verdict = appraisal_notes.verdict(made.trial, made.applied_of)
    return f"{counted(customers, 'customer')}{without}, {expected} expected until {until} ({verdict})"
