"""The same hazards through pandas, DuckDB and Polars with their defaults, and the table of counts beside clm's.

It may not help or hinder them. The mapping: columns are taken by their names in the file (a column that is not there, or an
amount that is not a number, is seen at once: said); ids are compared as text, whole floats as whole numbers; amounts to four
decimals; days only where the reader itself made times of them, without an offset. `Case.read` is what they should find: no
judging of statuses, currencies or masks is asked of them. Several files are read one by one and stacked by name.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.ingest import hazards, verdicts
from tests.ingest.hazard_log import Case

RIGHT, SAID, SILENT = "right", "said", "silently wrong"
Records = list[tuple[Any, Any, Any]]


def read_pandas(path: Path, columns: tuple[str, ...]) -> Records:
    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pandas.read_csv(path)
    return list(frame[list(columns)].astype(object).where(frame[list(columns)].notna(), None).itertuples(index=False, name=None))


def read_duckdb(path: Path, columns: tuple[str, ...]) -> Records:
    import duckdb

    names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    with duckdb.connect() as connection:
        return connection.execute(f"select {names} from read_csv(?)", [str(path)]).fetchall()


def read_polars(path: Path, columns: tuple[str, ...]) -> Records:
    import polars as pl

    return pl.read_csv(path).select(columns).rows()


READERS: dict[str, Callable[[Path, tuple[str, ...]], Records]] = {
    "pandas": read_pandas,
    "DuckDB": read_duckdb,
    "Polars": read_polars,
}


def examine(case: Case, paths: Iterable[Path], read: Callable[[Path, tuple[str, ...]], Records]) -> str:
    """What this reader makes of a case."""
    rows: Records = []
    for path in paths:
        try:
            rows += read(path, case.columns)
        except Exception:  # noqa: BLE001 whatever it raises, it said so
            return SAID
    rows = [row for row in rows if row[0] is not None or row[2] is not None]  # an empty row counts for nothing
    if any(isinstance(amount, str) for _, _, amount in rows):
        return SAID
    return RIGHT if _same(rows, case) else SILENT


def _same(rows: Records, case: Case) -> bool:
    timed = all(isinstance(at, datetime) and at.tzinfo is None for _, at, _ in rows)
    dated = all(type(at) is date for _, at, _ in rows)

    def day(at: Any) -> Any:
        return at if timed else at.date() if dated and isinstance(at, datetime) else at if dated else None

    found = Counter((_id(customer), day(at), _money(amount)) for customer, at, amount in rows)
    return found == Counter((one.customer, day(one.at), _money(one.amount)) for one in case.as_read)


def _id(value: Any) -> str | None:
    if isinstance(value, float):
        return None if value != value else str(int(value)) if value.is_integer() else str(value)
    return None if value is None else str(value)


def _money(value: Any) -> Decimal | None:
    number = None if value is None or value != value else Decimal(str(value))
    return None if number is None or not number.is_finite() else round(number, 4)


def counts(folder: Path) -> dict[str, Counter[str]]:
    """For clm and each reader, how many cases ended how."""
    found: dict[str, Counter[str]] = {"clm": Counter(), **{name: Counter() for name in READERS}}
    for place, case in enumerate(hazards.cases()):
        here = folder / str(place)
        found["clm"][verdicts.examine(case, here).kind] += 1
        for name, read in READERS.items():
            found[name][examine(case, [here / file for file, _ in case.files], read)] += 1
    return found


def table() -> str:
    """The counts as a Markdown table, for the README."""
    with tempfile.TemporaryDirectory() as folder:
        found = counts(Path(folder))
    rows = [
        f"{len(hazards.cases())} hazards | "
        "right | asks, and its flag makes it right | says that something is wrong | silently wrong",
    ]
    for name, verdict in found.items():
        said = verdict[verdicts.ALOUD] + verdict[SAID]
        rows.append(f"{name} | {verdict[RIGHT]} | {verdict[verdicts.ASKED] or '–'} | {said} | {verdict[SILENT]}")
    heading, *rest = (f"| {row} |" for row in rows)
    return "\n".join([heading, "|---|--:|--:|--:|--:|", *rest])
