"""The rules of `clean`, each on a log of a few lines."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from clm.errors import DataError, UsageError
from clm.settings import typed
from clm.tables import REJECT_CODES, TRANSACTIONS
from tests.cleaning import clean_files, clean_text

HEAD = "order_id,customer_id,order_date,amount\n"
PADDING = "".join(f"p{row},P{row},2024-01-02,1\n" for row in range(60))


def test_a_plain_log_becomes_transactions(tmp_path: Path) -> None:
    """Columns, types and values as the contract says, in the order of the source, with the line of each record."""
    done = clean_text(HEAD + "7,B,2024-01-03 10:15,2.50\n5,A,2024-01-02,10\n", tmp_path)
    assert done.rows.columns == ["customer_id", "order_id", "ordered_at", "amount", "kind", "flags", "source_line"]
    assert done.rows.rows() == [
        ("B", "7", datetime(2024, 1, 3, 10, 15), Decimal("2.5000"), "sale", None, 2),
        ("A", "5", datetime(2024, 1, 2), Decimal("10.0000"), "sale", None, 3),
    ]
    assert dict(done.rows.schema) == {
        "customer_id": pl.String(), "order_id": pl.String(), "ordered_at": pl.Datetime("us"), "amount": pl.Decimal(18, 4),
        "kind": pl.String(), "flags": pl.String(), "source_line": pl.Int64(),
    }  # fmt: skip
    assert done.settled.outcome.closing == "2 rows = 2 sales + 0 returns"


def test_an_empty_log_is_an_empty_table(tmp_path: Path) -> None:
    """A header with no records has roles by name and no rows."""
    done = clean_text(HEAD, tmp_path)
    assert done.rows.height == 0
    assert done.settled.refusal is None
    assert done.settled.outcome.closing == "0 rows = 0 sales + 0 returns"
    assert [notice.code for notice in done.settled.outcome.warnings] == ["no_rows"]


def test_a_file_without_records_is_said(tmp_path: Path) -> None:
    """One of several files that holds a header only is named: an export may have failed."""
    (tmp_path / "full.csv").write_text(HEAD + "1,A,2024-01-02,5\n")
    (tmp_path / "none.csv").write_text(HEAD + "\n")
    pl.DataFrame(schema=dict.fromkeys(HEAD.strip().split(","), pl.String)).write_parquet(tmp_path / "none.parquet")
    done = clean_files([tmp_path / name for name in ("full.csv", "none.csv", "none.parquet")], tmp_path)
    assert [notice.text for notice in done.settled.outcome.warnings] == [
        "none.csv has a header and no records.",
        "none.parquet has a header and no records.",
    ]


@pytest.mark.parametrize(
    ("record", "reason", "column", "detail", "amount"),
    [
        ("9,A,2024-01-02", "fields_few", None, "3 of 4 fields", None),
        ("9,A,2024-01-02,5,6", "fields_many", None, "5 of 4 fields", None),
        ('9,"A"x,2024-01-02,5', "quote", None, None, None),
        ("9,A\0,2024-01-02,5", "nul", None, None, None),
        ("9,A,2024-13-01,5", "date", "order_date", "9999-99-99", "5.0000"),
        ("9,A,05.03.2024,5", "date", "order_date", "99.99.9999", "5.0000"),
        ("9,A,,5", "date", "order_date", "", "5.0000"),
        ("9,A,2024-01-02,Five 5", "amount", "amount", "Aaaa 9", None),
        ("9,A,2024-01-02,", "amount", "amount", "", None),
        ("9, ,2024-01-02,5", "no_customer", "customer_id", None, "5.0000"),
        (",A,2024-01-02,5", "no_order", "order_id", None, "5.0000"),
        ("9,1.23E+15,2024-01-02,5", "id_destroyed", "customer_id", "9.99A+99", "5.0000"),
        ("合计,,,65", "totals_row", None, None, "65.0000"),
        ("Grand Total:,,,65", "totals_row", None, None, "65.0000"),
        ("order_id,customer_id,order_date,amount", "header_repeat", None, None, None),
        ("", "blank_row", None, None, None),
        (",,,", "blank_row", None, None, None),
    ],
)
def test_each_reject_says_why_where_and_how_much(
    record: str, reason: str, column: str | None, detail: str | None, amount: str | None, tmp_path: Path
) -> None:
    """One record that does not pass: its line, the first reason that applies, the column, the shape, the readable money."""
    done = clean_text(HEAD + PADDING + record + "\n", tmp_path)
    expected = Decimal(amount) if amount else None
    assert done.rejects.rows() == [("orders.csv", 62, reason, column, detail, expected)]
    assert done.rows.height == 60
    assert done.settled.refusal is None


def test_reasons_come_in_the_order_of_the_codes(tmp_path: Path) -> None:
    """A record with everything wrong gets the first code of the list that applies."""
    text = "order_id,customer_id,order_date,amount,quantity,status\n" + "".join(
        f"{row},P,2024-01-02,1,1,ok\n" for row in range(90)
    )
    done = clean_text(
        text + ",,x,y,z,cancelled\n,,2024-01-02,y,z,cancelled\n,,2024-01-02,1,z,cancelled\n,,2024-01-02,1,1,void\n"
        ",A,2024-01-02,1,1,void\n1,A,2024-01-02,1,1,void\n",
        tmp_path,
        max_rejects=1.0,
    )
    found = done.rejects["reason"].to_list()
    assert found == ["date", "amount", "quantity", "no_customer", "no_order", "cancelled"]
    assert sorted(found, key=REJECT_CODES.index) == found


def test_rejects_never_hold_a_value(tmp_path: Path) -> None:
    """A shape shows digits as 9, letters as a, hanzi as 字 and nothing longer than forty characters."""
    done = clean_text(HEAD + PADDING + f"9,A,{'张三 Zhang 13812345678 ' * 4},5\n", tmp_path)
    detail = done.rejects["detail"][0]
    assert detail.startswith("字字 Aaaaa 99999999999 ")
    assert len(detail) == 40


def test_raw_records_are_there_only_when_asked_for(tmp_path: Path) -> None:
    """--rejects-raw adds the record as it stands in the source."""
    text = HEAD + PADDING + '9,"A, B",nonsense,5\n'
    assert "raw" not in clean_text(text, tmp_path).rejects.columns
    assert clean_text(text, tmp_path, rejects_raw=True).rejects["raw"].to_list() == ['9,"A, B",nonsense,5']


def test_ids_are_trimmed_text(tmp_path: Path) -> None:
    """Leading zeros stay, spreadsheet armour goes, NFC is made, NA and NULL are ids."""
    ids = ['="0017"', "'0018", "0019\t", "NA", "NULL", " 12 ", "e\u0301", '"=""0020"""', "1,5".replace(",", "."), "Zoë O'Neil"]
    done = clean_text(HEAD + "".join(f"{row},{one},2024-01-02,5\n" for row, one in enumerate(ids)), tmp_path)
    assert done.column("customer_id") == ["0017", "0018", "0019", "NA", "NULL", "12", "\u00e9", "0020", "1.5", "Zoë O'Neil"]


