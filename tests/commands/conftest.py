"""A small shop for the command tests: its log as a CSV, and every stage's file made from it, once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from clm.cli import main
from tests.logs import csv_of, invented


@dataclass(frozen=True)
class Shop:
    """Paths of one chain: the source and what each stage made of it."""

    folder: Path
    source: Path

    def file(self, stage: str) -> Path:
        return self.source if stage == "source" else self.folder / f"{stage}.parquet"


# what each stage reads, and which further options it wants
READS = {"clean": "source", "rfm": "clean", "segment": "rfm", "clv": "segment", "churn": "clv", "report": "churn"}
NEEDS_ORDERS = ("clv", "churn", "report")


def arguments(shop: Shop, stage: str) -> list[str]:
    """The command line of a stage over the shop's files, without -o."""
    orders = ["--orders", str(shop.file("clean"))] if stage in NEEDS_ORDERS else []
    return [stage, str(shop.file(READS[stage])), *orders, "-q"]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """160 customers over a good year, through the whole chain."""
    folder = tmp_path_factory.mktemp("shop")
    made = Shop(folder, csv_of(invented(customers=160, orders=9), folder / "orders.csv"))
    for stage in ("clean", "rfm", "segment", "clv", "churn"):
        assert main([*arguments(made, stage), "-o", str(made.file(stage))]) == 0, stage
    return made


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run over a log of 40 customers, which lies beside it. Whoever changes it takes a copy."""
    folder = tmp_path_factory.mktemp("ran")
    source = csv_of(invented(customers=40, orders=4), folder / "orders.csv")
    assert main(["run", str(source), "-o", str(folder / "out"), "-q"]) == 0
    return folder / "out"
