"""A small order log written in every way that breaks readers of order exports; each case with the truth about it.

It may not run clm or any other reader: `verdicts` and `peers` do.
"""
# ruff: noqa: E501 a case a line reads as the table it is

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.ingest.hazard_log import (
    HAN,
    HEADER,
    LOG,
    POSITIONS,
    TRADITIONAL,
    Case,
    Order,
    case,
    cells,
    changed,
    han,
    text,
    with_quotes,
    without,
)


def _product(one: Order) -> str:
    return ("绿茶", "红茶", "咖啡", "牛奶", "面包")[int(one.order) % 5]


def encodings() -> list[Case]:
    plain = text(cells())
    chinese = text(cells(header=HAN, 商品名称=_product))
    names = ("王小明", "李大文", "张天一", "刘国生", "陈中平")
    named = changed(customer=lambda one: names[int(one.customer) % 5])
    rare = changed(
        customer=lambda one: "㐀㐁㐂"[int(one.customer) % 3] + "𠮷" * (int(one.customer) % 2) + names[int(one.customer) % 5]
    )
    taiwan = changed(customer=lambda one: ("陳美麗", "林國華", "黃嘉慧", "張學龍", "劉體貴")[int(one.customer) % 5])
    french = changed(customer=lambda one: ("André", "Zoë", "François", "Jürgen", "Señor")[int(one.customer) % 5])
    euro = text(cells(amount=lambda one: f"€{one.amount:.2f}"), quote="never")
    korean = changed(customer=lambda one: ("김민수", "이서연", "박지훈", "최수빈", "정하늘")[int(one.customer) % 5])
    japanese = changed(customer=lambda one: ("山田太郎", "佐藤花子", "鈴木一郎", "高橋さくら", "伊藤ケン")[int(one.customer) % 5])
    russian = changed(customer=lambda one: ("Иванов", "Петрова", "Сидоров", "Кузнецова", "Попов")[int(one.customer) % 5])
    capitals = changed(customer=lambda one: one.customer.upper(), log=russian)
    small = changed(customer=lambda one: one.customer.lower(), log=russian)
    foreign = (
        ("EUC-KR", korean, "euc_kr"), ("EUC-JP", japanese, "euc_jp"), ("Shift-JIS", japanese, "shift_jis"),
        ("windows-1251", russian, "cp1251"), ("windows-1251 in capitals", capitals, "cp1251"), ("KOI8-R in small letters", small, "koi8_r"),
        ("Latin-2", changed(customer=lambda one: ("Łukasz", "Zoë", "Dvořák", "Kovács Ödön", "Świątek")[int(one.customer) % 5]), "cp1250"),
    )  # fmt: skip
    traditional = lambda one: ("綠茶", "紅茶", "麵包", "雞蛋", "鮮奶")[int(one.order) % 5]  # noqa: E731
    return [
        case("UTF-8 with byte-order mark", b"\xef\xbb\xbf" + plain.encode()),
        case("UTF-16 with byte-order mark", plain.encode("utf-16")),
        case("UTF-16 without a mark", plain.encode("utf-16-le")),
        case("UTF-16, big end first", b"\xfe\xff" + plain.encode("utf-16-be")),
        han("GBK under a Chinese header", chinese.encode("gbk")),
        han("GBK names as ids", text(cells(named, header=HAN)).encode("gbk"), truth=named),
        han("GB18030, four-byte names", text(cells(rare, header=HAN)).encode("gb18030"), truth=rare, answer={"encoding": "gb18030"}, answered=rare),
        han("Big5", text(cells(taiwan, header=TRADITIONAL, 商品名稱=traditional)).encode("big5"), TRADITIONAL, truth=taiwan,
            answer={"encoding": "big5"}, answered=taiwan),
        case("Mac Roman names", text(cells(french)).encode("mac_roman"), truth=french, answer={"encoding": "mac_roman"}, answered=french),
        case("Latin-1 names", text(cells(french)).encode("cp1252"), truth=french, answer={"encoding": "cp1252"}, answered=french),
        case("UTF-32", plain.encode("utf-32"), answer={"encoding": "utf-32"}),
        case("a mark in the middle of pasted files", "\ufeff" + text(cells(LOG[:30])) + "\ufeff" + text(cells(LOG[30:])[1:])),
        *(case(f"{name} names", text(cells(log)).encode(codec), truth=log, answer={"encoding": codec}, answered=log) for name, log, codec in foreign),
        case("euro signs in cp1252", euro.encode("cp1252"), answer={"encoding": "cp1252"}),
        case("euro signs in Latin-9", euro.encode("iso8859-15"), answer={"encoding": "iso8859-15"}),
    ]  # fmt: skip


