"""Every exit code of the table with the message a person gets, each code once through a real process."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest

from clm.cli import app, main
from clm.errors import EXIT_MEANING, Exit
from tests.commands.conftest import Shop

Case = Callable[[Shop, Path], list[str]]

# fmt: off
CASES: list[tuple[int, str, Case]] = [
    (0, r"rfm: .* = 160 customers", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", f"{tmp}/x.parquet"]),
    (1, r"--fail-if customers > 1 holds", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", f"{tmp}/x.parquet", "--fail-if", "customers > 1"]),
    (2, r"Did you mean 'clean'", lambda shop, tmp: ["cleen"]),
    (2, r"no option --asof: did you mean --as-of", lambda shop, tmp: ["rfm", "--asof", "2024-01-01"]),
    (2, r"--bins wants a whole number", lambda shop, tmp: ["rfm", str(shop.file("clean")), "--bins", "x"]),
    (2, r"no option --map: it belongs to `clm clean`\n.*CLM_CLEAN_MAP", lambda shop, tmp: ["run", str(shop.source), "--map", "customer_id=a"]),
    (65, r"--map 'customer_id=…'.*\n.*CLM_CLEAN_MAP", lambda shop, tmp: ["run", f"{tmp}/nobody.csv", "-o", f"{tmp}/out"]),
    (2, r"no command", lambda shop, tmp: []),
    (2, r"there is no nonsense", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", f"{tmp}/x.parquet", "--fail-if", "nonsense > 1"]),
    (2, r"suffix .txt", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", f"{tmp}/x.txt"]),
    (2, r"use one of .html, .json, .md, .xlsx, .parquet", lambda shop, tmp: ["report", str(shop.file("churn")), "-o", f"{tmp}/x.pdf"]),
    (66, r"inside it: .*clean.parquet", lambda shop, tmp: ["cohort", str(tmp)]),
    (65, r"--allow-masked\n.*CLM_CLEAN_MAP\n.*CLM_CLEAN_ALLOW_MASKED", lambda shop, tmp: ["run", f"{tmp}/masked.csv", "-o", f"{tmp}/out"]),
    (65, r"clm rfm", lambda shop, tmp: ["segment", str(shop.file("clean")), "-o", f"{tmp}/x.parquet"]),
    (65, r"not a Parquet file.*\n.*\n.*--label COLUMN", lambda shop, tmp: ["churn", str(shop.source), "-o", f"{tmp}/x.parquet"]),
    (78, r"no column amountt: did you mean amount\?.*\n.*rule.toml \[clean\]", lambda shop, tmp: ["clean", str(shop.source), "--config", f"{tmp}/rule.toml"]),
    (78, r"no column amountt", lambda shop, tmp: ["run", str(shop.source), "--config", f"{tmp}/rule.toml", "-o", f"{tmp}/out"]),
    (2, r"no column amountt", lambda shop, tmp: ["clean", str(shop.source), "--config", f"{tmp}/rule.toml", "--rule", "low=amountt < 1"]),
    (65, r"not a Parquet file", lambda shop, tmp: ["rfm", str(shop.source), "-o", f"{tmp}/x.parquet"]),
    (66, r"there is no file nowhere.csv", lambda shop, tmp: ["clean", f"{tmp}/nowhere.csv", "-o", f"{tmp}/x.parquet"]),
    (2, r"log.csv is an input", lambda shop, tmp: ["clean", f"{tmp}/log.csv", "-o", f"{tmp}/log.csv"]),
    (2, r"log.csv is an input", lambda shop, tmp: ["clean", f"{tmp}/log.csv", "--rejects", f"{tmp}/log.csv", "-o", f"{tmp}/y.parquet"]),
    (2, r"two outputs would go to y.parquet", lambda shop, tmp: ["clean", f"{tmp}/log.csv", "--rejects", f"{tmp}/y.parquet", "-o", f"{tmp}/y.parquet"]),
    (2, r"is an input", lambda shop, tmp: ["rfm", f"{tmp}/clean.parquet", "-o", f"{tmp}/clean.parquet"]),
    (2, r"is an input", lambda shop, tmp: ["clv", str(shop.file("segment")), "--orders", f"{tmp}/clean.parquet", "-o", f"{tmp}/clean.parquet"]),
    (2, r"one of the files it would write", lambda shop, tmp: ["run", f"{tmp}/clean.parquet", "-o", str(tmp)]),
    (2, r"--output wants a value, this one is empty", lambda shop, tmp: ["run", str(shop.source), "-o", ""]),
    (2, r"--rejects wants a value", lambda shop, tmp: ["clean", str(shop.source), "--rejects", "", "-o", f"{tmp}/y.parquet"]),
    (2, r"cannot be one of several inputs", lambda shop, tmp: ["clean", str(shop.source), "-", "-o", f"{tmp}/y.parquet"]),
    (78, r"CLM_LOG names a file of this command", lambda shop, tmp: ["env", f"CLM_LOG={tmp}/log.csv", "clean", f"{tmp}/log.csv", "-o", f"{tmp}/y.parquet"]),
    (73, r"folder is not UTF-8", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", os.fsdecode(os.fsencode(tmp) + b"/b\xff/y.parquet")]),
    (2, r"an empty input name", lambda shop, tmp: ["rfm", "", "-o", f"{tmp}/y.parquet"]),
    (2, r"--orders wants a file", lambda shop, tmp: ["clv", str(shop.file("rfm")), "--orders", "-", "-o", f"{tmp}/y.parquet"]),
    (2, r"`clm tables` writes no file", lambda shop, tmp: ["tables", "-o", f"{tmp}/y"]),
    (65, r"is damaged", lambda shop, tmp: ["rfm", f"{tmp}/damaged.parquet", "-o", f"{tmp}/y.parquet"]),
    (65, r"damaged", lambda shop, tmp: ["segment", f"{tmp}/damaged_rfm.parquet", "-o", f"{tmp}/y.parquet"]),
    (65, r"not in the orders|contradict", lambda shop, tmp: ["report", str(shop.file("churn")), "--orders", f"{tmp}/other.parquet", "-o", f"{tmp}/y.html"]),
    (73, r"cannot create log.csv: file exists", lambda shop, tmp: ["run", str(shop.source), "-o", f"{tmp}/log.csv"]),
    (78, r"the log cannot be written", lambda shop, tmp: ["env", "CLM_LOG=/nowhere/clm.log", "rfm", str(shop.file("clean"))]),
    (66, r"no such file", lambda shop, tmp: ["rfm", f"{tmp}/nowhere.parquet", "-o", f"{tmp}/x.parquet"]),
    (73, r"cannot create", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", f"{tmp}/nowhere/x.parquet"]),
    (73, r"is a folder", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", str(tmp / ".")]),
    (74, r"no space left", lambda shop, tmp: ["rfm", str(shop.file("clean")), "-o", "/dev/full"]),
    (78, r"unknown key sed in bad.toml: did you mean seed", lambda shop, tmp: ["rfm", str(shop.file("clean")), "--config", f"{tmp}/bad.toml"]),
    (78, r"scheme nowhere.toml cannot be read", lambda shop, tmp: ["segment", str(shop.file("rfm")), "--scheme", "nowhere.toml"]),
    (2, r"--remote names a Spark cluster", lambda shop, tmp: ["rfm", str(shop.file("clean")), "--remote", "sc://nowhere"]),
    (2, r"a cluster cannot read standard input", lambda shop, tmp: ["rfm", "-", "--engine", "spark", "-o", f"{tmp}/y.parquet"]),
    (2, r"on this machine", lambda shop, tmp: ["env", "CLM_RFM_ENGINE=spark", "run", str(shop.source), "-o", f"{tmp}/out"]),
    (2, r"--explain writes no file", lambda shop, tmp: ["segment", str(shop.file("rfm")), "--explain", "x", "-o", f"{tmp}/y.parquet"]),
    (2, r"--allow-column belongs to --label", lambda shop, tmp: ["churn", str(shop.file("clv")), "--allow-column", "x", "-o", f"{tmp}/y.parquet"]),
    (2, r"show wants a customer and the folder", lambda shop, tmp: ["show", str(tmp)]),
    (2, r"the customer comes first, then the folder", lambda shop, tmp: ["show", str(tmp), "nobody"]),
    (66, r"the folder has no table of customers", lambda shop, tmp: ["show", "nobody", str(tmp)]),
    (2, r"key wants: new FILE", lambda shop, tmp: ["key", "old"]),
    (2, r"no table NONSENSE", lambda shop, tmp: ["tables", "nonsense"]),
    (2, r"verify wants a file", lambda shop, tmp: ["verify"]),
    (66, r"--inputs names no folder", lambda shop, tmp: ["verify", str(shop.file("clean")), "--inputs", f"{tmp}/nowhere"]),
    (66, r"there is no run.json", lambda shop, tmp: ["verify", str(tmp)]),
    (2, r"forget wants a file of ids and a folder", lambda shop, tmp: ["forget", str(tmp)]),
    (66, r"nowhere is no folder", lambda shop, tmp: ["forget", f"{tmp}/nowhere", "--ids-file", f"{tmp}/ids.txt"]),
    (66, r"there is no file nowhere.txt", lambda shop, tmp: ["forget", str(tmp), "--ids-file", f"{tmp}/nowhere.txt"]),
    (65, r"run.json is damaged", lambda shop, tmp: ["forget", f"{tmp}/broken", "--ids-file", f"{tmp}/ids.txt"]),
    (2, r"`clm migrate` wants two files, the earlier first", lambda shop, tmp: ["migrate", str(shop.file("rfm"))]),
    (66, r"standard input is empty", lambda shop, tmp: ["rfm", "-o", f"{tmp}/y.parquet"]),
    (2, r"--previous is the folder this run writes", lambda shop, tmp: ["run", str(shop.source), "-o", f"{tmp}/ran", "--previous", f"{tmp}/ran"]),
    (66, r"there is no earlier run there", lambda shop, tmp: ["run", str(shop.source), "-o", f"{tmp}/out", "--previous", str(tmp)]),
    (2, r"has no rows to be a share of", lambda shop, tmp: ["verify", str(shop.file("clean")), "--fail-if", "metrics.ok > 30%"]),
    (65, r"there is no column to learn from", lambda shop, tmp: ["churn", f"{tmp}/two/labels.csv", "--label", "left", "-o", f"{tmp}/y.parquet"]),
    (65, r"1 row of noid.csv without customer_id", lambda shop, tmp: ["churn", f"{tmp}/noid.csv", "--label", "left", "-o", f"{tmp}/y.parquet"]),
    (2, r"2 files are no single table", lambda shop, tmp: ["churn", f"{tmp}/two", "--label", "left", "-o", f"{tmp}/y.parquet"]),
    (65, r"the encoding of odd.csv cannot be told.*\n.*\n.*save the table as CSV in UTF-8", lambda shop, tmp: ["churn", f"{tmp}/odd.csv", "--label", "left", "-o", f"{tmp}/y.parquet"]),
    (66, r"the name of the input is not UTF-8", lambda shop, tmp: ["rfm", os.fsdecode(os.fsencode(tmp) + b"/\xff.parquet"), "-o", f"{tmp}/y.parquet"]),
    (2, r"the rule low: .*\n.*to do", lambda shop, tmp: ["clean", str(shop.source), "--rule", "low=order_id > 5", "-o", f"{tmp}/y.parquet"]),
    (2, r"--where: .*\n.*clm tables CUSTOMERS", lambda shop, tmp: ["list", str(shop.file("churn")), "--where", "segmentt = 'x'", "-o", f"{tmp}/y.csv"]),
]
# fmt: on


def here(argv: list[str], patch: pytest.MonkeyPatch) -> tuple[int, str]:
    """The code, and what was said on stderr, in this process; standard input is empty."""
    if argv[:1] == ["env"]:
        patch.setenv(*argv[1].split("=", 1))
        argv = argv[2:]
    said = io.StringIO()
    with Path(os.devnull).open() as nothing, redirect_stderr(said), redirect_stdout(io.StringIO()):
        patch.setattr(sys, "stdin", nothing)
        return main(argv), said.getvalue()


def process(argv: list[str], *, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    variables = dict([argv[1].split("=", 1)]) if argv[:1] == ["env"] else {}
    return subprocess.Popen(
        [sys.executable, "-m", "clm", *(argv[2:] if variables else argv)],
        env=os.environ | variables,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a test run in the background ignores SIGINT, and its children would inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def spoil(shop: Shop, folder: Path) -> None:
    """Files a case may need: a log, a clean table, damaged tables, the orders of another shop, configurations."""
    (folder / "bad.toml").write_text("sed = 3\n")
    (folder / "rule.toml").write_text('[[clean.rule]]\nflag = "big"\nwhen = "amountt > 5"\n')
    (folder / "nobody.csv").write_text("date,amount\n2024-01-01,5\n")
    (folder / "masked.csv").write_text("date,customer,amount\n2024-01-01,王**,5\n2024-01-02,李**,5\n2024-01-03,陈**,5\n")
    (folder / "ids.txt").write_text("nobody\n")
    (folder / "odd.csv").write_bytes(b"customer_id,left\n1,\xff\xfe\x81\n")
    labels = [f"{row},{'Yes' if row % 2 else 'No'}\n" for row in range(60)]
    (folder / "noid.csv").write_text("customer_id,left\n,Yes\n" + "".join(labels))
    (folder / "two").mkdir()
    for name in ("labels", "more"):
        (folder / "two" / f"{name}.csv").write_text("customer_id,left\n" + "".join(labels))
    for name in ("broken", "ran"):
        (folder / name).mkdir()
    shutil.copy(shop.file("churn"), folder / "ran" / "customers.parquet")
    (folder / "broken" / "run.json").write_text("{")
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xff")).mkdir()
    shutil.copy(shop.source, folder / "log.csv")
    shutil.copy(shop.file("clean"), folder / "clean.parquet")
    for stage, name in (("clean", "damaged"), ("rfm", "damaged_rfm")):
        content = bytearray(shop.file(stage).read_bytes())
        content[200:1200] = bytes(1000)  # the pages, not the footer
        (folder / f"{name}.parquet").write_bytes(content)
    pl.read_parquet(shop.file("clean")).head(3).write_parquet(folder / "other.parquet")


@pytest.mark.parametrize(("code", "says", "case"), CASES, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(CASES)])
def test_exit_code_and_message(
    shop: Shop, tmp_path: Path, code: int, says: str, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is the table's and the message says what, where and what to do."""
    spoil(shop, tmp_path)
    got, said = here(case(shop, tmp_path), monkeypatch)
    assert got == code, said
    assert re.search(says, said), said
    assert (tmp_path / "x.parquet").exists() == (code in (0, 1) or "there is no nonsense" in says)


