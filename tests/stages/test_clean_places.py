"""Places: what is looked up batch by batch is what a join would say."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.stages.clean import places
from clm.stages.clean.places import AT

_PLACES = st.lists(st.integers(-5, 2**60), unique=True, max_size=30)


@pytest.fixture(params=[0, 500_000])
def most(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Joined and looked up."""
    monkeypatch.setattr(places, "_MOST", request.param)
    return int(request.param)


@given(rows=_PLACES, elsewhere=_PLACES)
def test_law_of_places(rows: list[int], elsewhere: list[int]) -> None:
    """Whatever the order of rows and places, each row has what its own place says, and no row is lost."""
    said = {at: f"said of {at}" for at in [*rows[::2], *elsewhere]}
    told = pl.LazyFrame({AT: list(said), "flags": list(said.values())}, schema={AT: pl.Int64, "flags": pl.String})
    frame = pl.LazyFrame({AT: rows}, schema={AT: pl.Int64})
    found = places.told(frame, told, "flags").collect(engine="streaming")
    assert found.rows() == [(at, said.get(at)) for at in rows]
    marked = places.among(frame, told, "there").collect(engine="streaming")
    assert marked.rows() == [(at, at in said) for at in rows]


def test_as_a_join_says(most: int) -> None:
    """Many batches, filtered before and after: the same as a join, however many places there are."""
    frame = pl.LazyFrame({AT: range(0, 700_000, 2)}).filter(pl.col(AT) % 3 == 0)
    told = pl.LazyFrame({AT: range(699_999, 0, -7)}).with_columns(flags=pl.col(AT).cast(pl.String))
    found = places.told(frame, told, "flags").filter(pl.col("flags").is_not_null()).collect(engine="streaming")
    assert found.equals(frame.join(told, on=AT, maintain_order="left").collect())
    assert found.height == 16_667
