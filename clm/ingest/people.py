"""People: whether the cells of a column called `id`, `name` or `user` stand for customers, and which of their ids may be one.

It may not merge two ids, nor show one.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from clm.ingest.text import TextLog
from clm.outcome import Notice, counted

# columns that in tills hold who is at the till
_OPERATORS = {"user", "username", "name", "用户", "用户名"}
_FEW, _ROWS_EACH = 5, 4
_PHONES = ("phone", "mobile", "cell", "tel", "手机", "电话", "whatsapp", "handy")
_PHONE = r"^\+?[\d\s().\-]{7,20}$"
_DIGITS_COMPARED = 10
_MOSTLY = 0.5


def is_product(names: pl.Series, products: Iterable[pl.Series]) -> bool:
    """Whether each value of a product column always has the same name: then the name is the product's, for people differ."""
    return any(_fixes(product, names) for product in products)


def _fixes(product: pl.Series, names: pl.Series) -> bool:
    pairs = pl.DataFrame({"product": product, "name": names}).filter((pl.col("product") != "") & (pl.col("name") != ""))
    kinds = pairs["product"].n_unique()
    return 1 < kinds < pairs.height and pairs.unique().height == kinds


def comes_back(ids: pl.Series, days: pl.Series | None) -> bool:
    """Whether some value is there at more than one moment: one that never is an order's, whose lines share a stamp."""
    if days is None:
        return True
    moments = pl.DataFrame({"id": ids, "day": days}).group_by("id").agg(pl.col("day").n_unique())
    return bool((moments["day"] > 1).any())


def doubtful(log: TextLog, column: str, called: set[str]) -> list[Notice]:
    """Notices about the customer column; `called` are the forms of its name."""
    ids = log.sample[column].str.strip_chars()
    ids = ids.filter(ids != "")
    return [*_operators(ids, column, called), *_same_but_for_ornament(ids, column, called)] if ids.len() else []


def _operators(ids: pl.Series, column: str, called: set[str]) -> list[Notice]:
    few = ids.n_unique()
    if not called & _OPERATORS or few > _FEW or ids.len() < _ROWS_EACH * few:
        return []
    return [
        Notice(
            "few_customers",
            f"{column} is taken as who bought and has {counted(few, 'value')} in {ids.len():,} rows: if it is who "
            "sold, or a till, name the customer's column: --map customer_id=COLUMN",
        )
    ]


def _same_but_for_ornament(ids: pl.Series, column: str, called: set[str]) -> list[Notice]:
    """E-mails that differ only in case, telephone numbers only in how they are written."""
    several = ids.unique()
    if several.str.contains("@", literal=True).mean() > _MOSTLY:  # type: ignore[operator]
        what, bare = "e-mails that differ only in case", several.str.to_lowercase()
    elif any(word in name for word in _PHONES for name in called) and several.str.contains(_PHONE).mean() > _MOSTLY:  # type: ignore[operator]
        what = "telephone numbers that differ only in signs and prefixes"
        bare = several.str.replace_all(r"\D", "").str.tail(_DIGITS_COMPARED)
    else:
        return []
    fewer = several.len() - bare.n_unique()
    if not fewer:
        return []
    return [
        Notice(
            "ids_alike",
            f"{column} holds {what}: of {several.len():,} ids seen, {fewer:,} would fall together with another. They are kept "
            "apart; write each in one way if they are one customer's.",
        )
    ]
