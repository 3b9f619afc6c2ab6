"""Pseudonyms: the same person gets the same code under the same key, and nobody without the key can find the person.

It may not read a key file. A pseudonym is HMAC-SHA256 (RFC 2104) of the column's name and the normalised value, its first 128 bits
as 26 characters of base32 (RFC 4648, lower case): without the key it can neither be computed nor guessed at, not even for phone
numbers, of which there are few enough to try them all against a plain hash. Columns are told apart: a phone number used as an id
and the same number in a phone column have nothing in common.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata
from collections.abc import Sequence

import polars as pl

_BITS = 128
_PRINT = re.compile(r"[\s().·-]+")


def pseudonym(secret: bytes, column: str, value: str) -> str:
    """The code of one value of a column."""
    digest = hmac.digest(secret, f"{column}\0{normalised(column, value)}".encode(), "sha256")[: _BITS // 8]
    return base64.b32encode(digest).decode().rstrip("=").lower()


def normalised(column: str, value: str) -> str:
    """A value as everybody writes it: NFKC and trimmed; e-mail addresses without case, phone numbers without ornament.

    Ids keep their case, because `a1` and `A1` may be two customers.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if column == "email":
        return text.casefold()
    if column == "phone":
        return _PRINT.sub("", text)
    return text


def replaced(rows: pl.LazyFrame, columns: Sequence[str], secret: bytes) -> pl.LazyFrame:
    """The rows in their order with the values of these text columns replaced; nulls stay null.

    One entry per distinct value is held in memory, as for any table of customers.
    """
    for column in columns:
        values = rows.select(pl.col(column).drop_nulls().unique()).collect(engine="streaming")[column]
        codes = pl.Series("clm:pseudonym", [pseudonym(secret, column, value) for value in values], dtype=pl.String)
        known = pl.LazyFrame({column: values, "clm:pseudonym": codes})
        joined = rows.join(known, on=column, how="left", maintain_order="left")
        rows = joined.with_columns(pl.col("clm:pseudonym").alias(column)).drop("clm:pseudonym")
    return rows
