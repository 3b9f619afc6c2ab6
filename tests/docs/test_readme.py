"""The README says what is true: its outputs are real, its tables are the code's."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm.settings import COMMANDS
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
