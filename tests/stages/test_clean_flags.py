"""Review flags, rule by rule, on literal logs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from clm.expressions import ExpressionError, Rule, parse
from clm.stages.clean import flags, goods

START = datetime(2024, 3, 1, 9, 0)
TYPES = {
    "customer_id": pl.String, "order_id": pl.String, "ordered_at": pl.Datetime("us"), "amount": pl.Decimal(18, 4),
    "kind": pl.String, "quantity": pl.Decimal(18, 4), "product_id": pl.String, "product": pl.String,
}  # fmt: skip


def good(rows: Sequence[dict[str, Any]], *without: str) -> pl.LazyFrame:
    """Good rows; what a row does not say is a sale of one MUG at 10 to A, an hour after the row before."""
    filled = []
    for place, row in enumerate(rows):
        plain = {
            "customer_id": "A", "order_id": f"O{place}", "ordered_at": START + timedelta(hours=3 * place), "amount": 10,
            "kind": "sale", "quantity": 1, "product_id": "MUG-1", "product": "mug",
        }  # fmt: skip
        row = plain | row
        exact = {name: Decimal(str(row[name])) for name in ("amount", "quantity") if row[name] is not None}
        filled.append(row | exact)
    frame = pl.DataFrame(filled, schema=TYPES, orient="row").with_columns((7 + pl.int_range(pl.len())).alias("clm:at"))
    return frame.drop(without).lazy()


def flagged(frame: pl.LazyFrame, **options: Any) -> list[str | None]:
    return flags.flagged(frame, **options).frame.collect()["flags"].to_list()


def returned(**row: Any) -> dict[str, Any]:
    return {"kind": "return", "quantity": -1, "amount": -10} | row


HISTORY = [{"customer_id": f"C{place % 12}", "amount": 8 + place % 5} for place in range(60)]


def test_an_order_far_from_its_customer_and_from_the_shop_is_flagged_on_all_its_lines() -> None:
    """Fifty times what everybody pays: each line of the order says so, no other line does."""
    huge = [{"customer_id": "C3", "order_id": "huge", "amount": 250, "product_id": place} for place in ("P1-x", "P2-x")]
    assert flagged(good([*HISTORY, *huge]))[-3:] == [None, "amount_outlier", "amount_outlier"]


def test_who_always_buys_that_much_is_no_outlier() -> None:
    """A wholesaler among small customers is his own measure."""
    rows = [*HISTORY * 5, *({"customer_id": "big", "amount": 480 + 20 * place} for place in range(6))]
    assert set(flagged(good(rows, "product_id", "product", "quantity"))) == {None}


def test_a_regular_customer_who_spends_double_is_nothing_to_look_at() -> None:
    """Where everybody always pays the same, twice as much is not yet far out."""
    rows = [{"customer_id": f"C{place % 12}"} for place in range(60)] + [{"customer_id": "C1", "amount": 20, "quantity": 2}]
    assert set(flagged(good(rows))) == {None}


def test_a_price_that_contradicts_the_product_is_flagged() -> None:
    """A lost decimal point in a price, up or down."""
    rows = [*HISTORY, {"customer_id": "C1", "amount": 1000}, {"customer_id": "C2", "amount": 1}]
    assert flagged(good(rows))[-2:] == ["amount_outlier,price_outlier", "price_outlier"]


def test_a_product_sold_at_two_prices_has_two_prices() -> None:
    """By the piece and by the case: the rarer of two usual prices is no outlier."""
    rows = [*HISTORY, *({"customer_id": f"C{place}", "amount": 120} for place in range(12))]
    assert "price_outlier" not in str(flagged(good(rows)))


def test_a_quantity_far_above_the_product_is_flagged_unless_the_customer_is_used_to_it() -> None:
    """Two hundred mugs where everybody buys one; but not from who has ordered two hundred before."""
    many = {"customer_id": "C1", "quantity": 200, "amount": 2000}
    assert "quantity_outlier" in str(flagged(good([*HISTORY, many]))[-1])
    used = [*HISTORY * 9, *({**many, "customer_id": "reseller"} for _ in range(4))]
    assert "quantity_outlier" not in str(flagged(good(used)))


def test_a_burst_is_many_orders_within_the_hour() -> None:
    """Eight orders in ten minutes, on both sides of the full hour."""
    rows = [{"customer_id": "B", "ordered_at": START + timedelta(minutes=55 + place)} for place in range(8)]
    assert flagged(good([*HISTORY, *rows]))[-9:] == [None, *["burst"] * 8]


def test_five_orders_within_the_hour_are_no_burst() -> None:
    """Below the floor nothing is strange."""
    rows = [{"customer_id": "B", "ordered_at": START + timedelta(minutes=place)} for place in range(5)]
    assert set(flagged(good([*HISTORY, *rows]))) == {None}


def test_a_till_that_is_always_busy_has_no_bursts() -> None:
    """The account of walk-in customers orders twenty times every hour: that is its way."""
    busy = [
        {"customer_id": "till", "ordered_at": START + timedelta(hours=place // 20, minutes=place % 20)} for place in range(400)
    ]
    assert set(flagged(good([*HISTORY * 20, *busy], "product_id", "product", "quantity"))) == {None}


def test_money_below_zero_on_a_sale_is_flagged_and_a_voucher_is_not() -> None:
    """A negative price is; what takes money off is no product, and said to be none."""
    rows = [{"amount": -5}, {"amount": 0}, {"amount": -5, "product_id": "V-1", "product": "Gift voucher £5"}, {}]
    assert flagged(good(rows)) == ["negative_price", "zero_price", "non_product", None]


@pytest.mark.parametrize(("minutes", "flag"), [(12, "quick_cancellation"), (60, "quick_cancellation"), (61, None)])
def test_a_cancellation_within_the_hour_is_flagged_on_both_sides(minutes: int, flag: str | None) -> None:
    """Sale and return of the same customer, product and quantity."""
    rows = [{"quantity": 5, "amount": 50}, returned(quantity=-5, amount=-50, ordered_at=START + timedelta(minutes=minutes))]
    assert flagged(good(rows)) == [flag, flag]


def test_a_return_before_the_sale_or_of_another_quantity_cancels_nothing() -> None:
    """Only the same again, and only afterwards."""
    early = returned(ordered_at=START - timedelta(minutes=5))
    other = returned(quantity=-2, amount=-20, ordered_at=START + timedelta(minutes=5))
    assert flagged(good([{"quantity": 5}, early, other])) == [None, "unmatched_return", None]


def test_equal_money_shows_a_cancellation_where_products_are_unknown() -> None:
    """A log of totals: the same customer, the same money."""
    rows = [{"amount": 33}, returned(amount=-33, ordered_at=START + timedelta(minutes=5)), returned(amount=-34)]
    log = good(rows, "product_id", "product", "quantity")
    assert flagged(log) == ["quick_cancellation", "quick_cancellation", "unmatched_return"]


def test_returns_are_matched_until_all_that_was_bought_is_back() -> None:
    """Five bought, two and two back; two more were never bought. Money is told apart to the cent."""
    rows = [{"quantity": 5, "amount": 50}, *(returned(quantity=-2, amount=-20) for _ in range(3))]
    found = flags.flagged(good(rows))
    assert found.frame.collect()["flags"].to_list() == [None, None, None, "unmatched_return"]
    assert found.refunds.to_json() == {
        "matched": {"rows": 2, "amount": "-40.0000"},
        "unmatched": {"rows": 1, "amount": "-20.0000"},
        "non_product": {"rows": 0, "amount": "0"},
    }


def test_a_return_of_something_never_bought_spoils_no_later_match() -> None:
    """An unmatched return takes nothing from the purchase that follows it."""
    assert flagged(good([returned(), {}, returned(ordered_at=START + timedelta(days=3))])) == ["unmatched_return", None, None]


def test_a_refund_in_the_order_itself_is_matched_whatever_it_is_for() -> None:
    """Money back within one order, for a line it does not name; but not more than the order."""
    for money, flag in ((-4, None), (-11, "unmatched_return")):
        assert flagged(good([{"order_id": "X"}, returned(order_id="X", product_id="DENT", amount=money)])) == [None, flag]


def test_money_back_for_postage_is_no_return_of_goods() -> None:
    """Counted by itself."""
    found = flags.flagged(good([returned(product_id="POST", product="POSTAGE", amount=-4.5)]))
    assert found.frame.collect()["flags"].to_list() == ["non_product"]
    assert found.refunds.non_product == flags.Sum(1, Decimal("-4.5"))


@pytest.mark.parametrize(
    ("product_id", "product"),
    [
        ("post", None), ("DOT", "x"), ("M", None), ("gift_0001_20", None), ("DCGS0003", None),
        ("x-123", "  Manual "), ("x-123", "Next day postage"),
        ("x-123", "补差价专拍"), ("x-123", "顺丰运费"), ("x-123", "满100优惠券"), ("BANK CHARGES", None), (None, "Carriage"),
    ],
)  # fmt: skip
def test_lines_that_are_no_product_are_known_by_code_or_name(product_id: str | None, product: str | None) -> None:
    """In either case, in English and Chinese."""
    rows = [{"product_id": product_id, "product": product}, *({} for _ in range(30))]
    assert flagged(good(rows))[:2] == ["non_product", None]


@pytest.mark.parametrize(
    "product", ["Carriage clock", "Coffee", "Freight train", "Adjustable lamp", "Gift card holder", "邮票", "Manual mill"]
)
def test_products_that_sound_like_fees_are_products(product: str) -> None:
    """A pattern is the whole name."""
    assert flagged(good([{"product": product}])) == [None]


def test_short_ids_are_products_where_all_ids_are_short() -> None:
    """A shop that sells A, B, C and M sells them."""
    assert flagged(good([{"product_id": name, "product": None} for name in "ABCDM"])) == [None] * 5


def test_the_list_of_what_is_no_product_is_the_callers() -> None:
    """Own patterns replace the shipped ones, short or not, with wildcards, and nothing in them is a pattern but `*` and `?`."""
    rows = [{"product_id": name} for name in ("POST", "tax.1", "taxi1", "T9", "T99")]
    assert flagged(good(rows), non_products=("tax.?", "t?")) == [None, "non_product", None, "non_product", None]
    assert flagged(good(rows), non_products=()) == [None] * 5
    assert len(set(goods.default_patterns())) == len(goods.default_patterns()) > 50


def test_rules_and_known_conditions_add_their_flags_in_a_fixed_order() -> None:
    """Codes of clm first, in their order, then the rules' own in the order of the rules."""
    rows = [{"amount": 0}, {"amount": 500}]
    rules = [
        Rule("large", parse("amount > 100")), Rule("one", parse("quantity = 1")), Rule("large", parse("amount > 200")),
    ]  # fmt: skip
    found = flags.flagged(good(rows), rules=rules, known=[(pl.lit(value=True), "duplicate")])
    assert found.frame.collect()["flags"].to_list() == ["duplicate,zero_price,one", "duplicate,large,one"]
    assert found.codes == (*flags.FLAGS, "large", "one")
    bare = flags.flagged(good(rows), rules=rules[:1], known=[(pl.lit(value=True), "duplicate")], look=False)
    assert bare.frame.collect()["flags"].to_list() == ["duplicate", "duplicate,large"]
    counted = flags.tally(flags.by_flags(found.frame), found.codes)
    assert {code: (one.rows, one.money) for code, one in counted.items()} == {
        "duplicate": (2, 500), "zero_price": (1, 0), "large": (1, 500), "one": (2, 500),
    }  # fmt: skip


