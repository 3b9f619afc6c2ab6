"""Fixtures every test room may use: where the real logs are; and the limits the shell sets for itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from clm import resources

ROOT = Path(__file__).resolve().parent.parent

# a slow machine is no failure, and the same examples every time: what fails here fails there
settings.register_profile("clm", deadline=None, derandomize=True)
settings.load_profile("clm")

# before anything imports numpy: fits run on one thread, as in every command
os.environ.update(resources.ONE_THREAD)


def data_folder() -> Path:
    """Where the supplied real logs are, if they are: CLM_TEST_DATA, by default ../shared/data beside the project."""
    return Path(os.environ.get("CLM_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the supplied real logs."""
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip("the supplied data sets are not here: set CLM_TEST_DATA to their folder")
    return folder
