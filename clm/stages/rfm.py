"""`rfm`: TRANSACTIONS become CUSTOMERS with tie-safe scores for recency, frequency and money.

It may not rank by row order or split equal customers: a score depends on nothing but how many customers are strictly worse.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from clm.outcome import Amount, Notice, Outcome, Rows, counted
from clm.settings import RfmSettings
from clm.stages import snapshot

# column, and whether more of it is better
_SCORED = {"r_score": ("recency_days", False), "f_score": ("orders", True), "m_score": ("spend", True)}


def rfm(orders: pl.LazyFrame, settings: RfmSettings) -> Outcome:
    """One row per customer seen up to `as_of`, sorted by `customer_id`: core columns and scores.

    Raises DataError when the log is empty and no day is named.
    """
    lines = _line_totals(orders)
    as_of = snapshot.resolve_as_of(lines["latest"], settings.as_of)
    later = _line_totals(orders.filter(pl.col("ordered_at").dt.date() > as_of))
    customers = with_scores(snapshot.take(orders, as_of), settings.bins)
    buyers = customers.filter(pl.col("orders") > 0)
    has_money = lines["amounts"] > 0
    return Outcome(
        frame=customers,
        rows=Rows(rows_in=lines["rows"], rows_out=customers.height, after_as_of=later["rows"]),
        amount=Amount(lines["amount"], lines["amount"] - later["amount"], after_as_of=later["amount"]) if has_money else None,
        as_of=as_of,
        metrics={
            "customers": customers.height,
            "buyers": buyers.height,
            "no_purchase": customers.height - buyers.height,
            "orders": int(buyers["orders"].sum()),
            "first_order_on": _text(buyers["first_order_on"].min()),
            "last_order_on": _text(buyers["last_order_on"].max()),
            "scores": {score[0]: _score_table(buyers, score, *_SCORED[score]) for score in _SCORED},
        },
        warnings=_notices(lines, later, buyers, as_of),
        closing=_closing(customers, buyers, lines, later, as_of),
    )


def with_scores(customers: pl.DataFrame, bins: int) -> pl.DataFrame:
    """The frame with `r_score`, `f_score`, `m_score` (1 = worst) and `rfm`; null without a sale or without amounts."""
    scored = customers.with_columns(
        score(column, bins, more_is_better=more).alias(name) for name, (column, more) in _SCORED.items()
    )
    digits = [pl.col(name).cast(pl.String).fill_null("-") for name in _SCORED]
    return scored.with_columns(pl.when(pl.col("orders") > 0).then(pl.concat_str(digits)).alias("rfm"))


def score(column: str, bins: int, *, more_is_better: bool) -> pl.Expr:
    """min(bins, bins·b div n + 1) in whole numbers: b customers strictly worse, n customers with a score.

    Equal values get equal scores, always; some scores may stay empty.
    """
    value = pl.when(pl.col("orders") > 0).then(pl.col(column))
    worse = value.rank("min", descending=not more_is_better).cast(pl.Int64) - 1
    # min_horizontal passes over nulls: without the condition a customer without a score would get the best one
    return pl.when(value.is_not_null()).then(pl.min_horizontal(worse * bins // value.count() + 1, bins)).cast(pl.Int32)


def _line_totals(orders: pl.LazyFrame) -> dict[str, Any]:
    totals = orders.select(
        pl.len().cast(pl.Int64).alias("rows"),
        pl.col("amount").sum().cast(pl.Decimal(38, 4)).alias("amount"),
        pl.col("amount").count().cast(pl.Int64).alias("amounts"),
        pl.col("ordered_at").max().dt.date().alias("latest"),
    ).collect(engine="streaming")
    record = totals.row(0, named=True)
    return record | {"amount": record["amount"] or Decimal(0)}


def _score_table(buyers: pl.DataFrame, score_column: str, column: str, more_is_better: bool) -> list[dict[str, Any]]:
    """Each score that occurs, with its customers and the range of the value behind it: the cut-offs, as they fell."""
    edges = (
        buyers.drop_nulls(score_column)
        .group_by(score_column)
        .agg(pl.len().alias("customers"), pl.col(column).min().alias("from"), pl.col(column).max().alias("to"))
        .sort(score_column)
    )
    return [
        {"score": row[score_column], "customers": row["customers"], "from": _number(row["from"]), "to": _number(row["to"])}
        for row in edges.iter_rows(named=True)
    ]


def _number(value: int | Decimal) -> int | str:
    return value if isinstance(value, int) else f"{value:.4f}"


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else None


def _notices(lines: dict[str, Any], later: dict[str, Any], buyers: pl.DataFrame, as_of: date) -> tuple[Notice, ...]:
    found = []
    if buyers.is_empty():
        found.append(Notice("no_buyers", f"no customer has a sale up to {as_of}"))
    if lines["latest"] is not None and as_of > lines["latest"]:
        days = (as_of - lines["latest"]).days
        found.append(
            Notice("as_of_after_log", f"the log ends {counted(days, 'day')} before {as_of}: silence in between is not known")
        )
    if later["rows"]:
        found.append(Notice("after_as_of", f"{counted(later['rows'], 'row')} after {as_of} left out"))
    for name, (column, _) in _SCORED.items():
        if buyers.height > 1 and buyers[name].null_count() < buyers.height and buyers[column].n_unique() == 1:
            found.append(
                Notice("scores_equal", f"every customer has the same {column}: {name} is 1 for all and tells nobody apart")
            )
    if lines["rows"] and not lines["amounts"]:
        found.append(Notice("no_amounts", "the log has no amounts: money columns are empty"))
    return tuple(found)


def _closing(customers: pl.DataFrame, buyers: pl.DataFrame, lines: dict[str, Any], later: dict[str, Any], as_of: date) -> str:
    without = customers.height - buyers.height
    parts = [f"{counted(lines['rows'] - later['rows'], 'row')} up to {as_of} = {counted(customers.height, 'customer')}"]
    if without:
        parts.append(f"{without:,} without a purchase")
    if later["rows"]:
        parts.append(f"{counted(later['rows'], 'row')} after it left out")
    return ", ".join(parts)
