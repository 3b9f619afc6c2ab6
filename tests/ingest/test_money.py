"""Which column is what was paid: proved by the others, asked about, or said."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from clm.errors import DataError
from tests.cleaning import Cleaned, clean_text

HEAD = "order no,customer,date,"


def table(columns: str, cells: list[str]) -> str:
    rows = [f"{place},C{place % 4},2024-03-{place + 1:02d},{one}\n" for place, one in enumerate(cells)]
    return f"{HEAD}{columns}\n{''.join(rows)}"


def codes(done: Cleaned) -> list[str]:
    return [notice.code for notice in done.settled.outcome.warnings]


def asked(text: str, folder: Path, code: str) -> str:
    with pytest.raises(DataError) as caught:
        clean_text(text, folder)
    assert caught.value.code == code
    return str(caught.value.fix)


@pytest.mark.parametrize("column", ["Gross Amount", "Subtotal", "订单金额"])
def test_a_discount_beside_gross_money_is_a_question(column: str, tmp_path: Path) -> None:
    """Whether 5 comes off 20 or is off already, nothing tells; either answer works."""
    text = table(f"{column},Discount", ["20.00,5.00", "30.00,5.00", "40.00,0.00"])
    fix = asked(text, tmp_path, "discount")
    assert column in fix
    assert "--map discount=Discount" in fix
    assert sum(clean_text(text, tmp_path, map=(("amount", column), ("discount", "Discount"))).column("amount")) == 80
    assert sum(clean_text(text, tmp_path, map=(("amount", column),)).column("amount")) == 90


def test_rows_that_prove_what_was_paid_settle_a_discount(tmp_path: Path) -> None:
    """Gross less discount is the net column, which is taken; an amount after discounts stays, without a word."""
    done = clean_text(table("subtotal,discount,after all", ["20,5,15", "30,-5,25", "40,0,40"]), tmp_path)
    assert done.reading.roles["amount"] == ("after all",)
    for columns, cells in (
        ("list value,discount,amount", ["20,5,15", "30,5,25"]),
        ("qty,price,discount,amount", ["2,10,5,15", "3,10,5,25"]),
        ("list value,store discount,shop discount,amount", ["20,2,3,15", "30,3,2,25"]),
    ):
        done = clean_text(table(columns, cells), tmp_path)
        assert (done.reading.roles["amount"], codes(done)) == (("amount",), [])


def test_a_discount_that_nothing_explains_is_said(tmp_path: Path) -> None:
    """`amount` may be before or after it, and 0.1 a rate: a notice names both columns; a total is what was paid."""
    assert codes(clean_text(table("amount,discount", ["20,5", "30,6"]), tmp_path)) == ["discount_unused"]
    assert codes(clean_text(table("subtotal,discount", ["20,0.1", "30,0.2"]), tmp_path)) == ["discount_unused"]
    assert codes(clean_text(table("total,discount", ["20,5", "30,6"]), tmp_path)) == []
    assert codes(clean_text(table("amount,discount", ["20,0", "30,0"]), tmp_path)) == []


def test_what_is_owed_comes_before_what_it_was(tmp_path: Path) -> None:
    """应付金额 and 实付金额 are what was paid, 订单金额 what it was before."""
    done = clean_text(table("订单金额,应付金额", ["100,90", "50,40"]), tmp_path)
    assert done.column("amount") == [90, 40]
    assert clean_text(table("訂單金額,應付金額,實付金額", ["9,8,7", "6,5,4"]), tmp_path).column("amount") == [7, 4]


def test_an_amount_that_counts_pieces_is_proved_by_its_product(tmp_path: Path) -> None:
    """Amount × Price is Total in every row: the money is Total."""
    done = clean_text(table("Amount,Price,Total", ["1,9.50,9.50", "2,9.50,19.00", "3,9.50,28.50"]), tmp_path)
    assert {role: done.reading.roles[role] for role in ("amount", "quantity")} == {"amount": ("Total",), "quantity": ("Amount",)}
    assert sum(done.column("amount")) == 57


def test_whole_numbers_beside_prices_are_a_question(tmp_path: Path) -> None:
    """Sales of 1, 2 and 3 at a price of 5 may be pieces; money that has cents, or a quantity beside it, is not asked about."""
    text = table("Price,Sales", ["5.00,1", "5.00,2", "5.00,3"])
    assert "--map quantity=Sales --map unit_price=Price" in asked(text, tmp_path, "amount_or_count")
    told = clean_text(text, tmp_path, map=(("quantity", "Sales"), ("unit_price", "Price")))
    assert told.column("amount") == [5, 10, 15]
    assert clean_text(text, tmp_path, map=(("amount", "Sales"),)).column("amount") == [1, 2, 3]
    for columns, cells in (("price,sales", ["2.50,5", "2.50,7.50"]), ("price,sales,qty", ["5,10,2", "5,5,1"])):
        assert clean_text(table(columns, cells), tmp_path).reading.roles["amount"] == ("sales",)


def test_a_quantity_that_cannot_be_read_is_a_question(tmp_path: Path) -> None:
    """`2 pcs` at 5 is not 5."""
    text = table("quantity,price", ["2 pcs,5.00", "3 pcs,5.00"])
    assert "--map amount=price" in asked(text, tmp_path, "quantity_unread")
    assert clean_text(text, tmp_path, map=(("amount", "price"),)).column("amount") == [5, 5]


def test_what_is_left_after_a_fee_is_not_what_was_paid(tmp_path: Path) -> None:
    """PayPal's Net is Gross less Fee; a fee that is in no such relation changes nothing."""
    done = clean_text(table("Gross,Fee,Net", ["10.00,-0.50,9.50", "20.00,-0.80,19.20", "-5.00,0,-5.00"]), tmp_path)
    assert done.reading.roles["amount"] == ("Gross",)
    assert clean_text(table("Total,Fee", ["10,1", "20,1"]), tmp_path).reading.roles["amount"] == ("Total",)


