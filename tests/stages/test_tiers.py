"""Tiers: edges from shares with ties above, up at once, down only after a stretch below, the same day twice the same."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clm.cli import main
from clm.errors import ConfigError, DataError
from clm.schemes import pyramid
from clm.schemes.pyramid import Pyramid
from clm.stages.segment import tiers

START = date(2024, 1, 31)
THREE = """
column = "spend"
[[tier]]
code = "gold"
at_least = 100
[[tier]]
code = "silver"
at_least = 50
[[tier]]
code = "basic"
"""
PYRAMID = 'column = "spend_90d"\n' + "".join(
    f'[[tier]]\ncode = "{code}"\nshare = "{share}%"\n'
    for code, share in (("diamond", 1), ("gold", 4), ("silver", 15), ("bronze", 60), ("basic", 20))
)


def base(day: date, *spends: float | str | None, **more: Any) -> pl.DataFrame:
    """Customers A, B, … who spent this; None: no sale."""
    return pl.DataFrame(
        {
            "customer_id": [chr(65 + n) for n in range(len(spends))],
            "as_of": [day for _ in spends],
            "orders": [0 if spend is None else 1 for spend in spends],
            "spend": [None if spend is None else Decimal(str(spend)) for spend in spends],
            **more,
        },
        schema_overrides={"customer_id": pl.String, "as_of": pl.Date, "orders": pl.Int64, "spend": pl.Decimal(38, 4)},
    )


def ranked(customers: pl.DataFrame, previous: pl.DataFrame | None = None, text: str = THREE) -> pl.DataFrame:
    return tiers.ranked(customers, pyramid.parse(text, "tiers.toml"), previous).customers


def told(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return frame.select("tier", "tier_since", "tier_below_since", "tier_reason").rows()


def history(*steps: tuple[int, float]) -> list[tuple[Any, ...]]:
    """One customer's tier through (days after the start, spend)."""
    previous = None
    found = []
    for days, spend in steps:
        previous = ranked(base(START + timedelta(days=days), spend), previous)
        found += [(tier, (since - START).days, None if below is None else (below - START).days, why)
                  for tier, since, below, why in told(previous)]  # fmt: skip
    return found


def test_up_at_once_and_down_only_after_two_months_below() -> None:
    """Below 85 % of the edge for 60 days without a break; until then the tier stays, and says since when."""
    assert history((0, 60), (10, 100), (20, 84), (50, 80), (79, 84.99), (80, 84.99)) == [
        ("silver", 0, None, "first"),
        ("gold", 10, None, "promoted"),
        ("gold", 10, 20, "below"),
        ("gold", 10, 20, "below"),
        ("gold", 10, 20, "below"),
        ("silver", 80, None, "demoted"),
    ]


def test_a_day_at_85_percent_starts_the_count_again() -> None:
    """Below the edge but not below 85 % of it is held; the stretch is broken."""
    assert history((0, 100), (10, 84), (60, 85), (70, 84), (100, 84), (130, 84))[1:] == [
        ("gold", 0, 10, "below"),
        ("gold", 0, None, "held"),
        ("gold", 0, 70, "below"),
        ("gold", 0, 70, "below"),
        ("silver", 130, None, "demoted"),
    ]


def test_demotion_stops_at_the_first_tier_one_is_not_below() -> None:
    """From gold with 43 (86 % of silver's edge) to silver, with 42 to basic; there is nothing under the last."""
    assert [history((0, 100), (1, spend), (61, spend))[-1][0] for spend in (43, 42)] == ["silver", "basic"]
    assert history((0, 10), (100, 0), (200, -5))[-1] == ("basic", 0, None, "kept")


def test_a_promotion_forgets_the_stretch_below() -> None:
    """Below silver, then at gold: gold since that day, below nothing."""
    assert history((0, 60), (5, 30), (10, 150))[-1] == ("gold", 10, None, "promoted")


