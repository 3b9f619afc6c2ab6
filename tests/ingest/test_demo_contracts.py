"""The invented contracts in data/: made again byte for byte."""

from __future__ import annotations

import runpy
from pathlib import Path

from tests.conftest import ROOT
from tests.labelled import CONTRACTS


def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    """Fixed seed, no library: the file in the repository is what the script writes."""
    made = runpy.run_path(str(ROOT / "data" / "make_contracts.py"))
    made["main"](tmp_path / "contracts.csv")
    assert (tmp_path / "contracts.csv").read_bytes() == CONTRACTS.read_bytes()
