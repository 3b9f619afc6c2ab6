"""Dialects: how the first lines say how to cut a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.errors import DataError, UsageError
from clm.ingest import dialect, structure
from clm.ingest.dialect import Dialect

Row = list[str]


def detect(text: str, delimiter: str | None = None) -> Dialect:
    return dialect.detect(text, "log.csv", delimiter, whole=True)


def cut(text: str, delimiter: str | None = None) -> tuple[Dialect, list[Row], bool]:
    """The dialect, the good rows, and whether anything was said about rows that are not among them."""
    found = detect(text, delimiter)
    stream: Iterator[bytes] = structure.after_header([text.encode()], found)
    frames = structure.batches(stream, found, found.first_line)
    frame = pl.concat([pl.DataFrame(schema=structure.schema(found)), *frames])
    good = frame.filter(pl.col(structure.PROBLEM).is_null()).select(found.columns)
    return found, [list(row) for row in good.rows()], good.height < frame.height or bool(found.above)


@pytest.mark.parametrize(
    ("text", "shown", "width"),
    [
        ("a,b\n1,2\n", ",", 2),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";", 2),
        ("a\tb\nx,y\tz\nx,y\tz\n", "tab", 2),
        ("id|name\n1|Doe, Jane\n2|Roe, Rick\n", "|", 2),
        ("id||name\n1||a|b\n2||c\n", "||", 2),
        ("id^name\n1^a\n2^b\n", "^", 2),
        ("id\x01name\n1\x01a\n2\x01b\n", "\\x01", 2),
        ('1;"pedro "pdet" holanda"\n2;"pedro "pdet" holanda"\n3;x\n', ";", 2),
        ("# made by hand\n# on a Monday\na;b\n# a thought\n1;3\n6;7\n", ";", 2),
        ("00001 19970101 29.33\n00001 19970118 29.73\n", "runs of blanks", 3),
        ("ordered at\n2024-01-02 10:00\n2024-01-03 11:00\n", ",", 1),
        ("customer name\nJane Doe\nRick Roe\n", ",", 1),
        ("name\nx\ny\n", ",", 1),
    ],
)
def test_the_delimiter_is_the_one_that_fits(text: str, shown: str, width: int) -> None:
    """Widths that agree and cells that look like one: commas in numbers and names, blanks in text and comments do not mislead."""
    found = detect(text)
    assert (found.shown, found.width) == (shown, width)


def test_single_quotes_protect_when_they_are_at_work_all_over() -> None:
    """Cells in single quotes lose them, apostrophes stay; one song title in quotes makes no dialect."""
    found, rows, said = cut("id,name\n1,'Doe, Jane'\n2,'Rick's, x'\n3,'it''s'\n")
    assert (found.quote, rows, said) == ("'", [["1", "Doe, Jane"], ["2", "Rick's, x"], ["3", "it's"]], False)
    assert "single quotes" in found.why
    found, rows, _ = cut("id,song\n1,'Heroes'\n2,Ashes\n3,Fame\n4,Rebel\n5,Lady\n")
    assert (found.quote, rows[0]) == ('"', ["1", "'Heroes'"])


def test_double_quotes_doubled_between_single_ones_are_one() -> None:
    """Only when each of them is doubled: then the writer escaped them."""
    assert cut("""i,d\n1,'5"" x'\n2,'a'\n""")[1][0] == ["1", '5" x']
    assert cut("""i,d\n1,'5"" x'\n2,'a "b'\n""")[1][0] == ["1", '5"" x']


def test_backslashes_escape_where_quotes_would_be_wrong_without() -> None:
    """A backslash before a quote is an escape only when the file makes no sense otherwise; a path is a path."""
    found, rows, said = cut('id,size\n1,"8\\" long, x"\n2,"a\\\\b"\n3,"c\\d"\n')
    assert (found.escape, rows, said) == ("\\", [["1", '8" long, x'], ["2", "a\\b"], ["3", "c\\d"]], False)
    found, rows, said = cut('id,path\n1,"C:\\"\n2,"D:\\x\\"\n')
    assert (found.escape, rows, said) == ("", [["1", "C:\\"], ["2", "D:\\x\\"]], False)


def test_a_blank_after_every_delimiter_is_no_part_of_the_cells() -> None:
    """Only when it stands after every one; quoted cells keep theirs, and so does who writes a blank here and there."""
    found, rows, said = cut('a, b, c\n1, x y, "p, q"\n2, , " z"\n3, w, \n')
    assert (found.padded, rows, said) == (True, [["1", "x y", "p, q"], ["2", "", " z"], ["3", "w", ""]], False)
    assert cut("a, b\n1, x\n2,y\n")[1] == [["1", " x"], ["2", "y"]]


def test_given_is_given() -> None:
    """--delimiter is taken though another would fit better, and refused when it is no delimiter."""
    assert detect("a,b;c\n1,2;3\n", ";").columns == ("a,b", "c")
    assert detect("x y\n1 2\n", "blank").columns == ("x", "y")
    with pytest.raises(UsageError, match="not one character"):
        detect("a,b\n", "ab")


@pytest.mark.parametrize("text", ["", "\n\n", " \t\n", ",,,\n;;\n", '""\n'])
def test_nothing_is_said_to_be_nothing(text: str) -> None:
    """Files of blanks, separators and quotes only are empty."""
    with pytest.raises(DataError, match="is empty"):
        detect(text)


def test_names_are_unique_and_none_is_ours() -> None:
    """Repeated, empty and reserved names get a number."""
    assert dialect.unique_names(["a", " a ", "", "clm:line", "a (2)"]) == ("a", "a (2)", "#3", "#4 clm:line", "a (2) (2)")


DELIMITERS, ENDS = st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n", "\r"])
QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
anything = st.text(alphabet="ab1 ,;|\t\"'\\#-.\né", max_size=6)


def written(rows: list[Row], delimiter: str, end: str, quoting: int) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def all_of(found: Dialect, rows: list[Row]) -> list[Row]:
    return rows if found.header_line is None else [list(found.columns), *rows]


@given(
    st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(anything, min_size=width, max_size=width), min_size=1, max_size=8)),
    DELIMITERS, ENDS, QUOTING,
)  # fmt: skip
def test_any_table_is_read_back_or_something_is_said(rows: list[Row], delimiter: str, end: str, quoting: int) -> None:
    """Whatever the cells: with the delimiter given every cell comes back, or a reject or the header's evidence speaks of it."""
    text = written(rows, delimiter, end, quoting)
    if not text.strip(' \t\r\n",;|'):
        return
    found, good, said = cut(text, delimiter)
    if said:
        return
    wanted = rows if found.header_line is None else [list(dialect.unique_names(rows[0])), *rows[1:]]
    assert all_of(found, good) == wanted