def test_ids_written_as_floats_lose_the_point_when_all_are(tmp_path: Path) -> None:
    """17850.0 is 17850 in a column where every value is written so, and clm says that it did that."""
    done = clean_text(HEAD + "1,17850.0,2024-01-02,5\n2,12.0,2024-01-02,5\n3,,2024-01-02,5\n", tmp_path)
    assert done.column("customer_id") == ["17850", "12"]
    assert [notice.code for notice in done.settled.outcome.warnings] == ["id_point_removed"]


def test_one_other_id_keeps_the_point(tmp_path: Path) -> None:
    """One value that is no whole number with .0 stands against it for the whole column."""
    done = clean_text(HEAD + "1,17850.0,2024-01-02,5\n2,K7,2024-01-02,5\n", tmp_path)
    assert done.column("customer_id") == ["17850.0", "K7"]


def test_a_month_written_as_floats_meets_a_month_written_as_integers(tmp_path: Path) -> None:
    """Two files of one shop, one with and one without the point, give one customer."""
    for name, customer in (("a.csv", "17850.0"), ("b.csv", "17850")):
        (tmp_path / name).write_text(HEAD + f"1,{customer},2024-01-02,5\n")
    assert clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path).column("customer_id") == ["17850", "17850"]


def test_what_an_id_is_called_does_not_depend_on_other_files(tmp_path: Path) -> None:
    """The point goes file by file: 1.0 of a file that writes all ids so is 1 whatever the other files hold."""
    (tmp_path / "k1.csv").write_text(HEAD + "a,1.0,2024-01-01,1\nb,2.0,2024-01-02,1\n")
    (tmp_path / "k2.csv").write_text(HEAD + "a,1,2024-01-01,1\nb,X7,2024-01-02,1\nc,5.0,2024-01-02,1\n")
    alone = clean_files([tmp_path / "k1.csv"], tmp_path).column("customer_id") + clean_files(
        [tmp_path / "k2.csv"], tmp_path
    ).column("customer_id")
    done = clean_files([tmp_path / "k1.csv", tmp_path / "k2.csv"], tmp_path)
    assert done.column("customer_id") == alone == ["1", "2", "1", "X7", "5.0"]
    assert "in 1 file ended in .0" in done.settled.outcome.warnings[0].text


