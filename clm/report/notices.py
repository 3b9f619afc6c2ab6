"""What the stages say, in the report's language: a heading for each code, and the whole sentence.

It may not judge what is said. Stages speak English; the `told` forms of the English locale are read backwards: where one fits
a sentence whole, its numbers, names and days go into the same form of the other language; where none does, the heading stands
alone. The other language may leave out what it has no use for.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

from clm.report.footer_numbers import stage_facts
from clm.report.words import Words, load, plain

_STAGES = ("clean", "rfm", "segment", "clv", "churn")
_ANY = "any"  # forms of sentences that several codes share
# the last word of a place says what stands there; anything else is a number or a percentage
_SHAPES = {
    "length": r"\d[\d,]* (?:day|week)s?",
    "customers": r"\d[\d,]* customers?",
    "rows": r"\d[\d,]* rows?",
    "day": r"\d{4}-\d\d-\d\d",
    "counted": r"\d[\d,]* \w+",  # a number of things the other language names in its own form
    "verb": "has|have|is|are|does|do",
    "method": "[a-z_]+",
    "flag": r"\S+",
    "text": ".+?",  # words of the log: a column, a file, an option
    "aside": r"(?: \(.*?\))?",
    "why": ".+",  # a part told by a form of its own
    "parts": ".+?",  # several of them in a list
}
_LONGEST, _SHOWN = 4_000, 400  # signs of a sentence that are read, and that are shown
_NUMBER = r"[\d,.]*\d%?"
_COUNTED = re.compile(r"\b(\d[\d,]*) (?:customer|buyer|came )|\bhere are (\d[\d,]*)")
_OF_A_FEW = {"dominant_customer"}  # what one customer alone makes of a whole


def notices(facts: dict[str, Any], words: Words, least: float = 0) -> tuple[tuple[str, str], ...]:
    """Warnings of every stage on the way, once each: a heading and a sentence (empty where the language has none for it).

    A sentence that counts 1 to `least` − 1 customers, or tells what a single one makes of a whole, is left out.
    """
    found: dict[tuple[str, str], None] = {}
    for stage in _STAGES:
        warnings = stage_facts(facts, stage).get("warnings")
        for warning in warnings if isinstance(warnings, list) else []:
            if isinstance(warning, dict):
                code, text = str(warning.get("code", "")), plain(warning.get("text", ""), _LONGEST)
                own = words.lang == "en" or not words.known(f"warning.{code}")
                heading = f"{stage}_{code}" if words.known(f"warning.{stage}_{code}") else code
                said = _unrepeated(code, text) if own else told(code, text, words)
                said = "" if _about_few(code, text, least) else plain(said, _SHOWN)
                found[words.name("warning", heading), said] = None
    return tuple(found)


def _about_few(code: str, text: str, least: float) -> bool:
    numbers = (number for found in _COUNTED.findall(text) for number in found if number)
    return (code in _OF_A_FEW and least > 1) or any(0 < int(number.replace(",", "")) < least for number in numbers)


def _unrepeated(code: str, text: str) -> str:
    """The sentence without its own code in front, which the heading says already: `not validated: the log …`."""
    return text.removeprefix(f"{code.replace('_', ' ')}: ")


def told(code: str, text: str, words: Words) -> str:
    """The sentence of a stage in the language of `words`; nothing when no form of its code fits it whole."""
    return _fitting((f"told.{code}.", f"told.{_ANY}."), text, words) or ""


def _fitting(families: tuple[str, ...], text: str, words: Words) -> str | None:
    """The text by the first form of these families that fits it and whose parts can be told too."""
    for key, form in load("en").entries.items():
        if key.startswith(families) and (match := re.fullmatch(_pattern(form), text)):
            filled = {place: _said(place, found, words) for place, found in match.groupdict().items()}
            if None not in filled.values():
                return words(key, **{place: str(said) for place, said in filled.items()})
    return None


def _pattern(form: str) -> str:
    parts = []
    for literal, place, _, _ in Formatter().parse(form):
        parts.append(re.escape(literal))
        if place:
            parts.append(f"(?P<{place}>{_SHAPES.get(_kind(place), _NUMBER)})")
    return "".join(parts)


def _kind(place: str) -> str:
    return place.rpartition("_")[2]


def _said(place: str, found: str, words: Words) -> str | None:
    """What stood at a place, in the other language; None when it cannot be told."""
    match _kind(place):
        case "day":
            try:
                return words.day(found)
            except ValueError:  # a footer may hold a day that no calendar has
                return found
        case "length" | "customers" | "rows":
            number, noun = found.split(" ")
            return words.count(noun.removesuffix("s") + "s", int(number.replace(",", "")))
        case "counted":
            return found.split(" ")[0]
        case "method" | "flag" as family:
            return words.name(family, found)
        case "aside":
            return words("format.aside", text=found[2:-1]) if found else ""
        case "why":
            return _fitting(("part.",), found, words)
        case "parts":
            told_parts = [_fitting(("part.",), part, words) for part in found.removesuffix(", …").split(", ")]
            return None if None in told_parts else words("format.list").join(map(str, told_parts))
        case _:
            return found
