"""The grammar: text into a tree of comparisons, and an error that points at the character when it is none.

It may not know which columns there are or import Polars: `meaning` asks a table. In words, loosest first:

    rule       any `or` any ...           any := all and all ...          all := not all | ( rule ) | test
    test       value < value (< value)    value in (literal, ...)         value like "gift_*"     value is empty    flag column
    value      a column, or a literal     = == != <> < <= > >= compare    `not in`, `not like`, `is not empty` deny
    column     amount, 金额, or any name between backticks
    literal    100000   -2.5   35%   "text" or 'text' (a doubled quote is one)   2024-06-30   2024-06-30T10:15   true   false

Full-width punctuation of a Chinese keyboard is read as its ASCII twin outside quotes. Words of the language know no case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from clm.expressions.tree import (
    All,
    Among,
    Column,
    Compare,
    Empty,
    Expression,
    ExpressionError,
    Flag,
    Like,
    Literal,
    Node,
    Not,
    Some,
    Value,
)

_LONGEST, _DEEPEST = 4000, 40
# digits before and after the point of a number: what exact comparison with money needs, and no more than it can hold
DIGITS, DECIMALS = 20, 6
_WORDS = ("and", "or", "not", "in", "like", "is", "empty", "true", "false")
_FULL_WIDTH = str.maketrans("（），＞＜＝！％－“”‘’", "(),><=!%-\"\"''")
_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<day>\d{4}-\d{1,2}-\d{1,2}(?:T\d{1,2}:\d{2}(?::\d{2})?)?(?![\w-]))
    |(?P<number>\d+(?:\.\d+)?%?(?![\w.]))
    |(?P<text>"(?:[^"]|"")*"|'(?:[^']|'')*')
    |(?P<quoted>`[^`]+`)
    |(?P<name>[^\W\d]\w*)
    |(?P<sign><=|>=|==|!=|<>|[=<>(),-])""",
    re.VERBOSE,
)
_SAME = {"==": "=", "<>": "!="}
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


def parse(text: str) -> Expression:
    """The tree of a rule. Raises `ExpressionError` pointing at the first character that cannot be."""
    if len(text) > _LONGEST:
        raise ExpressionError(f"a rule has at most {_LONGEST:,} characters", text, _LONGEST)
    if not text.strip():
        raise ExpressionError("the rule is empty", text, 0)
    reader = _Reader(text)
    root = reader.some()
    if reader.kind != "end":
        raise reader.wrong("`and`, `or` or the end")
    return Expression(text.strip(), root)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    plain = _narrowed(text)
    at = 0
    while at < len(plain):
        match = _TOKEN.match(plain, at)
        if match is None:
            open_quote = plain[at] in "\"'`"
            raise ExpressionError("a quote is never closed" if open_quote else "this means nothing here", text, at)
        kind = match.lastgroup or ""
        if kind == "name" and match[0].lower() in _WORDS:
            yield _Token("word", match[0].lower(), at)
        elif kind != "blank":
            yield _Token(kind, match[0], at)
        at = match.end()
    yield _Token("end", "", len(text.rstrip()))


def _narrowed(text: str) -> str:
    """The text with full-width punctuation made narrow outside quotes; as long as before, so that places stay."""
    parts: list[str] = []
    closing = ""
    for character in text:
        narrow = character if closing else character.translate(_FULL_WIDTH)
        parts.append(character.translate(_FULL_WIDTH) if closing and character.translate(_FULL_WIDTH) == closing else narrow)
        if closing:
            closing = "" if parts[-1] == closing else closing
        elif narrow in "\"'`":
            closing = narrow
    return "".join(parts)


