"""Odd places to write to and to read from, as a cron job meets them: each works as anybody would expect, or is answered."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clm.cli import main
from clm.errors import Exit
from tests.faults import processes
from tests.faults.world import World, content, litter


@pytest.fixture
def rfm(shops: World) -> Callable[[Path | str], int]:
    """`clm rfm` with its output at a place of the test's choice."""
    return lambda target: main(["rfm", str(shops.inputs("new") / "clean.parquet"), "-o", str(target), "-q"])


@pytest.fixture
def made(shops: World) -> bytes:
    """What it writes."""
    return shops.outputs("rfm", "new")["a.parquet"]


def test_a_link_to_nowhere_makes_what_it_points_to(rfm: Callable[[Path], int], made: bytes, tmp_path: Path) -> None:
    """A dangling link stays a link, and the file appears where it points; to a missing folder it is 73."""
    (tmp_path / "real").mkdir()
    link, lost = tmp_path / "a.parquet", tmp_path / "b.parquet"
    link.symlink_to(tmp_path / "real" / "a.parquet")
    lost.symlink_to(tmp_path / "nowhere" / "b.parquet")
    assert rfm(link) == 0
    assert link.is_symlink()
    assert (tmp_path / "real" / "a.parquet").read_bytes() == made
    assert rfm(lost) == Exit.CANNOT_CREATE
    assert litter(tmp_path) == []