def lines(count: int, columns: str = "line no,sku,quantity,price,", cells: str = "{line},S{line},1,{line}{order}.00,") -> str:
    head = f"order no,customer,date,{columns}order total\n"
    rows = [
        f"O{order},C{order % 3},2024-03-{order + 1:02d},{cells.format(line=line, order=order)}{30 + 2 * order}.00\n"
        for order in range(count)
        for line in (1, 2)
    ]
    return head + "".join(rows)


def test_line_numbers_and_few_orders_do_not_hide_a_repeated_total(tmp_path: Path) -> None:
    """One order whose lines add up to the amount on each is enough; without prices it takes a few various ones."""
    for count in (1, 3, 9):
        assert "--map quantity=quantity --map unit_price=price" in asked(lines(count), tmp_path, "order_totals")
    asked(lines(5, "sku,", "S{line},"), tmp_path, "order_totals")
    told = clean_text(lines(3), tmp_path, map=(("quantity", "quantity"), ("unit_price", "price")))
    assert told.column("amount") == [Decimal(10 * line + order) for order in range(3) for line in (1, 2)]


def test_lines_that_cost_the_same_are_no_repeated_total(tmp_path: Path) -> None:
    """Two lines of 9.99 each, at a price of 9.99, are two lines."""
    text = "order no,customer,date,line no,sku,quantity,price,amount\n" + "".join(
        f"O{order},C{order},2024-03-{order + 1:02d},{line},S{line},1,{order}9.99,{order}9.99\n"
        for order in range(9)
        for line in (1, 2)
    )
    assert clean_text(text, tmp_path).reading.roles["amount"] == ("amount",)


@pytest.mark.parametrize(
    "names", [("Amount (CNY)", "Amount (USD)"), ("total_eur", "total_usd"), ("金额（人民币）", "金额（美元）")]
)
def test_money_in_two_currencies_is_a_question(names: tuple[str, str], tmp_path: Path) -> None:
    """The names differ in the currency alone: one is named, or --currency chooses; its currency is the log's."""
    text = table(",".join(names), ["144.00,20.00", "72.00,10.00"])
    fix = asked(text, tmp_path, "currencies")
    assert all(name in fix for name in names)
    told = clean_text(text, tmp_path, map=(("amount", names[1]),))
    assert (sum(told.column("amount")), told.settled.outcome.currency) == (30, "USD")
    assert clean_text(text, tmp_path, currency="USD").column("amount") == [20, 10]


def test_a_name_that_says_a_currency_is_believed(tmp_path: Path) -> None:
    """Amount (USD) is in dollars, whatever else a column says about the order, and not in what --currency says otherwise."""
    done = clean_text(table("Amount (USD),Currency", ["20.00,CNY", "10.00,EUR"]), tmp_path)
    assert (done.settled.outcome.currency, "currency" in done.reading.roles) == ("USD", False)
    with pytest.raises(DataError, match="by its name"):
        clean_text(table("Amount (USD)", ["20.00", "10.00"]), tmp_path, currency="CNY")
