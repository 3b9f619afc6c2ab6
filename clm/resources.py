"""Threads, memory and spill room, set in the environment before Polars is imported: it reads them once.

It may not import Polars, except to tell one that is already there to read them again.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from clm.outcome import Notice

_CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
# what no limit reaches: the interpreter, the libraries, and the batches under way, which Polars does not count
OWN = 450 * 2**20
_LEAST = 64 * 2**20
ONE_THREAD = {
    # fits run on one thread: 1, 2 and 4 give three different results, and busy OpenMP threads cost minutes
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "LOKY_MAX_CPU_COUNT": "1",
}


def allowed_memory() -> int:
    """Bytes this process may use: the machine's memory or a smaller limit of its control group, which Polars does not see."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _CGROUP_FILES:
        try:
            limit = Path(name).read_text("ascii").strip()
        except OSError:
            continue
        if limit.isdigit():
            machine = min(machine, int(limit))
    return machine


def limit_of(memory_limit: int | float) -> int:
    """Bytes to stay within: as given, or a share of what is allowed when it is a float."""
    return int(allowed_memory() * memory_limit) if isinstance(memory_limit, float) else memory_limit


def shortfall(memory_limit: int | float) -> Notice | None:
    """What to say before starting when no run can stay within the limit."""
    limit, least = limit_of(memory_limit), OWN + _LEAST
    if limit >= least:
        return None
    return Notice(
        "memory_limit",
        f"--memory-limit is {limit // 2**20:,} MB, but clm takes up to {least // 2**20:,} MB by itself, whatever the data: "
        "it uses as little as it can",
    )


def apply(threads: int | None, memory_limit: int | float, spill: Path) -> None:
    """Set what Polars and the numerical libraries read at import; `memory_limit` in bytes, or a share when it is a float."""
    wanted = {
        "POLARS_OOC_MEMORY_BUDGET_MB": str(max(_LEAST, limit_of(memory_limit) - OWN) // 2**20),
        "POLARS_OOC_SPILL_DIR": str(spill),
        # exceeding this is a clean error; a really full disk is hundreds of panics
        "POLARS_OOC_DISK_BUDGET_MB": str(max(1, shutil.disk_usage(spill).free // 2**20 - 64)),
    }
    if threads is not None:
        wanted["POLARS_MAX_THREADS"] = str(threads)
    os.environ.update(ONE_THREAD | wanted)
    if "polars" in sys.modules:
        sys.modules["polars"].Config.reload_env_vars()
