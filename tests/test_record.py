"""run.json read back: what a run wrote comes back as it was, and nothing else is taken for a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clm import record
from clm.record import Entry, Record

SHA256 = "0" * 64
CLEAN = Entry(
    "clean", "made", "not made yet", 0.5, {"in": 3, "out": 2, "rejected": {"date": 1}}, {"in": "3.0000", "out": "2.0000"},
    [{"code": "x", "text": "y"}], [{"path": "clean.parquet", "rows": 2, "sha256": SHA256}],
    {"inputs": {"1. year=2024/" + "x" * 300: SHA256}, "settings": {"tz": None}, "clm_version": "0.1.0", "table_version": 1},
)  # fmt: skip
RFM = Entry(
    "rfm",
    "failed",
    "",
    outputs=[{"path": "report.html", "rows": None, "sha256": SHA256}],
    made_from={"inputs": {"clean.parquet": SHA256}},
)
WHOLE = Record("2024-01-01T00:00:00Z", None, "2024-01-01", "failed", 65, (CLEAN, RFM))


def read_back(document: Any, folder: Path) -> Record | None:
    (folder / record.NAME).write_text(json.dumps(document), "utf-8")
    return record.read(folder)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    """Every field, also of a run that failed at once and of one that is at work."""
    for one in (WHOLE, Record("2024-01-01T00:00:00Z", stages=(Entry("clean", "failed", "no room"),))):
        record.write(tmp_path, one, None)
        assert record.read(tmp_path) == one


OUTPUT = {"path": "rfm.parquet", "rows": 2, "sha256": SHA256}
NO_ENTRIES: list[dict[str, Any]] = [
    *({"stage": one} for one in (None, 7, ["rfm"])),
    *({"status": one} for one in (None, 7)),
    {"reason": 7},
    {"seconds": "1"},
    {"rows": 7},
    {"amount": "2.0000"},
    *({"warnings": one} for one in ({}, [3], [{"code": "x"}])),
    *({"made_from": one} for one in ("x", {"inputs": ["x"]}, {"inputs": {"x": 7}}, {"settings": "x"})),
    *({"made_from": {"inputs": {one: SHA256}}} for one in ("", "..", "/etc/hosts", "a/b", "x" * 256, "中" * 86, "a\0b")),
    *({"outputs": one} for one in ({}, ["x"], [{}], [{"path": "rfm.parquet", "sha256": SHA256}])),
    *({"outputs": [OUTPUT | one]} for one in ({"rows": -1}, {"rows": "2"}, {"sha256": 7}, {"sha256": None})),
    *({"outputs": [OUTPUT | {"path": one}]} for one in (None, 7, "", "..", "../x", "/dev/stdin", "x" * 256, "a\0b", "\ud800")),
    {"unheard of": 1},
]
NO_RECORDS: list[dict[str, Any]] = [
    {"stages": None},
    {"stages": []},
    {"stages": [7]},
    {"stages": [RFM.to_json()]},
    *({"as_of": one} for one in (7, "2024-02-30", [[]])),
    *({"started": one} for one in (None, 7)),
    {"finished": 7},
    *({"status": one} for one in (None, ["done"])),
    *({"exit_code": one} for one in ("0", -1, 0.0)),
    *({"stages": [CLEAN.to_json(), RFM.to_json() | one]} for one in NO_ENTRIES),
]


@pytest.mark.parametrize("spoilt", NO_RECORDS, ids=range(len(NO_RECORDS)))
def test_what_no_run_writes_is_no_record(spoilt: dict[str, Any], tmp_path: Path) -> None:
    """A value of another type, a name no file of the folder can have, a run without its beginning: nobody else need check."""
    assert read_back(WHOLE.to_json(), tmp_path) == WHOLE
    assert read_back(WHOLE.to_json() | spoilt, tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "[" * 100_000, '{"stages":' * 60 + "1" + "}" * 60, '{"stages": [NaN]}'])
def test_what_is_no_document_is_no_record(text: str, tmp_path: Path) -> None:
    """Empty, cut, nested, or not there."""
    assert record.read(tmp_path) is None
    (tmp_path / record.NAME).write_text(text)
    assert record.read(tmp_path) is None
