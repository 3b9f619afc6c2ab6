"""Families of dates: every order of day, month and year that shops write, and the moment behind a cell of each.

It may not choose among them. Only `str.extract` and `to_datetime` look at the text, for they cost nothing where it is null:
so the slow ways may stand behind a fast one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

WALL = pl.Datetime("us")
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)

TIMES = ("", " %H:%M:%S", " %H:%M", " %H:%M:%S%.f", " %I:%M:%S %p", " %I:%M %p")
COMPACT = (
    "%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M", "%Y%m%d %H%M%S", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M",
)  # fmt: skip
_NAMED = ("%d-%b-%Y", "%b-%d-%Y", "%Y-%b-%d")
_NAMED_SHORT = ("%d-%b-%y",)
# Between day and time stands a blank, a T or a comma, and sometimes a weekday; 日 needs nothing after it.
_WEEKDAY = r"(?:[(（](?:周|曜)?[一二三四五六日天月火水木金土][)）]|(?:星期|周|週)[一二三四五六日天]|[月火水木金土日]曜日?)"
_BETWEEN = rf"(?:\s*日\s*|\s*[T,]\s*|\s+)(?:{_WEEKDAY}\s*)?"
_NOON = "上午|下午|午前|午後|오전|오후"
_TIME = (
    rf"(?:\s*日|{_BETWEEN}(?:({_NOON})?\s*(\d{{1,2}})[:时時点點시]\s*(\d{{1,2}})(?:(?:[:分분]\s*(\d{{1,2}})([.,]\d+)?)[秒초]?|[分분])?"
    r"\s*([AaPp]\.?\s?[Mm]\.?)?)?)?$"
)
# A month by its whole name or a usual short form, in the languages in which no such word means two months (a prefix would
# not do: marraskuu is November in Finnish).
_MONTHS = (
    "jan(?:uary|uar|uari|vier|v|eiro)?|jänner|jän|ene(?:ro)?|gen(?:naio)?",
    "feb(?:ruary|ruar|ruari|rero|braio)?|fév(?:rier|r)?|fevrier|fev(?:ereiro)?",
    "mar(?:ch|s|zo|ço|t|ts)?|märz|mär|mrz|maart|mrt",
    "apr(?:il|ile)?|avr(?:il)?|abr(?:il)?",
    "may(?:o)?|mai(?:o)?|mei|maj|mag(?:gio)?",
    "june?|juni|juin|jun(?:io|ho)|giu(?:gno)?",
    "july?|juli|juil(?:let)?|jul(?:io|ho)|lug(?:lio)?",
    "aug(?:ust|usti|ustus)?|août|aout|ago(?:sto)?",
    "sept?|september|septembre|se(?:p)?tiembre|set(?:tembre|embro)?",
    "oct(?:ober|obre|ubre)?|okt(?:ober)?|out(?:ubro)?|ott(?:obre)?",
    "nov(?:ember|embre|iembre|embro)?",
    "dec(?:ember)?|dez(?:ember|embro)?|déc(?:embre)?|decembre|dic(?:iembre|embre)?",
)
_DAY_NUMBER = r"(\d{1,2})(?:st|nd|rd|th|\.)?"
_NAME, _AND = r"(?:de\s+)?(\p{L}{3,10})\.?", r",?[\s/-]+(?:del?\s+)?"
# day, month and year in the three orders in which people write names of months, with the place of each
_WORDS = (
    (rf"^(?:\p{{L}}{{2,10}}\.?,\s*)?{_DAY_NUMBER}[\s/-]+{_NAME}{_AND}", (1, 2, 3)),
    (rf"^(?:\p{{L}}{{2,10}}\.?,\s*)?{_NAME}[\s/-]+{_DAY_NUMBER}{_AND}", (2, 1, 3)),
    (rf"^(\d{{4}})[\s/-]+{_NAME}[\s/-]+{_DAY_NUMBER}", (3, 2, 1)),
)
# Days from 1954 to 2118, with the time of day as a fraction.
_EXCEL = r"^[2-7]\d{4}(?:[.,]\d+)?$"
# Seconds from 2001 to 2030, or so many milliseconds (micro-, nano-), alone or as old .NET services write them.
_UNIX = r"^(?:/Date\()?(1[0-8]\d{8})\.?(\d{0,9})(?:[+-]\d{4})?(?:\)/)?$"


@dataclass(frozen=True)
class Family:
    """An order of the parts: its name for people, and its date formats (with `-`)."""

    name: str
    shown: str
    dates: tuple[str, ...]


ISO = Family("ymd", "YYYY-MM-DD", ("%Y-%m-%d",))
FAMILIES: tuple[Family, ...] = (
    ISO,
    Family("compact", "YYYYMMDD", ()),
    Family("mdy", "MM/DD/YYYY", ("%m-%d-%Y",)),
    Family("dmy", "DD/MM/YYYY", ("%d-%m-%Y",)),
    Family("mdy2", "MM/DD/YY", ("%m-%d-%y",)),
    Family("dmy2", "DD/MM/YY", ("%d-%m-%y",)),
    Family("ymd2", "YY/MM/DD", ("%y-%m-%d",)),
    Family("named", "DD Mon YYYY", _NAMED),
    Family("named2", "DD-Mon-YY", _NAMED_SHORT),
    Family("excel", "Excel serial number", ()),
    Family("unix", "Unix time", ()),
)
# Families of bare digits: ids look like that too.
DIGITS = ("compact", "excel", "unix")
BY_NAME = {family.name: family for family in FAMILIES}


def readings(text: pl.Expr, family: Family) -> list[pl.Expr]:
    """What a family makes of trimmed text, in every way it may be written: at most one of them is not null."""
    if family.name == "compact":
        digits = pl.when(text.str.contains(r"^\d{8}(?:\d{2}|\d{4}|\d{6}|[ T]\d{1,2}:.*|[ T]\d{6}|T\d{4})?$")).then(text)
        hours = pl.when(digits.str.contains(r"^\d{10}$")).then(pl.concat_str(digits, pl.lit("00")))
        return [exactly(digits, one) for one in COMPACT] + [exactly(hours, "%Y%m%d%H%M")]
    if family.name == "excel":
        days = pl.when(text.str.contains(_EXCEL)).then(text.str.replace(",", ".", literal=True)).cast(pl.Float64, strict=False)
        return [pl.lit(_EXCEL_DAY_ZERO).cast(WALL) + pl.duration(seconds=(days * 86400).round(0).cast(pl.Int64))]
    if family.name == "unix":
        micros = text.str.extract(_UNIX, 1) + text.str.extract(_UNIX, 2).str.pad_end(6, "0").str.slice(0, 6)
        return [micros.cast(pl.Int64, strict=False).cast(WALL)]
    if family.name.startswith("named"):
        return [_named(text, rf"\d{{{4 if family.name == 'named' else 2}}}")]
    widths = [{"%Y": r"(\d{4})", "%y": r"(\d{2})"}.get(part, r"(\d{1,2})") for part in family.dates[0].split("-")]
    pattern = r"^{}\s*[-/.年]\s*{}\s*[-/.月]\s*{}".format(*widths)
    day = [text.str.extract(pattern + _TIME, place) for place in (1, 2, 3)]
    return [_moment(text, pattern, day, family.dates[0])]


def _moment(text: pl.Expr, pattern: str, day: list[pl.Expr], form: str) -> pl.Expr:
    """The moment of a day in three parts and the time behind it. Only `extract`, for that is free where text is null."""

    def part(place: int) -> pl.Expr:
        return text.str.extract(pattern + _TIME, 3 + place)

    hour, noon = part(2).cast(pl.Int32, strict=False), pl.coalesce(part(1), part(6))
    later = pl.when(noon.str.contains(r"^[Pp下]|後$|후$")).then(12).otherwise(0)
    clock = pl.when(noon.is_null()).then(hour.fill_null(0)).when(hour <= 12).then(hour % 12 + later)
    fraction = part(5).str.slice(1).fill_null("0")
    return exactly(
        pl.concat_str(
            day[0], pl.lit("-"), day[1], pl.lit("-"), day[2], pl.lit(" "), clock, pl.lit(":"), part(3).fill_null("0"),
            pl.lit(":"), part(4).fill_null("0"), pl.lit("."), fraction,
        ),
        form + " %H:%M:%S%.f",
    )  # fmt: skip


def _named(text: pl.Expr, year: str) -> pl.Expr:
    """Days whose month is a word, in any of the languages of `_MONTHS`."""
    tries: list[pl.Expr] = []
    for start, places in _WORDS:
        pattern = start if "4" in start[:8] else f"{start}({year})"
        if pattern is start and year != r"\d{4}":
            continue
        parts = [text.str.extract(pattern + _TIME, place) for place in places]
        month = pl.lit(None, dtype=pl.String)
        for number, names in enumerate(_MONTHS, 1):
            month = pl.when(parts[1].str.contains(rf"^(?i:{names})$")).then(pl.lit(str(number))).otherwise(month)
        form = "%d-%m-%Y" if year == r"\d{4}" else "%d-%m-%y"
        tries.append(_moment(text, pattern, [parts[0], month, parts[2]], form))
    return pl.coalesce(tries)


def exactly(text: pl.Expr, form: str) -> pl.Expr:
    return text.str.to_datetime(form, time_unit="us", strict=False, exact=True)
