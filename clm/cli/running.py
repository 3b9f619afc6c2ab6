"""`clm run` and `clm demo`: settings of every stage, the folder and its lock, then the pipeline.

It may not decide what is stale or take a step itself.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm import model_file
from clm.errors import DataError, InputError, UsageError
from clm.outcome import Notice
from clm.settings import COMMANDS, STAGES, option_name, options

if TYPE_CHECKING:
    from clm.cli.job import Job
    from clm.pipeline import Plan
    from clm.record import Entry


def run(job: Job) -> int:
    return _run(job, *job.sources(), Path(job.common.output or "clm-out"))


def demo(job: Job) -> int:
    from clm.ingest import shipped

    return _run(job, [shipped.cdnow_master()], {}, Path(job.common.output or "clm-demo"))


def _run(job: Job, inputs: list[str | Path], names: dict[Path, str], folder: Path) -> int:
    from clm import pipeline
    from clm.storage.locks import folder_lock

    settings = {stage: job.configuration.resolve(stage, _passed_down(job, stage)).settings for stage in STAGES}
    model = model_file.read(job.settings.model) if job.settings.model else None
    before = earlier(job)
    plan = pipeline.Plan(inputs, names, folder, settings, job.common, job.settings, job.scratch, model)
    anew = [stage for stage in model.learned if stage not in pipeline.applicable(model)] if model else []
    if anew:
        job.console.warning(Notice("fitted_anew", f"{', '.join(anew)}: fitted anew, a saved model is not applied there"))
    if "{as_of}" in str(folder):
        plan = replace(plan, folder=Path(str(folder).replace("{as_of}", pipeline.as_of(plan))))
    if before is not None and before.resolve() == (plan.folder / before.name).resolve():
        raise UsageError(
            "--previous is the folder this run writes", where=str(plan.folder), fix="give each run a folder of its own with -o"
        )
    if before is not None:
        plan = replace(plan, settings=settings | pipeline.remembering(settings, before))
    if job.common.dry_run:
        for stage, reason in pipeline.preview(plan):
            replace(job.console, name=stage).closing(reason)
        return 0
    with folder_lock(plan.folder, create=True, wait_seconds=job.common.wait):
        try:
            record = pipeline.run(plan, _starter(job, plan), _ender(job, plan))
        except DataError as error:
            raise _for_run(error) from error
    page = plan.folder / "report.html"
    job.console.closing(f"nothing changed, nothing done: {page} is up to date" if record.idle else f"done → {page}")
    return job.conclude(record.to_json(), stdout_carries_data=False)


def earlier(job: Job) -> Path | None:
    """The customers of the run --previous names."""
    if job.settings.previous is None:
        return None
    path = Path(job.settings.previous) / "customers.parquet"
    if not path.is_file():
        raise InputError("there is no earlier run there: it has no customers.parquet", where=str(path), fix="check --previous")
    return path


def elsewhere(option: str) -> tuple[str, str] | None:
    """The stage an option (`map`, without dashes) belongs to, and how `run` takes it: as a key of clm.toml or a variable."""
    if option in ("rejects", "orders"):
        return "clean", "a run writes its own: clean.parquet and rejects.parquet in its folder"
    for stage in STAGES:
        if any(option_name(one.name) == option for one, _ in options(COMMANDS[stage])):
            key = option.replace("-", "_")
            return stage, f"`run` takes it from clm.toml: {key} = … under [{stage}], or from CLM_{stage.upper()}_{key.upper()}"
    return None


def _for_run(error: DataError) -> DataError:
    """A stage's question, with the answer where `run` takes it from."""
    own = [option_name(one.name) for one, _ in options(COMMANDS["run"])]
    named = [name for name in dict.fromkeys(re.findall(r"--([a-z][a-z-]+)", error.fix or "")) if name not in own]
    found = [place[1] for place in map(elsewhere, named) if place]
    if not found:
        return error
    return DataError(error.what, where=error.where, fix="\n         ".join((error.fix or "", *found)), code=error.code)


def _passed_down(job: Job, stage: str) -> dict[str, Any]:
    """Options of `run` that are a stage's own."""
    if stage == "rfm":
        return {"as_of": job.settings.as_of}
    return {"lang": job.settings.lang, "min_cell": job.settings.min_cell} if stage == "report" else {}


def _starter(job: Job, plan: Plan) -> Any:
    from clm import pipeline

    forgot = pipeline.forgot(plan)

    def say(stage: str, reason: str) -> None:
        if stage == "clean" and forgot:
            text = (
                "customers were forgotten in this folder: those the inputs still hold are back (clm forget takes them out again)"
            )
            job.console.warning(Notice("forgotten_before", text))
        console = replace(job.console, name=stage)
        console.detail(f"{stage}: {reason}")
        if stage != "clean":
            replace(job, console=console).tell_memory(stage, plan.settings[stage], plan.folder / plan.reads(stage)[0])

    return say


def _ender(job: Job, plan: Plan) -> Any:
    def say(entry: Entry) -> None:
        console = replace(job.console, name=entry.stage)
        for warning in entry.warnings:
            console.warning(Notice(warning["code"], warning["text"]))
        console.closing(f"{entry.closing} → {plan.folder / str(entry.outputs[0]['path'])}")

    return say
