"""The README says what is true: its outputs are real, its tables are the code's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clm.settings import COMMANDS
from tests.bench import measure
from tests.conftest import ROOT
from tests.docs import console, generate

TEXT = generate.README.read_text("utf-8")


def test_generated_blocks_are_fresh() -> None:
    """`make docs` would change nothing: options, tables, codes are the code's."""
    assert generate.renewed(TEXT) == TEXT
    assert all(f"<!-- generated: {name} -->" in TEXT for name in generate.BLOCKS)


@pytest.mark.slow
def test_every_console_block_prints_what_it_shows(tmp_path: Path) -> None:
    """The walk through, command by command, with the real output."""
    assert console.renewed(TEXT, console.Terminal(tmp_path)) == TEXT


def test_every_command_is_documented() -> None:
    """No command without a word in the README."""
    assert all(f"`{command}`" in TEXT or f"clm {command}" in TEXT for command in COMMANDS)


def test_the_changelog_and_licences_are_there() -> None:
    """What a package must carry."""
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "MIT License" in (ROOT / "LICENSE").read_text("utf-8")
    assert "MIT" in (ROOT / "data" / "README.md").read_text("utf-8")


def test_a_kept_benchmark_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer figures of a case and size stand in the place of the older ones, with where they were measured beneath."""
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results.json")
    monkeypatch.delenv("CLM_BENCH_KEEP", raising=False)
    measure.keep("rfm", "20 lines", {"clm": measure.Run(9.0, 9.0, 2**20)})
    monkeypatch.setenv("CLM_BENCH_KEEP", "1")
    for seconds in (9.0, 1.25):
        measure.keep(
            "rfm", "20 lines", {"clm": measure.Run(seconds, 2.0, 512 * 2**20), "Polars": {"seconds": 1.0}}, 1.25, "≤ 1.3"
        )
    measure.keep("rfm", "3 lines", {"clm": {"processor_seconds": 0.5, "spilled_mb": 1234.0}})
    lines = generate.benchmarks_block().splitlines()
    assert lines[2:4] == [
        "| rfm | 3 lines | 0.5 s of processors, 1,234 MB spilled |  |  |  | 1 |",
        "| rfm | 20 lines | 1.25 s, 2 s of processors, 512 MB | Polars 1 s | 1.25 | ≤ 1.3 | 1 |",
    ]
    assert lines[5].startswith("1. ")
    assert f"{os.cpu_count()} cores" in lines[5]
    assert len(lines) == 6
