"""Publishing: the old file or the complete new one, whatever happens; and nothing left beside it."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.errors import DataError, LockedError, OutputError, StorageError
from clm.storage import locks, publish, temporary
from clm.storage.facts import Facts
from clm.tables import TRANSACTIONS
from tests.logs import transactions

LOG = transactions(("A", "1", "2024-01-01", "1.5"), ("B", "2", "2024-01-02", "2"))
FACTS = Facts(table="TRANSACTIONS", table_version=1, stage="clean", settings={}, rows={"in": 2, "out": 2})


def write(path: Path) -> int:
    return publish.write_table(LOG, TRANSACTIONS, FACTS, path)


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_published_table_reads_back_whole(tmp_path: Path) -> None:
    """Rows, hash and content are what was written, and nothing else lies in the folder."""
    output = publish.publish(tmp_path / "clean.parquet", write)
    assert output.rows == 2
    assert pl.read_parquet(tmp_path / "clean.parquet").equals(LOG)
    assert listing(tmp_path) == ["clean.parquet"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"customer_id": pl.when(pl.col("order_id") != "2").then("customer_id")}, r"customer_id holds nulls \(1 rows\)"),
        ({"kind": pl.lit("gift")}, r"kind holds something else than sale, return \(2 rows\)"),
        ({"source_line": pl.lit(0, pl.Int64)}, r"source_line goes below 1 \(2 rows\)"),
        ({"weight": pl.lit(float("nan"))}, r"weight holds NaN"),
    ],
)
def test_what_breaks_the_contract_is_not_published(changed: dict[str, pl.Expr], says: str, tmp_path: Path) -> None:
    """Statistics may prove a file right, never hide what is wrong in it."""
    broken = LOG.lazy().with_columns(**changed)
    with pytest.raises(DataError, match=says):
        publish.publish(tmp_path / "clean.parquet", lambda path: publish.write_table(broken, TRANSACTIONS, FACTS, path))
    assert listing(tmp_path) == []


@pytest.mark.parametrize(("rows", "money"), [(3, "3.5000"), (2, "3.5001"), (2, "-3.5000")])
def test_a_file_that_does_not_hold_what_was_counted_is_not_published(rows: int, money: str, tmp_path: Path) -> None:
    """The books are closed before the file is written: a lost row or cent is clm's own fault, and stops it."""
    counted = replace(FACTS, rows={"out": rows}, amount={"out": money})
    with pytest.raises(AssertionError, match="were counted"):
        publish.publish(tmp_path / "clean.parquet", lambda path: publish.write_table(LOG, TRANSACTIONS, counted, path))
    assert listing(tmp_path) == []
    right = replace(FACTS, rows={"out": 2}, amount={"out": "3.5000"})
    assert publish.write_table(LOG, TRANSACTIONS, right, tmp_path / "clean.parquet") == 2


def test_the_same_table_is_the_same_bytes(tmp_path: Path) -> None:
    """Two publications have one hash, lazily or eagerly written."""
    first = publish.publish(tmp_path / "a.parquet", write)
    second = publish.publish(tmp_path / "b.parquet", lambda path: publish.write_table(LOG.lazy(), TRANSACTIONS, FACTS, path))
    assert first.sha256 == second.sha256


def test_a_new_file_follows_the_umask_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    """Not 0600 as mkstemp makes it; and a permission somebody gave stays given."""
    target = tmp_path / "clean.parquet"
    for umask, mode in ((0o027, 0o640), (0, 0o666)):
        target.unlink(missing_ok=True)
        before = os.umask(umask)
        try:
            publish.publish(target, write)
        finally:
            os.umask(before)
        assert stat.S_IMODE(target.stat().st_mode) == mode
    target.chmod(0o604)
    publish.publish(target, write)
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


