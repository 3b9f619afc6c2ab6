"""Invented shop for the report's tests: a log of one year, its customers as the chain would leave them, and their footer."""

from __future__ import annotations

import math
import random
from copy import deepcopy
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from clm import tables
from clm.settings import CohortSettings
from clm.stages.cohort import cohort

AS_OF = date(2023, 12, 20)  # December is running
HOSTILE = (
    "</script><script>alert(1)</script>",
    "{{7*7}}{% for x in y %}",
    "[red]bold[/red] :smile:",
    "\x1b[31mred\x1b[0m\x9b2J\x00\x07",
    '=HYPERLINK("http://x.test","y")',
    "\u202egnp.exe\u2066 a|b `c` <img src=x onerror=alert(1)>",
    "http://evil.test/?a=1&b=2",
)


def log() -> pl.DataFrame:
    """TRANSACTIONS of 200 buyers and two people who only returned something; some lines come back, one is free."""
    dice = random.Random(7)
    rows: list[tuple[str, str, datetime, Decimal, str]] = []
    for number in range(200):
        day = date(2023, 1, 5) + timedelta(days=dice.randrange(200))
        pace = dice.choice((9, 25, 60, 400))
        while day <= AS_OF:
            order = f"o{len(rows):05d}"
            amount = Decimal(dice.randrange(500, 20_000)) / 100
            rows.append((f"c{number:03d}", order, datetime(day.year, day.month, day.day, 10), amount, tables.SALE))
            if dice.random() < 0.05:
                back = min(day + timedelta(days=2), AS_OF)
                stamp = datetime(back.year, back.month, back.day, 9)
                rows.append((f"c{number:03d}", f"r{len(rows):05d}", stamp, -amount / 2, tables.RETURN))
            day += timedelta(days=1 + int(dice.expovariate(1 / pace)))
            if dice.random() < 0.06:
                break
    noon = datetime(2023, 6, 1, 12)
    rows += [(person, f"r{person}", noon, Decimal("-12.50"), tables.RETURN) for person in ("z1", "z2")]
    rows.append(("c000", "free", datetime(2023, 12, 1, 8), Decimal(0), tables.SALE))
    names = ("customer_id", "order_id", "ordered_at", "amount", "kind")
    types = {"ordered_at": pl.Datetime("us"), "amount": pl.Decimal(18, 4)}
    return pl.DataFrame(rows, schema=list(names), orient="row").cast(types).with_row_index("source_line", 1)


