"""One function per stage: open its inputs, call the pure stage, hand the result to whoever writes it. 463 lines: eight stages.

It may not parse options, print or decide what is stale: the shell and the pipeline share these steps and do that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm import cuts_file, model_file
from clm.errors import DataError, UsageError
from clm.formats import Emit
from clm.model_file import Model
from clm.outcome import Amount, Notice, Outcome, Rows, counted
from clm.settings import (
    ChurnSettings,
    CleanSettings,
    ClvSettings,
    CommonSettings,
    ReportSettings,
    RfmSettings,
    SegmentSettings,
    recorded,
)
from clm.tables import CUSTOMERS, METRICS, MIGRATION, REJECTS, TRANSACTIONS, Table

if TYPE_CHECKING:
    import polars as pl

    from clm.stages.clean.attributes import Attributes
    from clm.stages.migrate import Made
    from clm.storage.facts import Facts
    from clm.storage.files import Opened
    from clm.storage.publish import Output


_COMPARED = ("customer_id", "as_of", "spend")  # what two tables of customers must have to be held against each other


@dataclass(frozen=True)
class Step:
    """What one step did: the outcome, the facts of its file, and what was written."""

    outcome: Outcome
    facts: Facts
    outputs: tuple[Output, ...]

    @property
    def source_facts(self) -> dict[str, Any]:
        """The facts of the file the step read, with its ancestors: what a report is about."""
        *older, newest = self.facts.ancestors or [{}]
        return newest | {"ancestors": older}

    def to_json(self) -> dict[str, Any]:
        """The `--json` object."""
        record = self.facts.to_json()
        kept = ("schema", "stage", "as_of", "rows", "amount", "settings", "metrics", "warnings")
        found = {key: record[key] for key in kept if key in record}
        return found | {"outputs": [output.to_json() for output in self.outputs]}


def clean(
    inputs: Sequence[str | Path],
    rejects: Emit | None,
    settings: CleanSettings,
    common: CommonSettings,
    emit: Emit,
    scratch: Path,
    names: Mapping[Path, str] | None = None,
    targets: Sequence[Path] = (),
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """Foreign files -> TRANSACTIONS. The rejects are written even when the data is refused (65).

    `names` are the names to show for spooled inputs, which have none of their own; `targets` where the outputs will go, which
    may be no input; `save` writes the profile of how the log was read.
    """
    import polars as pl

    from clm import ingest
    from clm.stages import clean as stage
    from clm.storage import facts as footers
    from clm.storage import files, publish

    log = ingest.read_text(inputs, settings, names, scratch)
    files.keep_inputs([part.source.path for part in log.files], targets)
    record = recorded(settings, common) | ingest.recorded(settings)
    settings = log.settings
    reading = ingest.understand(log, settings)
    profile = ingest.saved(log, reading).encode() if save is not None else None
    spool = scratch / "judged.parquet"
    publish.sink_spool(stage.judge(log.frame, reading, settings), spool)
    settled = stage.settle(pl.scan_parquet(spool, glob=False), reading, settings)
    lineage = footers.sources(log.sources)
    outputs = []
    if rejects is not None:
        facts = footers.of_outcome(settled.outcome, REJECTS, "clean", record, lineage)
        outputs.append(rejects(settled.rejects, REJECTS, facts))
    if settled.refusal is not None:
        raise settled.refusal
    facts = footers.of_outcome(settled.outcome, TRANSACTIONS, "clean", record, lineage)
    outputs.insert(0, emit(settled.outcome.frame, TRANSACTIONS, facts))
    if save is not None and profile is not None:
        outputs.append(save(profile))
    return Step(settled.outcome, facts, tuple(output for output in outputs if output is not None))


def rfm(
    source: Path,
    settings: RfmSettings,
    common: CommonSettings,
    emit: Emit,
    model: Model | None = None,
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """TRANSACTIONS -> CUSTOMERS with core and behaviour columns and scores. `model` is what a run applies; `save` writes one."""
    from clm.stages import rfm as stage

    cuts = cuts_file.load(settings.cuts)[0] if settings.cuts else None
    model = model or _model(settings.model)
    given = stage.Given(cuts, model.of("rfm") if model else None)
    orders = _orders(source)
    record = recorded(settings, common) | beside_rfm(settings, model)
    step = _finish("rfm", lambda: stage.rfm(orders.frame, settings, given), record, [orders], emit)
    return _saved(step, save)


def beside_rfm(settings: RfmSettings, model: Model | None) -> dict[str, Any]:
    """What decides the scores beside the recorded settings: what the files of cut-offs say, by their hash."""
    model = model or _model(settings.model)
    cuts = {"cuts": cuts_file.load(settings.cuts)[1]} if settings.cuts else {}
    return cuts | ({"model": model.identity} if model else {})


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
    from clm.stages import segment as stage
    from clm.stages import snapshot
    from clm.stages.segment import attributes, clusters, tiers

    if settings.previous and not settings.tiers:
        raise UsageError("--previous remembers tiers, and there are none", fix="give --tiers too", code="previous")
    scheme, _ = schemes.load(settings.scheme)
    pyramid = pyramids.load(settings.tiers)[0] if settings.tiers else None
    model = model or _model(settings.model)
    learned = model.of("segment") if model else None
    customers = _customers(source, CUSTOMERS.needed("rfm"))
    before = _customers(Path(settings.previous), list(tiers.NEEDS)) if settings.previous else None
    known = _attributes(settings.attributes) if settings.attributes else None

    def compute() -> Outcome:
        base = customers.frame.collect()
        previous = before.frame.select(tiers.NEEDS).collect() if before else None
        snapshot.one_day(base, "segment")
        base, matched, notices = attributes.joined(base, known.frame, known.without_id) if known else (base, {}, ())
        found = stage.segment(base, scheme, _setting_of(customers, "rfm", "bins", 5), pyramid, previous, learned)
        found = replace(found, metrics=found.metrics | matched, warnings=(*notices, *found.warnings))
        if settings.clusters is not None:
            found = clusters.with_clusters(found, settings.clusters, common.seed, learned)
        return attributes.by(found, settings.by) if settings.by else found

    record = recorded(settings, common) | beside_segment(settings, model, common.seed)
    # the table of the earlier day is no ancestor: chains of months would carry all of each other
    step = _finish("segment", compute, record, [customers], emit)
    return _saved(step, save)


def beside_segment(settings: SegmentSettings, model: Model | None, seed: int) -> dict[str, Any]:
    """What decides segments and tiers beside the recorded settings: what files of rules and attributes say, the earlier table."""
    from clm import schemes
    from clm.schemes import pyramid as pyramids
    from clm.storage import files

    model = model or _model(settings.model)
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


def told_clusters(step: Step) -> list[str]:
    """The tables of --clusters as lines: how stable each number of them is, and what each cluster is like."""
    from clm.stages.segment import clusters

    found = step.outcome.metrics.get("clusters")
    return clusters.lines(found) if found else []


def explain(source: Path, customer: str, settings: SegmentSettings, common: CommonSettings) -> tuple[dict[str, Any], list[str]]:
    """What put one customer where they are, as a record and as lines of text. Raises DataError for an unknown customer."""
    from clm import schemes
    from clm.schemes import pyramid as pyramids
    from clm.stages.segment import explain as telling

    step = segment(source, settings, common, lambda frame, table, facts: None)
    bins = _setting_of(_customers(source, []), "rfm", "bins", 5)
    pyramid = pyramids.load(settings.tiers)[0] if settings.tiers else None
    scheme = schemes.load(settings.scheme)[0]
    found = telling.record(step.outcome.frame.lazy().collect(), customer, scheme, bins, step.outcome.metrics, pyramid)
    return found, telling.lines(found)


def clv(source: Path, settings: ClvSettings, common: CommonSettings, emit: Emit) -> Step:
    """CUSTOMERS -> CUSTOMERS with expected orders, spend and value."""
    from clm.stages import clv as stage

    customers = _customers(source, CUSTOMERS.needed("rfm"))
    orders = _orders(Path(settings.orders)) if settings.orders else None

    def compute() -> Outcome:
        return stage.clv(customers.frame.collect(), orders.frame if orders else None, settings, common.seed)

    return _finish("clv", compute, recorded(settings, common), [customers, orders], emit)


def churn(source: Path, settings: ChurnSettings, common: CommonSettings, emit: Emit) -> Step:
    """CUSTOMERS -> CUSTOMERS with churn probability, risk and reasons."""
    from clm.stages import churn as stage

    customers = _customers(source, CUSTOMERS.needed("rfm"))
    orders = _orders(Path(settings.orders)) if settings.orders else None

    def compute() -> Outcome:
        return stage.churn(customers.frame.collect(), orders.frame if orders else None, settings, common.seed)

    return _finish("churn", compute, recorded(settings, common), [customers, orders], emit)


def as_of(orders: Path, setting: date | str) -> date:
    """The inclusive last day a setting means for a TRANSACTIONS file."""
    from clm.stages import snapshot

    return snapshot.resolve_as_of(snapshot.last_day(_orders(orders).frame), setting)


def without(stage: str, source: Path, settings: Any, common: CommonSettings, emit: Emit, notice: Notice) -> Step:
    """A clv or churn that this data does not allow: its columns null, with the status that says so."""
    from clm.stages import absent

    customers = _customers(source, CUSTOMERS.needed("rfm"))
    return _finish(
        stage, lambda: absent.absent(stage, customers.frame.collect(), notice), recorded(settings, common), [customers], emit
    )


def migrate(earlier: Path, later: Path, settings: Any, common: CommonSettings, emit: Emit) -> Step:
    """Two CUSTOMERS -> MIGRATION: who moved, and in the metrics a matrix for each thing they can move in."""
    from clm.stages import migrate as stage

    before, after = (_customers(path, list(_COMPARED)) for path in (earlier, later))

    def compute() -> Outcome:
        return stage.migrate(before.frame.collect(), after.frame.collect(), _made(before), _made(after))

    return _finish("migrate", compute, recorded(settings, common), [after, before], emit, MIGRATION)


def _made(opened: Opened) -> Made:
    """How segments, tiers and clusters of a table were made, from the facts that travel in the file."""
    from clm.stages.migrate import Made

    records = [one for one in opened.lineage if one.get("stage") == "segment"]
    record = records[-1] if records else {}
    settings, metrics = record.get("settings", {}), record.get("metrics", {})
    orders = {
        of: list(metrics[name])
        for of, name in (("segment", "segments"), ("tier", "tiers"))
        if isinstance(metrics.get(name), dict)
    }
    rests = {
        "segment": settings.get("scheme"),
        "tier": settings.get("tiers"),
        "cluster": (record.get("learned") or {}).get("clusters"),
    }
    return Made(orders, rests, opened.facts.currency if opened.facts else None)


def render_migration(step: Step) -> list[str]:
    """A migrate step's matrices as lines of text, 80 columns wide at most."""
    from clm.report import matrices

    return matrices.lines(step.outcome.metrics, step.facts.currency)


