"""Which customers each number of METRICS is about: cells, of which several numbers may tell.

Customers, money and orders do not add up alike (the money of all counts those who only returned something), so each has cells
of its own where a table tells several: `("segments", "loyal")` are people, `("money", "segments", "loyal")` what they brought.

It may not withhold anything or say what adds up (`families` does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from clm.report.disclosure import Cell, Line
from clm.report.numbers import Number
from clm.tables import NO_PURCHASE

ALL: Cell = ("all",)  # customers of the table
BUYERS: Cell = ("buyers",)
NONE: Cell = ("none",)  # customers without a sale, wherever they are told
WHOLE: Cell = ("whole",)  # the money of all customers, which the accounts of clean say too
OF_BUYERS: Cell = ("money", "buyers")  # told by every share of it beside its part
RETURNED: Cell = ("returned",)
GROUPED = {"segment": "segments", "lifecycle": "lifecycle", "tier": "tiers"}  # column -> section of METRICS
_NOBODY = {"quality", "model", "backtest", "alive", "privacy"}  # about rows, parameters, tests as a whole, nobody real
_CURVES = {
    "top_share_spend", "top_share_clv", "four_fifths_spend", "four_fifths_clv", "four_fifths", "top_fifth", "lorenz",
    "lorenz_clv",
}  # fmt: skip


@dataclass
class People:
    """`about[i]` are the cells row i of METRICS tells of, `sizes` in people, `lines` what adds up, `unsaid` what nobody reads."""

    about: list[tuple[Cell, ...]] = field(default_factory=list)
    sizes: dict[Cell, int] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    unsaid: set[Cell] = field(default_factory=set)
    running: set[str | None] = field(default_factory=set)  # the periods of cohorts that are not over
    stretches: list[str | None] = field(default_factory=list)  # the periods of the key figures, the last first

    def cell(self, *name: str | None, people: float | None = None) -> Cell:
        """The cell of this name; its size is noted the first time it is told."""
        if people is not None:
            self.sizes.setdefault(name, round(people))
        return name

    def line(self, total: Cell, parts: Iterable[Cell]) -> None:
        """Notes that the parts make up the total, with a part nobody reads for what they leave of it."""
        told = tuple(part for part in parts if part in self.sizes)
        if total not in self.sizes or not told:
            return
        left = self.sizes[total] - sum(self.sizes[part] for part in told)
        if left > 0:
            rest = self.cell("rest", str(len(self.lines)), people=left)
            self.unsaid.add(rest)
            told += (rest,)
        self.lines.append(Line(total, told))

    def named(self, *start: str) -> list[Cell]:
        """Every cell whose name starts so."""
        return [cell for cell in self.sizes if cell[: len(start)] == start]

    def same(self, left: Iterable[Cell], right: Iterable[Cell]) -> None:
        """Notes that two sums are the same money: their people may overlap, so nothing is said of what they leave."""
        sides = [tuple(cell for cell in side if cell in self.sizes) for side in (left, right)]
        if all(sides):
            total = self.cell("same", str(len(self.lines)), people=max(sum(self.sizes[cell] for cell in side) for side in sides))
            self.unsaid.add(total)
            self.lines += [Line(total, side) for side in sides]


def read(rows: list[tuple[str, Number]]) -> People:
    """The cells of METRICS, given as its rows with their sections."""
    found = People()
    buyers = next((row.value for section, row in rows if (section, row.metric) == ("overview", "buyers")), None)
    classes = [row.n for _, row in rows if row.metric == "abc_customers" and row.n]
    for section, row in rows:
        if section in _NOBODY:
            found.about.append(())
        elif row.metric in _CURVES:
            found.about.append((_point(found, section, row, buyers),))
        elif row.metric.startswith("abc_"):
            found.about.append((found.cell("abc", people=min(classes, default=None)),))
        else:
            found.about.append(_READERS.get(section, _plain)(found, section, row))
    return found


def _point(found: People, section: str, row: Number, buyers: float | None) -> Cell:
    """A point of a curve parts the buyers in two: it is about the fewer of them."""
    people = row.n
    if people is not None and buyers is not None and 0 < people < buyers:
        people = min(people, round(buyers) - people)
    return found.cell(section, row.metric, row.group, people=people)


def _plain(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    """A number by itself: a count of some of `n` is about these, and about the others."""
    people: float | None = row.n
    expected = row.metric.startswith("expected") or row.metric == "kept"
    if row.unit == "customers" and row.value is not None and not expected:
        others = (row.n or 0) - row.value
        people = min(row.value, others) if others > 0 and row.value > 0 else max(row.value, others)
    return (found.cell(section, row.metric, row.group, row.period, people=people),)


_OVERVIEW: dict[str, Cell] = {
    "customers": ALL,
    "buyers": BUYERS,
    "orders": BUYERS,
    "no_purchase": NONE,
    **dict.fromkeys(("net_revenue", "average_order"), WHOLE),
    "returned": RETURNED,
    **dict.fromkeys(("repeat_customers", "repeat_rate"), ("repeat",)),
    **dict.fromkeys(("active_customers", "active_share", "expected_lost", "expected_lost_share"), ("active",)),
}
_COUNTED = {"customers", "buyers", "no_purchase", "repeat_customers", "active_customers"}


def _overview(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    if row.metric not in _OVERVIEW:
        return _plain(found, section, row)
    told = row.value if row.metric in _COUNTED else row.n if _OVERVIEW[row.metric] in (WHOLE, RETURNED) else None
    return (found.cell(*_OVERVIEW[row.metric], people=told),)


def _key_figure(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    """A figure of one period; its change is about both."""
    if row.metric.endswith("_change"):
        name = row.metric.removesuffix("_change")
        return tuple(cell for period in found.stretches for cell in _figure(name, period))
    if row.metric == "customers":
        found.stretches.append(row.period)
    people: float | None = row.n
    if row.metric in ("repeat_rate", "retention", "churn") and row.value is not None and row.n:
        inside = round(row.value * row.n)
        people = min(inside, row.n - inside) or row.n
    own, *others = _figure(row.metric, row.period)
    if row.metric == "net_revenue":  # some only returned something
        found.cell("kpi", row.period, "moved", people=row.n)
    return (found.cell(*own, people=people), *others)


def _figure(name: str, period: str | None) -> tuple[Cell, ...]:
    """The cells a key figure of a period tells of: a rate of two counts is about both."""
    same = {"churn": "retention"}
    rates = {
        "acquisition": ("new", "active"),
        "average_order": ("net_revenue", "orders", "active"),
        "orders": ("orders", "active"),
    }
    return tuple(("kpi", period, one) for one in rates.get(name, (same.get(name, name),)))


def counted(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    """The cells that `n` counts where the value is of other cells: money is of all, or of some of a period."""
    name = row.metric.removesuffix("_change")
    if (section, name) == ("overview", "net_revenue"):
        return (ALL,)
    if section == "kpi" and name in ("net_revenue", "gross_revenue"):
        whose = "moved" if name == "net_revenue" else "active"
        return tuple(("kpi", period, whose) for period in ((row.period,) if name == row.metric else found.stretches))
    if section == "revenue" and row.group in ("new", "returning"):
        return (("month", row.period, row.group),)
    if section == "revenue" and row.group is None:
        return (("month", row.period),)
    if (section, name) == ("cohorts", "revenue"):
        return (("cohort", row.group, row.period),)
    return ()


def _grouped(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    """Segments, stages of life, tiers: whatever is told of one is about its members, and revenue about their money too."""
    own = group_cell(found, section, row.group, row.n)
    if row.metric not in ("revenue", "revenue_share"):
        return (own,)
    money = found.cell(*money_of(own), people=row.n)
    return (own, money) if row.metric == "revenue" else (own, money, OF_BUYERS)


def money_of(cell: Cell) -> Cell:
    return ("money", *cell)


def group_cell(found: People, section: str, code: str | None, people: float | None = None) -> Cell:
    return found.cell(*(NONE if code == NO_PURCHASE else (section, code)), people=people)


def _portfolio(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    code = (row.group or "").split(".", 1)[-1] if row.metric == "field" else row.group
    own = group_cell(found, "segments", code, row.n)
    match row.metric:
        case "value":  # the year's spend against that of all buyers: in a log of one year all there is
            return (own, money_of(own), OF_BUYERS)
        case "revenue" | "growth":
            return (own, money_of(own))
    return (own,)


def _grid(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    return () if row.group is None else (found.cell(section, row.group, people=row.n),)


def _forecast(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    """Value and churn: by method, status and risk; the rest one by one."""
    kind = row.metric.removeprefix("customers_by_")
    if row.metric in ("customers_by_method", "customers_by_status"):
        none = row.metric == "customers_by_status" and row.group == NO_PURCHASE
        return (found.cell(*(NONE if none else (section, kind, row.group)), people=row.n),)
    if row.metric in ("customers_by_risk", "share_by_risk", "clv_by_risk"):
        return (found.cell("risk", row.group, people=row.n),)
    if row.metric == "active_by_risk":
        return (found.cell("active_at_risk", row.group, people=row.value), ("risk", row.group))
    if row.metric in ("value_customers", "value_customer_share", "value_share"):
        return (found.cell("band", row.group, people=row.n),)
    if (section, row.metric) == ("churn", "expected_lost"):
        return (found.cell("at_risk", people=row.n),)
    return _plain(found, section, row)


def _revenue(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    if row.metric == "month_complete":
        return ()
    own: Cell = ("month", row.period)
    if row.metric == "returning_share":
        return tuple(money_of((*own, *group)) for group in (("new",), ("returning",), ()))
    if row.group is None:
        found.cell(*own, people=row.n)
    if row.metric == "customers":
        return (found.cell(*own, row.group, people=row.n),)
    summed = ("orders", *own) if row.metric == "orders" else money_of(own)
    return (found.cell(*summed, *(() if row.group is None else (row.group,)), people=_people(row)),)


def _people(row: Number) -> float | None:
    """Money that moved while nobody bought is that of few who brought something back: how many is not said."""
    return 1 if not row.n and row.unit == "money" and row.value else row.n


def _cohort(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    """A cohort is its own first cell; what is told as a share of it is about it too."""
    own: Cell = ("cohort", row.group, row.group)
    match row.metric:
        case "period_complete":
            found.running |= set() if row.value else {row.period}
            return ()
        case "customers":
            return (found.cell(*own, people=row.n),)
        case "mean_retention":
            return (found.cell("age", row.group, people=row.n),)
        case "retention_on_or_after":
            whole = found.sizes.get(own, 0)
            fewer = None if row.n is None else min(row.n, whole - row.n) if 0 < row.n < whole else row.n
            later = found.cell("cohort_later", row.group, row.period, people=fewer)
            return (("cohort", row.group, row.period), own, later)
    cell: Cell = ("cohort", row.group, row.period)
    if row.metric == "revenue":
        return (found.cell(*money_of(cell), people=_people(row)),)
    found.cell(*cell, people=row.n)
    return (cell, own) if row.metric == "retention" else (cell,)


def _migration(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    if row.metric == "moved_share":
        moved = None if row.value is None or row.n is None else row.value * row.n
        found.cell("stayed", row.group, people=None if moved is None else (row.n or 0) - moved)
        return (found.cell("moved", row.group, people=moved), ("stayed", row.group))
    kind, _, name = (row.group or "").partition(":")
    if row.metric == "direction":
        return (found.cell("way", kind, name, people=row.n),)
    return (found.cell("move", kind, *name.partition(">")[::2], people=row.n),)


def _cost(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    if row.metric == "account":
        return ()
    if row.metric == "left_out":
        return (found.cell("left_out", row.group, people=row.n),)
    return (found.cell("costs", row.group, people=row.n),)


def _survival(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    if row.metric in ("horizon", "too_new", "small", "unknown"):
        return _plain(found, section, row)
    if row.metric == "customers":
        return (found.cell("life", row.group, people=row.n),)
    if row.metric == "left":
        return (found.cell("ended", row.group, people=row.value), ("life", row.group))
    risked = (found.cell("at_risk_then", row.group, row.period, people=row.n),) if row.period else ()
    return (*risked, ("life", row.group))


def _warning(found: People, section: str, row: Number) -> tuple[Cell, ...]:
    name = {"within": "within", "clv_of_new": "new"}.get(row.metric, row.group)
    return (found.cell("warned", name, people=row.n),)


_READERS: dict[str, Callable[[People, str, Number], tuple[Cell, ...]]] = {
    "overview": _overview,
    "kpi": _key_figure,
    "revenue": _revenue,
    **dict.fromkeys(GROUPED.values(), _grouped),
    "portfolio": _portfolio,
    "migration": _migration,
    "cohorts": _cohort,
    "rfm_grid": _grid,
    "clv": _forecast,
    "churn": _forecast,
    "costs": _cost,
    "survival": _survival,
    "early_warning": _warning,
}
