"""What a command loads before it answers: help nothing heavy, rfm nothing of the models."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from clm.storage import publish
from clm.storage.facts import Facts
from clm.tables import TRANSACTIONS
from tests.logs import invented

HEAVY = ("polars", "pyarrow", "narwhals", "numpy", "scipy", "sklearn", "lifetimes", "pandas", "altair")
MODELS = ("numpy", "scipy", "sklearn", "lifetimes", "pandas", "altair")


def loaded(argv: list[str]) -> set[str]:
    """Top-level modules in the process after a command line."""
    program = "import sys; from clm.cli import main; main(sys.argv[1:]); print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True, timeout=60, check=True)
    return {line.split(".")[0] for line in done.stderr.splitlines()}


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["run", "--help"], ["clv", "-h"]])
def test_help_and_version_load_nothing_heavy(argv: list[str]) -> None:
    """A person waiting for help waits for Typer alone."""
    assert not loaded(argv) & set(HEAVY)


def test_rfm_loads_no_model_library(tmp_path: Path) -> None:
    """Counting needs no statistics library, and no arrays either."""
    facts = Facts(table="TRANSACTIONS", table_version=1, stage="clean", settings={}, rows={"in": 136, "out": 136})
    publish.publish(tmp_path / "clean.parquet", lambda path: publish.write_table(invented(), TRANSACTIONS, facts, path))
    modules = loaded(["rfm", str(tmp_path / "clean.parquet"), "-o", str(tmp_path / "rfm.parquet")])
    assert (tmp_path / "rfm.parquet").exists()
    assert not modules & set(MODELS)
    assert "polars" in modules


def seconds(argv: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(argv, capture_output=True, timeout=60, check=True)
    return time.perf_counter() - started


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_is_no_slower_than_importing_its_libraries(option: str) -> None:
    """`clm --help` against `import typer, rich, polars`, in turn; the best of seven each, since other work only adds."""
    pairs = [
        (seconds([sys.executable, "-m", "clm", option]), seconds([sys.executable, "-c", "import typer, rich, polars"]))
        for _ in range(7)
    ]
    assert min(ours for ours, _ in pairs) <= min(theirs for _, theirs in pairs)


def test_the_version_is_the_packages() -> None:
    """`clm --version` is what is installed."""
    from importlib.metadata import version

    done = subprocess.run([sys.executable, "-m", "clm", "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"clm {version('clm')}\n"
