"""Which lines are a product and which are postage, fees, vouchers or corrections: `non_product`.

It may not see a line: it compares patterns with the log's distinct product ids and names.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import polars as pl

# shipped patterns of so few bytes (a Chinese word is longer) count only where at most this share of the lines has so short an id
_SHORT, _SHORT_SHARE = 2, 0.05


@cache
def default_patterns() -> tuple[str, ...]:
    """The shipped list, for `non_products` when the caller has none of his own."""
    text = resources.files(__name__.rpartition(".")[0]).joinpath("non_products.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["patterns"])


@dataclass(frozen=True)
class NonProducts:
    """What no product is, as the values that occur: lookups instead of a pattern per line."""

    product_ids: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.product_ids or self.products)

    @property
    def columns(self) -> list[str]:
        """What is looked at."""
        return [name for name, values in (("product_id", self.product_ids), ("product", self.products)) if values]

    def holds(self) -> pl.Expr:
        """Whether a line is no product; never null."""
        tests = [
            pl.col(column).is_in(list(values)).fill_null(value=False)
            for column, values in (("product_id", self.product_ids), ("product", self.products))
            if values
        ]
        return pl.any_horizontal(tests) if tests else pl.lit(value=False)


def find(good: pl.LazyFrame, columns: list[str], patterns: tuple[str, ...] | None) -> NonProducts:
    """Compare the patterns with the distinct values of the product columns among `columns`. None: the shipped list.

    In a log of short ids the shortest of the shipped patterns may be products; who writes a pattern knows his log.
    """
    shipped = patterns is None
    patterns = default_patterns() if patterns is None else patterns
    if not patterns or not columns:
        return NonProducts()
    matched = pl.collect_all(
        [good.select(column).unique().filter(_matches(column, patterns)) for column in columns], engine="streaming"
    )
    if shipped and any(table.height for table in matched) and _short_ids(good, columns):
        patterns = tuple(one for one in patterns if len(one.encode()) > _SHORT)
        matched = [table.filter(_matches(column, patterns)) for column, table in zip(columns, matched, strict=True)]
    found = {column: tuple(table[column].sort().to_list()) for column, table in zip(columns, matched, strict=True)}
    both = NonProducts(found.get("product_id", ()), found.get("product", ()))
    return _by_id_alone(good, both) if both.product_ids and both.products else both


def _by_id_alone(good: pl.LazyFrame, both: NonProducts) -> NonProducts:
    """Without the names when the ids say as much: every later pass then reads one column less."""
    ids = NonProducts(both.product_ids)
    more = good.select((both.holds() & ~ids.holds()).any()).collect(engine="streaming").item()
    return both if more else ids


def _matches(column: str, patterns: tuple[str, ...]) -> pl.Expr:
    """Whether a value is one of the patterns as a whole; never null."""
    if not patterns:
        return pl.lit(value=False)
    regex = "|".join(_regex(one) for one in patterns)
    return pl.col(column).str.strip_chars().str.contains(f"(?is)^(?:{regex})$").fill_null(value=False)


def _short_ids(good: pl.LazyFrame, columns: list[str]) -> bool:
    """Whether ids of one or two characters are nothing special in this log."""
    name = pl.col(columns[0])
    short = good.select(name.count().alias("all"), (name.str.len_bytes() <= _SHORT).sum().alias("short"))
    rows = short.collect(engine="streaming").row(0)
    return bool(rows[1] > _SHORT_SHARE * rows[0])


def _regex(pattern: str) -> str:
    return "".join(".*" if one == "*" else "." if one == "?" else re.escape(one) for one in pattern)
