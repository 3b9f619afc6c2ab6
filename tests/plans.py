"""The plans of Polars' streaming engine: which of their nodes gather a whole column, whatever the memory budget says."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

# one of these and a log of 10 GB needs 10 GB
_GATHERING = ("in-memory-map", "columnar-function")


def assert_streams(frame: pl.LazyFrame) -> None:
    """Raises AssertionError when a node of the plan gathers a column."""
    drawn = plan(frame)
    assert not gathering(drawn), f"{', '.join(gathering(drawn))} gathers a whole column:\n{drawn}"


def plan(frame: pl.LazyFrame) -> str:
    """The physical plan as a drawing; `explain` does not show its nodes."""
    drawn = frame.show_graph(plan_stage="physical", engine="streaming", raw_output=True, show=False)
    assert drawn is not None
    assert "label=" in drawn
    return drawn


def gathering(drawn: str) -> list[str]:
    return [node for node in _GATHERING if node in drawn]


def noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every plan that is collected from now on."""
    drawn: list[str] = []
    collect, collect_all = pl.LazyFrame.collect, pl.collect_all

    def one(self: pl.LazyFrame, *args: Any, **options: Any) -> Any:
        drawn.append(plan(self))
        return collect(self, *args, **options)

    def several(frames: list[pl.LazyFrame], **options: Any) -> Any:
        drawn.extend(plan(frame) for frame in frames)
        return collect_all(frames, **options)

    monkeypatch.setattr(pl.LazyFrame, "collect", one)
    monkeypatch.setattr(pl, "collect_all", several)
    return drawn
