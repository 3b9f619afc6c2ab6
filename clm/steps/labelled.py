"""The step of a labelled table: `churn --label`, and `churn --model` with what such a table taught.

It may not compute: it opens, calls the pure stage, and hands on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm.errors import DataError, UsageError
from clm.formats import Emit
from clm.model_file import Model
from clm.settings import ChurnSettings, CleanSettings, CommonSettings, recorded
from clm.steps.step import Step, saved
from clm.tables import LABELLED

if TYPE_CHECKING:
    import polars as pl

    from clm.ingest.columns import Columns
    from clm.stages.labelled import Given
    from clm.storage.publish import Output


_PLAIN = "save the table as CSV in UTF-8, as Parquet, or as a workbook with one filled sheet"


def is_labelled(model: Model) -> bool:
    """Whether what a model holds for churn was learned from a labelled table."""
    from clm.stages.labelled import saved as documents

    return documents.is_labelled(model.learned.get("churn", {}))


def labelled(
    inputs: Sequence[str | Path],
    names: Mapping[Path, str],
    settings: ChurnSettings,
    common: CommonSettings,
    emit: Emit,
    scratch: Path,
    model: Model | None = None,
    save: Callable[[bytes], Output] | None = None,
) -> Step:
    """A table with a label column (CSV, workbook, Parquet) -> LABELLED. With `model` its part for churn is applied instead."""
    from clm import ingest
    from clm.ingest import columns
    from clm.stages import labelled as stage
    from clm.stages.labelled import saved as documents
    from clm.storage import facts as footers

    try:
        log = ingest.read_text(list(inputs), CleanSettings(profile="none"), names, scratch)
    except DataError as question:
        if "--" not in (question.fix or ""):
            raise
        # what `clean` would ask has an option there, and none here
        raise DataError(question.what, where=question.where, fix=_PLAIN, code=question.code) from question
    if len(log.parts) != 1:
        raise UsageError(f"{len(log.parts)} files are no single table", fix="give one file", code="inputs")
    read, sha256 = columns.typed(log), log.sources[0]["sha256"]
    if model is not None:
        known = documents.from_json(model.of("churn"), model.name)
        outcome = stage.from_model(_given(read, sha256, None, known.key), known)
    else:
        assert settings.label is not None
        asked = stage.Asked(settings.label, settings.allow_column, None if settings.method == "auto" else settings.method)
        outcome = stage.from_label(_given(read, sha256, settings.label, None), asked, common.seed)
    outcome = replace(outcome, warnings=(*log.notices, *read.notices, *outcome.warnings))
    record: dict[str, Any] = recorded(settings, common) | ({"model": model.identity} if model else {})
    facts = footers.of_outcome(outcome, LABELLED, "churn", record, footers.sources(log.sources))
    written = emit(outcome.frame, LABELLED, facts)
    return saved(Step(outcome, facts, (written,) if written is not None else ()), save)


def _given(read: Columns, sha256: str, label: str | None, key: str | None) -> Given:
    """The table with the column that names its rows; where there is none, their numbers do."""
    import polars as pl

    from clm.stages import labelled as stage
    from clm.stages.clean import ids
    from clm.stages.labelled import label as labels
    from clm.stages.labelled import roles

    named = labels.named(label, read.frame.columns)[0] if label else None
    column = roles.key_column(read.text, named, key)
    if column is None:
        keys: pl.Series = pl.int_range(1, read.frame.height + 1, eager=True).alias(stage.ROW)
    else:
        keys = read.text.select(ids.tidy(pl.col(column)).alias(column)).to_series()
    return stage.Given(read.name, read.frame, read.text, read.lines, keys, read.undecided, sha256)
