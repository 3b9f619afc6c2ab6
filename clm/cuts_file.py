"""A file of fixed cut-offs: TOML, one table per score, with the cut-offs in the unit of the column behind it.

It may not know which scores there are or how a column counts: the stage checks that against the table.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from clm import strict_toml
from clm.digest import identity_of
from clm.errors import ConfigError

_EXAMPLE = "write tables such as [r_score] with cuts = [30, 90, 180, 365]"


def load(setting: str) -> tuple[dict[str, list[Any]], str]:
    """Cut-offs by score, numbers as written (Decimal where they have a point), and the hash the footer records.

    Raises ConfigError (78).
    """
    name = Path(setting).name
    try:
        text = Path(setting).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"the cut-offs {name} cannot be read", where=setting, fix="check --cuts") from error
    try:
        record = strict_toml.loads(text, parse_float=Decimal)
    except ValueError as error:
        raise ConfigError(f"the cut-offs {name} are not TOML: {error}", where=setting, fix=_EXAMPLE, code="cuts") from error
    for score, table in record.items():
        if not isinstance(table, dict) or set(table) != {"cuts"} or not isinstance(table["cuts"], list):
            raise ConfigError(f"the cut-offs {name} say nothing usable under {score}", where=setting, fix=_EXAMPLE, code="cuts")
    if not record:
        raise ConfigError(f"the cut-offs {name} are empty", where=setting, fix=_EXAMPLE, code="cuts")
    identity = identity_of(text.encode())
    return {score: table["cuts"] for score, table in record.items()}, identity
