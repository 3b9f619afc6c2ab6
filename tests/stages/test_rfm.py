"""Scores: equal customers get equal scores, the published ones come out, and every line is accounted for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clm.engines.hold import held
from clm.settings import RfmSettings
from clm.stages import scores
from clm.stages.rfm import rfm, scored
from clm.storage.aside import Aside
from tests.logs import invented, transactions
from tests.plans import gathering, noted, plan


def customers(orders: list[int]) -> pl.DataFrame:
    """Customers that differ in their number of orders alone; recency and spend follow it."""
    return pl.DataFrame(
        {
            "customer_id": [str(n) for n in range(len(orders))],
            "orders": orders,
            "recency_days": [100 - n for n in orders],
            "spend": [Decimal(n) for n in orders],
        },
        schema={"customer_id": pl.String, "orders": pl.Int64, "recency_days": pl.Int32, "spend": pl.Decimal(38, 4)},
    )


def with_scores(frame: pl.DataFrame, bins: int) -> pl.DataFrame:
    """The three scores, cut by the frame itself."""
    behind = {"r_score": "recency_days", "f_score": "orders", "m_score": "spend"}
    return scored(frame, {score: scores.fit(frame, column, bins) for score, column in behind.items()})


def f_scores(orders: list[int], bins: int = 5) -> list[int | None]:
    return with_scores(customers(orders), bins)["f_score"].to_list()


def test_one_time_buyers_have_the_worst_frequency_score() -> None:
    """Average ranks would give a shop of one-time buyers a 3: here they are 1 however many they are."""
    assert f_scores([1] * 90 + [2] * 5 + [7] * 5) == [1] * 90 + [5] * 10


def test_scores_of_distinct_values_fill_the_bins() -> None:
    """Ten different customers in five bins are two a bin."""
    assert f_scores(list(range(1, 11))) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_all_equal_is_one_score() -> None:
    """Nobody is worse than anybody: all have 1."""
    assert f_scores([3, 3, 3]) == [1, 1, 1]


def test_more_bins_than_customers() -> None:
    """A lone customer has score 1; two of different value lie apart."""
    assert f_scores([4], bins=9) == [1]
    assert f_scores([1, 2], bins=4) == [1, 3]


def test_customers_without_a_sale_have_no_scores_and_shift_nobody() -> None:
    """They are not ranked: the others' scores are as if they were not there."""
    assert f_scores([0, 0, 0, 0, 1, 2, 3, 4, 5]) == [None] * 4 + [1, 2, 3, 4, 5]
    assert with_scores(customers([0, 1]), 5)["rfm"].to_list() == [None, "111"]


def test_recency_scores_run_the_other_way() -> None:
    """The longer silent, the worse."""
    frame = customers([1, 1]).with_columns(pl.Series("recency_days", [10, 300], dtype=pl.Int32))
    assert with_scores(frame, 2)["r_score"].to_list() == [2, 1]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(2, 9), st.randoms())
def test_equal_values_equal_scores_in_any_order(values: list[int], bins: int, random: object) -> None:
    """A score depends on the value and the base alone: shuffling the base moves nobody, and more is never scored lower."""
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    by_value = dict(zip(values, f_scores(values, bins), strict=True))
    assert [by_value[value] for value in values] == f_scores(values, bins)
    assert [by_value[value] for value in shuffled] == f_scores(shuffled, bins)
    ordered = [by_value[value] for value in sorted(by_value)]
    assert ordered == sorted(ordered)
    assert all(1 <= one <= bins for one in ordered)


def test_the_score_formula_on_whole_numbers() -> None:
    """min(bins, bins·b div n + 1): with n = 7 and 5 bins, b = 0…6 gives 1 1 2 3 3 4 5."""
    assert f_scores([1, 2, 3, 4, 5, 6, 7]) == [1, 1, 2, 3, 3, 4, 5]


def test_without_amounts_the_money_score_is_a_dash() -> None:
    """`54-`: a log of dates still has two scores."""
    outcome = rfm(transactions(("A", "1", "2024-01-01", None), ("B", "2", "2024-01-05", None)).lazy(), RfmSettings())
    assert outcome.frame.lazy().collect()["rfm"].to_list() == ["11-", "31-"]
    assert outcome.amount is None
    assert "no_amounts" in {notice.code for notice in outcome.warnings}


def test_rows_and_money_add_up_to_the_day() -> None:
    """Lines in = lines used + lines after as_of, and the same for money."""
    log = transactions(("A", "1", "2024-01-01", "5"), ("A", "2", "2024-02-01", "7"), ("B", "3", "2024-03-01", "11.5"))
    outcome = rfm(log.lazy(), RfmSettings(as_of=date(2024, 2, 1)))
    assert (outcome.rows.rows_in, outcome.rows.rows_out, outcome.rows.after_as_of) == (3, 1, 1)
    assert outcome.amount is not None
    assert outcome.amount.amount_in == outcome.amount.amount_out + (outcome.amount.after_as_of or 0)
    assert outcome.frame.lazy().collect()["spend"].sum() == outcome.amount.amount_out


