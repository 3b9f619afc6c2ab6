"""Where a setting comes from: flag, then CLM_* variable, then clm.toml, then the default; each value with its origin.

It may not know what any setting means: `settings` declares and parses them. Imports nothing heavy.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clm import strict_toml
from clm.errors import ConfigError, UsageError
from clm.outcome import Notice
from clm.settings import COMMANDS, CommonSettings, Option, option_name, options

DEFAULT_FILE = "clm.toml"
# read outside the options: the log file, the folder of the tests' data
_OTHER_VARIABLES = ("CLM_LOG", "CLM_TEST_DATA", "CLM_DATA")
_LIST_SEPARATOR = ";"


@dataclass(frozen=True)
class Resolved:
    """One command's settings and where each came from (field name -> origin)."""

    settings: Any
    common: CommonSettings
    origins: dict[str, str]


@dataclass(frozen=True)
class Sources:
    """The environment and the configuration file, read once."""

    env: Mapping[str, str]
    file: Mapping[str, Any]
    file_name: str | None = None

    def resolve(self, command: str, flags: Mapping[str, Any]) -> Resolved:
        """Settings of a command. Raises UsageError (2) for a bad flag, ConfigError (78) for a bad variable or key."""
        origins: dict[str, str] = {}
        own = self._fill(COMMANDS[command], command, flags, origins)
        common = self._fill(CommonSettings, command, flags, origins)
        return Resolved(own, common, origins)

    def traced(self, error: UsageError, command: str, flags: Mapping[str, Any]) -> UsageError | ConfigError:
        """The error where its setting was written: on the command line of `command`, in a variable or in clm.toml."""
        if error.setting is None:
            return error
        owner, _, name = error.setting.partition(".")
        origin = self.resolve(owner, flags if owner == command else {}).origins[name]
        return error if origin in ("flag", "default") else ConfigError(error.what, where=origin, fix=error.fix, code=error.code)

    def _fill(self, record: type[Any], command: str, flags: Mapping[str, Any], origins: dict[str, str]) -> Any:
        found: dict[str, Any] = {}
        for one, option in options(record):
            raw, origin = self._raw(command, one.name, flags, option)
            origins[one.name] = origin
            if origin == "default":
                continue
            try:
                found[one.name] = option.parse(raw)
            except ValueError as error:
                raise _bad(origin, command, one.name, str(error)) from None
        return record(**found)

    def _raw(self, command: str, name: str, flags: Mapping[str, Any], option: Option) -> tuple[Any, str]:
        if flags.get(name) not in (None, [], ()):
            return flags[name], "flag"
        key = name.rstrip("_")
        table = "run" if command == "demo" else command
        for variable in (f"CLM_{table.upper()}_{key.upper()}", f"CLM_{key.upper()}"):
            if variable in self.env:
                text = self.env[variable]
                return (text.split(_LIST_SEPARATOR) if option.repeat else text), variable
        tabled = self.file.get(table)
        if isinstance(tabled, Mapping) and key in tabled:
            return tabled[key], f"{self.file_name} [{table}]"
        if key in self.file and not isinstance(self.file[key], Mapping):
            return self.file[key], f"{self.file_name}"
        return None, "default"

    def unknown_variables(self) -> list[Notice]:
        """CLM_* variables that set nothing: a warning each, since a typing error would otherwise pass unseen."""
        known = set(_OTHER_VARIABLES)
        for command, record in COMMANDS.items():
            for name in _keys(record, CommonSettings) if command != "demo" else ():
                known |= {f"CLM_{name.upper()}", f"CLM_{command.upper()}_{name.upper()}"}
        return [
            Notice("unknown_variable", f"the variable {variable} sets nothing{suggest(variable, known)}")
            for variable in sorted(self.env)
            if variable.startswith("CLM_") and variable not in known
        ]


def read(explicit: str | None, env: Mapping[str, str], *, use_default: bool = True) -> Sources:
    """The configuration file, checked: `explicit`, else CLM_CONFIG, else ./clm.toml when it is there.

    Raises ConfigError (78) when it cannot be read, is no TOML, or has an unknown table or key.
    """
    named = explicit or env.get("CLM_CONFIG")
    path = Path(named) if named else Path(DEFAULT_FILE)
    if not named and not (use_default and path.is_file()):
        return Sources(env, {})
    if named and "://" in named:
        raise ConfigError("the configuration is a file of this machine, not an address", where=named, fix="copy it here first")
    try:
        record = strict_toml.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the configuration {path.name} cannot be read", where=str(path), fix="check --config") from error
    except ValueError as error:
        raise ConfigError(f"the configuration {path.name} is not TOML: {error}", where=str(path), fix="mend the line") from error
    _check(record, path)
    return Sources(env, record, path.name)


def _check(record: Mapping[str, Any], path: Path) -> None:
    everywhere = {key for settings in COMMANDS.values() for key in _keys(settings, CommonSettings)} - {"config"}
    for key, value in record.items():
        if isinstance(value, Mapping) and key in COMMANDS and key != "demo":
            allowed = set(_keys(COMMANDS[key], CommonSettings)) - {"config"}
            for inner in value:
                if inner not in allowed:
                    raise _unknown(f"{key}.{inner}", inner, allowed, path)
        elif key not in everywhere:
            raise _unknown(key, "run" if key == "demo" else key, everywhere | set(COMMANDS) - {"demo"}, path)


def _unknown(shown: str, key: str, allowed: Iterable[str], path: Path) -> ConfigError:
    return ConfigError(
        f"unknown key {shown} in {path.name}{suggest(key, allowed)}",
        where=f"{path}, {shown}",
        fix="take it out or mend it; `clm config` lists every key",
        code="unknown_key",
    )


def suggest(word: str, allowed: Iterable[str]) -> str:
    """`: did you mean X?` when something close exists, else nothing."""
    close = difflib.get_close_matches(word, sorted(allowed), n=1)
    return f": did you mean {close[0]}?" if close else ""


def _keys(*records: type[Any]) -> list[str]:
    return [one.name.rstrip("_") for record in records for one, _ in options(record)]


def _bad(origin: str, command: str, name: str, says: str) -> UsageError | ConfigError:
    option = f"--{option_name(name)}"
    if origin == "flag":
        return UsageError(f"{option} {says}", fix=f"`clm {command} --help` shows what it takes", code="bad_option")
    fix = f"mend it there, or override it with {option}"
    return ConfigError(f"{name.rstrip('_')} {says}", where=origin, fix=fix, code="bad_value")
