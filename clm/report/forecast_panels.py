"""Panels about what is expected: customer lifetime value, its back-test, and customers about to be lost.

It may not compute; numbers come from METRICS. A forecast never stands without its test or the words that there was none.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from clm.report import backtest_figures, churn_figures, contact_panel, spread_figures, trust, value_sentences
from clm.report.blocks import Block, Cell, Column, Paragraph, Table, Verdict
from clm.report.cells import cell
from clm.report.numbers import ACTIVE_DAYS, CHURN_SCORES, ERROR_SCORES, RANK_SCORES, Numbers
from clm.report.words import Words

_RULES = ("rate", "last_period", "mean", "zero", "hiatus")  # NBD is a baseline in the test, yet a model when it forecasts
_TESTED = ("bias", *ERROR_SCORES, *RANK_SCORES)
_MINOR_SCORES = ("mae", "msle", "spearman", "capture_20", "brier")


def value(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[Block, ...]:
    """What the customers are worth, whether that can be believed, and who carries it."""
    if not numbers.rows("clv", "customers_by_status"):
        return (Paragraph(words("clv.none")),)
    orders = numbers.single("clv", "expected_orders")
    if orders is None or orders.value is None:
        why = words("clv.cannot_tell" if trust.cannot_tell(numbers) else "clv.nothing")
        return (Paragraph(why), *spread_figures.concentration(numbers, words), *_how(numbers, words))
    blocks: list[Block] = [Paragraph(words("format.sentence_gap").join(value_sentences.sentences(numbers, facts, words)))]
    blocks.append(_verdict(numbers, words))
    blocks += spread_figures.bands(numbers, words)
    blocks += spread_figures.concentration(numbers, words)
    blocks += _how(numbers, words)
    return tuple(blocks)


def backtest(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """How the forecast fared on the past, beside simple rules, and by deciles of the forecast."""
    if not numbers.rows("clv", "customers_by_status"):
        return (Paragraph(words("clv.none")),)
    if not numbers.groups("backtest", _TESTED):
        return (_verdict(numbers, words),)
    drawn = (*backtest_figures.deciles(numbers, words), *backtest_figures.tracking(numbers, words))
    return (_verdict(numbers, words), _scores(numbers, words), *drawn)


def _how(numbers: Numbers, words: Words) -> list[Block]:
    """Methods and statuses with their customers."""
    rows = [
        (Cell(words(f"clv.{kind}")), Cell(words.name(names, row.group)), cell(row, words.whole))
        for kind, names in (("method", "method"), ("status", "clv_status"))
        for row in numbers.rows("clv", f"customers_by_{kind}")
    ]
    columns = (Column("", numeric=False), Column(words("clv.name"), numeric=False), Column(words("clv.customers")))
    return [Table(words("clv.methods"), columns, tuple(rows))] if rows else []


def _verdict(numbers: Numbers, words: Words) -> Verdict:
    """Whether the forecast beat simple rules, or that it was not tested."""
    if not numbers.groups("backtest", _TESTED):
        return Verdict(words("backtest.none"), good=False)
    origins = words.count("origins", numbers.single_value("backtest", "origins"))
    tested = words.length(numbers.single_value("backtest", "horizon"))
    duels = numbers.rows("backtest", "beats_best_baseline")
    lost = [row.group for row in duels if not row.value]
    said = {"origins": origins, "horizon": tested}
    if not duels:
        return Verdict(words("backtest.untold", **said), good=False)
    won = len(duels) - len(lost)
    key = "wins_all" if not lost else "wins" if won else "loses"
    counts = {"n": words.whole(len(duels))} | ({"won": words.whole(won)} if key == "wins" else {})
    text = words(f"backtest.{key}", **said, **counts)
    if key == "wins":
        missed = words("format.list").join(words.name("score", score) for score in lost)
        text += words("format.sentence_gap") + words("backtest.missed", scores=missed)
    return Verdict(text, good=won > len(lost))


def _scores(numbers: Numbers, words: Words) -> Table:
    """Every forecast that was tried with its scores; what is used is set off."""
    groups = numbers.groups("backtest", _TESTED)
    origins = words.count("origins", numbers.single_value("backtest", "origins"))
    tested = words.length(numbers.single_value("backtest", "horizon"))
    horizon = numbers.single("clv", "horizon")
    against = words("backtest.against", tested=tested, horizon=words.stretch(horizon.period if horizon else None))
    used = {row.group for row in numbers.rows("clv", "customers_by_method")}
    strong: list[int] = []
    rows: list[tuple[Cell, ...]] = []
    for group in groups:
        kind, _, name = group.partition(":")
        if name in used:
            strong.append(len(rows))
        shown = words.name("method", name)
        if name in used and kind == "baseline" and name not in _RULES:
            label = words("backtest.used", name=shown)
        else:
            key = "backtest.named_used" if name in used else "backtest.named"
            label = words(key, name=shown, kind=words.name("backtest", kind))
        cells = [Cell(label)]
        for score in _TESTED:
            number = numbers.value("backtest", score, group)
            cells.append(Cell(words.signed_percent(number) if score == "bias" else words.decimal(number), number))
        rows.append(tuple(cells))
    columns = (
        Column(words("backtest.candidate"), numeric=False),
        *(Column(words(f"score.{score}"), minor=score in _MINOR_SCORES) for score in _TESTED),
    )
    higher = words("format.list").join(words.name("score", score) for score in RANK_SCORES)
    note = words("format.sentence_gap").join((words("backtest.mean_of", origins=origins, scores=higher), against))
    return Table(words("backtest.title"), columns, tuple(rows), note, tuple(strong))


def churn(numbers: Numbers, facts: dict[str, Any], words: Words) -> tuple[Block, ...]:
    """Who will not come back, by which method, and whether it was right before."""
    if not numbers.rows("churn", "customers_by_status"):
        return (Paragraph(words("churn.none")),)
    lost = numbers.single("churn", "expected_lost")
    if lost is None or lost.value is None:
        return (Paragraph(words("churn.nothing")), *contact_panel.blocks(numbers, words))
    horizon = words.length(numbers.single_value("churn", "horizon"))
    said = [
        words("churn.lead", horizon=horizon, lost=words.whole(lost.value), n=words.count("customers", lost.n)),
    ]
    active = numbers.single("overview", "expected_lost")
    doubt = trust.churn_doubt(numbers, facts)
    if active and active.value is not None and doubt != trust.NO_SKILL:
        share = words.percent(numbers.single_value("overview", "expected_lost_share"))
        people = words.count("customers", active.n)
        days = words.count("days", ACTIVE_DAYS)
        said.append(words("churn.lead_active", days=days, active=people, lost=words.whole(active.value), share=share))
    overdue = numbers.single_value("churn", "overdue")
    if overdue:
        said.append(words("churn.overdue", n=words.count("customers", overdue)))
    blocks: list[Block] = [Paragraph(words("format.sentence_gap").join(said))]
    blocks += [Verdict(words("churn.no_skill"), good=False)] if doubt == trust.NO_SKILL else []
    blocks += [_risks(numbers, words)]
    blocks += _candidates(numbers, words)
    blocks += churn_figures.reliability(numbers, words)
    blocks += churn_figures.gain(numbers, words)
    blocks += contact_panel.blocks(numbers, words)
    blocks += churn_figures.profit(numbers, words)
    return tuple(blocks)


def _risks(numbers: Numbers, words: Words) -> Table:
    values = [row.value for row in numbers.rows("churn", "clv_by_risk") if row.value is not None]
    valued, most = bool(values), max(values, default=0.0)
    rows = []
    for row in reversed(numbers.rows("churn", "customers_by_risk")):
        share, active, clv = (
            numbers.find("churn", metric, row.group) for metric in ("share_by_risk", "active_by_risk", "clv_by_risk")
        )
        cells = [
            Cell(_risk_name(numbers, row.group, words)),
            cell(row, words.whole),
            cell(share, words.percent, bar=True),
            cell(active, words.whole),
        ]
        rows.append(tuple(cells + ([cell(clv, partial(words.cell, largest=most))] if valued else [])))
    labels = ["risk", "customers", "share", "active", *(["clv"] if valued else [])]
    days = words.count("days", ACTIVE_DAYS)
    columns = tuple(
        Column(words("churn.active", days=days) if label == "active" else words(f"churn.{label}"), label != "risk")
        for label in labels
    )
    return Table(words("churn.risk_table"), columns, tuple(rows))


def _risk_name(numbers: Numbers, risk: str | None, words: Words) -> str:
    """The risk with the probabilities it stands for: the usual ones, or where the profit curve cuts."""
    medium, high = (numbers.value("profit", "risk_from", end) for end in ("medium", "high"))
    if medium is None or high is None:
        return words.name("risk", risk)
    ends = {"medium": words.decimal(medium, 3), "high": words.decimal(high, 3)}
    names = {"low": words("churn.risk_low", **ends), "medium": words("churn.risk_medium", **ends)}
    return names.get(risk or "", words("churn.risk_high", **ends))


def _candidates(numbers: Numbers, words: Words) -> list[Block]:
    tried = numbers.rows("churn", "chosen")
    if not tried:
        return [Verdict(words("churn.candidates_none"), good=False)]
    strong: list[int] = []
    rows: list[tuple[Cell, ...]] = []
    for row in tried:
        name = words.name("method", row.group)
        if row.value:
            strong.append(len(rows))
            name = words("churn.chosen", name=name)
        cells = [Cell(name)]
        for score in CHURN_SCORES:
            number = numbers.value("churn", score, row.group)
            cells.append(Cell(words.decimal(number, 3), number))
        rows.append((*cells, _beside_chosen(numbers, words, row.group)))
    columns = (
        Column(words("churn.candidate"), numeric=False),
        *(Column(words(f"score.{score}"), minor=score in _MINOR_SCORES) for score in CHURN_SCORES),
        Column(words("churn.beside_chosen"), minor=True),
    )
    note = words("churn.candidates_note")
    return [Table(words("churn.candidates"), columns, tuple(rows), note, tuple(strong))]


def _beside_chosen(numbers: Numbers, words: Words, candidate: str | None) -> Cell:
    """By how much the log-loss is higher than the chosen method's, with its interval."""
    found = numbers.find("churn", "log_loss_beside_chosen", candidate)
    if found is None:
        return Cell("")
    by, low, high = (words.decimal(one, 3) for one in (found.value, found.lower, found.upper))
    return Cell(words("churn.beside_interval", by=by, low=low, high=high), found.value)
