"""CUSTOMERS held against themselves and against the log they came from, before a stage builds on them.

It may not mend anything: what does not agree is refused, with the number of customers and the column.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from clm.errors import DataError
from clm.outcome import counted
from clm.stages import snapshot

# what CUSTOMERS and the log they came from must say alike: counts, days, exact money, never a float
_AGREED = (
    "orders", "order_days", "first_order_on", "last_order_on", "recency_days", "age_days", "active_days", "repeat_days",
    "spend", "repeat_spend", "returns", "returned_amount",
)  # fmt: skip


def one_day(customers: pl.DataFrame, stage: str) -> date | None:
    """The day CUSTOMERS were made for; None for no customers. Raises DataError when they are of several days."""
    days = customers["as_of"].unique().to_list()
    if len(days) > 1 or days == [None]:
        raise DataError(
            f"INPUT was made for {counted(len(days), 'day')}, {stage} needs one",
            where="column as_of",
            fix="run clm rfm again",
            code="as_of",
        )
    return days[0] if days else None


def check_histories(customers: pl.DataFrame) -> None:
    """Raises DataError when buyers have days that cannot be: more repeats than days, a last order before the first."""
    repeats, active, age = pl.col("repeat_days"), pl.col("active_days"), pl.col("age_days")
    possible = (repeats >= 0) & (active >= 0) & (active <= age) & ((repeats > 0) == (active > 0)) & (repeats <= active)
    bought = customers.filter(pl.col("orders") > 0)
    impossible = int(bought.select((~possible.fill_null(value=False)).sum()).item())
    if impossible:
        raise DataError(
            f"{counted(impossible, 'customer')} with an impossible history",
            where="columns repeat_days, active_days, age_days",
            fix="make the table with clm rfm",
            code="impossible_history",
        )


def reconciled(customers: pl.DataFrame, orders: pl.LazyFrame, as_of: date) -> tuple[pl.DataFrame, int]:
    """The log's own snapshot and its number of later rows, once CUSTOMERS are known to agree with it.

    Raises DataError when the log lacks customers or says something else of them, with their number and the column.
    """
    log = snapshot.take(orders, as_of)
    fix = f"give the transactions this table was made from, or run clm rfm --as-of {as_of} on these"
    beside = customers.select("customer_id", *_AGREED).join(log, on="customer_id", how="left", suffix="_log")
    lacking = int(beside["orders_log"].null_count())
    if lacking:
        raise DataError(
            f"{counted(lacking, 'customer')} of INPUT {'is' if lacking == 1 else 'are'} not in the orders up to {as_of}",
            where="column customer_id",
            fix=fix,
            code="orders_lack_customers",
        )
    for column in _AGREED:
        contradicted = int(beside.select(pl.col(column).ne_missing(pl.col(f"{column}_log")).sum()).item())
        if contradicted:
            raise DataError(
                f"the orders up to {as_of} contradict INPUT for {counted(contradicted, 'customer')}",
                where=f"column {column}",
                fix=fix,
                code="orders_contradict",
            )
    later = orders.filter(pl.col("ordered_at").dt.date() > as_of).select(pl.len()).collect(engine="streaming").item()
    return log, int(later)
