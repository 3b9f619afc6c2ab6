"""The examples as somebody runs them: a script in a folder of its own, with the `clm` under test on the path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

EXAMPLES = ROOT / "examples"


def run(script: str, folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The script run in `folder`, where it writes."""
    binaries = folder.parent / f"{folder.name}-bin"
    binaries.mkdir(exist_ok=True)
    clm = binaries / "clm"
    clm.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clm "$@"\n')
    clm.chmod(0o755)
    shutil.copy(EXAMPLES / script, folder)
    env = os.environ | {"PATH": f"{binaries}:{os.environ['PATH']}"}
    return subprocess.run(["sh", script, *argv], cwd=folder, env=env, capture_output=True, text=True, timeout=110)
