"""`clv`: what each customer will order and spend within a horizon, with the model's own test beside the number.

It may not look past `as_of`, hide which rung of the ladder made a number, or print P(alive) where attrition is not identified.
Frames are cut into arrays and arrays put back here; fits, tests and forecasts are made in models (ladder, backtest, appraisal).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from clm.dtypes import polars_type
from clm.errors import DataError
from clm.models import appraisal_facts, backtest, btyd, ladder, margin, valuation
from clm.models.appraisal import NEXT_ORDER_HORIZONS, Recent, Terms, appraise
from clm.models.appraisal_facts import Made, Setting
from clm.models.backtest import Scored, Window
from clm.models.ladder import Fits
from clm.models.margin import Margins
from clm.models.valuation import Buyers, Slices
from clm.outcome import Notice, Outcome, Rows, counted
from clm.settings import MARGIN_FROM_COST, ClvSettings
from clm.stages import snapshot
from clm.tables import CUSTOMERS, NO_PURCHASE
from clm.values import add_months

_LONGEST_DAYS = 36_525
# What INPUT and the log must agree on: counts, days and exact money, never a float.


@dataclass(frozen=True)
class _Base:
    """The buyers that are fitted and forecast, sorted by customer: rows (with `in_input`) and the same as arrays."""

    frame: pl.DataFrame
    buyers: Buyers
    as_of: date
    first: date

    @property
    def log_days(self) -> int:
        return (self.as_of - self.first).days


def clv(customers: pl.DataFrame, orders: pl.LazyFrame | None, settings: ClvSettings, seed: int) -> Outcome:
    """INPUT with the clv columns; its rows and other columns stay as they are, in their order.

    `orders` (TRANSACTIONS up to and beyond `as_of`) makes the back-test, and all its customers train; without it only INPUT
    trains and nothing is validated. `seed` draws the intervals.

    Raises DataError when INPUT has several `as_of` or an impossible history, when `orders` lacks or contradicts customers of
    INPUT, when the horizon is no day of the calendar, or when a family asked for by name has fewer than 100 repeat buyers.
    """
    as_of = snapshot.one_day(customers, "clv")
    snapshot.check_histories(customers)
    kept = customers.drop(CUSTOMERS.names("clv"), strict=False)
    if as_of is None:
        nothing = {"horizon": {"text": str(settings.horizon), "until": None, "days": None}} | appraisal_facts.nothing()
        nothing["margin"] = _margin_facts(settings, None)
        return Outcome(_filled(kept, None), Rows(0, 0), metrics=nothing, closing="0 customers")
    _check_margin(customers, settings)
    parts = _slices(settings, as_of)
    source, after = (customers, None) if orders is None else snapshot.reconciled(customers, orders, as_of)
    in_input = pl.col("customer_id").is_in(customers["customer_id"].implode()).alias("in_input")
    bought = source.filter(pl.col("orders") > 0).sort("customer_id").with_columns(in_input)
    until = as_of + timedelta(days=parts.horizon_days)
    metrics: dict[str, Any] = {
        "horizon": {"text": str(settings.horizon), "until": until.isoformat(), "days": parts.horizon_days},
        "margin": _margin_facts(settings, None),
    }
    rows = Rows(customers.height, customers.height, after_as_of=after)
    if bought.is_empty():
        closing = f"{counted(customers.height, 'customer')}, none with a purchase"
        return Outcome(_filled(kept, None), rows, as_of=as_of, metrics=metrics | appraisal_facts.nothing(), closing=closing)
    base = _Base(bought, _buyers(bought), as_of, bought["first_order_on"].min())  # type: ignore[arg-type]
    margins = _margins(base, customers, settings)
    made = _make(base, orders, settings, parts, seed, margins)
    around = Setting(base.buyers, parts.horizon_days, base.log_days, orders is not None, not settings.no_backtest)
    return Outcome(
        frame=_filled(kept, _columns(base, made)),
        rows=rows,
        as_of=as_of,
        metrics=metrics | {"margin": _margin_facts(settings, margins)} | appraisal_facts.facts(made),
        warnings=(
            *(Notice(code, text) for code, text in appraisal_facts.notes(made, around)),
            *_margin_notices(customers, settings, margins),
        ),
        learned=appraisal_facts.learned(made),
        closing=_closing(customers.height, made, until),
    )


def _slices(settings: ClvSettings, as_of: date) -> Slices:
    """The horizon cut at the calendar months after `as_of`, the last slice as long as what is left."""
    too_long = DataError(
        f"the horizon {settings.horizon} after {as_of} is longer than a century, or leaves the calendar",
        fix="give a shorter one, such as --horizon 12m",
        code="horizon",
    )
    try:
        until = settings.horizon.end(as_of)
    except (OverflowError, ValueError):
        raise too_long from None
    days = (until - as_of).days
    if days > _LONGEST_DAYS or days * NEXT_ORDER_HORIZONS > (date.max - as_of).days:
        raise too_long
    ends = [(add_months(as_of, month) - as_of).days for month in range(1, days // 28 + 1)]
    return valuation.slices([*(end for end in ends if end < days), days], settings.annual_discount)


def _buyers(bought: pl.DataFrame, *, money: bool | None = None) -> Buyers:
    """Customers with a sale as arrays; `money` says whether the log has amounts (by default: whether these rows have)."""
    if money is None:
        money = bought["spend"].null_count() < bought.height
    return Buyers(
        *(_floats(bought[name]) for name in ("repeat_days", "active_days", "age_days")),
        *(_floats(bought[name]) if money else None for name in ("spend", "repeat_spend")),
    )


def _floats(values: pl.Series) -> Any:
    """A float array; null becomes NaN, which the models take for unknown."""
    return values.cast(pl.Float64).to_numpy()


def _check_margin(customers: pl.DataFrame, settings: ClvSettings) -> None:
    """Raises DataError when the margin is to come from costs the table does not have."""
    if settings.margin == MARGIN_FROM_COST and ("cost" not in customers.columns or not customers["cost"].count()):
        raise DataError(
            "--margin cost: the table does not know what the goods cost",
            where="column cost",
            fix="map it when cleaning (--map cost=COLUMN) and keep `clm rfm --columns all`, or give a share: --margin 35%",
            code="no_cost",
        )


def _margins(base: _Base, customers: pl.DataFrame, settings: ClvSettings) -> Margins | None:
    """A margin for each buyer of the base where they come from costs; None where one share is given for all."""
    if settings.margin != MARGIN_FROM_COST:
        return None
    told = customers.select("customer_id", "cost")
    costs = base.frame.select("customer_id", "spend").join(told, on="customer_id", how="left", maintain_order="left")
    return margin.shrunken(_floats(costs["spend"]), _floats(costs["cost"]))


def _margin_facts(settings: ClvSettings, margins: Margins | None) -> dict[str, Any]:
    """Where the margin comes from; `share` is the given one, or the base's, to which each customer's own is drawn."""
    if settings.margin != MARGIN_FROM_COST:
        return {"from": "setting", "share": settings.margin, "customers": None}
    base, known = (margins.base, margins.known) if margins is not None else (None, 0)
    return {"from": "cost", "share": base, "customers": known}


def _margin_notices(customers: pl.DataFrame, settings: ClvSettings, margins: Margins | None) -> Iterator[Notice]:
    if margins is None:
        if settings.margin == 1.0 and "cost" in customers.columns and customers["cost"].count():
            yield Notice("margin_not_used", "clv is revenue, not margin: the log knows its costs, --margin cost takes them off")
    elif margins.base is None:
        yield Notice("no_margin", "no customer has both spend and cost: every margin is 0, and so is clv")
    elif margins.clipped:
        yield Notice(
            "margin_clipped",
            f"{counted(margins.clipped, 'customer')} whose goods cost more than was paid (or less than nothing): their margin "
            "is held between 0% and 100%",
        )


def _make(
    base: _Base, orders: pl.LazyFrame | None, settings: ClvSettings, parts: Slices, seed: int, margins: Margins | None
) -> Made:
    """Fit, test, choose a rung, forecast."""
    buyers, asked, estimator = base.buyers, settings.model_family, settings.estimator
    names = ladder.families(asked)
    fits = Fits({}, {}, {})
    tests: list[Scored] = []
    if buyers.repeat_buyers >= btyd.MIN_REPEAT_CUSTOMERS:
        fits = ladder.fit_families(names, buyers, estimator)
        if orders is not None and not settings.no_backtest:
            windows = _windows(base, orders, backtest.window_days(parts.horizon_days, base.log_days))
            tests = [backtest.run(window, names, estimator, settings.include_first) for window in windows]
        rung = ladder.pick(asked, fits, [score for test in tests for score in test.orders])
    elif asked == ladder.AUTO:
        rung = ladder.without_model(buyers)
    else:
        raise DataError(
            f"{asked} needs {btyd.MIN_REPEAT_CUSTOMERS} customers who ordered on a second day, here are {buyers.repeat_buyers}",
            fix="use --model-family auto, which falls back to a simpler forecast",
            code="few_repeat_buyers",
        )
    value = ladder.value(rung, buyers, settings.include_first, estimator)
    recent = _recent(base, orders, min(parts.horizon_days, base.log_days)) if rung.needs_recent and orders is not None else None
    share = float(settings.margin) if margins is None else margins.shares
    terms = Terms(share, settings.interval, seed, base.log_days)
    numbers = appraise(rung, buyers, value, recent, tests, parts, base.frame["in_input"].to_numpy(), terms)
    return Made(asked, estimator, fits, tuple(tests), rung, value, numbers)


def _windows(base: _Base, orders: pl.LazyFrame, days: int) -> list[Window]:
    """The past windows of this length, latest first: as_of − h, − 2h, … while h and 100 repeat buyers remain before them."""
    found: list[Window] = []
    later, here = base.frame, _bought(orders, base.as_of - timedelta(days=days))
    for number in range(1, backtest.MOST_ORIGINS + 1):
        on = base.as_of - timedelta(days=number * days)
        if (on - base.first).days < days or here.filter(pl.col("repeat_days") > 0).height < btyd.MIN_REPEAT_CUSTOMERS:
            break
        earlier = _bought(orders, on - timedelta(days=days))
        found.append(
            Window(
                origin=on.isoformat(),
                horizon_days=days,
                buyers=_buyers(here, money=base.buyers.spend is not None),
                recent_orders=_gained(here, earlier, here, "order_days"),
                earlier_recency=_floats(earlier["recency_days"]),
                earlier_returned=_gained(earlier, earlier, here, "order_days") > 0,
                orders=_gained(here, here, later, "order_days"),
                spend=_gained(here, here, later, "spend") if base.buyers.spend is not None else None,
            )
        )
        later, here = here, earlier
    return found


def _recent(base: _Base, orders: pl.LazyFrame, days: int) -> Recent:
    earlier = _bought(orders, base.as_of - timedelta(days=days))
    return Recent(_gained(base.frame, earlier, base.frame, "order_days"), days)


def _bought(orders: pl.LazyFrame, on: date) -> pl.DataFrame:
    return snapshot.take(orders, on).filter(pl.col("orders") > 0)


def _gained(rows: pl.DataFrame, start: pl.DataFrame, end: pl.DataFrame, column: str) -> Any:
    """What each customer of `rows` added to a running total between two snapshots; returns make money go down."""
    joined = rows.select("customer_id")
    for name, frame in (("start", start), ("end", end)):
        told = frame.select("customer_id", pl.col(column).alias(name))
        joined = joined.join(told, on="customer_id", how="left", maintain_order="left")
    return _floats(joined.select(pl.col("end").fill_null(0) - pl.col("start").fill_null(0)).to_series())


def _columns(base: _Base, made: Made) -> pl.DataFrame:
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
    expected = f"{counted(round(numbers.total_orders), 'order')}"
    if numbers.total_spend is not None:
        expected += f" and {numbers.total_spend:,.0f}"
    without = f", {customers - numbers.customers:,} of them without a purchase" if customers > numbers.customers else ""
    return f"{counted(customers, 'customer')}{without}, {expected} expected until {until} ({appraisal_facts.verdict(made)})"
