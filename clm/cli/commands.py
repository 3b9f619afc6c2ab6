"""One thin function per stage, and the two commands that only tell: take the input, take the step, say what happened.

It may not compute, parse options or write files itself.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm import steps, tables
from clm.cli import dry_run
from clm.errors import DataError, UsageError
from clm.inert import json_text, printable
from clm.outcome import counted
from clm.settings import COMMANDS, json_value

if TYPE_CHECKING:
    from clm.cli.job import Job
    from clm.model_file import Model


def clean(job: Job) -> int:
    job.check_output()
    rejects = job.emit_to(Path(job.settings.rejects)) if job.settings.rejects and not job.common.dry_run else None
    saved = job.settings.save_profile
    targets = [Path(one) for one in (job.common.output, job.settings.rejects, saved) if one not in (None, "-")]
    save = partial(job.publish_bytes, Path(saved)) if saved and not job.common.dry_run else None
    inputs, names = job.sources()
    look = steps.Look()
    telling = job.common.dry_run or job.common.verbose
    try:
        step = steps.clean(inputs, rejects, job.settings, job.common, job.emit, job.scratch, names, targets, save, look)
    except DataError as question:
        if telling:
            _tell(job, look)
        if job.common.dry_run and job.common.json:
            sys.stdout.write(json_text(dry_run.to_json(look, job.settings, question)) + "\n")
        raise
    if telling:
        _tell(job, look)
    return job.finish(step)


def _tell(job: Job, look: steps.Look) -> None:
    for line in dry_run.page(look, job.inputs, job.settings, shutil.get_terminal_size().columns - 2):
        job.console.note(line)


def rfm(job: Job) -> int:
    spark = job.settings.engine == "spark"
    if job.settings.remote is not None and not spark:
        raise UsageError("--remote names a Spark cluster", fix="give --engine spark too, or leave it out")
    job.check_output(other_table=not spark)
    if spark or (job.inputs and job.elsewhere(job.inputs[0])):
        step = steps.rfm_elsewhere(job.name(), job.settings, job.common, job.emit, job.scratch, job.save_model())
    else:
        step = steps.rfm(job.source(), job.settings, job.common, job.emit, job.scratch, save=job.save_model())
    for score, rows in step.outcome.metrics["scores"].items():
        for row in rows:
            job.console.detail(f"{score} {row['score']}: {row['from']} to {row['to']}, {counted(row['customers'], 'customer')}")
    return job.finish(step)


def segment(job: Job) -> int:
    if job.settings.explain is not None:
        return _explain(job)
    job.check_output()
    step = steps.segment(job.source(), job.settings, job.common, job.emit, save=job.save_model())
    for line in steps.told_segments(step):
        job.console.note(line)
    return job.finish(step)


def _explain(job: Job) -> int:
    """Why one customer is where they are: text, or an object with --json."""
    if job.common.output is not None or job.settings.save_model is not None:
        raise UsageError("--explain writes no file", fix="leave out -o and --save-model, or --explain")
    customer = unicodedata.normalize("NFC", job.settings.explain.strip())
    record, lines = steps.explain(job.source(), customer, job.settings, job.common)
    if not job.common.json:
        sys.stdout.writelines(f"{printable(line)}\n" for line in lines)
    return job.conclude(record, stdout_carries_data=False)


def clv(job: Job) -> int:
    job.check_output()
    step = steps.clv(job.source(), job.with_orders(), job.common, job.emit, save=job.save_model())
    for line in steps.told_fits(step):
        job.console.note(line)
    for line in steps.told_totals(step, segments=job.common.verbose):
        job.console.note(line)
    for line in steps.told_costs(step):
        job.console.note(line)
    return job.finish(step)


def churn(job: Job) -> int:
    model = steps.model_of(job.settings.model)
    if job.settings.label is not None or (model is not None and steps.is_labelled(model)):
        return _labelled(job, model)
    if job.settings.allow_column:
        raise UsageError("--allow-column belongs to --label", fix="name the label's column, or leave it out")
    job.check_output()
    try:
        step = steps.churn(job.source(), job.with_orders(), job.common, job.emit, save=job.save_model())
    except DataError as error:
        if error.code == "not_parquet":
            error.fix = f"{error.fix}; a table with a column that says who left, CSV too, wants --label COLUMN"
        raise
    for line in steps.told_candidates(step):
        job.console.note(line)
    return job.finish(step)


def _labelled(job: Job, model: Model | None) -> int:
    """Any table with a label column, or one for the model such a table taught."""
    for name in ("orders", "horizon", "previous", "offer", "contact", "accept"):
        if job.given(name):
            raise UsageError(
                f"--{name} and {'--label' if job.settings.label else 'this --model'} exclude each other: "
                "one learns from an order log, the other from a table with a label",
                fix="leave one of them out",
            )
    if job.settings.method in ("hiatus", "return"):
        raise UsageError(f"--method {job.settings.method} needs an order log", fix="use auto, logistic or boosted with --label")
    job.check_output(other_table=True)
    inputs, names = job.sources()
    save = job.save_model()
    return job.finish(steps.labelled(inputs, names, job.settings, job.common, job.emit, job.scratch, model, save))


def backtest(job: Job) -> int:
    """The scores go to -o as a table; without it they are text on stdout, also into a pipe."""
    job.check_output(other_table=True)
    told = job.common.output is None
    step = steps.backtest(job.source(), job.with_orders(), job.common, job.silent if told else job.emit)
    if told and not (job.common.json or job.common.dry_run):
        for notice in step.outcome.warnings:
            job.console.warning(notice)
        sys.stdout.writelines(f"{printable(line)}\n" for line in steps.told_backtest(step))
        job.console.closing(step.outcome.closing)
        return job.conclude(step.to_json(), stdout_carries_data=True)
    return job.finish(step, table=False)


def migrate(job: Job) -> int:
    """The movers go to -o as a table; without it the matrices are text on stdout, also into a pipe."""
    job.check_output(other_table=True)
    told = job.common.output is None
    step = steps.migrate(*job.pair(), job.settings, job.common, job.silent if told else job.emit)
    if told and not (job.common.json or job.common.dry_run):
        for notice in step.outcome.warnings:
            job.console.warning(notice)
        sys.stdout.writelines(f"{printable(line)}\n" for line in steps.render_migration(step))
        return job.conclude(step.to_json(), stdout_carries_data=True)
    return job.finish(step, table=False)


def cohort(job: Job) -> int:
    """A terminal sees the cohorts as a triangle."""
    job.check_output(other_table=True)
    step = steps.cohort(job.source(), job.settings, job.common, job.emit)
    if not job.looks(step) or job.settings.members:
        return job.finish(step)
    width = shutil.get_terminal_size().columns
    sys.stdout.writelines(f"{printable(line)}\n" for line in steps.render_cohorts(step, width))
    return job.finish(step, table=False)


def choose(job: Job) -> int:
    """`clm list`: on a terminal what it is sorted by stands beside the id, the sentences under their customer."""
    job.check_output(other_table=True)
    step = steps.choose(job.source(), job.settings, job.common, job.emit)
    first, below = steps.list_columns(step, job.settings.lang)
    return job.finish(step, first=first, below=below)


def show(job: Job) -> int:
    """One customer as text on stdout, or an object with --json."""
    job.only_tells()
    if len(job.inputs) != 2:
        raise UsageError("show wants a customer and the folder of a run", fix="clm show CUSTOMER_ID DIR", code="no_input")
    if not Path(job.inputs[1]).exists() and Path(job.inputs[0]).is_dir():  # where the folder is right an id is never a path
        raise UsageError("the customer comes first, then the folder", fix="clm show CUSTOMER_ID DIR", code="no_input")
    customer = unicodedata.normalize("NFC", job.inputs[0].strip())
    record, chapters, title = steps.show(customer, Path(job.inputs[1]), job.settings.lang)
    if not job.common.json:
        width = shutil.get_terminal_size().columns
        sys.stdout.writelines(f"{printable(line)}\n" for line in steps.render_story(title, chapters, width))
    return job.conclude(record, stdout_carries_data=False)


def report(job: Job) -> int:
    """A document goes to -o by its suffix, tables too; without -o the report is text on stdout, also into a pipe."""
    output = Path(job.common.output) if job.common.output not in (None, "-") else None
    document = output is not None and output.suffix.lower() in steps.DOCUMENTS
    if not document:
        job.check_output(other_table=True, also=steps.DOCUMENTS)
    step = steps.report(job.source(), job.with_orders(), job.common, job.silent if document or output is None else job.emit)
    if job.common.dry_run:
        return job.finish(step, table=False)
    if job.settings.figures is not None:
        folder, made = Path(job.settings.figures), steps.figures(step, job.settings.lang)
        drawn = [job.publish_bytes(folder / name, content, create=True) for name, content in made]
        step = replace(step, outputs=(*step.outputs, *drawn))
    if output is None and not job.common.json:
        width = shutil.get_terminal_size().columns
        sys.stdout.write(steps.render_text(step, job.settings.lang, width, job.colour))
        return job.conclude(step.to_json(), stdout_carries_data=True)
    if document and output is not None:
        written = job.publish_bytes(output, steps.render(step, output.suffix.lower(), job.settings.lang))
        step = replace(step, outputs=(written, *step.outputs))
    return job.finish(step, table=False)


def show_config(job: Job) -> int:
    """Every setting with its value and origin, as clm.toml would hold it."""
    job.only_tells()
    shared = job.configuration.resolve("config", {})
    found = {"": _values(shared.common, shared.origins)}
    for name in COMMANDS:
        if name != "demo" and fields(COMMANDS[name]):
            resolved = job.configuration.resolve(name, {})
            found[name] = _values(resolved.settings, resolved.origins)
    if job.common.json:
        sys.stdout.write(json_text(found) + "\n")
        return 0
    for table, values in found.items():
        sys.stdout.write(f"\n[{table}]\n" if table else "# for every command\n")
        for key, one in values.items():
            line = f"# {key} is not set" if one["value"] is None else f"{key} = {json_text(one['value'])}"
            sys.stdout.write(f"{line:<40}  # {one['origin']}\n")
    return 0


def _values(settings: Any, origins: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {
        one.name.rstrip("_"): {"value": json_value(getattr(settings, one.name)), "origin": origins[one.name]}
        for one in fields(settings)
    }


def show_tables(job: Job) -> int:
    job.only_tells()
    wanted = [job.inputs[0].upper()] if job.inputs else list(tables.ALL)
    unknown = next((name for name in wanted if name not in tables.ALL), None)
    if unknown:
        raise UsageError(f"no table {unknown}", fix=f"the tables are {', '.join(tables.ALL)}")
    found = [tables.ALL[name] for name in wanted]
    if job.common.json:
        sys.stdout.write(json_text([tables.to_json(table) for table in found]) + "\n")
        return 0
    # one column a line for grep in a pipe; on a terminal meanings are broken beside their column
    line = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100_000
    for table in found:
        _paragraph(f"{table.name} (made by {table.made_by}): one row is {table.row}", line, 2)
        width = max(len(column.name) for column in table.columns)
        for column in table.columns:
            _paragraph(f"  {column.name:<{width}}  {column.dtype:<13}  {column.meaning}", line, min(width + 19, line // 2))
        sys.stdout.write("\n")
    return 0


def _paragraph(text: str, width: int, indent: int) -> None:
    sys.stdout.write(textwrap.fill(text, width, subsequent_indent=" " * indent, break_long_words=False) + "\n")


def key(job: Job) -> int:
    """`clm key new FILE`: the only verb there is, for a key can be neither shown nor changed."""
    from clm.storage import keys

    if len(job.inputs) != 2 or job.inputs[0] != "new":
        raise UsageError("key wants: new FILE", fix="clm key new shop.key")
    if job.common.dry_run:
        job.console.closing(f"would make {job.inputs[1]} (dry run: nothing written)")
        return 0
    made = keys.create(Path(job.inputs[1]))
    if job.common.json:
        sys.stdout.write(json_text({"path": job.inputs[1], "key_id": made.id}) + "\n")
    job.console.closing(
        f"key {made.id} → {job.inputs[1]}: keep it safe and apart from the data; lost, no pseudonym can be made again"
    )
    return 0
