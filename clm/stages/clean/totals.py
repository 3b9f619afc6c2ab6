"""Totals: rows that are the sum of others and nobody's order: a last row without a customer, or a customer called total.

It may not take a row that names a customer: two equal orders make the last one the sum of the others too.
"""

from __future__ import annotations

import polars as pl

from clm.ingest.numbers import SUM
from clm.ingest.reading import Reading
from clm.ingest.scan import SOURCE
from clm.ingest.structure import DETAIL, LINE
from clm.stages.clean.judge import COLUMN, REASON, TOTALS

_LACKING = ("date", "no_customer")
_NO_RECORD = ("totals_row", "header_repeat", "blank_row")
_FEWEST_OTHERS = 2
# Total March, Total 5 orders; and Ann Total, Ann 汇总, as the subtotals of spreadsheets are called
_OF = (
    r"(?i)^(?:grand |sub)?totals?\s+(?:for\s+|of\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|q[1-4]\b|\d|day|week"
    r"|month|quarter|year|orders)"
)
_ENDS = r"(?i)^\S.*(?:\s(?:sub)?totals?|\s?(?:合计|小计|总计|汇总|合計|小計|総計)|\s(?:gesamt|summe|ergebnis))\s*[:：]?$"
# what a customer may be called too
_NAMES = r"(?i)^\s*(?:sums?|suma|soma|somm[ae])\s*$"
WORDS = f"{TOTALS}|{_OF}"
LIKE = f"{WORDS}|{_ENDS}"
# rows called totals beyond this are no totals; they are looked at in memory
_MOST = 100_000
_PART, _TOTAL, _ROWS, _DAY, _MONTH = "clm:part", "clm:total", "clm:rows", "clm:day", "clm:month"


def applied(judged: pl.LazyFrame, reading: Reading) -> pl.LazyFrame:
    """The judged table in which such rows are rejected as what they are."""
    if reading.ours or not reading.has_amounts:
        return judged
    paid = judged.filter(pl.col("amount").is_not_null() & ~pl.col(REASON).is_in(_NO_RECORD).fill_null(False))
    # a total with an order of its own is none, and one without lacks an order where all others have one
    named = pl.col("customer_id").str.contains(LIKE).sum() if "order_id" not in reading.roles else pl.lit(0)
    last = paid.group_by(SOURCE).agg(
        pl.col(LINE).max(), pl.col("amount").cast(SUM).sum().alias("clm:sum"), pl.len().alias(_ROWS), named.alias("clm:named")
    ).collect(engine="streaming")  # fmt: skip
    found = (
        paid.filter(pl.col(REASON).is_in(_LACKING) & pl.col("customer_id").is_null() & (pl.col("amount") != 0))
        .select(SOURCE, LINE, "amount")
        .join(last.lazy().filter(pl.col(_ROWS) > _FEWEST_OTHERS), on=[SOURCE, LINE])
        .filter(pl.col("amount").cast(SUM) * 2 == pl.col("clm:sum"))
        .select(SOURCE, LINE)
        .collect(engine="streaming")
    )
    if 0 < last["clm:named"].sum() <= _MOST:
        found = pl.concat([found, _named(paid)]).unique()
    if not found.height:
        return judged
    joined = judged.join(
        found.lazy().with_columns(pl.lit(True).alias(_TOTAL)), on=[SOURCE, LINE], how="left", maintain_order="left"
    )
    it = pl.col(_TOTAL).fill_null(False)
    return joined.with_columns(
        pl.when(it).then(pl.lit("totals_row")).otherwise(pl.col(REASON)).alias(REASON),
        *(pl.when(~it).then(pl.col(name)).alias(name) for name in (COLUMN, DETAIL)),
    ).drop(_TOTAL)


def _named(paid: pl.LazyFrame) -> pl.DataFrame:
    """(source, line) of rows called a total that are one: of the rows since the last one, of their day, month or file."""
    called = pl.col("customer_id").str.contains(LIKE).fill_null(False)
    parts = paid.select(
        SOURCE,
        LINE,
        "customer_id",
        pl.col("amount").cast(SUM),
        called.alias("clm:called"),
        called.cast(pl.Int64).cum_sum().alias(_PART),
        pl.col("ordered_at").dt.date().alias(_DAY),
        (pl.col(REASON).is_null() | pl.col(REASON).is_in(_LACKING)).alias("clm:open"),
    ).with_columns(pl.col(_DAY).dt.truncate("1mo").alias(_MONTH))
    rows = parts.filter(pl.col("clm:called") & pl.col("clm:open")).collect(engine="streaming")
    others = parts.filter(~pl.col("clm:called")).group_by(SOURCE, _PART, _DAY, _MONTH)
    sums = others.agg(pl.col("amount").sum().alias(_TOTAL), pl.len().cast(pl.Int64).alias(_ROWS)).collect(engine="streaming")
    enough = pl.when(pl.col("customer_id").str.contains(_NAMES)).then(_FEWEST_OTHERS).otherwise(1)
    rows = rows.with_columns(pl.col(_PART) - 1, enough.alias("clm:enough"))
    found = [
        rows.join(sums.group_by(keys).agg(pl.col(_TOTAL, _ROWS).sum()), on=keys).filter(
            (pl.col("amount") == pl.col(_TOTAL)) & (pl.col(_ROWS) >= pl.col("clm:enough"))
        )
        for keys in ([SOURCE, _PART], [SOURCE, _DAY], [SOURCE, _MONTH], [SOURCE])
    ]
    return pl.concat(one.select(SOURCE, LINE) for one in found)
