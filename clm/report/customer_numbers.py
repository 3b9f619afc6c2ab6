"""Numbers that come from the customer table: overview, segments, RFM grid, value, churn.

It may not read files or words; it adds rows to the sheet it is given. Float sums are exact (`math.fsum`), so the order of
customers does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from clm import tables
from clm.report import group_numbers, spread_numbers
from clm.report.concentration import curve
from clm.report.footer_numbers import stage_facts
from clm.report.numbers import ACTIVE_DAYS, TOP_SHARES, Sheet, finite

_GRID_BINS = 5


def add(sheet: Sheet, customers: pl.DataFrame, facts: dict[str, Any]) -> None:
    """Add every section whose columns the table has."""
    customers = _told(customers)
    buyers = customers.filter(pl.col("orders") > 0)
    _overview(sheet, customers, buyers)
    group_numbers.add(sheet, buyers)
    made = stage_facts(facts, "segment").get("metrics", {})
    orders = {"segment": tables.SEGMENTS, "lifecycle": tables.LIFECYCLES, "tier": tuple(made.get("tiers", {}))}
    for section, column in (("segments", "segment"), ("lifecycle", "lifecycle"), ("tiers", "tier")):
        if column in customers.columns:
            _grouped(sheet, section, column, orders[column], customers, buyers)
    if {"r_score", "f_score"} <= set(customers.columns):
        _grid(sheet, buyers, facts)
    if "clv" in customers.columns:
        _value(sheet, customers, buyers, facts)
    if "churn_probability" in customers.columns:
        _churn(sheet, customers, buyers, facts)


def unknowable(customers: pl.DataFrame) -> bool:
    """Whether each expectation is the mean of customers of whom nobody came back: that 0 is not known."""
    if not {"clv_method", "expected_orders"} <= set(customers.columns):
        return False
    buyers = customers.filter(pl.col("orders") > 0)
    return buyers["clv_method"].unique().to_list() == ["mean"] and not (buyers["expected_orders"] != 0).any()


def _told(customers: pl.DataFrame) -> pl.DataFrame:
    """The table; expectations become null where they cannot be known."""
    if not unknowable(customers):
        return customers
    empty = (pl.lit(None).cast(pl.Float64).alias(name) for name in ("expected_orders", "expected_spend", "clv"))
    return customers.with_columns(empty)


def float_sum(column: pl.Series) -> float | None:
    """The exactly rounded sum of what is known; None when nothing is."""
    known = column.drop_nulls()
    return math.fsum(known.to_list()) if len(known) else None


def money_sum(column: pl.Series) -> Decimal | None:
    """The exact sum of what is known; None when nothing is (a log without amounts)."""
    known = column.drop_nulls()
    total = known.sum() if len(known) else None
    return total if isinstance(total, Decimal) else None


def ratio(part: float | Decimal | None, whole: float | Decimal | None) -> float | None:
    """part ÷ whole where that means something: a whole of nothing or less has no shares."""
    return float(part) / float(whole) if part is not None and whole is not None and whole > 0 else None


def _active() -> pl.Expr:
    return pl.col("recency_days") < ACTIVE_DAYS


def _overview(sheet: Sheet, customers: pl.DataFrame, buyers: pl.DataFrame) -> None:
    orders = int(customers["orders"].sum())
    revenue = money_sum(customers["spend"])
    repeat = buyers.filter(pl.col("order_days") > 1).height
    active = buyers.filter(_active()).height
    window = f"{ACTIVE_DAYS}d"
    sheet.add("overview", "customers", customers.height, n=customers.height)
    sheet.add("overview", "buyers", buyers.height, n=buyers.height)
    sheet.add("overview", "no_purchase", customers.height - buyers.height, n=customers.height - buyers.height)
    sheet.add("overview", "orders", orders, n=buyers.height)
    sheet.add("overview", "net_revenue", revenue, n=customers.height)
    returned = customers["returned_amount"]
    sheet.add("overview", "returned", money_sum(returned), n=int((returned > 0).sum()))
    sheet.add("overview", "average_order", ratio(revenue, orders), n=buyers.height)
    sheet.add("overview", "repeat_customers", repeat, n=buyers.height)
    sheet.add("overview", "repeat_rate", ratio(repeat, buyers.height), n=buyers.height)
    sheet.add("overview", "active_customers", active, period=window, n=buyers.height)
    sheet.add("overview", "active_share", ratio(active, buyers.height), period=window, n=buyers.height)
    first, last = buyers["first_order_on"].min(), buyers["last_order_on"].max()
    if isinstance(first, date) and isinstance(last, date):
        sheet.add("quality", "window", (last - first).days + 1, period=f"{first}/{last}", n=buyers.height)


def _grouped(
    sheet: Sheet, section: str, column: str, order: Sequence[str], customers: pl.DataFrame, buyers: pl.DataFrame
) -> None:
    """One group per code of the column: the known ones in their order, then others by name, then customers without a sale."""
    asked = [
        name for name in (column, "orders", "spend", "recency_days", "clv", "churn_probability") if name in customers.columns
    ]
    customers = customers.select(asked)  # of all its columns parting the table would take longest
    present = customers[column].drop_nulls().unique().to_list()
    places = {code: place for place, code in enumerate(order)} | {tables.NO_PURCHASE: math.inf}
    revenue_whole = money_sum(buyers["spend"])
    value_whole = float_sum(buyers["clv"]) if "clv" in buyers.columns else None
    groups = customers.partition_by(column, as_dict=True)
    for code in sorted(present, key=lambda code: (places.get(code, len(places)), code)):
        members = groups[(code,)]
        n, bought = members.height, members.filter(pl.col("orders") > 0)
        revenue = money_sum(members["spend"])
        sheet.add(section, "customers", n, group=code, n=n)
        sheet.add(section, "revenue", revenue, group=code, n=n)
        sheet.add(section, "orders", int(members["orders"].sum()), group=code, n=n)
        if bought.height:
            bought_for = money_sum(bought["spend"])
            sheet.add(section, "customer_share", ratio(bought.height, buyers.height), group=code, n=n)
            sheet.add(section, "revenue_share", ratio(bought_for, revenue_whole), group=code, n=n)
            silent = finite(bought["recency_days"].median())
            sheet.add(section, "median_recency_days", silent, group=code, n=n)
        if "clv" in members.columns and bought.height:
            value, known = float_sum(bought["clv"]), bought["clv"].count()
            sheet.add(section, "clv", value, group=code, n=n)
            sheet.add(section, "mean_clv", ratio(value, known), group=code, n=n)
            sheet.add(section, "clv_share", ratio(value, value_whole), group=code, n=n)
        if "churn_probability" in members.columns and bought.height:
            lost, known = float_sum(bought["churn_probability"]), bought["churn_probability"].count()
            sheet.add(section, "mean_churn", ratio(lost, known), group=code, n=n)


def _grid(sheet: Sheet, buyers: pl.DataFrame, facts: dict[str, Any]) -> None:
    """Customers in each cell of recency × frequency; an empty cell is a true 0."""
    scored = buyers.drop_nulls(["r_score", "f_score"])
    if scored.is_empty():
        return
    set_to = finite(stage_facts(facts, "rfm").get("settings", {}).get("bins"))
    seen = max(int(scored[name].max()) for name in ("r_score", "f_score"))  # type: ignore[arg-type]
    bins = max(int(set_to or _GRID_BINS), seen)
    sheet.add("rfm_grid", "bins", bins)
    counts = {(r, f): n for r, f, n in scored.group_by("r_score", "f_score").len().iter_rows()}
    for f in range(bins, 0, -1):
        for r in range(1, bins + 1):
            n = counts.get((r, f), 0)
            sheet.add("rfm_grid", "customers", n, group=f"r{r}f{f}", n=n)
            sheet.add("rfm_grid", "customer_share", n / scored.height, group=f"r{r}f{f}", n=n)


def _value(sheet: Sheet, customers: pl.DataFrame, buyers: pl.DataFrame, facts: dict[str, Any]) -> None:
    made = stage_facts(facts, "clv").get("metrics", {})
    horizon = made.get("horizon") if isinstance(made.get("horizon"), dict) else {}
    period = horizon.get("text") or stage_facts(facts, "clv").get("settings", {}).get("horizon")
    period = period if isinstance(period, str) else None
    n = buyers["clv"].count()
    value, revenue = float_sum(buyers["clv"]), float_sum(buyers["expected_spend"])
    expected = float_sum(buyers["expected_orders"])
    fewest, most = _interval(made.get("totals"), "expected_orders", expected)
    low, high = _interval(made.get("totals"), "clv", value)
    sheet.add("clv", "horizon", finite(horizon.get("days")), period=period)
    known = buyers["expected_orders"].count()
    sheet.add("clv", "expected_orders", expected, period=period, lower=fewest, upper=most, n=known)
    sheet.add("clv", "expected_revenue", revenue, period=period, n=n)
    sheet.add("overview", "expected_revenue", revenue, period=period, n=n)
    sheet.add("clv", "clv", value, period=period, lower=low, upper=high, n=n)
    sheet.add("clv", "mean_clv", ratio(value, n), period=period, n=n)
    sheet.add("clv", "median_clv", finite(buyers["clv"].median()), period=period, n=n)
    sheet.add("clv", "expected_alive", float_sum(buyers["p_alive"]), n=buyers["p_alive"].count())
    _counts(sheet, "clv", "customers_by_method", buyers["clv_method"], tables.CLV_METHODS)
    _counts(sheet, "clv", "customers_by_status", customers["clv_status"], tables.CLV_STATUSES)
    _concentration(sheet, "spend", buyers["spend"])
    _concentration(sheet, "clv", buyers["clv"])
    spread_numbers.add(sheet, buyers["clv"])


def _interval(totals: Any, of: str, value: float | None) -> tuple[float | None, float | None]:
    """The total's interval from the footer, unless the table no longer adds up to the total it was made for."""
    if not isinstance(totals, dict) or value is None:
        return None, None
    total, low, high = (finite(totals.get(key)) for key in (of, f"{of}_low", f"{of}_high"))
    if total is None or not math.isclose(total, value, rel_tol=1e-6, abs_tol=1e-6):
        return None, None
    return low, high


