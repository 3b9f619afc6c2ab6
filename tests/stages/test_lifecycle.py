"""Lifecycle: states by each customer's own rhythm, complete, disjoint and all reachable."""

from __future__ import annotations

from datetime import date
from itertools import product

import polars as pl

from clm import schemes
from clm.settings import RfmSettings
from clm.stages.rfm import rfm
from clm.stages.segment import lifecycle, segment
from clm.tables import LIFECYCLES
from tests.logs import Line, transactions


def told(*cases: tuple[int, int, float | None, int | None, float | None]) -> list[str | None]:
    """The state of customers given as (order days, silence, rhythm, last gap, rhythm before it)."""
    days, silence, rhythm, gap, before = (list(column) for column in zip(*cases, strict=True))
    frame = pl.DataFrame(
        {"order_days": days, "recency_days": silence, "rhythm_days": rhythm, "last_gap_days": gap, "rhythm_before_days": before},
        schema={
            "order_days": pl.Int64, "recency_days": pl.Int32, "rhythm_days": pl.Float64, "last_gap_days": pl.Int32,
            "rhythm_before_days": pl.Float64,
        },
    ).with_columns(orders=pl.col("order_days"))  # fmt: skip
    return frame.select(lifecycle.state())["literal"].to_list()


def by_hand(days: int, silence: int, rhythm: float, gap: int | None, before: float | None) -> set[str]:
    """Every state whose own words fit, each written without looking at the others."""
    quiet = "lost" if silence > 4 * rhythm else "at_risk" if silence > 2 * rhythm else ""
    came_back = days >= 3 and gap is not None and before is not None and gap > 4 * before
    fits = {
        "no_purchase": days == 0,
        "lost": days > 0 and quiet == "lost",
        "at_risk": days > 0 and quiet == "at_risk",
        "won_back": days > 0 and not quiet and came_back,
        "new": days == 1 and not quiet,
        "onboarding": days == 2 and not quiet,
        "growing": days in (3, 4) and not quiet and not came_back,
        "loyal": days >= 5 and not quiet and not came_back,
    }
    return {state for state, holds in fits.items() if holds}


def test_states_are_complete_disjoint_and_all_reached() -> None:
    """Everybody with a rhythm fits the words of exactly one state, at and around every edge; that state is the column's."""
    silences, rhythms, days, gaps = (0, 1, 19, 20, 21, 39, 40, 41, 400), (0.5, 10.0), range(8), (1, 40, 41, 300)
    cases = [
        (n, silence, rhythm, gap if n > 1 else None, rhythm if n > 1 else None)
        for n, silence, rhythm, gap in product(days, silences, rhythms, gaps)
    ]
    states = told(*cases)
    wanted = [by_hand(*case) for case in cases]
    assert all(len(one) == 1 for one in wanted)
    assert [{state} for state in states] == wanted
    assert set(states) == set(LIFECYCLES)


def test_the_day_of_an_order_is_never_a_risk() -> None:
    """Silence of no days is no silence: a brand-new customer is new, whatever the rhythm of the base."""
    states = told(*((n, 0, 0.5, 300 if n > 1 else None, 0.5 if n > 1 else None) for n in range(1, 8)))
    assert states[0] == "new"
    assert not {"at_risk", "lost"} & set(states)


def test_the_same_silence_is_long_for_one_and_short_for_another() -> None:
    """Sixty days: a weekly buyer is lost, a monthly one at risk, a quarterly one loyal."""
    assert told((8, 60, 7.0, 7, 7.0), (8, 60, 29.0, 30, 29.0), (8, 60, 90.0, 90, 90.0)) == ["lost", "at_risk", "loyal"]


def test_who_comes_back_after_a_silence_far_beyond_their_rhythm_is_won_back() -> None:
    """The day before the order they were lost, the day of the order they are won back, with the next order they are not."""
    days: list[Line] = [("A", str(n), day, "5") for n, day in enumerate(("2024-01-01", "2024-01-08", "2024-01-15", "2024-06-01"))]
    days += [("B", f"b{n}", f"2023-0{n}-02", "5") for n in range(1, 8)]
    log = transactions(*days)

    def on(day: str, log: pl.DataFrame = log) -> str:
        found = rfm(log.lazy(), RfmSettings(as_of=date.fromisoformat(day)))
        scheme, _ = schemes.load("grid")
        customers = segment(found.frame.lazy().collect(), scheme, 5).frame.lazy().collect()
        return str(customers.filter(pl.col("customer_id") == "A")["lifecycle"][0])

    assert [on(day) for day in ("2024-01-01", "2024-01-08", "2024-01-15", "2024-05-31", "2024-06-01")] == [
        "new", "onboarding", "growing", "lost", "won_back",
    ]  # fmt: skip
    assert on("2024-06-20", transactions(*days, ("A", "x", "2024-06-20", "5"))) == "loyal"


def test_without_any_second_order_nothing_is_claimed() -> None:
    """Nobody has a rhythm, so lifecycle is empty and a notice says why; without behaviour columns there is no such column."""
    log = transactions(("A", "1", "2024-01-01", "5"), ("B", "2", "2024-03-01", "5"), ("C", "3", "2024-03-01", "-5"))
    scheme, _ = schemes.load("grid")
    outcome = segment(rfm(log.lazy(), RfmSettings()).frame.lazy().collect(), scheme, 5)
    assert outcome.frame.lazy().collect()["lifecycle"].to_list() == [None, None, "no_purchase"]
    assert [notice.code for notice in outcome.warnings] == ["no_rhythm"]
    core = segment(rfm(log.lazy(), RfmSettings(columns="core")).frame.lazy().collect(), scheme, 5)
    assert "lifecycle" not in core.frame.lazy().collect().columns
    assert core.warnings == ()
