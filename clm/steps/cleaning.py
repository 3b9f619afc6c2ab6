"""The step of `clean`: foreign files in, TRANSACTIONS and REJECTS out, with what was found out on the way.

It may not read or judge a record: `ingest` and the stage do.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from clm.errors import UsageError
from clm.formats import Emit
from clm.outcome import Outcome, counted
from clm.settings import (
    CleanSettings,
    CommonSettings,
    recorded,
)
from clm.steps.step import Step, aside, same_key
from clm.tables import REJECTS, TRANSACTIONS

if TYPE_CHECKING:
    import polars as pl

    from clm.ingest import Evidence
    from clm.storage.keys import Key
    from clm.storage.publish import Output


# texts that say nothing of a person
_OURS = ("kind", "flags", "source_file")


@dataclass
class Look:
    """What `clean` found out so far: told by a dry run even when a question stops it. `span`: the days the kept rows cover."""

    form: list[Evidence] = field(default_factory=list)
    meaning: list[Evidence] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def evidence(self) -> list[Evidence]:
        return [*self.form, *self.meaning]

    @property
    def span(self) -> str:
        """Customers and days of the kept rows, in words."""
        import polars as pl

        if self.outcome is None or not self.outcome.rows.rows_out:
            return ""
        day = pl.col("ordered_at").dt.date()
        found = self.outcome.frame.lazy().select(
            day.min().alias("first"), day.max().alias("last"), pl.col("customer_id").n_unique()
        )
        first, last, customers = found.collect(engine="streaming").row(0)
        return f", {counted(customers, 'customer')}, {first} to {last}"


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
    look: Look | None = None,
) -> Step:
    """Foreign files -> TRANSACTIONS. The rejects are written even when the data is refused (65).

    `names` are the names to show for spooled inputs, which have none of their own; `targets` where the outputs will go, which
    may be no input; `save` writes the profile of how the log was read; `look` takes down what was found out.
    """
    from clm import ingest
    from clm.stages import clean as stage
    from clm.storage import facts as footers
    from clm.storage import files

    log = ingest.read_text(inputs, settings, names, scratch)
    files.keep_inputs([part.source.path for part in log.files], targets)
    key = pseudonym_key(settings)
    record = recorded(settings, common) | ingest.recorded(settings) | ({"key_id": key.id} if key else {})
    settings = log.settings
    look = look or Look()
    look.form += log.evidence
    reading = ingest.understand(log, settings, look.meaning)
    look.meaning[:] = reading.evidence[len(look.form) :]
    if reading.ours:  # whose codes are under a key say so on, whether the key is at hand or not
        made = {part.source.name: files.facts_in(part.source.path, part.source.name) for part in log.files}
        keys = {name: one.settings.get("key_id") for name, one in made.items() if one is not None}
        same_key(keys)
        if key is None and (coded := next(iter(keys.values()), None)) is not None:
            record |= {"key_id": coded}
    profile = ingest.saved(log, reading).encode() if save is not None else None
    hold = aside(scratch, common)
    plan = stage.judge(log.records, reading, settings)
    _check_names(stage.written(reading), reading.roles, settings)
    settled = stage.settle(hold(plan), reading, settings, key.secret if key else None, hold)
    look.outcome = settled.outcome
    for part in log.files:
        part.source.check_unchanged()
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


def pseudonym_key(settings: CleanSettings) -> Key | None:
    """The key of the pseudonyms, read and checked; None when none are wanted. Raises UsageError for half a wish."""
    from clm.storage import keys

    if not settings.pseudonymise:
        if settings.key_file is not None:
            raise UsageError(
                "--key-file without --pseudonymise", fix="say which columns: --pseudonymise customer_id", code="keys"
            )
        return None
    if settings.key_file is None:
        raise UsageError(
            "--pseudonymise wants a key: a code anybody can compute hides nobody",
            fix="clm key new shop.key, then --key-file shop.key",
            code="keys",
        )
    if settings.rejects_raw:
        raise UsageError("--rejects-raw writes what --pseudonymise hides", fix="leave one of them out", code="keys")
    return keys.read(Path(settings.key_file))


def _check_names(columns: Mapping[str, pl.DataType], roles: Mapping[str, tuple[str, ...]], settings: CleanSettings) -> None:
    """What rules and pseudonyms name must be there before the log is read. Raises UsageError."""
    import polars as pl

    from clm.config import suggest
    from clm.expressions import Expression, ExpressionError
    from clm.expressions.meaning import compiled

    for column in settings.pseudonymise:
        if columns.get(column) != pl.String or column in _OURS:
            what = "there is no such column in the output" if column not in columns else "it is no text"
            what = "it is clm's own" if column in _OURS else what
            role = next((role for role, named in roles.items() if column in named), None)
            texts = [name for name, dtype in columns.items() if dtype == pl.String and name not in _OURS]
            near = f": it is called {role} there" if role in texts else suggest(column, texts)
            raise UsageError(
                f"--pseudonymise {column}: {what}{near}", fix="name customer_id, order_id or a column of --keep", code="keys"
            )
    review = [settings.review] if isinstance(settings.review, Expression) else []
    called = {column: role for role, named in roles.items() for column in named}
    asked = [*(("clean.review", "review", one) for one in review), *(("clean.rule", one.flag, one.when) for one in settings.rule)]
    for setting, name, rule in asked:
        other = next((column for column in rule.columns() if column not in columns and column in called), None)
        if other is not None:
            role = called[other]
            fix = f"write {role}, as clean calls it" if role in columns else f"carry it along: --keep {shlex.quote(other)}"
            raise UsageError(
                f"the rule {name} asks for {other}, which is no column of the output", fix=fix, code="rule", setting=setting
            )
        try:
            compiled(rule, columns)
        except ExpressionError as error:
            absent = any(column not in columns for column in rule.columns())
            fix = "mend it, or carry a column along with --keep" if absent else "mend it at the mark"
            raise UsageError(f"the rule {name}: {error}", fix=fix, code="rule", setting=setting) from None
