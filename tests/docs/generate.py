"""The blocks of the README that come from the code, and the outputs it shows: `make docs` renews them, a test compares."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from clm import tables
from clm.errors import EXIT_MEANING
from clm.settings import COMMANDS, CommonSettings, option_name, options, shown_default
from tests.bench import measure
from tests.conftest import ROOT, data_folder
from tests.docs import console
from tests.ingest import agreement, peers

README = ROOT / "README.md"
_BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def options_block() -> str:
    """Every command with its options, then the ones all share."""
    rows = ["| command | option | meaning | default |", "|---|---|---|---|"]
    for command in ("clean", "rfm", "segment", "clv", "churn", "report", "run", "verify", "forget"):
        rows += _option_rows(f"`{command}`", COMMANDS[command])
    return "\n".join(rows + _option_rows("every command", CommonSettings))


def _option_rows(command: str, settings: type[object]) -> list[str]:
    rows = []
    for number, (one, option) in enumerate(options(settings)):
        names = ", ".join(f"`{name}`" for name in (f"--{option_name(one.name)}", option.short) if name)
        value = f" `{option.metavar}`" if option.metavar else ""
        default = shown_default(one.default, option)
        cells = [command if number == 0 else "", names + value, option.help, f"`{default}`" if default else ""]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows


def tables_block() -> str:
    """Every table with its columns."""
    parts = []
    for table in tables.ALL.values():
        parts.append(f"**{table.name}** (made by `{table.made_by}`): one row is {table.row}.\n")
        parts.append("| column | type | unit | meaning |\n|---|---|---|---|")
        for column in table.columns:
            absent = " (when mapped)" if column.optional and table is tables.TRANSACTIONS else ""
            meaning = column.meaning.replace("|", "\\|")
            parts.append(f"| `{column.name}` | {column.dtype} | {column.unit} | {meaning}{absent} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def exits_block() -> str:
    """The exit codes."""
    rows = ["| exit | meaning |", "|--:|---|"]
    return "\n".join(rows + [f"| {int(code)} | {meaning} |" for code, meaning in EXIT_MEANING.items()])


def rejects_block() -> str:
    """The codes of rejected and collapsed records, in their fixed order."""
    rejected = " ".join(f"`{code}`" for code in tables.REJECT_CODES)
    collapsed = " ".join(f"`{code}`" for code in tables.COLLAPSED_CODES)
    return f"Rejected, first reason that applies: {rejected}.\n\nCollapsed: {collapsed}."


def benchmarks_block() -> str:
    """What `make bench KEEP=1` measured, each row with where and when."""
    rows, places = ["| case | size | clm | peers | ratio | must hold | on |", "|---|--:|---|---|--:|---|--:|"], list[str]()
    for found in measure.kept():
        place = found["measured"]
        versions = ", ".join(f"{name} {version}" for name, version in place["versions"].items())
        told = f"{place['date']}: {place['machine']}; {versions}"
        if told not in places:
            places.append(told)
        (_, ours), *peers = found["sides"].items()
        others = "; ".join(f"{name} {_figures(side)}" for name, side in peers)
        ratio = "" if found["ratio"] is None else f"{found['ratio']:g}"
        cells = [found["case"], found["size"], _figures(ours), others, ratio, found["must"], str(places.index(told) + 1)]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join([*rows, "", *(f"{number}. {told}" for number, told in enumerate(places, 1))])


_UNITS = {"seconds": "s", "processor_seconds": "s of processors", "memory_mb": "MB", "spilled_mb": "MB spilled"}


def _figures(side: dict[str, float]) -> str:
    return ", ".join(f"{_to_three_figures(side[name])} {unit}" for name, unit in _UNITS.items() if name in side)


def _to_three_figures(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


BLOCKS: dict[str, Callable[[], str]] = {
    "options": options_block,
    "tables": tables_block,
    "exits": exits_block,
    "rejects": rejects_block,
    "benchmarks": benchmarks_block,
}


# measured on the supplied data; left as they are where it is not
MEASURED: dict[str, Callable[[Path], str]] = {
    "hazards": lambda data: peers.table(),
    "reading-agreement": lambda data: agreement.table(data / "csv-oddities"),
}


def renewed(text: str, data: Path | None = None) -> str:
    """The README's text with every generated block as the code has it now; with `data` those measured on it too."""

    def block(found: re.Match[str]) -> str:
        if found[2] in BLOCKS:
            return f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}"
        return f"{found[1]}{MEASURED[found[2]](data)}\n{found[3]}" if data else found[0]

    return _BLOCK.sub(block, text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text = renewed(README.read_text("utf-8"), data_folder() if data_folder().is_dir() else None)
        README.write_text(console.renewed(text, console.Terminal(Path(folder))), "utf-8")
