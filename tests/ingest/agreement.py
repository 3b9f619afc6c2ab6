"""How well files are cut into cells: `read_text` and three common readers against tables whose right content is known.

It may not be lenient to clm: one rule scores every reader. `python -m tests.ingest.agreement FOLDER` prints table and details.

Material: `pollock/` and `real-world/` of the supplied oddities, each file with its right content in `clean/`. Every reader is
asked for text and gets the file alone: no option, no hint.

*Agreement* is the mean over the files of a cell F1: twice the right cells over the cells given plus the cells wanted, header
included; a refused file has none (an empty file has nothing to want: whoever gives nothing is right). Rows are aligned as `diff`
aligns lines, cells by position; a cell is right when it is equal, line ends inside it aside. Column names are compared with runs
of blanks as one; where the right name is empty, repeated or there is no header line, whatever name the reader makes up is right.
What a reader rejects counts as missing; rows of nothing and made-up names of columns without cells count for nobody. In two files
`clean/` changes what stands in the file (`EDITS`): there the file's own text is right too, for every reader.

*Wrong unsaid* is a file not refused in which a row or the header is wrong and nothing says so. Said is
* a row missing: by rejects on lines between the same good neighbours, as many as rows are missing;
* a row too many: by a reject `header_repeat` right before (a second table);
* a column name: by evidence naming the lines left out above the header, joined into it, or not fitting the records, or by
  `header_repeat` right under it (`clean --dry-run` prints the evidence, and it stays in the metrics of the output);
* anything at all: by a refusal, or a warning of the reader.
A wrong cell in a good row is always unsaid. So is a row that is not wanted and not after a repeated header.

*Refused* files end in an error instead of cells.
"""

from __future__ import annotations

import csv
import difflib
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from clm import ingest
from clm.errors import ClmError
from clm.ingest.structure import LINE, PROBLEM
from clm.settings import CleanSettings

# names readers make up for columns without one, and the ends they give to a name that was there before
_MADE_UP = re.compile(r"^(#\d+|Unnamed: \d+(_level_\d+)?|column_?\d+|_?duplicated_\d+|\d+|)$")
_REPEATED = re.compile(r"( \(\d+\)|\.\d+|_duplicated_\d+|_\d+)$")

# what clean/ has in the place of the file's own characters: a word for nothing, and a dash for a control character
EDITS = {"2004-2016.csv": ("missing", ""), "HMRC_spending_over_25000_for_September_2018.csv": ("\x96", "–")}

Row = tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """What a reader made of a file; `refused` instead when it gave none. `lines` of rows and `rejects` only where it tells."""

    header: Row = ()
    rows: tuple[Row, ...] = ()
    lines: tuple[int, ...] = ()
    rejects: tuple[tuple[int, str], ...] = ()
    said_header: bool = False
    warned: bool = False
    refused: str | None = None


@dataclass(frozen=True)
class Score:
    """The three numbers of one file; `wrong` says what is wrong unsaid."""

    f1: float
    wrong: str | None
    refused: str | None


def by_clm(path: Path) -> Cells:
    try:
        log = ingest.read_text([path], CleanSettings())
        frame = log.frame.collect(engine="streaming")
    except ClmError as error:
        return Cells(refused=error.code or str(error))
    good = frame.filter(pl.col(PROBLEM).is_null())
    bad = frame.filter(pl.col(PROBLEM).is_not_null()).select(LINE, PROBLEM).rows()
    headers = [fact.decision for fact in log.evidence if fact.about.endswith(": header")]
    said = any(";" in decision.removeprefix("none; columns are #1, #2, …") for decision in headers)
    header = tuple(log.columns)
    return Cells(header, tuple(good.select(header).rows()), tuple(good[LINE]), tuple(bad), said)


def by_pandas(path: Path, **options: str) -> Cells:
    import pandas as pd

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, **options)
        except (ValueError, UnicodeError, OSError) as error:
            return Cells(refused=type(error).__name__)
    rows = tuple(tuple("" if cell is None or cell != cell else str(cell) for cell in row) for row in frame.to_numpy().tolist())
    return Cells(tuple(map(str, frame.columns)), rows, warned=any("Parser" in one.category.__name__ for one in caught))


def by_duckdb(path: Path) -> Cells:
    import duckdb

    pattern = re.sub(r"([*?\[\]])", r"[\1]", str(path))
    with duckdb.connect() as connection:
        try:
            answer = connection.execute("SELECT * FROM read_csv(?, all_varchar = true)", [pattern])
        except duckdb.Error as error:
            return Cells(refused=type(error).__name__)
        header = tuple(one[0] for one in answer.description or ())
        return Cells(header, tuple(_texts(row) for row in answer.fetchall()))


def by_polars(path: Path, **options: bool) -> Cells:
    try:
        frame = pl.read_csv(path.read_bytes(), infer_schema=False, **options)  # type: ignore[arg-type]
    except (pl.exceptions.PolarsError, ValueError) as error:
        return Cells(refused=type(error).__name__)
    return Cells(tuple(frame.columns), tuple(_texts(row) for row in frame.rows()))


def _texts(row: tuple[str | None, ...]) -> Row:
    return tuple(cell or "" for cell in row)


