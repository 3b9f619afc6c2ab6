"""Numbers as shops write them: which notation a column uses, and the exact decimal behind each cell.

It may not look at files or at column names; everything is a Polars expression over text, so that it streams.
A notation is known by its decimal mark: `.` (`1,234.50`) or `,` (`1.234,50`). Both admit currency signs, brackets or a
trailing minus for negatives, full-width digits, blanks and apostrophes between thousands, and 万 / 亿.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

Mark = Literal[".", ","]
MARKS: tuple[Mark, ...] = (".", ",")

LINE = pl.Decimal(18, 4)
SUM = pl.Decimal(38, 4)
# Two factors are multiplied exactly when their decimals are at most 18 and 6, or 12 and 12 (a float written out in full has
# 17). 24 decimals leave 14 digits before the point, which is what Decimal(18, 4) holds; Polars multiplies in 256 bits.
_SPLITS = ((18, 6), (12, 12), (6, 18))
_EXACT = pl.Decimal(38, 24)
# Room for any sum of a line's money, with the decimals that occur.
_ROOMY, _ROOM = pl.Decimal(38, 12), 1e24
_SHORT = r"^-?\d{1,7}(?:\.\d{1,6})?$"
_LARGEST = 99_999_999_999_999.0

_SIGN = "[+\\-]"
_SYMBOL = (
    r"(?:(?:US|HK|NT|CA|AU|R|C|A)?\$|[€£¥₩₹₽฿₫₴₺₱₪]|元|圆|円|원|(?i:USD|EUR|GBP|CNY|RMB|JPY|HKD|TWD|KRW|INR|CHF|CAD|AUD|NZD|SGD|"
    r"SEK|NOK|DKK|PLN|CZK|HUF|RUB|UAH|BRL|MXN|THB|VND|VNĐ|Đ|IDR|MYR|PHP|TRY|ZAR|KR\.?|ZŁ|KČ|FT|RP\.?|RS\.?|FR\.|РУБ\.?|Р\.))"
)
_BODY = {
    ".": r"(?:(?:\d+|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}|[1-9]\d{0,2}(?:[' \x{a0}\x{2009}\x{202f}]\d{3})+)(?:\.\d*)?|\.\d+)",
    ",": r"(?:(?:\d+|[1-9]\d{0,2}(?:[.' \x{a0}\x{2009}\x{202f}]\d{3})+)(?:,\d*)?|,\d+)",
}
_EXPONENT = r"(?:[eE](?:\+?\d{1,2}|-0?[1-9]))?"
_PLAIN = {".": r"^-?[0-9]{1,15}(?:\.[0-9]{1,18})?$", ",": r"^-?[0-9]{1,15}$"}
_FULL_WIDTH = {chr(0xFF01 + offset): chr(0x21 + offset) for offset in range(94)} | {
    "￥": "¥", "−": "-", "–": "-", "—": "-", "　": " ", "’": "'", "٫": ".", "，": ",", "萬": "万", "億": "亿",
} | {chr(zero + digit): str(digit) for zero in (0x660, 0x6F0) for digit in range(10)}  # fmt: skip


# Which currency codes a sign can stand for; a sign that is not here stands for itself.
SIGNS: dict[str, tuple[str, ...]] = {
    "€": ("EUR",), "£": ("GBP",), "¥": ("CNY", "JPY"), "元": ("CNY",), "圆": ("CNY",), "RMB": ("CNY",), "円": ("JPY",),
    "$": ("USD", "CAD", "AUD", "HKD", "NZD", "SGD", "TWD", "MXN"), "US$": ("USD",), "HK$": ("HKD",), "NT$": ("TWD",),
    "CA$": ("CAD",), "C$": ("CAD",), "AU$": ("AUD",), "A$": ("AUD",), "R$": ("BRL",), "₩": ("KRW",), "₹": ("INR",),
    "₽": ("RUB",), "฿": ("THB",), "₫": ("VND",), "₴": ("UAH",), "₺": ("TRY",), "₱": ("PHP",), "₪": ("ILS",),
    "KR": ("SEK", "NOK", "DKK"), "ZŁ": ("PLN",), "KČ": ("CZK",), "FT": ("HUF",),
    "Đ": ("VND",), "VNĐ": ("VND",), "원": ("KRW",), "RP": ("IDR",),
    "RS": ("INR", "PKR", "LKR", "NPR"), "FR": ("CHF",), "РУБ": ("RUB",), "Р": ("RUB",),
}  # fmt: skip

# Money that has no smaller coin: three digits behind a mark are thousands. ¥ is JPY, or CNY, whose thousands have a comma.
_NO_COINS = ("VND", "IDR", "KRW", "JPY")


def currencies(signs: list[str]) -> list[str]:
    """What can be meant by all of these signs together: at most one currency, else one entry for each."""
    possible = [set(SIGNS.get(sign, (sign,))) for sign in signs]
    common = set.intersection(*possible) if possible else set()
    return signs[:1] if common else signs


@dataclass(frozen=True)
class Fit:
    """How many non-empty cells a notation reads, how many of them another would read differently, and how many end in `.0`."""

    filled: int
    dot: int
    comma: int
    differ: int
    pointed: int = 0

    @property
    def weak(self) -> bool:
        """Whether only cells such as `2.0` speak for the point: programs write whole numbers so, however people write theirs."""
        return 0 < self.dot - self.comma <= self.pointed


def tidy(cell: pl.Expr) -> pl.Expr:
    """Full-width characters made ASCII, blanks at the ends gone."""
    return cell.str.replace_many(list(_FULL_WIDTH), list(_FULL_WIDTH.values())).str.strip_chars()


def _pattern(mark: Mark) -> str:
    body = _BODY[mark] + _EXPONENT
    amount = rf"{_SYMBOL}?\s*{body}\s*[万亿]?\s*{_SYMBOL}?"
    signed = rf"(?:{_SIGN}\s*{amount}|{_SYMBOL}\s*{_SIGN}\s*{body}\s*[万亿]?|{amount}-?)"
    return rf"^(?:{signed}|\({amount}\)|{_SYMBOL}\s*\({body}\))$"


def plain(cell: pl.Expr, mark: Mark) -> pl.Expr:
    """Whether the cell is canonical as it stands, as nearly all are."""
    return cell.str.contains(_PLAIN[mark])


def canonical(cell: pl.Expr, mark: Mark) -> pl.Expr:
    """The number as `-1234.5` (or `1.2e4` for 1.2万), null where it cannot be read or has lost digits.

    Nearly all cells take the first branch.
    """
    as_it_stands = plain(cell, mark)
    odd = tidy(pl.when(~as_it_stands).then(cell))
    fits = odd.str.contains(_pattern(mark)) & ~_cut_short(odd)
    # what is left of a valid number are digits, the mark and an exponent; K of KR or E of EUR stands outside the digits
    digits = odd.str.extract(r"(\d.*\d|\d)", 1).str.replace_all(r"[' \x{a0}\x{2009}\x{202f}]", "")
    led = pl.when(odd.str.contains(r"^[^\d]*[.,]\d")).then(pl.lit("0.")).otherwise(pl.lit(""))
    if mark == ".":
        digits = digits.str.replace_all(",", "", literal=True)
    else:
        digits = digits.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    power = (
        pl.when(odd.str.contains("万", literal=True))
        .then(pl.lit("e4"))
        .when(odd.str.contains("亿", literal=True))
        .then(pl.lit("e8"))
        .otherwise(pl.lit(""))
    )
    # 12.30- is below zero; the dash of 12,- stands for the cents there are not
    negative = odd.str.contains(r"^[^\d]*[-(]|\d[^\d.,]*-$")
    sign = pl.when(negative).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.when(as_it_stands).then(cell).when(fits).then(pl.concat_str(sign, led, digits, power))


def _cut_short(cell: pl.Expr) -> pl.Expr:
    """Whether a spreadsheet has cut digits off: 1.23E+05 may have been 123,456. 1e3 and 1.23456E+05 say all they mean."""
    decimals = cell.str.extract(r"[.,](\d*)E\+\d\d", 1).fill_null("").str.len_chars().cast(pl.Int32)
    return (decimals < cell.str.extract(r"\dE\+(\d\d)", 1).cast(pl.Int32, strict=False)).fill_null(False)


def symbol(cell: pl.Expr) -> pl.Expr:
    """The currency sign or code written beside the number, as one of `SIGNS`' keys; null where there is none."""
    odd = tidy(pl.when(~plain(cell, ".")).then(cell))
    return odd.str.extract(f"({_SYMBOL})", 1).str.to_uppercase().str.strip_suffix(".")