def dialects() -> list[Case]:
    grouped = {"map": tuple((name, f"{'customer' if place < 2 else 'order'} {name}") for place, name in enumerate(HEADER))}
    plain, table = text(cells()), cells()
    total = f"{sum((one.amount for one in LOG), Decimal(0)):.2f}"
    blanks = [*table[:10], ["", "", "", ""], *table[10:30], [" ", "", " ", ""], *table[30:]]
    lines = plain.splitlines(keepends=True)
    many_commas = lambda one: f"tea, green, {int(one.order) % 9} g"  # noqa: E731
    return [
        case("semicolons", text(table, ";")),
        case("semicolons, commas in the text", text(cells(product=many_commas), ";", quote="never")),
        case("tabs", text(table, "\t")),
        case("pipes", text(table, "|")),
        case("quote, comma, blank", "".join(", ".join(f'"{cell}"' for cell in row) + "\n" for row in table)),
        case("every field quoted", text(table, quote="always")),
        case("sep=; before the header", "sep=;\n" + text(table, ";")),
        case("preamble", "Orders of the year 2024\nexported by the shop,2024-07-01\n\n" + plain),
        case("long preamble", "".join(f"remark {number}: this is not the table\n" for number in range(16)) + plain),
        case("footer", plain + "\n60 orders,exported 2024-07-01\nend of the report\n"),
        case("header twice", plain + text(cells(LOG[:0])), lost={"header_repeat": 1}),
        case("two exports pasted together", text(cells(LOG[:30])) + text(cells(LOG[30:])), lost={"header_repeat": 1}),
        case("units row", text([table[0], ["id", "id", "UTC", "CNY"], *table[1:]])),
        case("totals row 合计", plain + f"合计,,,{total}\n"),
        case("totals row in words", plain + f",,Grand Total,{total}\n"),
        case("totals row without a word", plain + f",,,{total}\n"),
        case("totals row with a day", plain + f"Total,,{LOG[-1].at:%Y-%m-%d %H:%M},{total}\n"),
        case("quoted newlines", text(cells(note=lambda one: "two\nlines" if int(one.order) % 3 else ""))),
        case("quoted carriage returns", text(cells(note=lambda one: "two\r\nlines" if int(one.order) % 3 else "x"), end="\r\n")),
        case("stray quote inside", text(cells(product=lambda one: '5" pipe' if int(one.order) % 3 else "nail"), quote="never")),
        case("stray quote in front", plain.replace("\n1008,50002,", '\n"1008,50002,', 1), truth=without(1), lost={"quote": 1}),
        case("doubled quotes", text(cells(product=lambda one: 'the "best", they say'))),
        case("backslash before a quote", text(cells(product=lambda one: "tea")).replace(",tea\n", ',"5\\" tea"\n')),
        case("short row", plain.replace(lines[8], lines[8].rsplit(",", 1)[0] + "\n"), truth=without(7), lost={"fields_few": 1}),
        case("long row", plain.replace(lines[8], lines[8][:-1] + ",extra\n"), truth=without(7), lost={"fields_many": 1}),
        case("comma in an unquoted amount", plain.replace(lines[8], lines[8].replace(".", ",")), truth=without(7), lost={"fields_many": 1}),
        case("empty rows", text(blanks) + "\n\n", lost={"blank_row": 3}),
        case("zero byte", plain.replace("50008", "50\x00008"), truth=without(7), lost={"nul": 1}, read=LOG),
        case("last line without its end", plain.rstrip("\n")),
        case("last line cut off", plain[: -len(lines[-1]) // 2], truth=without(59), lost={"fields_few": 1}),
        case("carriage returns alone", text(table, end="\r")),
        case("mixed line ends", "".join(line[:-1] + ("\n", "\r\n")[place % 2] for place, line in enumerate(lines))),
        case("a comma after every row", text([[*row, ""] for row in table])),
        case("a comma after every row but the header", text([table[0], *([*row, ""] for row in table[1:])]), answer=POSITIONS),
        case("group header above the header", text([["customer", "", "order", ""], *table]), answer=grouped),
        case("numbered rows under an unnamed column", text([[str(place) if place else "", *row] for place, row in enumerate(table)])),
        case("a newline in the header", plain.replace("ordered_at", '"ordered\nat"', 1), columns=("customer_id", "ordered\nat", "amount")),
        case("two stray quotes in front", plain.replace("\n1008,", '\n"1008,', 1).replace("\n1014,", '\n"1014,', 1), truth=without(1, 4), lost={"quote": 2}),
        case("two stray quotes before amounts", with_quotes(lines, 4, 7), truth=without(3, 6), lost={"quote": 2}),
        case("two stray quotes behind amounts", with_quotes(lines, 4, 7, behind=True), truth=without(3, 6), lost={"amount": 2}),
        case("single quotes round text", text(cells(customer=lambda one: f"'C{one.customer}'")), truth=changed(customer=lambda one: "C" + one.customer)),
        case("tildes", text(table, "~"), answer={"delimiter": "~"}),
        case("control characters as delimiters", text(table, "\x01"), answer={"delimiter": "\x01"}),
        case("an end-of-file mark", plain + "\x1a"),
        case("line separators that are none", text(cells(product=lambda one: "a\u2028b\x85c\x0bd\x0ce"))),
        case("the amount twice", text([[*row, "net" if not place else "1.00"] for place, row in enumerate(table)]).replace(",net", ",amount"),
             truth=None, answer={"map": (("amount", "amount"),)}),
        case("totals row like an order", plain + f"Total,Total,{LOG[-1].at:%Y-%m-%d} 23:59,{total}\n"),
        case("no header", text(table[1:]), truth=None, answer=POSITIONS),
    ]  # fmt: skip


def ids() -> list[Case]:
    zeros = changed(customer=lambda one: "00" + one.customer)
    longs = changed(customer=lambda one: "3304987612345678" + one.customer, order=lambda one: "9007199254740993" + one.order)
    nulls = changed(customer=lambda one: ("NA", "NULL", "None", "nan", "1005")[int(one.customer) % 5])
    upper = changed(customer=lambda one: ("ab1", "AB1", "Ab1", "x-2", "y 3")[int(one.customer) % 5])
    signed = changed(customer=lambda one: ("-1001", "+1002", "=1003", "@1004", "1005")[int(one.customer) % 5])
    hexed = changed(customer=lambda one: ("1e5", "100000", "0x10", "16", "1E05")[int(one.customer) % 5])
    destroyed = 3
    broken = [one if place >= destroyed else replace(one, customer="1.23E+15") for place, one in enumerate(LOG)]
    masked = lambda one: ("张**", "李**", "王*", "陈**", "刘**")[int(one.customer) % 5]  # noqa: E731
    phone = lambda one: f"138****{int(one.customer) % 9:04d}"  # noqa: E731
    return [
        case("leading zeros", text(cells(zeros)), truth=zeros),
        case('ids as ="1001"', text(cells(customer=lambda one: f'="{one.customer}"', order=lambda one: f'="{one.order}"'))),
        case('ids as ="1001", unquoted', text(cells(customer=lambda one: f'="{one.customer}"'), quote="never")),
        case("ids as '1001", text(cells(customer=lambda one: f"'{one.customer}"))),
        case("ids ending in a tab", text(cells(customer=lambda one: one.customer + "\t", order=lambda one: one.order + "\t"))),
        case("ids with .0", text(cells(customer=lambda one: one.customer + ".0"))),
        case("ids padded with odd blanks", text(cells(customer=lambda one: f"\u00a0 {one.customer}\u3000"))),
        case("ids composed and decomposed", text(cells(customer=lambda one: ("Zoe\u0308" if int(one.order) % 2 else "Zo\u00eb") + one.customer)),
             truth=changed(customer=lambda one: "Zo\u00eb" + one.customer)),
        case("ids of twenty digits", text(cells(longs)), truth=longs),
        case("customers called NA, NULL, None, nan", text(cells(nulls)), truth=nulls),
        case("ids that differ in case only", text(cells(upper)), truth=upper),
        case("ids like formulas", text(cells(signed)), truth=signed),
        case("ids like numbers", text(cells(hexed)), truth=hexed),
        case("a few ids destroyed by a spreadsheet", text(cells(broken)), truth=tuple(broken[destroyed:]),
             lost={"id_destroyed": destroyed}, read=tuple(broken)),
        case("all ids destroyed by a spreadsheet", text(cells(customer=lambda one: "1.23E+15")), truth=None, answered=(),
             answer={"max_rejects": 1.0}, answered_lost={"id_destroyed": 60}, read=changed(customer=lambda one: "1.23E+15")),
        case("masked names", text(cells(customer=masked)), truth=None, answer={"allow_masked": True},
             answered=changed(customer=masked), read=changed(customer=masked)),
        case("masked phones", text(cells(customer=phone)), truth=None, answer={"allow_masked": True},
             answered=changed(customer=phone), read=changed(customer=phone)),
    ]  # fmt: skip


def numbers() -> list[Case]:
    big = changed(amount=lambda one: one.amount * 1000)
    whole = changed(amount=lambda one: Decimal(int(one.amount)) * 1000 + 1234)
    few = changed(amount=lambda one: Decimal(1234 + int(one.amount)))
    ten_thousands = changed(amount=lambda one: Decimal(int(one.amount) + 1) * 1000)
    zero = changed(amount=lambda one: one.amount * (int(one.order) % 4 > 0))
    back = tuple(replace(one, amount=-one.amount, kind="return") if place % 9 == 4 else one for place, one in enumerate(LOG))
    codes = ("CNY", "GBP")
    mixed = lambda one: codes[int(one.order) % 2]  # noqa: E731
    yuan = tuple(one for one in LOG if mixed(one) == "CNY")
    wide = str.maketrans("0123456789.", "０１２３４５６７８９．")
    german = lambda one: f"{one.amount:,.2f}".translate(str.maketrans(",.", ".,"))  # noqa: E731
    brackets = lambda one: f"({-one.amount:.2f})" if one.amount < 0 else f"{one.amount:.2f}"  # noqa: E731
    behind = lambda one: f"{-one.amount:.2f}-" if one.amount < 0 else f"{one.amount:.2f}"  # noqa: E731
    return [
        case("currency sign ¥", text(cells(amount=lambda one: f"¥{one.amount:.2f}"))),
        case("currency sign £", text(cells(amount=lambda one: f"£{one.amount:,.2f}"))),
        case("currency word 元", text(cells(amount=lambda one: f"{one.amount:.2f}元"))),
        case("full-width digits and ￥", text(cells(amount=lambda one: "￥" + f"{one.amount:.2f}".translate(wide)))),
        case("1.2万", text(cells(ten_thousands, amount=lambda one: f"{one.amount / 10000:f}万")), truth=ten_thousands),
        case("thousands", text(cells(big, amount=lambda one: f"{one.amount:,.2f}")), truth=big),
        case("thousands, blanks", text(cells(big, amount=lambda one: f"{one.amount:,.2f}".replace(",", "\u202f"))), truth=big),
        case("thousands, no decimals", text(cells(whole, amount=lambda one: f"{one.amount:,}")), truth=whole),
        case("thousands or three decimals", text(cells(few, amount=lambda one: f"{one.amount:,}")), truth=None, answer={"decimal": "."}, answered=few),
        case("thousands or three decimals, dots", text(cells(few, amount=lambda one: f"{one.amount:,}".replace(",", ".")), ";"), truth=None, answer={"decimal": ","}, answered=few),
        case("two currencies by their codes", text(cells(amount=lambda one: f"{one.amount:.2f} {mixed(one)}")), truth=None, answer={"currency": "CNY"},
             answered=yuan, answered_lost={"currency_other": 30}),
        case("decimal comma", text(cells(amount=german), ";")),
        case("decimal comma, quoted", text(cells(amount=german))),
        case("exponents", text(cells(big, amount=lambda one: f"{one.amount:E}")), truth=big),
        case("two currencies in a column", text(cells(currency=mixed)), truth=None, answer={"currency": "CNY"}, answered=yuan,
             answered_lost={"currency_other": 30}, read=LOG),
        case("two currencies by their signs", text(cells(amount=lambda one: "¥£"[int(one.order) % 2] + f"{one.amount:.2f}")), truth=None,
             answer={"currency": "CNY"}, answered=tuple(one for one in LOG if int(one.order) % 2 == 0), answered_lost={"currency_other": 30}, read=LOG),
        case("amounts in brackets", text(cells(back, amount=brackets)), truth=back),
        case("minus behind", text(cells(back, amount=behind)), truth=back),
        case("negative amounts without a mark", text(cells(back)), truth=back),
        case("a real minus sign", text(cells(back, amount=lambda one: f"{one.amount:.2f}".replace("-", "−"))), truth=back),
        case("amounts of zero", text(cells(zero)), truth=zero),
        case("17 decimals", text(cells(amount=lambda one: repr(float(one.amount) * 1.1 / 1.1)))),
    ]  # fmt: skip


def days() -> list[Case]:
    early = changed(at=lambda one: datetime(2024, one.at.month, one.at.day % 12 + 1, one.at.hour, one.at.minute))
    midnight = changed(at=lambda one: datetime(one.at.year, one.at.month, one.at.day))
    fold = (*LOG[:58], replace(LOG[58], at=datetime(2024, 10, 27, 1, 30)), replace(LOG[59], at=datetime(2024, 10, 27, 1, 30)))
    offset = lambda one: f"{one.at:%Y-%m-%dT%H:%M:%S}{'+00:00' if one is fold[59] or one.at.month < 4 else '+01:00'}"  # noqa: E731
    old = tuple(replace(one, at=datetime(1900, 1, 1)) if place < 2 else one for place, one in enumerate(LOG))
    late = (*LOG[:59], replace(LOG[59], at=datetime(2262, 4, 12, 9, 30)))
    ahead = (*LOG[:59], replace(LOG[59], at=datetime(2099, 1, 1)))
    serial = lambda one: str((one.at - datetime(1899, 12, 30)).days)  # noqa: E731
    utc = lambda one: f"{one.at - timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}"  # noqa: E731
    either = lambda one: f"{one.at:%Y-%m-%d %H:%M}" if int(one.order) % 2 else f"{one.at:%d/%m/%Y %H:%M}"  # noqa: E731
    clash = lambda one: f"{one.at:%d/%m/%Y}" if int(one.order) % 2 else f"{one.at:%m/%d/%Y}"  # noqa: E731
    dated = lambda form: lambda one: format(one.at, form)  # noqa: E731
    return [
        case("d/m or m/d", text(cells(early, at=dated("%d/%m/%Y %H:%M"))), truth=None, answer={"date_format": "%d/%m/%Y"}, answered=early),
        case("d/m, told by the days", text(cells(at=dated("%d/%m/%Y %H:%M")))),
        case("m/d, told by the days", text(cells(at=dated("%m/%d/%Y %H:%M")))),
        case("d.m.yy", text(cells(midnight, at=dated("%d.%m.%y")), ";"), truth=midnight, answer={"date_format": "%d.%m.%y"}, answered=midnight),
        case("two date formats by turns", text(cells(at=either))),
        case("d/m and m/d by turns", text(cells(midnight, at=clash)), truth=None, read=midnight),
        case("month names", text(cells(at=dated("%d-%b-%Y %H:%M")))),
        case("2024年3月5日", text(cells(midnight, at=lambda one: f"{one.at.year}年{one.at.month}月{one.at.day}日")), truth=midnight),
        case("YYYYMMDD", text(cells(midnight, at=dated("%Y%m%d"))), truth=midnight),
        case("AM and PM", text(cells(at=dated("%m/%d/%Y %I:%M %p")))),
        case("Excel serial numbers", text(cells(midnight, at=serial)), truth=midnight),
        case("+08:00", text(cells(at=lambda one: f"{one.at:%Y-%m-%dT%H:%M:%S}+08:00"))),
        case("universal time", text(cells(at=utc)), truth=None, answer={"tz": "Asia/Shanghai"}, read=changed(at=lambda one: one.at - timedelta(hours=8))),
        case("offsets of two zones", text(cells(at=lambda one: f"{one.at:%Y-%m-%dT%H:%M:%S}{'+08:00' if int(one.order) % 2 else '-05:00'}")), truth=None,
             answer={"tz": "Asia/Shanghai"}, answered=changed(at=lambda one: one.at if int(one.order) % 2 else one.at + timedelta(hours=13)), read=LOG),
        case("day and time in two columns", text(cells(at=dated("%Y-%m-%d"), time=dated("%H:%M")))
             .replace("ordered_at", "date", 1), columns=("customer_id", "date", "amount"), answer={"map": (("ordered_at", "date+time"),)}),
        case("a few m/d among d/m", text(cells(midnight, at=lambda one: format(one.at, "%m/%d/%Y" if one in midnight[33:36] else "%d/%m/%Y"))),
             truth=midnight, told=("mixed_dates",)),
        Case("d/m in one file, m/d in the other", (("one.csv", text(cells(midnight[:30], at=dated("%d/%m/%Y"))).encode()),
             ("two.csv", text(cells(midnight[30:], at=dated("%m/%d/%Y"))).encode())), truth=midnight),
        case("the hour that comes twice", text(cells(fold, at=offset)), truth=fold),
        case("the year 1900", text(cells(old)), truth=None, answer={"since": "none"}, answered=old),
        case("the year 2262", text(cells(late)), truth=None, answer={"until": "none"}, answered=late),
        case("a day in the future", text(cells(ahead)), truth=None, answer={"until": date(2024, 12, 31)}, answered=LOG[:59],
             answered_lost={"future": 1}, read=ahead),
        case("days that do not exist", text(cells(at=lambda one: "2024-02-30 10:00" if one is LOG[5] else f"{one.at:%Y-%m-%d %H:%M}")),
             truth=without(5), lost={"date": 1}, read=LOG),
        case("0000-00-00", text(cells(at=lambda one: "0000-00-00 00:00:00" if one is LOG[5] else f"{one.at:%Y-%m-%d %H:%M:%S}")),
             truth=without(5), lost={"date": 1}, read=LOG),
    ]  # fmt: skip


def judgements() -> list[Case]:
    gone = tuple(place for place in range(60) if place % 10 == 3)
    status = lambda words: lambda one: words[LOG.index(one) // 10 % len(words)] if LOG.index(one) in gone else "交易成功"  # noqa: E731
    english = lambda words: lambda one: words[LOG.index(one) // 10 % len(words)] if LOG.index(one) in gone else "paid"  # noqa: E731
    kept, lost = without(*gone), {"cancelled": len(gone)}
    undone = tuple(
        Order(one.customer, "C" + one.order, one.at + timedelta(minutes=4), -one.amount, "return")
        for one in LOG
        if int(one.order) % 8 == 0
    )
    documents = tuple(sorted((*LOG, *undone), key=lambda one: one.at))
    tests = (*LOG[:30], Order("test", "TEST-1", LOG[30].at, Decimal("0.01")), *LOG[30:])
    marked = lambda one: "true" if one.customer == "test" else "false"  # noqa: E731
    twice = (*LOG, LOG[7])
    half = text(cells(LOG[:40])).encode(), text(cells(LOG[20:])).encode()
    common = text(cells(LOG[:40])).encode(), text(cells((*LOG[10:40], *LOG[40:]))).encode()
    whole = text(cells()).encode()
    return [
        han("交易关闭 and 已取消", text(cells(header=HAN, 订单状态=status(("交易关闭", "已取消", "未付款")))), truth=kept, lost=lost, read=LOG),
        han("退款成功", text(cells(header=HAN, 订单状态=status(("退款成功",)))), truth=kept, lost=lost, read=LOG),
        case("voided and refunded", text(cells(status=english(("voided", "Cancelled", "refunded")))), truth=kept, lost=lost, read=LOG),
        case("pending payments", text(cells(financial_status=english(("pending", "voided")))), truth=kept, lost=lost, read=LOG),
        case("cancellations minutes after the order", text(cells(documents)), truth=documents),
        case("test orders", text(cells(tests, test=marked)), truth=LOG, lost={"test_order": 1}, read=tests, told=("tests_unused",)),
        case("cancelled in German", text(cells(status=english(("storniert", "Storno")))), truth=kept, lost=lost, read=LOG, told=("status_unknown",)),
        case("取消 in traditional characters", text(cells(訂單狀態=english(("已取消", "交易取消", "訂單已取消")))), truth=kept, lost=lost, read=LOG, told=("status_unknown",)),
        case("a column type speaks of refunds", text(cells(type=english(("refund",)))), truth=kept, lost=lost, read=LOG, told=("status_unused",)),
        case("equal lines", text(cells(twice)), truth=twice),
        Case("the same file twice", (("one.csv", whole), ("two.csv", whole)), lost={"same_file": 60}, read=(*LOG, *LOG)),
        Case("exports that overlap", (("one.csv", common[0]), ("two.csv", common[1])), truth=None, answer={"duplicates": "drop"},
             answered_lost={"duplicate": 30}, read=(*LOG[:40], *LOG[10:])),
        Case("exports that overlap a little", (("one.csv", half[0]), ("two.csv", half[1])), truth=None, answer={"duplicates": "drop"},
             answered_lost={"duplicate": 20}, read=(*LOG[:40], *LOG[20:])),
        Case("columns in another order in the second file", (("one.csv", text(cells(LOG[:30])).encode()),
             ("two.csv", text([row[::-1] for row in cells(LOG[30:])]).encode()))),
        Case("another delimiter and encoding in the second file", (("one.csv", text(cells(LOG[:30])).encode()),
             ("two.csv", text(cells(LOG[30:]), ";").encode("utf-16")))),
    ]  # fmt: skip


def cases() -> list[Case]:
    """Every hazard, in a fixed order."""
    return [*encodings(), *dialects(), *ids(), *numbers(), *days(), *judgements()]
