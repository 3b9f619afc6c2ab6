"""Clusters beside the segments: k-means over recency, orders and spend, numbered by value and named by the signs of their means.

It may not know how k-means works, or leave a customer without a sale anywhere but out. Centres learned from one base are applied
to another without fitting; a base that has no clusters gets none, and the words why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl

from clm.errors import ConfigError
from clm.models import cluster
from clm.models.cluster import Axis, Clusters
from clm.outcome import Notice, Outcome, counted, money_text

COLUMNS = ("cluster", "cluster_name")
AUTO = "auto"
# what customers are near or far by; money is left out where the log has none
AXES = (Axis("recency_days", "log1p", "r", better=-1), Axis("orders", "log1p", "f"), Axis("spend", "asinh", "m"))
_BOUGHT = pl.col("orders") > 0


def with_clusters(outcome: Outcome, asked: int | str, seed: int, learned: Mapping[str, Any] | None = None) -> Outcome:
    """The outcome of `segment` with `cluster` (1 = most valuable) and `cluster_name`, null without a sale or without clusters.

    `asked` is how many, or `auto`; `learned` what this stage learned from another base, of which `clusters` is applied. What is
    fitted joins `learned`, the table of the choice and of the clusters `metrics.clusters`. Raises ConfigError for a model that
    does not fit.
    """
    customers = outcome.frame.lazy().collect().drop(*COLUMNS, strict=False)
    axes = [axis for axis in AXES if axis.column != "spend" or customers["spend"].count() or learned is not None]
    metrics: dict[str, Any] = {"asked": asked}
    notices: tuple[Notice, ...] = ()
    if learned is not None:
        found: Clusters | None = _checked(learned, asked)
    else:
        known = _known(customers, axes)
        values = known.select(pl.col(axis.column).cast(pl.Float64) for axis in axes).to_numpy()
        worth = known["spend" if len(axes) == len(AXES) else "orders"].cast(pl.Float64).to_numpy()
        made = cluster.fit(values, worth, axes, asked if isinstance(asked, int) else None, seed)
        found, metrics["choice"] = made.clusters, [trial.to_json() for trial in made.trials]
        if made.refusal is not None:
            notices = (Notice(made.refusal.code, f"no clusters: {made.refusal.sentence}"),)
        elif not made.trials[-1].stable and asked != AUTO:
            trial = made.trials[-1]
            agreed = f"{trial.ari_mean:.2f} on average, {trial.ari_least:.2f} at worst"
            text = f"{asked} clusters are not stable: on samples of these customers the partition agrees {agreed}"
            notices = (Notice("clusters_unstable", text),)
    clustered = _assigned(customers, found)
    metrics |= {"k": len(found.centres) if found else None, "clusters": _table(clustered, found)}
    if found is not None:
        left = clustered.filter(_BOUGHT & pl.col("cluster").is_null()).height
        if left:
            notices += (Notice("clusters_left_out", f"{counted(left, 'customer')} without one of the numbers: in no cluster"),)
    taught = {"clusters": found.to_json()} if found is not None else {}
    said = f"{len(found.centres)} clusters" if found is not None else "no clusters"
    return replace(
        outcome,
        frame=clustered,
        metrics=outcome.metrics | {"clusters": metrics},
        warnings=(*outcome.warnings, *notices),
        learned=((outcome.learned or {}) | taught) or None,
        closing=f"{outcome.closing}, {said}",
    )


def lines(metrics: Mapping[str, Any]) -> list[str]:
    """`metrics.clusters` as text: the table the number was chosen by, and the clusters."""
    found = []
    for trial in metrics.get("choice", ()):
        words = [word for word, holds in (("stable", trial["stable"]), ("near the best silhouette", trial["near_best"])) if holds]
        numbers = f"ARI {trial['ari_mean']:.2f}, at worst {trial['ari_min']:.2f}, silhouette {trial['silhouette']:.2f}"
        mark = "*" if trial["k"] == metrics["k"] else " "
        found.append(f"{mark}{trial['k']:>2} clusters: {numbers}" + (f" ({', '.join(words)})" if words else ""))
    for one in metrics["clusters"]:
        spend = f", spend {one['mean_spend']:,.2f}" if one.get("mean_spend") is not None else ""
        mean = (
            f"; mean {one['mean_recency_days']:.0f} days silent, {one['mean_orders']:.1f} orders{spend}"
            if one["customers"]
            else ""
        )
        found.append(f"cluster {one['cluster']} {one['name']}: {counted(one['customers'], 'customer')}{mean}")
    return found


def _checked(learned: Mapping[str, Any], asked: int | str) -> Clusters:
    """The clusters of a model. Raises ConfigError when it has none, or others than asked."""
    if "clusters" not in learned:
        fix = "make it with the same --clusters, or leave out --model"
        raise ConfigError("the model holds no clusters", where="model, learned.segment.clusters", fix=fix, code="model")
    found = from_json(learned["clusters"])
    if isinstance(asked, int) and asked != len(found.centres):
        what = f"the model holds {len(found.centres)} clusters, {asked} are asked for"
        raise ConfigError(what, where="--clusters", fix="give --clusters auto with this model", code="model")
    return found


def from_json(document: Any) -> Clusters:
    """The clusters of a model by themselves. Raises ConfigError when they are none."""
    try:
        return cluster.read(document, AXES)
    except ValueError as error:
        fix = "make it with --save-model"
        raise ConfigError(
            f"the model's clusters have {error}", where="learned.segment.clusters", fix=fix, code="model"
        ) from error


def _known(customers: pl.DataFrame, axes: list[Axis] | tuple[Axis, ...]) -> pl.DataFrame:
    """Buyers with every number the axes ask."""
    return customers.filter(_BOUGHT).drop_nulls([axis.column for axis in axes])


def _assigned(customers: pl.DataFrame, found: Clusters | None) -> pl.DataFrame:
    if found is None:
        return customers.with_columns(pl.lit(None, pl.Int32).alias("cluster"), pl.lit(None, pl.String).alias("cluster_name"))
    place = pl.int_range(pl.len(), dtype=pl.Int64).alias("place")
    known = _known(customers.with_columns(place), found.axes)
    values = known.select(pl.col(axis.column).cast(pl.Float64) for axis in found.axes).to_numpy()
    numbers = known.select("place", pl.Series("cluster", found.assign(values), dtype=pl.Int32))
    names = pl.col("cluster").replace_strict(dict(enumerate(found.names(), 1)), return_dtype=pl.String)
    joined = customers.with_columns(place).join(numbers, on="place", how="left", maintain_order="left")
    return joined.drop("place").with_columns(names.alias("cluster_name"))


def _table(clustered: pl.DataFrame, found: Clusters | None) -> list[dict[str, Any]]:
    """Each cluster with its customers, their share, spend and means; exact, whatever the order of the rows."""
    if found is None:
        return []
    sums = clustered.drop_nulls("cluster").group_by("cluster").agg(
        pl.len().alias("customers"), pl.col("spend").sum(), pl.col("orders").sum(), pl.col("recency_days").cast(pl.Int64).sum()
    )  # fmt: skip
    rows = {row["cluster"]: row for row in sums.iter_rows(named=True)}
    whole = sum(row["customers"] for row in rows.values())
    money = clustered["spend"].count() > 0
    table = []
    for number, name in enumerate(found.names(), 1):
        row = rows.get(number, {"customers": 0, "spend": Decimal(0), "orders": 0, "recency_days": 0})
        n = row["customers"]
        one = {"cluster": number, "name": name, "customers": n, "share": n / whole if whole else None}
        one |= {f"mean_{column}": row[column] / n if n else None for column in ("recency_days", "orders")}
        if money:
            one |= {"spend": money_text(row["spend"]), "mean_spend": float(row["spend"]) / n if n else None}
        table.append(one)
    return table
