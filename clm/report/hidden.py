"""What the report says of the numbers it hides, and what is left of it where they are all of them.

It may not decide what is hidden: `suppress` did.
"""

from __future__ import annotations

from clm.report.blocks import Panel
from clm.report.numbers import Numbers
from clm.report.words import HIDDEN, Words

_SHOWN_BY = "clm report --min-cell 0"
_ABOUT_NOBODY = ("quality", "customers", "assumptions")  # rows of the log, and customers named only when asked for


def everything(numbers: Numbers) -> bool:
    """Whether the table is of so few customers that every number about them is hidden."""
    buyers = numbers.find("overview", "buyers")
    return buyers is not None and buyers.hidden


def notice(numbers: Numbers, words: Words) -> tuple[tuple[str, str], ...]:
    """How many numbers are hidden, why, and by which sign they are known; nothing where none is, or the headline says it."""
    count = numbers.value("privacy", "hidden")
    if not count or everything(numbers):
        return ()
    text = words("privacy.text", sign=HIDDEN, customers=_least(numbers, words), n=words.whole(count), command=_SHOWN_BY)
    return ((words("privacy.heading"), text),)


def headline(numbers: Numbers, words: Words) -> str:
    """The one sentence left where everything is hidden."""
    return words("privacy.base", customers=_least(numbers, words), command=_SHOWN_BY)


def left(panels: tuple[Panel, ...], numbers: Numbers) -> tuple[Panel, ...]:
    """The panels with something to show: all of them, or those about nobody where everything else is hidden."""
    return tuple(panel for panel in panels if panel.code in _ABOUT_NOBODY) if everything(numbers) else panels


def _least(numbers: Numbers, words: Words) -> str:
    return words.count("customers", numbers.value("privacy", "min_cell"))
