"""Memory: what is handed to Polars, and what is said when a limit cannot be kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clm import resources
from clm.cli import main


def test_polars_gets_what_clm_itself_leaves_of_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The interpreter, the libraries and the batches under way come first; something is always left."""
    handed = []
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for threads, limit in ((2, 10 * 2**30), (8, 10 * 2**30), (2, 2**29), (2, 1)):
        resources.apply(threads, limit, tmp_path)
        handed.append(int(os.environ["POLARS_OOC_MEMORY_BUDGET_MB"]) * 2**20)
    assert handed[:2] == [10 * 2**30 - resources.own(2), 10 * 2**30 - resources.own(8)]
    assert handed[2] == handed[3] > 0


@pytest.mark.parametrize(
    ("own", "files", "memory", "processors"),
    [
        (
            "0::/a/b",
            {"a/b/memory.max": "max", "a/memory.max": "9000", "memory.max": "9001", "a/cpu.max": "150000 100000"},
            9000,
            1.5,
        ),
        ("0::/a/b", {"a/b/memory.max": "7000", "a/memory.max": "9000", "a/b/cpu.max": "max 100000"}, 7000, None),
        (
            "5:cpu,cpuacct:/x\n4:memory:/x/y\n0::/",
            {
                "memory/x/y/memory.limit_in_bytes": "9223372036854771712",
                "memory/x/memory.limit_in_bytes": "8000",
                "cpu/x/cpu.cfs_quota_us": "50000",
                "cpu/x/cpu.cfs_period_us": "100000",
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
            },
            8000,
            0.5,
        ),
        ("4:memory:/docker/1\n0::/../z", {"memory/memory.limit_in_bytes": "6000"}, 6000, None),
        ("0::/a", {}, None, None),
    ],
    ids=["above", "own", "version 1", "container", "none"],
)
def test_the_least_limit_of_all_control_groups_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: str, files: dict[str, str], memory: int | None, processors: float | None
) -> None:
    """From the process's own group up to the root of what is mounted, in both versions; what is not there limits nothing."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n", encoding="utf-8")
    (tmp_path / "own").write_text(f"{own}\n", encoding="utf-8")
    monkeypatch.setattr(resources, "_GROUPS", tmp_path)
    monkeypatch.setattr(resources, "_OWN_GROUPS", tmp_path / "own")
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert resources.allowed_memory() == (memory or machine)
    assert resources.allowed_processors() == processors
    monkeypatch.setattr(resources, "_OWN_GROUPS", tmp_path / "nothing")
    assert (resources.allowed_memory(), resources.allowed_processors()) == (machine, None)


def test_a_limit_nobody_could_keep_is_said_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    """With the number that can be kept; a limit that can be kept needs no word, nor does a command that reads no data."""
    assert main(["clean", "no such file", "--memory-limit", "100MB"]) == 66
    assert "--memory-limit is 100 MB, but clm may take" in capsys.readouterr().err.splitlines()[0]
    assert main(["clean", "no such file", "--memory-limit", "2GB", "--threads", "2"]) == 66
    assert main(["tables"]) == 0
    assert "--memory-limit" not in capsys.readouterr().err


def test_a_table_too_large_for_the_limit_is_said_before_its_stage_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the number of customers in the file, for one command and for the stages of a run; a table that fits needs no word."""
    log = Path(__file__).parent.parent / "data" / "orders.csv"
    assert main(["run", str(log), "-o", str(tmp_path / "out"), "--memory-limit", "2GB", "-q"]) == 0
    assert "--memory-limit" not in capsys.readouterr().err
    monkeypatch.setattr(resources, "PER_CUSTOMER", dict.fromkeys(("segment", "churn"), 40 * 2**20))
    assert (
        main(["segment", str(tmp_path / "out" / "rfm.parquet"), "-o", str(tmp_path / "s.parquet"), "--memory-limit", "2GB"]) == 0
    )
    told = capsys.readouterr().err.splitlines()[0]
    assert told.endswith(
        "--memory-limit is 2,048 MB, but segment holds all its customers in memory and may take 2,610 MB for 59 of them."
    )
    assert main(["run", str(log), "-o", str(tmp_path / "out"), "--memory-limit", "2GB", "--from", "churn"]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "--memory-limit" in line]
    assert len(said) == 1
    assert "but churn holds" in said[0]


def test_customers_are_counted_in_every_table_a_command_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier one of --previous too; order lines given by mistake are no customers."""
    log = Path(__file__).parent.parent / "data" / "orders.csv"
    out = tmp_path / "out"
    assert main(["run", str(log), "-o", str(out), "-q"]) == 0
    monkeypatch.setattr(resources, "PER_CUSTOMER", {"segment": 20 * 2**20})
    customers, limit = str(out / "customers.parquet"), ("--memory-limit", "2GB")
    for line, says in (
        (
            ["segment", customers, "--previous", customers, "-n"],
            "segment holds all its customers in memory and may take 2,610 MB",
        ),
        (["segment", customers, "-n"], ""),
        (["segment", str(out / "clean.parquet"), "-n"], ""),
    ):
        capsys.readouterr()
        main([*line, *limit])
        told = capsys.readouterr().err
        assert says in told
        assert ("holds all its customers" in told) is bool(says)