def test_a_rule_the_log_cannot_answer_is_an_error() -> None:
    """An unknown column, or one of clm's own."""
    for text in ("colour = 'red'", "`clm:at` > 5"):
        with pytest.raises(ExpressionError):
            flags.flagged(good([{}]), rules=[Rule("x", parse(text))])


@pytest.mark.parametrize(
    "without", [(), ("quantity",), ("product_id",), ("product", "product_id"), ("quantity", "product", "product_id")]
)
@pytest.mark.parametrize("rows", [[], [{}], [{}] * 300, [returned()], [{}, returned()] * 30])
@pytest.mark.parametrize("money", [True, False])
@pytest.mark.parametrize("times", [True, False])
def test_every_shape_of_log_is_judged(rows: list[dict[str, Any]], without: tuple[str, ...], money: bool, times: bool) -> None:
    """Empty, one row, one customer, all equal; without amounts, times, quantities, products: rows stay as they are."""
    log = good(rows, *without)
    log = log if money else log.with_columns(amount=pl.lit(None, dtype=pl.Decimal(18, 4)))
    log = log if times else log.with_columns(pl.col("ordered_at").dt.truncate("1d"))
    found = flags.flagged(log)
    judged = found.frame.collect()
    assert judged.drop("flags").equals(log.collect())
    assert judged.schema["flags"] == pl.String
    parts = (found.refunds.matched, found.refunds.unmatched, found.refunds.non_product)
    assert sum(part.rows for part in parts) == sum(row.get("kind") == "return" for row in rows)
    bad = found.refunds.unmatched.rows
    assert bad == (len(rows) if rows == [returned()] else 0)


def test_a_chinese_word_is_no_short_code() -> None:
    """Two characters are a whole word: postage is told apart from products whose names are as short."""
    rows = [{"product_id": None, "product": name} for name in ("苹果", "运费", "茶叶")]
    assert flagged(good(rows, "product_id")) == [None, "non_product", None]
