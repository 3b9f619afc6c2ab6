"""The page in a real browser: nothing overlaps, is cut, runs over or is too pale at phone, tablet and desk widths.

Needs Chromium and is skipped where there is none; everything else about the page is tested without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from clm.report import page
from tests.report.browser import WIDTHS, looked_at, needs_chromium

SOUND = """<!doctype html><style>body{margin:0;font:16px/1.5 sans-serif}div{position:relative;height:60px;width:300px}
.c{position:absolute;white-space:nowrap}</style><div><p>sound text</p></div>"""
# name of the fault, and a page with it alone
PLANTED = {
    "clash": '<div><span class="c">one label</span><span class="c" style="left:20px;top:3px">another</span></div>',
    "cut": '<div style="overflow:hidden;width:60px"><span class="c">a label longer than its box</span></div>',
    "over": '<div><p style="width:80px;white-space:nowrap">a sentence longer than its paragraph</p></div>',
    "broken": '<table><tr><td style="width:30px;max-width:30px;overflow-wrap:anywhere">1,234,567.89</table>',
    "scrolls": '<div class="scroll" style="overflow:auto"><table style="width:900px"><tr><td>wide</table></div>',
    "pale": '<div><p style="color:#999">barely seen</p></div>',
}
PICTURE = '<svg width="200" height="60" viewBox="0 0 200 60" overflow="visible" font-size="12" fill="#000">{}</svg>'
PICTURES = {
    "clash": '<text x="10" y="20">one label</text><text x="30" y="24">another</text>',
    "cut": '<text x="150" y="20">a label at the edge</text>',
    "pale": '<path d="M0,0h200v60h-200Z" fill="#555"/><text x="10" y="20">on a dark bar</text>',
}


@needs_chromium
def test_each_planted_fault_is_found(tmp_path: Path) -> None:
    """What the next tests call sound would have been found: every fault, in text and in pictures, and no other."""
    pages = {"sound": SOUND, "window": SOUND + '<div><span class="c" style="left:350px">outside</span></div>'}
    pages |= {name: SOUND + fault for name, fault in PLANTED.items()}
    pages |= {f"picture {name}": SOUND + PICTURE.format(fault) for name, fault in PICTURES.items()}
    found = looked_at(pages, tmp_path)
    assert _faults({"sound": found["sound at 1400 px"]}) == {}
    for name in [*PLANTED, *(f"picture {name}" for name in PICTURES)]:
        assert [fault for _, fault in _faults({name: found[f"{name} at 1400 px"]})] == [name.removeprefix("picture ")]
    assert [fault for _, fault in _faults({"window": found["window at 360 px"]})] == ["over"]


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_overlaps_is_cut_or_pale(
    shop: tuple[pl.DataFrame, dict[str, Any], pl.DataFrame], numbers: pl.DataFrame, tmp_path: Path, dark: bool
) -> None:
    """Both languages at three widths: all text apart, inside its box, its picture and the window, at a contrast of 4.5."""
    looks_sound({lang: page.render(numbers, shop[1], lang) for lang in ("en", "zh")}, tmp_path, dark)


def looks_sound(pages: dict[str, str], folder: Path, dark: bool = False) -> None:
    found = looked_at(pages, folder, dark)
    assert len(found) == len(pages) * len(WIDTHS)
    assert all(one["texts"] > 200 for one in found.values())
    assert not {name: one["width"] for name, one in found.items() if one["width"] > int(name.split()[-2])}
    assert _faults(found) == {}


def _faults(found: dict[str, dict[str, Any]]) -> dict[tuple[str, str], list[str]]:
    return {
        (name, fault): texts for name, one in found.items() for fault, texts in one.items() if isinstance(texts, list) and texts
    }
