"""Records cut up one character at a time."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.ingest import lines
from clm.ingest.lines import BLANK, Form

COMMA = Form(",")

cells = st.text(alphabet='ab,"\n ;1', max_size=6)


@pytest.mark.parametrize(
    ("line", "delimiter", "fields"),
    [
        ('a,"b,c",d', ",", ["a", "b,c", "d"]),
        ('"say ""hi""",b', ",", ['say "hi"', "b"]),
        ('a, "b, c" ,d', ",", ["a", "b, c", "d"]),
        ('24" pipe,b', ",", ['24" pipe', "b"]),
        (',"",', ",", ["", "", ""]),
        ("  00004 0001  19970101 ", BLANK, ["00004", "0001", "19970101"]),
        ('a  "b c"\td', BLANK, ["a", "b c", "d"]),
    ],
)
def test_a_line_is_split_as_it_is_meant(line: str, delimiter: str, fields: list[str]) -> None:
    """Quotes protect separators, doubled quotes are one, a quote inside an unquoted field is a character."""
    assert lines.split(line, Form(delimiter)) == (fields, None)


@pytest.mark.parametrize(
    ("line", "form", "fields"),
    [
        ("a,'b, it''s',c", Form(",", quote="'"), ["a", "b, it's", "c"]),
        ("'don't, won't','x'", Form(",", quote="'"), ["don't, won't", "x"]),
        ("'5\"\" x','it\"'s'", Form(",", quote="'", escape='"'), ['5" x', "it's"]),
        (r'"5\" x","a\\",c\d', Form(",", escape="\\"), ['5" x', "a\\", r"c\d"]),
        (r'"8\'9 \x"', Form(",", escape="\\"), [r"8\'9 \x"]),
        ('a, b,  c, "d, e", ', Form(",", padded=True), ["a", "b", " c", "d, e", ""]),
        ('a||"b||c"||', Form("||"), ["a", "b||c", ""]),
        ("a|b||c", Form("||"), ["a|b", "c"]),
    ],
)
def test_other_ways_of_protecting_and_separating(line: str, form: Form, fields: list[str]) -> None:
    """Single quotes with apostrophes in them, escapes, a blank after each delimiter, delimiters of two characters."""
    assert lines.split(line, form) == (fields, None)


@pytest.mark.parametrize(("line", "state"), [('a,"b', "open"), ('a,"b"c,d', "wrong"), ('"', "open")])
def test_a_quote_that_is_wrong_is_said_to_be(line: str, state: str) -> None:
    """A quote never closed, or closed in the middle of a field, is not papered over."""
    assert lines.split(line, COMMA)[1] == state


def test_a_stray_quote_does_not_swallow_the_records_after_it() -> None:
    """Only the line with the slip is broken; the lines after it are records of their own."""
    records, tail = lines.strict('1,a\n2,"b\n3,c\n4,d"\n5,e\n', COMMA, 2, final=True)
    assert [(record.line, record.problem) for record in records] == [(0, None), (1, "quote"), (2, None), (3, None), (4, None)]
    assert tail == ""


def test_a_quoted_line_end_belongs_to_its_record() -> None:
    """A field may span lines when they do not look like records; the next record knows its true line."""
    records, _ = lines.strict('1,"two\nlines"\n2,b\n', COMMA, 2, final=True)
    assert [(record.line, record.fields) for record in records] == [(0, ["1", "two\nlines"]), (2, ["2", "b"])]


def test_an_open_record_at_the_end_of_a_block_waits_for_more() -> None:
    """What is not finished is handed back, until there is no more."""
    records, tail = lines.strict('1,a\n2,"b\nc', COMMA, 2, final=False)
    assert len(records) == 1
    assert tail == '2,"b\nc'
    records, tail = lines.strict('1,a\n2,"b\nc', COMMA, 2, final=True)
    assert [record.problem for record in records] == [None, "quote", "fields_few"]
    assert tail == ""


def test_broken_records_say_how_and_keep_their_text() -> None:
    """Few, many, blank and zero bytes each get their code; the text is there for whoever repairs it."""
    records, _ = lines.strict("1\n\n1,2,3\n1,\0\n", COMMA, 2, final=True)
    assert [(record.problem, record.detail, record.raw) for record in records] == [
        ("fields_few", "1 of 2 fields", "1"),
        ("blank_row", None, ""),
        ("fields_many", "3 of 2 fields", "1,2,3"),
        ("nul", None, "1,\0"),
    ]


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from([",", ";"]))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    """Every record of a well-formed file comes back, with the line it starts on, or the slip rule says why not."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    records, tail = lines.strict(out.getvalue(), Form(delimiter), 3, final=True)
    assert tail == ""
    taken = [record.fields for record in records if record.fields is not None]
    assert taken == rows or any(record.problem for record in records)
    assert "".join(record.raw for record in records).replace("\n", "") == out.getvalue().replace("\n", "")


@given(st.text(alphabet='ab,"\n\r', max_size=60))
def test_no_character_is_lost_whatever_the_text(text: str) -> None:
    """The records' texts are the whole text, and their lines rise."""
    records, tail = lines.strict(text, COMMA, 2, final=True)
    assert "".join(record.raw for record in records).translate({10: None, 13: None}) == text.translate({10: None, 13: None})
    assert tail == ""
    starts = [record.line for record in records]
    assert starts == sorted(set(starts))


def test_a_single_quote_never_closed_does_not_swallow_the_record_after_it() -> None:
    """The quote that begins the next line opens a field of its own: it is no apostrophe in the one before."""
    records, _ = lines.strict("'ann\n'bob',1,2\n", Form(",", quote="'"), 3, final=True)
    assert [(record.fields, record.problem) for record in records] == [(None, "quote"), (["bob", "1", "2"], None)]