class _Reader:
    """Recursive descent over the tokens, one ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.place = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.place]

    @property
    def kind(self) -> str:
        return self.token.kind

    def wrong(self, wanted: str) -> ExpressionError:
        found = "the end" if self.kind == "end" else f"`{self.token.text}`"
        return ExpressionError(f"expected {wanted}, found {found}", self.text, self.token.at)

    def taken(self, kind: str, text: str) -> bool:
        if self.kind == kind and self.token.text == text:
            self.place += 1
            return True
        return False

    def some(self) -> Node:
        parts = [self.all()]
        while self.taken("word", "or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def all(self) -> Node:
        parts = [self.one()]
        while self.taken("word", "and"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def one(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ExpressionError(f"brackets and `not` go at most {_DEEPEST} deep", self.text, self.token.at)
        try:
            if self.taken("word", "not"):
                return Not(self.one())
            if self.taken("sign", "("):
                inner = self.some()
                if not self.taken("sign", ")"):
                    raise self.wrong("`)`")
                return inner
            return self.test()
        finally:
            self.depth -= 1

    def test(self) -> Node:
        left = self.value()
        at = self.token.at
        if self.kind == "sign" and _SAME.get(self.token.text, self.token.text) in COMPARISONS:
            return self.comparisons(left)
        if self.taken("word", "is"):
            denied = self.taken("word", "not")
            if not self.taken("word", "empty"):
                raise self.wrong("`empty`")
            return Not(Empty(left, at)) if denied else Empty(left, at)
        denied = self.taken("word", "not")
        if self.taken("word", "in"):
            among = Among(left, self.literals(), at)
            return Not(among) if denied else among
        if self.taken("word", "like"):
            pattern = self.value()
            if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
                raise ExpressionError('`like` wants a pattern in quotes, such as "gift_*"', self.text, pattern.at)
            like = Like(left, pattern, at)
            return Not(like) if denied else like
        if denied:
            raise self.wrong("`in` or `like`")
        if isinstance(left, Literal) and not isinstance(left.value, bool):
            raise self.wrong("a comparison")
        return Flag(left)

    def comparisons(self, left: Value) -> Node:
        """`a < b` and `a < b <= c`."""
        parts: list[Node] = []
        while self.kind == "sign" and _SAME.get(self.token.text, self.token.text) in COMPARISONS:
            at, sign = self.token.at, _SAME.get(self.token.text, self.token.text)
            self.place += 1
            right = self.value()
            parts.append(Compare(sign, left, right, at))
            left = right
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def literals(self) -> tuple[Literal, ...]:
        if not self.taken("sign", "("):
            raise self.wrong("`(`")
        found: list[Literal] = []
        while True:
            value = self.value()
            if not isinstance(value, Literal):
                raise ExpressionError("`in` wants values: text stands in quotes", self.text, value.at)
            found.append(value)
            if self.taken("sign", ")"):
                return tuple(found)
            if not self.taken("sign", ","):
                raise self.wrong("`,` or `)`")

    def value(self) -> Value:
        token = self.token
        if token.kind == "sign" and token.text == "-" and self.tokens[self.place + 1].kind == "number":
            self.place += 2
            number = self.number(self.tokens[self.place - 1])
            return Literal(-number, token.at)
        if token.kind == "word" and token.text in ("true", "false"):
            self.place += 1
            return Literal(token.text == "true", token.at)
        if token.kind not in ("number", "day", "text", "quoted", "name"):
            raise self.wrong("a column or a value")
        self.place += 1
        if token.kind == "number":
            return Literal(self.number(token), token.at)
        if token.kind == "day":
            return Literal(self.moment(token), token.at)
        if token.kind == "text":
            # the text itself from the original: only quotes were narrowed
            inner, quote = self.text[token.at + 1 : token.at + len(token.text) - 1], token.text[0]
            return Literal(inner.replace(quote * 2, quote), token.at)
        return Column(token.text.strip("`"), token.at)

    def number(self, token: _Token) -> Decimal:
        whole, _, _ = token.text.partition(".")
        if len(whole.removesuffix("%")) > DIGITS:
            raise ExpressionError(f"a number has at most {DIGITS} digits before the point", self.text, token.at)
        number = Decimal(token.text.removesuffix("%"))
        number = number.scaleb(-2) if token.text.endswith("%") else number
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > DECIMALS:
            raise ExpressionError(f"a number has at most {DECIMALS} decimals", self.text, token.at)
        return number

    def moment(self, token: _Token) -> date | datetime:
        day, _, clock = token.text.partition("T")
        try:
            year, month, number = (int(part) for part in day.split("-"))
            if not clock:
                return date(year, month, number)
            hour, minute, second = (int(part) for part in f"{clock}:0".split(":")[:3])
            return datetime(year, month, number, hour, minute, second)
        except ValueError:
            raise ExpressionError(f"there is no day or time {token.text}", self.text, token.at) from None