def test_quantity_times_price_is_exact(tmp_path: Path) -> None:
    """Without an amount the line is worth quantity × unit price, rounded once, half to even."""
    text = "customer,date,qty,unit price\nA,2024-01-02,0.328,25.23\nA,2024-01-02,3,0.00015\nA,2024-01-02,-2,1.005\n"
    done = clean_text(text, tmp_path)
    assert done.column("amount") == [Decimal("8.2754"), Decimal("0.0004"), Decimal("-2.0100")]
    assert done.column("kind") == ["sale", "sale", "return"]
    assert done.column("quantity") == [Decimal("0.3280"), Decimal(3), Decimal(-2)]


def test_a_discount_brings_the_line_nearer_to_nothing(tmp_path: Path) -> None:
    """Shops write the discount as 5 or as -5; on a return it lessens what is given back."""
    rows = ("2,10,5", "2,10,-5", "-2,10,5", "1,1,")
    text = "customer,date,qty,unit price,discount amount\n" + "".join(f"A,2024-01-02,{row}\n" for row in rows)
    assert clean_text(text, tmp_path).column("amount") == [Decimal(15), Decimal(15), Decimal(-15), Decimal(1)]


def test_a_discount_that_may_be_a_rate_is_left_alone_and_said(tmp_path: Path) -> None:
    """`discount` beside quantity × price may be 5 money or 5 per cent: a word about it, and --map settles it."""
    for name in ("Discount", "会员折扣", "优惠券"):
        text = f"customer,date,qty,unit price,{name}\nA,2024-01-02,2,10,5\n"
        done = clean_text(text, tmp_path)
        assert done.column("amount") == [Decimal(20)]
        notice = done.settled.outcome.warnings[0]
        assert notice.code == "discount_unused"
        assert typed("map", f"discount={name}") in notice.text
        told = clean_text(text, tmp_path, map=(("discount", name),))
        assert told.column("amount") == [Decimal(15)]
        assert told.settled.outcome.warnings == ()


def test_a_discount_comes_off_a_given_amount_only_when_named(tmp_path: Path) -> None:
    """What was paid is after discounts; who maps a discount beside it wants it taken off."""
    text = "customer,date,total,discount amount\nA,2024-01-02,20,5\n"
    assert clean_text(text, tmp_path).column("amount") == [Decimal(20)]
    assert clean_text(text, tmp_path, map=(("discount", "discount amount"),)).column("amount") == [Decimal(15)]


def test_money_is_rounded_once_per_line(tmp_path: Path) -> None:
    """Quantity, price, discount and what was given back are worked out exactly before the one rounding."""
    text = "customer,date,qty,unit price,discount amount,refunded amount\n"
    rows = ("1,1.00005,0.00015,", "1,1.00005,,0.00015", "3,0.3333333333,0.0000000001,0.99985", "1,5,0.00005000000000000001,")
    done = clean_text(text + "".join(f"A,2024-01-02,{row}\n" for row in rows), tmp_path)
    assert done.column("amount") == [Decimal("0.9999"), Decimal("0.9999"), Decimal("0.0001"), Decimal("4.9999")]


def test_money_that_does_not_fit_is_a_reject(tmp_path: Path) -> None:
    """The largest amount less the largest refund is beyond the column: `amount`, and no digit of it is shown."""
    most = "99999999999999.9999"
    text = f"customer,date,total,refunded amount\nA,2024-01-02,-{most},{most}\nA,2024-01-02,{most},{most}\nA,2024-01-02,{most},\n"
    done = clean_text(text, tmp_path, max_rejects=1.0)
    assert done.reasons == {2: "amount"}
    assert done.column("amount") == [Decimal(0), Decimal(most)]


def test_money_given_back_is_taken_off(tmp_path: Path) -> None:
    """An amount with a refund beside it is what was kept."""
    text = "customer,date,total,refunded amount\nA,2024-01-02,20,5\nA,2024-01-03,20,\n"
    assert clean_text(text, tmp_path).column("amount") == [Decimal(15), Decimal(20)]


def test_an_order_that_is_negative_as_a_whole_is_a_return(tmp_path: Path) -> None:
    """A voucher line inside a positive order stays a sale; an order below zero is a return with every line of it."""
    done = clean_text(
        HEAD + "1,A,2024-01-02,-5\n2,A,2024-01-02,10\n2,A,2024-01-02,-3\n3,B,2024-01-02,1\n3,B,2024-01-02,-3\n", tmp_path
    )
    assert done.column("kind") == ["return", "sale", "sale", "return", "return"]


def test_a_repeated_line_that_goes_does_not_make_its_order_negative(tmp_path: Path) -> None:
    """Of an order of 10 with a voucher of 6 written twice, 4 remain where repeats are dropped: a sale."""
    rows = HEAD + "2,A,2024-01-02,10\n2,A,2024-01-02,-6\n2,A,2024-01-02,-6\n"
    assert clean_text(rows, tmp_path, duplicates="drop").column("kind") == ["sale", "sale"]
    assert clean_text(rows, tmp_path, duplicates="keep").column("kind") == ["return"] * 3


