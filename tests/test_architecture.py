"""The law of rooms, read from the imports of the source: who may know whom."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

CLM = ROOT / "clm"
FILES = sorted(CLM.rglob("*.py"))

# library -> the rooms that may import it; everything else may not
ALLOWED = {
    "typer": ("cli/",),
    "polars": (
        "stages/",
        "engines/",
        "storage/",
        "ingest/",
        "report/",
        "cli/",
        "schemes/",
        "expressions/",
        "steps/",
        "verify/",
        "forget/",
        "console.py",
        "dtypes.py",
    ),
    "numpy": ("models/",),
    "scipy": ("models/",),
    "sklearn": ("models/",),
    "lifetimes": ("models/via_lifetimes.py",),
    "pandas": (),
    "pyarrow": ("storage/", "ingest/"),
    "fastexcel": ("ingest/workbook.py", "ingest/own_workbook.py"),
    "narwhals": ("stages/snapshot.py", "stages/behaviour.py", "engines/"),
    "altair": ("report/",),
    "vl_convert": ("report/",),
    "jinja2": ("report/",),
    "xlsxwriter": ("report/",),
    "rich": ("console.py", "report/terminal.py"),
    "click": (),
    "pickle": (),
    "joblib": (),
    "subprocess": (),
    "socket": ("engines/spark.py",),
    "pyspark": ("engines/spark.py",),
    "grpc": ("engines/spark.py",),
}
# room -> rooms of ours it may not import
FORBIDDEN = {
    "stages/": ("storage", "console", "cli", "report", "pipeline", "steps", "config"),
    "models/": ("storage", "console", "cli", "report", "ingest", "pipeline", "steps", "config", "stages", "settings", "tables"),
    "report/": ("storage", "console", "cli", "ingest", "pipeline", "steps", "stages", "models", "config"),
    "ingest/": ("console", "cli", "report", "pipeline", "steps", "models", "config"),
    "storage/": ("console", "cli", "report", "ingest", "pipeline", "steps", "stages", "models", "config", "settings"),
    "engines/": ("storage", "console", "cli", "report", "ingest", "pipeline", "steps", "stages", "models", "config", "settings"),
    "tables.py": ("storage", "settings", "stages", "cli"),
    "settings.py": ("storage", "stages", "cli", "config", "models"),
    "errors.py": ("storage", "stages", "cli", "settings", "tables", "outcome"),
}
HEAVY = {
    "polars",
    "pyarrow",
    "narwhals",
    "numpy",
    "scipy",
    "sklearn",
    "lifetimes",
    "altair",
    "jinja2",
    "xlsxwriter",
    "vl_convert",
}
LIGHT_FILES = (
    "__init__.py",
    "__main__.py",
    "tables.py",
    "settings.py",
    "values.py",
    "errors.py",
    "outcome.py",
    "inert.py",
    "strict_toml.py",
    "config.py",
    "resources.py",
    "doctor.py",
)
# imported inside functions only: each costs a good part of a second
LATE = {"pyarrow", "fastexcel", "scipy", "sklearn", "lifetimes", "altair", "jinja2", "xlsxwriter", "vl_convert"}


def name_of(path: Path) -> str:
    return path.relative_to(CLM).as_posix()


def imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """Full dotted names a file imports; `if TYPE_CHECKING` blocks do not run and do not count."""
    tree = ast.parse(path.read_text("utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    if top_only:
        hidden |= {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(node)
        }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)} imports relatively: say the whole name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            raise AssertionError(f"{name_of(path)} imports by name: no reader can follow that")


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_library_stays_in_its_rooms(path: Path) -> None:
    """No room imports a library that belongs to another."""
    for imported in imports(path):
        library = imported.split(".")[0]
        if library in ALLOWED:
            assert any(name_of(path).startswith(room) for room in ALLOWED[library]), f"{name_of(path)} imports {imported}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_room_imports_what_it_may_not_know(path: Path) -> None:
    """Stages know no files, models no stages, storage no meaning; only `clean` knows what `ingest` read."""
    if name_of(path).startswith("stages/") and not name_of(path).startswith("stages/clean/"):
        assert not any(imported.startswith("clm.ingest") for imported in imports(path))
    for room, closed in FORBIDDEN.items():
        if name_of(path).startswith(room):
            for imported in imports(path):
                parts = imported.split(".")
                assert not (parts[0] == "clm" and parts[1] in closed), f"{name_of(path)} imports {imported}"


@pytest.mark.parametrize("path", sorted((CLM / "stages").rglob("*.py")), ids=name_of)
def test_stages_do_not_import_each_other(path: Path) -> None:
    """Only the shared rooms may be used by a stage: training on the past is the same function."""
    for imported in imports(path):
        if imported.startswith("clm.stages"):
            owner = name_of(path).split("/")[1].removesuffix(".py")
            assert imported.split(".")[2] in ("snapshot", "agreement", "behaviour", "scores", owner), (
                f"{name_of(path)} imports {imported}"
            )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_heavy_imports_are_late(path: Path) -> None:
    """`clm --help` must load nothing heavy, `clm rfm` nothing of the models: those imports live inside functions."""
    top = {imported.split(".")[0] for imported in imports(path, top_only=True)}
    if name_of(path) in LIGHT_FILES or name_of(path).startswith("cli/"):
        assert not top & HEAVY
    assert not top & LATE


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_says_its_purpose(path: Path) -> None:
    """The first docstring line says what a room is for; a room above 300 lines gives its reason there too."""
    text = path.read_text("utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, f"{name_of(path)} has no docstring"
    lines = text.count("\n")
    assert lines <= 320 or re.search(r"\d{3} lines", docstring), f"{name_of(path)} has {lines} lines and does not say why"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_dumping_grounds(path: Path) -> None:
    """No utils, helpers or misc: a name says what a room is for."""
    assert path.stem not in {"utils", "util", "helpers", "misc", "common", "base"}
