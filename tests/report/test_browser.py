"""The page in a real browser: nothing runs over, overlaps or is cut at phone, tablet and desk widths.

Needs Chromium and is skipped where there is none; everything else about the page is tested without it.
"""

from __future__ import annotations

import html
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.report import page

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
WIDTHS = (360, 800, 1400)
# The report forbids scripts, so this one runs in a page around it, looking in from outside.
HARNESS = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe id="report" style="border:0;width:%(width)dpx;height:900px" srcdoc="%(page)s"></iframe><pre id="found"></pre><script>
document.getElementById("report").onload = function () {
  var inner = this.contentDocument, found = {width: inner.documentElement.scrollWidth, texts: 0, cut: [], over: [], clash: []};
  inner.querySelectorAll("details").forEach(function (one) { one.open = true; });
  inner.querySelectorAll("h1,h2,h3,p,li,dt,dd,th,td,small,summary").forEach(function (one) {
    var box = one.getBoundingClientRect(), scroller = one.closest(".scroll,pre");
    if (!box.width) return;
    found.texts += 1;
    if (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline") found.cut.push(one.textContent);
    if (!scroller && (box.right > %(width)d + 1 || box.left < -1)) found.over.push(one.textContent);
  });
  inner.querySelectorAll(".scroll:not(details .scroll)").forEach(function (one) {
    if (one.scrollWidth > one.clientWidth + 1) found.over.push("table: " + one.textContent.slice(0, 60));
  });
  inner.querySelectorAll("svg").forEach(function (drawing) {
    var frame = drawing.getBoundingClientRect(), boxes = [];
    if (!frame.width) return;
    drawing.querySelectorAll("text").forEach(function (one) {
      var box = one.getBoundingClientRect();
      if (!one.textContent) return;
      var inside = box.left > frame.left - 3 && box.right < frame.right + 3 && box.bottom < frame.bottom + 3;
      if (!inside) found.cut.push(one.textContent);
      boxes.forEach(function (other) {
        var wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        var high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (wide > 1 && high > 5) found.clash.push(one.textContent + " / " + other.text);
      });
      boxes.push({box: box, text: one.textContent});
    });
  });
  document.getElementById("found").textContent = JSON.stringify(found);
};
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: the page is not looked at in a browser")
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_runs_over_overlaps_or_is_cut(
    shop: tuple[pl.DataFrame, dict[str, Any], pl.DataFrame], numbers: pl.DataFrame, tmp_path: Path, lang: str, width: int
) -> None:
    """All text lies inside the window and its box; labels of figures stand apart and inside their pictures."""
    source = page.render(numbers, shop[1], lang)
    harness = tmp_path / "harness.html"
    harness.write_text(HARNESS % {"width": width, "page": html.escape(source)}, encoding="utf-8")
    offline = (
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    )
    shown = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", *offline, f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={max(width, 600)},1000", "--virtual-time-budget=4000", "--dump-dom", harness.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    found = json.loads(html.unescape(shown.split('<pre id="found">')[1].split("</pre>")[0]))
    assert found["texts"] > 200
    assert found["width"] <= width
    assert found["over"] == []
    assert found["cut"] == []
    assert found["clash"] == []
