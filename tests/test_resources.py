"""Memory: what is handed to Polars, and what is said when a limit cannot be kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clm import resources
from clm.cli import main


def test_polars_gets_what_clm_itself_leaves_of_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The interpreter, the libraries and the batches under way come first; something is always left."""
    handed = []
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for threads, limit in ((2, 10 * 2**30), (8, 10 * 2**30), (2, 2**29), (2, 1)):
        resources.apply(threads, limit, tmp_path)
        handed.append(int(os.environ["POLARS_OOC_MEMORY_BUDGET_MB"]) * 2**20)
    assert handed[:2] == [10 * 2**30 - resources.own(2), 10 * 2**30 - resources.own(8)]
    assert handed[2] == handed[3] > 0


def test_a_limit_nobody_could_keep_is_said_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    """With the number that can be kept; a limit that can be kept needs no word, nor does a command that reads no data."""
    assert main(["clean", "no such file", "--memory-limit", "100MB"]) == 66
    assert "--memory-limit is 100 MB, but clm may take" in capsys.readouterr().err.splitlines()[0]
    assert main(["clean", "no such file", "--memory-limit", "2GB", "--threads", "2"]) == 66
    assert main(["tables"]) == 0
    assert "--memory-limit" not in capsys.readouterr().err


def test_a_table_too_large_for_the_limit_is_said_before_its_stage_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the number of customers in the file, for one command and for the stages of a run; a table that fits needs no word."""
    log = Path(__file__).parent.parent / "data" / "orders.csv"
    assert main(["run", str(log), "-o", str(tmp_path / "out"), "--memory-limit", "2GB", "-q"]) == 0
    assert "--memory-limit" not in capsys.readouterr().err
    monkeypatch.setattr(resources, "_PER_CUSTOMER", dict.fromkeys(("segment", "churn"), 40 * 2**20))
    assert (
        main(["segment", str(tmp_path / "out" / "rfm.parquet"), "-o", str(tmp_path / "s.parquet"), "--memory-limit", "2GB"]) == 0
    )
    told = capsys.readouterr().err.splitlines()[0]
    assert told.endswith(
        "--memory-limit is 2,048 MB, but segment holds all its customers in memory and may take 2,610 MB for 59 of them."
    )
    assert main(["run", str(log), "-o", str(tmp_path / "out"), "--memory-limit", "2GB", "--from", "churn"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "--memory-limit" in line]
    assert len(said) == 1
    assert "but churn holds" in said[0]
