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
