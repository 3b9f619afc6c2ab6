"""Numbers of who moved since an earlier table: cells, directions and shares, as the stage `migrate` counted them.

It may not count anew; it adds rows to the sheet it is given.
"""

from __future__ import annotations

from typing import Any

from clm.report.numbers import Sheet, finite
from clm.tables import MIGRATED

_WAYS = ("up", "down", "side", "new", "lost")
_VALUES = ("spend_before", "spend_after", "clv_before", "clv_after")


def add(sheet: Sheet, migration: dict[str, Any]) -> None:
    """Rows for each matrix in the metrics of `migrate`."""
    period = f"{migration['from']}/{migration['to']}"
    for of in MIGRATED:
        if of not in migration:
            continue
        found = migration[of]
        for cell in found["cells"]:
            group, n = f"{of}:{cell['from']}>{cell['to']}", cell["customers"]
            sheet.add("migration", "customers", n, group=group, period=period, n=n)
            sheet.add("migration", "share", cell["share"], group=group, period=period, n=n)
            for name in _VALUES:
                if cell[name] is not None:
                    sheet.add("migration", name, finite(float(cell[name])), group=group, period=period, n=n)
        stayers = found["stayed"] + found["moved"]
        sheet.add("migration", "moved_share", found["moved_share"], group=of, period=period, n=stayers)
        for way in _WAYS:
            sheet.add("migration", "direction", found[way], group=f"{of}:{way}", period=period, n=found[way])
