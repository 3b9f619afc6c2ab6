"""What every file of rules shares: how it is read, how its codes and words look, and what is said when it is wrong.

It may not know what the rules mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from clm import strict_toml
from clm.digest import identity_of
from clm.errors import ConfigError
from clm.tables import NO_PURCHASE

LANGUAGES = ("en", "zh")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_WORDS = 300
_MOST_BYTES = 1 << 20

Words = dict[str, dict[str, str]]  # language -> code -> what to do, or how it is called


def read(given: str, kind: str, fix: str) -> tuple[str, str]:
    """The text of a rule file, and its hash for the footer. Raises ConfigError when it cannot be read."""
    try:
        with Path(given).open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"the {kind} {name_of(given)} cannot be read", where=given, fix=fix) from error
    if len(content) > _MOST_BYTES:
        raise wrong(kind, name_of(given), "is larger than any rules", "keep it below 1 MB")
    return text, identity_of(content)


def name_of(given: str) -> str:
    return Path(given).name


def toml(text: str, name: str, kind: str) -> dict[str, Any]:
    """The file's record; its fractions stay exact."""
    try:
        return strict_toml.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ConfigError(f"the {kind} {name} is not TOML: {error}", where=name, fix="mend the line", code=_code(kind)) from error


def only(record: Mapping[str, Any], known: Iterable[str], kind: str, name: str, fix: str) -> None:
    """Raises ConfigError for a key nobody knows."""
    unknown = sorted(set(record) - set(known))
    if unknown:
        raise wrong(kind, name, f"has the unknown key {unknown[0][:40]}", fix)


def code(given: Any, kind: str, name: str) -> str:
    """A stable ASCII code that may stand in a table. Raises ConfigError for anything else."""
    if given is None:
        raise wrong(kind, name, "lacks a code", 'every part has one of its own, such as code = "key_value"')
    if not isinstance(given, str) or not _CODE.fullmatch(given) or given == NO_PURCHASE:
        raise wrong(kind, name, f"has the unusable code {str(given)[:40]!r}", "codes are lower-case ASCII such as key_value")
    return given


def whole(given: Any, low: int, high: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and low <= given <= high


def sentence(given: Any, what: str, kind: str, name: str) -> str:
    """One line of words for people."""
    if not isinstance(given, str) or not given.strip() or len(given) > _LONGEST_WORDS or not given.isprintable():
        raise wrong(kind, name, f"has unusable words for {what}", f"write one line of text, {_LONGEST_WORDS} characters at most")
    return given.strip()


def wrong(kind: str, name: str, what: str, fix: str) -> ConfigError:
    return ConfigError(f"the {kind} {name} {what}", where=name, fix=fix, code=_code(kind))


def _code(kind: str) -> str:
    return kind.replace(" ", "_")
