"""The page of a hundred thousand customers against its charts alone; run by `make bench`.

Everything runs in one process, in turn; seconds are those of the processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from markupsafe import Markup

from clm import steps
from clm.cli import main
from clm.report import charts
from clm.report.blocks import Figure
from clm.settings import CommonSettings, ReportSettings
from tests.bench.buyers import base, mean_values
from tests.bench.measure import keep

pytestmark = [pytest.mark.skipif("ROWS" not in os.environ, reason="a benchmark: make bench"), pytest.mark.timeout(1200)]

CUSTOMERS = 100_000
ROUNDS = 5
MOST = 2.0  # times the charts alone, for the table of customers


def orders(path: Path) -> Path:
    """A log of CUSTOMERS simulated buyers over two years as a CSV: their order days spread over their active life."""
    repeats, recency, age = base("bgnbd", CUSTOMERS)
    value = mean_values(repeats)
    rng = np.random.default_rng(1)
    count = repeats.astype(int) + 1
    who = np.repeat(np.arange(CUSTOMERS), count)
    place = np.arange(who.size) - np.repeat(np.cumsum(count) - count, count)
    share = np.where(place == 0, 0.0, np.where(place == count[who] - 1, 1.0, rng.uniform(size=who.size)))
    day = (np.max(age) - age[who] + share * recency[who]) // 1
    amount = np.round(np.nan_to_num(value, nan=30.0)[who] * rng.uniform(0.5, 1.5, who.size), 2)
    frame = pl.DataFrame({"customer": who, "date": pl.Series(day).cast(pl.Int64), "amount": np.maximum(amount, 0.01)})
    frame.with_columns(date=pl.lit(date(2023, 1, 2)) + pl.duration(days=pl.col("date"))).write_csv(path)
    return path


def test_the_page_costs_at_most_twice_its_charts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reading, numbers, words and page of 100,000 customers take at most twice the processor time of drawing the charts.

    With the log (`--orders`) the passes over its lines come on top: they grow with the orders, and are told, not judged.
    """
    assert main(["run", str(orders(tmp_path / "log.csv")), "-o", str(tmp_path / "out"), "-q"]) == 0
    source, log = tmp_path / "out" / "customers.parquet", tmp_path / "out" / "clean.parquet"
    assert pl.scan_parquet(source).select(pl.len()).collect().item() == CUSTOMERS
    alone = ratio(source, None, capsys)
    ratio(source, log, capsys)
    assert alone <= MOST


def ratio(source: Path, log: Path | None, capsys: pytest.CaptureFixture[str]) -> float:
    """The whole page against its charts, medians of alternating rounds."""
    settings = ReportSettings(orders=None if log is None else str(log))

    def made() -> steps.Step:
        step = steps.report(source, settings, CommonSettings(), lambda *_: None)
        steps.render(step, ".html", "en")
        return step

    step, svg = made(), charts.svg
    drawings: list[tuple[Figure, str, int]] = []

    def noted(figure: Figure, lang: str, width: int) -> Markup:
        drawings.append((figure, lang, width))
        return svg(figure, lang, width)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(charts, "svg", noted)
        steps.render(step, ".html", "en")
    whole, alone = [], []
    for _ in range(ROUNDS):
        whole.append(seconds(made))
        alone.append(seconds(lambda: [svg(*drawing) for drawing in drawings]))
    found = statistics.median(whole) / statistics.median(alone)
    sides = {who: {"processor_seconds": statistics.median(taken)} for who, taken in (("clm", whole), ("its charts", alone))}
    must = "" if log else f"≤ {MOST} of processor time"
    keep(f"report{', with the log' if log else ''}", f"{CUSTOMERS:,} customers", sides, found, must)
    with capsys.disabled():
        print(
            f"\nreport of {CUSTOMERS:,} customers{', with the log' if log else ''}: {statistics.median(whole):.2f} s, its "
            f"{len(drawings)} charts alone {statistics.median(alone):.2f} s: {found:.2f} times"
        )
    return found


def seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began