def report(source: Path, settings: ReportSettings, common: CommonSettings, emit: Emit) -> Step:
    """CUSTOMERS -> METRICS: every number of the report; `render` turns them into a document."""
    from clm.report import metrics
    from clm.stages import migrate as stage
    from clm.stages import snapshot

    customers = _customers(source, CUSTOMERS.needed("rfm"))
    orders = _orders(Path(settings.orders)) if settings.orders else None
    before = _customers(Path(settings.previous), list(_COMPARED)) if settings.previous else None

    def compute() -> Outcome:
        base = customers.frame.collect()
        day = snapshot.one_day(base, "report")
        known = {record.get("sha256") for record in customers.lineage}
        if orders is not None and day is not None and orders.sha256 not in known:
            snapshot.reconciled(base, orders.frame, day)  # not the file the table came from: it must at least say the same
        moved = stage.migrate(before.frame.collect(), base, _made(before), _made(customers)) if before else None
        facts = customers.facts.to_json() if customers.facts else {}
        numbers = metrics.compute(base, facts, orders.frame if orders else None, moved.metrics if moved else None)
        closing = f"{counted(numbers.height, 'number')} from {customers.name}"
        rows, warnings = Rows(base.height, numbers.height), moved.warnings if moved else ()
        return Outcome(numbers, rows, as_of=metrics.as_of(numbers), warnings=warnings, closing=closing)

    record = recorded(settings, common) | beside_report(settings)
    return _finish("report", compute, record, [customers, orders], emit, METRICS)


