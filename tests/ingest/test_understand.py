"""What the columns mean, and what is asked when that is not clear."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm import ingest
from clm.errors import DataError, UsageError
from clm.ingest import Reading, TextLog
from clm.settings import CleanSettings


def log_of(folder: Path, content: str, name: str = "orders.csv") -> TextLog:
    (folder / name).write_text(content, encoding="utf-8")
    return ingest.read_text([folder / name], CleanSettings())


def understood(folder: Path, content: str, **options: object) -> Reading:
    (folder / "orders.csv").write_text(content, encoding="utf-8")
    settings = CleanSettings(**options)  # type: ignore[arg-type]
    return ingest.understand(ingest.read_text([folder / "orders.csv"], settings), settings)


def roles(reading: Reading) -> dict[str, str]:
    return {role: "+".join(columns) for role, columns in reading.roles.items()}


@pytest.mark.parametrize(
    ("header", "record", "expected"),
    [
        ("Order ID,Customer ID,Order Date,Total", "1,A,2024-01-02,5", {"order_id": "Order ID", "amount": "Total"}),
        ("订单编号,会员编号,下单时间,实付金额(元)", "1,A,2024-01-02,5", {"customer_id": "会员编号", "amount": "实付金额(元)"}),
        (
            "买家会员名,订单编号,买家实际支付金额,订单付款时间,订单状态",
            "张三丰,1,5,2024-01-02 10:00:00,交易成功",
            {"status": "订单状态"},
        ),
        (
            "order_id,customer_id,customer_unique_id,order_purchase_timestamp",
            "o1,c1,u1,2024-01-02 10:00:00",
            {"customer_id": "customer_unique_id"},
        ),
        ("id,customer,created_at,total", "1,A,2024-01-02,5", {"order_id": "id", "customer_id": "customer"}),
        ("Kunde,Datum,Betrag", "A,2024-01-02,5", {"ordered_at": "Datum", "amount": "Betrag"}),
        (
            "Product 商品,Customer 客户,Date 日期,Amount 金额",
            "x,A,2024-01-02,5",
            {"customer_id": "Customer 客户", "product": "Product 商品"},
        ),
        ("date,datetime,card,money", "1/13/2024,1/13/2024 10:15,c1,5", {"ordered_at": "datetime"}),
    ],
)
def test_roles_are_found_by_name(header: str, record: str, expected: dict[str, str], tmp_path: Path) -> None:
    """English, Chinese, bilingual and bracketed header cells; a person's id before an order's."""
    lines = [record, record.replace("A", "B").replace("u1", "u2").replace("1,", "2,", 1)]
    if "Kunde" in header or "card" in header:
        lines *= 2
    found = roles(understood(tmp_path, "\n".join([header, *lines]) + "\n"))
    assert expected.items() <= found.items()


def test_a_name_does_not_help_cells_that_cannot_play_the_role(tmp_path: Path) -> None:
    """A column called total that holds words is not the money, one called date without dates not the day."""
    text_ = "customer,date,paid on,total,amount paid\nA,soon,2024-01-02,much,5\nB,later,2024-01-03,more,6\n"
    found = roles(understood(tmp_path, text_, map=(("ordered_at", "paid on"),)))
    assert found["amount"] == "amount paid"
    assert "date" not in found.values()


def test_given_columns_come_first(tmp_path: Path) -> None:
    """--map beats the alias table, by name or by number where there is no header; two columns can make the moment."""
    found = understood(
        tmp_path, "customer,who,d,t,total\nA,X,2024-01-02,10:15,5\n", map=(("customer_id", "who"), ("ordered_at", "d+t"))
    )
    assert roles(found)["customer_id"] == "who"
    assert roles(found)["ordered_at"] == "d+t"
    found = understood(
        tmp_path, "A,2024-01-02,5.00\nB,2024-01-03,6.00\n", map=(("customer_id", "#1"), ("ordered_at", "#2"), ("amount", "#3"))
    )
    assert roles(found) == {"customer_id": "#1", "ordered_at": "#2", "amount": "#3"}


def test_a_time_of_day_beside_the_day_is_joined(tmp_path: Path) -> None:
    """Days without a time and one column of times make the moment; days that have a time, and times of two kinds, stay alone."""
    assert (
        roles(understood(tmp_path, "customer,date,time,total\nA,2024-01-02,10:15,5\nB,2024-01-03,11:15 PM,6\n"))["ordered_at"]
        == "date+time"
    )
    alone = "customer,date,time,total\nA,2024-01-02 09:00,10:15,5\nB,2024-01-03 09:00,11:15,6\n"
    assert roles(understood(tmp_path, alone))["ordered_at"] == "date"
    two = "customer,date,time,order time,total\nA,2024-01-02,10:15,10:16,5\n"
    assert roles(understood(tmp_path, two))["ordered_at"] == "date"


def test_a_name_that_stands_twice_is_a_question(tmp_path: Path) -> None:
    """Two columns called amount with different cells: one is named; where the cells are equal it does not matter."""
    text_ = "customer,date,amount,amount\nA,2024-01-02,5,6\nB,2024-01-03,7,8\n"
    with pytest.raises(DataError, match="names amount twice") as caught:
        understood(tmp_path, text_)
    assert "--map 'amount=amount (2)'" in str(caught.value)
    assert roles(understood(tmp_path, text_, map=(("amount", "amount (2)"),)))["amount"] == "amount (2)"
    assert roles(understood(tmp_path, "customer,date,amount,amount\nA,2024-01-02,5,5\n"))["amount"] == "amount"


def test_the_decimal_mark_can_be_said(tmp_path: Path) -> None:
    """The question about 1,234 names the option, and the option answers it."""
    text_ = 'customer,date,total\nA,2024-01-02,"1,234"\nB,2024-01-02,5\n'
    with pytest.raises(DataError, match="--decimal"):
        understood(tmp_path, text_)
    assert understood(tmp_path, text_, decimal=",").marks == {"total": ","}
    assert understood(tmp_path, text_, decimal=".").marks == {"total": "."}


def test_a_mapped_column_must_exist(tmp_path: Path) -> None:
    """The message shows the columns there are."""
    with pytest.raises(DataError, match="no such column") as caught:
        understood(tmp_path, "customer,date\nA,2024-01-02\n", map=(("customer_id", "who"),))
    assert "customer, date" in str(caught.value)


def test_an_id_that_never_comes_back_is_no_customer(tmp_path: Path) -> None:
    """`id` is the customer only when its values repeat; else the question is asked."""
    with pytest.raises(DataError, match="customer_id"):
        understood(tmp_path, "id,date,total\n1,2024-01-02,5\n2,2024-01-03,5\n3,2024-01-04,5\n")
    assert roles(understood(tmp_path, "id,date\n1,2024-01-02\n2,2024-01-03\n1,2024-01-04\n"))["customer_id"] == "id"


def test_a_headerless_file_is_asked_about(tmp_path: Path) -> None:
    """Columns without names are numbered, and the numbers are what to type."""
    with pytest.raises(DataError, match="customer_id") as caught:
        understood(tmp_path, "A,2024-01-02,5.00\nB,2024-01-03,6.00\n")
    assert "#1, #2, #3" in str(caught.value)


def test_dates_that_could_be_either_are_a_question(tmp_path: Path) -> None:
    """Both readings and both flags are shown; the answer settles it."""
    text_ = "customer,date,total\nA,05/03/2024,5\nB,06/04/2024,5\n"
    with pytest.raises(DataError, match="more than one way") as caught:
        understood(tmp_path, text_)
    assert "--date-format '%m/%d/%Y'" in str(caught.value)
    assert "--date-format '%d/%m/%Y'" in str(caught.value)
    assert understood(tmp_path, text_, date_format="%d/%m/%Y").dates.family == "dmy"


def test_the_whole_column_is_asked_when_the_sample_cannot_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One telling day far beyond the sample is found before anybody is asked."""
    monkeypatch.setattr("clm.ingest.part.HEAD", 2000)
    monkeypatch.setattr("clm.ingest.sample.HEAD", 2000)
    monkeypatch.setattr("clm.ingest.sample._PIECE", 100)
    rows = [f"C{row % 9},{1 + row % 12:02d}/{1 + row % 11:02d}/2024,{row}.5\n" for row in range(3000)]
    rows[2000] = "C1,13/01/2024,5.5\n"
    log = log_of(tmp_path, "customer,date,total\n" + "".join(rows))
    assert not log.whole
    assert log.sample.height < 500
    assert ingest.understand(log, CleanSettings()).dates.family == "dmy"


