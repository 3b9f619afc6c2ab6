"""Starved: a full disk, a file that may not grow, memory that ends, no more descriptors. The old file survives them all."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clm.errors import Exit
from tests import battery
from tests.faults import processes
from tests.faults.world import CASES, World, content, litter

_MB = 2**20
# bytes a file may have: below the footer of the smallest output up to just below the largest
_SIZES = (0, 1, 512, 4096, 12_000, 20_000, 30_000, 80_000) if battery.WHOLE else (4096,)
# address space: from where Python itself does not start to where most commands succeed
_SPACES = [
    (resource.RLIMIT_AS, space * _MB) for space in ((60, 150, 300, 500, 800, 1200, 2000, 3000, 5000) if battery.WHOLE else (500,))
]
_DESCRIPTORS = [(resource.RLIMIT_NOFILE, most) for most in ((6, 8, 10, 12, 14, 16, 20, 24, 32, 48) if battery.WHOLE else (8,))]
_NAMES = {resource.RLIMIT_AS: "address-space limit", resource.RLIMIT_NOFILE: "descriptor limit"}


def _limited(kind: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(kind, (most, most))


def _judge(shops: World, case: str, out: Path, scratch: Path, done: processes.Ended, *, answered: bool) -> list[str]:
    """What is wrong with how a starved command ended, and with the next one that is not."""
    wrong = [f"torn: {name}" for name in shops.torn(case, out)]
    if done.code == 0 and content(out) != shops.outputs(case, "new"):
        wrong.append("exit 0, but not everything was written")
    if answered and done.code not in (0, Exit.CANNOT_CREATE, Exit.IO):
        wrong.append(f"exit {done.code}: {done.said[-2000:]}")
    if answered and done.code != 0 and ("to do:" not in done.said or "Traceback" in done.said):
        wrong.append(f"no answer: {done.said[-2000:]}")
    if answered:
        wrong += [f"left: {name}" for name in litter(out, scratch)]
    after = processes.ended(shops.argv(case, out))
    if after.code != 0 or content(out) != shops.outputs(case, "new"):
        wrong.append(f"the next run ends with {after.code}: {after.said}")
    return wrong + [f"left after the next run: {name}" for name in litter(out, scratch)]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("size", _SIZES)
@pytest.mark.parametrize("case", CASES if battery.WHOLE else ["clean"])
def test_a_file_that_may_not_grow(
    shops: World, tmp_path: Path, scratch: Path, count: battery.Count, case: str, size: int
) -> None:
    """RLIMIT_FSIZE reaches the writes of Polars, pyarrow and the workbook too: 74, or done where everything is smaller."""
    out = tmp_path / "out"
    shops.lay(case, out)
    done = processes.ended(shops.argv(case, out), _limited(resource.RLIMIT_FSIZE, size))
    wrong = _judge(shops, case, out, scratch, done, answered=True)
    small = all(len(bytes_) <= size for bytes_ in shops.outputs(case, "new").values())
    wrong += ["larger than the limit, but exit 0"] if done.code == 0 and not small else []
    count("file-size limit", limits=1, refused=int(done.code != 0), wrong=len(wrong))
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("kind", "most"), [*_SPACES, *_DESCRIPTORS])
@pytest.mark.parametrize("case", CASES if battery.WHOLE else ["rfm"])
def test_no_more_memory_or_descriptors(
    shops: World, tmp_path: Path, scratch: Path, count: battery.Count, case: str, kind: int, most: int
) -> None:
    """RLIMIT_AS: Rust panics or aborts wherever it is, or waits for a thread that did; RLIMIT_NOFILE: Python itself may. Only the
    way files are written protects them: no file is torn, and the next run completes."""
    out = tmp_path / "out"
    shops.lay(case, out)
    done = processes.ended(shops.argv(case, out), _limited(kind, most))
    wrong = _judge(shops, case, out, scratch, done, answered=False)
    count(_NAMES[kind], limits=1, stopped=int(done.code != 0), of_those_killed_waiting=int(done.hung), wrong=len(wrong))
    assert not wrong, "\n".join(wrong)
    assert done.code != 0 or battery.WHOLE  # the one of the slice must bite, or it shows nothing


@pytest.mark.parametrize("case", CASES if battery.WHOLE else ["rfm"])
def test_a_full_device(shops: World, scratch: Path, count: battery.Count, case: str) -> None:
    """-o /dev/full is 74 with the remedy, and so is a full disk behind a pipe."""
    if case == "run":
        pytest.skip("a run writes a folder")
    argv = shops.argv(case, Path("nowhere"))
    bare = argv[: argv.index("-o")]
    for line in ([*bare, "-o", "/dev/full", "-q"], [*bare, "-q"]):
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(
                [sys.executable, "-m", "clm", *line], stdout=full, stderr=subprocess.PIPE, text=True, timeout=100
            )
        assert done.returncode == Exit.IO, done.stderr
        assert "no space left" in done.stderr
        assert "Traceback" not in done.stderr
    assert litter(scratch) == []
    count("full device", outputs=2)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("where", ["output", "spill"] if battery.WHOLE else ["output"])
def test_a_full_disk(shops: World, tmp_path: Path, small_disk: Path, count: battery.Count, where: str) -> None:
    """Whatever is left of the disk, 74 with the remedy and the old files whole, or all of it written; room comes back."""
    wrong: list[str] = []
    refused = 0
    scratch = small_disk if where == "spill" else tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    out = (small_disk if where == "output" else tmp_path) / "out"
    rooms = range(0, 450_000, 15_000) if battery.WHOLE else (60_000,)
    for left in rooms:
        (small_disk / "ballast").unlink(missing_ok=True)
        shops.lay("run", out)
        disk = os.statvfs(small_disk)
        (small_disk / "ballast").write_bytes(bytes(max(disk.f_bavail * disk.f_frsize - left, 0)))
        done = processes.ended([*shops.argv("run", out), "--force"], TMPDIR=str(scratch))
        refused += done.code != 0
        wrong += [f"{left} bytes left: torn {name}" for name in shops.torn("run", out)]
        if done.code not in (0, Exit.IO) or (done.code and "to do:" not in done.said) or "Traceback" in done.said:
            wrong.append(f"{left} bytes left: exit {done.code}: {done.said[-1000:]}")
        wrong += [f"{left} bytes left: litter {name}" for name in litter(out, scratch)]
    (small_disk / "ballast").unlink()
    if processes.ended(shops.argv("run", out), TMPDIR=str(scratch)).code or content(out) != shops.outputs("run", "new"):
        wrong.append("with room again, the next run fails")
    count(f"full disk ({where})", rooms=len(rooms), refused=refused, wrong=len(wrong))
    assert not wrong, "\n".join(wrong)
