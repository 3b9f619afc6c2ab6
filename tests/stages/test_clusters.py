"""Clusters as `segment` adds them: equal customers together, ids and order nothing, models applied, null where there are none."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from clm import schemes
from clm.errors import ConfigError
from clm.outcome import Outcome
from clm.settings import RfmSettings
from clm.stages.rfm import rfm
from clm.stages.segment import segment
from clm.stages.segment.clusters import COLUMNS, lines, with_clusters
from tests.logs import invented, transactions


def customers_of(log: pl.DataFrame) -> pl.DataFrame:
    return rfm(log.lazy(), RfmSettings()).frame.lazy().collect()


@pytest.fixture(scope="module")
def base() -> pl.DataFrame:
    """160 customers, each there twice under another name, and one who only returned."""
    log = invented(customers=80, orders=9)
    twin = log.with_columns(pl.concat_str(pl.lit("T"), name).alias(name) for name in ("customer_id", "order_id"))
    return customers_of(pl.concat([log, twin, transactions(("X", "x", "2024-03-01", "-5"))]))


def clustered(customers: pl.DataFrame, asked: int | str = 4, learned: dict[str, Any] | None = None) -> Outcome:
    return with_clusters(segment(customers, schemes.load("grid")[0], 5), asked, 0, learned)


def rows(outcome: Outcome) -> pl.DataFrame:
    return outcome.frame.lazy().collect()


def test_equal_customers_are_together_and_returns_alone_are_nowhere(base: pl.DataFrame) -> None:
    """Twins have one cluster; who never bought has none and is not counted."""
    outcome = clustered(base)
    found = rows(outcome)
    assert found.drop("customer_id").filter(orders=0)["cluster"].to_list() == [None]
    assert found.group_by("recency_days", "orders", "spend").agg(pl.col("cluster").n_unique())["cluster"].max() == 1
    table = outcome.metrics["clusters"]["clusters"]
    assert [one["cluster"] for one in table] == [1, 2, 3, 4]
    assert sum(one["customers"] for one in table) == 160
    worth = [one["mean_spend"] for one in table]
    assert worth == sorted(worth, reverse=True)


def test_shuffled_and_renamed_customers_keep_their_clusters(base: pl.DataFrame) -> None:
    """Whose row comes first, and what they are called, does not matter."""
    number = pl.int_range(pl.len()).reverse().cast(pl.String)
    other = base.with_columns(number.alias("customer_id")).sort(pl.col("spend").hash(7))
    numbers = ["recency_days", "orders", "spend", *COLUMNS]
    assert rows(clustered(other)).select(numbers).sort(numbers).equals(rows(clustered(base)).select(numbers).sort(numbers))


def test_a_model_assigns_without_fitting_one_as_many(base: pl.DataFrame) -> None:
    """Applied to its own base: the same clusters; to one customer alone: theirs."""
    made = clustered(base)
    whole = rows(made)
    assert rows(clustered(base, "auto", made.learned)).equals(whole)
    for one in (3, 77, 150):
        alone = rows(clustered(base.slice(one, 1), 4, made.learned))
        assert alone.select(COLUMNS).row(0) == whole.select(COLUMNS).row(one)


def test_a_model_without_clusters_or_with_others_is_refused(base: pl.DataFrame) -> None:
    """78: it holds none, another number, or nonsense."""
    made = clustered(base).learned
    for learned, said in (({}, "holds no clusters"), (made, "holds 4 clusters, 5 are asked"), ({"clusters": {}}, "no axes")):
        with pytest.raises(ConfigError, match=said):
            clustered(base, 5, learned)


def test_no_clusters_leaves_null_and_words(base: pl.DataFrame) -> None:
    """One customer: the columns are there, empty; the notice says why; nothing is learned."""
    outcome = clustered(base.head(1), "auto")
    assert rows(outcome).select(COLUMNS).row(0) == (None, None)
    assert outcome.warnings[-1].code == "clusters_few"
    assert outcome.metrics["clusters"]["k"] is None
    assert "clusters" not in (outcome.learned or {})
    assert outcome.closing.endswith("no clusters")


def test_a_log_without_amounts_clusters_by_recency_and_orders(base: pl.DataFrame) -> None:
    """Money says nothing where there is none; the first cluster orders most."""
    log = invented(customers=80, orders=9).with_columns(pl.lit(None, pl.Decimal(18, 4)).alias("amount"))
    outcome = clustered(customers_of(log), 3)
    table = outcome.metrics["clusters"]["clusters"]
    assert rows(outcome)["cluster"].null_count() == 0
    assert "spend" not in table[0]
    assert table[0]["mean_orders"] == max(one["mean_orders"] for one in table)


def test_an_unstable_number_that_was_asked_for_is_made_and_said(base: pl.DataFrame) -> None:
    """--clusters 9 of 160 customers: made, with the words how stable it is."""
    outcome = clustered(base, 9)
    [trial] = outcome.metrics["clusters"]["choice"]
    assert not trial["stable"]
    assert outcome.warnings[-1].code == "clusters_unstable"
    assert outcome.metrics["clusters"]["k"] == 9
    told = lines(outcome.metrics["clusters"])
    assert told[0].startswith("* 9 clusters: ARI 0.")
    assert told[1].startswith("cluster 1 r")
    assert max(map(len, told)) <= 100


def test_cdnow_shuffled_and_renamed_keeps_its_clusters() -> None:
    """23,570 customers of a real log, ids and order changed: the same cluster each, equal numbers never apart."""
    from clm.ingest import shipped

    lines = [line.split() for line in shipped.cdnow_master().read_text().splitlines()[1:]]
    log = transactions(*((who, f"{who} {day}", f"{day[:4]}-{day[4:6]}-{day[6:]}", amount) for who, day, _, amount in lines))
    number = pl.col("customer_id").cast(pl.Int64)
    renamed = log.sample(fraction=1, shuffle=True, seed=5).with_columns((99_999 - number).cast(pl.String).alias("customer_id"))
    first, second = rows(clustered(customers_of(log), 6)), rows(clustered(customers_of(renamed), 6))
    again = second.select((99_999 - number).alias("id"), *COLUMNS).sort("id")
    assert again.equals(first.select(number.alias("id"), *COLUMNS).sort("id"))
    assert (
        first.select("recency_days", "orders", "spend", "cluster")
        .unique()
        .select("recency_days", "orders", "spend")
        .is_unique()
        .all()
    )
    assert first.group_by("cluster").len()["len"].max() < 23_570 / 2
