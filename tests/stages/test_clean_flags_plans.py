"""The plans behind the review flags stay streaming, whatever the log has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.expressions import Rule, parse
from clm.stages.clean import flags
from tests.stages import planted
from tests.stages.test_clean_plans import FORBIDDEN, plan


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every plan that is run on a scanned file."""
    drawn: list[str] = []
    collect, collect_all = pl.LazyFrame.collect, pl.collect_all

    def noted(frame: pl.LazyFrame) -> None:
        drawn.append(plan(frame))

    def one(self: pl.LazyFrame, *args: Any, **options: Any) -> Any:
        noted(self)
        return collect(self, *args, **options)

    def several(frames: list[pl.LazyFrame], **options: Any) -> Any:
        for frame in frames:
            noted(frame)
        return collect_all(frames, **options)

    monkeypatch.setattr(pl.LazyFrame, "collect", one)
    monkeypatch.setattr(pl, "collect_all", several)
    return drawn


@pytest.mark.parametrize("name", ["web shop", "till", "days"])
def test_no_plan_gathers_a_whole_column(name: str, plans: list[str], tmp_path: Path) -> None:
    """Neither the passes nor the result hold a column in memory: with and without products and times of day."""
    planted.log(planted.SHOPS[name], 3_000, 1, planted=24).drop("planted", "event").write_parquet(tmp_path / "good")
    plans.clear()

    def hold(frame: pl.LazyFrame) -> pl.LazyFrame:
        path = tmp_path / f"held-{len(plans)}"
        plans.append(plan(frame))
        frame.sink_parquet(path)
        return pl.scan_parquet(path, glob=False)

    found = flags.flagged(pl.scan_parquet(tmp_path / "good"), rules=[Rule("large", parse("amount > 100"))], hold=hold)
    plans.append(plan(found.frame))
    assert len(plans) > 12
    assert not [(node, drawn) for drawn in plans for node in FORBIDDEN if node in drawn]
