"""The catalogue as a part of pytest: it listens to every test, and closes the account after a run of all of them.

It may not hold an opinion of its own: what is wrong with a message `audit` knows, what is missing `account`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.catalogue import account, hearing, sites

_PROPERTY = "messages"
_HEARD = hearing.listen()
_RAISED: set[sites.Place] = set()  # where the reports come together: in the only process, or in that which leads the workers
_FAULTS: dict[str, None] = {}


@pytest.fixture(autouse=True)
def _messages(record_property: Any) -> Iterator[None]:
    """Where messages were made, and what is wrong with them, travels with the test's report."""
    yield
    if any(said := _HEARD.taken()):
        record_property(_PROPERTY, said)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        for places, faults in (value for name, value in report.user_properties if name == _PROPERTY):
            _RAISED.update(map(tuple, places))
            _FAULTS.update(dict.fromkeys(faults))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _whole(config):
        terminalreporter.section("the catalogue of errors")
        for line in [*account.lines(sites.found(), _RAISED, account.OUT_OF_REACH), *_FAULTS]:
            terminalreporter.write_line(line)


def _whole(config: pytest.Config) -> bool:
    """Whether all tests were asked for, and this process is told of all of them."""
    chosen = ("keyword", "markexpr", "deselect", "lf", "maxfail", "collectonly")
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not hasattr(config, "workerinput")
        and not any(getattr(config.option, name, None) for name in chosen)
    )
