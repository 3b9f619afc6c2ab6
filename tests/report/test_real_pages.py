"""The page of two real logs, made as a user makes it: small, inert, valid, sound in a browser, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clm.cli import main
from tests.report import browser
from tests.report.test_browser import looks_sound
from tests.report.validity import invalid


@pytest.mark.slow  # two chains and a browser: some ten seconds each
@pytest.mark.parametrize("log", ["demo", "online-retail"])
def test_real_pages(log: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Below 300 KB, no script, nothing from outside, valid, and nothing overlapping or cut where there is Chromium."""
    folder = tmp_path / "out"
    inputs = [] if log == "demo" else [str(request.getfixturevalue("shared_data") / "online-retail" / "online_retail.csv.gz")]
    assert main(["run" if inputs else "demo", *inputs, "-o", str(folder), "-q"]) == 0
    chinese = str(folder / "zh.html")
    chain = [str(folder / "customers.parquet"), "--orders", str(folder / "clean.parquet")]
    assert main(["report", *chain, "--lang", "zh", "-q", "-o", chinese]) == 0
    pages = {lang: (folder / name).read_text(encoding="utf-8") for lang, name in (("en", "report.html"), ("zh", "zh.html"))}
    for source in pages.values():
        assert len(source.encode()) < 300_000
        assert "<script" not in source.lower()
        assert not re.search(r"url\(|@import|\bsrc=|https?://(?!www\.w3\.org/)", source)
    assert invalid(pages, tmp_path) == []
    if browser.CHROMIUM:
        looks_sound(pages, tmp_path)
