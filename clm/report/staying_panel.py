"""How long customers stay, a panel of its own, and what the churn panel says of who fell silent lately and whom to contact.

It may not compute; numbers come from METRICS. A profit never stands without its test or the word that it has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from clm.report.blocks import Block, Cell, Column, Paragraph, Table
from clm.report.cells import cell
from clm.report.numbers import Number, Numbers
from clm.report.words import Words

_MONTHS = ("1m", "3m", "6m", "12m")
_COHORTS = 12


def blocks(numbers: Numbers, words: Words) -> list[Block]:
    """Sentences of warnings and profit; nothing where the table knows neither."""
    said = [*_warned(numbers, words), *_contacts(numbers, words)]
    return [Paragraph(words("format.sentence_gap").join(said))] if said else []


def _warned(numbers: Numbers, words: Words) -> Iterator[str]:
    new = next((row for row in numbers.rows("early_warning", "customers") if row.group == "new"), None)
    if new is not None and new.value is not None:
        yield words("churn.warned", n=words.count("customers", new.value), day=words.day(new.period))


def _contacts(numbers: Numbers, words: Words) -> Iterator[str]:
    contacts, expected = numbers.single("profit", "contacts"), numbers.single_value("profit", "expected")
    if contacts is None or contacts.value is None or expected is None:
        return
    yield words("churn.contacts", n=words.count("customers", contacts.value), profit=words.money(expected))
    tested = next((row for row in numbers.rows("profit", "tested_realised") if row.group is None), None)
    hoped = next((row for row in numbers.rows("profit", "tested_expected") if row.group is None), None)
    if tested is None or hoped is None or tested.hidden or hoped.hidden:
        yield words("churn.contacts_untested")
    else:
        sums = {"realised": words.money(tested.value), "expected": words.money(hoped.value)}
        yield words("churn.contacts_tested", day=words.day(tested.period), **sums)


def survival(numbers: Numbers, words: Words) -> tuple[Block, ...]:
    """Retention by months since the first order: everybody, the latest cohorts, the channels of the first order.

    Not segments: those of today say who stayed.
    """
    told = {row.group: row for row in numbers.rows("survival", "customers")}
    if None not in told:
        return (Paragraph(words("survival.none" if numbers.rows("churn", "customers_by_status") else "churn.none")),)
    cohorts = [group for group in told if group is not None and group.startswith("cohort:")][-_COHORTS:]
    channels = [group for group in told if group is not None and group.startswith("channel:")]
    rows = tuple(_row(numbers, told[group], words) for group in (None, *cohorts, *channels))
    columns = (
        Column(words("survival.who"), numeric=False),
        Column(words("survival.customers")),
        Column(words("survival.median_life")),
        *(Column(words("survival.months", n=period.removesuffix("m"))) for period in _MONTHS),
    )
    note = words("survival.note", horizon=words.length(numbers.single_value("survival", "horizon")))
    return (Table(words("survival.table"), columns, rows, note),)


def _row(numbers: Numbers, customers: Number, words: Words) -> tuple[Cell, ...]:
    kind, _, code = (customers.group or "").partition(":")
    month = kind == "cohort" and not code.startswith("(")
    name = (
        words("survival.everybody")
        if not kind
        else words.month(code)
        if month
        else words("survival.others")
        if code == "(other)"
        else code
    )
    median = numbers.find("survival", "median_days", customers.group)
    kept = [numbers.find("survival", "retention", customers.group, period) for period in _MONTHS]
    return (
        Cell(name),
        cell(customers, words.whole),
        cell(median, words.whole),
        *(cell(share, words.percent) for share in kept),
    )