words = st.text(alphabet="abcé -.'#", min_size=1, max_size=8).map(lambda word: f"x{word}x")
protected = st.builds("{}{}{}".format, words, st.sampled_from(['"', ", ", "", "\n", " ; ", '""']), words)


@given(
    st.lists(st.tuples(st.integers(1, 10**6), protected, words, st.integers(0, 99)), min_size=3, max_size=12),
    DELIMITERS, ENDS, QUOTING,
)  # fmt: skip
def test_a_table_of_orders_is_read_back_cell_for_cell(
    rows: list[tuple[int, str, str, int]], delimiter: str, end: str, quoting: int
) -> None:
    """No option given: delimiter, header and line ends are found, every cell comes back, and nothing had to be said."""
    body = [[str(number), name, city, f"{cents}.50"] for number, name, city, cents in rows]
    if end == "\r":  # the writer does not protect LF then
        body = [[cell.replace("\n", " ") for cell in row] for row in body]
    found, good, said = cut(written([["Order No", "Name", "City", "Amount"], *body], delimiter, end, quoting))
    assert (found.columns, found.header_line) == (("Order No", "Name", "City", "Amount"), 1)
    assert good == body
    assert not said


def test_a_file_of_more_columns_than_any_log_is_refused() -> None:
    """Its columns are counted, not named."""
    with pytest.raises(DataError, match=" has 20,000 columns") as caught:
        detect(",".join(["a"] * 20_000) + "\n")
    assert caught.value.code == "too_many_columns"