def test_a_column_of_mixed_formats_is_a_question(tmp_path: Path) -> None:
    """Half one way and half another: no format reads 95 %, and the best is named."""
    rows = [f"C,{'13/02/2024' if row % 2 else '2/13/2024'},5\n" for row in range(40)]
    with pytest.raises(DataError, match="no date format reads 95%"):
        understood(tmp_path, "customer,date,total\n" + "".join(rows))


def test_numbers_that_could_be_either_are_a_question(tmp_path: Path) -> None:
    """1,234 alone may be a thousand or one and a bit; a neighbour that shows how the shop writes settles it."""
    with pytest.raises(DataError, match="two ways"):
        understood(tmp_path, 'customer,date,total\nA,2024-01-02,"1,234"\nB,2024-01-02,5\n')
    text_ = 'customer,date,qty,price\nA,2024-01-02,"1,234",2.50\nB,2024-01-02,5,1.99\n'
    assert understood(tmp_path, text_).marks == {"price": ".", "qty": "."}
    text_ = "customer;date;qty;price\nA;2024-01-02;1.234;2,50\nB;2024-01-02;5;1,99\n"
    assert understood(tmp_path, text_).marks == {"price": ",", "qty": ","}


def test_a_price_alone_is_what_was_paid_and_said_so(tmp_path: Path) -> None:
    """Without a quantity there is nothing to multiply with."""
    reading = understood(tmp_path, "customer,date,price\nA,2024-01-02,5\n")
    assert roles(reading)["amount"] == "price"
    assert [notice.code for notice in reading.notices] == ["price_as_amount"]


