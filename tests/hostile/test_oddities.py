"""Awkward and broken files through the whole of `clm clean`: exact accounting or a message, quickly and in little memory.

462 files: damaged copies, open-data exports, the test files of three CSV readers. Nearly none is an order log: for most the right
answer is 65 and the sentence which column is missing. By default every fifth file; all of them with CLM_TEST_ALL=1.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from clm import ingest
from clm.cli import main
from clm.errors import ClmError
from clm.ingest import encoding, lines, sources, structure
from clm.settings import CleanSettings
from tests import alone

STEP = 1 if os.environ.get("CLM_TEST_ALL") else 5
ANSWERS = {0, 65, 66, 2}
_SECONDS, _BYTES = 10, 2**30


def every_file(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "csv-oddities").rglob("*") if path.is_file())


def test_every_file_gets_an_answer(shared_data: Path, tmp_path: Path) -> None:
    """0 with rows that add up, or a message that says what and what to do; never a traceback, never ten seconds."""
    outcomes: Counter[str] = Counter()
    for path in every_file(shared_data)[::STEP]:
        out, err, began = io.StringIO(), io.StringIO(), time.perf_counter()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["clean", str(path), "-o", str(tmp_path / "clean.parquet"), "--json", "-q"])
        assert time.perf_counter() - began < _SECONDS, path
        assert code in ANSWERS, (path, code, err.getvalue())
        assert "Traceback" not in err.getvalue(), path
        if code == 0:
            rows = json.loads(out.getvalue())["rows"]
            assert rows["in"] == rows["out"] + sum(rows["rejected"].values()) + sum(rows["collapsed"].values()), path
        else:
            assert "to do: " in err.getvalue(), path
        outcomes[str(code)] += 1
    print(dict(outcomes))


def test_nine_in_ten_reach_the_column_roles(shared_data: Path) -> None:
    """Nearly every file can be cut into columns; what cannot is empty or its encoding cannot be told."""
    files = every_file(shared_data)[::STEP]
    reached, refused = 0, Counter[str]()
    for path in files:
        try:
            ingest.read_text([path], CleanSettings()).frame.select(structure.LINE).collect(engine="streaming")
        except ClmError as error:
            refused[str(error.code)] += 1
        else:
            reached += 1
    print(reached, dict(refused))
    assert reached >= 0.9 * len(files)


def test_every_character_belongs_to_a_line_that_is_told(shared_data: Path) -> None:
    """Lines above the first record, and then the text of every record, good or bad, are the whole file: nothing is lost."""
    checked = 0
    for path in every_file(shared_data)[::STEP]:
        try:
            log = ingest.read_text([path], CleanSettings(rejects_raw=True))
        except ClmError:
            continue
        part = log.parts[0]
        if part.dialect is None or part.encoding is None:
            continue
        text = b"".join(encoding.to_utf8(sources.blocks(part.source), part.encoding, path.name)).decode()
        frame = log.frame.select(structure.LINE, structure.RAW).collect(engine="streaming")
        physical = lines.physical(text.replace("\r", "\n") if part.dialect.carriage_returns else text)
        rest = "".join(physical[part.dialect.first_line - 1 :])
        assert plain("".join(frame[structure.RAW])) == plain(rest), path
        found = frame[structure.LINE]
        assert found.is_sorted(), path
        assert found.n_unique() == frame.height, path
        assert frame.height == 0 or part.dialect.first_line <= found[0] <= found[-1] <= len(physical), path
        checked += 1
    assert checked > 350 / STEP


def plain(text: str) -> str:
    return text.translate({10: None, 13: None})


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "duckdb/issue_8320_3.csv.gz",
        "duckdb/multiple_line_too_long.csv.gz",
        "data-table/issue_6729.txt.bz2",
        "duckdb/all_quotes.csv",
    ],
)
def test_the_heaviest_stay_small(name: str, shared_data: Path, tmp_path: Path) -> None:
    """In a process of its own, each ends with an answer within a gigabyte and ten seconds."""
    done = alone.clm("clean", str(shared_data / "csv-oddities" / name), "-o", str(tmp_path / "out.parquet"))
    assert done.work < _SECONDS
    assert done.code in ANSWERS, done.said
    assert "Traceback" not in done.said
    assert done.memory < _BYTES
