"""rfm with what was not fitted here: cut-offs of a file, a saved model, weights, carried columns; and what changes no score."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from clm.errors import ConfigError, UsageError
from clm.outcome import Outcome
from clm.settings import RfmSettings
from clm.stages.rfm import Given, rfm
from clm.tables import BEHAVIOUR
from tests.logs import invented
from tests.stages.test_behaviour import generated

ALL = RfmSettings(as_of=date(2024, 12, 31), weights=(("r", 1.0), ("m", 2.0), ("products", 0.5), ("gap_mean_days", 1.0)))


def table(outcome: Outcome) -> pl.DataFrame:
    return outcome.frame.lazy().collect()


def learned(outcome: Outcome) -> Given:
    assert outcome.learned is not None
    return Given(learned=outcome.learned)


def test_core_columns_leave_behaviour_out() -> None:
    """--columns core is the core and the scores; all is the default; the core is the same in both."""
    core, everything = (table(rfm(invented().lazy(), RfmSettings(columns=columns))) for columns in ("core", "all"))
    assert not {column.name for column in BEHAVIOUR} & set(core.columns)
    assert_frame_equal(everything.select(core.columns), core)


@given(st.integers(0, 10_000), st.integers(5, 60))
@effort(max_examples=15)
def test_what_was_learned_gives_the_same_table(seed: int, lines: int) -> None:
    """Applying a base's own cut-offs to it changes nothing, and is learned again as the same."""
    log = generated(seed, lines).lazy()
    fitted = rfm(log, ALL)
    if fitted.learned is None:
        return
    again = rfm(log, ALL, learned(fitted))
    assert_frame_equal(table(again), table(fitted))
    assert again.learned == fitted.learned


@given(st.integers(0, 10_000))
@effort(max_examples=10)
def test_one_customer_alone_is_as_inside_the_base(seed: int) -> None:
    """With the base's model a log of one customer gives that customer's row, scores, rhythm and value included."""
    log = generated(seed, 120)
    fitted = rfm(log.lazy(), ALL)
    inside = table(fitted)
    for row in inside.head(4).iter_rows(named=True):
        alone = rfm(log.filter(pl.col("customer_id") == row["customer_id"]).lazy(), ALL, learned(fitted))
        assert table(alone).row(0, named=True) == row


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
@effort(max_examples=15)
def test_shuffled_lines_and_other_names_change_no_score(seed: int, random: Any) -> None:
    """The order of the lines and the ids of customers and orders decide nothing."""
    log = generated(seed, 150)
    ids = log["customer_id"].unique().sort().to_list()
    names = [f"N{number:03}" for number in range(len(ids))]
    random.shuffle(names)
    renamed = log.sample(fraction=1, shuffle=True, seed=seed).with_columns(
        pl.col("customer_id").replace_strict(ids, names), order_id=pl.lit("x") + pl.col("order_id")
    )
    before = table(rfm(log.lazy(), ALL)).with_columns(pl.col("customer_id").replace_strict(ids, names)).sort("customer_id")
    assert_frame_equal(table(rfm(renamed.lazy(), ALL)), before)


def test_cdnow_is_scored_alike_however_it_is_ordered_and_named() -> None:
    """The whole shipped log, shuffled, with other ids: the same scores; equal customers never differ."""
    from clm.ingest import shipped

    raw = pl.read_csv(shipped.cdnow_master(), has_header=False, infer_schema=False)
    parts = raw.to_series(0).str.strip_chars().str.replace_all(r"\s+", " ").str.split(" ") if raw.width == 1 else None
    if parts is None:
        pytest.skip("the shipped log is of another form")
    log = pl.DataFrame({"customer_id": parts.list.get(0), "when": parts.list.get(1), "money": parts.list.get(-1)}).select(
        "customer_id",
        order_id=pl.col("customer_id") + pl.col("when"),
        ordered_at=pl.col("when").str.to_datetime("%Y%m%d", time_unit="us", strict=False),
        amount=pl.col("money").cast(pl.Decimal(18, 4), strict=False),
        kind=pl.lit("sale"),
    )
    log = log.filter(pl.col("ordered_at").is_not_null())
    other = log.sample(fraction=1, shuffle=True, seed=3).with_columns(customer_id=pl.col("customer_id").str.reverse())
    scores = ["r_score", "f_score", "m_score", "rfm"]
    settings = RfmSettings(as_of=date(1998, 4, 1), columns="core")
    found = table(rfm(log.lazy(), settings))
    again = table(rfm(other.lazy(), settings)).with_columns(pl.col("customer_id").str.reverse()).sort("customer_id")
    assert found.height > 20_000
    assert_frame_equal(again, found)
    assert found.select("recency_days", "orders", "spend", *scores).unique().height == (
        found.select("recency_days", "orders", "spend").unique().height
    )