def money(text: pl.Expr) -> pl.Expr:
    """Canonical text -> Decimal(18, 4), rounded half-even once; null when it does not fit."""
    return text.cast(LINE, strict=False)


def line_money(
    first: pl.Expr, second: pl.Expr | None = None, discount: pl.Expr | None = None, returned: pl.Expr | None = None
) -> pl.Expr:
    """The money of a line from canonical texts: `first` (× `second`), nearer to nothing by the discount, less what was returned.

    Worked out exactly and rounded half-even once to Decimal(18, 4); null when it cannot be exact or does not fit. A discount or
    return that is null is nothing.
    """
    if second is None and discount is None and returned is None:
        return money(first)
    exact = _given(first) if second is None else _products(first, second)
    if discount is not None or returned is not None:
        exact = [_less(value, width, discount, returned) for value, width in _widened(exact)]
    return pl.coalesce(*(value.cast(LINE, strict=False) for value in exact))


def _given(text: pl.Expr) -> list[pl.Expr]:
    """A number exactly, in the forms that can hold it."""
    return [_held(text, _ROOMY), _held(text, _EXACT)]


def _products(first: pl.Expr, second: pl.Expr) -> list[pl.Expr]:
    """The exact product, in the forms that can hold it."""
    short = _short(first, second)
    usual = _usual_product(first, second)
    one, two = pl.when(~short).then(first), pl.when(~short).then(second)
    # an overflow would stop the whole query; a float is near enough to see it coming
    fits = (_float(one) * _float(two)).abs() < _LARGEST

    def exact(most_first: int, most_second: int) -> pl.Expr:
        possible = fits & _decimals(one, most_first) & _decimals(two, most_second)
        left = pl.when(possible).then(one).cast(_EXACT, strict=False)
        return left * pl.when(possible).then(two).cast(pl.Decimal(38, most_second), strict=False)

    return [usual, *(exact(*split) for split in _SPLITS)]


