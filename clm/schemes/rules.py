"""Schemes in the rule language: each segment says when, over any column of CUSTOMERS, and the rules are held against each other.

It may not see a customer: what is linted are the values at which some rule changes its answer (`coverage`).

    first_match = true           without it exactly one rule must hold for everybody
    [[segment]]
    code = "vip"
    when = "spend > 10000 and recency_days < 60"
    action_en = "call them"      what to do with a segment; action_zh too
    [[segment]]
    code = "rest"                with first_match the last has no rule and takes the rest

Rules may ask every column of CUSTOMERS that is there by now, `lifecycle` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from clm.errors import ConfigError
from clm.expressions import Expression, ExpressionError, parse
from clm.expressions.meaning import compiled
from clm.schemes import asked, coverage, rulebook
from clm.schemes.rulebook import LANGUAGES, Words

_MOST_RULES = 200
_EXAMPLE = '[[segment]]\n         code = "vip"\n         when = "spend > 10000 and recency_days < 60"'
# what a segment cannot ask: it comes out of the same stage, later
_LATER = ("segment", "tier", "tier_since", "tier_below_since", "tier_reason", "cluster")


@dataclass(frozen=True)
class Rules:
    """Segments by rule. `rules` in the order of the file; a rule of None takes everybody who is left.

    With `first_match` the first rule that holds decides; else exactly one code must hold for everybody.
    """

    name: str
    bins: int
    codes: tuple[str, ...]
    rules: tuple[tuple[str, Expression | None], ...]
    first_match: bool
    actions: Words = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns the rules ask, each once."""
        return tuple(dict.fromkeys(name for _, rule in self.rules if rule is not None for name in rule.columns()))

    def answers(self, schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
        """One Boolean column per rule. Raises ConfigError where a rule does not fit the columns."""
        return [pl.lit(value=True) if rule is None else self._compiled(code, rule, schema) for code, rule in self.rules]

    def _compiled(self, code: str, rule: Expression, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        try:
            return compiled(rule, schema)
        except ExpressionError as error:
            raise _wrong(self.name, f"has a rule for {code} that does not fit: {error}", "mend the rule") from error

    def lint(self, schema: Mapping[str, pl.DataType]) -> tuple[str, ...]:
        """Hold the rules against each other over these columns; what could not be checked, in words.

        Raises ConfigError for a gap, an overlap or a code that never comes, DataError for a column a later stage adds.
        """
        asked.check(self.columns, schema, "scheme", self.name, without=_LATER)
        answers = self.answers(schema)
        found = coverage.examples([rule for _, rule in self.rules if rule is not None], schema, self.bins)
        if found.frame is None:
            return found.unchecked
        held = found.frame.with_columns(answer.alias(f"rule {place}") for place, answer in enumerate(answers))
        by_code = {code: [f"rule {n}" for n, (one, _) in enumerate(self.rules) if one == code] for code in self.codes}
        codes = held.select(
            *found.frame.columns, *(pl.any_horizontal(names).alias(f"is {code}") for code, names in by_code.items())
        )
        number = pl.sum_horizontal(pl.col(f"is {code}").cast(pl.Int32) for code in self.codes)
        gap = codes.filter(number == 0).head(1)
        if gap.height:
            fix = 'let a segment cover it, or write first_match = true and end with a [[segment]] that has no "when"'
            raise _wrong(self.name, f"has a gap: no segment covers {coverage.shown(gap, found.frame.columns)}", fix)
        if not self.first_match:
            twice = codes.filter(number > 1).head(1)
            if twice.height:
                both = [code for code in self.codes if twice[f"is {code}"][0]][:2]
                example = coverage.shown(twice, found.frame.columns)
                fix = "leave it to one of them, or write first_match = true: then the first that holds decides"
                raise _wrong(self.name, f"overlaps: {example} is both {both[0]} and {both[1]}", fix)
        if found.unchecked:
            return found.unchecked
        first = pl.coalesce(pl.when(pl.col(f"rule {n}")).then(pl.lit(code)) for n, (code, _) in enumerate(self.rules))
        given = set(held.select(first.alias("code"))["code"].unique().to_list())
        never = next((code for code in self.codes if code not in given), None)
        if never is not None:
            raise _wrong(self.name, f"can never give {never}", "mend its rule, or take it out")
        return ()


def parse_rules(record: dict[str, Any], name: str) -> Rules:
    """A scheme of written rules, its grammar checked; `Rules.lint` wants to know the columns. Raises ConfigError."""
    rulebook.only(record, ("bins", "first_match", "segment"), "scheme", name, f"a scheme of rules holds\n         {_EXAMPLE}")
    bins, first_match, given = record.get("bins", 5), record.get("first_match", False), record["segment"]
    if not rulebook.whole(bins, 2, 9):
        raise _wrong(name, "has no usable bins", "bins is a whole number from 2 to 9")
    if not isinstance(first_match, bool):
        raise _wrong(name, "has an unclear first_match", "write first_match = true or leave it out")
    if not isinstance(given, list) or not given or len(given) > _MOST_RULES or not all(isinstance(one, dict) for one in given):
        raise _wrong(name, "has no usable segments", f"write 1 to {_MOST_RULES} times\n         {_EXAMPLE}")
    rules: list[tuple[str, Expression | None]] = []
    actions: Words = {}
    for place, one in enumerate(given, 1):
        known = ("code", "when", *(f"action_{lang}" for lang in LANGUAGES))
        rulebook.only(one, known, "scheme", name, "a segment has code, when, action_en, action_zh")
        code = rulebook.code(one.get("code"), "scheme", name)
        last = place == len(given)
        if "when" not in one and not (first_match and last):
            fix = 'give it a "when"; only the last segment of a file with first_match = true takes the rest'
            raise _wrong(name, f"has no rule for {code}", fix)
        if first_match and last and "when" in one:
            raise _wrong(name, "ends without taking the rest", 'end with a [[segment]] that has a code and no "when"')
        rules.append((code, _rule(one["when"], code, name) if "when" in one else None))
        for lang in LANGUAGES:
            if f"action_{lang}" in one:
                actions.setdefault(lang, {})[code] = rulebook.sentence(one[f"action_{lang}"], code, "scheme", name)
    codes = tuple(dict.fromkeys(code for code, _ in rules))
    return Rules(name.removesuffix(".toml"), bins, codes, tuple(rules), first_match, actions)


def _rule(text: Any, code: str, name: str) -> Expression:
    if not isinstance(text, str):
        raise _wrong(name, f"has an unclear rule for {code}", f"write\n         {_EXAMPLE}")
    try:
        return parse(text)
    except ExpressionError as error:
        raise _wrong(name, f"has a rule for {code} that is none: {error}", "mend the rule") from error


def _wrong(name: str, what: str, fix: str) -> ConfigError:
    return rulebook.wrong("scheme", name, what, fix)
