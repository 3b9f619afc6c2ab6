"""The page of two real logs, made as a user makes it: small, inert, valid, sound in a browser, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.report import browser
from tests.report.test_browser import looks_sound
from tests.report.validity import invalid


@pytest.mark.slow  # two chains and a browser: some ten seconds each
def test_real_pages(real_views: tuple[Path, dict[str, dict[str, bytes]]], tmp_path: Path) -> None:
    """Below 300 KB, no script, nothing from outside, valid, and nothing overlapping or cut where there is Chromium."""
    folder, views = real_views
    pages = {lang: made["html"].decode() for lang, made in views.items()}
    assert pages["en"] == (folder / "report.html").read_text(encoding="utf-8")
    for source in pages.values():
        assert len(source.encode()) < 300_000
        assert "<script" not in source.lower()
        assert not re.search(r"url\(|@import|\bsrc=|https?://(?!www\.w3\.org/)", source)
    assert invalid(pages, tmp_path) == []
    if browser.CHROMIUM:
        looks_sound(pages, tmp_path)
