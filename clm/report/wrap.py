"""Breaking text into lines of a terminal, Chinese and Latin alike.

It may not know what is printed: text and a width in, lines out.
"""

from __future__ import annotations

import re
import unicodedata

_CLOSING = ",.;:!?)，。；：？！）、」”％%"
_OPENING = "(（「“"
_PARTS = re.compile(
    r" +|[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]|[^ \u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f]+"
)


def cells(text: str) -> int:
    """How many cells of a terminal a text takes: full-width signs two, combining ones none."""
    return sum(0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, at least one. Breaks at blanks and between Chinese signs, never before closing
    punctuation or at a no-break space; what is longer than a line is cut.
    """
    lines, line = [], ""
    for part in _tokens(text):
        if cells(line + part.rstrip(" ")) <= width:
            line += part
            continue
        if line.strip(" "):
            lines.append(line.rstrip(" "))
        line = part.lstrip(" ")
        while cells(line) > width:
            cut = next(end for end in range(len(line), 0, -1) if cells(line[:end]) <= width or end == 1)
            lines.append(line[:cut])
            line = line[cut:]
    if line.strip(" ") or not lines:
        lines.append(line.rstrip(" "))
    return lines


def _tokens(text: str) -> list[str]:
    """Pieces between which a line may end."""
    tokens: list[str] = []
    for part in _PARTS.findall(text):
        sticks = bool(tokens) and (part[0] in _CLOSING or tokens[-1][-1] in _OPENING)
        if sticks:
            tokens[-1] += part
        else:
            tokens.append(part)
    return tokens