def test_ties_with_the_edge_are_all_above_it() -> None:
    """Top 20 % of ten is two; the third equals the second, so three are in. No order of rows can matter."""
    text = 'column = "spend"\n[[tier]]\ncode = "top"\nshare = "20%"\n[[tier]]\ncode = "rest"\nshare = "80%"\n'
    found = ranked(base(START, 9, 5, 5, 5, 4, 3, 2, 1, 1, 1), text=text)
    assert found["tier"].to_list() == ["top"] * 4 + ["rest"] * 6
    assert ranked(base(START, 7), text=text)["tier"].to_list() == ["top"]
    # a quarter of ten: the third has two above them, fewer than 2.5
    quarter = text.replace("20%", "25%").replace("80%", "75%")
    assert ranked(base(START, *range(10)), text=quarter)["tier"].to_list() == ["rest"] * 7 + ["top"] * 3


def test_a_share_of_the_total_is_not_rounded_down() -> None:
    """A millionth of 300,000.04 is a little more than 0.30: who has 0.30 does not reach it."""
    text = '[[tier]]\ncode = "a"\nall = [{ column = "spend", of_total = "0.0001%" }]\n[[tier]]\ncode = "b"\n'
    assert ranked(base(START, "0.3", "299999.74"), text=text)["tier"].to_list() == ["b", "a"]


def test_everybody_equal_leaves_the_lower_tiers_empty_and_says_so() -> None:
    """Equal customers never differ: all are in the first tier."""
    outcome = tiers.ranked(base(START, 5, 5, 5, 5), pyramid.parse(PYRAMID.replace("spend_90d", "spend"), "x"))
    assert set(outcome.customers["tier"]) == {"diamond"}
    assert [notice.code for notice in outcome.notices] == ["tier_empty"]


def test_contribution_potential_and_history() -> None:
    """Margin, a share of the total, value to come and age; what is empty for somebody lets them not in."""
    text = """
[[tier]]
code = "key"
all = [{ column = "age_days", at_least = 100 }]
any = [{ column = "margin", at_least = 50 }, { column = "spend", of_total = "40%" }, { column = "clv", top = "20%" }]
[[tier]]
code = "rest"
"""
    customers = base(START, 100, 80, 10, 10, 0, None, cost=[Decimal(90), Decimal(20), Decimal(1), Decimal(1), None, None],
                     age_days=[200, 200, 200, 50, 200, None], clv=[1.5, 2.5, 9.5, 9.5, None, None])  # fmt: skip
    customers = customers.with_columns(pl.col("cost").cast(pl.Decimal(38, 4)))
    # A: 40 % of the 200; B: margin 60; C: best clv; D: too young; E: nothing
    assert ranked(customers, text=text)["tier"].to_list() == ["key", "key", "key", "rest", "rest", None]


def test_fewer_may_be_better() -> None:
    """`at_most` is held with the same slack on its other side."""
    text = '[[tier]]\ncode = "fresh"\nall = [{ column = "recency_days", at_most = 100 }]\n[[tier]]\ncode = "stale"\n'
    first = ranked(base(START, 1, 1, 1, recency_days=[100, 100, 101]), text=text)
    assert first["tier"].to_list() == ["fresh", "fresh", "stale"]
    later = ranked(base(START + timedelta(days=30), 1, 1, 1, recency_days=[115, 116, 1]), first, text)
    assert later["tier_reason"].to_list() == ["held", "below", "promoted"]


def test_without_a_sale_there_is_no_tier_and_new_customers_start_afresh() -> None:
    """No purchase: four nulls; who was not in the earlier table, or had no tier there, is there for the first time."""
    first = ranked(base(START, 100, None))
    later = ranked(base(START + timedelta(days=9), 100, 60, 60), first)
    assert told(later) == [
        ("gold", START, None, "kept"), ("silver", date(2024, 2, 9), None, "first"), ("silver", date(2024, 2, 9), None, "first"),
    ]  # fmt: skip
    assert told(first)[1] == (None, None, None, None)


