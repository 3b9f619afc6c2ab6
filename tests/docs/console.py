"""The console blocks of the README: run in order in one folder, with what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)


class Terminal:
    """A shell 80 columns wide whose `clm` is the one under test, in a folder with the project's data/."""

    def __init__(self, folder: Path) -> None:
        binaries = folder / ".bin"
        binaries.mkdir()
        (binaries / "clm").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clm "$@"\n')
        (binaries / "clm").chmod(0o755)
        (folder / "data").symlink_to(ROOT / "data")
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("CLM_")}
        self.env |= {"PATH": f"{binaries}:{os.environ['PATH']}", "COLUMNS": "80", "LC_ALL": "C.UTF-8"}

    def run(self, command: str) -> str:
        """What the command prints, both streams as a person sees them."""
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=110
        )
        return done.stdout.decode()


def commands(block: str) -> Iterator[str]:
    return (line[2:] for line in block.splitlines() if line.startswith("$ "))


def renewed(text: str, terminal: Terminal) -> str:
    """The text with every console block as it runs now."""

    def rerun(found: re.Match[str]) -> str:
        shown = "".join(f"$ {command}\n{terminal.run(command)}" for command in commands(found[2]))
        return f"{found[1]}{shown}{found[3]}"

    return BLOCK.sub(rerun, text)