def beside_report(settings: ReportSettings) -> dict[str, Any]:
    """What decides the numbers beside the recorded settings: the earlier table, by its hash."""
    from clm.storage import files

    return {"previous": f"sha256:{files.sha256_of(Path(settings.previous))}"} if settings.previous else {}


DOCUMENTS = (".html", ".json", ".md")


def render(step: Step, suffix: str, lang: str) -> bytes:
    """A report step's numbers as a document: .html, .json or .md."""
    from clm.report import document, page

    draw = {".html": page.render, ".json": document.to_json, ".md": document.to_markdown}[suffix]
    return draw(step.outcome.frame.lazy().collect(), step.source_facts, lang).encode()


def render_text(step: Step, lang: str, width: int, colour: bool) -> str:
    """A report step's numbers as a page for the terminal."""
    from clm.report import terminal

    return terminal.render(step.outcome.frame.lazy().collect(), step.source_facts, lang, width, colour)


def model_document(facts: Facts) -> bytes:
    """What the chain learned, gathered from the footers, as one small JSON document (`model.json`)."""
    learned = {one["stage"]: one["learned"] for one in [*facts.ancestors, facts.to_json()] if one.get("learned")}
    return model_file.to_bytes(learned, facts.as_of)


def _model(setting: str | None) -> Model | None:
    return model_file.read(setting) if setting else None


