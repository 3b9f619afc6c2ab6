"""Clusters of customers by k-means over logarithms: how many are stable, where their centres lie, who belongs to which.
Arrays in, small records out; no customer is known by more than their numbers, and equal numbers are never told apart.

Rows are sorted by their values before anything is fitted, so neither their order nor their ids can matter. How many clusters
there are is asked of a sample of evenly spaced sorted rows: k is stable when k-means on bootstrap samples finds it again
(adjusted Rand index: Hubert & Arabie 1985; stability by resampling: Hennig 2007, Computational Statistics & Data Analysis 52(1))
and the silhouette (Rousseeuw 1987) is near the best of k and its neighbours. The largest such k is taken.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clm.models.fitting import FitError, one_thread

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

MOST = 10  # clusters auto looks at
ARI_MEAN, ARI_LEAST, SILHOUETTE_SLACK = 0.85, 0.6, 0.05
BOOTSTRAPS = 20
SAMPLE, SILHOUETTE_SAMPLE = 10_000, 3_000  # rows
MINI_BATCH_ABOVE = 2_000_000  # rows
NEUTRAL, FAR = 0.1, 1.0  # standard deviations within which a mean has no sign, and from which it has two
_STARTS, _BOOTSTRAP_STARTS = 10, 3
_LEAST, _LARGEST = 1e-60, 1e9  # what logarithms and standard deviations stay within, and distances are finite
_CHUNK = 1 << 18
_BATCH = 1 << 16
_TRANSFORMS = ("asinh", "log1p")


@dataclass(frozen=True)
class Axis:
    """One column as k-means sees it: (transform(value) − mean) ÷ sd. `letter` names it; `better` is −1 where less is better."""

    column: str
    transform: str
    letter: str
    better: int = 1
    mean: float = 0.0
    sd: float = 1.0

    def transformed(self, values: FloatArray) -> FloatArray:
        bare = np.ascontiguousarray(values, dtype=np.float64)
        moved: FloatArray = (np.arcsinh(bare) if self.transform == "asinh" else np.log1p(bare)) + 0.0
        return moved

    def scaled(self, values: FloatArray) -> FloatArray:
        return (self.transformed(values) - self.mean) / self.sd

    def to_json(self) -> dict[str, Any]:
        return {"column": self.column, "transform": self.transform, "mean": self.mean, "sd": self.sd}


@dataclass(frozen=True)
class Clusters:
    """Centres in standard deviations from the base's mean, the most valuable first: cluster 1 is `centres[0]`."""

    axes: tuple[Axis, ...]
    centres: tuple[tuple[float, ...], ...]

    def assign(self, values: FloatArray) -> IntArray:
        """The number (from 1) of the nearest centre of each row of `values` (rows × axes); of equally near ones the first.

        Element by element, so a row's cluster is a function of that row alone.
        """
        found = np.empty(len(values), dtype=np.int32)
        for start in range(0, len(values), _CHUNK):
            part = values[start : start + _CHUNK]
            scaled = [axis.scaled(part[:, place]) for place, axis in enumerate(self.axes)]
            nearest = np.full(len(part), np.inf)
            number = np.zeros(len(part), dtype=np.int32)
            for place, centre in enumerate(self.centres, 1):
                distance = np.zeros(len(part))
                for column, at in zip(scaled, centre, strict=True):
                    distance += np.square(column - at)
                closer = distance < nearest
                number[closer], nearest[closer] = place, distance[closer]
            found[start : start + _CHUNK] = number
        return found

    def names(self) -> list[str]:
        """Each cluster by the signs of its means, + is better than the base's mean: `r+f++m-`.

        0 is within 0.1 standard deviations of it, two signs are one or more away.
        """
        return [
            "".join(f"{axis.letter}{_sign(at * axis.better)}" for axis, at in zip(self.axes, centre, strict=True))
            for centre in self.centres
        ]

    def to_json(self) -> dict[str, Any]:
        return {"axes": [axis.to_json() for axis in self.axes], "centres": [list(centre) for centre in self.centres]}


@dataclass(frozen=True)
class Trial:
    """What was found out about one k on the sample."""

    k: int
    ari_mean: float
    ari_least: float
    silhouette: float
    stable: bool
    near_best: bool
    centres: FloatArray

    def to_json(self) -> dict[str, Any]:
        return {
            "k": self.k,
            "ari_mean": round(self.ari_mean, 6),
            "ari_min": round(self.ari_least, 6),
            "silhouette": round(self.silhouette, 6),
            "stable": self.stable,
            "near_best": self.near_best,
        }


