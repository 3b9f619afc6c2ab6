"""Bombs: small files that would fill the memory of whoever believes them. Each is refused, in words and before it is unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests import alone
from tests.battery import WHOLE, Count
from tests.logs import invented

_HEAD = b"order_id,customer_id,order_date,amount\n1,a,2024-01-05,3\n"
_LARGE = 400_000_000
_MOST_BYTES = 1.5 * 2**30
_LONGEST = 10.0


def _lines(pack: Callable[[bytes], bytes]) -> bytes:
    return pack(_HEAD + b"0" * _LARGE)


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("orders.csv", _HEAD + b"0" * _LARGE)
    return made.getvalue()


def _zst() -> bytes:
    import pyarrow

    return bytes(pyarrow.Codec("zstd").compress(_HEAD + b"0" * _LARGE, asbytes=True))


def _parquet_rows() -> bytes:
    """A hundred million rows of one value."""
    made = io.BytesIO()
    frame = pl.select(order_id=pl.repeat(1, 100_000_000, dtype=pl.Int8)).with_columns(
        customer_id=pl.lit("a"), order_date=pl.lit("2024-01-05"), amount=pl.lit(3)
    )
    frame.lazy().sink_parquet(made, compression="zstd")
    return made.getvalue()


def _book(sheet: str, strings: str = "") -> bytes:
    """A workbook of one sheet whose XML is given."""
    made = io.BytesIO()
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{relation}"><sheets>'
        '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{relation}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet.replace("SPACE", space),
        "xl/sharedStrings.xml": strings or f"<sst {space}></sst>",
    }
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return made.getvalue()


def _entities() -> bytes:
    """The billion laughs in a sheet: ten entities of ten entities each."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{levels}]>'
    return _book(f'{head}<worksheet SPACE><sheetData><row r="1"><c r="A1" t="str"><v>&e9;</v></c></row></sheetData></worksheet>')


def _far() -> bytes:
    """Two cells at the two ends of the largest sheet there is: 17 billion cells between them."""
    return _book(
        '<worksheet SPACE><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )


def _wide() -> bytes:
    """A million columns."""
    return b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n" + b",".join([b"1"] * 1_000_000) + b"\n"


# name, suffix, what makes it, the command that reads it; those marked are for the whole battery only
BOMBS: list[tuple[str, str, Callable[[], bytes], str]] = [
    ("gz", ".csv.gz", lambda: _lines(lambda data: gzip.compress(data, 6)), "clean"),
    ("bz2", ".csv.bz2", lambda: _lines(lambda data: bz2.compress(data, 1)), "clean"),
    ("xz", ".csv.xz", lambda: _lines(lambda data: lzma.compress(data, preset=0)), "clean"),
    ("zip", ".zip", _zip, "clean"),
    ("zst", ".csv.zst", _zst, "clean"),
    ("Parquet rows", ".parquet", _parquet_rows, "clean"),
    ("xlsx ratio", ".xlsx", lambda: _book("<worksheet SPACE><sheetData>" + " " * _LARGE + "</sheetData></worksheet>"), "clean"),
    ("xlsx entities", ".xlsx", _entities, "clean"),
    ("xlsx extent", ".xlsx", _far, "clean"),
    ("a million columns", ".csv", _wide, "clean"),
    ("deep JSON lines", ".jsonl", lambda: b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"\n", "clean"),
    ("a number of 10^6 digits in JSON", ".jsonl", lambda: b'{"customer_id": ' + b"9" * 1_000_000 + b"}\n", "clean"),
    ("deep TOML", ".toml", lambda: b"a = " + b"[" * 100_000 + b"]" * 100_000, "config"),
    ("a number of 10^6 digits in TOML", ".toml", lambda: b"seed = " + b"9" * 1_000_000, "config"),
    ("a key of 20,000 parts", ".toml", lambda: b".".join([b"a"] * 20_000) + b" = 1", "config"),
    ("a word of 10^6 letters", ".toml", lambda: b"a" * 1_000_000, "scheme"),
    ("deep scheme", ".toml", lambda: b"a = " + b"[" * 100_000 + b"]" * 100_000, "scheme"),
    ("deep rule", ".toml", lambda: b'[[segment]]\ncode = "a"\nwhen = "' + b"(" * 100_000 + b'"', "scheme"),
    ("deep model", ".json", lambda: b'{"schema": 1, "learned": {"rfm": ' + b"[" * 200_000 + b"]" * 200_000 + b"}}", "model"),
    ("1e400 in a model", ".json", lambda: b'{"schema": 1, "learned": {"rfm": {"cuts": 1e400}}}', "model"),
    (
        "a number of 10^5 digits in a model",
        ".json",
        lambda: b'{"schema": 1, "learned": {"rfm": {"a": ' + b"9" * 100_000 + b"}}}",
        "model",
    ),
]
_LATER = ("bz2", "xz", "zip", "zst", "Parquet rows")  # packed as the others; only the battery tries them all


@pytest.mark.timeout(900)
@pytest.mark.parametrize("bomb", [one for one in BOMBS if WHOLE or one[0] not in _LATER], ids=lambda bomb: bomb[0])
def test_a_bomb_is_refused_before_it_goes_off(
    bomb: tuple[str, str, Callable[[], bytes], str], tmp_path: Path, count: Count
) -> None:
    """65 or 78 in words, below ten seconds of processor time and 1.5 GB, measured in a process of its own."""
    _, suffix, make, command = bomb
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(make())
    invented().write_parquet(tmp_path / "x.parquet")
    argv = {
        "clean": ["clean", str(path)],
        "config": ["rfm", str(tmp_path / "x.parquet"), "--config", str(path)],
        "scheme": ["segment", str(tmp_path / "x.parquet"), "--scheme", str(path)],
        "model": ["rfm", str(tmp_path / "x.parquet"), "--model", str(path)],
    }[command]
    done = alone.clm(*argv, "-o", str(tmp_path / "out.parquet"), limit=600)
    code, said = done.code, done.said
    refused = code in (65, 78) and "Traceback" not in said and "to do: " in said
    count("bombs", bombs=1, went_off=int(not refused), longest_seconds=done.work, most_MB=done.memory / 1e6)
    assert refused, (code, said[-800:])
    assert done.work < _LONGEST
    assert done.memory < _MOST_BYTES
    assert len(said) < 6000
    assert not (tmp_path / "out.parquet").exists()
