"""`Reading`: everything that was decided about what the text means, in one record that `stages.clean` obeys.

It may not decide: `understand` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clm.ingest.dates import DateFormat
from clm.ingest.evidence import Evidence
from clm.ingest.numbers import Mark
from clm.ingest.profiles import Words
from clm.outcome import Notice

MONEY_ROLES = ("amount", "unit_price", "discount", "returned_amount", "cost")
NUMBER_ROLES = (*MONEY_ROLES, "quantity")
TEXT_ROLES = ("product", "category", "channel", "device", "country", "currency", "email", "phone")
KEY_ROLES = ("customer_id", "order_id", "line_id", "product_id")


@dataclass(frozen=True)
class StatusWords:
    """What the words of the status column say became of a row; in lower case, as `statuses.said` writes cells."""

    cancelled: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    sale: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """Which column plays which role (`ordered_at` may have two) and how its cells are written.

    `ours` says the input is TRANSACTIONS that clm made before: its columns pass through as they are, save that the sources
    at the `exported` places are CSV, whose risky text was defused for spreadsheets. `text_columns` are the
    first column of each file and the mapped ones: where words such as 合计 give a totals row away. `test` says which rows are
    test orders, `only` which alone are sales; `one_row_per_order`: rows without an amount are further lines of an order.
    `called`: what single sources call a column, by their places; `priced_in`: the currency that the money's column names.
    """

    roles: dict[str, tuple[str, ...]]
    dates: DateFormat
    marks: dict[str, Mark]
    keep: tuple[str, ...]
    text_columns: tuple[str, ...]
    has_amounts: bool
    cancellation_documents: bool
    several_sources: bool
    ours: bool
    exported: tuple[int, ...]
    evidence: tuple[Evidence, ...]
    notices: tuple[Notice, ...]
    words: StatusWords = field(default_factory=StatusWords)
    test: Words | None = None
    only: Words | None = None
    one_row_per_order: bool = False
    called: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    priced_in: str | None = None

    def column(self, role: str) -> str | None:
        return self.roles[role][0] if role in self.roles else None

    def to_json(self) -> dict[str, Any]:
        """What the metrics tell about it: names of columns and formats, no cell."""
        return {
            "roles": {role: list(columns) for role, columns in sorted(self.roles.items())},
            "date_format": self.dates.to_json(),
            "decimal_marks": dict(sorted(self.marks.items())),
            "evidence": [fact.to_json() for fact in self.evidence],
        }
