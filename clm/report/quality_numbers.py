"""Numbers of data quality, from the footers: what clean counted, in and out, what it flagged, what rfm left out.

It may not fail on a fact that is missing or has another shape: such a number is absent and the panel says so.
"""

from __future__ import annotations

from typing import Any

from clm.report.footer_numbers import money_of, objects, stage_facts
from clm.report.numbers import Sheet, finite


def add(sheet: Sheet, facts: dict[str, Any]) -> None:
    """Add rows and money by what became of them, and the flags of the rows that were kept."""
    clean = stage_facts(facts, "clean")
    rows, amount = clean.get("rows", {}), clean.get("amount", {})
    _account(sheet, "rows", {key: rows.get(key) for key in ("in", "out")}, _parts(rows, finite))
    if amount:
        _account(sheet, "amount", {key: money_of(amount.get(key)) for key in ("in", "out")}, _parts(amount, money_of))
    rows_in = finite(rows.get("in"))
    rejected = _parts(rows, finite)["rejected"]
    if rows_in:
        sheet.add("quality", "rejected_share", sum(rejected.values()) / rows_in, n=int(rows_in))
        shares = {end: finite(rows.get(end)) for end in ("in", "out")}
        for kind, codes in _parts(rows, finite).items():
            shares |= {f"{kind}.{code}": value for code, value in codes.items()}
        for group, value in shares.items():
            if value is not None:
                sheet.add("quality", "rows_share", value / rows_in, group=group, n=int(value))
    _flags(sheet, objects(clean.get("metrics", {}).get("quality")), finite(rows.get("out")))
    left_out = finite(stage_facts(facts, "rfm").get("rows", {}).get("after_as_of"))
    if left_out is not None:
        sheet.add("quality", "rows_after_as_of", left_out, n=int(left_out))


def _flags(sheet: Sheet, quality: dict[str, Any], kept: float | None) -> None:
    """Rows somebody should look at, all of them and by flag; a row can have several."""
    flagged = finite(quality.get("flagged_rows"))
    if flagged is None:
        return
    sheet.add("quality", "rows_flagged", flagged)
    sheet.add("quality", "flagged_share", flagged / kept if kept else None)
    for code, told in objects(quality.get("flags")).items():
        found = objects(told)
        rows = finite(found.get("rows"))
        sheet.add("quality", "rows_flagged", rows, group=str(code))
        sheet.add("quality", "flagged_share", rows / kept if kept and rows is not None else None, group=str(code))
        if "amount" in found:
            sheet.add("quality", "amount_flagged", money_of(found["amount"]), group=str(code))


def _parts(account: dict[str, Any], read: Any) -> dict[str, dict[str, Any]]:
    """The readable numbers of `rejected` and `collapsed`, by code."""
    return {
        kind: {str(code): read(value) for code, value in objects(account.get(kind)).items() if read(value) is not None}
        for kind in ("rejected", "collapsed")
    }


def _account(sheet: Sheet, what: str, ends: dict[str, Any], parts: dict[str, dict[str, Any]]) -> None:
    if ends["in"] is None or ends["out"] is None:
        return
    for end, value in ends.items():
        sheet.add("quality", f"{what}_{end}", value)
    gone = 0
    for kind, codes in parts.items():
        whole = sum(codes.values())
        gone += whole
        sheet.add("quality", f"{what}_{kind}", whole)
        for code, value in codes.items():
            sheet.add("quality", f"{what}_{kind}", value, group=code)
    sheet.add("quality", f"{what}_balanced", int(ends["in"] == ends["out"] + gone))
