"""Columns that play no role: what is said about them, for a discount or a refund among them is where a surprise comes from.

It may not give them a role: a name alone does not tell money from per cent, nor which of two statuses counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from clm.ingest import statuses
from clm.ingest.evidence import Evidence
from clm.ingest.text import TextLog
from clm.outcome import Notice

_DISCOUNTS = ("discount", "折扣", "优惠", "優惠")
_STATUSES = (
    "status", "state", "type", "kind", "event", "refund", "return",
    "状态", "狀態", "类型", "類型", "类别", "退款", "退货", "退貨", "售后",
)  # fmt: skip
_TESTS = ("test", "istest", "testorder", "测试", "测试订单", "是否测试", "測試", "測試訂單")
_YES = ("true", "t", "yes", "y", "1", "test", "是", "测试", "測試")


def say(log: TextLog, found: Mapping[str, tuple[str, ...]], keep: tuple[str, ...]) -> tuple[list[Notice], list[Evidence]]:
    """Notices about columns that could change the money, and the names of all that are left out."""
    taken = {column for columns in found.values() for column in columns}
    left = [column for column in log.columns if column not in taken]
    silent = [column for column in left if column not in keep]
    evidence = [Evidence("not used", ", ".join(silent), "no role known for them; --map gives one, --keep carries them along")]
    return [*_discounts(left, found), *_statuses(log, left), *_tests(log, left)], evidence if silent else []


def _discounts(left: list[str], found: Mapping[str, tuple[str, ...]]) -> list[Notice]:
    """Quantity × price beside something called a discount: 5 may be money or per cent, so it is said and not guessed."""
    if "amount" in found or not {"quantity", "unit_price"} <= found.keys():
        return []
    return [
        Notice(
            "discount_unused",
            f"{column} was not taken off quantity × price: it may be a rate. If it is money, say so: --map discount={column}",
        )
        for column in left
        if _named(column, _DISCOUNTS)
    ]


def _statuses(log: TextLog, left: list[str]) -> list[Notice]:
    """A second status, or a `type`, that speaks of refunds or cancelled orders."""
    words = [*statuses.CANCELLED, *statuses.UNDONE, *statuses.RETURN]
    telling = [
        column
        for column in left
        if _named(column, _STATUSES) and log.sample.select(statuses.said(pl.col(column)).is_in(words).any()).item()
    ]
    return [
        Notice(
            "status_unused",
            f"{column} speaks of refunds, returns or cancelled orders and is not read: "
            f"if it says which rows are no sales, name it: --map status={column}",
        )
        for column in telling
    ]


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


def _named(column: str, words: tuple[str, ...]) -> bool:
    return any(word in column.casefold() for word in words)
