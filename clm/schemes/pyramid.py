"""Tier files: a pyramid of named tiers, each with the edges a customer must reach, as thresholds or as shares of the base.

It may not see a customer: edges given as shares become numbers in the stage. Wrong files are refused before any data is read.

    column = "spend_365d"        what share and at_least are over
    demote_below = 0.85          who falls below this part of the edges …
    demote_after_days = 60       … for so long without a break leaves the tier
    [[tier]]                     from the top; shares add up: being gold is being among the first 5 %
    code = "diamond"
    share = "1%"
    [[tier]]
    code = "gold"
    share = "4%"
    all = [{ column = "age_days", at_least = 90 }]                                   and each of these
    any = [{ column = "clv", top = "10%" }, { column = "margin", at_least = 500 }]   and one of these
    [[tier]]
    code = "basic"               the last has no edges and takes everybody else

An edge is `at_least`, `at_most`, `top` (a share of the base) or `of_total` (a share of the sum) over any column of numbers,
or over `margin`, which is spend − cost. `action_en`, `action_zh` may say what to do with a tier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from clm.errors import ConfigError
from clm.schemes import asked, rulebook
from clm.schemes.rulebook import LANGUAGES, Words

_KINDS = ("at_least", "at_most", "top", "of_total")
_LARGEST, _STEP, _LEAST_SHARE = Decimal(10) ** 20, Decimal("0.000001"), Decimal("0.000001")
_EXAMPLE = '{ column = "orders", at_least = 3 }'
# what a tier cannot ask: it comes out of the same stage, at the same time or later
_LATER = ("tier", "tier_since", "tier_below_since", "tier_reason", "cluster")
MARGIN = "margin"  # no column of the table: spend − cost
_MADE_OF = {MARGIN: ("spend", "cost")}


@dataclass(frozen=True)
class Edge:
    """One thing to reach. `kind` `at_least`/`at_most`: a number. `top`: being among this share of the base by the column.
    `of_total`: at least this share of the column's sum over the base.
    """

    column: str
    kind: str
    value: Decimal


@dataclass(frozen=True)
class Tier:
    """A tier: `every` edge must be reached and, where there are any, one of `some`. The last tier of a pyramid has no edges."""

    code: str
    every: tuple[Edge, ...] = ()
    some: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class Pyramid:
    """Tiers from the top. A customer leaves a tier when below `demote_below` of its edges for `demote_after_days` on end."""

    name: str
    tiers: tuple[Tier, ...]
    demote_below: Decimal
    demote_after_days: int
    actions: Words = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(tier.code for tier in self.tiers)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns the edges ask, each once."""
        named = [edge.column for tier in self.tiers for edge in (*tier.every, *tier.some)]
        return tuple(dict.fromkeys(column for name in named for column in _MADE_OF.get(name, (name,))))

    def check(self, schema: Mapping[str, Any]) -> None:
        """Raises ConfigError for a column nobody knows or that holds no numbers, DataError for one another stage adds."""
        asked.check(self.columns, schema, "tier file", self.name, without=_LATER)
        text = next((name for name in self.columns if not schema[name].is_numeric()), None)
        if text is not None:
            raise _wrong(self.name, f"asks {text}, which holds no numbers", "an edge is over a column of numbers")


def load(setting: str) -> tuple[Pyramid, str]:
    """A tier file and the hash of its rules for the footer. Raises ConfigError (78)."""
    text, identity = rulebook.read(setting, "tier file", "name a TOML file of tiers: --tiers tiers.toml")
    return parse(text, rulebook.name_of(setting)), identity


