"""Channels by their names: how two spellings of one channel are known, wherever they stand.

It may not read files or know what a channel is good for.
"""

from __future__ import annotations

import unicodedata


def key(name: str) -> str:
    """The name for comparing: case, width and blanks at the ends do not matter."""
    return unicodedata.normalize("NFKC", name).strip().casefold()
