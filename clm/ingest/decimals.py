"""`decimals`: which decimal mark the numbers of a log have.

It may not guess. What two readings fit equally well is put to the whole column, and if they still tie, to the user: `DataError`
with both readings and the option that settles it.
"""

from __future__ import annotations

import polars as pl

from clm.errors import DataError
from clm.ingest import numbers
from clm.ingest.evidence import Evidence
from clm.ingest.notation import by_file
from clm.ingest.numbers import Mark
from clm.ingest.structure import PROBLEM
from clm.ingest.text import TextLog
from clm.settings import CleanSettings

_ENOUGH = 0.95
# So unlikely that it is no accident that every number of a file is one of those that can be read in two ways
_NO_ACCIDENT = 0.01


def marks_of(log: TextLog, columns: list[str], evidence: list[Evidence], settings: CleanSettings) -> dict[str, Mark]:
    """The decimal mark of every number column. One shop writes one way: a column in doubt follows the others."""
    if settings.decimal is not None:
        told: Mark = "," if settings.decimal == "," else "."
        evidence.append(Evidence("numbers", f"decimal {told}", "given by --decimal"))
        # 2.0 is how a program writes 2, and no comma reads it
        programs = [name for name in columns if told == "," and numbers.fit(log.sample[name].drop_nulls()).weak]
        return dict.fromkeys(columns, told) | dict.fromkeys(programs, ".")
    fits = {name: numbers.fit(log.sample[name].drop_nulls()) for name in columns}
    marks, doubt = _told(fits)
    whole = {name: mark for name in doubt if (mark := numbers.without_decimals(log.sample[name], settings.currency))}
    doubt = [name for name in doubt if name not in whole]
    usual = {*(marks[name] for name in marks if not fits[name].weak), *whole.values()}
    if doubt and not usual and not log.whole:
        fits |= {name: _fit_all(log, name) for name in columns if name not in whole}
        marks, doubt = _told(fits)
        doubt = [name for name in doubt if name not in whole]
        usual = {marks[name] for name in marks if not fits[name].weak}
    for name in marks:
        read = max(fits[name].dot, fits[name].comma)
        why = f"reads {read:,} of {fits[name].filled:,} cells"
        evidence.append(Evidence(f"numbers of {name}", f"decimal {marks[name]}", why))
    if doubt and len(usual) != 1:
        raise DataError(
            f"the numbers in {doubt[0]} can be read in two ways: 1,234 as one thousand or as one and a bit.",
            where=f"column {doubt[0]}",
            fix="say which mark is the decimal one: --decimal . or --decimal ,",
            code="ambiguous_number",
        )
    for name, mark in whole.items():
        marks[name] = mark
        evidence.append(Evidence(f"numbers of {name}", f"decimal {mark}", "a currency without decimals"))
    rest: Mark = usual.pop() if len(usual) == 1 else "."
    for name in columns:
        if name not in marks:
            marks[name] = rest
            evidence.append(Evidence(f"numbers of {name}", f"decimal {rest}", "no cell says otherwise"))
    if len(log.parts) > 1:
        _question_other_marks(log, marks, settings)
    return marks


def _told(fits: dict[str, numbers.Fit]) -> tuple[dict[str, Mark], list[str]]:
    """The marks that cells give away, and the columns whose cells can be read in two ways."""
    marks: dict[str, Mark] = {name: "." if fit.dot > fit.comma else "," for name, fit in fits.items() if fit.dot != fit.comma}
    return marks, [name for name, fit in fits.items() if fit.dot == fit.comma and fit.differ]


def _question_other_marks(log: TextLog, marks: dict[str, Mark], settings: CleanSettings) -> None:
    """Raises `DataError` when a file writes its numbers in another way than the others, or only such as can be read in two ways
    where the others' hardly can: then nothing says that it writes as they do.
    """
    samples = dict(by_file(log))
    fits = {
        place: {name: numbers.fit(sample[name].drop_nulls()) for name in marks} for place, sample in samples.items()
    }  # fmt: skip
    for place, here in fits.items():
        told, doubt = _told(here)
        strong = {mark for name, mark in told.items() if not here[name].weak}
        for name, mark in marks.items():
            fit = here[name]
            if told.get(name, mark) != mark and max(fit.dot, fit.comma) >= _ENOUGH * fit.filled:
                raise _other_mark(
                    log, place, name, told[name], mark, [one for one in fits if _told(fits[one])[0].get(name) == mark]
                )
            if name not in doubt or numbers.without_decimals(samples[place][name], settings.currency) == mark:
                continue
            like = [one for one in fits if one != place and _told(fits[one])[0].get(name) == mark]
            if (strong and mark not in strong) or (not strong and like and not _alike(log, fits, place, name, like)):
                raise _other_mark(log, place, name, None, mark, like)


def _alike(log: TextLog, fits: dict[int, dict[str, numbers.Fit]], place: int, name: str, like: list[int]) -> bool:
    """Whether a file whose numbers can all be read in two ways may be one more of these: it looks like them, and has few."""
    forms = {part.dialect.delimiter if (part := log.parts[one]).dialect else None for one in [place, *like]}
    differ = sum(fits[one][name].differ for one in like)
    filled = sum(fits[one][name].filled for one in like)
    here = fits[place][name]
    return len(forms) == 1 and float((differ + 1) / (filled + 2)) ** here.differ >= _NO_ACCIDENT


def _other_mark(log: TextLog, place: int, name: str, other: Mark | None, mark: Mark, like: list[int]) -> DataError:
    file = log.parts[place].source.name
    rest = log.parts[like[0]].source.name if like else "the others"
    how = (
        "can be read in two ways (1,234 as one thousand or as one and a bit)"
        if other is None
        else f"have the decimal mark {other}"
    )
    same = f"; if all are written alike: --decimal {mark}" if other is None else ""
    return DataError(
        f"the numbers in {name} of {file} {how}, those of {rest} have {mark}: one mark may not serve all files.",
        where=f"{file}, column {name}",
        fix="clean those of each kind by themselves with their own --decimal, then the results together: "
        f"clm clean a.parquet b.parquet{same}",
        code="decimal_marks",
    )


def _fit_all(log: TextLog, column: str) -> numbers.Fit:
    cells = log.frame.filter(pl.col(PROBLEM).is_null()).select(column).collect(engine="streaming")
    return numbers.fit(cells[column].drop_nulls())