READERS: dict[str, Callable[[Path], Cells]] = {
    "clm": by_clm,
    "pandas": by_pandas,
    "pandas, skipping bad lines": lambda path: by_pandas(path, on_bad_lines="skip"),
    "DuckDB": by_duckdb,
    "Polars": by_polars,
    "Polars, truncating ragged lines": lambda path: by_polars(path, truncate_ragged_lines=True),
}


def wanted(path: Path) -> tuple[Row, tuple[Row, ...]]:
    """Header and rows of a file of right content; columns beyond the header have no name."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [tuple(row) for row in csv.reader(stream) if row]
    if not rows:
        return (), ()
    widest = max(map(len, rows))
    return rows[0] + ("",) * (widest - len(rows[0])), tuple(rows[1:])


def score(cells: Cells, header: Row, rows: tuple[Row, ...], edit: tuple[str, str] = ("", "")) -> Score:
    """One file of one reader against the right header and rows; `edit`: what the right content has in the place of what."""
    if cells.refused is not None:
        return Score(0.0 if header else 1.0, None, cells.refused)
    names = [_name_right(cells.header, header, place) for place in range(len(header))]
    right = sum(names)
    wrong: list[str] = []
    spare = [name for name in cells.header[len(header) :] if not _MADE_UP.match(name)]
    if not (all(names) and not spare) and not _header_said(cells):
        wrong.append("column names")
    if cells.lines:
        cells = replace(cells, lines=tuple(line for line, row in zip(cells.lines, cells.rows, strict=True) if any(row)))
    ours, theirs = [_plain(row, edit) for row in cells.rows if any(row)], [_plain(row) for row in rows if any(row)]
    for kind, a, b, c, d in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind == "equal":
            right += sum(map(len, ours[a:b]))
            continue
        for mine, true in zip(ours[a:b], theirs[c:d], strict=False):
            same = sum(one == other for one, other in zip(mine, true, strict=False))
            right += same
            wrong.append(f"{max(len(mine), len(true)) - same} cells of row {c + 1}")
        missing, extra = (d - c) - (b - a), (b - a) - (d - c)
        if missing > 0 and not _missing_said(cells, b, missing):
            wrong.append(f"{missing} rows missing before row {c + 1}")
        if extra > 0 and not _extra_said(cells, a):
            wrong.append(f"{extra} rows too many before row {c + 1}")
    given = len(cells.header[: len(header)]) + len(spare) + sum(map(len, ours))
    want = len(header) + sum(map(len, theirs))
    f1 = 2 * right / (given + want) if given + want else 1.0
    return Score(f1, "; ".join(wrong[:3]) if wrong and not cells.warned else None, None)


def _plain(row: Row, edit: tuple[str, str] = ("", "")) -> Row:
    plain = tuple(cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row)
    return tuple(cell.replace(*edit) for cell in plain) if edit[0] else plain


def _name_right(mine: Row, right: Row, place: int) -> bool:
    if place >= len(mine):
        return False
    name, true = " ".join(mine[place].split()), " ".join(right[place].split())
    if name == true:
        return True
    if re.fullmatch(r"col_\d+", true) or not true:
        return _MADE_UP.match(name) is not None
    before = {" ".join(one.split()) for one in right[:place]}
    return true in before and _REPEATED.sub("", name) == true


def _between(cells: Cells, before: int) -> list[str]:
    """Reasons of the rejects on the lines between good row `before - 1` and good row `before`."""
    if not cells.rejects:
        return []
    first = cells.lines[before - 1] if before else 0
    last = cells.lines[before] if before < len(cells.lines) else sys.maxsize
    return [reason for line, reason in cells.rejects if first < line < last]


def _missing_said(cells: Cells, before: int, missing: int) -> bool:
    return sum(reason != "blank_row" for reason in _between(cells, before)) >= missing


def _extra_said(cells: Cells, first: int) -> bool:
    return "header_repeat" in _between(cells, first)


def _header_said(cells: Cells) -> bool:
    return cells.said_header or "header_repeat" in _between(cells, 0)


def files(folder: Path) -> list[tuple[Path, Path]]:
    """Every scored file of the oddities with the file of its right content."""
    pairs = []
    for name in ("pollock", "real-world"):
        pairs += [(path, folder / name / "clean" / path.name) for path in sorted((folder / name / "csv").iterdir())]
    return pairs


def scores(folder: Path, reader: str) -> dict[str, Score]:
    return {
        path.name: score(READERS[reader](path), *wanted(right), EDITS.get(path.name, ("", ""))) for path, right in files(folder)
    }


def table(folder: Path) -> str:
    """The readers side by side, as Markdown."""
    lines = ["| reader | agreement | wrong unsaid | refused |", "|---|--:|--:|--:|"]
    for reader in READERS:
        found = scores(folder, reader).values()
        mean = sum(one.f1 for one in found) / len(found)
        wrong, refused = sum(one.wrong is not None for one in found), sum(one.refused is not None for one in found)
        lines.append(f"| {reader} | {mean:.3f} | {wrong} | {refused} |")
    return "\n".join(lines)


def main(folder: Path, readers: list[str]) -> None:
    for reader in readers:
        for name, one in scores(folder, reader).items():
            if one.f1 < 1 or one.wrong or one.refused:
                print(f"{reader}: {name}: {one.f1:.4f} wrong: {one.wrong} refused: {one.refused}")
    print(table(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["clm"])
