"""No network, no child process, no pickle, no file outside output and spill: an audit hook hears every command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clm.cli import app
from tests.battery import WHOLE, Count
from tests.logs import csv_of, invented

# one driver, every command after the other: what it heard goes to stdout as JSON
DRIVER = """
import json, sys
heard = {"forbidden": [], "outside": [], "written": 0, "codes": {}}
allowed = tuple(sys.argv[1].split("|"))
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.", "pickle.",
             "marshal.load", "ftplib", "smtplib", "urllib.Request", "http.client", "webbrowser")
MOVES = {"os.rename": (0, 1), "os.remove": (0,), "os.mkdir": (0,), "os.rmdir": (0,), "os.link": (0, 1), "os.symlink": (1,),
         "os.truncate": (0,), "os.chmod": (0,), "os.chown": (0,), "shutil.rmtree": (0,), "shutil.move": (0, 1)}
def hook(event, args):
    if event == "import":
        return
    if event.startswith(FORBIDDEN):
        frame = sys._getframe(1)
        names = []
        while frame is not None:
            names.append(frame.f_globals.get("__name__", ""))
            frame = frame.f_back
        # compiled modules are in marshal's format: that is an import, not data
        if event.startswith("marshal") and any(name.startswith(("importlib", "_frozen_importlib")) for name in names):
            return
        heard["forbidden"].append(event)
    places = []
    if event == "open":
        mode, flags = args[1], args[2]
        if set(mode) & set("wax+") if isinstance(mode, str) else flags & 0b11:
            places = [args[0]]
    elif event in MOVES:
        # a name below an open folder: shutil.rmtree, which was heard with the whole path
        below = event in ("os.remove", "os.rmdir") and args[-1] != -1
        places = [] if below else [args[one] for one in MOVES[event]]
    for place in places:
        if isinstance(place, int):
            continue
        place = place.decode() if isinstance(place, bytes) else str(place)
        heard["written"] += 1
        if not place.startswith(allowed):
            heard["outside"].append(f"{event} {place}")
sys.addaudithook(hook)
import contextlib, io
from clm.cli import main
for line in json.load(sys.stdin):
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.redirect_stderr(io.StringIO()) as said:
        heard["codes"][" ".join(line)] = (main(line), said.getvalue()[-300:])
print(json.dumps(heard))
"""


def command_lines(folder: Path) -> list[list[str]]:
    """Every command once, and the options that write or read files of their own."""
    out, run = folder / "out", folder / "out" / "run"
    orders, clean, customers = str(folder / "in" / "orders.csv"), str(out / "clean.parquet"), str(run / "customers.parquet")
    lines = [
        f"key new {out}/shop.key",
        f"clean {orders} -o {clean} --rejects {out}/rejects.parquet --save-profile {out}/shop.toml",
        f"clean {orders} -o {out}/coded.csv --pseudonymise customer_id --key-file {out}/shop.key",
        f"clean {folder}/in/orders.csv.gz -o {out}/packed.parquet",
        f"clean {folder}/in/orders.xlsx -o {out}/sheet.parquet",
        f"rfm {clean} -o {out}/rfm.parquet --save-model {out}/rfm.json",
        f"segment {out}/rfm.parquet -o {out}/segment.parquet --clusters 3",
        f"clv {out}/segment.parquet --orders {clean} -o {out}/clv.parquet",
        f"churn {out}/clv.parquet --orders {clean} -o {out}/churn.parquet",
        f"report {out}/churn.parquet --orders {clean} -o {out}/report.html --figures {out}/figures",
        f"report {out}/churn.parquet -o {out}/report.md", f"report {out}/churn.parquet -o {out}/report.json",
        f"report {out}/churn.parquet -o {out}/report.xlsx", f"report {out}/churn.parquet",
        f"run {orders} -o {run}", f"run {orders} -o {run}",
        f"rfm {clean} --as-of 2024-06-30 -o {out}/early.parquet", f"segment {out}/early.parquet -o {out}/earlier.parquet",
        f"migrate {out}/earlier.parquet {customers}", f"cohort {clean} -o {out}/cohort.xlsx",
        f"backtest {clean} -o {out}/backtest.csv",
        f"list {customers} -o {out}/list.xlsx", f"show C030 {run}", "config", "tables", f"verify {run}", "doctor",
        f"forget --ids-file {folder}/in/gone.txt {run}",
        f"demo -o {out}/demo -n",
    ]  # fmt: skip
    if WHOLE:
        lines += [
            f"clv {out}/segment.parquet --orders {clean} -o {out}/clv2.parquet --estimator lifetimes",
            f"churn {out}/clv.parquet --orders {clean} -o {out}/boosted.parquet --method boosted",
            f"demo -o {out}/demo",
        ]
    return [line.split() for line in lines]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_command_keeps_to_its_folders(tmp_path: Path, count: Count) -> None:
    """One process, all commands: no socket, no child, nothing unpickled; all that is written lies in output or spill."""
    for name in ("in", "out", "spill"):
        (tmp_path / name).mkdir()
    _inputs(tmp_path / "in")
    (tmp_path / "in" / "gone.txt").write_text("C031\n")
    before = {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    lines = command_lines(tmp_path)
    allowed = "|".join((str(tmp_path / "out"), str(tmp_path / "spill"), "/dev/null", "/proc/", "/sys/"))
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, allowed],
        input=json.dumps(lines),
        env=os.environ | {"TMPDIR": str(tmp_path / "spill"), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout.splitlines()[-1])
    failed = {line: end for line, end in heard["codes"].items() if end[0] != 0}
    count(
        "commands under an audit hook",
        commands=len(lines),
        writes=heard["written"],
        outside=len(heard["outside"]),
        sockets_children_pickles=len(heard["forbidden"]),
    )
    assert not failed, failed
    assert not heard["forbidden"], heard["forbidden"]
    assert not heard["outside"], heard["outside"]
    assert {line[0] for line in lines} >= {name for name, *_ in app._COMMANDS}
    assert {path.name: path.read_bytes() for path in (tmp_path / "in").iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "spill"]
    assert not list((tmp_path / "spill").iterdir())


def _inputs(folder: Path) -> None:
    import gzip

    from clm.report.workbook import table_workbook

    log = invented(customers=160, orders=9)
    content = csv_of(log, folder / "orders.csv").read_bytes()
    (folder / "orders.csv.gz").write_bytes(gzip.compress(content))
    (folder / "orders.xlsx").write_bytes(table_workbook(log.select("order_id", "customer_id", "ordered_at", "amount"), "orders"))
