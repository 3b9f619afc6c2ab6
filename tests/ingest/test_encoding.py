"""Encodings told from bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.errors import DataError, UsageError
from clm.ingest import encoding
from tests.ingest.order_snippets import snippets

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


def test_many_different_words_raise_no_question() -> None:
    """Encodings that drop out after the first words stay behind, however many more the one that reads them has to weigh."""
    names = [f"{family}{given}" for family in "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗" for given in "伟芳娜敏静丽强磊军洋"]
    text = HEADER + "".join(f"{at},{name},2024-03-05,绿茶,12.50\n" for at, name in enumerate(names))
    assert told(text.encode("gbk")) == "gb18030"


def test_utf16_without_mark_shows_by_its_zeros() -> None:
    """Every other byte of western UTF-16 is zero, on one side or the other."""
    assert told("order,customer\n1,A\n".encode("utf-16-le")) == "utf-16-le"
    assert told("order,customer\n1,A\n".encode("utf-16-be")) == "utf-16-be"


def read(data: bytes) -> str:
    found = encoding.detect(data, "orders.csv", None, True)
    return b"".join(encoding.to_utf8([data], found, "orders.csv")).decode()


def read_or_asked(data: bytes) -> str | None:
    """The text, or None where the answer is a question that names `--encoding`."""
    try:
        return read(data)
    except DataError as error:
        if error.code == "encoding" and "--encoding" in (error.fix or ""):
            return None
        raise


def test_order_logs_are_read_right_or_asked_about() -> None:
    """Of the snippets none is read wrongly, and hardly any that is more than one row needs a question."""
    asked: list[tuple[str, str, int]] = []
    logs = snippets()
    for language, codec, rows, text in logs:
        found = read_or_asked(text.encode(codec))
        if found is None:
            asked.append((language, codec, rows))
        else:
            assert found == text, (language, codec, rows)
    assert len(logs) >= 260
    assert len(asked) <= len(logs) * 20 // 260
    assert sum(rows >= 0 for _, _, rows in asked) <= 4


@pytest.mark.parametrize("codec", ["utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"])
def test_wide_encodings_with_a_mark_are_read(codec: str) -> None:
    """The mark tells UTF-32 from UTF-16."""
    assert read(("\ufeff" + HEADER + ROWS).encode(codec)) == HEADER + ROWS


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_a_chinese_header_in_utf16_without_a_mark_is_told(codec: str) -> None:
    """The commas alone have a zero beside them."""
    assert read(HEADER.encode(codec)) == HEADER


def test_agreeing_encodings_matter_only_where_they_part() -> None:
    """A later byte that reads as a sign here and a letter there is settled by its own line, or asked about."""
    start = "order;Käufer\n1;Müller\n2;Schröder\n3;Größe\n".encode("cp1252")
    found = encoding.detect(start, "x", None, False)
    assert found.name == "cp1252"
    sound = start + "4;Jäger\n".encode("cp1252")
    assert b"".join(encoding.to_utf8([sound], found, "x")).decode() == sound.decode("cp1252")
    for codec, word in (("iso8859-15", "Cœur"), ("iso8859-15", "€"), ("cp1250", "Łódź")):
        with pytest.raises(DataError, match="line 6"):
            list(encoding.to_utf8([start, f"4;x\n5;{word}\n".encode(codec)], found, "x"))


def test_one_damaged_byte_does_not_change_the_encoding() -> None:
    """UTF-8 stays UTF-8: the line that breaks it is named."""
    data = (HEADER + ROWS * 200).encode()
    damaged = bytearray(data)
    damaged[data.index("红茶".encode())] = 0xFF
    with pytest.raises(DataError, match="line 3") as caught:
        read(bytes(damaged))
    assert "not utf-8" in str(caught.value)
    assert "--encoding" in str(caught.value)


def test_late_bytes_that_are_no_utf8_name_what_they_read_as() -> None:
    """A file that looked like ASCII breaks with the line and the likely encoding."""
    found = encoding.detect(b"order;customer\n" * 99, "x", None, False)
    with pytest.raises(DataError, match="line 100") as caught:
        list(encoding.to_utf8([b"order;customer\n" * 99, "1;Müller\n2;Schröder\n3;Jäger\n".encode("cp1252")], found, "x"))
    assert "--encoding cp1252" in str(caught.value)


@pytest.mark.parametrize("text", ["\x1b$BCmJ8\x1b(B,1\n", "1;2\xff\xfe;\x81\n"])
def test_what_reads_as_no_words_is_a_question(text: str) -> None:
    """Shifted character sets and bytes that are no text anywhere are asked about."""
    with pytest.raises(DataError, match="cannot be told"):
        read(text.encode("latin-1"))


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


LETTERS = {
    "cp1252": "aeinrst äöüßéèñç",
    "cp1251": "аеинорстлкмд ",
    "gb18030": "订单客户张三李四金额茶杯北京",
    "big5": "訂單客戶張三金額茶杯臺北",
}


@given(st.data(), st.sampled_from(sorted(LETTERS)))
def test_text_is_read_back_the_same_or_asked_about(data: st.DataObject, codec: str) -> None:
    """Twenty cells or more of common letters of one script are never altered silently."""
    cells = data.draw(st.lists(st.text(LETTERS[codec], min_size=4, max_size=12), min_size=20, max_size=40))
    text = "order,customer\n" + "".join(f"{row},{cell}\n" for row, cell in enumerate(cells))
    assert read_or_asked(text.encode(codec)) in (text, None)


@pytest.mark.parametrize(
    ("data", "whole", "says", "names"),
    [
        ("id,name\n1,员址\n".encode("gb18030"), True, "so little of it is not ASCII", ("gb18030", "utf-8")),
        (b"id,name\n1,\xff", False, "no words outside ASCII", ("cp1252", "gb18030")),
        ("id,name\n1,スズキ\n2,タナカ\n".encode("euc_jp"), False, "its first part reads the same", ("euc-jp", "gb18030")),
    ],
)
def test_what_its_first_bytes_do_not_tell_is_a_question(data: bytes, whole: bool, says: str, names: tuple[str, str]) -> None:
    """UTF-8 by chance, a word cut off, characters two encodings write alike: both are named."""
    with pytest.raises(DataError, match=says) as caught:
        encoding.detect(data, "x", None, whole)
    assert all(f"--encoding {name}" in str(caught.value.fix) for name in names)
