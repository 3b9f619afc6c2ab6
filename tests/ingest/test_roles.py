"""Columns judged by more than their names: customers, days, files that name a column differently, columns nobody reads."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from clm.errors import DataError
from tests.cleaning import Cleaned, clean_files, clean_text

HEAD = "order no,customer,date,total,"


def table(column: str, cells: list[str]) -> str:
    return f"{HEAD}{column}\n" + "".join(f"{n},C{n % 4},2024-03-{n + 1:02d},20.00,{one}\n" for n, one in enumerate(cells))


def codes(done: Cleaned) -> list[str]:
    return [notice.code for notice in done.settled.outcome.warnings]


@pytest.mark.parametrize(
    ("column", "cell", "other"),
    [
        ("Cancelled", "TRUE", "FALSE"),
        ("Is Cancelled", "yes", "no"),
        ("cancelled_at", "2024-03-09", ""),
        ("is_return", "1", "0"),
        ("Returned", "Y", "N"),
        ("Return Flag", "1", "0"),
        ("取消时间", "2024-03-09", ""),
        ("cancel_reason", "customer", ""),
        ("Type", "Return Order", "Standard Order"),
        ("单据类型", "销售退货单", "销售出库单"),
        ("售后状态", "售后完成，退款成功", "无售后"),
        ("Move", "Order cancelled by shop", "Order shipped"),
        ("Type", "General Withdrawal", "Website Payment"),
        ("refunds", '"[{""id"": 1}]"', "[]"),
        ("Retoure", "Gutschrift", "-"),
    ],
)
def test_a_column_that_speaks_of_cancelled_orders_is_said(column: str, cell: str, other: str, tmp_path: Path) -> None:
    """By its words, or by its name and a yes, a day, a reason: with the number of rows; without such a cell, not a word."""
    done = clean_text(table(column, [other, other, cell, other, other]), tmp_path)
    assert codes(done) == ["status_unused"]
    assert f"{column} speaks of refunds, returns or cancelled orders in 1 row " in done.settled.outcome.warnings[0].text
    assert codes(clean_text(table(column, [other] * 5), tmp_path)) == []


@pytest.mark.parametrize("column", ["Refunds", "Refund", "Refunded", "退款", "Returns"])
def test_money_given_back_under_any_name_is_said_or_taken_off(column: str, tmp_path: Path) -> None:
    """A bare name is a notice whose option works; a total of refunds is taken off."""
    text = table(column, ["0.00", "20.00", "0.00", "5.00"])
    done = clean_text(text, tmp_path)
    assert codes(done) == ["refund_unused"]
    assert " in 2 rows " in done.settled.outcome.warnings[0].text
    assert sum(clean_text(text, tmp_path, map=(("returned_amount", column),)).column("amount")) == 55
    assert sum(clean_text(table("Total Refunded", ["0.00", "20.00", "0.00", "5.00"]), tmp_path).column("amount")) == 55
    assert codes(clean_text(table(column, ["0.00", "0", "", "¥0.00"]), tmp_path)) == []


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("售后状态", ["无售后或售后取消", "未退款", "退款关闭"]),
        ("note", ["no refund", "non-refundable", "never returned"]),
        ("Returning customer", ["yes", "no", "yes"]),
        ("Return policy", ["30 days", "14 days", ""]),
        ("flavour", ["void", "mint", "x"]),
        ("product kind", ["tea", "returnable cup", "x"]),
        ("return days", ["14", "30", "14"]),
    ],
)
def test_words_that_say_otherwise_raise_no_alarm(column: str, cells: list[str], tmp_path: Path) -> None:
    """`无售后`, `non-refundable`, a customer who returns: nothing was taken back."""
    assert codes(clean_text(table(column, cells), tmp_path)) == []


def test_texts_of_many_kinds_are_no_status(tmp_path: Path) -> None:
    """What people write in notes is no word of a status."""
    notes = [f"please cancel number {n} or refund" for n in range(28)]
    assert codes(clean_text(table("note", notes), tmp_path)) == []


def test_a_flag_column_can_be_read_by_a_profile(tmp_path: Path) -> None:
    """What the notice proposes works."""
    (tmp_path / "flag.toml").write_text('[map]\nstatus = "Cancelled"\n[status]\ncancelled = ["yes"]\nsale = ["no"]\n')
    done = clean_text(table("Cancelled", ["no", "yes", "no"]), tmp_path, profile=str(tmp_path / "flag.toml"))
    assert (done.settled.outcome.rows.rejected, codes(done)) == ({"cancelled": 1}, [])


@pytest.mark.parametrize("name", ["Statut", "Situação", "Stan", "Estado", "État", "Stato"])
def test_statuses_are_known_in_other_languages(name: str, tmp_path: Path) -> None:
    """Cancelled is cancelled; where the cells are no statuses (Estado is a state of Brazil too) nothing is."""
    done = clean_text(table(name, ["Annulée", "Pagado", "Anulowane", "Livrée", "Cancelado"]), tmp_path)
    assert done.settled.outcome.rows.rejected == {"cancelled": 3}
    if name == "Estado":
        assert "status" not in clean_text(table(name, ["SP", "RJ", "MG"]), tmp_path).reading.roles


def test_a_name_that_the_article_fixes_is_no_customer(tmp_path: Path) -> None:
    """Every SKU has one name: the product's. Where people buy the same things, names are people's."""
    text = "order no,date,sku,name,quantity,price\n"
    rows = [f"{n},2024-03-{n + 1:02d},S{n % 3},{('Tea', 'Cup', 'Pot')[n % 3]},1,20.00\n" for n in range(9)]
    with pytest.raises(DataError, match="customer_id"):
        clean_text(text + "".join(rows), tmp_path)
    rows = [f"{n},2024-03-{n + 1:02d},S{n % 3},{('Ann', 'Bob')[n % 2]},1,20.00\n" for n in range(9)]
    assert clean_text(text + "".join(rows), tmp_path).reading.roles["customer_id"] == ("name",)


def test_an_id_that_is_there_at_one_moment_only_is_an_order(tmp_path: Path) -> None:
    """Lines of an order share its stamp; a customer's do not."""
    rows = [f"{100 + n // 2},2024-03-{n // 2 + 1:02d},S{n % 3},1,20.00\n" for n in range(9)]
    with pytest.raises(DataError, match="customer_id"):
        clean_text("id,created_at,product,quantity,price\n" + "".join(rows), tmp_path)