def test_a_link_is_followed(tmp_path: Path) -> None:
    """Publishing to a symbolic link replaces what it points to, not the link."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "clean.parquet"
    link.symlink_to(tmp_path / "real" / "clean.parquet")
    publish.publish(link, write)
    assert link.is_symlink()
    assert (tmp_path / "real" / "clean.parquet").is_file()


def test_bytes_are_on_the_disk_before_they_get_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode, fsync of the file, rename, fsync of the folder, in this order: a power cut finds the old file or the new one."""
    target = tmp_path / "clean.parquet"
    target.write_bytes(b"the old file")
    done: list[str] = []
    real_sync, real_replace, real_chmod = os.fsync, os.replace, os.chmod

    def sync(handle: int) -> None:
        done.append("fsync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "fsync file")
        real_sync(handle)

    def replace_(*given: Any, **named: Any) -> None:
        done.append("rename")
        real_replace(*given, **named)

    def chmod(*given: Any, **named: Any) -> None:
        done.append("mode")
        real_chmod(*given, **named)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace_)
    monkeypatch.setattr(os, "chmod", chmod)
    publish.publish(target, write)
    assert done == ["mode", "fsync file", "rename", "fsync folder"]


def test_a_folder_where_nothing_can_be_made_is_no_endless_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some folders are there and say of every new name that there is no such file."""

    def refused(*_: Any, **__: Any) -> int:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(OutputError, match="no such file"):
        publish.publish(tmp_path / "clean.parquet", write)


def test_waiting_for_a_lock_ends_when_it_is_free(tmp_path: Path) -> None:
    """--wait takes the lock as soon as the other run lets go, and gives up only after its seconds."""
    held = locks.folder_lock(tmp_path)
    held.__enter__()
    timer = threading.Timer(0.3, lambda: held.__exit__(None, None, None))
    timer.start()
    started = time.monotonic()
    with locks.folder_lock(tmp_path, wait_seconds=30):
        assert 0.2 < time.monotonic() - started < 20
    timer.join()
    started = time.monotonic()
    with locks.folder_lock(tmp_path), pytest.raises(LockedError), locks.folder_lock(tmp_path, wait_seconds=1):
        pass
    assert time.monotonic() - started >= 1


CALLS = ("open", "fsync", "replace", "flock", "chmod")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int, int], None]]:
    """Make the n-th call of one of storage's own system calls fail."""

    def arrange(call: str, nth: int, number: int) -> None:
        owner = {"flock": fcntl, "replace": Path, "chmod": Path}.get(call, os)
        real = getattr(owner, call)
        calls = iter(range(1, 1000))

        def broken(*given: object, **named: object) -> object:
            if next(calls) == nth:
                raise OSError(number, os.strerror(number))
            return real(*given, **named)

        monkeypatch.setattr(owner, call, broken)

    yield arrange
    monkeypatch.undo()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("number", ERRORS, ids=["full", "device", "denied"])
def test_every_failing_call_leaves_the_old_file_whole(
    tmp_path: Path, failing: Callable[[str, int, int], None], monkeypatch: pytest.MonkeyPatch, call: str, nth: int, number: int
) -> None:
    """The n-th open, fsync, rename … fails: the answer is 73 or 74, or the new file is there; never half of it, never litter."""
    target = tmp_path / "clean.parquet"
    target.write_bytes(b"the old file")
    failing(call, nth, number)
    refused = False
    try:
        publish.publish(target, write)
    except (OutputError, StorageError):
        refused = True
    monkeypatch.undo()
    # a folder that cannot be synced is reported although the rename has happened: either file is whole
    kept = target.read_bytes() == b"the old file"
    assert (kept and refused) or pl.read_parquet(target).equals(LOG)
    temporary.sweep(tmp_path)
    assert listing(tmp_path) == ["clean.parquet"]


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """A bug inside a stage shows itself and changes nothing on disk."""
    target = tmp_path / "clean.parquet"
    target.write_bytes(b"the old file")

    def broken(path: Path) -> int:
        path.write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish.publish(target, broken)
    assert target.read_bytes() == b"the old file"
    assert listing(tmp_path) == ["clean.parquet"]


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    """-o folder is 73 with the remedy."""
    with pytest.raises(OutputError, match="folder"):
        publish.publish(tmp_path, write)


