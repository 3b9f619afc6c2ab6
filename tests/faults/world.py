"""A little world to break: every command that writes, over an old log and a new one, with what it makes of each.

It may not break anything itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from clm.cli import main
from clm.storage import temporary
from tests.logs import csv_of, invented

Files = dict[str, bytes]
Argv = Callable[[Path, Path], list[str]]
_CHAIN = {
    "clean": "orders.csv",
    "rfm": "clean.parquet",
    "segment": "rfm.parquet",
    "clv": "segment.parquet",
    "churn": "clv.parquet",
}
_WITH_ORDERS = ("clv", "churn", "report", "backtest")


def _over(command: str, given: str, *outputs: tuple[str, str], also: tuple[str, ...] = ()) -> Argv:
    """The command line over a folder of inputs, with its outputs (option, name) in another."""

    def argv(inputs: Path, out: Path) -> list[str]:
        orders = ["--orders", str(inputs / "clean.parquet")] if command in _WITH_ORDERS else []
        targets = [part for option, name in outputs for part in (option, str(out / name))]
        before = [str(inputs / name) for name in also]
        return [command, *before, str(inputs / given), *orders, *targets]

    return argv


# every command that writes and every format, at least once
CASES: dict[str, Argv] = {
    "clean": _over("clean", "orders.csv", ("-o", "a.parquet"), ("--rejects", "b.csv"), ("--save-profile", "c.toml")),
    "clean to csv": _over("clean", "orders.csv", ("-o", "a.csv"), ("--rejects", "b.xlsx")),
    "rfm": _over("rfm", "clean.parquet", ("-o", "a.parquet"), ("--save-model", "b.json")),
    "segment": _over("segment", "rfm.parquet", ("-o", "a.csv")),
    "clv": _over("clv", "segment.parquet", ("-o", "a.parquet")),
    "churn": _over("churn", "clv.parquet", ("-o", "a.xlsx")),
    "report": _over("report", "churn.parquet", ("-o", "a.html"), ("--figures", "figures")),
    "report to json": _over("report", "churn.parquet", ("-o", "a.json")),
    "report to md": _over("report", "churn.parquet", ("-o", "a.md")),
    "report to parquet": _over("report", "churn.parquet", ("-o", "a.parquet")),
    "migrate": _over("migrate", "churn.parquet", ("-o", "a.csv"), also=("earlier.parquet",)),
    "backtest": _over("backtest", "churn.parquet", ("-o", "a.parquet")),
    "cohort": _over("cohort", "clean.parquet", ("-o", "a.csv")),
    "list": _over("list", "churn.parquet", ("-o", "a.csv")),
    "run": lambda inputs, out: ["run", str(inputs / "orders.csv"), "-o", str(out)],
}


def content(folder: Path) -> Files:
    """Every file under a folder but the run's clock, temporaries and what lies in them."""
    named = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in named.items() if path.name != "run.json" and temporary.SUFFIX not in name}


def litter(*folders: Path) -> list[str]:
    """Temporaries left in them."""
    return [path.name for folder in folders for path in folder.rglob(f"*{temporary.SUFFIX}")]


@dataclass
class World:
    """Inputs of an old and of a new log, and what each command makes of them, worked out when first asked for."""

    folder: Path
    made: dict[tuple[str, str], Files] = field(default_factory=dict)

    def inputs(self, age: str) -> Path:
        return self.folder / age

    def argv(self, case: str, out: Path, age: str = "new") -> list[str]:
        return CASES[case](self.inputs(age), out)

    def outputs(self, case: str, age: str) -> Files:
        """What an undisturbed command writes."""
        if (case, age) not in self.made:
            out = self.folder / "made" / f"{case}-{age}"
            out.mkdir(parents=True)
            assert main([*self.argv(case, out, age), "-q"]) == 0, case
            self.made[case, age] = content(out)
            assert self.made[case, age], case
        return self.made[case, age]

    def lay(self, case: str, out: Path, age: str = "old") -> None:
        """Make a folder hold what the command made of the old log, and nothing else."""
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        for name, bytes_ in self.outputs(case, age).items():
            (out / name).parent.mkdir(exist_ok=True)
            (out / name).write_bytes(bytes_)

    def torn(self, case: str, out: Path) -> list[str]:
        """Files that are neither the old one nor the complete new one, and old ones that are gone."""
        old, new, found = self.outputs(case, "old"), self.outputs(case, "new"), content(out)
        broken = [name for name, bytes_ in found.items() if bytes_ not in (old.get(name), new.get(name))]
        return broken + [name for name in old if name not in found]


def build(folder: Path) -> World:
    """Two shops through the whole chain; the new one has more customers, so that no file is like the old one."""
    for age, customers in (("old", 24), ("new", 30)):
        inputs = folder / age
        inputs.mkdir(parents=True)
        csv_of(invented(customers, orders=6), inputs / "orders.csv")
        with (inputs / "orders.csv").open("a") as log:
            log.write("O-lost,,2024-03-01 00:00:00,5.00\n")
        for stage, given in _CHAIN.items():
            orders = ["--orders", str(inputs / "clean.parquet")] if stage in _WITH_ORDERS else []
            assert main([stage, str(inputs / given), *orders, "-o", str(inputs / f"{stage}.parquet"), "-q"]) == 0, stage
        earlier = ["rfm", str(inputs / "clean.parquet"), "--as-of", "2024-03-01", "-o", str(folder / "rfm.parquet"), "-q"]
        assert main(earlier) == 0
        assert main(["segment", str(folder / "rfm.parquet"), "-o", str(inputs / "earlier.parquet"), "-q"]) == 0
    return World(folder)
