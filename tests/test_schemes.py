"""Schemes are linted before any customer is looked at: no gap, no overlap, no unreachable name."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm import schemes
from clm.errors import ConfigError
from clm.tables import SEGMENTS

HEAD = "bins = 2\n[segments]\n"


def test_the_shipped_grid_has_the_ten_names() -> None:
    """The grid's codes are the ones the contract lists."""
    scheme, identity = schemes.load("grid")
    assert set(scheme.codes) == set(SEGMENTS)
    assert (identity, scheme.axes, len(scheme.cells)) == ("grid", ("r", "f"), 25)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bins = [", "not TOML"),
        ("bins = 1\n[segments]\na = [{ r = [1, 1] }]", "no usable bins"),
        ("bins = true\n[segments]\na = [{ r = [1, 1] }]", "no usable bins"),
        ("bin = 5", "unknown key bin"),
        ("bins = 5", "names no segments"),
        (HEAD + "a = [{ r = [1, 1] }]", "gap: no segment covers R2"),
        (HEAD + "a = [{ r = [1, 2] }]\nb = [{ r = [2, 2] }]", "overlaps: R2 is both a and b"),
        (HEAD + "a = [{ r = [1, 2] }]\nb = []", "can never give b"),
        (HEAD + "a = [{ r = [2, 1] }]", "unclear range of r"),
        (HEAD + "a = [{ r = [1, 3] }]", "unclear range of r"),
        (HEAD + "a = [{ q = [1, 2] }]", "unclear rule"),
        (HEAD + "a = 7", "unclear rule"),
        (HEAD + "'=cmd()' = [{ r = [1, 2] }]", "unusable segment code"),
        (HEAD + "no_purchase = [{ r = [1, 2] }]", "unusable segment code"),
    ],
)
def test_what_is_wrong_with_a_scheme_is_said(text: str, says: str) -> None:
    """Each fault is a configuration error that names an example of scores, never a customer."""
    with pytest.raises(ConfigError, match=says):
        schemes.parse(text, "mine.toml")


def test_a_file_is_known_by_its_rules_not_its_name(tmp_path: Path) -> None:
    """Two files with the same rules are one scheme to the footer; other rules are another."""
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text(HEAD + "a = [{ r = [1, 2] }]", "utf-8")
    second.write_text(HEAD + "a = [{ r = [1, 2] }]", "utf-8")
    assert schemes.load(str(first))[1] == schemes.load(str(second))[1]
    second.write_text(HEAD + "b = [{ r = [1, 2] }]", "utf-8")
    assert schemes.load(str(first))[1] != schemes.load(str(second))[1]


def test_a_missing_file_names_the_shipped_ones() -> None:
    """The remedy lists what can be typed."""
    with pytest.raises(ConfigError, match="cannot be read") as raised:
        schemes.load("nowhere.toml")
    assert "grid" in str(raised.value.fix)
