"""The catalogue itself: no message escapes it, and it sees what is wrong with one."""

from __future__ import annotations

import pytest

from clm import config
from clm.errors import ClmError, ConfigError, DataError, UsageError
from clm.expressions.tree import ExpressionError
from clm.schemes import rulebook
from tests.catalogue import account, audit, hearing, sites


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> hearing.Heard:
    """An ear of this test's own, beside that of the run."""
    for family in (ClmError, ExpressionError):
        monkeypatch.setattr(family, "__init__", family.__init__)
    return hearing.listen()


def keys(heard: hearing.Heard) -> list[str]:
    return [sites.found()[place].key for place in heard.taken()[0] if place in sites.found()]


def test_a_message_is_made_where_it_is_raised() -> None:
    """No error is made before it is known whether it is needed: what was made was raised."""
    assert not [str(site) for site in sites.found().values() if not site.said]


def test_every_class_of_the_family_is_known() -> None:
    """The classes found in the syntax are those there are."""
    family, classes = {"ClmError"}, [ClmError]
    while classes:
        classes = [one for parent in classes for one in parent.__subclasses__() if one.__module__.startswith("clm.")]
        family |= {one.__name__ for one in classes}
    assert family <= sites.error_names()


def test_who_asks_for_a_message_is_heard_too(heard: hearing.Heard) -> None:
    """A function that makes messages for others is one place, each of its callers another; the words tell them apart."""
    for given in (None, "A B"):
        with pytest.raises(ConfigError):
            rulebook.code(given, "scheme", "mine.toml")
    assert keys(heard) == [
        "clm/schemes/rulebook.py wrong: the … … …",
        "clm/schemes/rulebook.py code: lacks a code",
        "clm/schemes/rulebook.py code: has the unusable code …",
    ]


def test_a_text_is_heard_in_the_message_that_quotes_it(heard: hearing.Heard) -> None:
    """Why a value is refused is a message too, made where the value is read."""
    with pytest.raises(UsageError):
        config.Sources({}, {}).resolve("clv", {"horizon": "soon"})
    assert any(key.startswith("clm/values.py horizon: wants a stretch of time") for key in keys(heard))


def test_what_a_test_makes_itself_is_not_heard(heard: hearing.Heard) -> None:
    """Only clm's own source speaks."""
    DataError("there is no such thing")
    assert heard.taken() == ([], [])


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (DataError("the log is empty"), "no remedy"),
        (ClmError("the log is empty", fix="give another"), "exit code"),
        (DataError("the log is empty", fix="give another", code="no log"), "no word for scripts"),
        (DataError("the log is empty: ", fix="give another"), "ends badly"),
        (DataError("the log is empty..", fix="give another"), "ends badly"),
        (DataError("no column " + "x" * audit.LONGEST, fix="give another"), "characters"),
        (DataError("ComputeError in a column", fix="give another"), "speaks Python: ComputeError"),
        (DataError("the log is of None", fix="give another"), "speaks Python: None"),
        (DataError("no orders of C007", fix="give another"), "a personal value: C007"),
        (DataError("no orders", where="row of Quillfeather-Ambrose 3", fix="give another"), "where tells a personal value"),
        (DataError("no orders", fix="take out O007-1"), "a personal value: O007-1"),
    ],
)
def test_what_is_wrong_with_a_message_is_seen(error: ClmError, fault: str) -> None:
    """A remedy, an exit code of an answer, a word for scripts, a sentence; no Python, nobody's value."""
    (found,) = audit.faults(error)
    assert fault in found


def test_a_good_message_has_no_fault() -> None:
    """What is asked of a message can be done."""
    error = DataError(
        "there is no such customer in the table", where="a.parquet", fix="ids are text: zeros count", code="customer"
    )
    assert not list(audit.faults(error))


def test_the_account_adds_up() -> None:
    """Who was not raised is told; so is a reason for what is gone, or was raised after all."""
    there = {("a.py", 1, 9): sites.Site("a", 1), ("b.py", 1, 9): sites.Site("b", 1), ("c.py", 2, 9): sites.Site("c", 2)}
    raised = {("a.py", 1, 9), ("elsewhere.py", 3, 3)}
    assert account.wrong(there, raised, {"c": "why"}) == ["no test raises b (line 1)"]
    assert account.lines(there, raised, {"c": "why"})[0] == "3 messages = 1 raised by tests + 1 out of reach + 1 nobody raises"
    assert len(account.wrong(there, raised, {"a": "why", "b": "why", "c": "why", "d": "why"})) == 2


def test_few_messages_are_out_of_reach() -> None:
    """The list of what no test can raise does not grow."""
    assert len(account.OUT_OF_REACH) <= 0
    assert set(account.OUT_OF_REACH) <= {site.key for site in sites.found().values()}
