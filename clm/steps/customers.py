"""The steps of the stages over customers: `segment`, `churn`, and the columns of a stage that could not be made.

It may not compute: it opens, calls the pure stage, and hands on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm.errors import UsageError
from clm.formats import Emit
from clm.model_file import Model
from clm.outcome import Notice, Outcome
from clm.settings import (
    ChurnSettings,
    CleanSettings,
    CommonSettings,
    SegmentSettings,
    recorded,
)
from clm.steps.step import Step, customers_table, finish, model_of, orders_table, saved, setting_of
from clm.tables import CUSTOMERS

if TYPE_CHECKING:
    from clm.stages.clean.attributes import Attributes
    from clm.storage.publish import Output


def segment(
    source: Path,
    settings: SegmentSettings,
    common: CommonSettings,
    emit: Emit,
    model: Model | None = None,
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """CUSTOMERS -> CUSTOMERS with a segment, a lifecycle and a tier each. `model` is what a run applies; `save` writes one."""
    from clm import schemes
    from clm.schemes import pyramid as pyramids
    from clm.stages import agreement
    from clm.stages import segment as stage
    from clm.stages.segment import attributes, clusters, tiers

    if settings.previous and not settings.tiers:
        raise UsageError("--previous remembers tiers, and there are none", fix="give --tiers too", code="previous")
    scheme, _ = schemes.load(settings.scheme)
    pyramid = pyramids.load(settings.tiers)[0] if settings.tiers else None
    model = model or model_of(settings.model)
    learned = model.of("segment") if model else None
    customers = customers_table(source, CUSTOMERS.needed("rfm"))
    before = customers_table(Path(settings.previous), list(tiers.NEEDS)) if settings.previous else None
    known = _attributes(settings.attributes) if settings.attributes else None

    def compute() -> Outcome:
        base = customers.frame.collect()
        previous = before.frame.select(tiers.NEEDS).collect() if before else None
        agreement.one_day(base, "segment")
        base, matched, notices = attributes.joined(base, known.frame, known.without_id) if known else (base, {}, ())
        found = stage.segment(base, scheme, setting_of(customers, "rfm", "bins", 5), pyramid, previous, learned)
        found = replace(found, metrics=found.metrics | matched, warnings=(*notices, *found.warnings))
        if settings.clusters is not None:
            found = clusters.with_clusters(found, settings.clusters, common.seed, learned)
        return attributes.by(found, settings.by) if settings.by else found

    record = recorded(settings, common) | beside_segment(settings, model, common.seed)
    # the table of the earlier day is no ancestor: chains of months would carry all of each other
    step = finish("segment", compute, record, [customers], emit, compared=[before])
    return saved(step, save)


def beside_segment(settings: SegmentSettings, model: Model | None, seed: int) -> dict[str, Any]:
    """What decides segments and tiers beside the recorded settings: what files of rules and attributes say, the earlier table."""
    from clm import schemes
    from clm.schemes import pyramid as pyramids
    from clm.storage import files

    model = model or model_of(settings.model)
    found: dict[str, Any] = {"scheme": schemes.load(settings.scheme)[1]}
    if settings.tiers:
        found["tiers"] = pyramids.load(settings.tiers)[1]
    for name in ("previous", "attributes"):
        given = getattr(settings, name)
        if given:
            found[name] = f"sha256:{files.sha256_of(Path(given))}"
    if settings.clusters is not None:
        found["seed"] = seed
    return found | ({"model": model.identity} if model else {})


def segment_asks(settings: SegmentSettings) -> set[str]:
    """The stages whose columns the scheme and the tier file ask.

    Raises ConfigError when a file is wrong, as far as that can be told before the table is there: own columns may be carried.
    """
    from clm import schemes
    from clm.dtypes import polars_type
    from clm.schemes import Rules
    from clm.schemes import pyramid as pyramids

    known = {column.name: polars_type(column) for column in CUSTOMERS.columns}
    scheme = schemes.load(settings.scheme)[0]
    names = set(scheme.columns if isinstance(scheme, Rules) else ())
    if isinstance(scheme, Rules) and names <= set(known):
        scheme.lint(known)
    if settings.tiers:
        pyramid = pyramids.load(settings.tiers)[0]
        names |= set(pyramid.columns)
        if set(pyramid.columns) <= set(known):
            pyramid.check(known)
    return {column.stage for column in CUSTOMERS.columns if column.name in names}


def told_segments(step: Step) -> list[str]:
    """The tables of --clusters and --by as lines: how stable each number of clusters is, what each is like; segments by value."""
    from clm.stages.segment import attributes, clusters

    found = step.outcome.metrics.get("clusters")
    return [*(clusters.lines(found) if found else []), *attributes.lines(step.outcome.metrics.get("by", []))]


def explain(source: Path, customer: str, settings: SegmentSettings, common: CommonSettings) -> tuple[dict[str, Any], list[str]]:
    """What put one customer where they are, as a record and as lines of text. Raises DataError for an unknown customer."""
    from clm import schemes
    from clm.schemes import pyramid as pyramids
    from clm.stages.segment import explain as telling

    step = segment(source, settings, common, lambda frame, table, facts: None)
    bins = setting_of(customers_table(source, []), "rfm", "bins", 5)
    pyramid = pyramids.load(settings.tiers)[0] if settings.tiers else None
    scheme = schemes.load(settings.scheme)[0]
    found = telling.record(step.outcome.frame.lazy().collect(), customer, scheme, bins, step.outcome.metrics, pyramid)
    return found, telling.lines(found)


def churn(
    source: Path,
    settings: ChurnSettings,
    common: CommonSettings,
    emit: Emit,
    model: Model | None = None,
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """CUSTOMERS -> CUSTOMERS with churn probability, risk and reasons; in the metrics how long customers stay.

    `model` is what a run applies; `save` writes one.
    """
    from clm.stages import churn as stage
    from clm.stages.churn import contact, early_warning, survival
    from clm.steps.valued import valued

    check_churn(settings)
    model = model or model_of(settings.model)
    learned = model.of("churn") if model else None
    more = [*(["rhythm_days"] if settings.previous else []), *(contact.NEEDS if settings.offer is not None else [])]
    customers = customers_table(source, CUSTOMERS.needed("rfm") + more)
    orders = orders_table(Path(settings.orders)) if settings.orders else None
    before = customers_table(Path(settings.previous), list(early_warning.NEEDS)) if settings.previous else None

    def compute() -> Outcome:
        log = orders.frame if orders else None
        values = valued(customers, log) if settings.offer is not None else None
        found = stage.churn(customers.frame.collect(), log, settings, common.seed, values, learned)
        found = survival.with_survival(found, log)
        return early_warning.with_warnings(found, before.frame.select(early_warning.NEEDS).collect()) if before else found

    record = recorded(settings, common) | beside_churn(settings, model)
    # the table of the earlier day is no ancestor: chains of months would carry all of each other
    return saved(finish("churn", compute, record, [customers, orders], emit, compared=[before]), save)


def check_churn(settings: ChurnSettings) -> None:
    """Raises UsageError when a campaign is only half described."""
    costs = {name: getattr(settings, name) for name in ("offer", "contact", "accept")}
    lacking = [f"--{name}" for name, value in costs.items() if value is None]
    if lacking and len(lacking) < len(costs):
        raise UsageError(
            "--offer, --contact and --accept describe one campaign: all three or none",
            where=f"missing: {', '.join(lacking)}",
            fix="such as --offer 10 --contact 0.50 --accept 20%",
            code="campaign",
        )


def check_previous(given: str, as_of: date) -> None:
    """Raises DataError when a CUSTOMERS file is not of a day before `as_of`."""
    from clm.stages.churn import early_warning

    early_warning.earlier_day(customers_table(Path(given), ["as_of"]).frame.select("as_of").collect(), as_of)


def told_candidates(step: Step) -> list[str]:
    """The table of the churn candidates as lines: how each did on the test window, and how sure the differences are."""
    from clm.stages.churn import telling

    return telling.lines(step.outcome.metrics)


def beside_churn(settings: ChurnSettings, model: Model | None) -> dict[str, Any]:
    """What decides scores and early warnings beside the recorded settings: a saved model, the earlier table, by their hashes."""
    from clm.storage import files

    model = model or model_of(settings.model)
    previous = {"previous": f"sha256:{files.sha256_of(Path(settings.previous))}"} if settings.previous else {}
    return previous | ({"model": model.identity} if model else {})


def as_of(orders: Path, setting: date | str) -> date:
    """The inclusive last day a setting means for a TRANSACTIONS file."""
    from clm.stages import snapshot

    return snapshot.resolve_as_of(snapshot.last_day(orders_table(orders).frame), setting)


def without(stage: str, source: Path, settings: Any, common: CommonSettings, emit: Emit, notice: Notice) -> Step:
    """A clv or churn that this data does not allow: its columns null, with the status that says so."""
    from clm.stages import absent

    customers = customers_table(source, CUSTOMERS.needed("rfm"))
    return finish(
        stage, lambda: absent.absent(stage, customers.frame.collect(), notice), recorded(settings, common), [customers], emit
    )


def _attributes(given: str) -> Attributes:
    from clm import ingest
    from clm.stages.clean.attributes import attributes

    return attributes(ingest.read_text([given], CleanSettings(profile="none")))
