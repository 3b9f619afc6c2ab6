"""Numbers as shops write them."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.ingest import numbers
from clm.ingest.numbers import Mark


def read(cell: str, mark: Mark) -> str | None:
    value: str | None = pl.select(numbers.canonical(pl.lit(cell), mark)).item()
    return value


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("12", "12"),
        ("-5.25", "-5.25"),
        ("+7", "7"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1,234.50", "1234.50"),
        ("1,23,456.78", "123456.78"),
        ("1'234.5", "1234.5"),
        ("1 234.5", "1234.5"),
        ("¥100.00", "100.00"),
        ("￥1,000", "1000"),
        ("１２３．５", "123.5"),
        ("5 元", "5"),
        ("$-5.00", "-5.00"),
        ("-$5.00", "-5.00"),
        ("($5.00)", "-5.00"),
        ("$ (5.00)", "-5.00"),
        ("(12.30)", "-12.30"),
        ("12.30-", "-12.30"),
        ("− 5", "-5"),
        ("USD 5", "5"),
        ("5 EUR", "5"),
        ("kr 5", "5"),
        ("1e3", "1e3"),
        ("1.2万", "1.2e4"),
        ("3亿", "3e8"),
        (" 7 ", "7"),
        ("1.2萬", "1.2e4"),
        ("1.2万元", "1.2e4"),
        ("￥１，２３４．５０", "1234.50"),
        ("CNY 12.00", "12.00"),
        ("12.00元", "12.00"),
        ("1\xa0234.50", "1234.50"),
        ("₹1,23,456.00", "123456.00"),
        ("Rs. 500", "500"),
        ("CHF 1'000.–", "1000"),
        ("5.-", "5"),
        ("١٢٫٥", "12.5"),
        ("1.23456E+05", "1.23456E+05"),
        ("1e+05", "1e+05"),
        ("-0.00", "-0.00"),
    ],
)
def test_a_decimal_point_notation_is_read(cell: str, expected: str) -> None:
    """Signs, brackets, currency, full-width digits, thousands and 万 all lead to one plain number text."""
    assert read(cell, ".") == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1.234,50", "1234.50"),
        ("12,5", "12.5"),
        ("1 234,5", "1234.5"),
        ("1.234", "1234"),
        ("-0,328 €", "-0.328"),
        (",5", "0.5"),
        ("12,-", "12"),
        ("12,50-", "-12.50"),
        ("1.234,–", "1234"),
        ("12,00 руб.", "12.00"),
    ],
)
def test_a_decimal_comma_notation_is_read(cell: str, expected: str) -> None:
    """In a decimal-comma column the point separates thousands."""
    assert read(cell, ",") == expected


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "abc",
        "12%",
        "1-2",
        "--5",
        "1.2.3",
        "NaN",
        "inf",
        "-",
        "NULL",
        "1,2",
        "12,34,5",
        "¥",
        "1e",
        "5 apples",
        "10%",
        "Infinity",
        "—",
        "--",
        "N/A",
        "暂无",
        "1_000",
        "0x1F",
        "12.00元/件",
        "(-5)",
        "12.5k",
        "1.23E+05",
        "5E+02",
        "一百",
    ],
)
def test_what_is_no_number_stays_unread(cell: str) -> None:
    """Nothing is guessed out of a cell that is not wholly a number."""
    assert read(cell, ".") is None


@pytest.mark.parametrize(("cell", "mark"), [("0.328", ","), ("1,5", "."), ("1.23456", ","), ("0,5", ".")])
def test_thousands_are_groups_of_three_and_do_not_begin_with_zero(cell: str, mark: Mark) -> None:
    """A number with other groups belongs to the other notation."""
    assert read(cell, mark) is None


def test_a_fit_counts_what_each_notation_reads_and_where_they_differ() -> None:
    """1,234 is read by both, differently; 12.50 by one only; 7 by both alike; blanks are not counted."""
    assert numbers.fit(pl.Series("cell", ["1,234", "12.50", "7", " ", ""])) == numbers.Fit(filled=3, dot=3, comma=2, differ=1)


def test_an_amount_is_rounded_once_half_even() -> None:
    """The fifth decimal of a single amount is rounded half-even, and what does not fit is null, not a wrong number."""
    cells = pl.Series("cell", ["1.00005", "1.00015", "99999999999999.9999", "123456789012345", "1.23E+15"]).to_frame()
    read = cells.select(numbers.money(pl.col("cell")))["cell"].to_list()
    assert read == [Decimal("1.0000"), Decimal("1.0002"), Decimal("99999999999999.9999"), None, None]


def product(first: str, second: str) -> Decimal | None:
    frame = pl.DataFrame({"first": [first], "second": [second]})
    value: Decimal | None = frame.select(numbers.line_money(pl.col("first"), pl.col("second"))).item()
    return value


decimals = st.decimals(min_value=-9_999_999, max_value=9_999_999, places=6) | st.decimals(
    min_value=-999, max_value=999, places=12
)


@given(decimals, decimals)
def test_a_product_is_exact_then_rounded_once(first: Decimal, second: Decimal) -> None:
    """Quantity × price equals the exact decimal product rounded half-even to four places, whatever the number of decimals."""
    exact = (first * second).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)
    if abs(exact) < 99_999_999_999_000:
        assert product(f"{first:f}", f"{second:f}") == exact


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("3", "2.5500000000000003", "7.6500"),
        ("2.5500000000000003", "3", "7.6500"),
        ("1.00005", "1", "1.0000"),
        ("0.5", "0.0001", "0.0000"),
        ("0.5", "0.0003", "0.0002"),
        ("1e3", "0.1", "100.0000"),
        ("1.1234567", "2.00000000", "2.2469"),
    ],
)
def test_products_of_odd_factors(first: str, second: str, expected: str) -> None:
    """Floats written out in full, exponents and ties to even come out exact."""
    assert product(first, second) == Decimal(expected)


@pytest.mark.parametrize(("first", "second"), [("1e9", "1e9"), ("123456789012345", "1"), ("1.1234567890123", "1.1234567890123")])
def test_a_product_that_cannot_be_exact_is_null(first: str, second: str) -> None:
    """Too large or too many decimals: null, which becomes a reject, and no overflow stops the query."""
    assert product(first, second) is None


amounts = st.decimals(min_value=-10_000_000_000, max_value=10_000_000_000, places=5) | st.decimals(
    min_value=-99, max_value=99, places=17
)


@given(amounts, amounts | st.none(), amounts | st.none())
def test_what_is_taken_off_is_taken_off_before_rounding(
    first: Decimal, discount: Decimal | None, returned: Decimal | None
) -> None:
    """Amount less discount less return is the exact sum rounded once, whatever their decimals."""
    frame = pl.DataFrame(
        {name: [None if one is None else f"{one:f}"] for name, one in (("a", first), ("d", discount), ("r", returned))},
        schema=dict.fromkeys("adr", pl.String),
    )
    off, back = abs(discount or Decimal(0)), abs(returned or Decimal(0))
    exact = (first + off if first < 0 else first - off) - back
    found = frame.select(numbers.line_money(pl.col("a"), None, pl.col("d"), pl.col("r"))).item()
    assert found == exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)


def test_zero_is_zero_whatever_its_sign() -> None:
    """-0.00 is no negative amount."""
    assert str(pl.select(numbers.money(pl.lit("-0.00"))).item()) == "0.0000"


def test_a_sign_is_the_same_with_and_without_its_point() -> None:
    """Rs. and Rs, kr. and KR are one currency each; a code stands for itself."""
    cells = pl.Series("cell", ["Rs. 5", "5 rs", "kr. 5", "5 KR", "CNY 5", "5", "5 руб."]).to_frame()
    read = cells.select(numbers.symbol(pl.col("cell")))["cell"].to_list()
    assert read == ["RS", "RS", "KR", "KR", "CNY", None, "РУБ"]


def test_signs_of_one_currency_do_not_count_as_two() -> None:
    """¥ and 元 can both be CNY; $ and € cannot be one currency."""
    assert numbers.currencies(["元", "¥"]) == ["元"]
    assert numbers.currencies(["$", "€"]) == ["$", "€"]
    assert numbers.currencies([]) == []
