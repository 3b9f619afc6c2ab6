"""Encodings told from bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.errors import DataError, UsageError
from clm.ingest import encoding

HEADER = "订单编号,会员编号,下单时间,商品名称,实付金额\n"
ROWS = "1001,张三,2024-03-05,绿茶,12.50\n1002,李四,2024-03-06,红茶与瓷杯,99.00\n"


def told(data: bytes, given_name: str | None = None, whole: bool = True) -> str:
    return encoding.detect(data, "orders.csv", given_name, whole).name


@pytest.mark.parametrize(
    ("codec", "name"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16-le"), ("gbk", "gb18030"), ("gb18030", "gb18030")],
)
def test_chinese_exports_are_told(codec: str, name: str) -> None:
    """UTF-8 with and without mark, UTF-16, GBK and GB18030."""
    data = (HEADER + ROWS).encode(codec)
    assert told(data) == name
    found = encoding.detect(data, "x", None, True)
    assert b"".join(encoding.to_utf8([data], found, "x")).decode() == HEADER + ROWS


def test_utf16_without_mark_shows_by_its_zeros() -> None:
    """Every other byte of western UTF-16 is zero, on one side or the other."""
    assert told("order,customer\n1,A\n".encode("utf-16-le")) == "utf-16-le"
    assert told("order,customer\n1,A\n".encode("utf-16-be")) == "utf-16-be"


@pytest.mark.parametrize("codec", ["latin-1", "mac-roman", "big5", "shift-jis", "cp1251"])
def test_what_cannot_be_vouched_for_is_a_question(codec: str) -> None:
    """Bytes that are neither UTF-8 nor plausible GB18030 are not guessed at."""
    text = {
        "big5": "訂單編號,會員編號,金額,茶葉與瓷杯組合,龍井\n" * 5,
        "shift-jis": "注文番号,顧客番号,お茶の葉,抹茶セット\n" * 5,
    }.get(codec, "Müller;Straße;Größe;Café;Zürich\n" * 5 if codec != "cp1251" else "Иванов;Петров;Заказ\n" * 5)
    with pytest.raises(DataError, match="cannot be told") as caught:
        told(text.encode(codec))
    assert "--encoding" in str(caught.value)


def test_a_given_encoding_is_taken() -> None:
    """--encoding settles it, if there is such an encoding; a mark is still skipped."""
    assert told("Müller".encode("latin-1"), "latin-1") == "iso8859-1"
    assert encoding.detect("é".encode("utf-8-sig"), "x", "utf-8", True).mark == b"\xef\xbb\xbf"
    with pytest.raises(UsageError, match="no encoding"):
        told(b"x", "klingon")


def test_a_character_cut_at_the_end_of_the_sample_is_no_error() -> None:
    """Only the first part of a long file is looked at."""
    data = ("a" * 99 + "é").encode()[:-1]
    assert told(data, whole=False) == "utf-8"
    with pytest.raises(DataError):
        told(data, whole=True)


def test_the_line_where_an_encoding_breaks_is_named() -> None:
    """A file that turns out not to be UTF-8 later on says where."""
    found = encoding.Encoding("utf-8", b"", "ASCII only")
    with pytest.raises(DataError, match="line 4"):
        list(encoding.to_utf8([b"a\nb\n", b"c\n\xff\xfe,d\n"], found, "x"))


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16-le", "gb18030"]), st.integers(min_value=1, max_value=7))
def test_transcoding_does_not_depend_on_the_blocks(text: str, codec: str, block: int) -> None:
    """Characters cut between blocks come through whole."""
    data = text.encode(codec)
    found = encoding.Encoding(codec, b"", "")
    stream = (data[at : at + block] for at in range(0, len(data), block))
    assert b"".join(encoding.to_utf8(stream, found, "x")).decode() == text