@dataclass(frozen=True)
class Fit:
    """Clusters, or None with a refusal that says why there are none; `trials` is the table the choice was made by."""

    clusters: Clusters | None
    trials: tuple[Trial, ...] = ()
    refusal: FitError | None = None


def read(record: Any, axes: Sequence[Axis]) -> Clusters:
    """Clusters saved by `to_json`, over some of these axes. Raises ValueError when it is anything else."""
    if not isinstance(record, Mapping) or set(record) != {"axes", "centres"}:
        raise ValueError("no axes and centres")
    known = {axis.column: axis for axis in axes}
    found = []
    for one in record["axes"] if isinstance(record["axes"], list) else ():
        if not isinstance(one, Mapping) or set(one) != {"column", "transform", "mean", "sd"} or one["column"] not in list(known):
            raise ValueError("an unknown axis")
        axis = known[one["column"]]
        if (
            one["transform"] != axis.transform
            or not _within(one["mean"], -_LARGEST, _LARGEST)
            or not _within(one["sd"], _LEAST, _LARGEST)
        ):
            raise ValueError("an unusable axis")
        found.append(Axis(axis.column, axis.transform, axis.letter, axis.better, float(one["mean"]), float(one["sd"])))
    centres = record["centres"]
    shaped = isinstance(centres, list) and all(
        isinstance(one, list) and len(one) == len(found) and all(_within(at, -_LARGEST, _LARGEST) for at in one)
        for one in centres
    )
    if not found or not shaped or not centres or len({axis.column for axis in found}) < len(found):
        raise ValueError("unusable centres")
    return Clusters(tuple(found), tuple(tuple(float(at) for at in one) for one in centres))


