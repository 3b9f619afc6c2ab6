"""Same source bytes, settings and versions: the same bytes, whatever the machine around them is set to."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from clm.cli import main
from tests import battery
from tests.logs import csv_of, invented

_ZONES = ("UTC", "Pacific/Auckland", "America/St_Johns", "Asia/Shanghai", "Europe/Berlin")
_LOCALES = ("C", "C.UTF-8", "zh_CN.GB18030")
_THREADS = ({"CLM_THREADS": "1"}, {"CLM_THREADS": "2"}, {"CLM_THREADS": "3", "CLM_MEMORY_LIMIT": "256MB", "NO_COLOR": "1"})
_SEEDS = ("0", "1", "2", "3")
_ALL = [
    {"TZ": zone, "LC_ALL": locale, "LANG": locale, "PYTHONHASHSEED": seed} | threads
    for zone, locale, threads, seed in product(_ZONES, _LOCALES, _THREADS, _SEEDS)
]
# every zone, locale, number of threads and hash seed at least once
ENVIRONMENTS = _ALL if battery.WHOLE else _ALL[::43]


# the other forms of what a run tells: a program that takes the run's folder and one to write into
FORMATS = """
import contextlib, sys
from pathlib import Path
from clm.cli import main
run, to = map(Path, sys.argv[1:])
to.mkdir()
customers, orders = str(run / "customers.parquet"), ["--orders", str(run / "clean.parquet")]
with (to / "said.txt").open("w", encoding="utf-8") as said, contextlib.redirect_stdout(said):
    for name in ("zh.md", "zh.json", "zh.xlsx", "metrics.csv"):
        main(["report", customers, *orders, "--lang", "zh", "-o", str(to / name), "-q"])
    main(["report", customers, *orders, "--figures", str(to / "figures"), "-q"])
    for name in ("list.csv", "list.xlsx"):
        main(["list", customers, "--columns", "all", "-o", str(to / name), "-q"])
    main(["show", "C000", str(run), "--lang", "zh"])
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run, and the log it came from."""
    folder = tmp_path_factory.mktemp("same")
    csv_of(invented(customers=150, orders=8), folder / "orders.csv")
    assert main(["run", str(folder / "orders.csv"), "-o", str(folder / "out"), "-q"]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("variables", ENVIRONMENTS, ids=lambda variables: " ".join(variables.values()))
def test_the_environment_changes_no_byte(
    reference: Path, tmp_path: Path, count: battery.Count, variables: dict[str, str]
) -> None:
    """Zone, locale, hash seed, threads and memory: one SHA-256 per output (run.json holds times)."""
    argv = [sys.executable, "-m", "clm", "run", str(reference / "orders.csv"), "-o", str(tmp_path / "out"), "-q"]
    subprocess.run(argv, env=os.environ | variables, check=True, timeout=110)
    outputs = [path for path in sorted((reference / "out").iterdir()) if path.name != "run.json"]
    other = [path.name for path in outputs if (tmp_path / "out" / path.name).read_bytes() != path.read_bytes()]
    count("same bytes in every environment", environments=1, outputs=len(outputs), different=len(other))
    assert not other


def test_the_slice_has_every_value() -> None:
    """No zone, locale, number of threads or hash seed is left to the whole battery."""
    for name in ("TZ", "LC_ALL", "CLM_THREADS", "PYTHONHASHSEED"):
        assert {one[name] for one in ENVIRONMENTS} == {one[name] for one in _ALL}


@pytest.mark.slow
def test_every_format_is_the_same_everywhere(reference: Path, tmp_path: Path) -> None:
    """Markdown, JSON, workbooks, tables, pictures and terminal, made under all those settings at once; the rest is above."""
    others = {"TZ": "America/St_Johns", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "3", "CLM_THREADS": "1"}
    made: list[dict[str, bytes]] = []
    for name, variables in (("here", {"PYTHONHASHSEED": "0"}), ("there", others)):
        argv = [sys.executable, "-c", FORMATS, str(reference / "out"), str(tmp_path / name)]
        subprocess.run(argv, env=os.environ | variables, check=True, timeout=110)
        files = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        made.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files})
    assert {Path(name).suffix for name in made[0]} == {".md", ".json", ".xlsx", ".csv", ".svg", ".txt"}
    assert all(made[0].values())
    assert made[0].keys() == made[1].keys()
    assert [name for name, content in made[0].items() if made[1][name] != content] == []


@pytest.mark.slow
def test_a_log_in_several_files_or_another_order_gives_the_same_customers(reference: Path, tmp_path: Path) -> None:
    """Shuffled rows, and the log cut into three files: equal customer tables in content."""
    header, *lines = (reference / "orders.csv").read_text("utf-8").splitlines()
    (tmp_path / "shuffled.csv").write_text("\n".join([header, *lines[::-1]]) + "\n", "utf-8")
    parts = tmp_path / "parts"
    parts.mkdir()
    for number in range(3):
        (parts / f"{number}.csv").write_text("\n".join([header, *lines[number::3]]) + "\n", "utf-8")
    whole = pl.read_parquet(reference / "out" / "customers.parquet")
    for source in (tmp_path / "shuffled.csv", parts):
        output = tmp_path / f"out-{source.name}"
        assert main(["run", str(source), "-o", str(output), "-q"]) == 0
        assert pl.read_parquet(output / "customers.parquet").equals(whole)