def test_a_missing_folder_is_no_target(tmp_path: Path) -> None:
    """-o nowhere/x.parquet is 73."""
    with pytest.raises(OutputError, match="cannot create"):
        publish.publish(tmp_path / "nowhere" / "x.parquet", write)


def test_a_full_device_is_an_io_error() -> None:
    """/dev/full is written to in place, since nothing can be renamed onto it, and says 74."""
    with pytest.raises(StorageError, match="no space left"):
        publish.publish(Path("/dev/full"), write)


def test_a_stream_gets_finished_bytes(tmp_path: Path) -> None:
    """What goes to stdout is the file another command would have written."""
    stream = BytesIO()
    output = publish.to_stream(stream, write, tmp_path)
    target = publish.publish(tmp_path / "clean.parquet", write)
    assert output.sha256 == target.sha256
    assert stream.getvalue() == (tmp_path / "clean.parquet").read_bytes()


def test_orphans_are_swept_and_the_living_are_not(tmp_path: Path) -> None:
    """A temporary nobody holds goes; one that is held, or a file of somebody else's name, stays."""
    (tmp_path / f".dead.1{temporary.SUFFIX}").write_bytes(b"")
    (tmp_path / f".dead.2{temporary.SUFFIX}").mkdir()
    (tmp_path / ".keep.tmp").write_bytes(b"")
    with temporary.beside(tmp_path / "x.parquet") as held:
        assert temporary.sweep(tmp_path) == 0
        assert listing(tmp_path) == sorted([".keep.tmp", held.name])
    assert listing(tmp_path) == [".keep.tmp"]


def test_what_is_set_aside_for_a_command_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of spools and spills holds order lines: nobody else may look into it, and it goes with the command."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = os.umask(0)
    try:
        with temporary.scratch() as folder:
            (folder / "spool").write_bytes(b"x")
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert listing(tmp_path) == []


def test_what_a_sweeper_took_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its creation and its lock a temporary looks like an orphan: the next one is taken, and only that one is used."""
    real, taken = fcntl.flock, []

    def swept_first(handle: int, how: int) -> None:
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", swept_first)
    with temporary.beside(tmp_path / "x.parquet") as path:
        assert path not in taken
        assert listing(tmp_path) == [path.name]
    assert listing(tmp_path) == []


def test_the_sweeper_tells_how_many_it_took(tmp_path: Path) -> None:
    """Orphans removed are counted one by one; what it could not remove is not."""
    for number in range(3):
        (tmp_path / f".{number}{temporary.SUFFIX}").write_bytes(b"")
    assert temporary.sweep(tmp_path) == 3
    assert temporary.sweep(tmp_path) == 0


def test_the_sweeper_touches_only_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name taken over between opening and locking stays, a link and its file too; a FIFO does not make it wait; it goes on."""
    reused, kept = tmp_path / f".a{temporary.SUFFIX}", tmp_path / "kept"
    reused.write_bytes(b"dead")
    kept.write_bytes(b"living")
    (tmp_path / f".b{temporary.SUFFIX}").symlink_to(kept)
    (tmp_path / f".c{temporary.SUFFIX}").symlink_to(tmp_path / "nothing")
    os.mkfifo(tmp_path / f".d{temporary.SUFFIX}")
    real, taken = fcntl.flock, []

    def reused_first(handle: int, how: int) -> None:
        if os.fstat(handle).st_ino == reused.stat().st_ino and not taken:
            taken.append(reused.rename(tmp_path / "old"))  # so that the new file has another number
            reused.write_bytes(b"another run's")
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", reused_first)
    assert temporary.sweep(tmp_path) == 1
    assert taken
    assert reused.read_bytes() == b"another run's"
    assert kept.read_bytes() == b"living"
    assert listing(tmp_path) == [reused.name, f".b{temporary.SUFFIX}", f".c{temporary.SUFFIX}", "kept", "old"]


