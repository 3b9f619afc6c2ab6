"""Small logs for the tests: TRANSACTIONS frames written by hand, and files of them as clm writes them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

Line = tuple[str, str, str, str | None]


def transactions(*lines: Line) -> pl.DataFrame:
    """TRANSACTIONS from (customer, order, day or time, amount); a negative amount is a return, None a log without amounts."""
    return pl.DataFrame(
        {
            "customer_id": [line[0] for line in lines],
            "order_id": [line[1] for line in lines],
            "ordered_at": [datetime.fromisoformat(line[2]) for line in lines],
            "amount": [None if line[3] is None else Decimal(line[3]) for line in lines],
            "kind": ["return" if line[3] is not None and line[3].startswith("-") else "sale" for line in lines],
            "flags": [None for _ in lines],
            "source_line": list(range(2, len(lines) + 2)),
        },
        schema={
            "customer_id": pl.String,
            "order_id": pl.String,
            "ordered_at": pl.Datetime("us"),
            "amount": pl.Decimal(18, 4),
            "kind": pl.String,
            "flags": pl.String,
            "source_line": pl.Int64,
        },
    )


def invented(customers: int = 40, orders: int = 6) -> pl.DataFrame:
    """A deterministic log: customer k buys every k+3 days, k % orders + 1 times, for amounts that depend on k."""
    lines: list[Line] = []
    for customer in range(customers):
        for number in range(customer % orders + 1):
            day = datetime(2024, 1, 1 + customer % 28).toordinal() + number * (customer + 3)
            lines.append(
                (
                    f"C{customer:03}",
                    f"O{customer:03}-{number}",
                    datetime.fromordinal(day).isoformat(),
                    f"{10 + customer}.{number}5",
                )
            )
    return transactions(*lines)


def csv_of(frame: pl.DataFrame, path: Path) -> Path:
    """The log as a shop would export it: English header, one line an order line."""
    frame.select(
        pl.col("order_id").alias("order_id"),
        pl.col("customer_id").alias("customer_id"),
        pl.col("ordered_at").dt.strftime("%Y-%m-%d %H:%M:%S").alias("order_date"),
        pl.col("amount").cast(pl.String).alias("amount"),
    ).write_csv(path, line_terminator="\n")
    return path
