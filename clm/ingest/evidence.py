"""One decision and what speaks for it. It may not decide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """One decision about one thing, and what speaks for it: shown by `--dry-run`, kept in the metrics."""

    about: str
    decision: str
    because: str

    def to_json(self) -> dict[str, str]:
        return {"about": self.about, "decision": self.decision, "because": self.because}
