"""The dry run of `clean` as a page: what was decided and why, what would be left out, and the options that say the same.

It may not decide, print or read a file; it lays out at the width of the terminal.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from clm.outcome import counted
from clm.report.wrap import cells, wrapped
from clm.settings import CleanSettings, json_value, option_name, options

if TYPE_CHECKING:
    from clm.errors import DataError
    from clm.ingest import Evidence
    from clm.outcome import Outcome
    from clm.steps import Look

PINNED = "to pin it"
_NARROWEST, _WIDEST = 60, 110
_ABOUT, _DECISION = 18, 28
_NUMBERS = "numbers of "
# what `to pin it` says already
_SAID = {"map", "profile", "keep", "date_format", "decimal", "encoding", "delimiter", "tz", "currency", "one_row_per_order"}


def page(look: Look, inputs: Sequence[str], settings: CleanSettings, width: int) -> list[str]:
    """The lines of the page; on a question as far as the reading came."""
    width = max(_NARROWEST, min(width, _WIDEST))
    facts = [fact for fact in look.evidence if fact.about != PINNED]
    lines: list[str] = []
    for names, form in _forms(facts):
        lines += ["", names, *_rows(form, width)]
    meaning = [fact for fact in facts if _of_file(fact) is None]
    notation = [fact for fact in meaning if fact.about == "date format" or fact.about.startswith("numbers")]
    columns = [fact for fact in meaning if fact not in notation]
    notation = [replace(fact, about=fact.about.removeprefix(_NUMBERS)) for fact in notation]
    for title, some in (("columns", columns), ("cells", notation)):
        if some:
            lines += ["", title, *_rows(some, width)]
    if look.outcome is not None:
        lines += ["", *_rejects(look.outcome, look.span)]
    flags = _flags(look.evidence, settings)
    if flags:
        lines += ["", "the same, said by options (--save-profile FILE keeps them)", *_command(inputs, flags, width)]
    return [*lines[1:], ""] if lines else []


def to_json(look: Look, settings: CleanSettings, question: DataError) -> dict[str, Any]:
    """The same facts as the `--json` object of a reading that ended in a question."""
    found: dict[str, Any] = {"schema": 1, "stage": "clean"}
    if look.outcome is not None:
        found["rows"] = look.outcome.rows.to_json()
        if look.outcome.amount is not None:
            found["amount"] = look.outcome.amount.to_json()
        found["metrics"] = look.outcome.metrics
    else:
        found["metrics"] = {"reading": {"evidence": [fact.to_json() for fact in look.evidence]}}
    asked = {"code": question.code, "what": question.what, "where": question.where, "fix": question.fix}
    return found | {"options": _flags(look.evidence, settings), "question": asked}


def _of_file(fact: Evidence) -> str | None:
    """The file whose form a fact is about."""
    name, _, about = fact.about.rpartition(": ")
    return name if name and about and not fact.about.startswith(_NUMBERS) else None


def _forms(facts: Sequence[Evidence]) -> Iterator[tuple[str, list[Evidence]]]:
    """Files with what was found out about their form; those that are alike together."""
    from clm.ingest import Evidence

    files: dict[str, list[Evidence]] = {}
    for fact in facts:
        if (name := _of_file(fact)) is not None:
            files.setdefault(name, []).append(Evidence(fact.about[len(name) + 2 :], fact.decision, fact.because))
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, form in files.items():
        alike.setdefault(tuple((fact.about, fact.decision) for fact in form), []).append(name)
    for names in alike.values():
        more = f" and {counted(len(names) - 1, 'file')} like it" if len(names) > 1 else ""
        yield names[0] + more, files[names[0]]


def _rows(facts: Sequence[Evidence], width: int) -> list[str]:
    """`about  decision  because`, the last two wrapped in their own columns."""
    about = min(_ABOUT, max(cells(fact.about) for fact in facts))
    decision = min(_DECISION, max(cells(fact.decision) for fact in facts))
    left = max(20, width - about - decision - 8)
    lines: list[str] = []
    for fact in facts:
        because = wrapped(fact.because, left)
        told = wrapped(fact.decision, decision)
        first = wrapped(fact.about, about)
        for place in range(max(len(first), len(told), len(because))):
            row = (_padded(_at(first, place), about), _padded(_at(told, place), decision), _at(because, place))
            lines.append("  " + "  ".join(row).rstrip())
    return lines


def _rejects(outcome: Outcome, span: str) -> list[str]:
    rows, money = outcome.rows, outcome.amount
    lines = ["would be kept", f"  {counted(rows.rows_out, 'row')} of {rows.rows_in:,}{span}", ""]
    gone = [(code, count, money.rejected.get(code) if money else None) for code, count in rows.rejected.items()]
    gone += [(code, count, money.collapsed.get(code) if money else None) for code, count in rows.collapsed.items()]
    if not gone:
        return [*lines, "would be left out", "  nothing"]
    table = [("would be left out", "rows", "share", "money" if money else "")]
    table += [
        (f"  {code}", f"{count:,}", f"{count / max(rows.rows_in, 1):.1%}", "" if paid is None else _money(paid))
        for code, count, paid in gone
    ]
    widths = [max(len(row[place]) for row in table) for place in range(4)]
    return lines + [
        "  ".join((row[0].ljust(widths[0]), *(cell.rjust(wide) for cell, wide in zip(row[1:], widths[1:], strict=True)))).rstrip()
        for row in table
    ]


def _money(paid: Decimal) -> str:
    return f"{paid:,.2f}"


def _flags(evidence: Sequence[Evidence], settings: CleanSettings) -> list[str]:
    """Options with their values, quoted for a shell: what was decided, and what was given beside it."""
    pinned = next((shlex.split(fact.decision) for fact in evidence if fact.about == PINNED), None)
    if pinned is None:
        return []
    flags = [f"{name} {shlex.quote(value)}" for name, value in zip(pinned[::2], pinned[1::2], strict=True)]
    for one, option in options(type(settings)):
        value = getattr(settings, one.name)
        if not option.recorded or one.name in _SAID or value == one.default:
            continue
        values = [value] if option.repeat is False or not isinstance(value, tuple) else list(value)
        for each in values:
            said = (",".join(map(str, each)) or "none") if isinstance(each, tuple) else str(json_value(each))
            flags.append(f"--{option_name(one.name)}" + ("" if option.flag else f" {shlex.quote(said)}"))
    return flags


def _command(inputs: Sequence[str], flags: Sequence[str], width: int) -> list[str]:
    """The command to paste, as few lines as hold whole options."""
    words = ["clm clean", *(shlex.quote(one) for one in (inputs or ["-"])), *flags]
    lines, line = [], "  " + words[0]
    for word in words[1:]:
        if cells(line) + cells(word) + 3 > width - 2:
            lines.append(line + " \\")
            line = "    " + word
        else:
            line += " " + word
    return [*lines, line]


def _at(lines: Sequence[str], place: int) -> str:
    return lines[place] if place < len(lines) else ""


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))
