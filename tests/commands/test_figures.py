"""`clm report --figures DIR`: every chart as a picture of its own."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from clm.cli import main
from tests.commands.conftest import Shop


def drawn(shop: Shop, folder: Path, *more: str) -> dict[str, bytes]:
    options = ["--orders", str(shop.file("clean")), "--figures", str(folder), *more]
    assert main(["report", str(shop.file("churn")), *options]) == 0
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_each_chart_is_a_picture(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new folder with one SVG per chart, each with its words; the outputs say so; twice the same bytes."""
    found = drawn(shop, tmp_path / "a" / "b", "--json", "-o", str(tmp_path / "report.html"))
    record = json.loads(capsys.readouterr().out)
    assert {"revenue-1.svg", "segments-1.svg"} <= set(found)
    first, *others = [Path(one["path"]).name for one in record["outputs"]]
    assert first == "report.html"
    assert sorted(others) == list(found)
    for content in found.values():
        root = ElementTree.fromstring(content)
        assert root.attrib["role"] == "img"
        assert len(root.attrib["aria-label"]) > 20
        assert b"<script" not in content
    assert drawn(shop, tmp_path / "c") == found


def test_text_still_comes_without_an_output(shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pictures beside the text on stdout, in the language asked for."""
    found = drawn(shop, tmp_path / "zh", "--lang", "zh")
    assert capsys.readouterr().out.startswith("客户")
    assert "条形图".encode() in found["segments-1.svg"]


def test_a_dry_run_draws_nothing(shop: Shop, tmp_path: Path) -> None:
    """-n makes no folder."""
    assert main(["report", str(shop.file("churn")), "-n", "--figures", str(tmp_path / "x")]) == 0
    assert not list(tmp_path.iterdir())