@pytest.mark.parametrize(
    ("code", "says", "case"), {one[0]: one for one in reversed(CASES)}.values(), ids=lambda one: str(one)[:9]
)
def test_a_process_ends_with_its_code(shop: Shop, tmp_path: Path, code: int, says: str, case: Case) -> None:
    """What a script sees of each code; never a traceback."""
    spoil(shop, tmp_path)
    with process(case(shop, tmp_path)) as done:
        _, said = done.communicate(timeout=120)
    assert done.returncode == code, said
    assert re.search(says, said), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("happens", "code", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 74, r"no space left on device\n.*free some space"),
        (OSError(errno.EIO, "Input/output error"), 74, r"input/output error\n.*run again"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x"), 66, r"file name too long\n.*where: x\n.*check the path"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory"),
            66,
            r"no such file or directory\n.*the folder clm is called in",
        ),
        (MemoryError(), 74, r"not enough memory\n.*--memory-limit"),
        (KeyboardInterrupt(), 130, r"interrupted: earlier files are untouched\n.*same command again"),
        (SystemExit(143), 143, r"terminated: earlier files are untouched\n.*same command again"),
    ],
)
def test_what_ends_a_command_from_outside_is_told(
    happens: BaseException, code: int, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Disk, memory, signals: the code, that files are whole, and what to do."""

    def ends() -> NoReturn:
        raise happens

    said = io.StringIO()
    monkeypatch.setattr(app, "_version", ends)
    with (tmp_path / "out").open("w") as stdout, redirect_stderr(said):
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(["--version"]) == code
    assert re.search(says, said.getvalue()), said.getvalue()


class Terminal(io.StringIO):
    """Standard input or output of somebody who sits there."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "argv", "says"),
    [
        ("stdin", ["rfm"], "no input"),
        ("stdout", ["rfm", "-", "-o", "-"], "Parquet would scramble the terminal"),
    ],
)
def test_nobody_types_or_reads_parquet(stream: str, argv: list[str], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal is neither an input nor a place for a table: 2, at once."""
    said = io.StringIO()
    monkeypatch.setattr(sys, stream, Terminal())
    with redirect_stderr(said):
        assert main(argv) == 2
    assert says in said.getvalue()


def test_75_while_another_run_holds_the_folder(shop: Shop, tmp_path: Path) -> None:
    """A run finds its folder locked, and so does a single command that would write into it."""
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        for argv in (
            ["run", str(shop.source), "-o", str(tmp_path)],
            ["rfm", str(shop.file("clean")), "-o", f"{tmp_path}/x.parquet"],
        ):
            with process(argv) as done:
                _, said = done.communicate(timeout=120)
            assert done.returncode == 75
            assert "--wait" in said
    finally:
        os.close(handle)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_when_stopped(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """A command stopped while it waits for its input says so with its code and leaves nothing behind."""
    done = process(["rfm", "-o", str(tmp_path / "x.parquet")], stdin=subprocess.PIPE)
    try:
        time.sleep(2)
        done.send_signal(number)
        assert done.wait(timeout=30) == code
    finally:
        done.kill()
        done.communicate()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stream", [">&-", "2>&-", "2>/dev/full", "<&-"])
def test_a_closed_or_full_stream_is_not_a_crash(shop: Shop, tmp_path: Path, stream: str) -> None:
    """With nobody to hear it the work is still done, and the code is still 0."""
    line = f"{sys.executable} -m clm rfm {shop.file('clean')} -o {tmp_path}/x.parquet {stream}"
    assert subprocess.run(["sh", "-c", line], timeout=60, check=False).returncode == 0
    assert (tmp_path / "x.parquet").read_bytes() == shop.file("rfm").read_bytes()


@pytest.mark.parametrize("argv", ["--version", "--help", "tables"])
def test_a_full_stdout_is_74(argv: str) -> None:
    """What could not be said is an I/O error, not a success and not a bug."""
    done = subprocess.run(["sh", "-c", f"{sys.executable} -m clm {argv} >/dev/full"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (74, False)


def test_a_process_substitution_is_an_input(shop: Shop, tmp_path: Path) -> None:
    """What can be read only once is spooled first: INPUT and --orders."""
    for name in ("customers", "orders"):
        os.mkfifo(tmp_path / name)
    line = (
        f"cat {shop.file('segment')} > {tmp_path}/customers & cat {shop.file('clean')} > {tmp_path}/orders & "
        f"exec {sys.executable} -m clm clv {tmp_path}/customers --orders {tmp_path}/orders -q -o {tmp_path}/x.parquet"
    )
    assert subprocess.run(["sh", "-c", line], timeout=60, check=False).returncode == 0
    assert (tmp_path / "x.parquet").read_bytes() == shop.file("clv").read_bytes()


def test_70_is_a_traceback_and_a_note(shop: Shop, tmp_path: Path) -> None:
    """A bug shows itself: an exception nobody foresaw is printed whole, with what to do about it."""
    program = "import sys, clm.steps, clm.cli; clm.steps.rfm = None; sys.exit(clm.cli.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, "rfm", str(shop.file("clean")), "-o", str(tmp_path / "x.parquet")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 70
    assert "Traceback" in done.stderr
    assert "bug in clm" in done.stderr


def test_every_code_of_the_table_is_tried() -> None:
    """No code is promised without a case here."""
    tried = {code for code, _, _ in CASES} | {75, 130, 143, 70}
    assert tried == {int(code) for code in Exit} == {int(code) for code in EXIT_MEANING}
