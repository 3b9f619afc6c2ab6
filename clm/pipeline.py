"""`clm run`: the stages in order, what is stale and why, and the run record. 360 lines: one plan from its start to its record.

It may not compute anything itself: it decides which steps to take, takes them, and writes down what happened after each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from clm import __version__, formats, journal, steps
from clm import record as record_file
from clm.errors import ClmError, DataError, Exit, UsageError
from clm.ingest import sources
from clm.model_file import Model
from clm.outcome import Notice
from clm.record import Entry, Record
from clm.settings import STAGES, CommonSettings, RunSettings, recorded
from clm.storage import files, publish
from clm.tables import CUSTOMERS, METRICS, TRANSACTIONS, Table

# what each stage reads and writes, by name in the folder, and the table whose version its output follows
_READS = {
    "clean": (),
    "rfm": ("clean.parquet",),
    "segment": ("rfm.parquet",),
    "clv": ("segments.parquet", "clean.parquet"),
    "churn": ("clv.parquet", "clean.parquet"),
    "report": ("customers.parquet", "clean.parquet"),
}
# the same when segment asks what clv adds: then it comes after clv
_READS_AFTER_CLV = _READS | {
    "clv": ("rfm.parquet", "clean.parquet"),
    "segment": ("clv.parquet",),
    "churn": ("segments.parquet", "clean.parquet"),
}
_ORDER_AFTER_CLV = ("clean", "rfm", "clv", "segment", "churn", "report")
WRITES = {
    "clean": ("clean.parquet", "rejects.parquet"),
    "rfm": ("rfm.parquet",),
    "segment": ("segments.parquet",),
    "clv": ("clv.parquet",),
    "churn": ("customers.parquet", "model.json"),
    "report": ("report.html", "metrics.parquet"),
}
# stages that can apply what was learned before; the others fit anew, and a run with --model says so
APPLIES = ("rfm", "segment", "clv", "churn")
# what is wrong with a file of the user's, not with the log: no reason to go on without the stage
_STOPS = ("costs_currency", "previous_later", "previous_other")
_TABLE: dict[str, Table] = dict.fromkeys(STAGES, CUSTOMERS) | {"clean": TRANSACTIONS, "report": METRICS}


@dataclass(frozen=True)
class Plan:
    """What a run was asked for: inputs, one settings record per stage, and where it all goes."""

    inputs: list[str | Path]
    names: dict[Path, str]
    folder: Path
    settings: dict[str, Any]
    common: CommonSettings
    run: RunSettings
    scratch: Path
    model: Model | None = None
    segment_after_clv: bool = False

    @property
    def stages(self) -> tuple[str, ...]:
        return _ORDER_AFTER_CLV if self.segment_after_clv else STAGES

    def reads(self, stage: str) -> tuple[str, ...]:
        """Names in the folder of what a stage reads."""
        return (_READS_AFTER_CLV if self.segment_after_clv else _READS)[stage]


def prepared(plan: Plan) -> Plan:
    """The plan with its order, once the files of rules and costs are read.

    Raises ConfigError or DataError when one is wrong, UsageError for settings that do not fit each other, before any stage runs.
    """
    if plan.settings["rfm"].engine != "polars":
        raise UsageError("a run reduces the log it cleans, on this machine", fix="use `clm rfm --engine spark` by itself")
    steps.spent(plan.settings["clv"])
    steps.check_churn(plan.settings["churn"])
    return replace(plan, segment_after_clv="clv" in steps.segment_asks(plan.settings["segment"]))


def remembering(settings: dict[str, Any], earlier: Path) -> dict[str, Any]:
    """Settings of the stages that look back at the customers of an earlier run, unless they were told where to look.

    The report says who moved since; tiers remember, when the earlier run had tiers; churn warns, when both know rhythms.
    """
    report, segment, churn = settings["report"], settings["segment"], settings["churn"]
    found: dict[str, Any] = {}
    if report.previous is None:
        found["report"] = replace(report, previous=str(earlier))
    before = files.open_table(earlier, CUSTOMERS, []).frame.collect_schema()
    if segment.tiers and segment.previous is None and "tier" in before:
        found["segment"] = replace(segment, previous=str(earlier))
    if churn.previous is None and settings["rfm"].columns == "all" and "rhythm_days" in before:
        found["churn"] = replace(churn, previous=str(earlier))
    return found


def run(plan: Plan, on_start: Callable[[str, str], None], on_end: Callable[[Entry], None]) -> Record:
    """Take every stale step in order; the record on disk is current after each, also after a failure.

    Nothing is written when nothing is stale. Raises the ClmError of the stage that failed; earlier outputs stay. DataError where
    a forget is unfinished, also under --force: a run makes its own files, and others in the folder may still hold the customers.
    """
    plan = prepared(plan)
    _check_forgotten(plan)
    before = record_file.read(plan.folder)
    begun = Record(started=record_file.now(), as_of=before.as_of if before else None)
    return _taken(plan, begun, before, on_start, on_end)


def rest(plan: Plan, cleaned: Entry, on_start: Callable[[str, str], None], on_end: Callable[[Entry], None]) -> Record:
    """The stages after `clean`, from the log as it stands in the folder, of which `cleaned` is the entry.

    Raises the ClmError of the stage that failed.
    """
    before = record_file.read(plan.folder)
    started = before.started if before else record_file.now()
    begun = Record(started=started, as_of=before.as_of if before else None, stages=(cleaned,))
    return _taken(prepared(plan), begun, before, on_start, on_end)


def _taken(
    plan: Plan, record: Record, before: Record | None, on_start: Callable[[str, str], None], on_end: Callable[[Entry], None]
) -> Record:
    """Every stage that `record` does not have yet."""
    hashes: dict[Path, str] = {}
    given = {entry.stage for entry in record.stages}
    for stage in plan.stages:
        if stage in given:
            continue
        old = before.entry(stage) if before else None
        started = monotonic()
        try:
            made_from = _made_from(stage, plan, hashes)
            reason = _stale(stage, plan, made_from, old, hashes)
            if reason is None and old is not None:
                fresh = replace(old, status="fresh", reason="nothing changed", seconds=0.0)
                record = replace(record, stages=(*record.stages, fresh))
                continue
            on_start(stage, reason or "")
            entry, as_of = _take(stage, plan)
        except ClmError as error:
            failed = Entry(stage, "failed", error.what, round(monotonic() - started, 3))
            record = replace(record, stages=(*record.stages, failed), status="failed", exit_code=int(error.exit_code))
            record_file.write(plan.folder, replace(record, finished=record_file.now()), before)
            raise
        for name in WRITES[stage]:
            hashes.pop(plan.folder / name, None)
        entry = replace(entry, reason=reason or "", seconds=round(monotonic() - started, 3), made_from=made_from)
        record = replace(record, stages=(*record.stages, entry), as_of=as_of or record.as_of)
        record_file.write(plan.folder, record, before)
        on_end(entry)
    record = replace(record, finished=record_file.now(), status="done", exit_code=int(Exit.DONE))
    if not record.idle or (before is not None and before.status != "done"):
        record_file.write(plan.folder, record, before)
    return record


def _check_forgotten(plan: Plan) -> None:
    if (plan.folder / journal.NAME).is_file():
        raise DataError(
            journal.SAYS,
            where=str(plan.folder),
            fix=journal.END,
            code="forgetting",
        )


def forgot(plan: Plan) -> bool:
    """Whether customers were taken out of the folder since its log was read: made again, it holds those the inputs hold."""
    before = record_file.read(plan.folder)
    cleaned = before.entry("clean") if before else None
    return cleaned is not None and any(notice.get("code") == "forgotten" for notice in cleaned.warnings)


def preview(plan: Plan) -> list[tuple[str, str]]:
    """What a run would do: each stage with its reason, as far as it can be told before running; writes nothing."""
    plan = prepared(plan)
    _check_forgotten(plan)
    before = record_file.read(plan.folder)
    hashes: dict[Path, str] = {}
    changed: set[str] = set()
    found = []
    for stage in plan.stages:
        old = before.entry(stage) if before else None
        upstream = next((name for name in plan.reads(stage) if name in changed), None)
        reason = f"{upstream} would be made again" if upstream else None
        reason = reason or _stale(stage, plan, _made_from(stage, plan, hashes), old, hashes)
        if reason:
            changed.update(WRITES[stage])
        found.append((stage, reason or "nothing changed"))
    return found


def as_of(plan: Plan) -> str:
    """The day a run will be about, for `{as_of}` in -o: the setting, or the log's own, which costs reading it once."""
    setting = plan.settings["rfm"].as_of
    if isinstance(setting, date):
        return setting.isoformat()
    trial = plan.scratch / "as_of.parquet"
    steps.clean(plan.inputs, None, plan.settings["clean"], plan.common, formats.to_path(trial), plan.scratch, plan.names)
    return steps.as_of(trial, setting).isoformat()


