"""Which groups of customers in METRICS add up: what a reader of the report can work out with a pencil.

It may not withhold anything. What two shown cells leave is a cell too: nobody reads how many buyers came once, and everybody who
reads how many came again knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from clm.report.disclosure import Cell
from clm.report.numbers import Number
from clm.report.people import ALL, BUYERS, GROUPED, NONE, OF_BUYERS, RETURNED, WHOLE, People, group_cell, money_of, read
from clm.tables import MIGRATED, NO_PURCHASE

_NEW, _LOST = "(new)", "(lost)"  # of the matrices of migration


def of(rows: list[tuple[str, Number]], older: Mapping[str, int]) -> People:
    """The cells and lines of METRICS, given as its rows with their sections; `older` as `suppress` has it."""
    found = read(rows)
    _before_the_periods(found, older)
    for add_up in (_bases, _key_figures, _forecasts, _months, _whole_months, _cohorts, _moves, _costs, _lives):
        add_up(found)
    return found


def _bases(found: People) -> None:
    """Everybody is a buyer or has no sale; each buyer came again or not, is active or not, and is in one group of each kind."""
    found.line(ALL, (BUYERS, NONE))
    found.cell(*OF_BUYERS, people=found.sizes.get(BUYERS))
    found.line(WHOLE, (OF_BUYERS, money_of(NONE)))
    found.line(BUYERS, (("repeat",),))
    found.line(BUYERS, (("active",),))
    for section in GROUPED.values():
        found.line(BUYERS, found.named(section))
        found.line(OF_BUYERS, found.named("money", section))
    found.line(BUYERS, found.named("rfm_grid"))


def _key_figures(found: People) -> None:
    """The active are new or returning, the known were known before or are new; net is gross less what came back."""
    for period in found.stretches:
        active, gross = ("kpi", period, "active"), ("kpi", period, "gross_revenue")
        found.line(("kpi", period, "moved"), (active,))
        found.line(active, [("kpi", period, name) for name in ("new", "returning")])
        found.same((gross,), [("kpi", period, name) for name in ("net_revenue", "returned")])
    for last, before in zip(found.stretches, found.stretches[1:], strict=False):
        found.line(("kpi", last, "customers"), (("kpi", before, "customers"), ("kpi", last, "new")))
    if found.stretches:
        found.line(BUYERS, (("kpi", found.stretches[0], "customers"),))
        found.line(("active",), (("kpi", found.stretches[0], "active"),))


def _before_the_periods(found: People, older: Mapping[str, int]) -> None:
    """What the whole log brought, less the periods of the key figures, is what came before them: nobody reads it."""
    for name, whole in (("net_revenue", WHOLE), ("orders", BUYERS), ("returned", RETURNED)):
        told: list[Cell] = [("kpi", period, name) for period in found.stretches]
        parts = [cell for cell in told if cell in found.sizes]
        if people := older.get(name):
            parts.append(found.cell("kpi", "older", name, people=people))
            found.unsaid.add(parts[-1])
        if name in older:
            found.same((whole,), parts)


def _forecasts(found: People) -> None:
    for section in ("clv", "churn"):
        for kind in ("method", "status"):
            found.line(BUYERS, found.named(section, kind))
    found.line(BUYERS, found.named("band"))
    risks = found.named("risk")
    found.line(("at_risk",), risks)
    found.line(BUYERS, (("at_risk",),))
    found.line(("active",), found.named("active_at_risk"))
    for risk in risks:
        found.line(risk, (("active_at_risk", risk[1]),))
    found.line(BUYERS, found.named("warned"))


def _months(found: People) -> None:
    """New and returning make a month, or a longer period of months; the months make the money of all, the new the buyers."""
    months, splits = _periods(found)
    for name in splits:
        inside = [month for month in months if _within(month, name)]
        for summed in ((), ("money",), ("orders",)):
            parts = [(*summed, "month", name, group) for group in ("new", "returning")]
            if inside == [name]:
                found.line((*summed, "month", name), parts)
            elif summed:  # somebody buys in two months
                found.same([(*summed, "month", month) for month in inside], parts)
    money: list[Cell] = [("money", "month", month) for month in months]
    found.same((WHOLE,), [*money, *(("money", "month", name, NO_PURCHASE) for name in splits)])
    found.same((BUYERS,), [("orders", "month", month) for month in months])
    found.line(BUYERS, [("month", name, "new") for name in splits])


def _whole_months(found: People) -> None:
    """Key figures of 90 days that are three whole months, as of 28 February or 31 March: the months make them."""
    months, splits = _periods(found)
    for period in found.stretches:
        inside = [month for month in months if _spans(period or "", month)]
        parts = [split for split in splits if not set(inside).isdisjoint(month for month in months if _within(month, split))]
        if not inside or any(_within(month, split) for split in parts for month in months if month not in inside):
            continue
        money = [*(("money", "month", month) for month in inside), *(("money", "month", split, NO_PURCHASE) for split in parts)]
        found.same([("kpi", period, "net_revenue")], money)
        found.same([("kpi", period, "orders")], [("orders", "month", month) for month in inside])
        found.same([("kpi", period, "new")], [("month", split, "new") for split in parts])


def _spans(period: str, month: str) -> bool:
    """Whether `2023-01-01/2023-03-31` is made of whole months, and this is one of them."""
    first, _, last = period.partition("/")
    whole = first.endswith("-01") and (date.fromisoformat(last) + timedelta(days=1)).day == 1
    return whole and first[:7] <= month <= last[:7]


def _periods(found: People) -> tuple[list[str], list[str]]:
    """The months of the log, and the periods by which new and returning customers are told."""
    cells = found.named("month")
    return [_name(cell, 1) for cell in cells if len(cell) == 2], list(
        dict.fromkeys(_name(cell, 1) for cell in cells if len(cell) > 2)
    )


def _cohorts(found: People) -> None:
    """Along an age cohorts add up to its mean, down a period to what is told of its months: those who are new, and the money."""
    cells = [cell for cell in found.named("cohort") if cell[1] is not None]
    lived = [cell for cell in cells if _name(cell, 2) >= _name(cell, 1)]
    periods = sorted({_name(cell, 2) for cell in cells})
    place = {name: at for at, name in enumerate(periods)}
    starts = [cell for cell in lived if cell[1] == cell[2]]
    found.line(BUYERS, starts)
    for cell in lived:
        if cell not in starts:
            found.line(("cohort", cell[1], cell[1]), (cell,))
    for age in found.named("age"):
        complete = [cell for cell in lived if cell[2] not in found.running]
        found.line(age, [cell for cell in complete if f"age_{place[_name(cell, 2)] - place[_name(cell, 1)]:02d}" == age[1]])
    for name in dict.fromkeys([*periods, *_periods(found)[1]]):
        _cohorts_in(found, name, lived)


def _cohorts_in(found: People, period: str, lived: list[Cell]) -> None:
    """One period of the cohorts, or of new and returning customers: both tables are about the same orders."""
    months, every = _periods(found)
    splits = [name for name in every if _within(name, period)]
    here = [cell for cell in lived if _within(_name(cell, 2), period)]
    found.same((("month", name, "new") for name in splits), [cell for cell in here if cell[1] == cell[2]])
    if splits == [period] and {cell[2] for cell in here} == {period}:  # over several periods somebody returns in two
        found.same([("month", period, "returning")], [cell for cell in here if cell[1] != cell[2]])
    money = [cell for cell in found.named("money", "cohort") if _within(_name(cell, 3), period)]
    whole: list[Cell] = [("money", "month", month) for month in months if _within(month, period)]

    def home(name: str) -> str:
        return next((split for split in every if _within(name, split)), name)

    since = [cell for cell in money if cell[2] is not None and home(cell[2]) <= home(period)]
    found.same(whole, since)
    found.same((("money", "month", name, NO_PURCHASE) for name in splits), [cell for cell in money if cell not in since])
    if splits == [period]:
        found.same([("money", "month", period, "new")], [cell for cell in since if home(_name(cell, 2)) == period])


def _name(cell: Cell, place: int) -> str:
    return cell[place] or ""


def _within(one: str, period: str) -> bool:
    """Whether a period lies in another: `2024-03` in `2024-03`, `2024-Q1` and `2024`."""
    year, _, part = one.partition("-")
    return period in (one, year, f"{year}-Q{(int(part) + 2) // 3}" if part.isdecimal() else one)


def _moves(found: People) -> None:
    """Rows and columns of each matrix, those who stayed, moved, came and went."""
    for of in MIGRATED:
        cells = found.named("move", of)
        for before in dict.fromkeys(cell[2] for cell in cells):
            here = [cell for cell in cells if cell[2] == before]
            people = sum(found.sizes[cell] for cell in here)  # any share of the row tells it
            found.line(("way", of, "new") if before == _NEW else found.cell("row", of, before, people=people), here)
        for after in dict.fromkeys(cell[3] for cell in cells):
            whole = ("way", of, "lost") if after == _LOST else group_cell(found, GROUPED.get(of, of), after)
            found.line(whole, [cell for cell in cells if cell[3] == after])
        both = [cell for cell in cells if cell[2] != _NEW and cell[3] != _LOST]
        found.line(("moved", of), [cell for cell in both if cell[2] != cell[3]])
        found.line(("moved", of), [("way", of, way) for way in ("up", "down", "side")])
        found.line(("stayed", of), [cell for cell in both if cell[2] == cell[3]])


def _costs(found: People) -> None:
    left, whole = ("left_out", None), ("costs", None)
    found.line(BUYERS, (whole, left))
    found.line(left, [cell for cell in found.named("left_out") if cell != left])
    _kinds(found, "costs")


def _lives(found: People) -> None:
    found.line(BUYERS, (("life", None), ("survival", "too_new", None, None)))
    for group in found.named("life"):
        found.line(group, (("ended", group[1]),))
    _kinds(found, "life")
    _kinds(found, "ended")


def _kinds(found: People, name: str) -> None:
    """Groups `kind:code` add up to everybody, kind by kind."""
    groups = [cell for cell in found.named(name) if cell[1] is not None]
    for kind in dict.fromkeys(_name(cell, 1).partition(":")[0] for cell in groups):
        rest = [("survival", what, kind, None) for what in ("small", "unknown")] if name == "life" else []
        parts = [cell for cell in groups if _name(cell, 1).partition(":")[0] == kind]
        found.line((name, None), [*parts, *(cell for cell in rest if cell in found.sizes)])
