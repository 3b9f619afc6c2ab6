"""Order rows: exports that write an order's own fields (amount, status) on the first of its rows only, or its total on each.

It may not collapse a row: `stages.clean.order_lines` does.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from clm.errors import DataError
from clm.ingest import numbers, statuses
from clm.ingest.evidence import Evidence
from clm.ingest.profiles import Words
from clm.ingest.text import TextLog
from clm.settings import typed

_SHARE = 0.95
_FEWEST = 3
# Lines of an order that happen to cost the same: how unlikely it must be that all of those seen are that
_BY_CHANCE, _FEWEST_ORDERS = 1e-4, 4
_BY_NAME = (
    "order",
    "invoice",
    "basket",
    "订单",
    "訂單",
    "bestell",
    "auftrag",
    "rechnung",
    "commande",
    "pedido",
    "ordine",
    "zamówieni",
)


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


def repeated(log: TextLog, found: Mapping[str, tuple[str, ...]], only: Words | None, decimal: str | None) -> None:
    """Raises `DataError` when the amount is the order's total written on each of its lines: adding it up would count it again.

    It is, when the lines of nearly every order of several lines carry one and the same amount: and quantity × price of those
    lines add up to it, or differ from each other, or the amounts of the log are so various that chance does not explain it.
    """
    if "order_id" not in found:
        return
    order, amount = found["order_id"][0], found["amount"][0]
    other = [found[role][0] for role in ("unit_price", "quantity", "product_id", "product") if role in found]
    # the money of a shipped profile is the order's by documentation: any column may tell that there are several rows of one
    documented = log.profile is not None and log.profile.identity == log.profile.name
    if documented:
        other = [column for column in log.columns if column not in (order, amount)]
    if not other:
        return
    rows = log.sample.filter(pl.col(order).str.strip_chars() != "")
    if only is not None:
        rows = rows.filter(statuses.said(pl.col(only.column)).is_in(list(only.words)))
    product = {"quantity", "unit_price"} <= found.keys()
    factors = [_numbers(rows[found[role][0]], decimal) for role in ("quantity", "unit_price")] if product else []
    line = numbers.line_money(*map(pl.lit, factors)) if product else pl.lit(None, dtype=numbers.LINE)
    several = (
        rows.with_columns(line.alias("clm:line"), numbers.line_money(pl.lit(_numbers(rows[amount], decimal))).alias("clm:amount"))
        .group_by(order)
        .agg(
            lines=pl.len(),
            amounts=pl.col(amount).n_unique(),
            amount=pl.col(amount).first(),
            money=pl.col("clm:amount").first(),
            sum=pl.col("clm:line").cast(numbers.SUM).sum(),
            differ=pl.col("clm:line").n_unique() > 1,
            own=(pl.col("clm:line") == pl.col("clm:amount")).fill_null(False).all(),
            others=pl.concat_str(other, separator="\x1f", ignore_nulls=True).n_unique(),
        )
    )
    frequent = several["amount"].value_counts(normalize=True)["proportion"]
    several = several.filter((pl.col("lines") > 1) & (pl.col("others") == pl.col("lines")) & (pl.col("money") != 0))
    same = several.filter(pl.col("amounts") == 1)
    if not same.height or same.height < _SHARE * several.height:
        return
    if not documented and not _told(same, float((frequent**2).sum()), product, amount):
        return
    lines = " ".join(typed("map", f"{role}={found[role][0]}") for role in ("quantity", "unit_price")) if product else ""
    raise DataError(
        f"{amount} repeats the order's total on each of its lines: added up, an order of two lines would count twice.",
        where=f"column {amount}, in {same.height:,} of {several.height:,} orders of several lines",
        fix=f"take the lines' own money ({lines or '--map amount=COLUMN'}), or say that this is it: "
        f"{typed('map', f'amount={amount}')}",
        code="order_totals",
    )


def _told(same: pl.DataFrame, alike: float, product: bool, amount: str) -> bool:
    """Whether these orders, whose lines all carry one amount, tell that it is the order's; `alike`: chance that two are equal."""
    if product and float(same["own"].mean() or 0) >= _SHARE:  # type: ignore[arg-type]
        return False  # what each line costs by itself
    if product and same.select((pl.col("sum") == pl.col("money")).mean()).item() >= _SHARE:
        return True
    if product and same["differ"].sum() >= _FEWEST:
        return True
    fewest = 2 if any(word in amount.casefold() for word in _BY_NAME) else _FEWEST_ORDERS
    chance = alike ** int((same["lines"] - 1).sum())
    return same.height >= fewest and chance < (1 if fewest == 2 and same["amount"].n_unique() > 1 else _BY_CHANCE)


def _numbers(cells: pl.Series, decimal: str | None) -> pl.Series:
    """The numbers of a column as canonical text: by the mark that is given, else the comma's for what the point cannot read."""
    first: numbers.Mark = "," if decimal == "," else "."
    cell, read = pl.col(cells.name), pl.col("clm:read")
    told = cells.to_frame().lazy().select(cell, numbers.canonical(cell, first).alias("clm:read"))
    if decimal is None:
        left = told.select(read, pl.when(read.is_null()).then(cell).alias("clm:left"))
        told = left.select(pl.coalesce(read, numbers.canonical(pl.col("clm:left"), ",")))
    return told.select(read).collect().to_series()


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