@pytest.mark.parametrize(("folder", "error"), [("", PermissionError), ("nowhere", FileNotFoundError)])
def test_only_a_sweeper_is_a_reason_to_try_again(
    folder: str, error: type[OSError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that refuses, or is not there, is asked once."""
    tries = []

    def refused(path: Path, *_: Any) -> int:
        tries.append(path)
        raise error(errno.EACCES if error is PermissionError else errno.ENOENT, "no")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(error), temporary.beside(tmp_path / folder / "x.parquet"):
        pass
    assert len(tries) == 1


def test_a_folder_may_be_called_like_a_pattern(tmp_path: Path) -> None:
    """What was written is read again under its own name, whatever signs are in it."""
    for name in ("[a]", "b*", "{c}"):
        (tmp_path / name).mkdir()
        assert publish.publish(tmp_path / name / "clean.parquet", write).rows == 2
        assert publish.set_aside(LOG.lazy(), tmp_path / name / "spool", 0)[0].collect().equals(LOG)


def test_an_output_is_told_by_the_name_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the user wrote it, or as the caller wants it shown."""
    monkeypatch.chdir(tmp_path)
    assert publish.publish(Path("clean.parquet"), write).path == "clean.parquet"
    assert publish.publish(Path("clean.parquet"), write, shown="shop").path == "shop"
    assert publish.publish(Path("/dev/null"), write).path == "/dev/null"


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r", "'", "＝", "＋", "－", "＠"])
def test_every_sign_a_spreadsheet_runs_is_defused(mark: str, tmp_path: Path) -> None:
    """At the start of a cell and of a heading; inside it is text."""
    publish.write_csv(pl.DataFrame({f"{mark}a": [f"{mark}b", f"b{mark}"]}), tmp_path / "x.csv")
    cells = pl.read_csv(tmp_path / "x.csv", has_header=False).to_series().to_list()
    assert cells == [f"'{mark}a", f"'{mark}b", f"b{mark}"]


def test_a_csv_header_is_defused_too(tmp_path: Path) -> None:
    """A kept column may be called anything."""
    publish.write_csv(pl.DataFrame({"=evil()": [1], "fine": [2]}), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text("utf-8") == "'=evil(),fine\n1,2\n"


def test_csv_is_plain_and_defused(tmp_path: Path) -> None:
    """LF, ISO days, four decimals, empty nulls; text a spreadsheet would run starts with an apostrophe."""
    log = transactions(("=cmd()", "1", "2024-01-01T09:30", "1.5"), ("'quoted", "-2", "2024-01-02", None))
    publish.write_csv(log, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text("utf-8").splitlines()[1:] == [
        "'=cmd(),1,2024-01-01T09:30:00,1.5000,sale,,2",
        "''quoted,'-2,2024-01-02T00:00:00,,sale,,3",
    ]


@pytest.mark.parametrize("most", [0, 2**30])
def test_what_is_set_aside_reads_back_whole_held_or_spooled(most: int, tmp_path: Path) -> None:
    """Up to so many bytes in memory, beyond that in a file: the same rows in the same order, as often as wanted."""
    aside, size = publish.set_aside(LOG.lazy(), tmp_path / "spool", most)
    assert size == (LOG.estimated_size() if most else 0)
    assert aside.collect().equals(LOG)
    assert aside.collect().equals(LOG)
    assert (tmp_path / "spool").exists() is (most == 0)
    assert publish.set_aside(LOG.head(0).lazy(), tmp_path / "none", most)[0].collect().equals(LOG.head(0))


def test_a_footer_that_finds_no_room_is_74(tmp_path: Path) -> None:
    """Wherever a file may not grow any more, also where Polars forgets why its last bytes could not be written."""
    target, whole = tmp_path / "t.parquet", tmp_path / "whole.parquet"

    def sunk(path: Path) -> int:
        publish.sink(LOG, path)
        return LOG.height

    sunk(whole)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in range(1, whole.stat().st_size, 97):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, unlimited[1]))
        try:
            with pytest.raises(StorageError, match="file too large") as caught:
                publish.publish(target, sunk)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        assert caught.value.exit_code == 74
    assert listing(tmp_path) == ["whole.parquet"]