def _made_from(stage: str, plan: Plan, hashes: dict[Path, str]) -> dict[str, Any]:
    if stage == "clean":
        found = sources.find(plan.inputs, plan.names, plan.scratch)
        own = {(plan.folder / name).resolve() for names in WRITES.values() for name in names}
        if any(source.path.resolve() in own for source in found):
            raise UsageError(
                "an input of the run is one of the files it would write",
                where=str(plan.folder),
                fix="give the source of that file, or another folder with -o",
            )
        inputs = {f"{number}. {source.name}": source.sha256 for number, source in enumerate(found, 1)}
    else:
        inputs = {name: _hash(plan.folder / name, hashes) for name in plan.reads(stage) if (plan.folder / name).exists()}
    return {
        "inputs": inputs,
        "settings": settings_of(stage, plan),
        "clm_version": __version__,
        "table_version": _TABLE[stage].version,
    }


def settings_of(stage: str, plan: Plan) -> dict[str, Any]:
    """What decides the files of a stage, as run.json holds it."""
    return recorded(plan.settings[stage], plan.common) | _beside(stage, plan)


def _beside(stage: str, plan: Plan) -> dict[str, Any]:
    """What decides the files of a run beside the recorded settings: what files of rules, cut-offs and profiles say, raw text."""
    from clm import ingest

    if stage == "rfm":
        return steps.beside_rfm(plan.settings[stage], plan.model)
    if stage == "segment":
        return steps.beside_segment(plan.settings[stage], _applied(stage, plan), plan.common.seed)
    if stage == "churn":
        return steps.beside_churn(plan.settings[stage], _applied(stage, plan))
    if stage == "clv":
        return steps.beside_clv(plan.settings[stage], _applied(stage, plan))
    if stage == "report":
        return steps.beside_report(plan.settings[stage])
    if stage == "clean":
        key = steps.pseudonym_key(plan.settings[stage])
        known = {"key_id": key.id} if key else {}
        return ingest.recorded(plan.settings[stage]) | {"rejects_raw": plan.settings[stage].rejects_raw} | known
    return {}


