"""Numbers about what customers cost and bring back, from the facts `clv` left in the footer.

It may not fail on a fact that is missing or has another shape: such a number is absent.
"""

from __future__ import annotations

from typing import Any

from clm.report.footer_numbers import money_of, objects, records, stage_facts
from clm.report.numbers import Sheet, finite

_MONEY = ("acquisition", "acquisition_left", "retention", "cost", "margin_to_date")
_NUMBERS = ("clv", "cac", "crv", "ltv_cac", "lifetime_cac", "roi_to_date", "roi", "payback_month", "payback_missing")

_EXPECTED = ("clv", "crv", "ltv_cac", "lifetime_cac", "roi")


def add(sheet: Sheet, facts: dict[str, Any], *, expected: bool = True) -> None:
    """Add the account of the costs, who is left out, and every group; nothing where there were no costs.

    Without `expected` what rests on the forecast is null: nobody can know it.
    """
    costs = objects(stage_facts(facts, "clv").get("metrics", {}).get("costs"))
    for kind, account in objects(costs.get("account")).items():
        for part, money in objects(account).items():
            sheet.add("costs", "account", money_of(money), group=f"{kind}.{part}")
    left_out = objects(costs.get("left_out"))
    number = finite(left_out.get("customers"))
    if number is not None:
        sheet.add("costs", "left_out", number, n=int(number))
    for why, several in objects(left_out.get("reasons")).items():
        known = finite(several)
        sheet.add("costs", "left_out", known, group=str(why), n=int(known) if known is not None else None)
    for row in (objects(costs.get("total")), *records(costs.get("groups"))):
        if row:
            _group(sheet, row if expected else row | dict.fromkeys(_EXPECTED))


def _group(sheet: Sheet, row: dict[str, Any]) -> None:
    by, name = str(row.get("by")), row.get("group")
    group = None if by == "all" else f"{by}:{name}" if name is not None else by
    people = finite(row.get("with_cac"))
    n = int(people) if people is not None else None
    sheet.add("costs", "customers", people, group=group, n=n)
    for metric in _MONEY:
        if row.get(metric) is not None:
            sheet.add("costs", metric, money_of(row[metric]), group=group, n=n)
    for metric in _NUMBERS:
        if metric in row and n:
            sheet.add("costs", metric, finite(row[metric]), group=group, n=n)
