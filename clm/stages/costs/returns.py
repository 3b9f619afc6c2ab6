"""Returns: what each customer, cohort, channel and tier cost, brought and is worth, each number beside its definition.

It may not invent a cost: who came before the costs begin, or through what they do not name, has none, is counted, and is left
out of every ratio. Sums of groups are the totals, to the ten-thousandth where they are money of the past.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from clm import channels
from clm.errors import DataError
from clm.outcome import Outcome, money_text
from clm.stages.costs import payback, telling
from clm.stages.costs.margins import Margin
from clm.stages.costs.payback import Lives, Payback
from clm.stages.costs.shares import KINDS, SHARED, WHY, WITHOUT, Shares, shares
from clm.tables import SALE

COLUMNS = ("cac", "retention_cost", "margin_to_date", "crv", "ltv_cac", "roi")
DEFINITIONS: dict[str, str] = {
    "cac": "acquisition spend of the period and channel of the first order ÷ customers who came there then",
    "acquisition_left": "acquisition spend of the channel that won nobody: in no cac and no ratio",
    "retention": "retention spend ÷ customers known by the end of its period, by first channel",
    "cost": "acquisition + retention of those who have a cac",
    "margin_to_date": "margin of everything paid up to as_of, net of returns",
    "clv": "margin expected in the horizon, discounted: the future alone",
    "crv": "clv − cac",
    "ltv_cac": "clv ÷ cac",
    "lifetime_cac": "(margin_to_date + clv) ÷ cac",
    "roi_to_date": "(benefit − cost) ÷ cost, benefit = margin_to_date",
    "roi": "(benefit − cost) ÷ cost, benefit = margin_to_date + clv",
    "payback_month": "first month of life, 0 that of the first order, by whose end the mean margin per customer reaches the mean "
    "cac; month k is averaged over those who have lived it to its end",
}


def with_costs(outcome: Outcome, costs: pl.DataFrame, orders: pl.LazyFrame | None, setting: Any) -> Outcome:
    """The outcome of `clv` with the columns of COLUMNS, `metrics.costs` and its notices.

    `costs`: lines as `stages.clean.costs` reads them; `setting`: the margin, as the forecast was given it. Raises DataError when
    the table holds only some of the customers of `orders`: what was spent is shared by all who came.
    """
    table = outcome.frame.lazy().collect().drop(COLUMNS, strict=False)
    buyers = table.filter(pl.col("orders") > 0)
    day = table["as_of"].max()
    as_of = day if isinstance(day, date) else date.min
    if orders is not None:
        _check_whole(buyers, orders, as_of)
    keyed = buyers.select("customer_id", "first_order_on", _channel_key(buyers))
    found = shares(keyed, costs, as_of)
    margin = Margin.of(table, setting)
    joined = _columns(table.join(found.customers, on="customer_id", how="left", maintain_order="left"), margin)
    base = joined.filter(pl.col("orders") > 0).with_columns(
        pl.col("first_order_on").dt.strftime("%Y-%m").alias("cohort"), _channel(buyers).alias("channel")
    )
    known = base.filter(pl.col("cac").is_not_null())
    lived = payback.lives(_for_payback(known, margin), orders, as_of, margin) if orders is not None and known.height else None
    metrics = _metrics(found, base, lived)
    about = telling.About(found, base, costs, as_of, keyed["channel_key"].count() > 0)
    return replace(
        outcome,
        frame=joined.drop(WHY),
        metrics=outcome.metrics | {"costs": metrics},
        warnings=(*outcome.warnings, *telling.notices(about)),
        closing=f"{outcome.closing}, {telling.closing(metrics['total'])}",
    )


def _check_whole(buyers: pl.DataFrame, orders: pl.LazyFrame, as_of: date) -> None:
    bought = (pl.col("kind") == SALE) & (pl.col("ordered_at").dt.date() <= as_of)
    log = int(orders.filter(bought).select(pl.col("customer_id").n_unique()).collect(engine="streaming").item())
    if buyers.height < log:
        raise DataError(
            f"INPUT holds {buyers.height:,} of the {log:,} buyers of the orders: the costs are shared by all who came",
            where="--costs",
            fix="give the whole table of customers, and filter what comes out",
            code="costs_part",
        )


def _channel(buyers: pl.DataFrame) -> pl.Expr:
    return pl.col("first_channel") if "first_channel" in buyers.columns else pl.lit(None, pl.String)


def _channel_key(buyers: pl.DataFrame) -> pl.Expr:
    names = buyers.select(_channel(buyers).unique().alias("name"))["name"].drop_nulls().to_list()
    keys = [channels.key(name) for name in names]
    return _channel(buyers).replace_strict(names, keys, default=None, return_dtype=pl.String).alias("channel_key")


def _columns(joined: pl.DataFrame, margin: Margin) -> pl.DataFrame:
    """The table with its columns of costs and returns."""
    earned = pl.when(pl.col("orders") > 0).then(margin.earned("spend")).alias("margin_to_date")
    cac, clv = pl.col("cac").cast(pl.Float64), pl.col("clv")
    cost = (pl.col("cac") + pl.col("retention_cost").fill_null(0)).cast(pl.Float64)
    benefit = pl.col("margin_to_date").cast(pl.Float64) + clv
    rest = [name for name in joined.columns if name not in ("cac", "retention_cost", WHY)]
    return joined.with_columns(earned).select(
        *rest,
        "cac",
        "retention_cost",
        "margin_to_date",
        (clv - cac).alias("crv"),
        pl.when(cac > 0).then(clv / cac).alias("ltv_cac"),
        pl.when(cost > 0).then((benefit - cost) / cost).alias("roi"),
        WHY,
    )


def _for_payback(known: pl.DataFrame, margin: Margin) -> pl.DataFrame:
    goods = pl.col("cost").is_not_null() if margin.by_cost else pl.lit(value=False)
    return known.select("customer_id", "first_order_on", "channel", "cac", goods.alias("cost_known"))


def _metrics(found: Shares, base: pl.DataFrame, lived: Lives | None) -> dict[str, Any]:
    """`metrics.costs`: the account of the money, the file's lines, totals and groups, who is left out, and the definitions."""
    without = base.filter(pl.col("cac").is_null())
    reasons = dict(without[WHY].value_counts().iter_rows())
    left = _left(found)
    rows = [_row("all", None, base, sum(left.values(), Decimal(0)), _payback(lived, base, "all", None))]
    for by in ("cohort", "channel", "tier"):
        if by in base.columns and base[by].count():
            groups = base.partition_by(by, as_dict=True, maintain_order=False)
            ordered = sorted(groups, key=lambda key: (key[0] is None, str(key[0])))
            for (group,) in ordered:
                nobody = left.get(_key(group), Decimal(0)) if by == "channel" else None
                rows.append(_row(by, group, groups[(group,)], nobody, _payback(lived, base, by, group)))
    return {
        "definitions": DEFINITIONS,
        "account": {kind: {key: money_text(value) for key, value in found.account(kind).items()} for kind in KINDS},
        "total": rows[0],
        "groups": rows[1:],
        "left_out": {
            "customers": without.height,
            "reasons": {code: reasons[code] for code in WITHOUT if code in reasons},
            "retention": _text(_money(without, "retention_cost")),
            "margin_to_date": _text(_money(without, "margin_to_date")),
            "clv": _floats(without, "clv"),
        },
        "lines": [_line(line) for line in found.lines],
    }