def test_tills_are_no_customers_without_a_word(tmp_path: Path) -> None:
    """Two users in nine rows may be who sold; many users are customers."""
    rows = [f"2024-03-{n + 1:02d},till{n % 2},5\n" for n in range(9)]
    assert codes(clean_text("date,user,total\n" + "".join(rows), tmp_path)) == ["few_customers"]
    rows = [f"2024-03-{n + 1:02d},u{n % 6},5\n" for n in range(9)]
    assert codes(clean_text("date,user,total\n" + "".join(rows), tmp_path)) == []


@pytest.mark.parametrize(
    ("column", "ids", "fewer"),
    [
        ("Email", ["Ann@x.com", "ann@x.com", "ANN@X.COM", "bob@x.com"], "4 ids seen, 2 "),
        ("Phone", ["+86 138-0013-8000", "13800138000", "008613800138000", "13800138001"], "4 ids seen, 2 "),
    ],
)
def test_ids_that_differ_in_ornament_are_counted(column: str, ids: list[str], fewer: str, tmp_path: Path) -> None:
    """They are kept apart, and it is said how many would fall together; ids of other kinds are what they are."""
    rows = [f"{n},{one},2024-03-{n + 1:02d},5.00\n" for n, one in enumerate(ids)]
    done = clean_text(f"order no,{column},date,amount\n{''.join(rows)}", tmp_path)
    assert (codes(done), done.rows["customer_id"].n_unique()) == (["ids_alike"], 4)
    assert fewer in done.settled.outcome.warnings[0].text
    assert codes(clean_text(f"order no,customer,date,amount\n{''.join(rows).replace('@', '-')}", tmp_path)) == []


@pytest.mark.parametrize("name", ["Order Date (UTC)", "Created (UTC)", "时间(UTC)", "created_at_gmt", "orderDateUTC"])
def test_a_header_that_says_universal_time_is_a_question(name: str, tmp_path: Path) -> None:
    """As Z is; --tz moves the stamps. GMT+8 is a shop's own time, and days have no time to move."""
    text = f"customer,{name},amount\nA,2024-03-01 23:30,5\nB,2024-03-02 23:30,5\n"
    given = {"map": (("ordered_at", name),)}
    with pytest.raises(DataError, match="universal time") as caught:
        clean_text(text, tmp_path, **given)
    assert caught.value.code == "zone"
    told = clean_text(text, tmp_path, tz="Asia/Shanghai", **given)
    assert told.column("ordered_at") == [datetime(2024, 3, 2, 7, 30), datetime(2024, 3, 3, 7, 30)]
    assert clean_text(text, tmp_path, tz="UTC", **given).column("ordered_at")[0] == datetime(2024, 3, 1, 23, 30)
    assert clean_text(text.replace(" 23:30", ""), tmp_path, **given).column("ordered_at")[0] == datetime(2024, 3, 1)
    assert clean_text("customer,date (GMT+8),amount\nA,2024-03-01 23:30,5\n", tmp_path).column("ordered_at")


