"""How long a person waits for the shortest commands, against importing what they stand on; for `make bench`.

They run as processes of their own, in turn.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.bench.measure import in_turn, keep
from tests.bench.order_logs import transactions

pytestmark = pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench")

ROUNDS = 11
LINES = 10_000
MOST = {"--version": 1.0, "rfm": 2.5}


@pytest.mark.parametrize("command", MOST)
def test_start_up(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`clm --version` no slower than importing its libraries, `clm rfm` of ten thousand lines within 2.5 times that."""
    argv = [command]
    if command == "rfm":
        argv = ["rfm", str(transactions(tmp_path, LINES)), "-o", str(tmp_path / "rfm.parquet"), "-q"]
    sides = {
        "clm": [sys.executable, "-m", "clm", *argv],
        "imports of typer, rich, polars": [sys.executable, "-c", "import typer, rich, polars"],
    }
    runs = in_turn(sides, ROUNDS)
    own, imports = runs.values()
    ratio = own.seconds / imports.seconds
    keep(f"start-up, {command}", f"{LINES:,} lines" if command == "rfm" else "", runs, ratio, f"≤ {MOST[command]:g}")
    with capsys.disabled():
        print(f"\n{command}: {own}, imports: {imports}; {ratio:.2f} times the time")
    assert ratio <= MOST[command]