def test_a_cancellation_document_is_a_return(tmp_path: Path) -> None:
    """C and a number among invoices that are numbers is the cancellation of an invoice."""
    done = clean_text("invoice,customer,date,total\n100,A,2024-01-02,10\n101,A,2024-01-02,10\nC102,A,2024-01-03,-10\n", tmp_path)
    assert done.column("kind") == ["sale", "sale", "return"]


def test_an_id_with_a_c_makes_no_return(tmp_path: Path) -> None:
    """C1 with money and units above zero is an order like any other; at zero money only a negative quantity tells."""
    rows = ("7,a,2024-01-01,2,5", "8,a,2024-01-01,1,1", "9,b,2024-01-01,2,5", "10,b,2024-01-01,1,1")
    rows += ("C1,a,2024-01-02,1,5", "C2,b,2024-01-02,1,0", "C3,b,2024-01-02,-1,0")
    done = clean_text("order_id,customer_id,order_date,quantity,unit price\n" + "\n".join(rows) + "\n", tmp_path)
    assert done.column("kind") == ["sale"] * 6 + ["return"]


UNITS = "order_id,customer_id,order_date,quantity,amount\n1,A,2024-01-02,3,15\n2,A,2024-01-03,0,0\n"


def test_returns_written_without_a_sign_are_made_negative(tmp_path: Path) -> None:
    """Where every return has positive money the source writes no sign: it gets one, in rows, rejects and accounts."""
    done = clean_text(UNITS + "3,A,2024-01-04,-1,5\n4,,2024-01-05,-2,7.50\n", tmp_path)
    assert done.rows.select("amount", "kind").rows()[-1] == (Decimal(-5), "return")
    assert done.rejects["amount"].to_list() == [Decimal("-7.5")]
    assert done.settled.refusal is None
    outcome = done.settled.outcome
    assert outcome.amount is not None
    assert outcome.amount.to_json() == {"in": "2.5000", "out": "10.0000", "rejected": {"no_customer": "-7.5000"}, "collapsed": {}}
    assert [(notice.code, notice.text) for notice in outcome.warnings] == [
        ("returns_unsigned", "2 returns have a positive amount (12.50 in all): taken as money given back."),
        ("rows_flagged", "somebody should look at some rows: 1 zero_price, 1 unmatched_return (column flags)."),
    ]
    assert "returns" in [fact["about"] for fact in outcome.metrics["reading"]["evidence"]]


def test_returns_of_both_signs_are_a_question(tmp_path: Path) -> None:
    """Some above and some below zero cannot be told apart; naming the amount says that all are money given back."""
    text = UNITS + "3,A,2024-01-04,-1,5\n4,A,2024-01-05,-2,-7\n"
    refusal = clean_text(text, tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "return_signs"
    assert "--map quantity=quantity --map unit_price=COLUMN" in str(refusal.fix)
    done = clean_text(text, tmp_path, map=(("amount", "amount"),))
    assert done.settled.refusal is None
    assert done.column("amount")[2:] == [Decimal(-5), Decimal(-7)]


def test_each_file_writes_returns_its_own_way(tmp_path: Path) -> None:
    """A month without signs beside a month with them: each is told by itself, and nothing is asked."""
    (tmp_path / "a.csv").write_text(UNITS + "3,A,2024-01-04,-1,5\n")
    (tmp_path / "b.csv").write_text(UNITS.replace("2024", "2023") + "4,A,2023-01-05,-2,-7\n")
    done = clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path)
    assert done.settled.refusal is None
    assert [amount for amount in done.column("amount") if amount < 0] == [Decimal(-5), Decimal(-7)]


def test_orders_without_ids_are_the_customers_day(tmp_path: Path) -> None:
    """Customer and business day make the order where the source has none."""
    done = clean_text("customer,date,total\nA,2024-01-02 10:00,1\nA,2024-01-02 18:00,2\nA,2024-01-03,3\n", tmp_path)
    assert done.column("order_id") == ["A 2024-01-02", "A 2024-01-02", "A 2024-01-03"]


def test_a_log_without_amounts_counts_visits(tmp_path: Path) -> None:
    """No money anywhere: null amounts, no accounting of money, and a word about it."""
    done = clean_text("date,id\n2024-01-02,0\n2024-01-03,0\n2024-01-03,1\n", tmp_path)
    assert done.rows["amount"].null_count() == 3
    assert done.rows.schema["amount"] == pl.Decimal(18, 4)
    assert done.settled.outcome.amount is None
    assert done.settled.outcome.warnings[0].code == "no_amounts"


