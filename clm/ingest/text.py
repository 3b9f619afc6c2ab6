"""`read_text`: foreign files as one lazy frame of text, with exact lines, structural problems and the evidence for it all.

It may not know what a column means. One row is one record of a source, in the order of the sources. Columns: every column of
the files (text, by name; a file without it gives nulls) and clm's own, whose names no file can have:
`clm:source` (position of the file), `clm:file` (its base name), `clm:line` (first physical line; row number for Parquet),
`clm:problem` and `clm:detail` (a reject code and its shape, null when the record could be cut up), `clm:raw` (its text, when
asked for), `clm:again` (the file repeats an earlier one), `clm:print` (hash of all cells, computed only when used).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from clm.ingest import profiles, recognise, sources
from clm.ingest.evidence import Evidence
from clm.ingest.linked import linked
from clm.ingest.part import Part, check_options, evidence, look
from clm.ingest.profiles import Profile
from clm.ingest.sample import SAMPLE_FILES, take
from clm.ingest.scan import OWN, scan
from clm.outcome import Notice
from clm.settings import CleanSettings
from clm.storage import keyed


@dataclass(frozen=True)
class TextLog:
    """The inputs as text. `sample` holds whole records from start, middle and end; `whole` says it holds all of them.

    `profile` is the source profile named or recognised, `settings` what was asked with the profile's values under it; `linked`
    are files whose columns were added to the rows of the others.
    """

    frame: pl.LazyFrame
    columns: tuple[str, ...]
    parts: tuple[Part, ...]
    sample: pl.DataFrame
    whole: bool
    evidence: tuple[Evidence, ...]
    settings: CleanSettings
    profile: Profile | None = None
    linked: tuple[Part, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def files(self) -> tuple[Part, ...]:
        """Every input."""
        return (*self.parts, *self.linked)

    @property
    def records(self) -> pl.LazyFrame:
        """The rows of `frame`, with numbers, days and moments as what they are where all inputs hold them alike."""
        typed = {} if self.linked else _types(self.parts)
        return scan(self.parts, _schema(self.parts) | typed, self.settings.rejects_raw) if typed else self.frame

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Facts of the input files for footers: base name, bytes, SHA-256."""
        return [part.source.to_json() for part in self.files]


def read_text(
    inputs: Sequence[str | Path], settings: CleanSettings, names: Mapping[Path, str] | None = None, spool: Path | None = None
) -> TextLog:
    """Find, weigh and look at the inputs; the records themselves are read when the frame is collected, in flat memory.

    `names` are shown for files that have none of their own; `spool` is a folder for copies of what can be read only once.
    Raises `InputError` for what is not there, `DataError` for what cannot be read as text, with the option that helps.
    """
    named, given = profiles.given(settings.profile), settings
    settings = profiles.under(named, settings)
    parts = tuple(look(source, settings, named, spool) for source in sources.find(inputs, names, spool))
    check_options(parts, given)
    sample, whole = take(parts, _schema(parts))
    profile, why = named, "given by --profile"
    if settings.profile is None:
        headerless = all(part.headless for part in parts)
        found = recognise.recognise([part.columns for part in parts], sample, headerless)
        if found is not None:
            profile, why = found
            settings = profiles.under(profile, settings)
    log = _log(parts, sample, whole, settings, profile, why)
    return replace(log, notices=(*_not_read(inputs), *log.notices))


def _not_read(inputs: Sequence[str | Path]) -> Iterator[Notice]:
    left = sources.left_out(inputs)
    if left:
        yield Notice("files_left_out", keyed.not_read(left))


def _schema(parts: tuple[Part, ...]) -> dict[str, pl.DataType]:
    columns: dict[str, None] = {}
    for part in parts:
        columns.update(dict.fromkeys(part.columns))
    return dict.fromkeys(columns, pl.String()) | OWN


def _types(parts: tuple[Part, ...]) -> dict[str, pl.DataType]:
    """The types of the columns that every input has, and holds as the same."""
    tables = [part.table.types if part.table is not None else {} for part in parts]
    return {name: dtype for name, dtype in tables[0].items() if all(one.get(name) == dtype for one in tables)}


def _left_out(parts: tuple[Part, ...]) -> Iterator[Notice]:
    for part in parts:
        if part.left_out:
            yield Notice(
                "lines_left_out", f"{part.left_out}, above the columns' names: left out, they are no records of the log."
            )


def _padded(parts: tuple[Part, ...]) -> Iterator[Notice]:
    for part in parts:
        if part.table is not None and part.table.padded:
            yield Notice(
                "id_format",
                f"column {', '.join(part.table.padded)} of {part.source.name} shows zeros in front (a format such as 00000) that "
                "the values lack: read without. To keep them, save the sheet as CSV.",
            )


def _log(
    parts: tuple[Part, ...],
    sample: pl.DataFrame,
    whole: bool,
    settings: CleanSettings,
    profile: Profile | None = None,
    why: str = "",
) -> TextLog:
    schema = _schema(parts)
    facts = [fact for part in parts[:SAMPLE_FILES] for fact in evidence(part)]
    if profile is not None:
        about = ", ".join(said for said in (profile.about, profile.origin) if said)
        facts.append(Evidence("profile", profile.name, f"{why}{f' ({about})' if about else ''}"))
    log = TextLog(
        frame=scan(parts, schema, settings.rejects_raw),
        columns=tuple(name for name in schema if name not in OWN),
        parts=parts,
        sample=sample,
        whole=whole,
        evidence=tuple(facts),
        settings=settings,
        profile=profile,
        notices=(*_left_out(parts), *_padded(parts)),
    )
    return linked(log, profile) if profile is not None and profile.tables else log