def customers(orders: pl.DataFrame | None = None) -> pl.DataFrame:
    """CUSTOMERS with every stage's columns; scores, value and churn are invented, the rest counted from the log."""
    lines = log() if orders is None else orders
    sale = pl.col("kind") == tables.SALE
    day = pl.col("ordered_at").dt.date()
    amount = pl.col("amount").cast(pl.Decimal(38, 4))
    counted = lines.group_by("customer_id").agg(
        first_order_on=day.filter(sale).min(),
        last_order_on=day.filter(sale).max(),
        orders=pl.col("order_id").filter(sale).n_unique().cast(pl.Int64),
        order_days=day.filter(sale).n_unique().cast(pl.Int64),
        spend=amount.sum(),
        spend_90d=amount.filter(day > AS_OF - timedelta(days=90)).sum(),
        spend_365d=amount.sum(),
        returned_amount=-amount.filter(~sale).sum(),
        returns=(~sale).sum().cast(pl.Int64),
    )
    known = counted.with_columns(
        as_of=pl.lit(AS_OF),
        recency_days=(pl.lit(AS_OF) - pl.col("last_order_on")).dt.total_days().cast(pl.Int32),
        age_days=(pl.lit(AS_OF) - pl.col("first_order_on")).dt.total_days().cast(pl.Int32),
        repeat_days=pl.when(pl.col("orders") > 0).then(pl.col("order_days") - 1),
    )
    bought = pl.col("orders") > 0
    silent = pl.col("recency_days")
    steps = sum(((silent <= limit).cast(pl.Int32) for limit in (20, 60, 120, 200)), start=pl.lit(1, pl.Int32))
    scored = known.with_columns(
        r_score=pl.when(bought).then(steps),
        f_score=pl.when(bought).then(pl.col("order_days").clip(1, 5).cast(pl.Int32)),
    ).with_columns(
        segment=pl.when(~bought)
        .then(pl.lit(tables.NO_PURCHASE))
        .when((pl.col("r_score") == 5) & (pl.col("f_score") >= 4))
        .then(pl.lit("champion"))
        .when(pl.col("r_score") >= 4)
        .then(pl.lit("potential_loyalist"))
        .when(pl.col("f_score") >= 3)
        .then(pl.lit("at_risk"))
        .otherwise(pl.lit("hibernating")),
    )
    stages = pl.when(silent > 120).then(pl.lit("lost")).when(silent > 60).then(pl.lit("at_risk"))
    stages = stages.when(pl.col("order_days") > 4).then(pl.lit("loyal")).otherwise(pl.lit("new"))  # type: ignore[assignment]
    tier = pl.when(pl.col("spend") > 1000).then(pl.lit("A1")).otherwise(pl.lit("B2"))
    scored = scored.with_columns(
        lifecycle=pl.when(bought).then(stages).otherwise(pl.lit(tables.NO_PURCHASE)), tier=pl.when(bought).then(tier)
    )
    rate = (pl.col("repeat_days") + 0.5) / (pl.col("age_days") + 60)
    alive = 1 / (1 + (pl.col("recency_days") / 90) ** 2)
    valued = scored.with_columns(p_alive=alive).with_columns(expected_orders=pl.col("p_alive") * rate * 365)
    worth = valued.with_columns(expected_spend=pl.col("expected_orders") * 80.0, lost=(-pl.col("expected_orders") / 3).exp())
    done = worth.with_columns(
        clv=pl.col("expected_spend") * 0.95,
        clv_low=pl.col("expected_spend") * 0.2,
        clv_high=pl.col("expected_spend") * 2.0,
        clv_method=pl.when(bought).then(pl.lit("mbgnbd")).otherwise(pl.lit("none")),
        clv_status=pl.when(bought).then(pl.lit("ok")).otherwise(pl.lit(tables.NO_PURCHASE)),
        churn_probability=pl.col("lost"),
        churn_risk=pl.when(pl.col("lost") < 0.5)
        .then(pl.lit("low"))
        .when(pl.col("lost") < 0.8)
        .then(pl.lit("medium"))
        .when(bought)
        .then(pl.lit("high")),
        days_overdue=pl.col("recency_days") - 60,
        churn_method=pl.when(bought).then(pl.lit("logistic")).otherwise(pl.lit("none")),
        churn_status=pl.when(bought).then(pl.lit("ok")).otherwise(pl.lit(tables.NO_PURCHASE)),
    ).sort("customer_id")
    return _as_contract(done)


