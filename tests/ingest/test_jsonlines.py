"""JSON lines and lists as text: exact numbers, exact lines, keys that come late, and what is no object."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm import ingest
from clm.errors import DataError
from clm.ingest import TextLog
from clm.settings import CleanSettings
from tests.cleaning import clean_files, clean_text


def read(folder: Path, text: str | bytes, name: str = "a.jsonl", **options: Any) -> TextLog:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ingest.read_text([path], CleanSettings(**options))


def cells(log: TextLog, *names: str) -> list[tuple[Any, ...]]:
    return log.frame.select(names or log.columns).collect().rows()


def test_values_stay_as_they_are_written(tmp_path: Path) -> None:
    """Numbers keep every digit and zero, null is empty, true a word, a list and what is deep stay JSON."""
    text = '{"a": 1.10, "b": 12345678901234567890, "c": null, "d": true, "e": [1.50, "x"], '
    text += '"f": {"g": {"h": 1e5}, "i": "ü"}, "j": NaN}'
    log = read(tmp_path, text)
    assert log.columns == ("a", "b", "c", "d", "e", "f.g", "f.i", "j")
    assert cells(log) == [("1.10", "12345678901234567890", "", "true", '[1.50,"x"]', '{"h":1e5}', "ü", "")]


def test_keys_may_come_late_and_stay_away(tmp_path: Path) -> None:
    """Columns are those of the whole file, in the order they are first seen."""
    rows = [{"a": place} for place in range(50_000)] + [{"b": 1}]
    log = read(tmp_path, "\n".join(map(json.dumps, rows)))
    assert log.columns == ("a", "b")
    assert log.frame.collect()["clm:line"].to_list() == list(range(1, 50_002))
    assert cells(log)[-2:] == [("49999", ""), ("", "1")]


def test_names_that_would_be_the_same_stay_apart(tmp_path: Path) -> None:
    """A dotted key and a key inside an object are two columns; so is a key that is an object in some records only."""
    log = read(tmp_path, '{"a.b": 1, "a": {"b": 2}}\n{"a": "x"}')
    assert log.columns == ("a.b", "a.b (2)", "a")
    assert cells(log) == [("1", "2", ""), ("", "", "x")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1, 2]", "fields_few"), ('"text"', "fields_few"), ("12", "fields_few"), ('{"customer": "A", ', "fields_few"),
        ('{"customer": "A"} {"customer": "B"}', "fields_few"), ('{"customer": "A", "customer": "B"}', "fields_few"),
        ("[" * 100_000, "fields_few"), ('{"customer": "\\ud800"}', "fields_few"), ('{"customer": "\\u0000"}', "nul"),
        ("", "blank_row"),
        ("{}", "blank_row"), ('{"customer": null}', "blank_row"),
    ],
)  # fmt: skip
def test_what_is_no_object_is_a_reject_with_its_line(line: str, reason: str, tmp_path: Path) -> None:
    """Its neighbours are read, and its text is there when asked for."""
    good = '{"customer": "A", "date": "2024-03-01", "amount": 1.5}'
    done = clean_text(f"{good}\r\n{line}\r\n{good}\n", tmp_path, max_rejects=1.0, rejects_raw=True)
    assert done.reasons == {2: reason}
    assert done.rejects["raw"].to_list() == [line]
    assert done.column("source_line") == [1, 3]
    if reason == "fields_few":
        assert done.rejects["detail"].to_list() == ["no JSON object"]


def test_a_list_of_objects_reads_as_lines_do(tmp_path: Path) -> None:
    """Laid out in any way; the line is the one on which the object begins."""
    rows = [{"customer": "A", "date": "2024-03-01", "amount": 1.5}, {"customer": "B", "date": "2024-03-02", "amount": 2}]
    flat = read(tmp_path, "\n".join(map(json.dumps, rows)))
    listed = read(tmp_path, json.dumps(rows, indent=2), name="b.json")
    assert cells(flat) == cells(listed)
    assert listed.frame.collect()["clm:line"].to_list() == [2, 7]
    assert [fact.decision for fact in listed.evidence if "container" in fact.about] == ["JSON document, 2 records"]
    done = clean_text('[{"customer": "A", "date": "2024-03-01"},\n7]', tmp_path, max_rejects=1.0)
    assert done.reasons == {2: "fields_few"}


@pytest.mark.parametrize("indent", [None, 1])
def test_an_answer_with_its_orders_in_one_list_is_that_list(indent: int | None, tmp_path: Path) -> None:
    """As the interfaces of shop systems send them; with anything beside the list it is one record, for they may be its lines."""
    orders = [{"customer": "A", "date": "2024-03-01"}, {"customer": "B", "date": "2024-03-02"}]
    log = read(tmp_path, json.dumps({' "or\\ders: [': orders}, indent=indent))
    assert cells(log) == cells(read(tmp_path, json.dumps(orders), name="b.json"))
    assert log.frame.collect()["clm:line"].to_list() == ([1, 1] if indent is None else [3, 7])
    one = read(tmp_path, json.dumps({"customer": "A", "items": orders}, indent=indent), name="c.json")
    assert one.columns == ("customer", "items")
    assert one.frame.collect().height == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1} x\n',
        '{"a": [{"b": 1}\n',
        '[{"a": 1}',
        '[{"a": 1},',
        '[{"a": 1} {"a": 2}]',
        '[{"a": 1}] x',
        '[{"a": 1}, {"a"',
        '[{"a": 1, "a": 2}]',
    ],
)
def test_a_broken_list_is_refused(text: str, tmp_path: Path) -> None:
    """Where an object ends cannot be known any more."""
    with pytest.raises(DataError, match="cut off or damaged"):
        read(tmp_path, text)


def test_other_json_is_refused_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list too long to hold, a line without end, more keys than any log has."""
    monkeypatch.setattr("clm.ingest.jsonlines._LARGEST_LIST", 100)
    with pytest.raises(DataError, match="JSON document of more than"):
        read(tmp_path, json.dumps([{"a": "x" * 200}]))
    monkeypatch.setattr("clm.ingest.jsonlines._LARGEST_LINE", 1000)
    with pytest.raises(DataError, match="line 2 of a"):
        read(tmp_path, b'{"a": 1}\n{"a": "' + b"x" * 2000)
    monkeypatch.setattr("clm.ingest.jsonlines._MOST_COLUMNS", 10)
    with pytest.raises(DataError, match="more than 10 different keys"):
        read(tmp_path, "\n".join(f'{{"k{place}": 1}}' for place in range(20)))