def test_an_edge_below_zero_has_its_slack_below_it() -> None:
    """85 % of −100 is not −85: the slack always lies on the losing side."""
    text = '[[tier]]\ncode = "a"\nall = [{ column = "spend", at_least = -100 }]\n[[tier]]\ncode = "b"\n'
    later = ranked(base(START + timedelta(days=1), -115, -116), ranked(base(START, -100, -100), text=text), text)
    assert later["tier_reason"].to_list() == ["held", "below"]


SPENDS = st.lists(st.integers(0, 150), min_size=6, max_size=6)


@given(st.lists(st.tuples(st.integers(0, 70), SPENDS), min_size=2, max_size=6), st.integers(0, 61))
def test_the_same_day_twice_changes_nothing(steps: list[tuple[int, list[int]]], patience: int) -> None:
    """After any history, running a day once more with its own result as --previous gives the same table."""
    text = f"demote_after_days = {patience}\n{THREE}"
    previous, day = None, START
    for days, spends in steps:
        day += timedelta(days=days)
        once = ranked(base(day, *spends), previous, text)
        assert ranked(base(day, *spends), once, text).equals(once)
        previous = once


@given(st.permutations(range(12)), st.lists(st.integers(0, 5), min_size=12, max_size=12))
def test_order_and_names_do_not_matter_and_equals_are_equal(order: list[int], spends: list[int]) -> None:
    """Shuffled rows: every customer keeps their tier; customers who spent the same are in the same tier."""
    text = PYRAMID.replace("spend_90d", "spend")
    found = ranked(base(START, *spends), text=text)
    shuffled = ranked(base(START, *spends)[order], text=text).sort("customer_id")
    assert shuffled.equals(found)
    assert found.select("spend", "tier").unique().height == found["spend"].n_unique()


def test_edges_are_fitted_once_and_applied_later() -> None:
    """Last quarter's edges, saved as JSON, judge one customer alone as they would have been judged inside the base."""
    plan = pyramid.parse(PYRAMID.replace("spend_90d", "spend"), "x")
    everybody = base(START, *(f"{n * 7 % 23}.{n:02}" for n in range(26)))
    fitted = tiers.ranked(everybody, plan)
    alone = [tiers.ranked(everybody[n], plan, None, fitted.learned).customers["tier"][0] for n in range(26)]
    assert alone == fitted.customers["tier"].to_list()
    assert len(set(alone)) > 2


@pytest.mark.parametrize(
    "spoil",
    [
        {"code": "x"},
        {"all": []},
        {"all": [{"column": "orders", "at_least": "1"}]},
        {"all": [{"column": "spend", "at_least": "nan"}]},
        {"all": [{"column": "spend", "at_most": "1"}]},
        {"all": [{"column": "spend", "at_least": []}]},
        {"any": 3},
    ],
)
def test_a_model_of_other_tiers_is_refused(spoil: dict[str, Any]) -> None:
    """Codes, columns and numbers of a saved model are held against the file."""
    plan = pyramid.parse(THREE, "x")
    learned = tiers.ranked(base(START, 1), plan).learned
    with pytest.raises(ConfigError, match="the model's tiers"):
        tiers.ranked(base(START, 1), plan, None, [learned[0] | spoil, *learned[1:]])
    for whole in (None, [], {}, learned[:2]):
        if whole is not None:
            with pytest.raises(ConfigError, match="the model's tiers"):
                tiers.ranked(base(START, 1), plan, None, whole)


def test_a_table_of_a_later_day_or_of_other_tiers_is_refused() -> None:
    """Memory of the future, or of tiers nobody knows, is no memory."""
    later = ranked(base(START + timedelta(days=1), 5))
    with pytest.raises(DataError, match="is of 2024-02-01, after 2024-01-31"):
        ranked(base(START, 5), later)
    with pytest.raises(DataError, match="does not name: basic"):
        ranked(base(START + timedelta(days=2), 5), later, THREE.replace("basic", "iron"))


