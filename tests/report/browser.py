"""Pages looked at in a real browser: Chromium without a window, measured by `looking.js` from outside the page.

It may not judge: what was found is handed back. Nothing is fetched; Chromium is told to call nobody.
"""

from __future__ import annotations

import html
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

WIDTHS = (360, 800, 1400)
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
_LOOKING = Path(__file__).with_name("looking.js")
_OFFLINE = (
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the page is not looked at in a browser")


def looked_at(pages: dict[str, str], folder: Path, dark: bool = False) -> dict[str, dict[str, Any]]:
    """What the browser found for each page at each width: {"name at 360 px": {"texts": 812, "clash": [], ...}}."""
    views = [(f"{name} at {width} px", source, width) for name, source in pages.items() for width in WIDTHS]
    frames = "".join(
        f'<iframe data-width="{width}" style="border:0;width:{width}px;height:900px" srcdoc="{html.escape(source)}"></iframe>'
        for _, source, width in views
    )
    around = folder / "around.html"
    around.write_text(
        f'<!doctype html><meta charset="utf-8"><body>{frames}<pre id="found"></pre>'
        f"<script>{_LOOKING.read_text(encoding='utf-8')}</script>",
        encoding="utf-8",
    )
    shown = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", *_OFFLINE, f"--user-data-dir={folder / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--window-size=1500,1000", "--dump-dom", around.as_uri(),
        ],
        capture_output=True, text=True, timeout=110, check=True,
    ).stdout  # fmt: skip
    found = json.loads(html.unescape(shown.rsplit('<pre id="found">', 1)[1].split("</pre>")[0]))
    return {name: one for (name, _, _), one in zip(views, found, strict=True)}