@pytest.mark.parametrize("settings", [{"columns": "core"}, {"columns": "all"}, {"columns": "core", "carry": ("flags",)}])
def test_customers_set_aside_on_disk_are_scored_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    """More customers than memory holds go through a file, and no step after it holds them all at once."""
    aside = Aside(tmp_path, 0)
    told, kept = (rfm(invented().lazy(), RfmSettings(**settings), hold=hold) for hold in (aside, held))
    assert [path.name for path in tmp_path.iterdir()] == ["aside-1.parquet"]
    spooled = told.frame.lazy()
    assert_frame_equal(spooled.collect(), kept.frame.lazy().collect())
    assert (told.metrics, told.warnings, told.closing) == (kept.metrics, kept.warnings, kept.closing)
    assert "in-memory-map" not in spooled.show_graph(plan_stage="physical", engine="streaming", raw_output=True, show=False)


def test_a_day_before_the_log_is_an_empty_table() -> None:
    """Nobody had bought yet: no rows, a warning, no error."""
    outcome = rfm(invented().lazy(), RfmSettings(as_of=date(2000, 1, 1)))
    assert outcome.frame.lazy().collect().height == 0
    assert {"no_buyers", "after_as_of"} <= {notice.code for notice in outcome.warnings}


def test_a_day_after_the_log_warns() -> None:
    """Silence between the log's end and the day asked for is not known, and said."""
    outcome = rfm(invented().lazy(), RfmSettings(as_of=date(2030, 1, 1)))
    assert "as_of_after_log" in {notice.code for notice in outcome.warnings}


def test_published_scores_of_the_rfm_package(shared_data: Path) -> None:
    """rfm-orders at 2006-12-31: recency, count, amount and the scores 343 412 323 544 433 of the package's README."""
    raw = pl.read_csv(shared_data / "rfm-orders" / "rfm_data_orders.csv")
    log = raw.select(
        "customer_id",
        order_id=pl.int_range(pl.len()).cast(pl.String),
        ordered_at=pl.col("order_date").str.to_datetime("%Y-%m-%d"),
        amount=pl.col("revenue").cast(pl.Decimal(18, 4)),
        kind=pl.lit("sale"),
    )
    found = rfm(log.lazy(), RfmSettings(as_of=date(2006, 12, 31))).frame.lazy().collect()
    rows = {row["customer_id"]: row for row in found.iter_rows(named=True)}
    published = {
        "Abbey O'Reilly": (205, 6, 472, "343"),
        "Add Senger": (140, 3, 340, "412"),
        "Aden Lesch": (194, 4, 405, "323"),
        "Aden Murphy": (98, 7, 596, "544"),
        "Admiral Senger": (132, 5, 448, "433"),
    }
    for name, expected in published.items():
        row = rows[name]
        assert (row["recency_days"], row["orders"], row["spend"], row["rfm"]) == expected


def test_equal_customers_are_said_to_be_equal() -> None:
    """When a score has one value it says nothing about anybody, and the reader is told."""
    same = [(name, name, "2024-01-01", "5") for name in "ABC"]
    outcome = rfm(transactions(*same).lazy(), RfmSettings())
    assert [notice.text for notice in outcome.warnings if notice.code == "scores_equal"] == [
        "every customer has the same recency_days: r_score is 1 for all and tells nobody apart",
        "every customer has the same orders: f_score is 1 for all and tells nobody apart",
        "every customer has the same spend: m_score is 1 for all and tells nobody apart",
    ]
    assert not [notice for notice in rfm(invented().lazy(), RfmSettings()).warnings if notice.code == "scores_equal"]


def test_score_table_holds_the_cutoffs() -> None:
    """The metrics tell each score's customers and the range behind it; they add up to the buyers."""
    outcome = rfm(invented().lazy(), RfmSettings())
    table = outcome.metrics["scores"]["f"]
    assert sum(row["customers"] for row in table) == outcome.metrics["buyers"] == 40
    assert all(row["from"] <= row["to"] for row in table)


@pytest.mark.parametrize("settings", [{"columns": "core"}, {"columns": "all"}, {"columns": "core", "carry": ("flags",)}])
def test_every_query_over_the_log_streams(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the totals to the customers that are set aside, nothing gathers a column of the log."""
    log = transactions(("A", "1", "2024-01-01", "1"), ("A", "2", "2024-03-01", "-1"), ("B", "3", "2024-02-01", "2"))
    texts = {name: pl.lit("x") for name in ("product_id", "category", "channel", "device")}
    log.with_columns(**texts, cost=pl.col("amount")).write_parquet(tmp_path / "log.parquet")
    plans = noted(monkeypatch)

    def hold(frame: pl.LazyFrame) -> pl.LazyFrame:
        plans.append(plan(frame))
        return held(frame)

    rfm(pl.scan_parquet(tmp_path / "log.parquet"), RfmSettings(**settings, as_of=date(2024, 2, 15)), hold=hold)
    over_the_log = [drawn for drawn in plans if "multi-scan[parquet]" in drawn]
    assert len(over_the_log) > 2
    assert not [(gathering(drawn), drawn) for drawn in over_the_log if gathering(drawn)]
