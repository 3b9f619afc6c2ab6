"""The command line: which commands there are, and the one boundary where errors become exit codes.

It may not import Polars before the limits are set: `--help` loads nothing heavy.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from clm import __version__, config, resources
from clm.cli import care, commands, forgetting, running, signals
from clm.cli.job import Job
from clm.cli.signature import Inputs, command
from clm.console import Console, for_command
from clm.errors import ClmError, ConfigError, Exit, StorageError, UsageError
from clm.storage import faults, temporary

_COMMANDS: tuple[tuple[str, Inputs, Callable[..., int], str], ...] = (
    ("clean", "many", commands.clean, "Read order exports; no row is lost without a reason."),
    ("rfm", "one", commands.rfm, "One row per customer: recency, frequency, money, scores."),
    ("segment", "one", commands.segment, "Give every customer a segment."),
    ("clv", "one", commands.clv, "Expect orders, spend and value, and back-test it."),
    ("churn", "one", commands.churn, "Tell who will not come back, how surely, and why."),
    ("report", "one", commands.report, "One page to decide by: .html, .json, .md, or text."),
    ("migrate", "two", commands.migrate, "Show who moved between two tables of customers."),
    ("backtest", "one", commands.backtest, "Test every forecast on earlier days of the log."),
    ("cohort", "one", commands.cohort, "Follow customers by the month of their first order."),
    ("list", "one", commands.choose, "The customers to look after, with reasons in words."),
    ("show", "two", commands.show, "One customer's story, from the folder of a run."),
    ("run", "many", running.run, "All of it, making only what changed."),
    ("demo", "none", running.demo, "`run` on a real log of 23,570 customers."),
    ("config", "none", commands.show_config, "Show every setting, its value and where it comes from."),
    ("tables", "optional", commands.show_tables, "Show the tables clm writes, column by column."),
    ("key", "many", commands.key, "`key new FILE`: make the key for --pseudonymise."),
    ("doctor", "none", care.doctor, "Tell whether this machine has what clm needs."),
    ("verify", "many", care.verify, "Tell whether files are what clm wrote, and of what."),
    ("forget", "one", forgetting.forget, "Take customers out of everything in a folder."),
)
# what only tells needs no Polars
_LIGHT = ("config", "tables", "key", "doctor")
# options that name a file the command reads beside INPUT, or writes beside -o
_READ = (
    "orders",
    "model",
    "cuts",
    "scheme",
    "tiers",
    "previous",
    "attributes",
    "costs",
    "ids_file",
    "key_file",
)
_WRITTEN = ("rejects", "save_model", "figures")
# what a signal leaves, and what to do then
_STOPPED = ("earlier files are untouched", "give the same command again; `clm run` goes on where it was")
_STOPPED_FORGETTING = ("some files may still hold the customers", "give the same command again: it ends what was begun")


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit code and never raises."""
    signals.listen()
    console, name = for_command(""), next(iter(argv), "")
    try:
        if argv == ["--version"]:
            # answered before Typer parses anything: that would import pydantic, more than all of this takes
            return _version()
        outcome = _application(argv)(args=argv, prog_name="clm", standalone_mode=False)
        sys.stdout.flush()
        return int(outcome or 0)
    except typer.TyperException as error:
        return _usage(error, console)
    except KeyboardInterrupt:
        return _stopped(signals.received() or Exit.INTERRUPTED, console, name)
    except SystemExit as stop:
        if stop.code != Exit.TERMINATED and isinstance(stop.__context__, OSError):  # how Typer ends at a closed pipe, with 1
            return _failed(stop.__context__, console, name)
        return _stopped(Exit.TERMINATED, console, name) if stop.code == Exit.TERMINATED else int(stop.code or 0)
    except BaseException as error:  # noqa: BLE001 - the one boundary: Rust panics are no Exception
        return _failed(error, console, name)


def _version() -> int:
    sys.stdout.write(f"clm {__version__}\n")
    sys.stdout.flush()
    return int(Exit.DONE)


