"""Bytes into batches of records."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clm.ingest import dialect, structure
from clm.ingest.dialect import Dialect

THREE = Dialect(",", ("a", "b", "c"), 1, 2, False, "")


def read(text: str, cut: Dialect = THREE, first_line: int = 1, raw: bool = False, block: int = 1 << 20) -> pl.DataFrame:
    data = text.encode()
    stream: Iterator[bytes] = (data[at : at + block] for at in range(0, len(data), block))
    return pl.concat([pl.DataFrame(schema=structure.schema(cut)), *structure.batches(stream, cut, first_line, raw)])


def summary(frame: pl.DataFrame) -> list[tuple[int, str | None]]:
    return frame.select(structure.LINE, structure.PROBLEM).rows()


def test_ragged_rows_keep_their_place_and_line() -> None:
    """Rows of wrong width are handed over with their exact line, among the good ones."""
    frame = read("1,2,3\n4,5\n\n7,8,9\n1,2,3,4\n")
    assert summary(frame) == [(1, None), (2, "fields_few"), (3, "blank_row"), (4, None), (5, "fields_many")]
    assert frame[structure.DETAIL].to_list() == [None, "2 of 3 fields", None, None, "4 of 3 fields"]


def test_lines_count_line_ends_inside_quotes() -> None:
    """The record after a quoted line end stands two lines further."""
    frame = read('1,"2\n2",3\n4,5,6,7\n7,"8\r\n8\n8",9\n1,2,3')
    assert summary(frame) == [(1, None), (3, "fields_many"), (4, None), (7, None)]


def test_the_header_again_and_rows_of_nothing_are_told() -> None:
    """Two exports pasted together leave a header in the middle; spreadsheets leave rows of commas."""
    assert summary(read("1,2,3\na,b,c\n,,\n a , b , c \n")) == [
        (1, None),
        (2, "header_repeat"),
        (3, "blank_row"),
        (4, "header_repeat"),
    ]


@pytest.mark.parametrize("bad", ['1,"2"x,3', '1,"2,3', "1,2\0,3"])
def test_what_pyarrow_would_swallow_is_cut_up_with_care(bad: str) -> None:
    """Broken quotes and zero bytes cost one record, not the ones after it."""
    frame = read(f"a,b,1\n{bad}\n4,5,6\n7,8,9\n")
    assert [problem is None for _, problem in summary(frame)] == [True, False, True, True]


def test_a_pair_of_stray_quotes_far_apart_swallows_nothing() -> None:
    """Two slips make a well-formed quoted field; that it holds whole records gives it away."""
    text = "".join(f"{row},x,{chr(34) if row in (10, 400) else ''}y\n" for row in range(600))
    frame = read(text)
    assert frame.height == 600
    assert frame.filter(pl.col(structure.PROBLEM) == "quote")[structure.LINE].to_list() == [11, 401]


@pytest.mark.parametrize("raw", [False, True])
def test_the_null_of_a_database_is_an_empty_cell(raw: bool) -> None:
    r"""MySQL and PostgreSQL write \N for a cell that holds nothing; within other text it is text."""
    frame = read("\\N,2,\\N\n1,a\\N,\\n\n", raw=raw)
    assert frame.select("a", "b", "c").rows() == [("", "2", ""), ("1", "a\\N", "\\n")]


def test_runs_of_blanks_separate_fields() -> None:
    """Leading blanks and uneven gaps do not matter."""
    blank = Dialect(dialect.BLANK, ("a", "b", "c"), None, 1, False, "")
    frame = read(" 00004 0001  2\n 00004   0001 3 \r\n\t5\t6  7\n1 2\n", blank)
    assert frame["c"].to_list() == ["2", "3", "7", None]
    assert summary(frame)[3] == (4, "fields_few")


def test_raw_text_is_what_stands_in_the_source() -> None:
    """With raw, every record carries its own text, quotes and all."""
    frame = read('1,"2 ""x""",3\n4,5\n', raw=True)
    assert frame[structure.RAW].to_list() == ['1,"2 ""x""",3', "4,5"]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.text(alphabet='ab,"\n1é ', max_size=8), min_size=3, max_size=3), min_size=1, max_size=30),
    st.integers(min_value=1, max_value=50),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_the_fast_way_and_the_careful_way_agree(rows: list[list[str]], block: int, end: str, quoting: int) -> None:
    """Blocks of any size give the records that cutting character by character gives, with the same lines."""
    out = io.StringIO()
    csv.writer(out, lineterminator=end, quoting=quoting).writerows(rows)
    careful = read(out.getvalue(), raw=True).drop(structure.RAW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "_SMALLEST", block)
        assert read(out.getvalue(), block=block).drop(structure.RAW).equals(careful)
    assert read(out.getvalue()).drop(structure.RAW).equals(careful)


