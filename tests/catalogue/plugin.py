"""The catalogue as a part of pytest: it listens to every test, and closes the account after a run of all of them.

It may not hold an opinion of its own: what is wrong with a message `audit` knows, what is missing `account`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import util
from typing import Any

import pytest

from tests.catalogue import account, hearing, sites

_PROPERTY = "messages"
_HEARD = hearing.listen()
_ENDED = pytest.StashKey[bool]()
_RAISED: set[sites.Place] = set()  # where the reports come together: in the only process, or in that which leads the workers
# rooms that give files the oddest names, as tests marked `odd_names` do: how a sentence with one ends is not clm's doing
_ODD_NAMES = ("hostile", "fuzz", "faults")


@pytest.fixture(autouse=True)
def _messages(request: pytest.FixtureRequest, record_property: Any) -> Iterator[None]:
    """A test fails during which clm says what no message may say; where messages were made travels with its report."""
    yield
    places, faults = _HEARD.taken()
    if places:
        record_property(_PROPERTY, places)
    odd = request.path.parent.name in _ODD_NAMES or request.node.get_closest_marker("odd_names")
    assert not faults or odd, "\n".join(faults)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        _RAISED.update(tuple(place) for name, value in report.user_properties if name == _PROPERTY for place in value)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run of all tests fails when none of them raises some message; without what some of them need it only tells.

    After a failure there is no account: what a failing test did not come to would be missing from it.
    """
    if exitstatus != pytest.ExitCode.OK or not _whole(session.config):
        return
    session.config.stash[_ENDED] = True
    if _nothing_lacks() and account.wrong(sites.found(), _RAISED, account.OUT_OF_REACH):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash.get(_ENDED, False):
        terminalreporter.section("the catalogue of errors")
        for line in account.lines(sites.found(), _RAISED, account.OUT_OF_REACH):
            terminalreporter.write_line(line)


def _whole(config: pytest.Config) -> bool:
    """Whether all tests were asked for, and this process is told of all of them."""
    chosen = ("keyword", "markexpr", "deselect", "lf", "maxfail", "collectonly")
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not hasattr(config, "workerinput")
        and not any(getattr(config.option, name, None) for name in chosen)
    )


def _nothing_lacks() -> bool:
    """Whether the real logs and the second engine are here: tests that want them are skipped else, and raise nothing."""
    from tests.conftest import data_folder

    return data_folder().is_dir() and all(util.find_spec(name) for name in ("pysail", "pyspark"))
