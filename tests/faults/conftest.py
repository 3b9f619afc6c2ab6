"""The world to break, once a session, and a TMPDIR that shows what a command leaves there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.faults import world


@pytest.fixture(scope="session")
def shops(tmp_path_factory: pytest.TempPathFactory) -> world.World:
    """Inputs and outputs of every command."""
    return world.build(tmp_path_factory.mktemp("world"))


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TMPDIR of our own."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
