"""The hazards of order exports: right, or a question whose flag makes it right; and the judge of that is judged first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ingest import hazards, peers, verdicts
from tests.ingest.hazard_log import LOG, Case, case, cells, text
from tests.ingest.verdicts import ALOUD, ASKED, RIGHT, SILENT, Verdict

CASES = hazards.cases()
# where the bytes do not say and no flag can: clm refuses, or a notice tells of it
UNANSWERABLE = {
    "d/m and m/d by turns",
    "d/m in one file, m/d in the other",
    "a few m/d among d/m",
    "a column type speaks of refunds",
    "test orders",
    "all ids destroyed by a spreadsheet",
}
_SHARE = 0.95


class Found(dict[str, Verdict]):
    """The verdict on each case by its name, worked out when it is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> Verdict:
        place, case = next((place, case) for place, case in enumerate(CASES) if case.name == name)
        self[name] = verdicts.examine(case, self.folder / str(place))
        return self[name]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return Found(tmp_path_factory.mktemp("hazards"))


def test_the_hazards_are_many_and_different() -> None:
    """At least 44 cases, no two with one name or with the same bytes."""
    assert len(CASES) >= 44
    assert len({case.name for case in CASES}) == len({case.files for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_nothing_is_silently_wrong(name: str, found: Found) -> None:
    """What comes out is the truth, or somebody is told that it is not."""
    assert found[name].kind != SILENT, found[name].why


@pytest.mark.timeout(600)
def test_nearly_all_are_right_or_asked(found: Found) -> None:
    """At least 38 of 40 are read right, or asked about with a flag that makes them right; the others are known by name."""
    ends = {case.name: found[case.name] for case in CASES}
    good = Counter(verdict.kind for verdict in ends.values())
    aloud = {name: verdict.why for name, verdict in ends.items() if verdict.kind == ALOUD}
    assert (good[RIGHT] + good[ASKED]) / len(ends) >= _SHARE, (good, aloud)
    assert aloud.keys() <= UNANSWERABLE, aloud


def test_plain_readers_are_silently_wrong_where_clm_is_not(found: Found, tmp_path: Path) -> None:
    """The mapping is fair: the others read the plain log; and each of them adds a totals row to the money unsaid."""
    plain, totals = tmp_path / "plain.csv", tmp_path / "totals.csv"
    hazard = next(one for one in CASES if one.name == "totals row 合计")
    plain.write_text(text(cells()), "utf-8")
    totals.write_bytes(hazard.files[0][1])
    for read in peers.READERS.values():
        assert peers.examine(Case("plain", ()), [plain], read) == peers.RIGHT
        assert peers.examine(hazard, [totals], read) == peers.SILENT
    assert found[hazard.name].kind == RIGHT


def test_the_table_counts_every_case_once_for_each_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block for the README has a row per reader whose numbers add up to the cases."""
    monkeypatch.setattr(hazards, "cases", lambda: CASES[:6])
    rows = peers.table().splitlines()
    assert [row.split("|")[1].strip() for row in rows] == ["6 hazards", "---", "clm", *peers.READERS]
    for row in rows[2:]:
        assert sum(int(cell) for cell in row.split("|")[2:-1] if cell.strip() != "–") == 6


def test_a_changed_value_is_silently_wrong() -> None:
    """One cent, one customer, one day or one kind off is no right reading, and no reject excuses it."""
    for other in (
        replace(LOG[3], amount=LOG[3].amount + Decimal("0.01")),
        replace(LOG[3], customer="0" + LOG[3].customer),
        replace(LOG[3], at=LOG[3].at.replace(hour=0)),
        replace(LOG[3], kind="return"),
    ):
        rows = [*LOG[:3], other, *LOG[4:]]
        assert verdicts.compare(rows, LOG, {"date": 5}, {}).kind == SILENT
        assert verdicts.compare(rows, LOG, {}, {}, told=True).kind == ALOUD


def test_a_missing_row_must_be_among_the_rejects() -> None:
    """Gone and told is wrong aloud, gone and not told is silent; a blank line among the rejects tells of nothing."""
    assert verdicts.compare(LOG[1:], LOG, {"date": 1}, {}).kind == ALOUD
    assert verdicts.compare(LOG[1:], LOG, {}, {}).kind == SILENT
    assert verdicts.compare(LOG[1:], LOG, {"blank_row": 1}, {}).kind == SILENT
    assert verdicts.compare(LOG[2:], LOG[1:], {"date": 1}, {"date": 1}).kind == SILENT
    assert verdicts.compare([*LOG, LOG[0]], LOG, {}, {}).kind == SILENT


def test_a_record_that_should_have_been_rejected_and_told_must_be() -> None:
    """The right rows without the rejects that explain them are silently wrong: a row went unsaid."""
    assert verdicts.compare(LOG[1:], LOG[1:], {"quote": 1}, {"quote": 1}).kind == RIGHT
    assert verdicts.compare(LOG[1:], LOG[1:], {"fields_many": 1}, {"quote": 1}).kind == RIGHT
    assert verdicts.compare(LOG[1:], LOG[1:], {}, {"quote": 1}).kind == SILENT


def test_a_question_counts_only_when_its_flag_makes_it_right(tmp_path: Path) -> None:
    """Dates that can be read two ways: the true order is asked, an answer that leads to other days is silently wrong."""
    hazard = next(one for one in CASES if one.name == "d/m or m/d")
    assert verdicts.examine(hazard, tmp_path / "right").kind == ASKED
    assert verdicts.examine(replace(hazard, answer={"date_format": "%m/%d/%Y"}), tmp_path / "wrong").kind == SILENT
    assert verdicts.examine(replace(hazard, answer={"tz": "UTC"}), tmp_path / "other").kind == ALOUD


def test_a_question_that_should_have_been_asked_is_missed(tmp_path: Path) -> None:
    """A log that reads without a question where only a question is right is silently wrong."""
    assert verdicts.examine(case("plain", text(cells()), truth=None), tmp_path).kind == SILENT
