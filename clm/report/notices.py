"""What the stages say, in the report's language: a heading for each code, and the sentence as far as it can be told.

It may not judge what is said. Stages speak English; the `told` forms of the English locale are read backwards: where one fits
a sentence whole, its numbers go into the same form of the other language; where none does, the heading stands alone.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

from clm.report.footer_numbers import stage_facts
from clm.report.words import Words, load, plain

_STAGES = ("clean", "rfm", "segment", "clv", "churn")
# the last word of a place says what stands there; anything else is a number or a percentage
_SHAPES = {
    "length": r"\d[\d,]* (?:day|week)s?",
    "customers": r"\d[\d,]* customers?",
    "rows": r"\d[\d,]* rows?",
    "day": r"\d{4}-\d\d-\d\d",
}
_NUMBER = r"[\d,.]*\d%?"


def notices(facts: dict[str, Any], words: Words) -> tuple[tuple[str, str], ...]:
    """Warnings of every stage on the way, once each: a heading and a sentence (empty where the language has none for it)."""
    found: dict[tuple[str, str], None] = {}
    for stage in _STAGES:
        warnings = stage_facts(facts, stage).get("warnings")
        for warning in warnings if isinstance(warnings, list) else []:
            if isinstance(warning, dict):
                code, text = str(warning.get("code", "")), plain(warning.get("text", ""), 400)
                own = words.lang == "en" or not words.known(f"warning.{code}")
                heading = f"{stage}_{code}" if words.known(f"warning.{stage}_{code}") else code
                found[words.name("warning", heading), _unrepeated(code, text) if own else told(code, text, words)] = None
    return tuple(found)


def _unrepeated(code: str, text: str) -> str:
    """The sentence without its own code in front, which the heading says already: `not validated: the log …`."""
    return text.removeprefix(f"{code.replace('_', ' ')}: ")


def told(code: str, text: str, words: Words) -> str:
    """The sentence of a stage in the language of `words`; nothing when no form of its code fits it whole."""
    for key, form in load("en").entries.items():
        if key.startswith(f"told.{code}.") and (match := re.fullmatch(_pattern(form), text)):
            return words(key, **{place: _said(place, found, words) for place, found in match.groupdict().items()})
    return ""


def _pattern(form: str) -> str:
    parts = []
    for literal, place, _, _ in Formatter().parse(form):
        parts.append(re.escape(literal))
        if place:
            parts.append(f"(?P<{place}>{_SHAPES.get(place.rpartition('_')[2], _NUMBER)})")
    return "".join(parts)


def _said(place: str, found: str, words: Words) -> str:
    kind = place.rpartition("_")[2]
    if kind not in _SHAPES:
        return found
    if kind == "day":
        try:
            return words.day(found)
        except ValueError:  # a footer may hold a day that no calendar has
            return found
    number, noun = found.split(" ")
    return words.count(noun.removesuffix("s") + "s", int(number.replace(",", "")))