def test_given_cut_offs_decide() -> None:
    """--cuts fixes a score; the others are fitted; the metrics say which is which."""
    outcome = rfm(invented().lazy(), RfmSettings(bins=3), Given(cuts={"f_score": [2, 4]}))
    rows = table(outcome).select("orders", "f_score").unique().rows()
    assert set(rows) == {(n, 1 + (n >= 2) + (n >= 4)) for n in range(1, 7)}
    assert {score: cuts["from"] for score, cuts in outcome.metrics["cuts"].items()} == {
        "r_score": "fitted",
        "f_score": "file",
        "m_score": "fitted",
    }


def test_rfm_value_is_the_weighted_mean() -> None:
    """(1·r + 2·m + ½·products + 1·gaps) ÷ the weights of the scores a customer has; weighed columns show their score."""
    found = table(rfm(generated(5, 300).lazy(), ALL)).filter(pl.col("orders") > 0)
    for row in found.iter_rows(named=True):
        pairs = [(row["r_score"], 1), (row["m_score"], 2), (row["products_score"], 0.5), (row["gap_mean_days_score"], 1)]
        known = [(score, weight) for score, weight in pairs if score is not None]
        assert row["rfm_value"] == pytest.approx(sum(s * w for s, w in known) / sum(w for _, w in known))
    shortest = found.sort("gap_mean_days", nulls_last=True).row(0, named=True)
    assert shortest["gap_mean_days_score"] == found["gap_mean_days_score"].max()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (RfmSettings(weights=(("spent", 1.0),)), "did you mean spend"),
        (RfmSettings(weights=(("main_channel", 1.0),)), "no number"),
        (RfmSettings(weights=(("products", 1.0),), columns="core"), "leaves out"),
        (RfmSettings(carry=("flag",)), "did you mean flags"),
        (RfmSettings(carry=("customer_id",)), "customers already"),
        (RfmSettings(carry=("flags", "flags")), "twice"),
    ],
)
def test_columns_that_are_not_there_are_2(settings: RfmSettings, says: str) -> None:
    """Unknown, no number, left out, not in the log: refused before anything is computed, with what may be meant."""
    with pytest.raises(UsageError, match=says):
        rfm(invented().lazy(), settings)


def test_given_twice_is_2() -> None:
    """A file of cut-offs and a model cannot both decide."""
    with pytest.raises(UsageError, match="both"):
        rfm(invented().lazy(), RfmSettings(), Given(cuts={"r_score": [1, 2, 3, 4]}, learned={"bins": 5, "scores": {}}))


@pytest.mark.parametrize(
    ("cuts", "says"),
    [
        ({"q_score": [1, 2, 3, 4]}, "not scored"),
        ({"r_score": [1, 2]}, "wrong number"),
        ({"f_score": [1.5, 2, 3, 4]}, "decimals"),
        ({"m_score": [Decimal("1"), "a", 3, 4]}, "no number"),
    ],
)
def test_a_file_that_does_not_fit_is_78(cuts: dict[str, Any], says: str) -> None:
    """A score nobody has, too few cut-offs, the wrong kind of number."""
    with pytest.raises(ConfigError, match=says):
        rfm(invented().lazy(), RfmSettings(), Given(cuts=cuts))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bins": 4}, "--bins says 5"),
        ({"bins": "5"}, "no usable number"),
        ({"scores": None}, "not what rfm learns"),
        ({"more": 1}, "not what rfm learns"),
        ({"scores": {}}, "holds no cut-offs"),
        ({"scores": {"r_score": 3}}, "nothing usable"),
        ({"median_gap_days": 1.5}, "no number of days"),
    ],
)
def test_a_model_that_does_not_fit_is_78(change: dict[str, Any], says: str) -> None:
    """Other bins, a damaged part, a score it does not know: named with the remedy."""
    fitted = rfm(invented().lazy(), RfmSettings())
    assert fitted.learned is not None
    with pytest.raises(ConfigError, match=says) as raised:
        rfm(invented().lazy(), RfmSettings(), Given(learned=fitted.learned | change))
    assert raised.value.fix


def test_a_core_model_is_for_core_columns() -> None:
    """Without a median gap there is no rhythm as inside the base: 78, not another base's."""
    core = RfmSettings(columns="core")
    given_core = learned(rfm(invented().lazy(), core))
    assert table(rfm(invented().lazy(), core, given_core)).height == 40
    with pytest.raises(ConfigError, match="columns core"):
        rfm(invented().lazy(), replace(core, columns="all"), given_core)


def test_an_empty_base_learns_nothing() -> None:
    """No buyers, no cut-offs: nothing to save, and applying a model to it is an empty table."""
    early = RfmSettings(as_of=date(2000, 1, 1))
    assert rfm(invented().lazy(), early).learned is None
    assert table(rfm(invented().lazy(), early, learned(rfm(invented().lazy(), RfmSettings())))).height == 0
