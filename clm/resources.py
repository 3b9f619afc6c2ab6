"""Threads, memory and spill room, set in the environment before Polars is imported: it reads them once.

It may not import Polars, except to tell one that is already there to read them again.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from clm.outcome import Notice

_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
# what no limit reaches: the interpreter and the libraries, and the batches under way, which Polars does not count
_OWN, _OWN_PER_THREAD = 500 * 2**20, 45 * 2**20
# with less than this Polars writes to disk what is only passing through
_LEAST = 250 * 2**20
# below this, batches under way are a quarter as long (rows; Polars takes 100,000): 100 to 200 MB less, for a tenth more time
_ROOMY, _SMALL_MORSEL = 2 * 2**30, 25_000
# the largest resident set of a command that holds its customers, by 100,000 and 1,000,000 of them with all columns
_TABLE = 250 * 2**20
PER_CUSTOMER = {"segment": 1_100, "list": 1_500, "report": 1_500, "clv": 2_000, "churn": 2_100}
# what reducing takes of memory by order line and by customer, with core and with all columns, on logs of 20 and 100 million lines
_PER_LINE, _PER_JOINED = {"core": 110, "all": 160}, {"core": 250, "all": 700}
ONE_THREAD = {
    # fits run on one thread: 1, 2 and 4 give three different results, and busy OpenMP threads cost minutes
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "LOKY_MAX_CPU_COUNT": "1",
}


def allowed_memory() -> int:
    """Bytes this process may use: the machine's memory or a smaller limit of its control groups, which Polars does not see."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    said = _groups_say("memory", "memory.max", "memory.limit_in_bytes")
    return min([machine, *(int(limit) for limit in said if limit.isdigit())])


def allowed_processors() -> float | None:
    """Processors the control groups of this process allow, where they limit it."""
    quotas, periods = (_groups_say("cpu", "cpu.max", name) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
    allowed = []
    for quota, period in zip(quotas, periods, strict=False):  # together in cpu.max, in files of their own in version 1
        with suppress(ValueError, IndexError, ZeroDivisionError):
            allowed.append(float(quota.split()[0]) / float(period.split()[-1]))
    return min((one for one in allowed if one > 0), default=None)


def _groups_say(controller: str, unified: str, separate: str) -> Iterator[str]:
    """A file of each control group of this process, from its own up to the root of what is mounted: every one limits it.

    The file is called `unified` in version 2, `separate` in version 1. A container may see a path above its mount: what is not
    there is passed over.
    """
    try:
        lines = _OWN_GROUPS.read_text("utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount, name = (_GROUPS / controller, separate) if controllers else (_GROUPS, unified)
        own = mount / path.lstrip("/")
        for group in (own, *own.parents):
            with suppress(OSError):
                yield (group / name).read_text("ascii", errors="replace").strip()
            if group == mount:
                break


def limit_of(memory_limit: int | float) -> int:
    """Bytes to stay within: as given, or a share of what is allowed when it is a float."""
    return int(allowed_memory() * memory_limit) if isinstance(memory_limit, float) else memory_limit


def own(threads: int | None) -> int:
    """Bytes that clm takes beside what Polars counts; None: as many threads as there are processors."""
    return _OWN + _OWN_PER_THREAD * (threads or os.cpu_count() or 1)


def room(threads: int | None, memory_limit: int | float) -> int:
    """Bytes that Polars may use within the limit."""
    return max(_LEAST, limit_of(memory_limit) - own(threads))


def reducing(columns: str, lines: int, customers: int) -> int:
    """Bytes it takes to reduce so many order lines of so many customers at once, without a disk."""
    return _PER_LINE[columns] * lines + _PER_JOINED[columns] * customers


def shortfall(threads: int | None, memory_limit: int | float) -> Notice | None:
    """What to say before starting when no run of some length can stay within the limit."""
    limit, least = limit_of(memory_limit), own(threads) + _LEAST
    if limit >= least:
        return None
    alone = threads == 1 or os.cpu_count() == 1
    return Notice(
        "memory_limit",
        f"--memory-limit is {limit // 2**20:,} MB, but clm may take {least // 2**20:,} MB by itself, whatever the data: it uses "
        f"as little as it can{'' if alone else ', and less with --threads 1'}.",
    )


def holding(command: str, customers: int, memory_limit: int | float) -> Notice | None:
    """What to say before a command of PER_CUSTOMER starts that cannot stay within the limit: no part of the tables it
    works on as a whole can go to disk.
    """
    limit = limit_of(memory_limit)
    least = _TABLE + PER_CUSTOMER[command] * customers
    if limit >= least or not customers:
        return None
    return Notice(
        "memory_limit",
        f"--memory-limit is {limit // 2**20:,} MB, but {command} holds all its customers in memory and may take "
        f"{least // 2**20:,} MB for {customers:,} of them.",
    )


def apply(threads: int | None, memory_limit: int | float, spill: Path) -> None:
    """Set what Polars and the numerical libraries read at import; `memory_limit` in bytes, or a share when it is a float."""
    wanted = {
        "POLARS_OOC_MEMORY_BUDGET_MB": str(room(threads, memory_limit) // 2**20),
        "POLARS_OOC_SPILL_DIR": str(spill),
        # exceeding this is a clean error; a really full disk is hundreds of panics
        "POLARS_OOC_DISK_BUDGET_MB": str(max(1, shutil.disk_usage(spill).free // 2**20 - 64)),
    }
    if limit_of(memory_limit) < _ROOMY:
        wanted["POLARS_IDEAL_MORSEL_SIZE"] = str(_SMALL_MORSEL)
    if threads is not None:
        wanted["POLARS_MAX_THREADS"] = str(threads)
    os.environ.update(ONE_THREAD | wanted)
    if "polars" in sys.modules:
        sys.modules["polars"].Config.reload_env_vars()
