"""A log in slices: every line in one of them, customers whole and in order, and the same table however long a slice may be."""

from __future__ import annotations

import errno
import os
import tempfile
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clm import resources
from clm.cli import main
from clm.settings import RfmSettings
from clm.stages.rfm import rfm
from clm.storage import slices
from tests.stages.test_behaviour import generated

IDS = st.lists(st.none() | st.text("aZ0é家😀", max_size=3), max_size=40)


def by_lines(lines: int, customers: int) -> int:
    return lines


def cut(log: pl.LazyFrame, most: int) -> list[pl.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        found = [
            frame.collect()
            for frame in slices.of_customers(log, Path(folder) / "slices", most, by_lines)
            if isinstance(frame, pl.LazyFrame)
        ]
        assert not any(path.is_file() for path in Path(folder).rglob("*"))
        return found


@given(IDS, st.integers(1, 45))
def test_every_line_is_in_one_slice_and_customers_are_whole(ids: list[str | None], most: int) -> None:
    """Also of one customer, of none, without an id; the customers of a slice come after all of those before."""
    log = pl.LazyFrame({"customer_id": ids, "line": range(len(ids))}, schema={"customer_id": pl.String, "line": pl.Int64})
    parts = cut(log, most)
    assert sorted(pl.concat(parts)["line"]) == list(range(len(ids)))
    seen = [part["customer_id"].drop_nulls().sort() for part in parts if part["customer_id"].count()]
    assert all(before[-1] < after[0] for before, after in pairwise(seen))
    assert all(part["customer_id"].null_count() == 0 for part in parts[1:])


def test_a_slice_is_about_as_long_as_meant() -> None:
    """Of even customers; one with most of the lines has a slice of its own."""
    even = pl.LazyFrame({"customer_id": [f"{number % 1000:04}" for number in range(50_000)]})
    lengths = [part.height for part in cut(even, 10_000)]
    assert (len(lengths), max(lengths) < 11_000) == (5, True)
    heavy = pl.LazyFrame({"customer_id": ["m"] * 30_000 + [f"{number:05}" for number in range(10_000)]})
    parts = [part["customer_id"] for part in cut(heavy, 10_000)]
    assert [part.n_unique() for part in parts if "m" in part.to_list()] == [1]


@pytest.mark.parametrize("columns", ["core", "all"])
@pytest.mark.parametrize("most", [1, 7, 100, 299])
def test_the_table_is_the_same_however_long_a_slice_may_be(columns: str, most: int, tmp_path: Path) -> None:
    """Every column, score, cut and count, of an untidy log: the base's median gap is of all slices together."""
    log = generated(11, 300).with_columns(slice=pl.col("category")).lazy()
    settings = RfmSettings(columns=columns, as_of=date(2024, 12, 1), carry=("channel", "slice"), weights=(("r", 1.0), ("m", 2.0)))
    at_once = rfm(log, settings)
    sliced = rfm(log, settings, cut=partial(slices.of_customers, folder=tmp_path / "[odd] *?", room=most, need=by_lines))
    assert_frame_equal(sliced.frame.lazy().collect(), at_once.frame.lazy().collect())
    assert (sliced.metrics, sliced.learned, sliced.rows, sliced.amount) == (
        at_once.metrics,
        at_once.learned,
        at_once.rows,
        at_once.amount,
    )


@pytest.mark.parametrize("columns", ["core", "all"])
def test_a_file_longer_than_the_limit_gives_the_same_bytes(columns: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the memory limit decides is how the table is made, and not what is in it."""
    log = str(tmp_path / "clean.parquet")
    assert main(["clean", str(Path(__file__).parents[2] / "data" / "orders.csv"), "-o", log, "-q"]) == 0
    assert main(["rfm", log, "--columns", columns, "-o", str(tmp_path / "whole.parquet"), "-q"]) == 0
    monkeypatch.setattr(resources, "room", lambda *_: 5_000)
    assert main(["rfm", log, "--columns", columns, "-o", str(tmp_path / "sliced.parquet"), "-q"]) == 0
    assert (tmp_path / "sliced.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_customers_count_as_well_as_lines(tmp_path: Path) -> None:
    """A log of one line a customer takes more slices than one of many: what is joined by customer stays in memory."""
    once = pl.LazyFrame({"customer_id": [f"{number:05}" for number in range(10_000)]})
    often = pl.LazyFrame({"customer_id": [f"{number % 100:05}" for number in range(10_000)]})
    need = partial(resources.reducing, "core")
    lengths = [
        len(list(slices.of_customers(log, tmp_path / name, 1_300_000, need))) for name, log in (("once", once), ("often", often))
    ]
    assert lengths == [3, 1]


def test_a_disk_that_is_full_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slices take room in TMPDIR: 74 with what to do, and nothing is written."""
    log = str(tmp_path / "clean.parquet")
    assert main(["clean", str(Path(__file__).parents[2] / "data" / "orders.csv"), "-o", log, "-q"]) == 0
    monkeypatch.setattr(resources, "room", lambda *_: 5_000)
    real = pl.LazyFrame.sink_parquet

    def full(self: pl.LazyFrame, target: Any, **more: Any) -> Any:
        if isinstance(target, pl.PartitionBy):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, target, **more)

    monkeypatch.setattr(pl.LazyFrame, "sink_parquet", full)
    assert main(["rfm", log, "-o", str(tmp_path / "rfm.parquet")]) == 74
    assert "set TMPDIR to a folder that has it" in capsys.readouterr().err
    assert not (tmp_path / "rfm.parquet").exists()
