"""The plans behind the review flags stay streaming, whatever the log has."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from clm.expressions import Rule, parse
from clm.stages.clean import flags
from tests.plans import gathering, noted, plan
from tests.stages import planted


@pytest.mark.parametrize("name", ["web shop", "till", "days"])
def test_no_plan_gathers_a_whole_column(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the passes nor the result hold a column in memory: with and without products and times of day."""
    planted.log(planted.SHOPS[name], 3_000, 1, planted=24).drop("planted", "event").write_parquet(tmp_path / "good")
    plans = noted(monkeypatch)

    def hold(frame: pl.LazyFrame) -> pl.LazyFrame:
        path = tmp_path / f"held-{len(plans)}"
        plans.append(plan(frame))
        frame.sink_parquet(path)
        return pl.scan_parquet(path, glob=False)

    found = flags.flagged(pl.scan_parquet(tmp_path / "good"), rules=[Rule("large", parse("amount > 100"))], hold=hold)
    plans.append(plan(found.frame))
    assert len(plans) > 12
    assert not [(gathering(drawn), drawn) for drawn in plans if gathering(drawn)]
