"""The strip of key figures: the last 90 days with their change, or the whole log where it is younger; and what is ahead.

It may not compute; numbers come from METRICS. One that cannot be known is left out, and the sentence above the strip says why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clm.report import trust
from clm.report.blocks import Pairs, Tile
from clm.report.cells import text
from clm.report.numbers import ACTIVE_DAYS, KPI_RATES, KPIS, Number, Numbers
from clm.report.words import Words

_MONEY = ("net_revenue", "gross_revenue", "average_order")
_TOLD_BESIDE = ("returned",)  # in the note of gross revenue
_NOTES = {
    "active": "kpi.active_note",
    "new": "kpi.new_note",
    "returning": "kpi.returning_note",
    "average_order": "kpi.average_order_note",
    "repeat_rate": "kpi.repeat_rate_note",
    "retention": "kpi.retention_note",
    "churn": "kpi.churn_note",
    "acquisition": "kpi.acquisition_note",
    "concentration": "kpi.concentration_note",
}
_SAME = 0.0005  # a change that reads +0.0%

Show = Callable[[float | None], str]


def tiles(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[Tile, ...]:
    """Every key figure that is known, then what is expected."""
    found = _of_period(numbers, words) if _now(numbers, "active") else _to_date(numbers, words)
    return (*found, *_ahead(numbers, facts, words))


def sentence(numbers: Numbers, words: Words) -> str:
    """Which days the strip is about, what it is held against, and why something is missing."""
    days = words.count("days", ACTIVE_DAYS)
    active, before = _now(numbers, "active"), _before(numbers, "active")
    if active is None:
        return (
            words("kpi.whole_log", days=days, day=words.day(numbers.as_of)) if numbers.single_value("overview", "buyers") else ""
        )
    first, last = _ends(active, words)
    if before is not None:
        earlier, until = _ends(before, words)
        said = words("kpi.period_change", first=first, last=last, before=earlier, until=until)
    else:
        said = words("kpi.period", first=first, last=last)
    if before is not None and _now(numbers, "new") is not None:
        return said
    why = "kpi.too_short" if numbers.rows("revenue", "month_complete") else "kpi.no_orders"
    return said + words("format.sentence_gap") + words(why, days=days, both=words.count("days", 2 * ACTIVE_DAYS))


def headline(numbers: Numbers, words: Words) -> str:
    """The last period in one sentence; nothing when the log has not lived it."""
    active, orders, revenue = (_now(numbers, name) for name in ("active", "orders", "net_revenue"))
    if active is None or orders is None:
        return ""
    said = {
        "days": words.count("days", ACTIVE_DAYS),
        "customers": words.count("customers", active.value),
        "what": words.count("orders", orders.value)
        if revenue is None
        else words("headline.worth", orders=words.count("orders", orders.value), revenue=words.money(revenue.value)),
    }
    change = numbers.single_value("kpi", "orders_change" if revenue is None else "net_revenue_change")
    if change is None:
        return words("headline.period", **said)
    if abs(change) < _SAME:
        return words("headline.period_same", **said)
    return words("headline.period_more" if change > 0 else "headline.period_less", **said, change=words.percent(abs(change)))


def definitions(numbers: Numbers, words: Words) -> list[Pairs]:
    """What each key figure means, as far as they are shown."""
    shown = [name for name in KPIS if name not in _TOLD_BESIDE and _now(numbers, name)]
    if not _now(numbers, "active"):
        return []
    days = words.count("days", ACTIVE_DAYS)
    means = ((words(f"kpi.{name}"), words(f"kpi_means.{name}")) for name in shown)
    return [Pairs(((words("kpi.means"), words("kpi_means.period", days=days)), *means))]


def lost_horizon(numbers: Numbers, words: Words) -> str:
    return words.length(numbers.single_value("churn", "horizon"))


def _now(numbers: Numbers, name: str) -> Number | None:
    return _known(numbers, name, 0)


def _before(numbers: Numbers, name: str) -> Number | None:
    return _known(numbers, name, 1)


def _known(numbers: Numbers, name: str, before: int) -> Number | None:
    """The figure of the last period or of the one before it; None when it is not known."""
    rows = numbers.rows("kpi", name)
    return rows[before] if len(rows) > before and rows[before].value is not None else None


def _ends(figure: Number, words: Words) -> tuple[str, str]:
    first, last = (figure.period or "").split("/")
    return words.day(first), words.day(last)


def _of_period(numbers: Numbers, words: Words) -> list[Tile]:
    found = []
    for name in KPIS:
        now = _now(numbers, name)
        if now is None or now.value is None or name in _TOLD_BESIDE:
            continue
        show = _show(name, words)
        note, change = _note(numbers, name, now, words), _change(numbers, name, show, words)
        found.append(Tile(name, words(f"kpi.{name}"), show(now.value), now.value, note, change))
    return found


def _show(name: str, words: Words) -> Show:
    """Rates with a decimal, as their changes have one."""
    return words.rate if name in KPI_RATES else words.money if name in _MONEY else words.whole


def _change(numbers: Numbers, name: str, show: Show, words: Words) -> str:
    """The change with its sign, its direction in a word, and what it is held against; nothing when that is not known."""
    now, before = _now(numbers, name), _before(numbers, name)
    if now is None or before is None or now.value is None or before.value is None:
        return ""
    change, was = numbers.single_value("kpi", f"{name}_change"), show(before.value)
    if now.value == before.value or (change is not None and abs(change) < _SAME):
        return words("kpi.same", before=was)
    way, since = ("up", "up_from") if now.value > before.value else ("down", "down_from")
    if change is None:
        return words(f"kpi.{since}", before=was)
    size = words("kpi.points", n=words.signed(100 * change)) if name in KPI_RATES else words.signed_percent(change)
    return words(f"kpi.{way}", change=size, before=was)


def _note(numbers: Numbers, name: str, now: Number, words: Words) -> str:
    """What the figure is part of, or held to."""
    if name == "customers":
        none = numbers.single_value("overview", "no_purchase")
        return words("kpi.buyers_note", n=words.whole(none)) if none else ""
    if name in ("orders", "net_revenue"):
        whole = numbers.single_value("overview", name)
        return words("kpi.since_start", total=_show(name, words)(whole)) if whole is not None else ""
    if name == "gross_revenue":
        returned = _now(numbers, "returned")
        return words("kpi.returned_note", returned=words.money(returned.value)) if returned and returned.value else ""
    return words(_NOTES[name], n=words.whole(now.n))


def _to_date(numbers: Numbers, words: Words) -> list[Tile]:
    """The whole log, where it is too short for a period."""

    def value(metric: str) -> float | None:
        return numbers.single_value("overview", metric)

    none, returned = value("no_purchase"), value("returned")
    whole, money = words.whole, words.money
    rows: tuple[tuple[str, Show, str], ...] = (
        ("customers", whole, ""),
        ("buyers", whole, words("kpi.buyers_note", n=whole(none)) if none else words("kpi.buyers_all") if none == 0 else ""),
        ("orders", whole, ""),
        ("net_revenue", money, words("kpi.returned_net", returned=money(returned)) if returned else ""),
        ("average_order", money, ""),
        ("repeat_rate", words.percent, words("kpi.repeat_again", n=text(numbers.single("overview", "repeat_customers"), whole))),
    )
    known = ((code, show, note, value(code)) for code, show, note in rows)
    return [Tile(code, words(f"kpi.{code}"), show(found), found, note) for code, show, note, found in known if found is not None]


def _ahead(numbers: Numbers, facts: dict[str, Any], words: Words) -> list[Tile]:
    found = []
    expected = numbers.single("overview", "expected_revenue")
    if expected and expected.value is not None:
        note = "kpi.expected_untested" if trust.forecast_doubt(numbers) else "kpi.expected_note"
        said = words(note, horizon=words.stretch(expected.period))
        found.append(Tile(expected.metric, words("kpi.expected"), words.money(expected.value), expected.value, said))
    lost = numbers.single("overview", "expected_lost")
    if lost and lost.value is not None:
        doubts = {trust.NO_SKILL: "kpi.lost_no_skill", trust.UNTESTED: "kpi.lost_untested"}
        note = doubts.get(trust.churn_doubt(numbers, facts) or "", "kpi.lost_note")
        said = words(note, horizon=lost_horizon(numbers, words))
        found.append(Tile(lost.metric, words("kpi.lost"), words.whole(lost.value), lost.value, said))
    return found
