"""`read_text`: the seam between bytes and meaning."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from clm import ingest
from clm.errors import DataError, UsageError
from clm.ingest import TextLog, structure
from clm.ingest import scan as room
from clm.settings import CleanSettings


def read(path: Path, **options: object) -> TextLog:
    return ingest.read_text([path], CleanSettings(**options))  # type: ignore[arg-type]


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "log.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "delimiter", "columns", "header"),
    [
        ("a,b\n1,2\n", ",", ("a", "b"), 1),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";", ("a", "b"), 1),
        ("a\tb\n1\t2\n", "tab", ("a", "b"), 1),
        ("a|b\n1|2\n", "|", ("a", "b"), 1),
        (" 00004 0001 19970101\n 00004 0001 19970118\n", "runs of blanks", ("#1", "#2", "#3"), None),
        ("Shop report\nmade by hand\n\na,b,c\n1,2,3\n4,5,6\n", ",", ("a", "b", "c"), 4),
        ('name, "in quotes", x\n1, "2, 3", 4\n', ",", ("name", "in quotes", "x"), 1),
        ("a,a,,clm:line\n1,2,3,4\n", ",", ("a", "a (2)", "#3", "#4 clm:line"), 1),
        ("1,2024-01-02,A\n2,2024-01-03,B\n", ",", ("#1", "#2", "#3"), None),
    ],
)
def test_the_dialect_is_told(content: str, delimiter: str, columns: tuple[str, ...], header: int | None, tmp_path: Path) -> None:
    """Separator, header line and column names, each unique and none of clm's own."""
    part = read(written(tmp_path, content)).parts[0]
    assert part.dialect is not None
    assert (part.dialect.shown, part.dialect.columns, part.dialect.header_line) == (delimiter, columns, header)


def test_a_given_delimiter_is_taken(tmp_path: Path) -> None:
    """--delimiter settles it, by character or by word."""
    path = written(tmp_path, "a;b,c\n1;2,3\n")
    assert read(path, delimiter=";").columns == ("a", "b,c")
    assert read(path, delimiter="comma").columns == ("a;b", "c")
    with pytest.raises(UsageError, match="not one character"):
        read(path, delimiter="ab")


@pytest.mark.parametrize("content", ["", "\n\n", " \n", "\ufeff"])
def test_nothing_to_read_is_said(content: str, tmp_path: Path) -> None:
    """A file without a header is an answer, not an empty table."""
    with pytest.raises(DataError, match="is empty"):
        read(written(tmp_path, content))


def test_the_frame_is_lazy_and_reads_only_when_asked(tmp_path: Path) -> None:
    """Columns, filters and heads are pushed into the reading; asked twice it reads twice and says the same."""
    log = read(written(tmp_path, "a,b\n" + "".join(f"{row},x\n" for row in range(1000))))
    assert log.frame.select("b").head(3).collect()["b"].to_list() == ["x"] * 3
    picked = log.frame.filter(pl.col("a") == "500").select("a", structure.LINE)
    assert picked.collect(engine="streaming").rows() == [("500", 502)]
    assert picked.collect().rows() == [("500", 502)]


def test_the_fingerprint_tells_equal_records(tmp_path: Path) -> None:
    """Equal cells, equal prints, in any batch and any file; nothing else is in it."""
    log = read(written(tmp_path, "a,b\n1,x\n1,y\n1,x\n"))
    prints = log.frame.select(room.PRINT).collect()[room.PRINT].to_list()
    assert prints[0] == prints[2] != prints[1]


def test_an_error_while_reading_comes_out(tmp_path: Path) -> None:
    """A file that breaks its encoding beyond the sample fails with its line, also from the reading thread."""
    path = written(tmp_path, b"a,b\n" + b"1,x\n" * 1_200_000 + b"1,\xff\n")
    log = read(path)
    with pytest.raises(DataError, match="line 1200002"):
        log.frame.select(pl.len()).collect(engine="streaming")


def test_a_long_file_is_sampled_at_start_middle_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample is small and reaches the last rows."""
    monkeypatch.setattr("clm.ingest.part.HEAD", 1000)
    monkeypatch.setattr("clm.ingest.sample.HEAD", 1000)
    monkeypatch.setattr("clm.ingest.sample._PIECE", 500)
    log = read(written(tmp_path, "a,b\n" + "".join(f"{row},x\n" for row in range(10_000))))
    assert not log.whole
    seen = log.sample["a"].cast(pl.Int64)
    assert seen.min() == 0
    assert seen.max() == 9999
    assert log.sample.height < 1000
    assert seen.is_between(4000, 6000).any()