def test_a_link_in_a_circle_is_73(rfm: Callable[[Path], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No endless loop and no traceback."""
    link = tmp_path / "a.parquet"
    link.symlink_to(link)
    assert rfm(link) == Exit.CANNOT_CREATE
    assert "to do:" in capsys.readouterr().err


def test_the_other_name_of_a_hard_link_keeps_the_old_file(rfm: Callable[[Path], int], made: bytes, tmp_path: Path) -> None:
    """A new file takes the name; whoever kept the old one under another name, as backups do, still has it whole."""
    (tmp_path / "a.parquet").write_bytes(b"old")
    os.link(tmp_path / "a.parquet", tmp_path / "backup")
    assert rfm(tmp_path / "a.parquet") == 0
    assert ((tmp_path / "a.parquet").read_bytes(), (tmp_path / "backup").read_bytes()) == (made, b"old")


def test_a_fifo_gets_the_finished_bytes(rfm: Callable[[Path], int], made: bytes, tmp_path: Path) -> None:
    """And stays a FIFO."""
    fifo = tmp_path / "a.parquet"
    os.mkfifo(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    assert rfm(fifo) == 0
    reader.join(timeout=30)
    assert read == [made]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_the_null_device_and_stdout_by_name(shops: World, rfm: Callable[[str], int], made: bytes) -> None:
    """/dev/null swallows it and stays what it is; /dev/stdout is a pipe like any other."""
    assert rfm("/dev/null") == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    argv = [sys.executable, "-m", "clm", "rfm", str(shops.inputs("new") / "clean.parquet"), "-o", "/dev/stdout", "-q"]
    done = subprocess.run(argv, capture_output=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, made), done.stderr


def test_an_input_by_another_path_is_still_the_input(shops: World, tmp_path: Path) -> None:
    """Through a link, a hard link or a detour: never written over by another table."""
    given = tmp_path / "clean.parquet"
    given.write_bytes((shops.inputs("new") / "clean.parquet").read_bytes())
    (tmp_path / "link.parquet").symlink_to(given)
    os.link(given, tmp_path / "hard.parquet")
    before = given.read_bytes()
    for other in ("link.parquet", "hard.parquet", f"../{tmp_path.name}/clean.parquet"):
        assert main(["rfm", str(given), "-o", str(tmp_path / other), "-q"]) == Exit.USAGE, other
    assert given.read_bytes() == before


def test_a_customer_table_may_be_enriched_in_place(shops: World, tmp_path: Path) -> None:
    """`clm segment x.parquet -o x.parquet`: the whole input is read before it is replaced."""
    table = tmp_path / "x.parquet"
    table.write_bytes((shops.inputs("new") / "rfm.parquet").read_bytes())
    assert main(["segment", str(table), "-o", str(table), "-q"]) == 0
    assert table.read_bytes() == (shops.inputs("new") / "segment.parquet").read_bytes()


@pytest.mark.parametrize("length", [255, 256])
def test_the_longest_name_there_can_be(rfm: Callable[[Path], int], made: bytes, tmp_path: Path, length: int) -> None:
    """255 bytes are a name, also for the temporary beside it; one more is 73."""
    target = tmp_path / ("x" * (length - len(".parquet")) + ".parquet")
    assert rfm(target) == (0 if length == 255 else Exit.CANNOT_CREATE)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([made] if length == 255 else [])
    assert main(["segment", str(target), "-q", "-o", str(tmp_path / "b.parquet")]) == (0 if length == 255 else Exit.NO_INPUT)


def test_a_name_that_is_no_utf_8(shops: World, rfm: Callable[[Path], int], made: bytes, tmp_path: Path) -> None:
    """As an output it is a name like any other; as an input it is 66 with the remedy, since Polars cannot open it."""
    target = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.parquet"))
    assert rfm(target) == 0
    assert target.read_bytes() == made
    assert main(["segment", str(target), "-q", "-o", str(tmp_path / "b.parquet")]) == Exit.NO_INPUT
    log = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv"))
    log.write_bytes((shops.inputs("new") / "orders.csv").read_bytes())
    assert main(["clean", str(log), "-q", "-o", str(tmp_path / "c.parquet")]) == 0


@pytest.mark.parametrize("name", [" ", "-x", "a b", "new\nline", "$(id)", "*", "é", "表", "\u202egpj"])
def test_a_strange_name_is_a_name(rfm: Callable[[Path], int], made: bytes, tmp_path: Path, name: str) -> None:
    """Nothing is expanded, run or cut."""
    assert rfm(tmp_path / f"{name}.parquet") == 0
    assert content(tmp_path) == {f"{name}.parquet": made}


@pytest.mark.parametrize("case", ["rfm", "run"])
def test_a_folder_nobody_may_write_to(shops: World, tmp_path: Path, request: pytest.FixtureRequest, case: str) -> None:
    """73 with the remedy, and what is there stays. Nothing stops root but a disk that is read-only."""
    root = os.geteuid() == 0
    disk = request.getfixturevalue("small_disk") if root else tmp_path
    out = disk / "out"
    shops.lay(case, out)
    if root:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    else:
        out.chmod(0o555)
    done = processes.ended(shops.argv(case, out))
    out.chmod(0o755) if not root else None
    assert done.code == Exit.CANNOT_CREATE, done.said
    assert ("read-only" if root else "permission denied") in done.said
    assert "to do:" in done.said
    assert content(out) == shops.outputs(case, "old")


def test_a_scratch_folder_that_is_not_there(shops: World, tmp_path: Path) -> None:
    """A TMPDIR that is gone is not used, as everywhere: the work is done."""
    done = processes.ended([*shops.argv("rfm", tmp_path), "-q"], TMPDIR=str(tmp_path / "gone"))
    assert (done.code, done.said) == (0, "")


def test_a_folder_that_is_gone_under_the_shell(shops: World, tmp_path: Path) -> None:
    """Started where the folder was removed meanwhile: absolute paths work."""
    gone, out = tmp_path / "gone", tmp_path / "out"
    gone.mkdir()
    out.mkdir()
    line = " ".join(f"'{part}'" for part in [sys.executable, "-m", "clm", *shops.argv("rfm", out), "-q"])
    done = subprocess.run(["sh", "-c", f"cd {gone} && rmdir {gone} && exec {line}"], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(out) == shops.outputs("rfm", "new")
