"""Roles: which column is the customer, which the day, which the money; by name, checked against the cells.

It may not read numbers or dates itself, nor settle a doubt: a role that is missing is a question naming `--map`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

import polars as pl

from clm.errors import DataError, UsageError
from clm.ingest import dates, moment, numbers, people, priced, profiles, statuses
from clm.ingest.evidence import Evidence
from clm.ingest.profiles import Profile
from clm.ingest.reading import NUMBER_ROLES
from clm.ingest.recognise import matching, plain
from clm.ingest.text import TextLog
from clm.settings import CleanSettings, typed

_ORDER = (
    "ordered_at", "customer_id", "line_id", "order_id", "amount", "quantity", "unit_price", "discount", "returned_amount", "cost",
    "status", "currency", "product_id", "product", "category", "channel", "device", "country",
)  # fmt: skip
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LOOKS = 5000
_FITS = 0.5
_LONGEST_NAME = 200
_SHOWN, _SHOWN_LENGTH = 40, 60
_BECAUSE = {"names": "its name", "weak": "its name, and its cells", "empty": "its name; its cells are empty"}


# Traditional characters of words in headers as the simplified ones that the table of names has.
_SIMPLE = str.maketrans(
    "單編號戶員會顧買稱帳賬訂據發時間創購銷實際額價總計應數寶貝優狀態貨條產類別來門鋪終設備國區種幣項細務郵電機話聯繫絡識標結淨"
    "減後餘現關無賣暱場網縣運稅費連鎖師團體級圖點與務筆處",
    "单编号户员会顾买称账账订据发时间创购销实际额价总计应数宝贝优状态货条产类别来门铺终设备国区种币项细务邮电机话联系络识标结净"
    "减后余现关无卖昵场网县运税费连锁师团体级图点与务笔处",
)


@cache
def _aliases() -> dict[str, dict[str, list[str]]]:
    table = resources.files("clm.ingest").joinpath("aliases.toml").read_text(encoding="utf-8")
    return {
        role: {kind: list(dict.fromkeys(_folded(name) for name in names)) for kind, names in entry.items()}
        for role, entry in tomllib.loads(table).items()
    }


def _folded(name: str) -> str:
    """A name for comparing: plain, and in simplified characters."""
    return plain(name).translate(_SIMPLE)


def variants(name: str) -> set[str]:
    """A header cell as it is, without what stands in brackets at its end (`金额(元)`) or a currency, and each half of a bilingual
    one."""
    bare = re.sub(r"\s*[(（\[【][^)）\]】]*[)）\]】]\s*$", "", name)
    halves = (re.sub(r"[^\x00-\x7f]", "", name), re.sub(r"[\x00-\x7f]", "", name)) if _HAN.search(name) else ()
    return {_folded(one) for one in (name, bare, priced.split(name)[0], *halves)} - {""}


def called(role: str, columns: Iterable[str]) -> list[str]:
    """The columns that have a name of this role, best name first, whatever their cells."""
    known = {column: variants(column) for column in columns if len(column) <= _LONGEST_NAME}
    return list(dict.fromkeys(column for name in _aliases()[role]["names"] for column, said in known.items() if name in said))


def one_of(role: str, columns: Iterable[str], sample: pl.DataFrame, settings: CleanSettings) -> str | None:
    """The column of these that plays the role, by name and cells; where there is no cell, by name."""
    known = {column: variants(column) for column in columns if len(column) <= _LONGEST_NAME}
    for kind in ("names", "weak", "empty"):
        found = _find(role, _aliases()[role]["names" if kind == "empty" else kind], known, sample.head(_LOOKS), kind, settings)
        if found is not None:
            return found
    return None


def assign(
    log: TextLog, given: Mapping[str, str], profile: Profile | None, settings: CleanSettings
) -> tuple[dict[str, tuple[str, ...]], list[Evidence]]:
    """Columns for every role that is found; what `--map` says goes first, and a profile's roles are all there are.

    Raises `DataError` for columns that are not there, and for two columns of which the names do not tell the one that is meant.
    """
    roles: dict[str, tuple[str, ...]] = {}
    evidence: list[Evidence] = []
    said = {} if profile is None else profile.map
    for role, name in given.items():
        roles[role] = _named(role, name, log.columns)
        origin = f"the profile {profile.name}" if profile is not None and said.get(role) == name else "--map"
        evidence.append(Evidence(role, " + ".join(roles[role]), f"given by {origin}"))
    if profile is not None and profile.roles:
        for role, wanted in profile.roles.items():
            there = next((columns for one in wanted if (columns := _there(one, log.columns))), None)
            if role in roles or (there is None and role in profile.optional):
                continue
            if there is None:
                raise profiles.missing(profile, role, wanted, log.columns)
            roles[role] = there
            evidence.append(Evidence(role, " + ".join(there), f"the profile {profile.name}"))
        return roles, evidence
    taken = {column for columns in roles.values() for column in columns}
    sample = log.sample.head(_LOOKS)
    known = {column: variants(column) for column in log.columns if len(column) <= _LONGEST_NAME}
    for kind in ("names", "weak", "empty"):
        for role in _ORDER:
            if role in roles:
                continue
            names = _aliases()[role]["names" if kind == "empty" else kind]
            free = {column: variants for column, variants in known.items() if column not in taken}
            found = _find(role, names, free, sample, kind, settings, roles.get("ordered_at", ("",))[0])
            if found is not None:
                if role in ("amount", "unit_price"):
                    found = priced.chosen(role, found, free, settings.currency)
                _question_twice(role, found, sample)
                roles[role] = (found,)
                taken.add(found)
                evidence.append(Evidence(role, found, _BECAUSE[kind]))
    if "ordered_at" not in given and (time := moment.time_beside(roles.get("ordered_at"), known, taken, sample)):
        roles["ordered_at"] = (*roles["ordered_at"], time)
        evidence.append(
            Evidence("ordered_at", " + ".join(roles["ordered_at"]), f"days without a time, and {time} holds times only")
        )
    return roles, evidence


def _question_twice(role: str, column: str, sample: pl.DataFrame) -> None:
    """Raises `DataError` when the header has this name twice and the cells under it differ: only one of them is meant."""
    second = f"{column} (2)"
    if second not in sample.columns or sample[column].equals(sample[second].alias(column), null_equal=True):
        return
    raise DataError(
        f"the header names {column} twice, and the cells differ: {role} could be either.",
        where=f"columns {column}, {second}",
        fix=f"say which: {typed('map', f'{role}={column}')} or {typed('map', f'{role}={second}')}",
        code="column_twice",
    )


def _named(role: str, column: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    if column in columns:
        return (column,)
    parts = tuple(part.strip() for part in column.split("+"))
    if role == "ordered_at" and len(parts) == 2 and all(part in columns for part in parts):
        return parts
    raise DataError(
        f"--map {role}={column}: there is no such column.",
        where=shown(columns),
        fix=f"name one of them: --map {role}=COLUMN",
        code="no_such_column",
    )


def _there(wanted: str, columns: tuple[str, ...]) -> tuple[str, ...] | None:
    """The column a profile means, or the two of `DATE+TIME`."""
    if found := matching(wanted, columns):
        return (found,)
    halves = [matching(half.strip(), columns) for half in wanted.split("+")]
    return (halves[0], halves[1]) if len(halves) == 2 and halves[0] and halves[1] else None


def _find(
    role: str,
    names: list[str],
    known: dict[str, set[str]],
    sample: pl.DataFrame,
    kind: str,
    settings: CleanSettings,
    day: str = "",
) -> str | None:
    for name in names:
        for column, said in known.items():
            if name in said and _speaks_for(role, sample[column], kind, settings):
                if role == "customer_id" and kind == "weak" and not _a_person(name, column, sample, day):
                    continue
                return column
    return None


def _a_person(name: str, column: str, sample: pl.DataFrame, day: str) -> bool:
    """Whether a column called `id` or `name` can be the customer's: an order never comes back, a product has one name."""
    if name == "id":
        return people.comes_back(sample[column], sample[day] if day in sample.columns else None)
    products = {one for role in ("product_id", "product") for one in called(role, sample.columns)} - {column}
    return not people.is_product(sample[column], [sample[one] for one in sorted(products)])


