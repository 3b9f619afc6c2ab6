"""`clm doctor`: whether this machine has what clm needs, each thing with what to do when it has not.

It may not start a process, reach for the network, import a heavy library or change anything but a file of its own it takes away.
"""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from clm import __version__, resources
from clm.settings import CommonSettings

Status = Literal["ok", "look", "broken"]
PYTHON = (3, 11)
_ROOM = 2 * 2**30
_FONT_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts", "~/Library/Fonts", "~/.fonts",
    "~/.local/share/fonts",
)  # fmt: skip
# names of font files that draw Chinese
_CHINESE = re.compile(
    r"cjk|noto(?:sans|serif)(?:sc|tc|hk|jp|kr)|sourcehan|wqy|droidsansfallback|uming|ukai|pingfang|heiti|songti|stheiti|hiragino"
    r"|simsun|simhei|msyh|msjh|fandol|unifont|sarasa|lxgw",
    re.IGNORECASE,
)
_REMOTE = ("nfs", "cifs", "smb", "fuse", "9p", "ceph", "gpfs", "lustre")
_REQUIRED = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*([^;]*?)\s*(?:;(.*))?$")
_BOUND = re.compile(r"(>=|<=|<|>|==)\s*([0-9][0-9.]*)")
_EXTRA = re.compile(r"extra\s*==\s*[\"']([\w-]+)")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `broken` keeps clm from working, `look` may surprise somebody; `fix` is what to do then."""

    about: str
    status: Status
    says: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def examine(common: CommonSettings, env: Mapping[str, str], colour: bool, unknown: Sequence[str] = ()) -> list[Finding]:
    """Everything. `colour`: whether stdout gets any; `unknown`: what is said of CLM_ variables that set nothing."""
    folder = Path(common.output).absolute() if common.output not in (None, "-") else Path.cwd()
    folder = next(one for one in (folder, *folder.parents) if one.is_dir())
    return [
        _python(),
        *_libraries(metadata.requires("clm") or []),
        _threads(common),
        _memory(common),
        _spill(env),
        _output(folder),
        _locks(folder),
        _zones(),
        _encoding(env),
        _terminal(env, colour),
        _fonts(),
        _configuration(env, unknown),
    ]


def record(found: Sequence[Finding]) -> dict[str, Any]:
    """The `--json` object."""
    count = {status: sum(one.status == status for one in found) for status in ("ok", "look", "broken")}
    return {"schema": 1, "stage": "doctor", "metrics": count, "findings": [one.to_json() for one in found]}


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    says = f"{__version__}, Python {version}, {platform.system()} {platform.machine()}"
    if sys.version_info[:2] < PYTHON:
        return Finding("clm", "broken", says, "clm needs Python 3.11 or later: make an environment with one")
    return Finding("clm", "ok", says)


def _libraries(required: Sequence[str]) -> Iterator[Finding]:
    """What clm asks for against what is installed; the development tools are nobody's business here."""
    held, wrong, extras = [], [], dict[str, list[str]]()
    for line in required:
        match = _REQUIRED.match(line)
        if match is None:
            continue
        name, bounds, marker = match[1], match[2], match[3] or ""
        extra = _EXTRA.search(marker)
        version = _installed(name)
        fits = version is not None and within(version, bounds)
        if extra is not None:
            extras.setdefault(extra[1], []).append("" if fits else name)
        elif not fits:
            wrong.append(f"{name} {version or 'is missing'}{f', wants {bounds}' if bounds else ''}")
        else:
            held.append(name)
    if wrong:
        yield Finding("libraries", "broken", "; ".join(wrong), "install clm anew into an environment of its own: pip install clm")
    else:
        versions = ", ".join(f"{name} {_installed(name)}" for name in ("polars", "pyarrow", "scipy", "scikit-learn"))
        yield Finding("libraries", "ok", f"all {len(held)} within their bounds; {versions}")
    for called, lacking in extras.items():
        absent = any(lacking)
        if called != "dev":
            says = f"{called} is not installed (optional: pip install 'clm[{called}]')" if absent else f"{called} is installed"
            yield Finding("extras", "ok", says)


