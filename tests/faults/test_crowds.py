"""Crowded: two runs at once, readers while a file is published, and inputs that change, grow or vanish while they are read."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from clm.errors import Exit
from clm.storage import facts, files
from clm.storage.aside import Aside
from tests import battery
from tests.faults import processes
from tests.faults.world import World, content, litter

_TIMES = battery.many(200, of_them=15)


@contextmanager
def meanwhile(step: Callable[[int], None]) -> Iterator[None]:
    """Something done over and over beside the block."""
    ended = threading.Event()

    def over_and_over() -> None:
        number = 0
        while not ended.is_set():
            step(number)
            number += 1
            ended.wait(0.001)

    thread = threading.Thread(target=over_and_over)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_of_two_runs_one_waits_or_is_turned_away(shops: World, tmp_path: Path, count: battery.Count) -> None:
    """The second says 75, or with --wait makes nothing anew; the folder is as one run leaves it."""
    out = tmp_path / "out"
    ends: Counter[int] = Counter()
    pairs = battery.many(20, of_them=1)
    for number in range(pairs):
        shops.lay("run", out)
        more = ["--wait", "90"] if number % 2 else []
        both = [processes.start([*shops.argv("run", out), *more]) for _ in range(2)]
        for process in both:
            process.communicate(timeout=100)
        codes = sorted(process.returncode for process in both)
        ends.update(codes)
        assert codes in ([0, 0], [0] if more else [0, int(Exit.LOCKED)]), codes
        assert content(out) == shops.outputs("run", "new")
        assert litter(out) == []
    count("two runs at once", pairs=pairs, turned_away=ends[Exit.LOCKED])


def test_a_reader_always_sees_a_whole_file(shops: World, tmp_path: Path, count: battery.Count) -> None:
    """While a table and a page are published again and again, every look at them is at the old or at the new ones."""
    seen = wrong = 0
    shops.outputs("clean", "new")

    def look(_: int) -> None:
        nonlocal seen, wrong
        seen += 1
        wrong += len(shops.torn("clean", tmp_path / "out"))

    shops.lay("clean", tmp_path / "out")
    with meanwhile(look):
        for number in range(_TIMES):
            assert main([*shops.argv("clean", tmp_path / "out", ("new", "old")[number % 2]), "-q"]) == 0
    count("readers during publishing", publications=_TIMES, looks=seen, wrong=wrong)
    assert seen > _TIMES
    assert wrong == 0


def test_an_input_that_is_replaced_meanwhile_is_never_half_of_each(shops: World, tmp_path: Path, count: battery.Count) -> None:
    """A chain reading a folder another run writes to: the answer of the old table, that of the new one, or 65."""
    given, out = tmp_path / "rfm.parquet", tmp_path / "a.csv"
    shutil.copy(shops.inputs("old") / "rfm.parquet", given)

    def replace(number: int) -> None:
        shutil.copy(shops.inputs(("new", "old")[number % 2]) / "rfm.parquet", tmp_path / "next")
        (tmp_path / "next").replace(given)

    allowed = [shops.outputs("segment", age)["a.csv"] for age in ("old", "new")]
    ends: Counter[int] = Counter()
    with meanwhile(replace):
        for _ in range(_TIMES):
            out.unlink(missing_ok=True)
            code = main(["segment", str(given), "-o", str(out), "-q"])
            ends[code] += 1
            assert out.read_bytes() in allowed if code == 0 else (code == Exit.DATA and not out.exists())
    count("inputs replaced while read", commands=_TIMES, refused=ends[Exit.DATA], mixed=0)


def test_a_table_replaced_between_its_footer_and_its_data_is_refused(
    shops: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The facts are then of another file: 65, and nothing is written."""
    given = tmp_path / "rfm.parquet"
    shutil.copy(shops.inputs("old") / "rfm.parquet", given)
    real = files.sha256_of

    def replacing(path: Path) -> str:
        found = real(path)
        if path == given:
            shutil.copy(shops.inputs("new") / "rfm.parquet", tmp_path / "next")
            (tmp_path / "next").replace(given)
        return found

    monkeypatch.setattr(files, "sha256_of", replacing)
    assert main(["segment", str(given), "-o", str(tmp_path / "a.parquet"), "-q"]) == Exit.DATA
    assert "replaced while it was read" in capsys.readouterr().err
    assert not (tmp_path / "a.parquet").exists()


def _append(path: Path) -> None:
    with path.open("a") as log:
        log.write("O-new,C001,2024-03-01 00:00:00,5.00\n")


def _spoil_in_place(path: Path) -> None:
    text = path.read_text("utf-8")
    path.write_text(text.replace("C001", "C002"), "utf-8")
    os.utime(path, ns=(1, 1))


def _cut(path: Path) -> None:
    with path.open("r+") as log:
        log.truncate(200)


@pytest.mark.parametrize(
    ("change", "code"),
    [(_append, 65), (_spoil_in_place, 65), (_cut, 65), (Path.unlink, 66)],
    ids=["grows", "changes", "shrinks", "vanishes"],
)
def test_a_log_that_changes_while_it_is_read_is_refused(
    shops: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], None],
    code: int,
) -> None:
    """Whatever was read, the footer's hash would be of something else: an answer, no output."""
    log = tmp_path / "orders.csv"
    shutil.copy(shops.inputs("new") / "orders.csv", log)
    real = Aside.__call__
    done = []

    def changing(self: Aside, frame: pl.LazyFrame) -> pl.LazyFrame:
        held = real(self, frame)
        if not done:
            change(log)
            done.append(True)
        return held

    monkeypatch.setattr(Aside, "__call__", changing)
    assert main(["clean", str(log), "-o", str(tmp_path / "a.parquet"), "-q"]) == code
    assert "to do:" in capsys.readouterr().err
    assert not (tmp_path / "a.parquet").exists()


def test_a_log_somebody_is_writing_is_refused_or_counted_as_hashed(shops: World, tmp_path: Path, count: battery.Count) -> None:
    """Appended to without pause: exit 65, or a table whose rows are those of the very bytes its footer names."""
    log, out = tmp_path / "orders.csv", tmp_path / "a.parquet"
    shutil.copy(shops.inputs("new") / "orders.csv", log)
    ends: Counter[int] = Counter()
    with meanwhile(lambda number: _append(log) if number % 20 == 0 else None):
        for _ in range(_TIMES):
            out.unlink(missing_ok=True)
            code = main(["clean", str(log), "-o", str(out), "-q"])
            ends[code] += 1
            assert code in (0, Exit.DATA)
            if code == 0:
                told = facts.parse(pl.read_parquet_metadata(out)[facts.KEY], "a")
                read = log.read_bytes()[: told.ancestors[0]["bytes"]]
                assert hashlib.sha256(read).hexdigest() == told.ancestors[0]["sha256"]
                assert told.rows["in"] == read.count(b"\n") - 1
    count("logs appended to while read", commands=_TIMES, refused=ends[Exit.DATA], wrong=0)