def parse(text: str, name: str) -> Pyramid:
    """The pyramid of a file's text. Raises ConfigError for what is no pyramid, and for a tier nobody could ever be in."""
    record = rulebook.toml(text, name, "tier file")
    known = ("column", "demote_below", "demote_after_days", "tier")
    rulebook.only(record, known, "tier file", name, f"a tier file holds {', '.join(known[:3])} and [[tier]]")
    below = _share(record.get("demote_below", Decimal("0.85")), "demote_below", name)
    days = record.get("demote_after_days", 60)
    if not rulebook.whole(days, 0, 3650):
        raise _wrong(name, "has no usable demote_after_days", "it is a whole number of days from 0 to 3650")
    given = record.get("tier")
    if not isinstance(given, list) or not 2 <= len(given) <= 20 or not all(isinstance(one, dict) for one in given):
        raise _wrong(name, "has no usable tiers", "write 2 to 20 times [[tier]] with a code, from the top")
    tiers: list[Tier] = []
    actions: Words = {}
    reached = Decimal(0)
    for place, one in enumerate(given, 1):
        last = place == len(given)
        rulebook.only(one, _keys(), "tier file", name, f"a tier has {', '.join(_keys())}")
        code = rulebook.code(one.get("code"), "tier file", name)
        if "share" in one:
            reached += _share(one["share"], f"the share of {code}", name)
            if reached > 1 or (last and reached != 1):
                raise _wrong(
                    name,
                    f"has shares that make {(reached * 100).normalize():f}%",
                    "the shares of a pyramid make 100%, or leave the last out",
                )
        tier = Tier(code, _every(one, code, record, reached, name), _edges(one.get("any", []), code, name))
        if last and "share" in one:
            tier = Tier(code, tuple(edge for edge in tier.every if edge.kind != "top"), tier.some)
        if last == bool(tier.every or tier.some):
            what = f"lets nobody else into {code}" if last else f"has no edge for {code}"
            raise _wrong(name, what, "every tier but the last has edges, the last takes everybody else")
        upper = next((other for other in tiers if not last and _implied(other, tier)), None)
        if upper is not None:
            raise _wrong(
                name, f"can never give {code}: who reaches it reaches {upper.code}", "list tiers from the top, hardest first"
            )
        tiers.append(tier)
        for lang in LANGUAGES:
            if f"action_{lang}" in one:
                actions.setdefault(lang, {})[code] = rulebook.sentence(one[f"action_{lang}"], code, "tier file", name)
    codes = [tier.code for tier in tiers]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice is not None:
        raise _wrong(name, f"names {twice} twice", "give every tier a code of its own")
    return Pyramid(name.removesuffix(".toml"), tuple(tiers), below, days, actions)


def _keys() -> tuple[str, ...]:
    return ("code", "share", "at_least", "all", "any", *(f"action_{lang}" for lang in LANGUAGES))


def _every(one: dict[str, Any], code: str, record: dict[str, Any], reached: Decimal, name: str) -> tuple[Edge, ...]:
    """What `share`, `at_least` (over the file's column) and `all` ask together."""
    short = [kind for kind in ("share", "at_least") if kind in one]
    edges = _edges(one.get("all", []), code, name)
    if not short:
        return edges
    column = record.get("column")
    if not isinstance(column, str) or not column:
        raise _wrong(name, f"has {short[0]} for {code} and no column", 'write column = "spend_365d" at the top')
    found = {"share": Edge(column, "top", reached)} if "share" in one else {}
    if "at_least" in one:
        found["at_least"] = Edge(column, "at_least", _number(one["at_least"], code, name))
    return (*found.values(), *edges)


def _edges(given: Any, code: str, name: str) -> tuple[Edge, ...]:
    if not isinstance(given, list):
        raise _wrong(name, f"has an unclear edge for {code}", f"all and any are lists of edges such as {_EXAMPLE}")
    return tuple(_edge(one, code, name) for one in given)


def _edge(one: Any, code: str, name: str) -> Edge:
    kinds = [kind for kind in _KINDS if isinstance(one, dict) and kind in one]
    if len(kinds) != 1 or set(one) != {"column", kinds[0]} or not isinstance(one["column"], str) or not one["column"]:
        raise _wrong(name, f"has an unclear edge for {code}", f"an edge is {_EXAMPLE}, with one of {', '.join(_KINDS)}")
    kind = kinds[0]
    share = kind in ("top", "of_total")
    value = _share(one[kind], f"an edge of {code}", name) if share else _number(one[kind], code, name)
    return Edge(one["column"], kind, value)


def _implied(upper: Tier, lower: Tier) -> bool:
    """Whether whoever reaches `lower` surely reaches `upper`, which stands above it."""
    return not upper.some and all(any(_harder(own, edge) for own in lower.every) for edge in upper.every)


def _harder(one: Edge, other: Edge) -> bool:
    if (one.column, one.kind) != (other.column, other.kind):
        return False
    return one.value >= other.value if one.kind in ("at_least", "of_total") else one.value <= other.value


def _share(given: Any, what: str, name: str) -> Decimal:
    try:
        percent = isinstance(given, str) and given.strip().endswith("%")
        value = Decimal(given.strip().removesuffix("%").strip()) if isinstance(given, str) else Decimal(given)
        value = value.scaleb(-2) if percent else value
        if isinstance(given, bool) or not value.is_finite() or not _LEAST_SHARE <= value <= 1:
            raise ValueError
    except (InvalidOperation, ValueError, TypeError):
        raise _wrong(name, f"has no usable number for {what}", 'write a share such as "15%" or 0.15') from None
    return value.normalize()


def _number(given: Any, code: str, name: str) -> Decimal:
    number = isinstance(given, int | Decimal) and not isinstance(given, bool) and Decimal(given).is_finite()
    if not number or abs(Decimal(given)) >= _LARGEST or Decimal(given) != Decimal(given).quantize(_STEP):
        raise _wrong(name, f"has no usable number for {code}", f"an edge is {_EXAMPLE}")
    return Decimal(given)


def _wrong(name: str, what: str, fix: str) -> ConfigError:
    return rulebook.wrong("tier file", name, what, fix)