def _key(name: str | None) -> str | None:
    return channels.key(name) if name is not None else None


def _left(found: Shares) -> dict[str | None, Decimal]:
    """Acquisition spend that won nobody, by channel: it is in nobody's cac, so it must be seen beside those that are."""
    left: dict[str | None, Decimal] = {}
    for line in found.lines:
        if line["acquisition"] is not None and line["acquisition_status"] != SHARED:
            left[_key(line["channel"])] = left.get(_key(line["channel"]), Decimal(0)) + line["acquisition"]
    return left


def _row(by: str, group: str | None, members: pl.DataFrame, nobody: Decimal | None, paid_back: Payback | None) -> dict[str, Any]:
    """One group: money of those with a cac, and the ratios of these sums; `nobody`: its acquisition spend that won nobody."""
    known = members.filter(pl.col("cac").is_not_null())
    n = known.height
    acquisition, retention = (_money(known, name) or Decimal(0) for name in ("cac", "retention_cost"))
    earned, clv = _money(known, "margin_to_date"), _floats(known, "clv")
    spent, cost = float(acquisition), float(acquisition + retention)
    benefit = float(earned) + clv if earned is not None and clv is not None else None
    reason = "no_cac" if not n else "no_amounts" if benefit is None else "no_cost" if cost == 0 else None
    record = {
        "by": by,
        "group": group,
        "customers": members.height,
        "with_cac": n,
        "acquisition": money_text(acquisition) if n else None,
        "acquisition_left": _text(nobody),
        "retention": money_text(retention) if n else None,
        "cost": money_text(acquisition + retention) if n else None,
        "margin_to_date": _text(earned),
        "clv": clv,
        "cac": spent / n if n else None,
        "crv": clv - spent if clv is not None and n else None,
        "ltv_cac": clv / spent if clv is not None and spent > 0 else None,
        "lifetime_cac": benefit / spent if benefit is not None and spent > 0 else None,
        "roi_to_date": (float(earned) - cost) / cost if earned is not None and cost > 0 else None,
        "roi": (benefit - cost) / cost if benefit is not None and cost > 0 else None,
        "roi_reason": reason,
    }
    return record | (paid_back.to_json() if paid_back is not None else {})


def _payback(lived: Lives | None, base: pl.DataFrame, by: str, group: str | None) -> Payback | None:
    """Payback of all, a cohort or a channel; tiers are made of what customers brought, so theirs would say nothing."""
    if by == "tier":
        return None
    if lived is None:
        return Payback(None, None, 0, payback.NO_ORDERS if base["cac"].count() else payback.NO_CAC)
    if not base["margin_to_date"].count():
        return Payback(None, None, 0, payback.NO_AMOUNTS)
    if by == "cohort" and group is not None:
        year, month = group.split("-")
        return lived.of(cohort=int(year) * 12 + int(month) - 1)
    return lived.of(channel=group, by_channel=by == "channel")


def _line(line: dict[str, Any]) -> dict[str, Any]:
    """A line of the file as the metrics hold it; its money a customer where somebody shares it."""
    told = {key: line[key] for key in ("line", "period", "channel")}
    for kind in KINDS:
        money, people = line[kind], line[f"{kind}_customers"]
        told |= {
            kind: _text(money),
            f"{kind}_status": line[f"{kind}_status"],
            f"{kind}_customers": people,
            f"{kind}_each": float(money) / people if money is not None and people else None,
        }
    return told


def _money(frame: pl.DataFrame, name: str) -> Decimal | None:
    column = frame[name].drop_nulls()
    total = column.sum() if column.len() else None
    return total if isinstance(total, Decimal) else None


def _floats(frame: pl.DataFrame, name: str) -> float | None:
    column = frame[name].drop_nulls()
    return math.fsum(column.to_list()) if column.len() else None


def _text(value: Decimal | None) -> str | None:
    return money_text(value) if value is not None else None
