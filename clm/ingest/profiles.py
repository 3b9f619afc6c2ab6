"""Source profiles: what a shop system's export means, as TOML data: shipped ones, known by their columns, and saved ones.

A profile may not hold code, and it never overrules an option: option > profile > detection. Its keys, all optional:

    about              what it is, in words
    origin             where that is known from ("after the documented columns")
    recognise          lists of column names: a log all of whose files have every name of one list is this source's
    shape              a pattern for each column of a file without header that makes it this source's
    preamble           true: other lines may stand above the header, which is known by `recognise`
    [roles]            role = "COLUMN", "DATE+TIME", or a list of which the first that is there counts. The complete reading:
                       columns with no role here get none
    optional           roles and keeps that may be missing
    [map]              what was said with --map: taken at its word, no question asked
    keep               columns to carry along
    date_format decimal encoding delimiter tz currency one_row_per_order      as the options of these names
    [status]           words by fate: sale cancelled unpaid undone return
    test               { column = "…", words = […] }: rows saying so are test orders
    only               { column = "…", words = […] }: rows saying anything else are no sales
    [tables.NAME]      a source of several tables, known by `columns`; one is `main`, the others add their `take` columns and
                       the sums of their `sum` columns to its rows, `by` a column both have

Whatever else it says is refused with 78, naming the key. A missing column is 65, naming the profile and the column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from clm import strict_toml
from clm.digest import identity_of
from clm.errors import ConfigError, DataError
from clm.settings import CleanSettings
from clm.tables import ROLES

NONE = "none"
FATES = ("sale", "cancelled", "unpaid", "undone", "return")
_SHIPPED = ("shopify", "woocommerce", "taobao", "youzan", "wechat", "uci-online-retail", "olist", "cdnow")
_OPTIONS = ("keep", "date_format", "decimal", "encoding", "delimiter", "tz", "currency", "one_row_per_order")
_LARGEST = 2**20
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Words:
    """A column and the words in it that matter."""

    column: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Linked:
    """One table of a source of several: `columns` to know it by, and what it adds to the rows of the main one."""

    columns: tuple[str, ...]
    main: bool = False
    by: str = ""
    take: tuple[str, ...] = ()
    sum: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """A profile, checked. The fields are the keys of the TOML; `name` and `identity` (what records hold) are added."""

    name: str = ""
    identity: str = ""
    about: str = ""
    origin: str = ""
    recognise: tuple[tuple[str, ...], ...] = ()
    shape: tuple[str, ...] = ()
    preamble: bool = False
    optional: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    date_format: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    tz: str | None = None
    currency: str | None = None
    one_row_per_order: bool | None = None
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)
    status: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    test: Words | None = None
    only: Words | None = None
    tables: Mapping[str, Linked] = field(default_factory=dict)


def given(setting: str | None) -> Profile | None:
    """The profile that `--profile` names: a shipped one, or a TOML file. Raises `ConfigError` (78) with key and remedy."""
    if setting is None or setting == NONE:
        return None
    if setting in _SHIPPED:
        return _shipped(setting)
    try:
        with Path(setting).open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
        text = raw.decode()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(
            f"there is no profile {Path(setting).name}, or it cannot be read",
            where=setting,
            fix=f"name a TOML file, or one of {', '.join(_SHIPPED)}; none reads without",
            code="profile",
        ) from error
    if len(raw) > _LARGEST:
        raise _wrong(Path(setting).name, "", "is larger than any profile", "name the file that --save-profile wrote")
    return replace(parse(text, Path(setting).name), identity=identity_of(raw))


def recorded(settings: CleanSettings) -> dict[str, str | None]:
    """What records hold of `--profile`: the name of a shipped one, or the hash of a file's content, so that an edit shows."""
    found = given(settings.profile)
    return {"profile": found.identity if found is not None else settings.profile}


@cache
def _shipped(name: str) -> Profile:
    text = resources.files("clm.ingest").joinpath(f"profiles/{name}.toml").read_text(encoding="utf-8")
    return replace(parse(text, name), identity=name)


def shipped() -> tuple[Profile, ...]:
    return tuple(_shipped(name) for name in _SHIPPED)


def parse(text: str, name: str) -> Profile:
    """A profile's text, checked against the keys above. Raises `ConfigError`."""
    try:
        record = strict_toml.loads(text)
    except ValueError as error:
        raise ConfigError(f"the profile {name} is not TOML: {error}", where=name, fix="mend the line", code="profile") from error
    known = {one.name for one in fields(Profile)} - {"name", "identity"}
    made: dict[str, Any] = {"name": name}
    for key, value in record.items():
        if key not in known:
            raise _wrong(name, key, "is no key of a profile", f"the keys are {', '.join(sorted(known))}")
        made[key] = _checked(name, key, value)
    found = Profile(**made)
    main = [one for one in found.tables.values() if one.main]
    if found.tables and len(main) != 1:
        raise _wrong(name, "tables", "needs exactly one main table", "write main = true in one of them")
    return found


