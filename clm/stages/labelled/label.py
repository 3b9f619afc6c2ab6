"""The label: which of its values means that the customer left, and which rows have one.

It may not guess between two values neither of which it knows: it asks, and `--label 'Churn=Yes'` answers. It may not tell a value
that one row has for itself: somebody's name is no label.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from clm.errors import DataError
from clm.settings import typed

# words of yes and no in any column; of leaving and staying in a label
_YES = {
    "yes", "y", "true", "t", "1", "是", "真", "有", "ja", "oui", "si", "sí", "sì", "sim", "tak", "ano", "да", "はい", "예", "네",
    "evet", "vrai", "wahr",
}  # fmt: skip
_NO = {
    "no", "n", "false", "f", "0", "否", "假", "无", "沒有", "没有", "nein", "non", "não", "nao", "nie", "ne", "нет", "いいえ",
    "아니오", "아니요", "hayır", "faux", "falsch",
}  # fmt: skip
_LEFT = _YES | {
    "churn", "churned", "churner", "exited", "left", "leave", "leaver", "lost", "cancelled", "canceled", "cancel", "closed",
    "gone", "attrited", "attrited customer", "terminated", "inactive", "departed", "unsubscribed", "quit",
    "流失", "已流失", "流失客户", "流失用户", "离网", "已离网", "退订", "注销", "失效", "是流失", "解約", "離脱", "이탈",
    "gekündigt", "résilié", "kayıp", "verloren", "perdu", "perdido", "abandono",
}  # fmt: skip
_STAYED = _NO | {
    "stay", "stayed", "stayer", "retained", "kept", "active", "existing", "existing customer", "loyal", "current", "open",
    "subscribed", "not churned", "no churn", "non-churn", "not churn", "remained",
    "保留", "留存", "未流失", "非流失", "在网", "正常", "活跃", "续费", "现有", "継続", "유지",
    "aktiv", "actif", "activo", "ativo", "geblieben", "bleibt",
}  # fmt: skip
# a column of this name says who stayed, so its "yes" is not churn
_STAYING = re.compile(
    r"retain|retention|stay|active(?<!inactive)|renew|loyal|remain|留存|保留|在网|活跃|续|継続|유지", re.IGNORECASE
)
_UNKNOWN = {"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-", "unknown", "未知"}
_SHOWN = 5


@dataclass(frozen=True)
class Label:
    """The column, its value that means churned, the values that do not, and per row 1.0, 0.0 or null where nothing is known."""

    column: str
    left: str
    stayed: tuple[str, ...]
    churned: pl.Series

    @property
    def known(self) -> int:
        return self.churned.len() - self.churned.null_count()


def named(asked: str, columns: Sequence[str]) -> tuple[str, str | None]:
    """The column `--label` names, and the value it says means churned: `Churn`, or `Churn=Yes`.

    Raises DataError when there is no such column, with the nearest name.
    """
    if asked in columns:
        return asked, None
    column, equals, value = asked.rpartition("=")
    if equals and column in columns:
        return column, value.strip()
    wanted = column if equals else asked
    alike = next((one for one in columns if one.casefold() == wanted.strip().casefold()), None)
    near = [alike] if alike else get_close_matches(wanted, columns, 1)
    shown = ", ".join(columns[:8]) + (", …" if len(columns) > 8 else "")
    raise DataError(
        f"--label {asked}: there is no such column" + (f"; did you mean {near[0]}?" if near else ""),
        where=f"the columns are {shown}",
        fix=f"name the label's column: {typed('label', near[0] if near else 'COLUMN')}",
        code="no_such_column",
    )


def label(column: str, cells: pl.Series, value: str | None, name: str) -> Label:
    """The label in a column of text, `value` being what the user said means churned.

    Raises DataError for a column that is empty, says one thing only, has more than two values without an answer, or two of which
    neither is known.
    """
    words = cells.alias("cell").to_frame().select(_bare(pl.col("cell"))).to_series()
    counts = words.drop_nulls().value_counts(sort=True, name="rows")
    found: list[str] = (
        sorted(counts["cell"].to_list(), key=lambda one: (-dict(counts.iter_rows())[one], one)) if counts.height <= 50 else []
    )
    where = f"{name}, column {column}"
    if not counts.height:
        raise DataError(
            f"the label {column} is empty in every row",
            where=where,
            fix="give rows of which it is known who left",
            code="label_empty",
        )
    if counts.height > 50:
        raise _no_label(column, f"it has {counts.height:,} different values", where)
    rows = words.count()
    left = _said(column, value, found, rows, where) if value is not None else _told(column, found, rows, where)
    stayed = tuple(one for one in found if one != left)
    if not stayed:
        _check_shared(column, found, rows, where)
        raise DataError(
            f"every row with a label has the same one ({left}): there is nothing to tell apart",
            where=where,
            fix="give rows of customers who left and of customers who stayed",
            code="label_constant",
        )
    churned = words.to_frame().select((pl.col("cell") == left).cast(pl.Float64)).to_series()
    return Label(column, left, stayed, churned)


def _no_label(column: str, why: str, where: str) -> DataError:
    fix = "name a column that says who left, such as one of yes and no"
    return DataError(f"{column} is no label: {why}", where=where, fix=fix, code="label_values")


def _check_shared(column: str, found: Sequence[str], rows: int, where: str) -> None:
    """Raises DataError before values are told of which nearly every row has its own."""
    if 2 * len(found) > rows and not all(_plain(one) in _LEFT | _STAYED for one in found):
        raise _no_label(column, "nearly every row has a value of its own", where)


def _bare(cell: pl.Expr) -> pl.Expr:
    """Trimmed, whole numbers without `.0`, null where nothing is said."""
    text = cell.str.strip_chars().str.normalize("NFC").str.replace(r"^(-?\d+)\.0+$", "$1")
    return pl.when(~text.str.to_lowercase().is_in(sorted(_UNKNOWN))).then(text)


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKC", word).strip().rstrip(".!").casefold()


def _said(column: str, value: str, found: Sequence[str], rows: int, where: str) -> str:
    alike = [one for one in found if one == value] or [one for one in found if _plain(one) == _plain(value)]
    if len(alike) == 1:
        return alike[0]
    _check_shared(column, found, rows, where)
    shown = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
    raise DataError(
        f"--label {column}={value}: no row of {column} says so",
        where=where,
        fix=f"it says {shown}: {typed('label', f'{column}={found[0]}')}",
        code="label_value",
    )


def _told(column: str, found: Sequence[str], rows: int, where: str) -> str:
    """The value that means churned, when the words say it."""
    if len(found) == 1:
        return found[0]
    left = [one for one in found if _plain(one) in _LEFT]
    stayed = [one for one in found if _plain(one) in _STAYED]
    turned = _STAYING.search(column) is not None and all(_plain(one) in _YES | _NO for one in found)
    known = not turned and len(left) <= 1 and len(stayed) <= 1 and (left or stayed) and left != stayed
    if len(found) == 2 and known:
        return left[0] if left else next(one for one in found if one not in stayed)
    _check_shared(column, found, rows, where)
    asks = " or ".join(typed("label", f"{column}={one}") for one in found[:_SHOWN])
    if len(found) > 2:
        shown = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        raise DataError(
            f"the label {column} has {len(found)} values ({shown}), and two are wanted: who left, and who stayed",
            where=where,
            fix=f"say which of them means churned, all others then stayed: {asks}",
            code="label_values",
        )
    why = f"a column called {column} may say who stayed" if turned else "neither word is one clm knows"
    raise DataError(
        f"which value of {column} means churned, {found[0]} or {found[1]}? {why}",
        where=where,
        fix=f"say it: {asks}",
        code="label_which",
    )
