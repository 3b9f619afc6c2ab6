"""The record of one check, and what several come to. It may not check anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["ok", "wrong", "unknown"]


@dataclass(frozen=True)
class Check:
    """One thing held against a file. `says` is what was found, in words that hold no value of a row."""

    file: str
    check: str
    status: Status
    says: str

    def to_json(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Checked:
    """The checks of one file as they are made."""

    file: str

    def ok(self, check: str, says: str) -> Check:
        return Check(self.file, check, "ok", says)

    def wrong(self, check: str, says: str) -> Check:
        return Check(self.file, check, "wrong", says)

    def unknown(self, check: str, says: str) -> Check:
        return Check(self.file, check, "unknown", says)

    def judged(self, check: str, faults: Sequence[str], says: str) -> Check:
        """Wrong with the first fault and the number of the others, else ok."""
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return self.wrong(check, f"{faults[0]}{more}") if faults else self.ok(check, says)


def record(found: Sequence[Check]) -> dict[str, Any]:
    """The `--json` object."""
    count = {status: sum(one.status == status for one in found) for status in ("ok", "wrong", "unknown")}
    return {
        "schema": 1,
        "stage": "verify",
        "metrics": {"files": len({one.file for one in found}), "checks": len(found)} | count,
        "checks": [one.to_json() for one in found],
    }
