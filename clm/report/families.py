"""Which groups of customers in METRICS add up: what a reader of the report can work out with a pencil.

It may not withhold anything. What two shown cells leave is a cell too: nobody reads how many buyers came once, and everybody who
reads how many came again knows it.
"""

from __future__ import annotations

from clm.report.disclosure import Cell
from clm.report.numbers import Number
from clm.report.people import ALL, BUYERS, GROUPED, NONE, OF_BUYERS, WHOLE, People, group_cell, money_of, read
from clm.tables import MIGRATED, NO_PURCHASE

_NEW, _LOST = "(new)", "(lost)"  # of the matrices of migration


def of(rows: list[tuple[str, Number]]) -> People:
    """The cells and lines of METRICS, given as its rows with their sections."""
    found = read(rows)
    for add_up in (_bases, _key_figures, _forecasts, _months, _cohorts, _moves, _costs, _lives):
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
    """New and returning make a month; the months make the money of all, and those who were new in one are the buyers."""
    names = dict.fromkeys(cell[1] for cell in found.named("month"))
    totals: dict[str, list[Cell]] = {"money": [], "orders": []}
    for summed, months in totals.items():
        for name in names:
            whole: Cell = (summed, "month", name)
            parts = [(*whole, group) for group in ("new", "returning")]
            months.append(found.cell(*whole, people=sum(found.sizes.get(part, 0) for part in parts)))
            found.line(whole, parts)
    found.same((WHOLE,), [*totals["money"], *((*month, NO_PURCHASE) for month in totals["money"])])
    found.same((BUYERS,), totals["orders"])
    found.line(BUYERS, [("month", name, "new") for name in names])


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
    months = dict.fromkeys(_name(cell, 1) for cell in found.named("month"))
    for name in periods:
        inside = [month for month in months if _within(month, name)]
        found.same((("month", month, "new") for month in inside), [cell for cell in starts if cell[2] == name])
        if inside == [name]:  # over several months somebody returns in two of them
            again = [cell for cell in lived if cell[2] == name and cell not in starts]
            found.same([("month", name, "returning")], again)
        _cohort_money(found, name, inside)


def _cohort_money(found: People, period: str, months: list[str]) -> None:
    """What the cohorts brought in a period, and what its months did."""
    here = [cell for cell in found.named("money", "cohort") if cell[3] == period]
    lived = [cell for cell in here if cell[2] is not None and cell[2] <= period]
    bases: list[Cell] = [("money", "month", month) for month in months]
    found.same(bases, lived)
    found.same(((*base, NO_PURCHASE) for base in bases), [cell for cell in here if cell not in lived])
    found.same(((*base, "new") for base in bases), [cell for cell in lived if cell[2] == period])


def _name(cell: Cell, place: int) -> str:
    return cell[place] or ""


def _within(month: str, period: str) -> bool:
    """Whether `2024-03` lies in `2024-03`, `2024-Q1` or `2024`."""
    year, _, number = month.partition("-")
    return period in (month, year, f"{year}-Q{(int(number) + 2) // 3}")


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