def test_the_day_of_an_order_stands_in_for_a_payment_that_never_was(tmp_path: Path) -> None:
    """付款时间 is empty on cancelled orders: 下单时间 dates them all, and they are cancelled and not undated."""
    head = "订单号,客户ID,下单时间,付款时间,金额,订单状态\n"
    rows = [
        f"{n},C{n % 5},2024-03-{n + 1:02d} 10:00,{'' if n % 4 == 0 else f'2024-03-{n + 1:02d} 10:05'},20,"
        f"{'已取消' if n % 4 == 0 else '已完成'}\n"
        for n in range(20)
    ]
    done = clean_text(head + "".join(rows), tmp_path)
    assert (done.reading.roles["ordered_at"], done.settled.outcome.rows.rejected) == (("下单时间",), {"cancelled": 5})
    unsaid = (head + "".join(rows)).replace("已取消", "已完成")
    with pytest.raises(DataError, match="付款时间 is empty in 5 of 20") as caught:
        clean_text(unsaid, tmp_path)
    assert "--map 'ordered_at=下单时间'" in str(caught.value.fix)
    assert clean_text(unsaid, tmp_path, map=(("ordered_at", "下单时间"),)).rows.height == 20
    told = clean_text(unsaid, tmp_path, map=(("ordered_at", "付款时间"),), max_rejects=0.26)
    assert (told.rows.height, told.settled.refusal) == (15, None)


def test_a_given_format_makes_a_column_the_day(tmp_path: Path) -> None:
    """Cells that no family of dates reads are days under --date-format."""
    text = "customer,date,amount\nA,01|03|24 05:00,5\nB,02|03|24 06:00,5\n"
    assert clean_text(text, tmp_path, date_format="%d|%m|%y %H:%M").column("ordered_at")[0] == datetime(2024, 3, 1, 5)


def test_files_that_name_a_column_differently_are_one_log(tmp_path: Path) -> None:
    """Order ID here and Order No there are both the order; so are amounts, statuses and customers."""
    (tmp_path / "a.csv").write_text(
        "Order ID,Customer ID,Date,Amount,Status\n1,A,2024-01-02,5,paid\n2,B,2024-01-03,6,cancelled\n"
    )
    (tmp_path / "b.csv").write_text("Order No,Client No,Day,Total,Order status\n3,A,2024-02-02,7,void\n4,B,2024-02-03,8,paid\n")
    done = clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path)
    assert done.rows.select("customer_id", "order_id", "amount").rows() == [("A", "1", 5), ("B", "4", 8)]
    assert done.settled.outcome.rows.rejected == {"cancelled": 2}
    assert codes(done) == []


def test_a_file_without_a_column_of_the_others_is_asked_about_or_said(tmp_path: Path) -> None:
    """What every row needs is a question that names file and column; a status is a notice."""
    (tmp_path / "a.csv").write_text(
        "Order ID,Customer ID,Date,Amount,Status\n1,A,2024-01-02,5,paid\n2,B,2024-01-03,6,cancelled\n"
    )
    (tmp_path / "b.csv").write_text("Customer ID,Date,Amount\nA,2024-02-02,7\nB,2024-02-03,8\n")
    (tmp_path / "c.csv").write_text("Order ID,Customer ID,Date,Amount\n3,A,2024-02-02,7\n4,B,2024-02-03,8\n")
    with pytest.raises(DataError, match=r"b\.csv has no column Order ID \(order_id\)"):
        clean_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path)
    done = clean_files([tmp_path / "a.csv", tmp_path / "c.csv"], tmp_path)
    assert (done.rows.height, codes(done)) == (3, ["column_missing"])
    assert "c.csv" in done.settled.outcome.warnings[0].text


@pytest.mark.parametrize(
    ("header", "customer", "amount"),
    [
        ("會員姓名,訂單編號,下單時間,實付金額", "會員姓名", "實付金額"),
        ("客戶姓名,單據編號,交易日期,銷售金額", "客戶姓名", "銷售金額"),
        ("Kundennr.,Bestell-Nr.,Bestelldatum,Gesamtpreis", "Kundennr.", "Gesamtpreis"),
        ("N° client,N° commande,Date de commande,Montant TTC", "N° client", "Montant TTC"),
        ("Klient,Nr zamówienia,Data zamówienia,Wartość", "Klient", "Wartość"),
        ("Código del cliente,Pedido,Fecha de pedido,Importe total", "Código del cliente", "Importe total"),
        ("Nome do cliente,Pedido,Data do pedido,Valor total", "Nome do cliente", "Valor total"),
        ("Codice cliente,Numero ordine,Data ordine,Totale", "Codice cliente", "Totale"),
        ("顧客ID,注文番号,注文日,合計金額", "顧客ID", "合計金額"),
        ("회원번호,주문번호,주문일시,결제금액", "회원번호", "결제금액"),
        ("Sold-to party,Sales Doc.,Doc. Date,Net value", "Sold-to party", "Net value"),
    ],
)
def test_headers_of_other_places_are_known(header: str, customer: str, amount: str, tmp_path: Path) -> None:
    """Traditional characters, German, French, Polish, Spanish, Portuguese, Italian, Japanese, Korean and SAP's short forms."""
    rows = [f"K{n % 2},{n},2024-03-{n + 1:02d},5.50\n" for n in range(6)]
    found = clean_text(f"{header}\n{''.join(rows)}", tmp_path).reading.roles
    assert (found["customer_id"], found["amount"]) == ((customer,), (amount,))
    assert {"order_id", "ordered_at"} <= found.keys()
