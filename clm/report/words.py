"""Every word of the report in one language, and numbers, money, days and months as that language writes them.

It may not know panels or compute numbers. Text from outside (names, codes, currencies) passes through `plain`.
"""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

LANGUAGES = ("en", "zh")
SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "RMB": "¥", "JPY": "JP¥", "HKD": "HK$", "TWD": "NT$", "KRW": "₩",
    "INR": "₹", "AUD": "A$", "CAD": "C$", "UAH": "₴",
}  # fmt: skip
NOTHING = "–"  # a number that cannot be known
HIDDEN = "×"  # one that is known and withheld

_CENTS_BELOW = 10_000
_BRIEF_FROM = 10_000
_GREAT = {"en": (1e3, 1e6, 1e9), "zh": (1e4, 1e8, 1e12)}  # what format.great_1 to 3 stand for
_JOINERS = "\u200c\u200d"  # real text needs these two; every other invisible character can only deceive
_TYPOGRAPHY = str.maketrans({"–": "-", "−": "-", "×": "x", "…": ".", "\u00a0": " ", "’": "'", "÷": "/", "·": "-"})
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"}


def plain(text: Any, longest: int = 80) -> str:
    """Text from outside as one inert line: control, direction and unassigned characters become U+FFFD, the end is cut."""
    shown = "".join("\ufffd" if unicodedata.category(sign) in _UNSEEN and sign not in _JOINERS else sign for sign in str(text))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def ascii_typography(text: str) -> str:
    """Dashes, signs and spaces of the typographer as ASCII has them, one for one; other characters stay."""
    return text.translate(_TYPOGRAPHY)


