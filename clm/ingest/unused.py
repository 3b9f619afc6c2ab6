"""Columns that play no role: what is said about them, for a discount or a refund among them is where a surprise comes from.

It may not give them a role: a name alone does not tell money from per cent, nor which of two statuses counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import polars as pl

from clm.ingest import numbers, statuses
from clm.ingest.evidence import Evidence
from clm.ingest.text import TextLog
from clm.outcome import Notice, counted
from clm.settings import typed

_DISCOUNTS = ("discount", "折扣", "优惠", "優惠")
# A column whose name says this is empty, or says no, on every order that stands.
_GONE = re.compile(
    r"(?i)(?<![a-z])(?:is|was|has)?[ _\-]*(?:cancel(?:l?ed|l?ation)?s?|void(?:ed)?|refund(?:ed)?s?|return(?:ed)?s?|chargebacks?"
    r"|storn\w+|annul\w+|rembours\w+|erstatt\w+|reembols\w+|devol\w+)(?![a-z])|取消|作废|作廢|退款|退货|退貨|キャンセル|返品|返金|취소|환불|반품"
)
# … but these are about something else
_ELSE = re.compile(
    r"(?i)polic|days?\b|window|rate\b|percent|label|address|addr|url|link|able\b|customer|count(?:ry)?\b|phone|email|note|tracking|"
    r"deadline|until|eligible|ratio|率|政策|天数|期限|地址|支持|可退"
)
_NO = (
    "", "0", "no", "n", "false", "f", "none", "null", "nan", "na", "n/a", "-", "--", "[]", "{}", "否", "无", "無", "未", "没有",
    "不是", "nein", "non", "nie", "não", "not",
)  # fmt: skip
_NOTHING = r"^[\p{Sc}\s]*-?0+(?:[.,]0+)?[\p{Sc}\s%]*$|^0{4}-0{2}-0{2}"
_NOT_GONE = (
    r"(?:未|无|無|没有|沒有|不|非|免)[^,，;；、/|]{0,4}?(?:取消|退款|退货|退貨|售后|售後|作废|作廢|关闭|關閉)"
    r"|(?:售后|售後|退款|退货|退貨)[^,，;；、/|]{0,2}?(?:取消|关闭|關閉|失败|失敗|撤销|撤銷|拒绝|拒絕)"
    r"|\b(?:not?|non|never|without|sans|ohne|kein\w*|nicht|sin|no se ha)\b[ -]?\p{L}+"
)
_STATUS = re.compile(r"(?i)status|state|type|kind|event|statut|état|stato|stan\b|estado|situa|状态|狀態|类型|類型|类别|售后")
# neither a word of a status nor a text that somebody wrote
_KINDS, _FEW_KINDS, _LONGEST = 40, 6, 60
_TESTS = ("test", "istest", "testorder", "测试", "测试订单", "是否测试", "測試", "測試訂單")
_YES = ("true", "t", "yes", "y", "1", "test", "是", "测试", "測試")
_HAN = re.compile(r"[^\x00-\u024f]")


def say(log: TextLog, found: Mapping[str, tuple[str, ...]], keep: tuple[str, ...]) -> tuple[list[Notice], list[Evidence]]:
    """Notices about columns that could change the money, and the names of all that are left out."""
    taken = {column for columns in found.values() for column in columns}
    left = [column for column in log.columns if column not in taken]
    silent = [column for column in left if column not in keep]
    evidence = [Evidence("not used", ", ".join(silent), "no role known for them; --map gives one, --keep carries them along")]
    return [*_discounts(left, found), *_gone(log, left, found), *_tests(log, left)], evidence if silent else []


def _discounts(left: list[str], found: Mapping[str, tuple[str, ...]]) -> list[Notice]:
    """Quantity × price beside something called a discount: 5 may be money or per cent, so it is said and not guessed."""
    if "amount" in found or not {"quantity", "unit_price"} <= found.keys():
        return []
    return [
        Notice(
            "discount_unused",
            f"{column} was not taken off quantity × price: it may be a rate. If it is money, say so: "
            f"{typed('map', f'discount={column}')}",
        )
        for column in left
        if any(word in column.casefold() for word in _DISCOUNTS)
    ]


def _gone(log: TextLog, left: list[str], found: Mapping[str, tuple[str, ...]]) -> list[Notice]:
    """Columns that say of some rows that they were cancelled, refunded or returned: by their words, or by name and a cell."""
    notices: list[Notice] = []
    sample = log.sample
    for column in left if sample.height else []:
        cells = sample[column].fill_null("").str.strip_chars().str.to_lowercase()
        status = bool(_STATUS.search(column))
        named = bool(_GONE.search(column)) and not status and not _ELSE.search(column)
        rows = _filled(cells) if named else _telling(cells, vague=status)
        if not rows:
            continue
        amount = named and not cells.is_in(["1"]).any() and _all_numbers(cells.filter(cells != ""))
        money = "returned_amount" not in found and amount
        notices.append(_notice(column, rows, log, amount=money, flag=named, status="status" in found))
    return notices


def _filled(cells: pl.Series) -> int:
    """How many cells say anything but no and nothing."""
    said = cells.filter(~cells.is_in(list(_NO)) & ~cells.str.contains(_NOTHING))
    return int((said.str.replace_all(_NOT_GONE, "").str.strip_chars() != "").sum())


def _all_numbers(cells: pl.Series) -> bool:
    fit = numbers.fit(cells)
    return max(fit.dot, fit.comma) == fit.filled


def _telling(cells: pl.Series, *, vague: bool) -> int:
    """How many cells hold a word for cancelled, refunded or returned, in a column of few and short texts."""
    texts = cells.value_counts(name="rows").filter(pl.col(cells.name) != "")
    kinds, filled = texts.height, int(texts["rows"].sum())
    various = kinds > _KINDS or (kinds > _FEW_KINDS and kinds > filled / 2)
    if not kinds or various or (texts[cells.name].str.len_chars() > _LONGEST).any():
        return 0
    told = texts.select(statuses.said(pl.col(cells.name)).str.replace_all(_NOT_GONE, " ")).to_series()
    return int(texts.filter(told.str.contains(_words(vague)))["rows"].sum())


@cache
def _words(vague: bool) -> str:
    """The words as one pattern: whole words, but anywhere in a text that is written without blanks."""
    left_out = () if vague else statuses.VAGUE
    known = sorted({*statuses.CANCELLED, *statuses.UNDONE, *statuses.RETURN, *statuses.MOVED}.difference(left_out))
    whole = "|".join(re.escape(one) for one in known if not _HAN.search(one))
    inside = "|".join(re.escape(one) for one in known if _HAN.search(one))
    return rf"(?:^|[^\p{{L}}])(?:{whole})(?:$|[^\p{{L}}])|{inside}"


def _notice(column: str, rows: int, log: TextLog, *, amount: bool, flag: bool, status: bool) -> Notice:
    many = counted(rows, "row") if log.whole else f"{rows:,} of {log.sample.height:,} rows looked at"
    if amount:
        return Notice(
            "refund_unused",
            f"{column} speaks of refunds or returns in {many} and was not taken off: if it is money given back of the amount, "
            f"say so: {typed('map', f'returned_amount={column}')}",
        )
    if flag:
        return Notice(
            "status_unused",
            f"{column} speaks of refunds, returns or cancelled orders in {many} and is not read: if those are no sales, leave "
            "them out, or, where it says so by a word, say so in a profile "
            f'([map] status = "{column}", [status] cancelled = ["yes"], --profile FILE)',
        )
    instead = " instead of the status there is" if status else ""
    return Notice(
        "status_unused",
        f"{column} speaks of refunds, returns or cancelled orders in {many} and is not read: if it says which rows are no sales, "
        f"name it{instead} ({typed('map', f'status={column}')}), and words clm does not know in a profile ([status] "
        "cancelled = […], --profile FILE)",
    )


def _tests(log: TextLog, left: list[str]) -> list[Notice]:
    """A column that says which orders were only a test."""
    telling = [
        column
        for column in left
        if "".join(filter(str.isalnum, column.casefold())) in _TESTS
        and log.sample.select(statuses.said(pl.col(column)).is_in(_YES).any()).item()
    ]
    return [
        Notice(
            "tests_unused",
            f"{column} speaks of test orders and is not read: they count as sales. Say so in a profile: "
            f'[test] column = "{column}", words = […], --profile FILE',
        )
        for column in telling
    ]