def test_a_log_without_amounts_is_told_what_to_ask() -> None:
    """Money that is empty for everybody: 65. Another column that is: a notice, and nobody passes its edges."""
    with pytest.raises(DataError, match="needs spend, which is empty"):
        ranked(base(START, 5, 5).with_columns(spend=pl.lit(None, pl.Decimal(38, 4))))
    text = '[[tier]]\ncode = "a"\nall = [{ column = "clv", top = "20%" }]\n[[tier]]\ncode = "b"\n'
    customers = base(START, 5, 5).with_columns(clv=pl.lit(None, pl.Float64))
    outcome = tiers.ranked(customers, pyramid.parse(text, "x"))
    assert outcome.customers["tier"].to_list() == ["b", "b"]
    assert [notice.code for notice in outcome.notices] == ["tier_empty", "tier_column_empty"]


def moves(tables: list[dict[str, str]]) -> tuple[float, float]:
    """Share of customers whose tier differs from the month before, and share of those moves taken back the month after."""
    pairs = [(a[one], b[one]) for a, b in pairwise(tables) for one in a.keys() & b.keys()]
    thirds = zip(tables, tables[1:], tables[2:], strict=False)
    triples = [(a[one], b[one], c[one]) for a, b, c in thirds for one in a.keys() & b.keys() & c.keys()]
    moved = [(a, c) for a, b, c in triples if a != b]
    return sum(a != b for a, b in pairs) / len(pairs), sum(a == c for a, c in moved) / len(moved)


def test_hysteresis_on_online_retail(shared_data: Path, tmp_path: Path) -> None:
    """Month ends 2011-03 … 2011-11 through the commands: fewer moves, half as many taken back, a rerun changes nothing."""
    raw = shared_data / "online-retail" / "online_retail.csv.gz"
    log = tmp_path / "clean.parquet"
    assert main(["clean", str(raw), "--max-rejects", "30%", "-q", "-o", str(log)]) == 0
    slow = tmp_path / "slow.toml"
    slow.write_text(PYRAMID, "utf-8")
    plain: list[dict[str, str]] = []
    calm: list[dict[str, str]] = []
    previous: list[str] = []
    for month in range(4, 13):
        day = date(2011, month, 1) - timedelta(days=1)
        rfm, out = tmp_path / f"rfm{month}.parquet", tmp_path / f"seg{month}.parquet"
        assert main(["rfm", str(log), "--as-of", str(day), "-q", "-o", str(rfm)]) == 0
        line = ["segment", str(rfm), "--tiers", str(slow), "-q"]
        assert main([*line, *previous, "-o", str(out)]) == 0
        assert main([*line, "-o", str(tmp_path / "plain.parquet")]) == 0
        for path, kept in ((out, calm), (tmp_path / "plain.parquet", plain)):
            kept.append(dict(pl.read_parquet(path, columns=["customer_id", "tier"]).drop_nulls().iter_rows()))
        previous = ["--previous", str(out)]
    again = tmp_path / "again.parquet"
    assert main([*line, *previous, "-o", str(again)]) == 0
    assert pl.read_parquet(again).equals(pl.read_parquet(out))
    (moved, reverted), (calm_moved, calm_reverted) = moves(plain), moves(calm)
    print(f"moved {moved:.1%}, taken back {reverted:.1%}; with memory {calm_moved:.1%}, {calm_reverted:.1%}")
    assert calm_moved < moved
    assert calm_reverted <= reverted / 2


def test_an_empty_table_stays_one() -> None:
    """No customers, no tiers, no error; also with somebody to remember, and with nobody."""
    nobody = ranked(base(START))
    assert (nobody.height, nobody.columns[-4:]) == (0, list(tiers.COLUMNS))
    assert ranked(base(START), ranked(base(START, 5))).height == 0
    assert told(ranked(base(START, 5), nobody)) == [("basic", START, None, "first")]


def test_a_pyramid_is_its_file(tmp_path: Path) -> None:
    """It is known to the footer by the hash of its text."""
    path = tmp_path / "tiers.toml"
    path.write_text(THREE, "utf-8")
    found, identity = pyramid.load(str(path))
    assert isinstance(found, Pyramid)
    assert identity.startswith("sha256:")
