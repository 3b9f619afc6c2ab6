"""The invented log in data/: made again byte for byte, and cleaned with no options."""

from __future__ import annotations

import runpy
from pathlib import Path

from tests.cleaning import clean_files
from tests.conftest import ROOT

DEMO = ROOT / "data" / "orders.csv"


def test_the_script_makes_the_same_bytes_again(tmp_path: Path) -> None:
    """Fixed seed, no library: the file in the repository is what the script writes."""
    made = runpy.run_path(str(ROOT / "data" / "make_demo.py"))
    made["main"](tmp_path / "orders.csv")
    assert (tmp_path / "orders.csv").read_bytes() == DEMO.read_bytes()


def test_the_demo_log_loads_with_no_options(tmp_path: Path) -> None:
    """Every kind of dirt its README names is found, and the accounting is exact."""
    done = clean_files([DEMO], tmp_path)
    outcome = done.settled.outcome
    assert done.settled.refusal is None
    assert outcome.rows.to_json() == {
        "in": 701,
        "out": 650,
        "rejected": {
            "fields_few": 1, "date": 1, "no_customer": 26, "totals_row": 1, "header_repeat": 1, "blank_row": 1, "cancelled": 20,
        },
        "collapsed": {},
    }  # fmt: skip
    assert outcome.metrics["returns"] == 17
    assert outcome.metrics["flags"] == {"duplicate": 1}
    assert done.rows["customer_id"].str.contains(r"^C\d{4}$").all()
    assert done.rows["amount"].max() == 1280