def _speaks_for(role: str, cells: pl.Series, kind: str, settings: CleanSettings) -> bool:
    """Whether the cells could play the role. Empty cells speak for nothing, but in the end they cannot stand against a name."""
    filled = cells.drop_nulls().str.strip_chars()
    filled = filled.filter(filled != "")
    if not filled.len():
        return kind == "empty"
    weak = kind == "weak"
    enough = filled.len() * _FITS
    if role == "ordered_at":
        return max(dates.candidates(filled).values(), default=0) >= enough or _in_given_format(filled, settings) >= enough
    if role in NUMBER_ROLES:
        score = numbers.fit(filled)
        return max(score.dot, score.comma) >= enough
    if role == "customer_id":
        if dates.best_share(filled) >= _FITS or filled.str.contains(r"^-?\d+[.,]\d*[1-9]\d*$").mean() >= _FITS:  # type: ignore[operator]
            return False
        # `id` and the like may be anything; only a customer comes back
        return not weak or 1 < filled.n_unique() < filled.len()
    if role == "order_id" and weak:
        return filled.n_unique() == filled.len()
    if role == "status" and weak:
        known = [*statuses.CANCELLED, *statuses.UNDONE, *statuses.RETURN, *statuses.SALE, *statuses.PARTLY]
        return bool(filled.to_frame().select(statuses.said(pl.col(filled.name)).is_in(known).mean()).item() >= _FITS)
    return True