def test_cancelled_orders_are_rejected_in_both_languages(tmp_path: Path) -> None:
    """What the status says was cancelled, voided or never paid is no sale; unknown words are."""
    words = ["Shipped", "Cancelled", "VOIDED", "pending_payment", "交易成功", "交易关闭", "已取消", "退款成功", "On Hold"]
    done = clean_text("customer,date,total,order status\n" + "".join(f"A,2024-01-02,1,{word}\n" for word in words), tmp_path)
    assert sorted(done.reasons) == [3, 4, 5, 7, 8, 9]
    assert set(done.reasons.values()) == {"cancelled"}


def test_a_status_of_return_gives_the_money_back(tmp_path: Path) -> None:
    """`refund` is a record of its own and gets its sign; `refunded` with money below zero is the return, above it the sale."""
    head = "customer,date,total,status\nA,2024-01-02,9,paid\n"
    done = clean_text(head + "A,2024-01-03,5,Refund\nA,2024-01-03,2,退货\nA,2024-01-04,3,refunded\n", tmp_path)
    assert done.rows.select("amount", "kind").rows() == [
        (Decimal(9), "sale"),
        (Decimal(-5), "return"),
        (Decimal(-2), "return"),
    ]
    assert done.reasons == {5: "cancelled"}
    assert done.settled.outcome.warnings[0].code == "returns_unsigned"
    done = clean_text(head + "A,2024-01-03,-5,return\nA,2024-01-04,-3,refunded\n", tmp_path)
    assert done.column("kind") == ["sale", "return", "return"]
    assert [notice.code for notice in done.settled.outcome.warnings] == ["rows_flagged"]
    refusal = clean_text(head + "A,2024-01-03,-5,return\nA,2024-01-04,3,return\n", tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "return_signs"


@pytest.mark.parametrize(("header", "word"), [("type", "Refund"), ("退款状态", "退款成功"), ("refund status", "cancelled")])
def test_a_second_status_is_not_passed_over_in_silence(header: str, word: str, tmp_path: Path) -> None:
    """A column that speaks of refunds and is not read is named with what makes it count; one that does not is not."""
    text = f"customer,date,total,order status,{header}\nA,2024-01-02,9,paid,x\nA,2024-01-03,5,paid,"
    done = clean_text(f"{text}{word}\n", tmp_path)
    assert [notice.code for notice in done.settled.outcome.warnings] == ["status_unused"]
    assert typed("map", f"status={header}") in done.settled.outcome.warnings[0].text
    assert clean_text(f"{text}sale\n", tmp_path).settled.outcome.warnings == ()
    told = clean_text(f"{text}{word}\n", tmp_path, map=(("status", header),))
    assert told.settled.outcome.amount is not None
    assert told.settled.outcome.amount.amount_out < 10


def test_pending_means_unpaid_only_where_payment_is_the_matter(tmp_path: Path) -> None:
    """A pending order may be waiting for the parcel; a pending payment is no sale."""
    for header, kept in (("order status", 1), ("payment status", 0)):
        assert clean_text(f"customer,date,total,{header}\nA,2024-01-02,1,pending\n", tmp_path).rows.height == kept


def test_repeats_are_kept_and_flagged(tmp_path: Path) -> None:
    """Lines equal in every column, even in columns nobody mapped: the later ones carry the flag."""
    text = "customer,date,total,note\nA,2024-01-02,1,x\nA,2024-01-02,1,y\nA,2024-01-02,1,x\nA,2024-01-02,1,x\n"
    done = clean_text(text, tmp_path)
    assert done.column("flags") == [None, None, "duplicate", "duplicate"]
    assert done.settled.outcome.metrics["flags"] == {"duplicate": 2}
    assert clean_text(text, tmp_path, duplicates="keep").column("flags") == [None] * 4


def test_repeats_can_be_left_out_and_are_accounted_for(tmp_path: Path) -> None:
    """--duplicates drop collapses them, rows and money."""
    done = clean_text("customer,date,total\nA,2024-01-02,1.5\nA,2024-01-02,1.5\n", tmp_path, duplicates="drop")
    assert done.settled.outcome.rows.collapsed == {"duplicate": 1}
    assert done.settled.outcome.amount is not None
    assert done.settled.outcome.amount.to_json()["collapsed"] == {"duplicate": "1.5000"}
    assert done.settled.outcome.closing == "2 rows = 1 sale + 0 returns + 1 collapsed (repeated row)"


def test_the_same_order_line_twice_is_one(tmp_path: Path) -> None:
    """With line ids a repeat is known by them, and equal lines with other ids are not repeats."""
    text = "order id,line number,customer,date,total\n" + "".join(
        f"{keys},A,2024-01-02,5\n" for keys in ("1,1", "1,2", "1,1", "2,1")
    )
    done = clean_text(text, tmp_path)
    assert done.column("source_line") == [2, 3, 5]
    assert done.column("flags") == [None, None, None]
    assert done.settled.outcome.rows.collapsed == {"duplicate": 1}


def test_a_file_given_twice_counts_once(tmp_path: Path) -> None:
    """The same bytes under another name are collapsed as a whole, broken rows and all."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(HEAD + "1,A,2024-01-02,5\n2,,2024-01-02,7\n")
    done = clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path)
    outcome = done.settled.outcome
    assert outcome.rows.to_json() == {"in": 4, "out": 1, "rejected": {"no_customer": 1}, "collapsed": {"same_file": 2}}
    assert outcome.amount is not None
    assert outcome.amount.to_json()["collapsed"] == {"same_file": "12.0000"}


def month(first: int, last: int, customer: str = "C") -> str:
    return HEAD + "".join(f"{customer}{day},{customer}{day % 3},2024-01-{day:02d},{day}.5\n" for day in range(first, last + 1))


def test_exports_that_overlap_are_a_question(tmp_path: Path) -> None:
    """Two files with the same orders on the days they share would count them twice; either answer settles it."""
    (tmp_path / "early.csv").write_text(month(1, 20))
    (tmp_path / "late.csv").write_text(month(11, 28))
    (tmp_path / "other.csv").write_text(month(1, 28, "X"))
    files = [tmp_path / name for name in ("other.csv", "early.csv", "late.csv")]
    refusal = clean_files(files, tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.what.startswith("early.csv and late.csv share 10 rows")
    assert "--duplicates drop" in str(refusal.fix)
    assert "--duplicates keep" in str(refusal.fix)
    for answer, rows in (("drop", 56), ("keep", 66)):
        done = clean_files(files, tmp_path, duplicates=answer)
        assert done.settled.refusal is None
        assert done.rows.height == rows
    assert clean_files(files[:2], tmp_path).settled.refusal is None


def test_one_common_day_is_enough_when_it_is_full(tmp_path: Path) -> None:
    """A day that two long files share is asked about; a chance repeat between shards of one log is not."""
    day = "".join(f"d{row},D{row},2024-01-05,{row}.5\n" for row in range(20))
    (tmp_path / "a.csv").write_text(month(1, 28) + day)
    (tmp_path / "b.csv").write_text(month(1, 28, "X") + day)
    (tmp_path / "c.csv").write_text(month(1, 28, "Y") + "C9,C0,2024-01-09,9.5\n")
    refusal = clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "overlap"
    assert clean_files([tmp_path / "a.csv", tmp_path / "c.csv"], tmp_path).settled.refusal is None


def test_several_sources_are_named(tmp_path: Path) -> None:
    """With more than one input every row says which file it came from."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.csv").write_text(HEAD + "2,B,2024-01-03,6\n")
    (tmp_path / "in" / "a.csv").write_text(HEAD + "1,A,2024-01-02,5\n")
    done = clean_files([tmp_path / "in"], tmp_path)
    assert done.rows.select("source_file", "source_line", "order_id").rows() == [("a.csv", 2, "1"), ("b.csv", 2, "2")]
    assert [source["source"] for source in done.log.sources] == ["a.csv", "b.csv"]