@dataclass(frozen=True)
class Words:
    """The words of one language; `plain_signs` writes currencies as codes for terminals that know only ASCII."""

    lang: str
    entries: dict[str, str]
    currency: str | None = None
    plain_signs: bool = False

    def __call__(self, key: str, /, **values: str) -> str:
        """The text of `key` with its {places} filled. A missing key or place is a KeyError that names the file."""
        try:
            text = self.entries[key]
        except KeyError:
            raise KeyError(f"locales/{self.lang}.toml has no {key!r}") from None
        return text.format_map(values) if values else text

    def name(self, kind: str, code: Any) -> str:
        """The name of a code that data bring along; a code nobody translated stays what it is, made inert."""
        return self.entries.get(f"{kind}.{code}") or plain(code)

    def known(self, key: str) -> bool:
        return key in self.entries

    def count(self, noun: str, number: float | None) -> str:
        """`1 customer`, `2,357 customers`."""
        form = "one" if number is not None and _half_up(number) == 1 else "other"
        return self(f"count.{noun}.{form}", n=self.whole(number))

    def whole(self, number: float | None) -> str:
        return NOTHING if number is None else _signed(f"{_half_up(number):,}")

    def decimal(self, number: float | None, places: int = 2) -> str:
        return NOTHING if number is None else _signed(f"{number:,.{places}f}")

    def percent(self, share: float | None) -> str:
        """One decimal below 10 %, none above; what is tiny never reads 0 %, what is nearly all never reads 100 %."""
        if share is None:
            return NOTHING
        hundred = 100 * share
        if 0 < abs(hundred) < 0.05:
            return self("format.percent_below", n="0.1")
        if 99.5 <= hundred < 100:
            return self("format.percent", n=f"{min(hundred, 99.9):.1f}")
        places = 1 if abs(hundred) < 9.95 and hundred != 0 else 0
        return self("format.percent", n=_signed(f"{hundred:,.{places}f}"))

    def rate(self, share: float | None) -> str:
        """One decimal always, for shares that are held against each other."""
        return NOTHING if share is None else self("format.percent", n=_signed(f"{100 * share:,.1f}"))

    def signed_percent(self, share: float | None) -> str:
        if share is None:
            return NOTHING
        sign = "+" if share > 0 else ""
        return sign + self("format.percent", n=_signed(f"{100 * share:,.1f}"))

    def signed(self, number: float, places: int = 1) -> str:
        """With its sign, plus too."""
        return ("+" if number > 0 else "") + _signed(f"{number:,.{places}f}")

    def money(self, amount: float | None, places: int | None = None) -> str:
        """With the currency's sign when it is known; cents only below 1,000."""
        if amount is None:
            return NOTHING
        if places is None:
            places = 2 if abs(amount) < 1000 and amount != 0 else 0
        sign = "−" if round(amount, places) < 0 else ""
        return f"{sign}{self._currency_sign()}{abs(amount):,.{places}f}"

    def cell(self, amount: float | None, largest: float = 0.0) -> str:
        """Money in a column: cents unless the `largest` of it has five digits, so that the decimals stay aligned.

        Where signs are plain the code would stand in every row, so it stands above only.
        """
        bare = replace(self, currency=None) if self.plain_signs else self
        return bare.money(amount, 0 if abs(largest) >= _CENTS_BELOW else 2)

    def brief(self, amount: float | None) -> str:
        """Money for a narrow cell, without a sign of currency: three digits and a word for thousands from 10,000 on."""
        if amount is None or abs(amount) < _BRIEF_FROM:
            return self.whole(amount)
        place, size = max((place, size) for place, size in enumerate(_GREAT[self.lang], 1) if abs(amount) >= size)
        scaled = amount / size
        places = 0 if abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
        return self(f"format.great_{place}", n=_signed(f"{scaled:,.{places}f}"))

    @property
    def currency_code(self) -> str:
        """The currency as a code of three letters; nothing when it is unknown or no code."""
        code = (self.currency or "").upper()
        return code if len(code) == 3 and code.isascii() and code.isalpha() else ""

    def _currency_sign(self) -> str:
        code = self.currency_code
        if not code:
            return ""
        return SYMBOLS.get(code, f"{code}\u00a0") if not self.plain_signs else f"{code}\u00a0"

    def day(self, day: date | str | None) -> str:
        if day is None or day == "":
            return NOTHING
        day = date.fromisoformat(day) if isinstance(day, str) else day
        return self("format.day", year=str(day.year), month=self(f"month.{day.month}"), day=str(day.day))

    def month(self, period: str, *, long: bool = False) -> str:
        """`1997-01` in words: short for tables and axes, long for sentences."""
        year, month = period.split("-")
        if long:
            return self("format.month_long", year=year, month=self(f"month.{int(month)}"))
        return self("format.month", year=year, month=self(f"month_short.{int(month)}"))

    def period(self, name: str) -> str:
        """`1997-01`, `1997-Q1` or `1997` in words, short."""
        year, _, part = name.partition("-")
        if part.isdecimal():
            return self.month(name)
        return self("format.quarter", year=year, n=part.strip("Q")) if part else year

    def length(self, days: float | None) -> str:
        """A number of days in words; whole weeks from two on are told in weeks."""
        if days is None:
            return NOTHING
        weeks = days >= 14 and days % 7 == 0
        return self.count("weeks", days / 7) if weeks else self.count("days", days)

    def stretch(self, text: str | None) -> str:
        """A horizon such as `12m` in words; text of another shape stays, made inert."""
        number, unit = (text or "")[:-1], (text or "")[-1:]
        if not number.isdecimal() or unit not in "dwmy":
            return plain(text) if text else NOTHING
        return self.count({"d": "days", "w": "weeks", "m": "months", "y": "years"}[unit], int(number))


def load(lang: str, currency: str | None = None, plain_signs: bool = False) -> Words:
    """The words of `lang`. A language without a file is a KeyError: the settings allow only LANGUAGES."""
    if lang not in LANGUAGES:
        raise KeyError(f"no locales/{lang}.toml; languages are {', '.join(LANGUAGES)}")
    text = (Path(__file__).parent / "locales" / f"{lang}.toml").read_text(encoding="utf-8")
    return Words(lang, dict(_flat(tomllib.loads(text))), currency, plain_signs)


def places(text: str) -> set[str]:
    """The names of the {places} in a text, for comparing languages."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _flat(table: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        path = f"{above}{key}"
        found += _flat(value, f"{path}.") if isinstance(value, dict) else [(path, str(value))]
    return found


def exact(value: float) -> str:
    """The number behind a cell, to the last digit."""
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)


def _half_up(number: float) -> int:
    return int(number + (0.5 if number >= 0 else -0.5))


def _signed(text: str) -> str:
    """A typographic minus; -0.0 is no number."""
    return ("−" + text[1:] if text.strip("-0.,") else text[1:]) if text.startswith("-") else text