def _as_contract(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of CUSTOMERS in their order and type; what the sample does not invent is null."""
    types: dict[str, Any] = {"String": pl.String, "Date": pl.Date, "Int32": pl.Int32, "Int64": pl.Int64, "Float64": pl.Float64}
    columns = []
    for column in tables.CUSTOMERS.columns:
        kind = types.get(column.dtype, pl.Decimal(38, 4))
        source = pl.col(column.name) if column.name in frame.columns else pl.lit(None)
        columns.append(source.cast(kind).alias(column.name))
    return frame.select(columns)


def migration() -> dict[str, Any]:
    """Metrics of `migrate` since the month before: one moved up, one is new, one lost."""
    cells = [("loyal", "champion"), ("(new)", "champion"), ("champion", "(lost)")]
    values = {"spend_before": "10.0000", "spend_after": "12.5000", "clv_before": 4.0, "clv_after": 5.0}
    ways = {"up": 1, "down": 0, "side": 0, "new": 1, "lost": 1, "moved": 1, "stayed": 0, "moved_share": 1.0}
    found = [{"from": was, "to": now, "customers": 1, "share": 1.0} | values for was, now in cells]
    return {"from": "2023-11-20", "to": "2023-12-20", "segment": {"codes": ["champion", "loyal"], "cells": found} | ways}


def cohorts(orders: pl.DataFrame | None = None, period: str = "month") -> pl.DataFrame:
    """COHORTS of the log, by month or another period."""
    lines = log() if orders is None else orders
    return cohort(lines.lazy(), CohortSettings(as_of=AS_OF, period=period)).frame.lazy().collect()


def empty() -> pl.DataFrame:
    """CUSTOMERS without a row."""
    return customers().clear()


def without(frame: pl.DataFrame, *stages: str) -> pl.DataFrame:
    """The table as it was before these stages ran."""
    return frame.drop(tables.CUSTOMERS.names(*stages)) if stages else frame


def _retained(share: float) -> list[dict[str, Any]]:
    """A curve that has lost the same share by every month."""
    return [
        {"months": n, "days": 30 * n, "at_risk": 50, "survival": share, "low": share - 0.1, "high": share + 0.1}
        for n in (0, 1, 3, 6)
    ]


def _lives(of: str, group: str | None, customers: int, share: float) -> dict[str, Any]:
    median = {"median_days": 90, "median_low": 70, "median_high": None}
    return {"of": of, "group": group, "customers": customers, "left": 40, "retention": _retained(share), **median}


def costs() -> dict[str, Any]:
    """`metrics.costs` of clv: three groups, one not paid back, one without a cac."""

    def row(by: str, group: str | None, people: int, **more: Any) -> dict[str, Any]:
        money = {"acquisition": "100.0000", "retention": "20.0000", "cost": "120.0000", "margin_to_date": "90.0000", "clv": 60.0}
        ratios = {"cac": 25.0, "crv": -40.0, "ltv_cac": 0.6, "lifetime_cac": 1.5, "roi_to_date": -0.25, "roi": 0.25}
        paid = {"payback_month": 3, "payback_missing": None}
        return {"by": by, "group": group, "with_cac": people, "acquisition_left": "7.0000"} | money | ratios | paid | more

    nothing = dict.fromkeys(("acquisition", "retention", "cost", "margin_to_date", "clv", "cac", "ltv_cac", "roi"))
    return {
        "account": {"acquisition": {"in": "107.0000", "shared": "100.0000", "no_new_customers": "7.0000"}},
        "left_out": {"customers": 4, "reasons": {"before_costs": 4}},
        "total": row("all", None, 4),
        "groups": [
            row("cohort", "2023-01", 4, payback_month=None, payback_missing=3.5),
            row("channel", "web", 4),
            row("channel", None, 0, **nothing),
        ],
    }


def facts(frame: pl.DataFrame | None = None) -> dict[str, Any]:
    """A complete footer: churn's own facts, and clean, rfm, segment, clv and one source among the ancestors."""
    table = customers() if frame is None else frame
    total = math.fsum(table["clv"].drop_nulls().to_list())
    orders = math.fsum(table["expected_orders"].drop_nulls().to_list())
    tests = [
        {
            "name": name, "kind": kind, "origin": origin, "horizon_days": 91, "customers": 180, "bias": bias, "rmse": rmse,
            "mae": rmse / 2,
            "msle": rmse / 5, "poisson_deviance": rmse * 0.9, "spearman": None if name == "mean" else 0.5, "gini": 0.6,
            "capture_10": 0.4, "capture_20": 0.6,
        }
        for origin, shift in (("2023-09-20", 0.0), ("2023-06-21", 0.02))
        for name, kind, bias, rmse in (
            ("mbgnbd", "model", -0.08 + shift, 0.91), ("bgnbd", "model", -0.1, 0.93), ("mean", "baseline", 0.4, 1.2),
        )
    ]  # fmt: skip
    clv = {
        "stage": "clv",
        "settings": {"horizon": "12m", "annual_discount": 0.1, "margin": 0.35, "interval": 0.8, "model_family": "auto"},
        "warnings": [{"code": "tested_shorter", "text": "tested over 13 weeks, forecast over 52 weeks"}],
        "metrics": {
            "horizon": {"text": "12m", "until": "2024-12-20", "days": 366},
            "model": {
                "family": "mbgnbd", "erlang": 1, "time_unit": "week", "parameters": {"r": 0.69, "alpha": 9.89},
                "standard_errors": {"r": 0.03, "alpha": None}, "log_likelihood": -1732.25, "identified": True,
            },
            "spend": {"family": "gammagamma", "parameters": {"p": 5.1}, "standard_errors": {"p": 0.2}, "identified": False},
            "backtest": tests,
            "deciles": [
                {
                    "decile": n, "customers": 20, "predicted": 3.0 / n, "actual": 3.2 / n,
                    "baseline": "rate", "baseline_predicted": 2.0 / n, "baseline_actual": 2.5 / n,
                }
                for n in range(1, 11)
            ],
            "tracking": [
                {"origin": origin, "week": week, "days": 7 * week, "predicted": 11.0 * week, "actual": 10.0 * week + 3}
                for origin in ("2023-09-20", "2023-06-21") for week in range(1, 7)
            ],
            "alive_history": {
                "family": "mbgnbd", "step_days": 5,
                "patterns": [
                    {"pattern": name, "orders": orders, "p_alive": [0.9 - at * fall for at in range(49)]}
                    for name, orders, fall in (("often", [0, 10, 120], 0.018), ("rare", [0, 40, 240], 0.001), ("once", [0], 0.01))
                ],
            },
            "beats_best_baseline": {"rmse": True, "poisson_deviance": True, "gini": False},
            "costs": costs(),
            "totals": {
                "clv": total, "clv_low": total * 0.8, "clv_high": total * 1.3,
                "expected_orders": orders, "expected_orders_low": orders * 0.9, "expected_orders_high": orders * 1.2,
            },
        },
    }  # fmt: skip
    scores = {"average_precision": 0.8, "log_loss": 0.5, "brier": 0.2, "top_decile_lift": 1.2, "calibration_error": 0.03}
    churn = {
        "horizon_days": 56,
        "candidates": [{"name": name, "auc": auc, **scores} for name, auc in (("hiatus", 0.78), ("logistic", 0.81))],
        "chosen": "logistic",
        "differences": [
            {"name": "hiatus", "against": "logistic", "score": "auc", "difference": -0.03, "low": -0.05, "high": -0.01},
            {"name": "hiatus", "against": "logistic", "score": "log_loss", "difference": 0.02, "low": 0.01, "high": 0.03},
        ],
        "importance": [{"quantity": "silent_days", "log_loss": 0.11, "auc": 0.09}],
        "psi": 0.12,
        "psi_score": 0.05,
        "psi_features": {"silent_days": 0.12},
        "reliability": [
            {"bin": n, "customers": 20, "predicted": n / 10 - 0.05, "observed": min(1.0, n / 10)} for n in range(1, 11)
        ],
        "base_rate_test": 0.6,
        "gain": [{"share": 0.1, "captured": 0.16}, {"share": 0.2, "captured": 0.3}, {"share": 1.0, "captured": 1.0}],
        "gain_hiatus": [{"share": 0.1, "captured": 0.12}, {"share": 0.2, "captured": 0.25}, {"share": 1.0, "captured": 1.0}],
        "profit": {
            "offer": 10.0,
            "contact": 0.5,
            "accept": 0.1,
            "valued": 200,
            "contacts": 60,
            "expected_profit": 800.0,
            "expected_kept": 4.2,
            "expected_profit_of_all": 300.0,
            "risk_from": {"medium": 0.3, "high": 0.7},
            "test": {
                "on": "2024-01-31",
                "contacts": 55,
                "expected_profit": 700.0,
                "realised_profit": 650.0,
                "curve": [
                    {"share": 0.1, "customers": 20, "expected": 400.0, "realised": 390.0},
                    {"share": 0.5, "customers": 100, "expected": 690.0, "realised": 640.0},
                    {"share": 1.0, "customers": 200, "expected": 250.0, "realised": -120.0},
                ],
            },
        },
        "early_warning": {"since": "2024-02-29", "new": 12, "known": 7, "within": 90, "clv": 345.6},
        "survival": {
            "horizon_days": 56,
            "too_new": 9,
            "observed_until": "2023-10-25",
            "small": {"cohort": {"groups": 2, "customers": 12, "told": False}},
            "unknown": {"cohort": 3},
            "all": _lives("all", None, 150, 0.6) | {"curve": _retained(0.6)},
            "groups": [_lives("cohort", "2023-01", 90, 0.5), _lives("segment", "loyal", 60, 0.8)],
        },
    }
    clean = {
        "stage": "clean",
        "settings": {"map": {"customer_id": "会员编号"}, "duplicates": "drop", "keep": [], "seed": 0},
        "rows": {"in": 2000, "out": 1960, "rejected": {"no_customer": 30, "date": 8}, "collapsed": {"duplicate": 2}},
        "amount": {
            "in": "123456.7800", "out": "120000.0000", "rejected": {"no_customer": "3400.0000", "date": "56.7800"},
            "collapsed": {"duplicate": "0.0000"},
        },
        "warnings": [],
        "metrics": {"quality": {"flagged_rows": 9, "flags": {"zero_price": {"rows": 9, "amount": "0.0000"}}}},
    }  # fmt: skip
    rfm = {"stage": "rfm", "settings": {"as_of": "last-day", "bins": 5}, "rows": {"after_as_of": 3}, "warnings": []}
    return deepcopy({
        "schema": 1, "table": "CUSTOMERS", "clm_version": "0.1.0", "stage": "churn", "as_of": AS_OF.isoformat(),
        "currency": "GBP", "zone": "Europe/London", "settings": {"horizon": None, "method": "auto"}, "rows": {},
        "metrics": churn, "warnings": [{"code": "unheard_of", "text": "something new"}],
        "ancestors": [
            {"source": "orders 2023.csv", "bytes": 123456, "sha256": "ab" * 32}, clean, rfm,
            {"stage": "segment", "settings": {"scheme": "grid"}, "metrics": {"tiers": {"A1": 1, "B2": 1}}}, clv,
        ],
    })  # fmt: skip