def _saved(step: Step, save: Callable[[bytes], Output] | None) -> Step:
    """The step with the model file beside its table. Raises DataError when nothing was learned."""
    if save is None:
        return step
    if not step.facts.learned:
        raise DataError(
            "nothing was learned from this table, so there is no model to save",
            fix="leave out --save-model, or give data with purchases",
            code="nothing_learned",
        )
    return replace(step, outputs=(*step.outputs, save(model_document(step.facts))))


def _attributes(given: str) -> Attributes:
    from clm import ingest
    from clm.stages.clean.attributes import attributes

    return attributes(ingest.read_text([given], CleanSettings(profile="none")))


def _orders(path: Path) -> Opened:
    from clm.storage import files

    needed = [column.name for column in TRANSACTIONS.columns if not column.optional]
    return files.open_table(path, TRANSACTIONS, needed)


def _customers(path: Path, needed: list[str]) -> Opened:
    from clm.storage import files

    return files.open_table(path, CUSTOMERS, needed)


def _setting_of(opened: Opened, stage: str, name: str, default: Any) -> Any:
    """A setting an ancestor was made with, from the facts that travel in the file."""
    records = [one for one in opened.lineage if one.get("stage") == stage]
    return records[-1].get("settings", {}).get(name, default) if records else default


def _carried(customers: pl.DataFrame | pl.LazyFrame) -> Amount | None:
    """The money a customer stage passes through: what came in goes out."""
    spend = customers.lazy().select("spend").collect()["spend"]
    total = spend.sum()
    return Amount(total, total) if spend.count() and isinstance(total, Decimal) else None


def _finish(
    stage: str,
    compute: Callable[[], Outcome],
    settings: dict[str, Any],
    parents: Sequence[Opened | None],
    emit: Emit,
    table: Table = CUSTOMERS,
) -> Step:
    """Compute, give the outcome its facts (lineage, currency and zone, what the readers noticed), and have it written."""
    from clm.storage import facts as footers
    from clm.storage import files

    opened = [parent for parent in parents if parent is not None]
    with files.blaming_damage(opened):
        outcome = compute()
    inherited = next((parent.facts for parent in opened if parent.facts is not None), None)
    notices: tuple[Notice, ...] = tuple(notice for parent in opened for notice in parent.notices)
    outcome = replace(
        outcome,
        warnings=(*notices, *outcome.warnings),
        amount=outcome.amount or (_carried(outcome.frame) if table is CUSTOMERS else None),
        currency=outcome.currency or (inherited.currency if inherited else None),
        zone=outcome.zone or (inherited.zone if inherited else None),
    )
    lineage = footers.merge(parent.lineage for parent in opened)
    facts = footers.of_outcome(outcome, table, stage, settings, lineage)
    written = emit(outcome.frame, table, facts)
    return Step(outcome, facts, (written,) if written is not None else ())