def test_files_with_other_columns_and_order_go_together_by_name(tmp_path: Path) -> None:
    """Columns are matched by name, not by place; what a file does not have is null there."""
    (tmp_path / "a.csv").write_text("customer,date,total,country\nA,2024-01-02,5,FR\n")
    (tmp_path / "b.csv").write_text("total,customer,date\n6,B,2024-01-03\n")
    done = clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path)
    assert done.rows.select("customer_id", "amount", "country").rows() == [("A", Decimal(5), "FR"), ("B", Decimal(6), None)]


def test_a_file_without_the_customers_column_is_a_question(tmp_path: Path) -> None:
    """One file of several that lacks the customer is named."""
    (tmp_path / "a.csv").write_text("customer,date,total\nA,2024-01-02,5\n")
    (tmp_path / "b.csv").write_text("date,total\n2024-01-03,6\n")
    with pytest.raises(DataError, match=r"b.csv has no column customer"):
        clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path)


def test_kept_columns_come_along_as_text(tmp_path: Path) -> None:
    """--keep carries columns nobody mapped; everything else stays behind."""
    done = clean_text("customer,date,total,note,phone\nA,2024-01-02,5, hi ,1\n", tmp_path, keep=("note",))
    assert done.rows.columns[-1] == "note"
    assert done.column("note") == ["hi"]
    with pytest.raises(UsageError, match="there is no such column"):
        clean_text("customer,date,total\nA,2024-01-02,5\n", tmp_path, keep=("note",))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("amount", "already there, under its name"),
        ("who", "already there, as customer_id"),
        ("flags", "a column of its own"),
    ],
)
def test_what_is_written_anyway_cannot_be_kept_too(name: str, why: str, tmp_path: Path) -> None:
    """A mapped column or a name of the contract in --keep would be there twice: a slip of the user, not a crash."""
    text = "who,date,amount,flags\nA,2024-01-02,5,x\n"
    with pytest.raises(UsageError, match=why):
        clean_text(text, tmp_path, map=(("customer_id", "who"),), keep=(name,))


