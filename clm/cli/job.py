"""One command at work: where its input comes from, where its output goes, and what is said at the end.

It may not know what a stage computes.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clm import formats, tables
from clm.cli import conditions
from clm.cli.conditions import Condition
from clm.config import Resolved, Sources
from clm.console import Console, show_table
from clm.errors import Exit, InputError, OutputError, UsageError
from clm.inert import json_text
from clm.settings import CommonSettings
from clm.steps import Step
from clm.storage import faults

if TYPE_CHECKING:
    import polars as pl

    from clm.storage.facts import Facts
    from clm.storage.publish import Output
    from clm.tables import Table


@dataclass
class Job:
    """A command with its settings resolved, limits set, and a scratch folder of its own."""

    command: str
    inputs: list[str]
    resolved: Resolved
    configuration: Sources
    console: Console
    scratch: Path
    conditions: list[Condition] = field(init=False)

    def __post_init__(self) -> None:
        self.conditions = [conditions.parse(text) for text in self.common.fail_if]

    @property
    def settings(self) -> Any:
        return self.resolved.settings

    @property
    def common(self) -> CommonSettings:
        return self.resolved.common

    def given(self, name: str) -> bool:
        """Whether this very command line has the option: a shared clm.toml may speak of other commands."""
        return self.resolved.origins.get(name) == "flag"

    def source(self) -> Path:
        """The one input: a path, or standard input spooled to a file."""
        found = self._spooled() if self.inputs in ([], ["-"]) else self._regular(self.inputs[0], "input")
        self.tell_memory(self.command, self.settings, found)
        return found

    def tell_memory(self, command: str, settings: Any, table: Path) -> None:
        """Say before a command starts when the limit is too small for the customers of this table and of its --previous."""
        from clm import resources
        from clm.storage import examined

        if command not in resources.PER_CUSTOMER:
            return
        earlier = getattr(settings, "previous", None)
        named = [table] if earlier is None else [table, Path(earlier)]
        known = [examined.examine(one) for one in named if one.is_file()]
        customers = sum(one.rows for one in known if one is not None and "recency_days" in one.schema)
        short = resources.holding(command, customers, self.common.memory_limit)
        if short is not None:
            self.console.warning(short)

    def name(self) -> str:
        """The one input by its name alone: what it names need not be a file of this machine."""
        if self.inputs in ([], ["-"], [""]):
            raise UsageError("a cluster cannot read standard input", fix="name a table, or a path as the cluster sees it")
        return self.inputs[0]

    def elsewhere(self, given: str) -> bool:
        """Whether an input is an address (`s3://…`), no path."""
        return "://" in given and not os.path.exists(given)  # noqa: PTH110 an address may be longer than any path

    def _here(self, named: Sequence[str | None]) -> list[Path]:
        """Those that are files of this machine."""
        return [Path(one) for one in named if one not in (None, "-") and not self.elsewhere(one)]

    def refuse_addresses(self, read: Sequence[str], written: Sequence[str]) -> None:
        """Files are those of this machine: `rfm` alone reads another's input. What follows a customer of `show` is read, what
        follows `key new` written.

        Raises InputError or OutputError.
        """
        inputs = self.inputs[1:] if self.command in ("rfm", "show", "key") else self.inputs
        read, written = (read, [*inputs, *written]) if self.command == "key" else ([*inputs, *read], written)
        for given in read:
            if self.elsewhere(given):
                from clm.engines import stores

                raise stores.not_here(given)
        for given in written:
            if self.elsewhere(given):
                raise OutputError(
                    "clm writes files of this machine, not to an address",
                    where=given,
                    fix="name a file here, and copy it there afterwards",
                    code="elsewhere",
                )

    def pair(self) -> tuple[Path, Path]:
        """The two inputs; neither can be standard input."""
        if len(self.inputs) != 2 or "-" in self.inputs:
            raise UsageError(
                f"`clm {self.command}` wants two files, the earlier first",
                fix=f"clm {self.command} EARLIER LATER",
                code="no_input",
            )
        return self._regular(self.inputs[0], "earlier"), self._regular(self.inputs[1], "later")

    def with_orders(self) -> Any:
        """The settings with --orders as a file that can be read twice."""
        given = self.settings.orders
        if given == "-":
            raise UsageError(
                "--orders wants a file: standard input is the customer table", fix="name the Parquet file clm clean wrote"
            )
        return self.settings if given is None else replace(self.settings, orders=str(self._regular(given, "orders")))

    def _regular(self, given: str, name: str) -> Path:
        """A path; what is no regular file (a FIFO, a process substitution) can be read only once and is spooled first."""
        from clm.storage import files

        path = _named(given)
        with faults.reading(path):
            if not path.exists() or path.is_file() or path.is_dir():
                return path
            with path.open("rb") as stream:
                return files.spool(stream, self.scratch, name)

    def paths(self) -> list[Path]:
        """All inputs as paths, for a command that works where they are."""
        return [_named(one) for one in self.inputs]

    def sources(self) -> tuple[list[str | Path], dict[Path, str]]:
        """All inputs as given (files, globs, folders), and the names to show for those that have none."""
        if self.inputs not in ([], ["-"]):
            if "-" in self.inputs:
                raise UsageError("standard input (-) cannot be one of several inputs", fix="write it to a file first")
            return list(self.inputs), {}
        spooled = self._spooled()
        return [spooled], {spooled: "stdin"}

    def _spooled(self) -> Path:
        from clm.storage import files

        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("no input", fix=f"name a file, or pipe one in: clm {self.command} FILE", code="no_input")
        path = files.spool(sys.stdin.buffer, self.scratch)
        if path.stat().st_size == 0:
            raise InputError("standard input is empty", fix="check the command before the pipe")
        return path

    @property
    def colour(self) -> bool:
        """Whether text on stdout may carry colour."""
        return replace(self.console, stream=sys.stdout).colour

    @property
    def to_stdout(self) -> bool:
        return self.common.output == "-" or (self.common.output is None and not sys.stdout.isatty())

    def only_tells(self) -> None:
        """Refuse -o for a command that writes no file."""
        if self.common.output is not None:
            raise UsageError(f"`clm {self.command}` writes no file", fix="send its output where you want it with >")

    def check_output(self, *, other_table: bool = False, also: tuple[str, ...] = ()) -> None:
        """Refuse before the work what could not be written after it, or would destroy an input.

        A customer stage may replace its own input; a command that writes another table (`other_table`) may not.
        `also` are suffixes of documents it writes beside tables.
        """
        from clm.storage import files

        if self.common.output not in (None, "-"):
            target = Path(str(self.common.output))
            formats.to_path(target, also)
            named = [getattr(self.settings, name, None) for name in ("orders", "previous", "attributes", "costs")]
            files.keep_inputs(self._here([*named, *(self.inputs if other_table else [])]), [target])
        if self.common.output == "-" and sys.stdout.isatty():
            raise UsageError("Parquet would scramble the terminal", fix="pipe it on, or name a file with -o")

    def emit(self, frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts) -> Output | None:
        """Write a table where -o or the pipe says; nothing for a terminal or a dry run."""
        from clm.storage import publish

        if self.common.dry_run:
            return None
        if self.common.output is not None and self.common.output != "-":
            return self.emit_to(Path(self.common.output))(frame, table, facts)
        if self.to_stdout:
            return publish.to_stream(sys.stdout.buffer, lambda path: publish.write_table(frame, table, facts, path), self.scratch)
        return None

    def emit_to(self, path: Path) -> formats.Emit:
        """Publish at a path while sharing the folder's lock with other single commands, but not with a run."""
        from clm.storage.locks import folder_lock

        def emit(frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts) -> Output | None:
            with folder_lock(path.absolute().parent, shared=True, wait_seconds=self.common.wait):
                return formats.to_path(path)(frame, table, facts)

        return emit

    def silent(self, frame: pl.DataFrame | pl.LazyFrame, table: Table, facts: Facts) -> Output | None:
        """Write nothing: the frame becomes a document later."""

    def publish_bytes(self, path: Path, content: bytes, *, create: bool = False) -> Output:
        """Publish a finished document; with `create` its folder may be a new one."""
        from clm.storage import publish
        from clm.storage.locks import folder_lock

        with folder_lock(path.absolute().parent, shared=True, create=create, wait_seconds=self.common.wait):
            return publish.publish_bytes(path, content)

    def save_model(self) -> Callable[[bytes], Output] | None:
        """What writes --save-model, if anything does. Raises UsageError when it would replace a file in use."""
        from clm.storage import files

        given = self.settings.save_model
        if given is None:
            return None
        used = [*self.inputs, self.settings.model, getattr(self.settings, "orders", None), getattr(self.settings, "cuts", None)]
        used += [getattr(self.settings, name, None) for name in ("previous", "tiers", "scheme", "attributes")]
        target = Path(given)
        output = [Path(self.common.output)] if self.common.output not in (None, "-") else []
        files.keep_inputs(self._here(used), [target, *output])
        return None if self.common.dry_run else partial(self.publish_bytes, target)

    def finish(self, step: Step, *, table: bool = True, first: Sequence[str] | None = None, below: Sequence[str] = ()) -> int:
        """Say what happened and judge the conditions: the exit code.

        `table`: show a terminal the first rows; `first` and `below` are columns for `show_table`, else what the stage made.
        """
        record = step.to_json()
        for notice in step.outcome.warnings:
            self.console.warning(notice)
        shown = self.common.output if step.outputs and self.common.output not in (None, "-") else None
        arrow = f" → {shown}" if shown else " (dry run: nothing written)" if self.common.dry_run else ""
        carries_data = bool(step.outputs) and shown is None
        if table and self.looks(step):
            leading = tables.CUSTOMERS.names(self.command) if first is None else first
            show_table(step.outcome.frame, sys.stdout, shutil.get_terminal_size().columns, leading, below)
        self.console.closing(f"{step.outcome.closing}{arrow}")
        return self.conclude(record, carries_data)

    def looks(self, step: Step) -> bool:
        """Whether somebody at a terminal is to see the rows, since nothing was written."""
        return not (step.outputs or self.common.dry_run or self.common.json)

    def conclude(self, record: dict[str, Any], stdout_carries_data: bool) -> int:
        """Print the --json object where it does not mix with data, and judge --fail-if."""
        if self.common.json:
            stream = sys.stderr if stdout_carries_data else sys.stdout
            stream.write(json_text(record) + "\n")
            stream.flush()
        failed = [condition for condition in self.conditions if conditions.holds(condition, record)]
        for condition in failed:
            self.console.always(f"--fail-if {condition.text} holds")
        return Exit.CONDITION if failed else Exit.DONE


def _named(given: str) -> Path:
    if given == "":  # it would mean the folder one is in
        raise UsageError("an empty input name", fix="is a variable of the shell unset?")
    return Path(given)
