"""Order rows: exports that write an order's own fields (amount, status) on the first of its rows only, and how they are known.

It may not collapse a row: `stages.clean.order_lines` does.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from clm.errors import DataError
from clm.ingest.evidence import Evidence
from clm.ingest.text import TextLog

_SHARE = 0.95
_FEWEST = 3


def question(log: TextLog, found: Mapping[str, tuple[str, ...]]) -> None:
    """Raises `DataError` when rows without an amount look like further lines of an order that has one.

    They do, when nearly all of them name an order that another row gives an amount for.
    """
    if not {"order_id", "amount"} <= found.keys():
        return
    order, amount = pl.col(found["order_id"][0]).str.strip_chars(), pl.col(found["amount"][0]).str.strip_chars()
    rows = log.sample.select(order=order, empty=(amount == "").fill_null(True)).filter((pl.col("order") != "").fill_null(False))
    empty = rows.filter(pl.col("empty"))
    with_amount = rows.filter(~pl.col("empty")).select("order").unique()
    lines = empty.join(with_amount, on="order", how="semi").height
    if lines < _FEWEST or lines < _SHARE * empty.height:
        return
    raise DataError(
        f"{lines:,} of {rows.height:,} rows have no {found['amount'][0]} and name an order that another row gives one for: "
        "they look like further lines of that order.",
        where=f"columns {found['order_id'][0]}, {found['amount'][0]}",
        fix="say so (--one-row-per-order yes collapses them; --profile shopify for Shopify's export), "
        "or --one-row-per-order no rejects them",
        code="order_lines",
    )


def sure(found: Mapping[str, tuple[str, ...]]) -> Evidence:
    """Raises `DataError` when one row per order is asked of a log whose orders or amounts have no column."""
    if not {"order_id", "amount"} <= found.keys():
        lost = next(role for role in ("order_id", "amount") if role not in found)
        raise DataError(
            f"one row per order needs the orders and their amounts, and there is no column for {lost}.",
            fix=f"name it: --map {lost}=COLUMN, or leave out --one-row-per-order",
            code="order_lines",
        )
    return Evidence("rows", "one per order", f"rows without {found['amount'][0]} are further lines of the order they name")
