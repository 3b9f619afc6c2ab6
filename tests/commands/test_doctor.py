"""`clm doctor`: a sound machine is told so on one screen, and each thing that is not is named with what to do."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from clm import doctor, resources
from clm.cli import main
from clm.doctor import Finding
from clm.settings import CommonSettings


def found(common: CommonSettings | None = None, **env: str) -> dict[str, Finding]:
    return {one.about: one for one in doctor.examine(common or CommonSettings(), env, colour=False)}


def test_a_screen_tells_everything(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 24 lines of 80, each thing once, and the exit code of a machine clm works on."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["doctor"]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "0 broken" in told.err
    for about in ("clm", "libraries", "threads", "memory", "spill", "locks", "time zones", "encoding", "terminal", "fonts"):
        assert sum(line[11:].startswith(about) for line in lines) == 1, about


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Findings by name with status and remedy; counts for --fail-if."""
    assert main(["doctor", "--json", "-q"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["stage"] == "doctor"
    assert sum(record["metrics"].values()) == len(record["findings"])
    assert all(one["fix"] for one in record["findings"] if one["status"] != "ok")
    assert main(["doctor", "-q", "--fail-if", "ok > 0"]) == 1


def test_it_starts_nothing_and_loads_nothing_heavy() -> None:
    """No child process, no socket, no file left; Polars is not even imported."""
    program = (
        "import sys\n"
        "def hook(event, args):\n"
        "    if event.startswith(('subprocess', 'os.system', 'os.posix', 'os.fork', 'os.exec', 'socket')): print('!', event)\n"
        "sys.addaudithook(hook)\n"
        "from clm.cli import main\n"
        "main(['doctor', '-q'])\n"
        "print([name for name in ('polars', 'pyarrow', 'numpy', 'altair') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "!" not in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_missing_or_old_library_is_broken() -> None:
    """Missing, below its floor, at its ceiling; what only the tests or an extra want is not asked."""
    lines = [
        "polars>=99",
        "no-such-library>=1",
        "rich<1",
        "typer>=0.1",
        'duckdb>=99; extra == "dev"',
        'nothing; extra == "spark"',
    ]
    libraries, extras = doctor._libraries(lines)
    assert libraries.status == "broken"
    assert "no-such-library is missing" in libraries.says
    assert "wants >=99" in libraries.says
    assert "typer" not in libraries.says
    assert (extras.status, "spark is not installed" in extras.says) == ("ok", True)


@pytest.mark.parametrize(
    ("version", "bounds", "fits"),
    [
        ("2.1.0", ">=2.1", True), ("2.0.9", ">=2.1", False), ("2.10", ">=2.9", True), ("3.9.1", "<4", True), ("4.0", "<4", False),
        ("1.2", "", True), ("1.5.0rc1", ">=1.4,<2", True), ("10", "==10.0", True), ("0.29+local.9", ">=0.30", False),
    ],
)  # fmt: skip
def test_versions_are_compared_as_numbers(version: str, bounds: str, fits: bool) -> None:
    """2.10 is later than 2.9."""
    assert doctor.within(version, bounds) == fits


def test_a_folder_that_cannot_be_written_is_broken(tmp_path: Path) -> None:
    """No usable temporary folder: the command itself still answers, with 78."""
    env = os.environ | {"TMPDIR": str(tmp_path / "nowhere")}
    program = "import tempfile, sys; tempfile._candidate_tempdir_list = lambda: [sys.argv[1]]; sys.argv[1:] = ['doctor']; "
    program += "from clm.cli import main; sys.exit(main(['doctor']))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "nowhere")], capture_output=True, text=True, env=env, timeout=60
    )
    assert done.returncode == 78
    assert "BROKEN     spill" in done.stdout
    assert "TMPDIR" in done.stderr


def test_a_temporary_folder_is_looked_at_where_it_is(tmp_path: Path) -> None:
    """One that cannot be used is not passed over in silence, and behind a link lies the folder that counts."""
    assert found(TMPDIR=tempfile.gettempdir())["spill"].status == found()["spill"].status
    told = found(TMPDIR=str(tmp_path / "nowhere"))["spill"]
    assert told.status == "look"
    assert "TMPDIR" in told.says
    (tmp_path / "link").symlink_to("/proc")
    assert doctor._file_system(tmp_path / "link") == doctor._file_system(Path("/proc"))


def test_little_memory_and_many_threads_are_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit below what clm takes by itself; more threads than there are processors; little room."""
    small = CommonSettings(memory_limit=2**26, threads=4000)
    told = found(small)
    assert (told["memory"].status, told["threads"].status) == ("look", "look")
    assert resources.shortfall(4000, 2**26) is not None
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 5 * 2**20})())
    told = found()
    assert (told["spill"].status, told["output"].status) == ("look", "look")


def test_locks_held_missing_and_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run at work is fine; a file system without locks is broken; a remote one is worth a look."""
    here = CommonSettings(output=str(tmp_path / "out"))
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    assert "held" in found(here)["locks"].says
    os.close(handle)
    monkeypatch.setattr(doctor, "_file_system", lambda folder: "nfs4")
    assert found(here)["locks"].status == "look"

    def none(*given: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(doctor.fcntl, "flock", none)
    assert found(here)["locks"].status == "broken"


def test_scripts_fonts_and_settings_worth_a_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Latin-1 output, no font for Chinese, a variable that sets nothing."""
    monkeypatch.setattr(doctor, "_FONT_FOLDERS", (str(tmp_path),))
    assert found()["fonts"].status == "look"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "NotoSansCJK-Regular.ttc").touch()
    assert found()["fonts"].status == "ok"
    told = {one.about: one for one in doctor.examine(CommonSettings(), {"CLM_SED": "1"}, False, ["CLM_SED sets nothing"])}
    assert told["settings"].status == "look"
    done = subprocess.run(
        [sys.executable, "-m", "clm", "doctor"], capture_output=True, timeout=60, env=os.environ | {"PYTHONIOENCODING": "latin-1"}
    )
    assert done.returncode == 0
    assert b"look here  encoding" in done.stdout


def test_a_machine_clm_cannot_work_on_is_78(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The first remedy is said again at the end, where a script's log has it."""
    broken = Finding("scratch folder", "broken", "cannot be written", "set TMPDIR")
    monkeypatch.setattr(doctor, "examine", lambda *_: [broken])
    assert main(["doctor"]) == 78
    assert "clm cannot work like this\n  where: scratch folder\n  to do: set TMPDIR" in capsys.readouterr().err
