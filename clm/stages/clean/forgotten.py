"""A log from which customers were taken out: the books, counts and notices as if their rows had never been in it.

It may not know who they were, or look at the sources: what was read and rejected stays as it was told.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from clm.outcome import Notice, money_text
from clm.stages.clean import accounting, quality
from clm.stages.clean.accounting import Account, Sum
from clm.tables import RETURN, SALE

NOTICE = Notice("forgotten", "customers were taken out after the log was read (clm forget): all counts are of those who remain")
# what the flags of the rows say, counted anew
_COUNTED = ("duplicates_flagged", "rows_flagged", NOTICE.code)


def books(told: dict[str, Any], gone: pl.LazyFrame) -> dict[str, Any]:
    """`rows` and `amount` of a footer without the rows `gone`: neither in nor out: nobody's money can be told from them."""
    less = accounting.total(gone)
    rows = told["rows"] | {side: told["rows"][side] - less.rows for side in ("in", "out")}
    if told.get("amount") is None:
        return {"rows": rows, "amount": None}
    paid = {side: money_text(Decimal(told["amount"][side]) - less.money) for side in ("in", "out")}
    return {"rows": rows, "amount": told["amount"] | paid}


def counts(told: dict[str, Any], stay: pl.LazyFrame) -> dict[str, Any]:
    """`metrics` and `warnings` of a footer (`told`, with the new books) for the rows that `stay`.

    How the log was read stays as it is; matched returns are left out, for both halves of a pair may be of two customers.
    """
    metrics = told["metrics"]
    kept = quality.count(stay, tuple(metrics.get("flags", {})), stay)
    kinds = {SALE: Sum(), RETURN: Sum()} | {
        kind: Sum(rows, money or Decimal(0)) for kind, rows, money in kept.by_kind.iter_rows()
    }
    left = {part: _sums(told, part) for part in ("rejected", "collapsed")}
    whole = sum((*left["rejected"].values(), *left["collapsed"].values()), kept.total)
    account = Account(whole, kinds, left["rejected"], left["collapsed"])
    found = {
        "sales": kinds[SALE].rows,
        "returns": kinds[RETURN].rows,
        "flags": {code: one.rows for code, one in kept.by_flag.items()},
        "quality": quality.metrics(kept, account, told.get("amount") is not None),
    }
    reading = {name: metrics[name] for name in ("reading",) if name in metrics}
    others = [one for one in told["warnings"] if one["code"] not in _COUNTED]
    notices = [notice.to_json() for notice in (*quality.notices(kept), NOTICE)]
    return {"metrics": found | reading, "warnings": others + notices}


def _sums(told: dict[str, Any], part: str) -> dict[str, Sum]:
    paid = (told.get("amount") or {}).get(part, {})
    return {code: Sum(rows, Decimal(paid.get(code, 0))) for code, rows in told["rows"].get(part, {}).items()}