def _applied(stage: str, plan: Plan) -> Model | None:
    """The model a stage applies: a model may hold nothing for it, or a naive forecast of clv, and then it is fitted anew."""
    return plan.model if plan.model is not None and stage in applicable(plan.model) else None


def applicable(model: Model) -> list[str]:
    """The stages a saved model serves: those that can apply one, clv only where it holds a fitted family."""
    held = [stage for stage in model.learned if stage in APPLIES]
    return [stage for stage in held if stage != "clv" or model.learned[stage].get("btyd") is not None]


def _hash(path: Path, hashes: dict[Path, str]) -> str:
    if path not in hashes:
        hashes[path] = files.sha256_of(path)
    return hashes[path]


def _stale(stage: str, plan: Plan, made_from: dict[str, Any], old: Entry | None, hashes: dict[Path, str]) -> str | None:
    """Why a stage must be made again, in words; None when it is fresh."""
    if plan.run.force:
        return "--force"
    if plan.run.from_ is not None and plan.stages.index(stage) >= plan.stages.index(plan.run.from_):
        return f"--from {plan.run.from_}"
    if old is None:
        return "not made yet"
    if old.status == "failed" or old.made_from is None:
        return "it failed last time"
    if old.made_from.get("clm_version") != made_from["clm_version"]:
        return f"made by clm {old.made_from.get('clm_version')}"
    if old.made_from.get("table_version") != made_from["table_version"]:
        return "the table's version rose"
    changed = _difference(old.made_from.get("inputs", {}), made_from["inputs"])
    if changed:
        return f"input {changed} changed"
    setting = _difference(old.made_from.get("settings", {}), made_from["settings"])
    if setting:
        return f"setting {setting} changed"
    return _damaged(plan.folder, old, hashes)


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    return next((name for name in [*new, *old] if old.get(name) != new.get(name)), None)