def _checked(name: str, key: str, value: Any) -> Any:
    match key:
        case "about" | "origin" | "date_format" | "encoding" | "delimiter" | "tz" | "currency":
            return _text(name, key, value)
        case "decimal":
            if value not in (".", ","):
                raise _wrong(name, key, "is no decimal mark", 'write "." or ","')
            return value
        case "preamble" | "one_row_per_order":
            return _truth(name, key, value)
        case "optional" | "keep":
            return _texts(name, key, value)
        case "shape":
            return tuple(_pattern(name, key, one) for one in _texts(name, key, value))
        case "recognise":
            if not isinstance(value, list):
                raise _wrong(name, key, "is no list", 'write recognise = [["Column", "Column"]]')
            return tuple(_texts(name, key, one) for one in value)
        case "roles":
            alternatives = {
                role: one if isinstance(one, list) else [one] for role, one in _table(name, key, value, ROLES).items()
            }
            return {role: _texts(name, f"roles.{role}", one) for role, one in alternatives.items()}
        case "map":
            return {role: _text(name, f"map.{role}", one) for role, one in _table(name, key, value, ROLES).items()}
        case "status":
            lists = _table(name, key, value, FATES)
            return {fate: _texts(name, f"status.{fate}", words) for fate, words in lists.items()}
        case "test" | "only":
            pair = _table(name, key, value, ("column", "words"))
            if len(pair) < 2:
                raise _wrong(name, key, "lacks its column or its words", f'write {key} = {{ column = "…", words = ["…"] }}')
            return Words(_text(name, f"{key}.column", pair["column"]), _texts(name, f"{key}.words", pair["words"]))
        case _:
            return {table: _linked(name, f"tables.{table}", one) for table, one in _table(name, key, value, None).items()}


def _linked(name: str, key: str, value: Any) -> Linked:
    record = _table(name, key, value, ("columns", "main", "by", "take", "sum"))
    found = Linked(
        columns=_texts(name, f"{key}.columns", record.get("columns")),
        main=_truth(name, f"{key}.main", record.get("main", False)),
        by=_text(name, f"{key}.by", record["by"]) if "by" in record else "",
        take=_texts(name, f"{key}.take", record.get("take", []), empty=True),
        sum=_texts(name, f"{key}.sum", record.get("sum", []), empty=True),
    )
    if not found.main and (not found.by or not {found.by, *found.take, *found.sum} <= set(found.columns)):
        raise _wrong(name, key, "does not say by which of its columns it is joined", "by, take and sum name some of its columns")
    return found


def _table(name: str, key: str, value: Any, allowed: Iterable[str] | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name, key, "is no table", f"write [{key}] and lines under it")
    unknown = next((inner for inner in value if allowed is not None and inner not in allowed), None)
    if unknown is not None:
        raise _wrong(name, f"{key}.{unknown}", "is no key of a profile", f"{key} knows {', '.join(allowed or ())}")
    return value


def _text(name: str, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(name, key, "is no text", 'write it in quotes: "…"')
    return value


def _texts(name: str, key: str, value: Any, *, empty: bool = False) -> tuple[str, ...]:
    if not isinstance(value, list) or not (value or empty):
        raise _wrong(name, key, "is no list of texts", 'write ["…", "…"]')
    return tuple(_text(name, key, one) for one in value)


def _truth(name: str, key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, key, "is neither true nor false", "write true or false, without quotes")
    return value


def _pattern(name: str, key: str, pattern: str) -> str:
    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.PolarsError as error:
        raise _wrong(name, key, "is no pattern", "write a regular expression for each column") from error
    return pattern


def _wrong(name: str, key: str, what: str, fix: str) -> ConfigError:
    shown = f"{key[:80]} in the profile {name}" if key else f"the profile {name}"
    return ConfigError(f"{shown} {what}", where=f"{name}, {key[:80]}" if key else name, fix=fix, code="profile")


def under(profile: Profile | None, settings: CleanSettings) -> CleanSettings:
    """The settings, with what the profile says wherever they say nothing."""
    if profile is None:
        return settings
    said = {name: getattr(profile, name) for name in _OPTIONS if getattr(settings, name) in (None, ())}
    return replace(settings, **said, map=tuple(sorted((dict(profile.map) | dict(settings.map)).items())))


def missing(profile: Profile, what: str, wanted: Iterable[str], columns: Iterable[str]) -> DataError:
    """The answer to a log that lacks a column the profile needs."""
    names = " or ".join(wanted)
    from clm.tables import ROLES

    mend = (
        f"name the column (--map {what}=COLUMN)"
        if what in ROLES
        else f"say under {what} of a profile of your own what it is called"
    )
    return DataError(
        f"the profile {profile.name} reads {what} from the column {names}, which is not there.",
        where="columns: " + ", ".join(list(columns)[:40]),
        fix=f"{mend}, or read without the profile: --profile none",
        code="profile_column",
    )


def text(profile: Profile) -> str:
    """A profile as TOML: what `--save-profile` writes and `parse` reads."""
    lines = ["# How clm read a log: give it to `clm clean --profile`. Columns, formats and words; no value of a cell."]
    tables: list[str] = []
    for one in fields(Profile):
        value = getattr(profile, one.name)
        if one.name in ("name", "identity") or value is None or value in ("", (), {}) or value is one.default:
            continue
        if isinstance(value, Words):
            tables += ["", f"[{one.name}]", f"column = {_toml(value.column)}", f"words = {_toml(value.words)}"]
        elif one.name == "tables":
            for name, linked in value.items():
                said = {part.name: getattr(linked, part.name) for part in fields(Linked)}
                tables += ["", f"[tables.{_key(name)}]", *(f"{key} = {_toml(it)}" for key, it in said.items() if it)]
        elif isinstance(value, Mapping):
            tables += ["", f"[{one.name}]", *(f"{_key(key)} = {_toml(it)}" for key, it in value.items())]
        else:
            lines.append(f"{one.name} = {_toml(value)}")
    return "\n".join([*lines, *tables]) + "\n"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    # JSON's strings are TOML's, but for one control character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