@pytest.mark.parametrize(
    "text", ["{id},customer,date\n1,A,2024-03-01\n", '{"customer"},date\nA,2024-03-01\n', "[a],customer\n1,A\n"]
)
def test_a_csv_may_begin_with_a_bracket(text: str, tmp_path: Path) -> None:
    """What decides is an object, not the first character; and who gives a delimiter has said what it is."""
    assert read(tmp_path, text, name="a.csv").parts[0].table is None
    assert read(tmp_path, '{"a": 1}\n', delimiter=",").parts[0].dialect is not None


def test_packing_encoding_and_names_do_not_matter(tmp_path: Path) -> None:
    """Packed, marked, UTF-16: known by what it holds."""
    text = '{"customer": "Zoë", "date": "2024-03-01"}\n' * 3
    plain = cells(read(tmp_path, text, name="a"))
    for data in (
        gzip.compress(text.encode()),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
        text.rstrip("\n").encode(),
    ):
        assert cells(read(tmp_path, data, name="b")) == plain


def test_the_same_log_as_csv_and_as_json_lines(tmp_path: Path) -> None:
    """Equal transactions, only the lines differ by the header."""
    frame = pl.select(
        pl.format("C{}", pl.int_range(500) % 37).alias("customer"),
        pl.format("2024-03-{}", 10 + pl.int_range(500) % 20).alias("date"),
        (pl.int_range(500) * 0.37).round(2).alias("amount"),
    )
    frame.write_csv(tmp_path / "a.csv")
    frame.write_ndjson(tmp_path / "a.jsonl")
    one, other = (clean_files([tmp_path / name], tmp_path).rows.drop("source_line") for name in ("a.csv", "a.jsonl"))
    assert one.equals(other)


values = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False) | st.lists(st.integers(), max_size=2)


@given(
    rows=st.lists(
        st.dictionaries(st.text(min_size=1), values | st.dictionaries(st.text(), values, max_size=2), max_size=4), min_size=1
    )
)
def test_every_object_is_accounted_for(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever the keys and values, there is one row an object, and what it says can be read back."""
    folder = tmp_path_factory.mktemp("json")
    rows = [{"first": 1}, *rows]
    log = read(folder, "\n".join(map(json.dumps, rows)))
    frame = log.frame.collect()
    assert frame.height == len(rows)
    assert frame["clm:line"].to_list() == list(range(1, len(rows) + 1))
    for row, problem, got in zip(rows, frame["clm:problem"], frame.select(log.columns).iter_rows(), strict=True):
        if problem is None:
            flat = [deep for value in row.values() for deep in (value.values() if isinstance(value, dict) else [value])]
            filled = [value for value in flat if value is not None and value != ""]
            assert len([cell for cell in got if cell]) == len(filled)
