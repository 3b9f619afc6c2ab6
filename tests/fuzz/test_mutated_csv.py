"""Damaged CSV files through the whole of clean: an answer or an exact account, never a traceback, never for long.

2,000 in the battery (`CLM_FUZZ=N` runs as many); else a slice of them, always the same.

A failure names the number that makes it again:
`python -m tests.fuzz.test_mutated_csv NUMBER` writes that file.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from clm.errors import ClmError
from tests.battery import Count, many
from tests.cleaning import Cleaned, clean_files
from tests.conftest import ROOT
from tests.fuzz import mutators
from tests.fuzz.seeds import seeds

MANY = int(os.environ.get("CLM_FUZZ", many(2000, 200)))
_TESTS = 20
_LONGEST = 10.0
_ALLOWED = (2, 65)
_NUMBER = re.compile(r"^-?\d{1,12}(?:\.\d{1,4})?$")


def made(number: int, sown: list[tuple[str, bytes]]) -> tuple[bytes, str]:
    """The damaged file of this number and what it is."""
    random = Random(f"clm:{number}")
    name, data = random.choice(sown)
    other = random.choice(sown)[1]
    damaged, how = mutators.damaged(data, other, random)
    return damaged, f"{number}: {name}, {how}"


def sown() -> list[tuple[str, bytes]]:
    folder = Path(os.environ.get("CLM_TEST_DATA", ROOT.parent / "shared" / "data"))
    return seeds(folder if folder.is_dir() else None)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("slice_", range(_TESTS))
def test_damaged_files_get_an_answer_or_an_exact_account(slice_: int, tmp_path: Path, count: Count) -> None:
    """Every one ends in 0 with rows and money that add up, or in a question or refusal in words."""
    all_seeds = sown()
    ends: Counter[str] = Counter()
    for number in range(slice_, MANY, _TESTS):
        data, what = made(number, all_seeds)
        ends[_run(data, what, tmp_path)] += 1
    count("damaged CSV", files=ends.total(), answered=ends["answered"], read_to_the_row=ends["read"])
    assert ends.total() == len(range(slice_, MANY, _TESTS))
    assert ends["read"]
    assert ends["answered"]


def _run(data: bytes, what: str, folder: Path) -> str:
    path = folder / "orders.csv"
    path.write_bytes(data)
    started = time.process_time()  # of this process alone, so that a busy machine is no failure
    try:
        done = clean_files([path], folder)
    except ClmError as error:
        _answer(error, what)
        return "answered"
    except BaseException as error:
        error.add_note(what)
        raise
    finally:
        assert time.process_time() - started < _LONGEST, what
    _account(done, what)
    if done.settled.refusal is not None:
        _answer(done.settled.refusal, what)
        return "answered"
    _independent(done, data, what)
    return "read"


def _answer(error: ClmError, what: str) -> None:
    """It says what and what to do, in few words."""
    assert error.exit_code in _ALLOWED, what
    assert error.what, what
    assert error.fix, what
    assert len(str(error)) < 6000, what


def _account(done: Cleaned, what: str) -> None:
    """Rows and money in = out + rejected + collapsed, as told and as found in the tables."""
    outcome = done.settled.outcome
    rows, money = outcome.rows, outcome.amount
    assert rows.rows_in == rows.rows_out + sum(rows.rejected.values()) + sum(rows.collapsed.values()), what
    assert rows.rows_out == done.rows.height, what
    assert Counter(done.rejects["reason"].to_list()) == rows.rejected, what
    lines = [*done.rows["source_line"].to_list(), *done.rejects["source_line"].to_list()]
    assert len(set(lines)) == len(lines), what
    if money is not None:
        gone = sum(money.rejected.values(), Decimal(0)) + sum(money.collapsed.values(), Decimal(0))
        assert money.amount_in == money.amount_out + gone, what
        assert money.amount_out == sum(done.rows["amount"].to_list(), Decimal(0)), what


def _independent(done: Cleaned, data: bytes, what: str) -> None:
    """While the file is still plain, a naive reader counts the same records and the same money."""
    cut = done.log.parts[0].dialect
    if cut is None or cut.header_line is None or re.search(rb'["\0]|\r(?!\n)', data):
        return
    try:
        lines = data.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return
    if lines[-1] == "":
        lines.pop()
    if len(cut.delimiter) != 1 or cut.header_line != 1 or cut.first_line != 2:
        return
    assert done.settled.outcome.rows.rows_in == len(lines) - 1, what
    amount = done.reading.column("amount")
    if amount is None or done.settled.outcome.amount is None or {"discount", "returned_amount"} & done.reading.roles.keys():
        return
    place = cut.columns.index(amount)
    total = Decimal(0)
    for line in lines[1:]:
        cells = line.split(cut.delimiter)
        if len(cells) != cut.width:
            continue  # a reject whose money cannot be read
        cell = cells[place].strip()
        if cell and not _NUMBER.match(cell):
            return
        total += Decimal(cell or 0)
    if not any(notice.code == "returns_unsigned" for notice in done.settled.outcome.warnings):
        assert done.settled.outcome.amount.amount_in == total, what


if __name__ == "__main__":
    content, about = made(int(sys.argv[1]), sown())
    Path("damaged.csv").write_bytes(content)
    print(about)