def test_an_order_total_on_every_line_is_a_question(tmp_path: Path) -> None:
    """Money that would be counted once per line is not added up silently; either answer settles it."""
    rows = [
        f"{order},C{order},2024-01-02,p{line},{line + 1},{order}.50,{order * 9}.75\n" for order in range(12) for line in range(2)
    ]
    text_ = "order id,customer,date,product,qty,price,order total\n" + "".join(rows)
    with pytest.raises(DataError, match="repeats the order's total") as caught:
        understood(tmp_path, text_)
    assert "--map quantity=qty --map unit_price=price" in str(caught.value)
    assert "amount" not in roles(understood(tmp_path, text_, map=(("quantity", "qty"), ("unit_price", "price"))))
    assert roles(understood(tmp_path, text_, map=(("amount", "order total"),)))["amount"] == "order total"


def test_a_shop_with_one_price_is_not_asked(tmp_path: Path) -> None:
    """Equal lines where everything costs the same say nothing about totals."""
    rows = [f"{order},C{order},2024-01-02,p{line},9.99\n" for order in range(12) for line in range(2)]
    assert roles(understood(tmp_path, "order id,customer,date,product,amount\n" + "".join(rows)))["amount"] == "amount"


def test_every_decision_has_its_evidence(tmp_path: Path) -> None:
    """Encoding, delimiter, header, roles, dates and numbers: what was decided and why, with no cell in it."""
    reading = understood(tmp_path, "customer,date,total\nSecret Person,13/01/2024,5.00\n")
    about = {fact.about: fact.decision for fact in reading.evidence}
    assert about["orders.csv: encoding"] == "utf-8"
    assert about["orders.csv: delimiter"] == ","
    assert about["customer_id"] == "customer"
    assert about["date format"] == "DD/MM/YYYY"
    assert "Secret" not in str(reading.to_json())


def test_bad_options_are_usage_errors(tmp_path: Path) -> None:
    """A zone, a format or a kept column that does not exist is the user's slip, not the data's."""
    for options in ({"tz": "Mars/Base"}, {"date_format": "%Q"}, {"keep": ("nothing",)}):
        with pytest.raises(UsageError):
            understood(tmp_path, "customer,date,total\nA,2024-01-02,5\n", **options)


def test_tables_of_our_own_are_known_by_their_columns(tmp_path: Path) -> None:
    """The columns clean writes are never renamed by the alias table."""
    header = "customer_id,order_id,ordered_at,amount,kind,flags,source_line"
    reading = understood(tmp_path, f"{header}\nA,1,2024-01-02T00:00:00,5.0000,sale,,2\n")
    assert reading.ours


def test_another_table_above_the_orders_is_a_question(tmp_path: Path) -> None:
    """An export that gained a column half way: the lines above its second header are orders too."""
    below = "".join(f"C{order},2024-01-{order % 28 + 1:02},{order},web\n" for order in range(30))
    with pytest.raises(DataError, match=r"above line 3 of orders\.csv stands another table") as caught:
        log_of(tmp_path, f"customer,date,amount\nC1,2024-01-01,5\ncustomer,date,amount,channel\n{below}")
    assert "before line 3" in str(caught.value.fix)
