"""What all steps share: the record of one, the tables they open, and the one ending that gives an outcome its facts.

It may not know any stage.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm import model_file
from clm.errors import DataError
from clm.formats import Emit
from clm.model_file import Model
from clm.outcome import Amount, Notice, Outcome
from clm.settings import CommonSettings
from clm.tables import CUSTOMERS, TRANSACTIONS, Table

if TYPE_CHECKING:
    import polars as pl

    from clm.storage.aside import Aside
    from clm.storage.facts import Facts
    from clm.storage.files import Opened
    from clm.storage.publish import Output


@dataclass(frozen=True)
class Step:
    """What one step did: the outcome, the facts of its file, and what was written.

    `named` are customers its documents may name; they are in no table it writes.
    """

    outcome: Outcome
    facts: Facts
    outputs: tuple[Output, ...]
    named: pl.DataFrame | None = None

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


# how much of the memory limit the frames a step uses again may take before they go to files
_HELD_SHARE = 0.125


def aside(scratch: Path, common: CommonSettings) -> Aside:
    """Where a step keeps what it uses again: a folder of its own for what is too long for memory."""
    from clm import resources
    from clm.storage.aside import Aside

    return Aside(Path(tempfile.mkdtemp(dir=scratch)), int(resources.limit_of(common.memory_limit) * _HELD_SHARE))


def model_of(setting: str | None) -> Model | None:
    return model_file.read(setting) if setting else None


def model_document(facts: Facts) -> bytes:
    """What the chain learned, gathered from the footers, as one small JSON document (`model.json`)."""
    learned = {one["stage"]: one["learned"] for one in [*facts.ancestors, facts.to_json()] if one.get("learned")}
    return model_file.to_bytes(learned, facts.as_of)


def saved(step: Step, save: Callable[[bytes], Output] | None) -> Step:
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


def orders_table(path: Path) -> Opened:
    from clm.storage import files

    return files.open_table(path, TRANSACTIONS, TRANSACTIONS.needed("clean"))


def customers_table(path: Path, needed: list[str]) -> Opened:
    from clm.storage import files

    return files.open_table(path, CUSTOMERS, needed)


def setting_of(opened: Opened, stage: str, name: str, default: Any) -> Any:
    """A setting an ancestor was made with, from the facts that travel in the file."""
    records = [one for one in opened.lineage if one.get("stage") == stage]
    return records[-1].get("settings", {}).get(name, default) if records else default


def _carried(customers: pl.DataFrame | pl.LazyFrame) -> Amount | None:
    """The money a customer stage passes through: what came in goes out."""
    spend = customers.lazy().select("spend").collect()["spend"]
    total = spend.sum()
    return Amount(total, total) if spend.count() and isinstance(total, Decimal) else None


def same_key(ids: Mapping[str, str | None]) -> None:
    """Tables whose customers are coded under different keys, or only one of them, have no customer in common.

    `ids` are the ids of the keys by table, None without. Raises DataError when they differ.
    """
    if len(set(ids.values())) > 1:
        told = ", ".join(f"{name}: {'key ' + key if key else 'no key'}" for name, key in ids.items())
        raise DataError(
            "the inputs were pseudonymised under different keys: their customers cannot be matched",
            where=told,
            fix="clean them with the same --key-file",
            code="keys",
        )


def finish(
    stage: str,
    compute: Callable[[], Outcome],
    settings: dict[str, Any],
    parents: Sequence[Opened | None],
    emit: Emit,
    table: Table = CUSTOMERS,
    compared: Sequence[Opened | None] = (),
) -> Step:
    """Compute, give the outcome its facts (lineage, currency and zone, what the readers noticed), and have it written.

    `compared` are tables the outcome is held against: they must be of the same customers, and are no ancestors.
    """
    from clm.storage import facts as footers
    from clm.storage import files

    opened = [parent for parent in parents if parent is not None]
    beside = [one for one in compared if one is not None]
    known = [file for one in (*opened, *beside) for file in one.files if file.facts is not None]
    same_key({one.name: setting_of(one, "clean", "key_id", None) for one in known})
    with files.blaming_damage([*opened, *beside]):
        outcome = compute()
    files.check_unchanged([*opened, *beside])
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