def test_kept_columns_may_be_called_anything(tmp_path: Path) -> None:
    """Names clm uses inside, and columns mapped to roles that are not written, are kept as they are; twice is once."""
    names = ("moment", "symbol", "return", "offset", "line_id", "status", "unit price", "keep:moment", "number:quantity")
    head = "customer,date,qty,order_id," + ",".join(names)
    text = f"{head}\nA,2024-01-02,2,7,m,s,r,o,1,paid,2.50,k,n\n"
    done = clean_text(text, tmp_path, keep=(*names, "moment"))
    assert done.rows.select(names).rows() == [("m", "s", "r", "o", "1", "paid", "2.50", "k", "n")]
    assert done.column("amount") == [Decimal(5)]


def test_rows_after_until_are_in_the_future(tmp_path: Path) -> None:
    """--until is inclusive; later rows are rejected."""
    done = clean_text(HEAD + "1,A,2024-01-02 23:59,5\n2,A,2024-01-03,5\n", tmp_path, until=date(2024, 1, 2))
    assert done.reasons == {3: "future"}


def late_log(days: int) -> str:
    rows = [f"{row},C{row % 40},2024-{1 + row % 6:02d}-{1 + row % 28:02d},5\n" for row in range(2000)]
    last = date.fromordinal(date(2024, 6, 28).toordinal() + days)
    return HEAD + "".join(rows) + f"x,Z,{last},5\n"


def test_a_few_rows_long_after_the_rest_are_a_question(tmp_path: Path) -> None:
    """Under a thousandth of the rows more than sixty days after all others: where they are and --until, unless it is given."""
    refusal = clean_text(late_log(61), tmp_path).settled.refusal
    assert refusal is not None
    assert refusal.code == "future"
    assert "orders.csv line 2002 (2024-08-28)" in refusal.what
    assert "--until 2024-06-28" in str(refusal.fix)
    assert clean_text(late_log(60), tmp_path).settled.refusal is None
    assert clean_text(late_log(61), tmp_path, until="none").settled.refusal is None


def test_too_much_that_cannot_be_read_stops_but_keeps_the_rejects(tmp_path: Path) -> None:
    """Above --max-rejects unreadable rows the verdict is 65, and the rejects are there to look at."""
    text = HEAD + "".join(f"{row},A,2024-01-02,{'x' if row < 6 else 5}\n" for row in range(100))
    done = clean_text(text, tmp_path)
    assert done.settled.refusal is not None
    assert done.settled.refusal.code == "too_many_rejects"
    assert done.rejects.height == 6
    assert clean_text(text, tmp_path, max_rejects=6).settled.refusal is None
    assert clean_text(text, tmp_path, max_rejects=0.06).settled.refusal is None
    assert clean_text(text, tmp_path, max_rejects=5).settled.refusal is not None


def test_judgements_are_not_counted_as_unreadable(tmp_path: Path) -> None:
    """Rows without a customer can be read perfectly well, however many they are."""
    done = clean_text(HEAD + "1,A,2024-01-02,5\n" + "2,,2024-01-02,5\n" * 9, tmp_path)
    assert done.settled.refusal is None
    assert done.settled.outcome.closing == "10 rows = 1 sale + 0 returns + 9 rejected (no customer id)"


def test_masked_ids_are_refused_unless_allowed(tmp_path: Path) -> None:
    """Different people share a mask; a distinct anonymous id is no mask."""
    masked = HEAD + "1,张**,2024-01-02,5\n2,138****1111,2024-01-02,5\n"
    refusal = clean_text(masked, tmp_path).settled.refusal
    assert refusal is not None
    assert "--allow-masked" in str(refusal.fix)
    assert clean_text(masked, tmp_path, allow_masked=True).settled.refusal is None
    assert clean_text(HEAD + "1,ANON-0000-0000-0001,2024-01-02,5\n", tmp_path).settled.refusal is None


