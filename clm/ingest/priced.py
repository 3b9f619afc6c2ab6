"""Priced: the currency that a column's name says its money is in, and two columns of one thing in two currencies.

It may not look at cells: signs beside the numbers are for `stages.clean`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from clm.errors import DataError
from clm.ingest import numbers
from clm.settings import typed

_CODES = (
    "USD", "EUR", "GBP", "CNY", "RMB", "JPY", "HKD", "TWD", "KRW", "INR", "CHF", "CAD", "AUD", "NZD", "SGD", "SEK", "NOK",
    "DKK", "PLN", "CZK", "HUF", "RUB", "UAH", "BRL", "MXN", "THB", "VND", "IDR", "MYR", "PHP", "TRY", "ZAR", "AED", "ILS",
)  # fmt: skip
_WORDS = {
    "RMB": "CNY", "人民币": "CNY", "人民幣": "CNY", "美元": "USD", "美金": "USD", "US$": "USD", "港元": "HKD", "港币": "HKD",
    "港幣": "HKD", "HK$": "HKD", "欧元": "EUR", "歐元": "EUR", "€": "EUR", "EURO": "EUR", "英镑": "GBP", "英鎊": "GBP",
    "£": "GBP",
    "日元": "JPY",
    "日圆": "JPY", "円": "JPY", "韩元": "KRW", "₩": "KRW", "新台币": "TWD", "新臺幣": "TWD", "NT$": "TWD", "₹": "INR", "₽": "RUB",
    "ZŁ": "PLN", "R$": "BRL",
}  # fmt: skip
# say that it is money, and not for certain which
_VAGUE = ("元", "$", "¥", "￥")
_KNOWN = frozenset((*_CODES, *_WORDS, *_VAGUE, *numbers.SIGNS, *(code for codes in numbers.SIGNS.values() for code in codes)))
_BRACKET = re.compile(r"\s*[(（\[【]\s*([^)）\]】]*?)\s*[)）\]】]\s*$")
_BEHIND = re.compile(rf"(?:[\s_\-]+({'|'.join(_CODES)})|(?<=[a-z])({'|'.join(_CODES)})|[\s_\-]*([€£₩₹₽]|US\$|R\$|\$))$")
_BEHIND_SMALL = re.compile(rf"_({'|'.join(_CODES).lower()})$")


def is_currency(said: str) -> bool:
    """Whether a cell says a currency clm knows. Anything else may be somebody's name in the wrong column, and is not repeated."""
    return said in _KNOWN


def split(name: str) -> tuple[str, str | None]:
    """A column's name without its currency, and the currency: a code, or what stands there when that is vague."""
    name = unicodedata.normalize("NFKC", name).strip()
    if found := _BRACKET.search(name):
        said = found[1].upper()
        code = _WORDS.get(said, said)
        return (name[: found.start()], code) if code in _CODES or code in _VAGUE else (name, None)
    if found := _BEHIND.search(name) or _BEHIND_SMALL.search(name):
        said = next(part for part in found.groups() if part is not None).upper()
        return name[: found.start()], _WORDS.get(said, said)
    return name, None


def code(name: str) -> str | None:
    """The currency a column's name says for certain."""
    said = split(name)[1]
    return None if said in _VAGUE else said


def named(said: str | None) -> str | None:
    """A currency as somebody writes it, as its code."""
    return None if said is None else _WORDS.get(said.strip().upper(), said.strip().upper())


def chosen(role: str, column: str, columns: Iterable[str], currency: str | None) -> str:
    """Of columns whose names differ in the currency alone, the one in `currency`. Raises `DataError` when nobody said which."""
    bare, said = split(column)
    if said is None:
        return column
    there: dict[str, str] = {said: column}
    for one in columns:
        other = split(one)
        if other[0].casefold() == bare.casefold() and other[1] is not None:
            there.setdefault(other[1], one)
    if len(there) == 1:
        return column
    wanted = named(currency)
    if wanted is not None and wanted in there:
        return there[wanted]
    answers = " or ".join(typed("map", f"{role}={one}") for one in there.values())
    raise DataError(
        f"{' and '.join(there.values())} hold the same money in {len(there)} currencies: {role} could be either.",
        where=f"columns {', '.join(there.values())}",
        fix=f"say which: {answers}",
        code="currencies",
    )
