"""Parquet as text: damage, bombs, names and days that cannot be written down."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from clm import ingest
from clm.errors import DataError
from clm.ingest import parquet, sources, structure
from clm.settings import CleanSettings
from tests.cleaning import clean_files

ROWS = 200


def log(folder: Path) -> pl.DataFrame:
    place = pl.int_range(ROWS)
    return pl.select(
        pl.format("C{}", place % 7).alias("customer"),
        pl.format("o{}", place).alias("order id"),
        (pl.lit(datetime(2024, 1, 2)) + pl.duration(days=place % 90)).alias("date"),
        (place * 0.5).alias("total"),
        pl.format("{} teas", place).alias("note"),
    )


def mutated(good: bytes, random_: random.Random) -> bytes:
    """A few bytes changed, half of the time near the end, where Parquet keeps what it knows about itself."""
    data = bytearray(good)
    for _ in range(random_.choice([1, 3, 30])):
        start = max(0, len(data) - 1500) if random_.random() < 0.5 else 0
        data[random_.randrange(start, len(data))] = random_.randrange(256)
    return bytes(data)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_damaged_files_get_an_answer(suffix: str, tmp_path: Path) -> None:
    """Whatever bytes change: every row that is read is accounted for, or the file is refused; nothing else happens."""
    path, random_ = tmp_path / f"log.{suffix}", random.Random(20240102)
    log(tmp_path).write_parquet(path) if suffix == "parquet" else log(tmp_path).write_csv(path)
    good, refused = path.read_bytes(), 0
    for _ in range(60):
        path.write_bytes(mutated(good, random_))
        try:
            done = clean_files([path], tmp_path, max_rejects=1.0, until="none", keep=("note",))
        except DataError:
            refused += 1
        else:
            rows = done.settled.outcome.rows
            assert rows.rows_in == rows.rows_out + sum(rows.rejected.values()) + sum(rows.collapsed.values())
            assert suffix == "csv" or rows.rows_in == ROWS
    assert 5 < refused < 60


def test_text_that_is_no_text_is_damage(tmp_path: Path) -> None:
    """A flipped bit inside a string makes bytes that are no UTF-8: refused, for Polars would stop at them."""
    path = tmp_path / "log.parquet"
    log(tmp_path).write_parquet(path, compression="uncompressed")
    path.write_bytes(path.read_bytes().replace(b"17 teas", b"17 te\xffs"))
    with pytest.raises(DataError, match="is damaged"):
        clean_files([path], tmp_path, keep=("note",))


def test_a_footer_that_promises_too_much_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows × columns beyond two hundred times the bytes is a bomb, as with packed text."""
    path = tmp_path / "bomb.parquet"
    pl.select(pl.repeat("A", 2_000_000).alias("customer"), pl.repeat(1, 2_000_000).alias("total")).write_parquet(path)
    (source,) = sources.find([path])
    assert source.size * 200 < 4_000_000
    monkeypatch.setattr(sources, "_RATIO_FROM", 2**21)
    with pytest.raises(DataError, match="unpacks to more than 200 times its size"):
        ingest.read_text([path], CleanSettings())


def test_days_beyond_the_calendar_are_no_dates(tmp_path: Path) -> None:
    """A moment in the year 250000 is an unreadable date of one row, not the end of the run."""
    frame = pl.DataFrame({"customer": ["A", "B"], "date": [1_704_153_600 * 10**6, 2**62], "day": [19_724, 2**31 - 1]})
    frame = frame.with_columns(pl.col("date").cast(pl.Datetime("us")), pl.col("day").cast(pl.Int32).cast(pl.Date))
    frame.write_parquet(tmp_path / "log.parquet")
    done = clean_files([tmp_path / "log.parquet"], tmp_path, max_rejects=1.0, keep=("day",))
    assert done.column("ordered_at") == [datetime(2024, 1, 2)]
    assert done.column("day") == [str(date(2024, 1, 2))]
    assert done.reasons == {2: "date"}