def test_two_currencies_are_a_question(tmp_path: Path) -> None:
    """Money of two currencies is never added up; --currency keeps one and rejects the other."""
    text = "customer,date,total,currency\nA,2024-01-02,5,cny\nB,2024-01-02,5,RMB\nC,2024-01-02,7,USD\n"
    refusal = clean_text(text, tmp_path).settled.refusal
    assert refusal is not None
    assert "CNY, USD" in refusal.what
    done = clean_text(text, tmp_path, currency="CNY")
    assert done.reasons == {4: "currency_other"}
    assert done.settled.outcome.currency == "CNY"


def test_two_currency_signs_are_a_question_too(tmp_path: Path) -> None:
    """$ beside € says the same as a currency column would."""
    text = "customer,date,total\nA,2024-01-02,$5\nB,2024-01-02,€5\nC,2024-01-02,US$6\n"
    refusal = clean_text(text, tmp_path).settled.refusal
    assert refusal is not None
    assert "--currency" in str(refusal.fix)
    assert clean_text(text, tmp_path, currency="EUR").column("customer_id") == ["B"]
    assert clean_text(text, tmp_path, currency="USD").column("customer_id") == ["A", "C"]


@pytest.mark.parametrize(
    ("offsets", "settled"),
    [(("+08:00",), True), (("+01:00", "+02:00"), True), (("+01:00", "+08:00"), False), (("-05:00", "-04:00"), True)],
)
def test_offsets_of_one_zone_keep_their_wall_time(offsets: tuple[str, ...], settled: bool, tmp_path: Path) -> None:
    """One offset, or summer and winter of one zone, is the shop's clock; a mixture needs --tz."""
    text = HEAD + "".join(f"{row},A,2024-0{1 + 6 * row}-02T23:30:00{offset},5\n" for row, offset in enumerate(offsets))
    done = clean_text(text, tmp_path)
    assert (done.settled.refusal is None) is settled
    assert {moment.time() for moment in done.column("ordered_at")} == {time(23, 30)}
    moved = clean_text(text, tmp_path, tz="Asia/Tokyo")
    assert moved.settled.refusal is None
    assert moved.column("ordered_at")[0] > datetime(2024, 1, 3)


def test_universal_time_needs_a_zone(tmp_path: Path) -> None:
    """Z is nobody's wall clock."""
    with pytest.raises(DataError, match="universal time"):
        clean_text(HEAD + "1,A,2024-01-02T20:00:00Z,5\n", tmp_path)
    done = clean_text(HEAD + "1,A,2024-01-02T20:00:00Z,5\n", tmp_path, tz="Asia/Shanghai")
    assert done.column("ordered_at") == [datetime(2024, 1, 3, 4)]
    assert done.settled.outcome.zone == "Asia/Shanghai"


def test_the_contract_names_every_column_made(tmp_path: Path) -> None:
    """Optional columns appear in the order of the contract, only when mapped."""
    header = "country,channel,category,product,sku,qty,cost,currency,device,customer,date,total,mail,tel\n"
    text = header + "FR,web,c,p,s,1,0.5,EUR,ios,A,2024-01-02,5,a@b.c,138\n"
    done = clean_text(text, tmp_path, map=(("email", "mail"), ("phone", "tel")))
    expected = [column.name for column in TRANSACTIONS.columns if column.name != "source_file"]
    assert done.rows.columns == expected


def test_returns_of_quantity_times_price_are_below_zero_too(tmp_path: Path) -> None:
    """A refund by its status, and a negative quantity at a negative price, give money back whatever their product."""
    lines = [
        "order_id,customer_id,order_date,quantity,unit_price,status",
        "1,a,2024-01-01,2,5.00,paid",
        "2,a,2024-01-02,1,5.00,refund",
        "3,b,2024-01-03,-1,-7.00,paid",
        "4,b,2024-01-04,-1,2.00,paid",
    ]
    found = clean_text("\n".join(lines) + "\n", tmp_path)
    assert found.column("kind") == ["sale", "return", "return", "return"]
    assert [str(amount) for amount in found.column("amount")] == ["10.0000", "-5.0000", "-7.0000", "-2.0000"]
    said = {notice.code: notice.text for notice in found.settled.outcome.warnings}
    assert "2 returns have a positive quantity × price (12.00 in all)" in said["returns_unsigned"]


def test_lines_of_one_order_in_two_files_by_product_are_no_overlap(tmp_path: Path) -> None:
    """A log split by product shares customers, orders, times and amounts, but no row."""
    for product in ("p1", "p2"):
        rows = [f"{n},c{n % 9},2024-01-0{1 + n % 9} 10:00,{product},1,5.00" for n in range(60)]
        text = "order_id,customer_id,order_date,product_id,quantity,unit_price\n" + "\n".join(rows) + "\n"
        (tmp_path / f"{product}.csv").write_text(text, "utf-8")
    found = clean_files([tmp_path / "p1.csv", tmp_path / "p2.csv"], tmp_path)
    assert found.settled.refusal is None
    assert found.rows.height == 120