def _short(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    return first.str.contains(_SHORT) & second.str.contains(_SHORT)


def _usual_product(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    short = _short(first, second)
    one, two = pl.when(short).then(first), pl.when(short).then(second)
    return one.cast(_ROOMY, strict=False) * two.cast(pl.Decimal(38, 6), strict=False)


def short_product(first: pl.Expr, second: pl.Expr) -> pl.Expr:
    """What `line_money` gives for two factors of few digits, as nearly all are; null for the others."""
    return _usual_product(first, second).cast(LINE, strict=False)


def _widened(exact: list[pl.Expr]) -> list[tuple[pl.Expr, pl.Decimal]]:
    """The roomy form also with all its decimals, for what is taken off may have more."""
    return [(exact[0], _ROOMY), (exact[0].cast(_EXACT, strict=False), _EXACT), *((value, _EXACT) for value in exact[1:])]


def _less(value: pl.Expr, width: pl.Decimal, discount: pl.Expr | None, returned: pl.Expr | None) -> pl.Expr:
    """The exact value less what is taken off it, which shops write as 5 or as -5; null where this width cannot hold it."""
    parts = [part for part in (discount, returned) if part is not None]
    size = _float(value).abs()
    for part in parts:
        size = size + _float(part).abs().fill_null(0)
    value = pl.when(size < (_LARGEST if width == _EXACT else _ROOM)).then(value)

    def off(text: pl.Expr) -> pl.Expr:
        return pl.when(text.is_null()).then(pl.lit(0).cast(width)).otherwise(_held(text, width).abs())

    if discount is not None:
        value = pl.when(value < 0).then(value + off(discount)).otherwise(value - off(discount))
    return value if returned is None else value - off(returned)


def _held(text: pl.Expr, width: pl.Decimal) -> pl.Expr:
    """Canonical text as a decimal of this width, null where digits would be lost."""
    possible = _decimals(text, width.scale) & (_float(text).abs() < (_LARGEST if width == _EXACT else _ROOM))
    return pl.when(possible).then(text).cast(width, strict=False)


def _float(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Float64, strict=False)


def _decimals(text: pl.Expr, most: int) -> pl.Expr:
    """Whether canonical text has at most `most` decimals; a negative exponent counts as nine."""
    if most < 9:
        return text.str.contains(rf"^-?\d*(?:\.\d{{0,{most}}})?(?:[eE]\+?\d+)?$")
    return text.str.contains(rf"^-?\d*(?:\.\d{{0,{most}}})?(?:[eE]\+?\d+)?$|^-?\d*(?:\.\d{{0,{most - 9}}})?[eE]-\d+$")


def fit(cells: pl.Series) -> Fit:
    """Score both notations on a column's text."""
    one, dot, comma = pl.col(cells.name), pl.col("clm:dot"), pl.col("clm:comma")
    # each reading worked out once, and what only a number has looked for only in numbers
    read = (
        cells.to_frame()
        .lazy()
        .filter(one.str.strip_chars() != "")
        .select(one, canonical(one, ".").alias("clm:dot"), canonical(one, ",").alias("clm:comma"))
        .collect()
    )
    dotted, both = read.filter(dot.is_not_null()), read.filter(dot.is_not_null() & comma.is_not_null())
    return Fit(
        filled=read.height,
        dot=dotted.height,
        comma=read.height - read["clm:comma"].null_count(),
        differ=both.select(_unlike(dot, comma).sum()).item(),
        pointed=dotted.select(one.str.contains(r"^\s*-?\d+\.0\s*$").sum()).item(),
    )


def _differ(cell: pl.Expr) -> pl.Expr:
    dot, comma = canonical(cell, "."), canonical(cell, ",")
    return dot.is_not_null() & comma.is_not_null() & _unlike(dot, comma)


def _unlike(dot: pl.Expr, comma: pl.Expr) -> pl.Expr:
    return dot.cast(SUM, strict=False) != comma.cast(SUM, strict=False)


def without_decimals(cells: pl.Series, currency: str | None) -> Mark | None:
    """The decimal mark of cells that can be read in two ways, when all are money of a currency without coins."""
    one = pl.col(cells.name)
    table = cells.drop_nulls().to_frame().filter(_differ(one)).select(
        symbol(one).alias("sign"), tidy(one).str.extract(r"\d([.,])\d", 1).alias("between")
    ).unique()  # fmt: skip
    between = table["between"].unique().to_list()
    if len(between) != 1 or not all(_coinless(sign, currency, between[0]) for sign in table["sign"]):
        return None
    return "," if between[0] == "." else "."


def _coinless(sign: str | None, currency: str | None, between: str) -> bool:
    codes = SIGNS.get(sign, (sign,)) if sign is not None else (currency.upper() if currency else "",)
    return all(code in _NO_COINS for code in codes) or (sign == "¥" and between == ",")