def _application(argv: Sequence[str] = ()) -> typer.Typer:
    """The command that is asked for; all of them where the first word is none."""
    app = typer.Typer(
        help="clm turns an order log into customer decisions: clean, rfm, segment, clv, churn, report; `run` does all of it.",
        add_completion=False,
        # plain help: importing Rich's would more than double the time of every `clm --help` and `--version`
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback(invoke_without_command=True)
    def top(
        context: typer.Context,
        version: bool = typer.Option(False, "--version", help="Show the version and exit.", show_default=False),
    ) -> None:
        if version:
            raise typer.Exit(_version())
        if context.invoked_subcommand is None:
            raise UsageError("no command", fix="`clm --help` lists them; `clm demo` shows what they do")

    asked = [one for one in _COMMANDS if one[0] in argv[:1]]  # declaring the options of all takes longer than parsing one
    for name, inputs, body, text in asked or _COMMANDS:
        app.command(name, help=text)(command(name, inputs, _runner(body)))
    return app


def _runner(body: Callable[..., int]) -> Callable[[str, list[str], dict[str, Any]], None]:
    def execute(name: str, inputs: list[str], flags: dict[str, Any]) -> None:
        raise typer.Exit(_execute(name, inputs, flags, body))

    return execute


def _execute(name: str, inputs: list[str], flags: dict[str, Any], body: Callable[..., int]) -> int:
    """Resolve the settings, set the limits, then let the command's body import what it needs."""
    console = for_command(name)
    try:
        console.check_log()
        # the demo shows the shipped data: a clm.toml that happens to lie here is about another log
        sources = config.read(flags.get("config"), os.environ, use_default=name != "demo")
        resolved = sources.resolve(name, flags)
        console = replace(console, quiet=resolved.common.quiet, verbose=resolved.common.verbose)
        _keep_log_apart(inputs, resolved)
        for notice in sources.unknown_variables() if name != "doctor" else ():
            console.warning(notice)
        if name not in _LIGHT and (short := resources.shortfall(resolved.common.threads, resolved.common.memory_limit)):
            console.warning(short)
        if name == "doctor":  # whether there is a scratch folder is what it is asked
            return body(Job(name, inputs, resolved, sources, console, Path()))
        with temporary.scratch() as folder:
            resources.apply(resolved.common.threads, resolved.common.memory_limit, folder)
            if name not in _LIGHT:
                _import_polars()
            job = Job(name, inputs, resolved, sources, console, folder)
            job.refuse_addresses(_named(resolved, _READ), [*filter(None, [resolved.common.output]), *_named(resolved, _WRITTEN)])
            try:
                return body(job)
            except UsageError as error:
                raise sources.traced(error, name, flags) from error
    except KeyboardInterrupt:  # Typer would end with its code and without a word
        return _stopped(signals.received() or Exit.INTERRUPTED, console, name)
    except ClmError as error:
        return _failed(error, console, name)


class _InterruptedError(ClmError):
    exit_code = Exit.INTERRUPTED


class _TerminatedError(ClmError):
    exit_code = Exit.TERMINATED


def _keep_log_apart(inputs: list[str], resolved: config.Resolved) -> None:
    """Raises ConfigError when CLM_LOG names a file of the command itself: lines would be added to it."""
    log = os.environ.get("CLM_LOG")
    files = [*inputs, resolved.common.output, *_named(resolved, (*_READ, *_WRITTEN))]
    named = [one for one in files if one and "\0" not in one]  # an id may hold what no path can
    if log and any(os.path.realpath(one) == os.path.realpath(log) for one in named):
        raise ConfigError("CLM_LOG names a file of this command", where=f"CLM_LOG={log}", fix="give the log a file of its own")


def _named(resolved: config.Resolved, names: Sequence[str]) -> list[str]:
    """The files that options name."""
    return [str(given) for name in names if (given := getattr(resolved.settings, name, None))]


def _import_polars() -> None:
    """Polars takes SIGINT over and lets a blocked read or open go on: without this, Ctrl-C would wait for the pipe to close."""
    import polars  # noqa: F401

    signal.siginterrupt(signal.SIGINT, True)


def _failed(error: BaseException, console: Console, name: str) -> int:
    """The answer to an error, which is the signal's when one came before it."""
    if stopped := signals.received():
        return _stopped(stopped, console, name)
    if isinstance(error, ClmError):
        return console.error(error)
    return _unforeseen(error, console)


def _stopped(code: Exit, console: Console, name: str) -> int:
    left, fix = _STOPPED_FORGETTING if name == "forget" else _STOPPED
    if code is Exit.INTERRUPTED:
        return console.error(_InterruptedError(f"interrupted: {left}", fix=fix))
    return console.error(_TerminatedError(f"terminated: {left}", fix=fix))


def _usage(error: typer.TyperException, console: Console) -> int:
    """Typer's own complaint about the command line, in clm's words."""
    context = getattr(error, "ctx", None)
    text = str(getattr(error, "message", error)) or "the command line is not complete"
    known = [name for one in getattr(getattr(context, "command", None), "params", []) for name in getattr(one, "opts", [])]
    unknown = getattr(error, "option_name", None)
    if unknown and "o such option" in text:
        text = f"no option {unknown}{config.suggest(unknown, known)}"
        owner = running.elsewhere(unknown.lstrip("-"))
        if owner and context is not None and context.info_name in ("run", "demo"):
            return console.error(UsageError(f"no option {unknown}: it belongs to `clm {owner[0]}`", fix=owner[1]))
    where = f"clm {context.info_name}" if context is not None and context.info_name not in (None, "clm") else "clm"
    return console.error(UsageError(text, fix=f"`{where} --help` shows what it takes"))


def _unforeseen(error: BaseException, console: Console) -> int:
    """A closed pipe is fine; a full disk is the disk's fault, also when Polars only panics about it; the rest is a bug."""
    cause = faults.os_error_of(error)
    if cause is not None:
        # what is still buffered for a closed pipe or a full device must not fail again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if cause is not None and cause.errno == errno.EPIPE:
        return int(Exit.DONE)
    if cause is not None:
        return console.error(faults.elsewhere(cause))
    if isinstance(error, MemoryError):
        return console.error(StorageError("not enough memory", fix="give --memory-limit a smaller size: clm then spills to disk"))
    console.bug(error)
    return int(Exit.BUG)
