"""Settings records as Typer commands: every option of the command line is declared once, in `settings`.

It may not parse values (settings do, so that flags, variables and clm.toml say the same) or run anything.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from clm.settings import COMMANDS, CommonSettings, Option, option_name, options, shown_default

Inputs = Literal["none", "one", "two", "many", "optional"]

# Every command takes every common option, so that scripts can pass them blindly; help shows those that can matter.
_MATTER = {
    "config": {"config", "json"},
    "tables": {"json"},
    "key": {"quiet", "json", "dry_run"},
    "show": {one.name for one, _ in options(CommonSettings)} - {"output", "seed", "dry_run"},
}


def command(name: str, inputs: Inputs, execute: Callable[[str, list[str], dict[str, Any]], None]) -> Callable[..., None]:
    """A function Typer can register: its signature is the command's options, its body hands them on unparsed."""

    def body(**given: Any) -> None:
        named = given.pop("input", None)
        execute(name, [named] if isinstance(named, str) else list(named or []), given)

    parameters = [_argument(name, inputs)] if inputs != "none" else []
    parameters += [_parameter(one.name, one.default, option) for one, option in options(COMMANDS[name])]
    for one, option in options(CommonSettings):
        parameters.append(_parameter(one.name, one.default, option, hidden=one.name not in _MATTER.get(name, (one.name,))))
    body.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    body.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return body


def _argument(name: str, inputs: Inputs) -> inspect.Parameter:
    annotation: Any
    if name == "key":
        annotation = Annotated[list[str] | None, typer.Argument(metavar="new FILE", show_default=False, help="The new file.")]
        return inspect.Parameter("input", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)
    if name == "show":
        annotation = Annotated[
            list[str] | None, typer.Argument(metavar="ID DIR", show_default=False, help="The customer; the folder of a run.")
        ]
        return inspect.Parameter("input", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)
    if name == "forget":
        annotation = Annotated[str | None, typer.Argument(metavar="DIR", show_default=False, help="The folder of the outputs.")]
        return inspect.Parameter("input", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)
    if name == "verify":
        annotation = Annotated[
            list[str] | None,
            typer.Argument(metavar="FILE...", show_default=False, help="Tables, model.json, run.json, or the folder of a run."),
        ]
        return inspect.Parameter("input", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)
    says = {
        "rfm": "TRANSACTIONS file",
        "cohort": "TRANSACTIONS file",
        "backtest": "TRANSACTIONS, or CUSTOMERS, file",
        "churn": "CUSTOMERS file (with --label any table)",
    }.get(name, "CUSTOMERS file")
    text = {
        "two": "Two CUSTOMERS files: the earlier, then the later.",
        "one": f"The {says}; - or a pipe is standard input.",
        "many": "Files, globs or folders: CSV, workbooks, JSON, Parquet, also packed; - or a pipe is standard input.",
        "optional": "The table to show.",
    }[inputs]
    kind: Any = list[str] if inputs in ("two", "many") else str
    metavar = {"optional": "NAME", "two": "A B"}.get(inputs, "INPUT")
    annotation = Annotated[kind | None, typer.Argument(metavar=metavar, show_default=False, help=text)]
    return inspect.Parameter("input", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=annotation)


def _parameter(name: str, default: Any, option: Option, hidden: bool = False) -> inspect.Parameter:
    kind: Any = bool if option.flag else list[str] if option.repeat else str
    names = [f"--{option_name(name)}", *([option.short] if option.short else [])]
    shown = shown_default(default, option)
    declared = typer.Option(
        *names,
        help=option.help + (f" [default: {shown}]" if shown else ""),
        metavar=option.metavar or None,
        show_default=False,
        hidden=hidden,
    )
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, declared])