def with_backslashes(cell: str) -> str:
    return '"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"'


FORMS = [
    (Dialect(",", ("a", "b", "c"), None, 1, False, "", escape="\\"), with_backslashes),
    (Dialect(",", ("a", "b", "c"), None, 1, False, "", quote="'"), lambda cell: "'" + cell.replace("'", "''") + "'"),
    (Dialect(",", ("a", "b", "c"), None, 1, False, "", padded=True), lambda cell: '"' + cell.replace('"', '""') + '"'),
    (Dialect("||", ("a", "b", "c"), None, 1, False, ""), lambda cell: '"' + cell.replace('"', '""') + '"'),
]


@given(
    st.lists(st.lists(st.text(alphabet="ab,|\"'\\é ", max_size=6), min_size=3, max_size=3), min_size=1, max_size=20),
    st.sampled_from(FORMS),
    st.booleans(),
    st.integers(min_value=1, max_value=50),
)
def test_every_form_is_read_back(
    rows: list[list[str]], form: tuple[Dialect, Callable[[str], str]], bare: bool, block: int
) -> None:
    """Escapes, single quotes, a blank after each delimiter, two-character delimiters: blocks of any size give back the cells."""
    cut, protect = form
    if bare:  # no quotes: the fast way
        rows = [["x" + cell.translate(dict.fromkeys(map(ord, ",|\"'\\"))) for cell in row] for row in rows]
    else:
        rows = [["x" + row[0], *row[1:]] for row in rows]
    between = cut.delimiter + " " * cut.padded
    text = "".join(between.join(row if bare else map(protect, row)) + "\n" for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "_SMALLEST", block)
        frame = read(text, cut, block=block)
    assert [list(row) for row in frame.select(cut.columns).rows()] == rows
    assert frame[structure.LINE].to_list() == list(range(1, len(rows) + 1))
    assert frame[structure.PROBLEM].is_null().all()


def test_lines_that_belong_to_the_header_are_no_records() -> None:
    """A word under the names is handed over as a part of the header, with its line."""
    cut = Dialect(",", ("a", "b", "c"), 1, 2, False, "", below=(2,))
    assert summary(read("x,y,EUR\n1,2,3\n", cut, first_line=2)) == [(2, "header_repeat"), (3, None)]


@settings(deadline=None)
@given(st.text(alphabet='ab,"\n\r', max_size=300), st.integers(min_value=1, max_value=40))
def test_lines_always_balance(text: str, block: int) -> None:
    """Whatever the bytes: every physical line belongs to exactly one record, and nothing is lost between blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structure, "_SMALLEST", block)
        frame, fast = read(text, raw=True, block=block), read(text, block=block)
    raw = "".join(frame[structure.RAW].to_list())
    assert raw.translate({10: None, 13: None}) == text.translate({10: None, 13: None})
    for lines in (frame[structure.LINE].to_list(), fast[structure.LINE].to_list()):
        assert lines == sorted(set(lines))


def test_blocks_are_cut_between_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long file of quoted line ends comes out the same however small the blocks are."""
    text = "".join(f'{row},"x\ny{row}","z"\n' for row in range(2000))
    whole = read(text)
    monkeypatch.setattr(structure, "_SMALLEST", 64)
    assert read(text, block=100).equals(whole)
    assert whole.height == 2000
    assert whole[structure.LINE].to_list() == list(range(1, 4001, 2))


def test_the_header_is_skipped_by_lines_not_records() -> None:
    """Preamble lines and the header are left out, whatever ends their lines."""
    for end in ("\n", "\r\n"):
        data = f"report{end}a,b,c{end}1,2,3{end}".encode()
        cut = Dialect(",", ("a", "b", "c"), 2, 3, False, "")
        assert b"".join(structure.after_header([data[:5], data[5:]], cut)) == f"1,2,3{end}".encode()


def test_carriage_returns_alone_end_lines() -> None:
    """Old Macintosh files are read as if they had line feeds."""
    cut = Dialect(",", ("a", "b", "c"), 1, 2, True, "")
    assert b"".join(structure.after_header([b"a,b,c\r1,2", b",3\r"], cut)) == b"1,2,3\n"
