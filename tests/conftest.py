"""Fixtures every test room may use: where the real logs are, and a small clean log of our own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the supplied real logs: CLM_TEST_DATA, by default ../shared/data beside the project."""
    folder = Path(os.environ.get("CLM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the supplied data sets are not here: set CLM_TEST_DATA to their folder")
    return folder
