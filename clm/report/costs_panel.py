"""The panel about what customers cost and bring back, with the meaning of each number below it.

It may not compute: numbers come from METRICS.
"""

from __future__ import annotations

from clm.report import trust
from clm.report.blocks import Block, Cell, Column, Figure, Mark, Pairs, Paragraph, Table
from clm.report.cells import Show, cell
from clm.report.numbers import Number, Numbers
from clm.report.words import Words, plain

_MONTHS = 12  # cohorts shown; all are in METRICS
_YEAR, _USUAL = 365, 3.0  # days of forecast, and the ratio the trade asks for
# two tables: column -> number, with the way it is shown
_RETURNS = ("customers", "spent", "earned", "clv", "roi_to_date", "roi")
_WINNING = ("customers", "cac", "crv", "ltv_cac", "lifetime_cac", "payback")
_METRICS = {"spent": "cost", "earned": "margin_to_date", "payback": "payback_month"}


def costs(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """What was spent on whom, what came back, when it is earned back; where no costs were given, how to."""
    if not numbers.rows("costs", "customers"):
        return (Paragraph(words("costs.none")),)

    def value(metric: str) -> float | None:
        return numbers.value("costs", metric)

    spent, left_out, nobody = value("cost"), value("left_out"), value("acquisition_left")
    said = []
    if spent is None:
        whole = numbers.find("costs", "customers")
        said.append(words("costs.lead_hidden" if whole and whole.hidden else "costs.lead_none"))
    else:
        told = {"customers": words.count("customers", value("customers")), "spent": words.money(spent)}
        told["earned"] = words.money(value("margin_to_date"))
        if value("roi") is None:
            said.append(words("costs.lead", **told))
        else:
            said.append(words("costs.lead_clv", **told, clv=words.money(value("clv")), roi=words.percent(value("roi"))))
            if trust.forecast_doubt(numbers):
                said.append(words("costs.untested"))
    if left_out:
        said.append(words("costs.left_out", customers=words.count("customers", left_out)))
    if nobody:
        said.append(words("costs.nobody", money=words.money(nobody)))
    lead = Paragraph(words("format.sentence_gap").join(said))
    if not any(row.value is not None for row in numbers.rows("costs", "cost")):
        return (lead,)
    names = dict.fromkeys(name for name in (*_RETURNS, *_WINNING) if name != "customers")
    meanings = tuple((words(f"costs.{name}"), words(f"costs_means.{name}")) for name in names)
    returns = _table(numbers, words, words("costs.returns"), _RETURNS)
    winning = _table(numbers, words, words("costs.winning"), _WINNING)
    figures = [figure for kind in ("channel", "cohort") for figure in _ratios(numbers, words, kind)]
    rule = Paragraph(_three(numbers, words))
    return (lead, returns, rule, *figures, winning, Paragraph(words("costs.definitions")), Pairs(meanings))


def _three(numbers: Numbers, words: Words) -> str:
    """The usual 3 to 1, only where it can be held against: a tested forecast of a year or more."""
    ratio = numbers.value("costs", "lifetime_cac")
    horizon = numbers.single("clv", "horizon")
    if ratio is None:
        return words("costs.three_unknown")
    if trust.forecast_doubt(numbers):
        return words("costs.three_untested")
    if horizon is None or (horizon.value or 0) < _YEAR:
        return words("costs.three_short", horizon=words.stretch(horizon.period if horizon else None))
    key = "costs.three_reached" if ratio >= _USUAL else "costs.three_missed" if ratio >= 1 else "costs.three_lost"
    return words(key, ratio=words.decimal(ratio), horizon=words.stretch(horizon.period))


def _ratios(numbers: Numbers, words: Words, kind: str) -> list[Block]:
    """What comes back for each unit of acquisition spend, by channel or by month of the first order, over the line at 1."""
    groups = [row for row in numbers.rows("costs", "customers") if row.value and (row.group or "").partition(":")[0] == kind]
    shown = groups[-_MONTHS:] if kind == "cohort" else groups[:_MONTHS]
    marks, rows = [], []
    for row in shown:
        name = _name(row.group, words)
        cells = {metric: cell(numbers.find("costs", metric, row.group), words.decimal) for metric in ("ltv_cac", "lifetime_cac")}
        marks += [Mark(of, name, one.value, one.text) for of, one in cells.items() if one.value is not None]
        rows.append((Cell(name), cell(row, words.whole), *cells.values()))
    if not marks:
        return []
    key = (*((of, words(f"costs.{of}")) for of in ("ltv_cac", "lifetime_cac")), ("one", words("costs.one")))
    columns = (
        Column(words("costs.group"), numeric=False),
        Column(words("costs.customers")),
        *(Column(label) for _, label in key[:2]),
    )
    title = words(f"costs.ratios_{kind}")
    best = max((mark for mark in marks if mark.series == marks[-1].series), key=lambda mark: mark.value)
    alt = words("costs.ratios_alt", name=best.place, ratio=best.text)
    return [Figure("ratios", title, key, tuple(marks), alt, Table(title, columns, tuple(rows)), words("costs.ratios_note"))]


def _table(numbers: Numbers, words: Words, caption: str, names: tuple[str, ...]) -> Table:
    """All, the latest cohorts, channels and tiers; groups in which nobody has a cost are left out."""
    filled = [row for row in numbers.rows("costs", "customers") if row.value or row.hidden]
    months = [row for row in filled if (row.group or "").startswith("cohort:")]
    shown = [row for row in filled if row not in months[:-_MONTHS]]
    columns = (Column(words("costs.group"), numeric=False), *(Column(words(f"costs.{name}")) for name in names))
    earlier = len(filled) - len(shown)
    note = words("costs.earlier", count=words.whole(earlier)) if earlier else ""
    rows = tuple((Cell(_name(row.group, words)), *(_cell(numbers, words, row, name) for name in names)) for row in shown)
    return Table(caption, columns, rows, note, strong=(0,))


def _cell(numbers: Numbers, words: Words, row: Number, name: str) -> Cell:
    found = numbers.find("costs", _METRICS.get(name, name), row.group)
    missing = numbers.value("costs", "payback_missing", row.group)
    if name == "payback" and missing is not None and (found is None or found.value is None):
        return Cell(words("costs.not_yet", money=words.money(missing)))
    shows: dict[str, Show] = dict.fromkeys(("roi", "roi_to_date"), words.percent)
    shows |= dict.fromkeys(("customers", "payback"), words.whole) | dict.fromkeys(("ltv_cac", "lifetime_cac"), words.decimal)
    return cell(found, shows.get(name, words.money))


def _name(group: str | None, words: Words) -> str:
    by, colon, name = (group or "").partition(":")
    if not by:
        return words("costs.all")
    if by == "cohort":
        return words("costs.cohort", month=words.month(name))
    if by == "channel" and not colon:
        return words("costs.channel_none")
    return words(f"costs.{by}", name=plain(name, 30))