def _concentration(sheet: Sheet, of: str, values: pl.Series) -> None:
    """What the best N % of buyers bring, and how few bring four fifths."""
    found = curve(values)
    if found is None:
        return
    for share in TOP_SHARES:
        top = math.ceil(round(share * found.customers, 6))
        group = f"top_{round(share * 100):03d}"
        sheet.add("clv", f"top_share_{of}", found.top_share(top), group=group, n=top)
    fewest = found.fewest(80)
    sheet.add("clv", f"four_fifths_{of}", fewest / found.customers, n=fewest)


def _churn(sheet: Sheet, customers: pl.DataFrame, buyers: pl.DataFrame, facts: dict[str, Any]) -> None:
    days = finite(stage_facts(facts, "churn").get("metrics", {}).get("horizon_days"))
    period = f"{int(days)}d" if days else None
    asked = [name for name in ("churn_probability", "churn_risk", "recency_days", "clv") if name in buyers.columns]
    scored = buyers.select(asked).drop_nulls("churn_probability")
    active = scored.filter(_active())
    lost = float_sum(active["churn_probability"])
    sheet.add("overview", "expected_lost", lost, period=period, n=active.height)
    sheet.add("overview", "expected_lost_share", ratio(lost, active.height), period=period, n=active.height)
    sheet.add("churn", "horizon", days, period=period)
    sheet.add("churn", "expected_lost", float_sum(scored["churn_probability"]), period=period, n=scored.height)
    for risk in tables.CHURN_RISKS if scored.height else ():
        members = scored.filter(pl.col("churn_risk") == risk)
        n = members.height
        sheet.add("churn", "customers_by_risk", n, group=risk, n=n)
        sheet.add("churn", "share_by_risk", ratio(n, scored.height), group=risk, n=n)
        sheet.add("churn", "active_by_risk", members.filter(_active()).height, group=risk, n=n)
        if "clv" in members.columns and scored["clv"].count():
            sheet.add("churn", "clv_by_risk", float_sum(members["clv"]) if n else 0.0, group=risk, n=n)
    known = buyers["days_overdue"].drop_nulls()
    if len(known):
        sheet.add("churn", "overdue", int((known > 0).sum()), n=len(known))
    _counts(sheet, "churn", "customers_by_method", buyers["churn_method"], tables.CHURN_METHODS)
    _counts(sheet, "churn", "customers_by_status", customers["churn_status"], tables.CHURN_STATUSES)


def _counts(sheet: Sheet, section: str, metric: str, codes: pl.Series, order: Sequence[str]) -> None:
    counts = dict(codes.drop_nulls().value_counts().iter_rows())
    for code in sorted(counts, key=lambda code: (order.index(code) if code in order else len(order), code)):
        sheet.add(section, metric, counts[code], group=code, n=counts[code])