def _installed(name: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return None


def within(version: str, bounds: str) -> bool:
    """Whether the release of a version fits bounds such as `>=1.14,<3`; what is no number in it counts as 0."""
    have = _release(version)
    tests = {">=": have.__ge__, "<=": have.__le__, "<": have.__lt__, ">": have.__gt__, "==": have.__eq__}
    return all(tests[sign](_release(bound)) for sign, bound in _BOUND.findall(bounds))


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", version.split("+")[0])[:4]]
    return tuple([*numbers, 0, 0, 0, 0][:4])


def _threads(common: CommonSettings) -> Finding:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = resources.allowed_processors()
    chosen = common.threads or os.cpu_count() or 1
    says = f"{chosen} for Polars, 1 for fits; the machine has {os.cpu_count()}"
    most = min(allowed, quota or allowed)
    if chosen > most:
        return Finding(
            "threads", "look", f"{says}, this process may use {most:g}", f"set --threads {max(1, int(most))} (or CLM_THREADS)"
        )
    return Finding("threads", "ok", says)


def _memory(common: CommonSettings) -> Finding:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = resources.allowed_memory()
    group = f", its control group allows {_size(allowed)}" if allowed < machine else ""
    says = f"{_size(resources.limit_of(common.memory_limit))} to stay within; the machine has {_size(machine)}{group}"
    short = resources.shortfall(common.threads, common.memory_limit)
    if short is not None:
        return Finding("memory", "look", says, "less than clm takes by itself: a larger --memory-limit, or fewer --threads")
    return Finding("memory", "ok", says)


def _spill(env: Mapping[str, str]) -> Finding:
    """The folder of spools and spills: is it the one that was named, can it be written, is it big, is it memory itself."""
    try:
        folder = Path(tempfile.gettempdir())
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"clm")
            trial.flush()
            fcntl.flock(trial, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("spill", "broken", f"no usable folder: {_reason(error)}", "set TMPDIR to a folder that can be written")
    says = f"{folder}, {_size(free)} free"
    if env.get("TMPDIR") and Path(env["TMPDIR"]).resolve() != folder.resolve():
        return Finding(
            "spill",
            "look",
            f"{says}: the folder TMPDIR names is missing or cannot be written",
            "make that folder, or set TMPDIR anew",
        )
    if _file_system(folder) in ("tmpfs", "ramfs"):
        return Finding(
            "spill", "look", f"{says}, but it is memory: spilling there frees none", "set TMPDIR to a folder on a disk"
        )
    if free < _ROOM:
        return Finding("spill", "look", f"{says}: little for a log larger than memory", "free some, or set TMPDIR elsewhere")
    return Finding("spill", "ok", says)


def _output(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("output", "look", f"{folder} cannot be written", "choose another place with -o")
    if free < _ROOM // 10:
        return Finding("output", "look", f"{folder}, {_size(free)} free", "free some, or choose another place with -o")
    return Finding("output", "ok", f"{folder}, {_size(free)} free")


def _locks(folder: Path) -> Finding:
    """Runs lock their folder, so that no two write into it."""
    kind = _file_system(folder)
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(handle)
    except BlockingIOError:
        return Finding("locks", "ok", "held at this moment by a run in this folder")
    except OSError as error:
        fix = "write to a local disk with -o, and copy from there"
        return Finding("locks", "broken", f"this file system ({kind or 'unknown'}) gives none: {_reason(error)}", fix)
    if kind is not None and kind.startswith(_REMOTE):
        fix = "let one machine at a time run clm there"
        return Finding("locks", "look", f"a {kind} file system: locks may not reach other machines", fix)
    return Finding("locks", "ok", f"folders can be locked{f' ({kind})' if kind else ''}")


def _file_system(folder: Path) -> str | None:
    """The kind of file system a folder is on, where the system tells."""
    best, kind = "", None
    folder = folder.resolve()
    with suppress(OSError):
        for line in Path("/proc/mounts").read_text("utf-8", "replace").splitlines():
            _, at, named, *_ = line.split(" ")
            place = at.replace("\\040", " ")
            inside = str(folder).startswith(place.rstrip("/") + "/") or str(folder) == place
            if inside and len(place) >= len(best):
                best, kind = place, named
    return kind


def _zones() -> Finding:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Asia/Shanghai")
        own = "the system has one too"
    except (ZoneInfoNotFoundError, OSError):
        own = "the system has none, and none is needed"
    return Finding("time zones", "ok", f"--tz reads the database Polars brings; {own}")


def _encoding(env: Mapping[str, str]) -> Finding:
    chosen = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or "C"
    stream, names = (sys.stdout.encoding or "none").lower(), sys.getfilesystemencoding().lower()
    says = f"output {stream}, file names {names}, locale {chosen[:30]}"
    if stream.replace("-", "") != "utf8" or names.replace("-", "") != "utf8":
        return Finding("encoding", "look", f"{says}: other scripts show as ?", "set LC_ALL=C.UTF-8 (or PYTHONUTF8=1)")
    return Finding("encoding", "ok", says)


def _terminal(env: Mapping[str, str], colour: bool) -> Finding:
    size = shutil.get_terminal_size()
    kind = (
        f"{size.columns} × {size.lines}, {env.get('TERM', '')[:20]}".rstrip(" ,")
        if sys.stdout.isatty()
        else "none: a pipe or file"
    )
    says = f"{kind}, {'colour' if colour else 'no colour'}"
    if size.columns < 60:
        return Finding("terminal", "look", says, "make it 80 columns wide: tables show the columns that fit")
    return Finding("terminal", "ok", says)


def _fonts() -> Finding:
    for folder in _FONT_FOLDERS:
        for _, _, names in os.walk(Path(folder).expanduser()):
            found = next((name for name in sorted(names) if _CHINESE.search(name)), None)
            if found is not None:
                return Finding("fonts", "ok", f"Chinese in charts is measured with {found[:40]}")
    return Finding(
        "fonts", "look", "none for Chinese: its words in charts are measured too narrow", "install one, such as fonts-noto-cjk"
    )


def _configuration(env: Mapping[str, str], unknown: Sequence[str]) -> Finding:
    given = sorted(name for name in env if name.startswith("CLM_"))
    file = env.get("CLM_CONFIG") or ("clm.toml" if Path("clm.toml").is_file() else None)
    says = f"{file or 'no clm.toml here'}; {len(given) or 'no'} CLM_ variable{'' if len(given) == 1 else 's'}"
    if unknown:
        return Finding("settings", "look", f"{says}; {unknown[0]}", "mend the name, or unset it")
    return Finding("settings", "ok", f"{says} (`clm config` shows every value)")


def _size(number: int) -> str:
    return f"{number / 2**30:,.1f} GB" if number >= 2**30 else f"{number / 2**20:,.0f} MB"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
