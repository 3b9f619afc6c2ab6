"""What clm made of a hazard: right, asked, wrong aloud, or silently wrong.

It may not be kind: a value that differs from the truth is silently wrong unless a notice named by the case tells of it, and a
question counts only when the flags it names, given, lead to the right reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clm.errors import ClmError
from clm.settings import option_name
from tests.cleaning import Cleaned, clean_files
from tests.ingest.hazard_log import Case, Order

RIGHT, ASKED, ALOUD, SILENT = "right", "asked", "wrong aloud", "silently wrong"
# rejects that are no record of anybody's
_NO_RECORD = ("totals_row", "header_repeat", "blank_row")


@dataclass(frozen=True)
class Verdict:
    kind: str
    why: str


def compare(
    found: Sequence[Order],
    truth: Sequence[Order],
    gone: Mapping[str, int],
    lost: Mapping[str, int],
    told: bool = False,
) -> Verdict:
    """The rows that came out against the true ones; `gone` counts rejected and collapsed rows by code, `lost` what must be there.

    Rows that are not in the truth are silently wrong unless `told`; rows that are missing must be among the rejects.
    """
    extra, missing = Counter(found) - Counter(truth), Counter(truth) - Counter(found)
    unsaid = {code: number for code, number in lost.items() if gone.get(code, 0) < number}
    if not extra and not missing and not unsaid:
        return Verdict(RIGHT, "")
    if extra:
        why = f"{extra.total()} rows are not true, such as {next(iter(extra))}; {missing.total()} missing, gone {dict(gone)}"
        return Verdict(ALOUD if told else SILENT, why)
    said = sum(number for code, number in gone.items() if code not in _NO_RECORD)
    expected = sum(number for code, number in lost.items() if code not in _NO_RECORD)
    if missing.total() <= said - expected and not missing_codes(unsaid):
        return Verdict(ALOUD, f"{missing.total()} rows are missing, {dict(gone)} rejected")
    if not missing and said >= expected:
        return Verdict(RIGHT, f"told under other codes: {dict(gone)} for {dict(lost)}")
    return Verdict(SILENT, f"{missing.total()} rows are missing, unsaid {unsaid}, gone {dict(gone)}")


def missing_codes(unsaid: Mapping[str, int]) -> bool:
    return any(code not in _NO_RECORD for code in unsaid)


def orders(done: Cleaned) -> list[Order]:
    """TRANSACTIONS as records to compare."""
    names = ("customer_id", "order_id", "ordered_at", "amount", "kind")
    return [Order(*row) for row in done.rows.select(names).iter_rows()]


def examine(case: Case, folder: Path) -> Verdict:
    """Run clean with no flag, answer what it asks with the flags it names, and judge what comes out."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name, _ in case.files]
    for path, (_, data) in zip(paths, case.files, strict=True):
        path.write_bytes(data)
    left, given, asked = dict(case.answer), {}, []
    while True:
        done, question = _cleaned(paths, folder, given)
        if done is not None:
            break
        named = {key: value for key, value in left.items() if f"--{option_name(key)}" in question}
        if not named:
            return Verdict(ALOUD, f"refused without a flag that answers it: {question}")
        asked.append(question)
        given |= named
        left = {key: value for key, value in left.items() if key not in named}
    outcome = done.settled.outcome
    gone = outcome.rows.rejected | outcome.rows.collapsed
    told = any(notice.code in case.told for notice in outcome.warnings)
    if asked:
        verdict = compare(orders(done), case.answered, gone, case.answered_lost, told)
        return Verdict(ASKED if verdict.kind == RIGHT else verdict.kind, f"{asked[-1]} -> {verdict.why}")
    if case.truth is None:
        return Verdict(SILENT, f"no question was asked; {len(done.rows)} rows, gone {gone}")
    return compare(orders(done), case.truth, gone, case.lost, told)


def _cleaned(paths: list[Path], folder: Path, given: Mapping[str, Any]) -> tuple[Cleaned | None, str]:
    """What clean made of it, or the question it stopped with."""
    try:
        done = clean_files(paths, folder, **given)
    except ClmError as error:
        return None, str(error)
    return (done, "") if done.settled.refusal is None else (None, str(done.settled.refusal))