def test_names_are_made_unique_and_none_is_ours(tmp_path: Path) -> None:
    """A column called like one of clm's own is renamed, as in a text file; a file name need not be text."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.parquet"))
    with path.open("wb") as target:
        pl.DataFrame({"customer": ["A"], "date": ["2024-01-02"], structure.LINE: ["x"]}).write_parquet(target)
    found = ingest.read_text([path], CleanSettings())
    assert found.columns == ("customer", "date", "#3 clm:line")
    assert found.frame.collect()["#3 clm:line"].to_list() == ["x"]


def test_bytes_and_structs_are_read_as_text(tmp_path: Path) -> None:
    """Bytes that are UTF-8 are text, others their digits, 16 bytes a UUID unless all are printable; a struct is laid out."""
    import pyarrow as pa
    from pyarrow import parquet

    short = pa.array([b"C00000000000000" + digit for digit in (b"1", b"2")] + [None], pa.binary(16))
    uuid = pa.array([bytes(15) + b"\x05", bytes(range(16)), None], pa.binary(16))
    columns = {
        "b": pa.array([b"C1", "茶".encode(), None]), "x": pa.array([b"C1", b"\xff\x00", b""]), "s": short, "u": uuid,
        "customer": pa.array([{"id": 1, "tags": ["a"]}, {"id": 2, "tags": []}, None]),
    }  # fmt: skip
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    log = ingest.read_text([tmp_path / "a.parquet"], CleanSettings())
    cells = log.frame.select(log.columns).collect()
    assert cells["b"].to_list() == ["C1", "茶", ""]
    assert cells["x"].to_list() == ["C1", "0xff00", ""]
    assert cells["s"].to_list() == ["C000000000000001", "C000000000000002", ""]
    assert cells["u"].to_list() == ["00000000-0000-0000-0000-000000000005", "00010203-0405-0607-0809-0a0b0c0d0e0f", ""]
    assert cells["customer.id"].to_list() == ["1", "2", ""]
    assert any(fact.about == "a.parquet: not read" and fact.decision == "customer.tags" for fact in log.evidence)


def test_a_column_of_lists_is_a_question_when_it_is_needed(tmp_path: Path) -> None:
    """Lists are no amounts: refused with the column, not read as nothing."""
    frame = pl.DataFrame({"customer": ["a", "b"], "date": ["2024-01-02", "2024-01-03"], "amount": [[1.0], [2.0, 3.0]]})
    frame.write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError) as refused:
        clean_files([tmp_path / "a.parquet"], tmp_path)
    assert refused.value.code == "nested"
    assert refused.value.where == "a.parquet, column amount"


def test_a_long_file_is_sampled_at_start_middle_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file too long to look at whole: the first rows of the first, middle and last row group, with their own lines."""
    monkeypatch.setattr("clm.ingest.sample._ROWS", 50)
    monkeypatch.setattr("clm.ingest.parquet._SAMPLE", 9)
    log(tmp_path).write_parquet(tmp_path / "log.parquet", row_group_size=40)
    text = ingest.read_text([tmp_path / "log.parquet"], CleanSettings())
    assert text.whole is False
    assert text.sample[structure.LINE].to_list() == [1, 2, 3, 81, 82, 83, 161, 162, 163]
    assert text.sample.select(text.columns).equals(
        text.frame.filter(pl.col(structure.LINE).is_in(text.sample[structure.LINE].implode())).select(text.columns).collect()
    )


@pytest.mark.parametrize("rows", [0, 60])
def test_a_file_of_one_row_group_is_sampled_at_its_start(rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is opened that is not there."""
    monkeypatch.setattr("clm.ingest.sample._ROWS", 50)
    monkeypatch.setattr("clm.ingest.parquet._SAMPLE", 9)
    log(tmp_path).head(rows).write_parquet(tmp_path / "log.parquet")
    text = ingest.read_text([tmp_path / "log.parquet"], CleanSettings())
    assert (text.sample.height, text.whole) == ((9, False) if rows else (0, True))


def test_fewer_rows_than_the_footer_says_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that do not come are not passed over."""
    log(tmp_path).write_parquet(tmp_path / "log.parquet")
    (source,) = sources.find([tmp_path / "log.parquet"])
    table = parquet.read(source)

    @contextmanager
    def short(_source: sources.Source) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(iter_batches=lambda **_: iter(()), metadata=SimpleNamespace(num_rows=7))

    monkeypatch.setattr(parquet, "_opened", short)
    with pytest.raises(DataError, match="damaged, or no Parquet file: 0 rows of 7"):
        list(table.batches(None))
