"""`segment`: every customer gets a name by a linted scheme, a state of life by their own rhythm, and a tier when asked.

It may not read files (scheme and tiers come in parsed) or look at anything but the customer's own numbers, what was learned from
the base, and the tiers of an earlier day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from clm.errors import ConfigError
from clm.outcome import Notice, Outcome, Rows, counted
from clm.schemes import Rules, Scheme
from clm.schemes.pyramid import Pyramid
from clm.stages.segment import explain, lifecycle, names, tiers
from clm.tables import LIFECYCLES, NO_PURCHASE

__all__ = ["explain", "lifecycle", "segment", "tiers"]


def segment(
    customers: pl.DataFrame,
    scheme: Scheme,
    bins: int,
    pyramid: Pyramid | None = None,
    previous: pl.DataFrame | None = None,
    learned: Mapping[str, Any] | None = None,
) -> Outcome:
    """CUSTOMERS with `segment`; with `lifecycle` where their rhythm is known; with tiers by `pyramid`.

    Customers without a sale are `no_purchase` and have no tier. `bins` is how finely the scores were cut; `previous` the
    CUSTOMERS of an earlier day whose tiers are remembered; `learned` what this stage learned from another base. Raises DataError
    when the scheme is for other scores or needs a column that is not there or empty, ConfigError when rules or a model do not
    fit. Rules are held against each other before any customer is looked at.
    """
    rhythmic = set(lifecycle.NEEDS) <= set(customers.columns)
    schema = dict(customers.schema) | ({"lifecycle": pl.String()} if rhythmic else {})
    unchecked = scheme.lint(schema) if isinstance(scheme, Rules) else ()
    if pyramid is not None:
        pyramid.check(schema)
    lived, notices = _with_lifecycle(customers) if rhythmic else (customers, ())
    notices += tuple(Notice("scheme_unchecked", f"the scheme {scheme.name}: {what}") for what in unchecked)
    found, means = names.named(lived, scheme, bins, _part(learned, "means") if names.learns(scheme) else None)
    taught: dict[str, Any] = {"means": means} if means else {}
    metrics: dict[str, Any] = {"scheme": scheme.name, "segments": _counts(found, "segment", scheme.codes)}
    if "lifecycle" in found.columns:
        metrics["lifecycle"] = _counts(found, "lifecycle", LIFECYCLES[:-1])
    if scheme.actions:
        metrics["actions"] = scheme.actions
    if means:
        metrics["means"] = {axis: one["sum"] / one["count"] for axis, one in means.items() if one["count"]}
    if pyramid is not None:
        ranked = tiers.ranked(found, pyramid, previous, _part(learned, "tiers"))
        found, taught["tiers"], notices = ranked.customers, ranked.learned, (*notices, *ranked.notices)
        metrics |= ranked.metrics | ({"tier_actions": pyramid.actions} if pyramid.actions else {})
    outcome = Outcome(
        frame=found,
        rows=Rows(rows_in=customers.height, rows_out=found.height),
        as_of=customers["as_of"].max(),  # type: ignore[arg-type]
        metrics=metrics,
        warnings=notices,
        learned=taught or None,
    )
    return replace(outcome, closing=_closing(customers.height, metrics))


def _with_lifecycle(customers: pl.DataFrame) -> tuple[pl.DataFrame, tuple[Notice, ...]]:
    """The state of each customer, from a table that says their rhythm; nothing is claimed where it does not."""
    found = customers.with_columns(lifecycle.state().alias("lifecycle"))
    unknown = found["lifecycle"].null_count()
    text = "nobody ordered on a second day, so no rhythm is known: lifecycle is empty for those who bought"
    return found, (Notice("no_rhythm", text),) if unknown else ()


def _part(learned: Mapping[str, Any] | None, name: str) -> Any:
    """What a model holds for a part of this stage. Raises ConfigError when it was made without that part."""
    if learned is None:
        return None
    if name not in learned:
        fix = "make it with the same --scheme and --tiers, or leave out --model"
        raise ConfigError(f"the model holds no {name} of segments", where=f"model, learned.segment.{name}", fix=fix, code="model")
    return learned[name]


def _counts(found: pl.DataFrame, column: str, codes: tuple[str, ...]) -> dict[str, int]:
    """Customers per code in the given order, empty ones too, and those without a purchase last."""
    seen = dict(found.group_by(column).len().iter_rows())
    counts = {code: seen.get(code, 0) for code in codes}
    return counts | ({NO_PURCHASE: seen[NO_PURCHASE]} if NO_PURCHASE in seen else {})


def _closing(customers: int, metrics: dict[str, Any]) -> str:
    counts = metrics["segments"]
    filled = {code: number for code, number in counts.items() if code != NO_PURCHASE and number}
    largest = max(filled, key=lambda code: filled[code], default=None)
    parts = [f"{counted(customers, 'customer')} in {counted(len(filled), 'segment')}"]
    if largest:
        parts.append(f"the largest {largest} ({counts[largest]:,})")
    if NO_PURCHASE in counts:
        parts.append(f"{counts[NO_PURCHASE]:,} without a purchase")
    if "tiers" in metrics:
        moves = metrics["tier_moves"]
        parts.append(
            f"tiers: {moves['promoted']:,} promoted, {moves['demoted']:,} demoted, {moves['first']:,} for the first time"
        )
    return ", ".join(parts)