def _damaged(folder: Path, old: Entry, hashes: dict[Path, str]) -> str | None:
    for output in old.outputs:
        path = folder / str(output["path"])
        if not path.is_file():
            return f"output {path.name} is missing"
        if _hash(path, hashes) != output["sha256"]:
            return f"output {path.name} was changed"
    return None


def _take(stage: str, plan: Plan) -> tuple[Entry, str | None]:
    """One stage's step with its files in the folder."""
    paths = [plan.folder / name for name in plan.reads(stage)]
    outs = [plan.folder / name for name in WRITES[stage]]
    settings, common = plan.settings[stage], plan.common
    status, documents = "made", []
    match stage:
        case "clean":
            step = steps.clean(
                plan.inputs, formats.to_path(outs[1]), settings, common, formats.to_path(outs[0]), plan.scratch, plan.names
            )
        case "rfm":
            step = steps.rfm(paths[0], settings, common, formats.to_path(outs[0]), plan.scratch, plan.model)
            for earlier in {plan.settings[name].previous for name in ("churn", "report")} - {None}:
                if step.facts.as_of is not None:
                    steps.check_previous(earlier, date.fromisoformat(step.facts.as_of))
        case "segment":
            step = steps.segment(paths[0], settings, common, formats.to_path(outs[0]), _applied(stage, plan))
        case "clv" | "churn":
            take = partial(steps.clv if stage == "clv" else steps.churn, model=_applied(stage, plan))
            with_orders = replace(settings, orders=str(paths[1]))
            try:
                step = take(paths[0], with_orders, common, formats.to_path(outs[0]))
            except DataError as error:
                if error.code in _STOPS:
                    raise
                status = "skipped"
                notice = Notice(error.code or "not_possible", f"{stage} cannot be made from this data: {error.what}")
                step = steps.without(stage, paths[0], settings, common, formats.to_path(outs[0]), notice)
            if stage == "churn" and plan.model is None:
                documents = [publish.publish_bytes(outs[1], steps.model_document(step.facts))]
        case _:
            step = steps.report(paths[0], replace(settings, orders=str(paths[1])), common, formats.to_path(outs[1]))
            documents = [publish.publish_bytes(outs[0], steps.render(step, ".html", settings.lang))]
    outputs = [output.to_json() | {"path": Path(output.path).name} for output in (*step.outputs, *documents)]
    outputs.sort(key=lambda output: WRITES[stage].index(str(output["path"])))
    entry = Entry(
        stage,
        status,
        "",
        rows=step.facts.rows,
        amount=step.facts.amount,
        warnings=step.facts.warnings,
        outputs=outputs,
        closing=step.outcome.closing,
    )
    return entry, step.facts.as_of
