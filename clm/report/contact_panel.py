"""The part of the churn panel about what to do: who fell silent lately, whom it pays to contact.

It may not compute; numbers come from METRICS. A profit never stands without its test or the word that it has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from clm.report.blocks import Block, Paragraph
from clm.report.numbers import Numbers
from clm.report.words import Words


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
