"""What every test room may use: where the real logs are, what the battery counts; and the limits the shell sets for itself.

The catalogue of errors listens to every test.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from clm import resources
from tests import battery

pytest_plugins = ("tests.catalogue.plugin",)
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


@pytest.fixture
def count(record_property: Any) -> battery.Count:
    """Tell the battery's table what came of a test."""
    return battery.counter(record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The battery's table under the results."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    found = battery.gathered(entry for report in reports if report.when == "call" for entry in report.user_properties)
    if found:
        terminalreporter.section("the battery" if battery.WHOLE else "a slice of the battery")
        for line in battery.lines(found):
            terminalreporter.write_line(line)
