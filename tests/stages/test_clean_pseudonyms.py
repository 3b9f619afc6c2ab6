"""Pseudonyms: stable under one key, unlinkable under another, one per person however the value is written."""

from __future__ import annotations

import polars as pl

from clm.stages.clean import pseudonyms

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def test_a_pseudonym_is_the_published_construction() -> None:
    """HMAC-SHA256 over column, zero byte and value, first 128 bits in base32, as openssl computes it."""
    # printf 'customer_id\\0C1' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f -binary | head -c16 | base32
    code = pseudonyms.pseudonym(KEY, "customer_id", "C1")
    assert len(code) == 26
    assert set(code) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert code == "7wy2ga4du4eh77bdrmc6sd5me4"


def test_a_hundred_thousand_values_stay_apart_and_all_change_with_the_key() -> None:
    """No collision among 100,000 values, the same codes again, every one different under another key or column."""
    values = [f"13{number:09d}" for number in range(100_000)]
    codes = [pseudonyms.pseudonym(KEY, "customer_id", value) for value in values]
    assert len(set(codes)) == len(values)
    assert codes[::1000] == [pseudonyms.pseudonym(KEY, "customer_id", value) for value in values[::1000]]
    others = {pseudonyms.pseudonym(OTHER, "customer_id", value) for value in values}
    assert not others & set(codes)
    columns = {pseudonyms.pseudonym(KEY, "phone", value) for value in values[::100]}
    assert not columns & set(codes)


def test_the_same_person_written_in_two_ways_is_one() -> None:
    """Case of an e-mail, ornaments of a phone number and full-width digits do not make two people; case of an id does."""

    def same(column: str, one: str, other: str) -> bool:
        return pseudonyms.pseudonym(KEY, column, one) == pseudonyms.pseudonym(KEY, column, other)

    assert same("email", "Ann@Example.com ", "ann@example.com")
    assert same("phone", "138 0013-8000", "13800138000")
    assert same("customer_id", "１００１", "1001")
    assert not same("customer_id", "a1", "A1")
    assert not same("phone", "+8613800138000", "13800138000")


def test_rows_keep_their_order_and_their_nulls() -> None:
    """Only the values change."""
    rows = pl.LazyFrame({"customer_id": ["b", "a", "b"], "email": ["x@y.z", None, "X@y.z"], "n": [3, 1, 2]})
    found = pseudonyms.replaced(rows, ("customer_id", "email"), KEY).collect()
    assert found["n"].to_list() == [3, 1, 2]
    assert found["customer_id"].to_list() == [pseudonyms.pseudonym(KEY, "customer_id", one) for one in "bab"]
    assert found["email"].to_list()[1] is None
    assert found["email"][0] == found["email"][2] == pseudonyms.pseudonym(KEY, "email", "x@y.z")
