"""Suspects: status words nobody explained, sales partly refunded, ids that stand for nobody: kept, counted and said.

It may not change a row. Words are shown only when they are few and short, as words of a business are; never a cell of free text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from clm.ingest import statuses
from clm.ingest.numbers import SUM
from clm.ingest.reading import Reading
from clm.ingest.scan import AGAIN
from clm.outcome import Notice, counted
from clm.stages.clean import ids, totals
from clm.stages.clean.judge import REASON, WORD

_NOBODY = (
    "guest", "guest checkout", "guest user", "anonymous", "anon", "anonym", "unknown", "unbekannt", "gast", "invité", "invitado",
    "unregistered", "not registered", "walk-in", "walk in", "walkin", "walk-in customer", "cash customer", "cash sale",
    "no customer",
    "default", "dummy", "test", "tester", "test customer", "test user", "n/a", "#n/a", "nan", "null", "(null)", "none", "nil",
    "undefined", "missing", "empty", "not set", "(not set)", "not available",
    "无", "无会员", "非会员", "游客", "匿名", "匿名用户", "匿名买家", "未知", "散客", "零售客户", "测试", "测试用户",
    "不详", "空", "未登录", "ゲスト", "-", "--", "---", "–", "—", ".", "..", "...", "?", "??", "???", "？", "/", "_", r"\n",
)  # fmt: skip
# Numbers that programs write for nobody; but somebody may be number 0, so only when they buy more than one customer does.
_NUMBERS = r"^(?:0+|-1|9{4,}|1{6,}|123456(?:789)?0?|na)$"
# Looked for first, because it leaves next to nothing of a long log.
_LIKELY = rf"(?i){_NUMBERS}|^(?:{'|'.join(re.escape(one) for one in _NOBODY)})$|{totals.LIKE}"
_FEWEST, _FEWEST_OF_A_NUMBER, _SHARE_OF_A_NUMBER = 2, 20, 0.01
_LONGEST_ID = 40
_SHOWN, _LONGEST_WORD, _MOST_WORDS = 5, 20, 20


@dataclass(frozen=True)
class Odd:
    """Rows that are kept and whose customer may be nobody: `named` by `who` (a word or number), and how many are `masked`."""

    named: pl.DataFrame
    masked: int


def look(judged: pl.LazyFrame, reading: Reading) -> Odd:
    """One pass for both: of the ids of a long log, most are asked once."""
    if reading.ours:
        return Odd(pl.DataFrame(schema={"who": pl.String, "rows": pl.UInt32, "amount": SUM}), 0)
    who = pl.when(pl.col("customer_id").str.len_chars() <= _LONGEST_ID).then(pl.col("customer_id")).str.to_lowercase()
    known = pl.col("who").is_in(list(_NOBODY)) | pl.col("who").str.contains(_NUMBERS) | pl.col("who").str.contains(totals.LIKE)
    table = (
        _good(judged)
        .filter(pl.col("customer_id").str.contains(f"{_LIKELY}|{ids.MASKED}"))
        .select(who.alias("who"), "amount", pl.col("customer_id").str.contains(ids.MASKED).alias("masked"))
        .with_columns(pl.when(known).then(pl.col("who")))  # one group for the masked ones, who may be many
        .group_by("who")
        .agg(pl.len().alias("rows"), pl.col("amount").cast(SUM).sum(), pl.col("masked").sum())
        .collect(engine="streaming")
    )
    return Odd(table.filter(pl.col("who").is_not_null()).drop("masked"), int(table["masked"].sum()))


def notices(judged: pl.LazyFrame, odd: Odd, reading: Reading) -> list[Notice]:
    """What is to be said about the rows that are kept."""
    if reading.ours:
        return []
    found = _nobody(judged, odd.named, reading)
    if "status" in reading.roles:
        found += _statuses(_good(judged), reading)
    return found


def _good(judged: pl.LazyFrame) -> pl.LazyFrame:
    return judged.filter(pl.col(REASON).is_null() & ~pl.col(AGAIN))


def _nobody(judged: pl.LazyFrame, named: pl.DataFrame, reading: Reading) -> list[Notice]:
    if not named.height:
        return []
    rows = _good(judged).select(pl.len()).collect(engine="streaming").item()
    total = pl.col("who").str.contains(totals.LIKE)
    return [*_called_totals(named.filter(total), reading), *_placeholders(named.filter(~total), rows, reading)]


def _called_totals(table: pl.DataFrame, reading: Reading) -> list[Notice]:
    """Customers with a word for a total as their name, who are not the sum of anything: who ends in one may be a person."""
    if not table.height:
        return []
    words = table.filter(pl.col("who").str.contains(totals.WORDS)).sort("who")["who"].to_list()
    money = f" ({_money(table)})" if reading.has_amounts else ""
    said = f" ({_some(words)})" if words else ""
    remedy = (
        f"--nobody '{','.join(words)}' rejects them as no_customer" if words else "if they are none, take them out of the file"
    )
    rows = counted(int(table["rows"].sum()), "row")
    has = "has" if table["rows"].sum() == 1 else "have"
    text = f"{rows}{money} {has} a customer id that reads like a total{said}, but is the sum of no other rows: kept"
    return [Notice("totals_customer", f"{text}; {remedy}.")]


def _placeholders(table: pl.DataFrame, rows: int, reading: Reading) -> list[Notice]:
    number = pl.col("who").str.contains(_NUMBERS)
    many = (pl.col("rows") > _FEWEST_OF_A_NUMBER) & (pl.col("rows") > _SHARE_OF_A_NUMBER * rows)
    found = table.filter(pl.when(number).then(many).otherwise(pl.col("rows") >= _FEWEST)).sort(
        ["rows", "who"], descending=[True, False]
    )
    if not found.height:
        return []
    said = found["who"].to_list()
    money = f" ({_money(found)})" if reading.has_amounts else ""
    return [
        Notice(
            "placeholder_customer",
            f"{counted(int(found['rows'].sum()), 'row')}{money} of {rows:,} have a customer id that may stand for nobody "
            f"({_some(said)}): kept as {'one customer' if len(said) == 1 else 'customers'} "
            f"(--nobody '{','.join(said)}' rejects them as no_customer).",
        )
    ]


def _statuses(good: pl.LazyFrame, reading: Reading) -> list[Notice]:
    table = (
        good.filter(pl.col(WORD).is_not_null())
        .group_by(WORD)
        .agg(pl.len().alias("rows"), pl.col("amount").cast(SUM).sum())
        .collect(engine="streaming")
        .sort(["rows", WORD], descending=[True, False])
    )
    column = reading.roles["status"][0]
    partly = pl.col(WORD).is_in(list(statuses.PARTLY))
    return [*_partly(table.filter(partly), column, reading), *_unknown(table.filter(~partly), column, reading)]


def _partly(table: pl.DataFrame, column: str, reading: Reading) -> list[Notice]:
    if not table.height or "returned_amount" in reading.roles or not reading.has_amounts:
        return []
    return [
        Notice(
            "partly_refunded",
            f"{counted(int(table['rows'].sum()), 'row')} ({_money(table)}): partly refunded by {column}, and no column says "
            "how much, so the money may be too much. If one does, name it: --map returned_amount=COLUMN",
        )
    ]


def _unknown(table: pl.DataFrame, column: str, reading: Reading) -> list[Notice]:
    if not table.height:
        return []
    words = table[WORD].to_list()
    money = f" ({_money(table)})" if reading.has_amounts else ""
    rows = counted(int(table["rows"].sum()), "row")
    if table.height > _MOST_WORDS:
        what = f"{rows}{money} carry {table.height:,} different texts in {column}, none of which clm knows as a status"
        remedy = "if another column is the status, name it: --map status=COLUMN"
    else:
        what = f"{rows}{money} carry {counted(table.height, 'word')} in {column} that clm does not know{_shown(words)}"
        remedy = "if they are no sales, say so in a profile: [status] cancelled = […], --profile FILE"
    return [Notice("status_unknown", f"{what}: they count as sales; {remedy}")]


def _shown(words: list[str]) -> str:
    """The words, unless one looks like anything but a word."""
    short = pl.Series(words).str.contains(rf"^[\p{{L}} ,/()-]{{1,{_LONGEST_WORD}}}$").all()
    return f" ({_some(words)})" if short else ""


def _some(words: list[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")


def _money(table: pl.DataFrame) -> str:
    return f"{table['amount'].sum() or Decimal(0):,.2f}"
