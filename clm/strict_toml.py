"""TOML from files somebody else may have written: no key of thousands of parts, no nesting no parser comes back from.

It may not know what the document is about.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

# each further part of a dotted key costs the parser as much as all before it: 20,000 take gigabytes
_LONG_KEY = re.compile(r"(?<![\w\"'.-])[\w\"'-]+(?:[ \t]*\.[ \t]*[\w\"'-]+){100}")


def loads(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """The document. Raises ValueError when it is no TOML, or nobody could have meant it."""
    if _LONG_KEY.search(text):
        raise ValueError("a key has more than a hundred parts")
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except (RecursionError, ArithmeticError) as error:
        raise ValueError("nested too deeply" if isinstance(error, RecursionError) else "a number nobody can read") from error
