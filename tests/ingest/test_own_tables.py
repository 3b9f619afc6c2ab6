"""Tables of clm that are no log, given to `clean`."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm.errors import DataError
from clm.tables import CUSTOMERS, METRICS, MIGRATION, REJECTS, Table
from tests.cleaning import clean_text


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (CUSTOMERS, ("a table of clm rfm", "clm segment")),
        (REJECTS, ("a table of clm clean", "--rejects-raw")),
        (MIGRATION, ("a table of clm migrate", "give the orders")),
        (METRICS, ("a table of clm report", "give the orders")),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else "",
)
def test_a_table_made_of_a_log_is_named(table: Table, words: tuple[str, ...], tmp_path: Path) -> None:
    """What it is, who made it and what to give instead; no column is asked for."""
    names = [column.name for column in table.columns]
    with pytest.raises(DataError) as caught:
        clean_text(",".join(names) + "\n" + ",".join(["2024-01-02"] * len(names)) + "\n", tmp_path)
    told = f"{caught.value.what} {caught.value.fix}"
    assert f"is no order log but {table.name}" in told
    assert all(word in told for word in words)


def test_a_log_with_some_of_these_columns_is_read(tmp_path: Path) -> None:
    """Their names alone refuse nothing."""
    text = "customer_id,orders,spend,as_of,order date,amount\nA,1,5,x,2024-01-02,5\n"
    assert clean_text(text, tmp_path).rows.height == 1
