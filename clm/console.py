"""stderr: what clm says to people, and the log file for cron. stdout belongs to data.

It may not let a control byte through to a terminal, or know what a stage does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from clm.errors import ClmError, ConfigError
from clm.inert import json_text, printable
from clm.outcome import Notice

if TYPE_CHECKING:
    import polars as pl

_STYLES = {"error": "1;31", "warning": "33", "dim": "2", "done": "32"}
_MAX_ROWS = 10
_GAP = 2


@dataclass
class Console:
    """Messages of one command, prefixed with its name."""

    name: str
    stream: TextIO
    env: Mapping[str, str]
    quiet: bool = False
    verbose: bool = False

    @property
    def colour(self) -> bool:
        if self.env.get("NO_COLOR"):
            return False
        if self.env.get("FORCE_COLOR"):
            return True
        return self.stream.isatty() and self.env.get("TERM") != "dumb"

    def closing(self, text: str) -> None:
        """The one line that adds up."""
        self._log("info", text)
        if not self.quiet:
            self._say(f"{self._styled('done', self.name)}: {printable(text)}")

    def always(self, text: str) -> None:
        """Said even under -q: it explains an exit code."""
        self._log("warning", text)
        self._say(f"{self._styled('warning', self.name)}: {printable(text)}")

    def warning(self, notice: Notice) -> None:
        self._log("warning", notice.text, code=notice.code)
        if not self.quiet:
            self._say(f"{self._styled('warning', 'warning')}: {printable(notice.text)}")

    def note(self, text: str) -> None:
        """A line somebody asked for, under the command's own."""
        if not self.quiet:
            self._say(f"  {printable(text)}".rstrip())

    def detail(self, text: str) -> None:
        self._log("debug", text)
        if self.verbose and not self.quiet:
            self._say(self._styled("dim", printable(text)))

    def error(self, error: ClmError) -> int:
        """An error is said even under -q: silence would look like success. The exit code that goes with it."""
        self._log("error", error.what, code=error.code, exit=int(error.exit_code))
        self._say(f"{self._styled('error', f'clm {self.name}'.strip())}: {self._whole(error)}")
        return int(error.exit_code)

    @staticmethod
    def _whole(error: ClmError) -> str:
        """The error's sentences, each on a line of its own; only its remedy may have several."""
        parts = [printable(error.what)]
        parts += [f"  where: {printable(error.where)}"] if error.where else []
        parts += [f"  to do: {printable(error.fix, lines=True)}"] if error.fix else []
        return "\n".join(parts)

    def bug(self, error: BaseException) -> None:
        import traceback

        self._log("error", f"bug: {type(error).__name__}")
        self._say(printable("".join(traceback.format_exception(error)).rstrip(), lines=True))
        self._say(
            "\nThis is a bug in clm, not in your data. Please report it with the lines above; "
            "check them for personal values first."
        )

    def _styled(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colour else text

    def _say(self, text: str) -> None:
        encoding = self.stream.encoding or "utf-8"
        # a LANG=C terminal gets a stand-in, not a traceback; with nobody there to hear it, the work still counts
        with suppress(OSError):
            self.stream.write(text.encode(encoding, "replace").decode(encoding) + "\n")
            self.stream.flush()

    def check_log(self) -> None:
        """Raises ConfigError when CLM_LOG names a file that cannot be written: better now than unheard at night."""
        target = self.env.get("CLM_LOG")
        if target:
            try:
                Path(target).open("a").close()
            except OSError as error:
                why = (error.strerror or str(error)).lower()
                raise ConfigError(
                    f"the log cannot be written: {why}", where=f"CLM_LOG={target}", fix="name another file"
                ) from error

    def _log(self, level: str, text: str, **more: Any) -> None:
        target = self.env.get("CLM_LOG")
        if target:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            entry = {"time": stamp, "level": level, "command": self.name, "text": printable(text)} | more
            with suppress(OSError), Path(target).open("a", encoding="utf-8") as log:
                log.write(json_text(entry) + "\n")


def for_command(name: str, *, quiet: bool = False, verbose: bool = False) -> Console:
    return Console(name, sys.stderr, os.environ, quiet, verbose)


def show_table(
    frame: pl.DataFrame | pl.LazyFrame, stream: TextIO, width: int, first: Sequence[str] = (), below: Sequence[str] = ()
) -> None:
    """The first rows and the columns that fit: what a terminal gets instead of Parquet.

    The columns named `first` stand right after the id, those with nothing in them last; those named `below` are sentences, told
    under their row.
    """
    from rich.console import Console as Rich
    from rich.padding import Padding
    from rich.segment import SegmentLines
    from rich.table import Table
    from rich.text import Text

    whole = frame.lazy().head(_MAX_ROWS).collect()
    told = [name for name in below if name in whole.columns[1:]]
    head = whole.drop(told)
    leading = [name for name in first if name in head.columns[1:]]
    order = head.columns[:1] + leading + [name for name in head.columns[1:] if name not in leading]
    bare = {column.name for column in head.get_columns() if 0 < column.len() == column.null_count()}
    head = head.select(sorted(order, key=bare.__contains__))
    table = Table(box=None, pad_edge=False, header_style="bold")
    used = 0
    for column in head.get_columns():
        cells = [_cell(value) for value in column]
        heading = Text(printable(column.name))
        wide = max(heading.cell_len, *(Text(cell).cell_len for cell in cells), 0) + _GAP
        if used and used + wide - _GAP > width:
            break
        used += wide
        numeric = column.dtype.is_numeric()
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=True)
    shown = head.select(head.columns[: len(table.columns)])
    for row in shown.iter_rows():
        table.add_row(*(Text(_cell(value)) for value in row))
    rich = Rich(file=stream, width=width, highlight=False, no_color=bool(os.environ.get("NO_COLOR")))
    headings, *rows = rich.render_lines(table, pad=False)
    rich.print(SegmentLines([headings], new_lines=True))
    for drawn, values in zip(rows, whole.iter_rows(named=True), strict=True):
        rich.print(SegmentLines([drawn], new_lines=True))
        for sentence in (values[name] for name in told if values[name]):
            rich.print(Padding.indent(Text(printable(sentence), style="dim"), _GAP))
    hidden = head.width - len(table.columns)
    more = f"… and {hidden} more column{'s' if hidden > 1 else ''}; " if hidden else ""
    rich.print(Text(f"{more}-o FILE writes them all"), style="dim")


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, Decimal) and "." in (money := f"{value:,f}"):
        whole, _, cents = money.partition(".")
        return f"{whole}.{cents.rstrip('0'):0<2}"
    return printable(str(value))
