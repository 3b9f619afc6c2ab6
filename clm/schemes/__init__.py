"""Segment schemes: a shipped one or a TOML file of the user's own, over scores or in the rule language.

It may not see a customer: a scheme with a gap, an overlap or an unreachable name is refused before any data is read.
"""

from __future__ import annotations

from importlib import resources

from clm.schemes import rulebook
from clm.schemes.cells import Cells, parse_cells
from clm.schemes.rules import Rules, parse_rules

SHIPPED = ("grid", "zh8")

Scheme = Cells | Rules

__all__ = ["SHIPPED", "Cells", "Rules", "Scheme", "load", "parse"]


def load(setting: str) -> tuple[Scheme, str]:
    """A shipped scheme by name or a TOML file by path; with it what the footer records: the name, or the hash of the rules.

    Raises ConfigError (78) with the remedy.
    """
    if setting in SHIPPED:
        return parse(resources.files(__name__).joinpath(f"{setting}.toml").read_text("utf-8"), setting), setting
    text, identity = rulebook.read(setting, "scheme", f"name a TOML file, or one of {', '.join(SHIPPED)}")
    return parse(text, rulebook.name_of(setting)), identity


def parse(text: str, name: str) -> Scheme:
    """A scheme's text, checked as far as that goes without columns: all of it over scores, the grammar of written rules.

    Raises ConfigError with an example combination of scores, never a customer.
    """
    record = rulebook.toml(text, name, "scheme")
    return parse_rules(record, name) if "segment" in record else parse_cells(record, name)
