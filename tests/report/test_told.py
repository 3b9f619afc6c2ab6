"""Customers in words: reasons as sentences in their order, codes by name, headings of the language."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from clm.models.classify_buyers import REASONS
from clm.report.told import in_words, reasons
from clm.report.words import load

EN, ZH = load("en"), load("zh")
CODES = pl.Series(
    "reasons",
    [
        "order_days=1;usual_order_days=4;silent_days=484;own_rhythm_days=34",
        None,
        "Contract=Month-to-month;usual=Two year",
        "a=b=c;usual=d",
    ],
)


def test_reasons_keep_their_order_and_numbers() -> None:
    """The strongest reason comes first; who has none has none; a code of a table of one's own is told as it is."""
    assert reasons(CODES, EN).to_list() == [
        "1 order days; usual 4; 484 days since the last order; own rhythm 34",
        None,
        "Contract Month-to-month; usual Two year",
        "a b=c; usual d",
    ]
    assert reasons(CODES, ZH).to_list()[0] == "下单 1 天，通常 4 天；距上次下单 484 天，自身节奏 34 天"


def test_nobody_and_nothing_to_say() -> None:
    """No rows, or no reasons at all: as many rows, all null."""
    assert reasons(CODES.clear(), EN).len() == 0
    assert reasons(pl.Series("reasons", [None, None], dtype=pl.String), EN).to_list() == [None, None]


@given(st.lists(st.lists(st.tuples(st.sampled_from(REASONS), st.integers(0, 999), st.integers(0, 99)), max_size=3), max_size=6))
def test_every_number_is_said(rows: list[list[tuple[str, int, int]]]) -> None:
    """Each customer's own numbers, and no other customer's, stand in the sentences."""
    codes = [";".join(f"{code}={value};usual_{code}={usual}" for code, value, usual in row) or None for row in rows]
    for words in (EN, ZH):
        told = reasons(pl.Series("reasons", codes, dtype=pl.String), words).to_list()
        expected = [
            words("format.reason_gap").join(
                words(f"reason.{code}", value=str(value), compared=str(usual)) for code, value, usual in row
            )
            or None
            for row in rows
        ]
        assert told == expected


def test_headings_and_codes() -> None:
    """English keeps the names of the columns; Chinese has its own, and leaves columns of the user alone."""
    frame = pl.DataFrame(
        {"customer_id": ["1", "2"], "segment": ["champion", "own one"], "action": ["champion", "own one"], "clv": [1 / 3, None],
         "phone": ["x", None]}
    )  # fmt: skip
    english, chinese = in_words(frame, EN), in_words(frame, ZH)
    assert english.columns == frame.columns
    assert english["segment"].to_list() == ["Champions", "own one"]
    assert english["action"].to_list()[1] == ""
    assert english["clv"].to_list() == [0.3333, None]
    assert chinese.columns == ["客户编号", "分层", "建议动作", "客户生命周期价值", "phone"]
    assert english.select("customer_id", "clv", "phone").rows() == chinese.select("客户编号", "客户生命周期价值", "phone").rows()


def test_two_columns_are_never_called_the_same() -> None:
    """A column of the user that bears a Chinese heading keeps both apart."""
    frame = pl.DataFrame({"orders": [1], "订单数": [2]})
    assert in_words(frame, ZH).columns == ["orders", "订单数"]