def _in_given_format(filled: pl.Series, settings: CleanSettings) -> int:
    """How many cells the format of `--date-format` reads."""
    if settings.date_format is None:
        return 0
    chosen = dates.given(settings.date_format)
    return int(filled.to_frame().select(dates.wall_time(pl.col(filled.name), chosen, None).is_not_null().sum()).item())


def shown(columns: tuple[str, ...]) -> str:
    """Column names for a message: the first forty, none longer than a line."""
    names = [name if len(name) <= _SHOWN_LENGTH else name[:_SHOWN_LENGTH] + "…" for name in columns[:_SHOWN]]
    return "columns: " + ", ".join(names) + (f", … ({len(columns):,} in all)" if len(columns) > _SHOWN else "")


def missing(role: str, log: TextLog, why: str) -> DataError:
    """The question that names the role, the columns there are, and what to type."""
    from clm.tables import ROLES

    return DataError(
        f"no column could be recognised as {role} ({ROLES[role]}){why}.",
        where=shown(log.columns),
        fix=f"name the column: {typed('map', f'{role}=…')}; a file without one is no order log clm can use.",
        code=f"missing_{role}",
    )


def unknown_keep(keep: tuple[str, ...], columns: tuple[str, ...]) -> None:
    """Raises `UsageError` for `--keep` columns that are not there."""
    lost = [name for name in keep if name not in columns]
    if lost:
        fix = "name columns as the header does, separated by commas."
        raise UsageError(f"--keep {lost[0]}: there is no such column.", where=shown(columns), fix=fix)


def kept_twice(keep: tuple[str, ...], found: Mapping[str, tuple[str, ...]]) -> None:
    """Raises `UsageError` for `--keep` columns that are written anyway, or whose name is that of a column clean writes."""
    from clm.tables import TRANSACTIONS

    written = TRANSACTIONS.names()
    there = {column: role for role, columns in found.items() if role in written for column in columns}
    for name in keep:
        if name in there:
            called = "under its name" if there[name] == name else f"as {there[name]}"
            raise UsageError(f"--keep {name}: it is already there, {called}.", fix="leave it out of --keep.", code="keep")
        if name in written:
            raise UsageError(
                f"--keep {name}: clean writes a column of its own under that name.",
                fix="give the column another name in the source.",
                code="keep",
            )