def fit(values: FloatArray, worth: FloatArray, axes: Sequence[Axis], k: int | None, seed: int) -> Fit:
    """Clusters of `values` (rows × axes), numbered by the mean `worth` of their rows; `k` None: the largest stable number.

    An axis on which all rows are equal tells nothing and is left out.
    """
    order = np.lexsort((worth, *values.T[::-1]))
    ordered = values[order]
    used = [place for place in range(len(axes)) if len(values) and ordered[:, place].min() != ordered[:, place].max()]
    refusal = _too_few(len(values), len(used), k)
    if refusal is not None:
        return Fit(None, refusal=refusal)
    ordered, worth = np.ascontiguousarray(ordered[:, used]), worth[order]
    fitted = tuple(_fitted(axes[place], ordered[:, column]) for column, place in enumerate(used))
    scaled = np.column_stack([axis.scaled(ordered[:, place]).astype(np.float32) for place, axis in enumerate(fitted)])
    import sklearn.cluster  # noqa: F401 - its OpenMP must be loaded to be limited

    with one_thread(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Number of distinct clusters")
        sample = _spaced(scaled, SAMPLE)
        distinct = len(np.unique(sample, axis=0))
        if k is not None and distinct < k:
            text = f"{len(values):,} customers with {distinct:,} different sets of numbers do not make {k} clusters"
            return Fit(None, refusal=FitError("clusters_few", text))
        trials = _trials(sample, [k] if k is not None else range(2, min(MOST, distinct) + 1), seed)
        chosen = trials[0] if k is not None else _chosen(trials)
        if chosen is None:
            text = f"no number of clusters from 2 to {MOST} is stable: another sample of these customers would be cut otherwise"
            return Fit(None, trials, FitError("clusters_unstable", text))
        centres = _whole(scaled, chosen.centres, seed).astype(np.float64)
    found = Clusters(fitted, tuple(tuple(float(at) for at in centre) for centre in centres))
    return Fit(_by_worth(found, ordered, worth), trials)


def _too_few(rows: int, axes: int, k: int | None) -> FitError | None:
    if rows < (k or 3):
        text = f"{rows:,} {'customer does' if rows == 1 else 'customers do'} not make {f'{k} ' if k else ''}clusters"
        return FitError("clusters_few", text)
    return None if axes else FitError("clusters_equal", f"all {rows:,} customers have the same numbers: there are no clusters")


def _fitted(axis: Axis, values: FloatArray) -> Axis:
    moved = axis.transformed(values)
    sd = float(moved.std())
    # two values that differ can have one logarithm; then the axis says nothing, and any scale will do
    return Axis(axis.column, axis.transform, axis.letter, axis.better, float(moved.mean()), sd if sd > 0 else 1.0)


def _spaced(rows: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """At most so many rows, evenly spaced in their order: no dice, and every stretch of the base is there."""
    if len(rows) <= most:
        return rows
    places = (np.arange(most, dtype=np.int64) * 2 + 1) * len(rows) // (2 * most)
    return rows[places]


def _trials(sample: NDArray[np.float32], ks: Sequence[int], seed: int) -> tuple[Trial, ...]:
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    looked = _spaced(np.arange(len(sample), dtype=np.float32), SILHOUETTE_SAMPLE).astype(np.int64)
    found = []
    for k in ks:
        model = _kmeans(sample, k, _STARTS, seed)
        labels = model.labels_
        agreements = []
        for number in range(BOOTSTRAPS):
            drawn = sample[np.random.default_rng([seed, k, number]).integers(0, len(sample), len(sample))]
            enough = len(np.unique(drawn, axis=0)) >= k
            again = _kmeans(drawn, k, _BOOTSTRAP_STARTS, seed).predict(sample) if enough else None
            agreements.append(float(adjusted_rand_score(labels, again)) if again is not None else 0.0)
        seen = labels[looked]
        apart = 1 < len(np.unique(seen)) < len(seen)
        silhouette = float(silhouette_score(sample[looked], seen)) if apart else 0.0
        mean, least = math.fsum(agreements) / BOOTSTRAPS, min(agreements)
        stable = mean >= ARI_MEAN and least >= ARI_LEAST
        found.append(Trial(k, mean, least, silhouette, stable, True, model.cluster_centers_))
    return tuple(_beside_neighbours(found))


def _beside_neighbours(trials: Sequence[Trial]) -> list[Trial]:
    """The trials with whether the silhouette is within 0.05 of the best of k − 1, k, k + 1."""
    best = [max(one.silhouette for one in trials[max(0, at - 1) : at + 2]) for at in range(len(trials))]
    near = [one.silhouette >= top - SILHOUETTE_SLACK for one, top in zip(trials, best, strict=True)]
    return [replace(one, near_best=is_near) for one, is_near in zip(trials, near, strict=True)]


def _chosen(trials: Sequence[Trial]) -> Trial | None:
    return max((one for one in trials if one.stable and one.near_best), key=lambda one: one.k, default=None)


def _kmeans(rows: NDArray[np.float32], k: int, starts: int, seed: int) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(n_clusters=k, n_init=starts, random_state=seed, algorithm="lloyd").fit(rows)


def _whole(rows: NDArray[np.float32], centres: FloatArray, seed: int) -> FloatArray:
    """The sample's centres moved to where all rows want them; in mini-batches only above 2 M rows."""
    from sklearn.cluster import KMeans, MiniBatchKMeans

    start = np.ascontiguousarray(centres, dtype=np.float32)
    if len(rows) > MINI_BATCH_ABOVE:
        model: Any = MiniBatchKMeans(len(start), init=start, n_init=1, batch_size=_BATCH, random_state=seed, max_iter=10)
    else:
        model = KMeans(len(start), init=start, n_init=1, random_state=seed, algorithm="lloyd")
    moved: FloatArray = model.fit(rows).cluster_centers_
    return moved


def _by_worth(clusters: Clusters, values: FloatArray, worth: FloatArray) -> Clusters:
    """The same clusters, the most valuable first; a centre nobody is nearest to is left out."""
    numbers = clusters.assign(values) - 1
    size = np.bincount(numbers, minlength=len(clusters.centres))
    total = np.bincount(numbers, weights=worth, minlength=len(clusters.centres))
    filled = [place for place in range(len(size)) if size[place]]
    filled.sort(key=lambda place: (-total[place] / size[place], clusters.centres[place]))
    return Clusters(clusters.axes, tuple(clusters.centres[place] for place in filled))


def _sign(mean: float) -> str:
    if abs(mean) < NEUTRAL:
        return "0"
    return ("+" if mean > 0 else "-") * (2 if abs(mean) >= FAR else 1)


def _within(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
