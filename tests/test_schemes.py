"""Schemes are linted before any customer is looked at: no gap, no overlap, no unreachable name."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm import schemes
from clm.errors import ConfigError
from clm.schemes import Cells, Rules, rulebook
from clm.tables import SEGMENTS, ZH8

HEAD = "bins = 2\n[segments]\n"


def test_the_shipped_grid_has_the_ten_names() -> None:
    """The grid's codes are the ones the contract lists."""
    scheme, identity = schemes.load("grid")
    assert isinstance(scheme, Cells)
    assert set(scheme.codes) == set(SEGMENTS)
    assert (identity, scheme.axes, len(scheme.cells)) == ("grid", ("r", "f"), 25)


def test_the_eight_chinese_types() -> None:
    """Each score high (2) or low (1), in the order r, f, m: the table of the field, and every type is reached."""
    scheme, identity = schemes.load("zh8")
    assert isinstance(scheme, Cells)
    assert (identity, scheme.against_mean, scheme.axes) == ("zh8", True, ("r", "f", "m"))
    words = {"".join("01"[level - 1] for level in cell): code for cell, code in scheme.cells.items()}
    assert words == {
        "111": "key_value", "011": "key_keep", "101": "key_develop", "001": "key_winback",
        "110": "general_value", "010": "general_keep", "100": "general_develop", "000": "general_winback",
    }  # fmt: skip
    assert set(scheme.codes) == set(ZH8)


def test_actions_travel_with_a_scheme() -> None:
    """What to do with a segment can stand in the file, in two languages, in both kinds of scheme."""
    text = HEAD + 'a = [{ r = [1, 2] }]\n[action_en]\na = "call"\n[action_zh]\na = "致电"'
    assert schemes.parse(text, "x").actions == {"en": {"a": "call"}, "zh": {"a": "致电"}}
    ruled = schemes.parse('[[segment]]\ncode = "a"\nwhen = "true"\naction_zh = "致电"', "x")
    assert isinstance(ruled, Rules)
    assert ruled.actions == {"zh": {"a": "致电"}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bins = [", "not TOML"),
        ('against = "median"\n[segments]\na = [{ r = [1, 2] }]', "unclear against"),
        ('against = "mean"\nbins = 5\n[segments]\na = [{ r = [1, 2] }]', "unclear against"),
        ('against = "mean"\n[segments]\na = [{ r = [1, 5] }]', "unclear range of r"),
        (HEAD + 'a = [{ r = [1, 2] }]\n[action_en]\nb = "call"', "unknown key b"),
        (HEAD + "a = [{ r = [1, 2] }]\n[action_en]\na = 7", "unusable words for a"),
        (f"action_en = 7\n{HEAD}a = [{{ r = [1, 2] }}]", "unclear actions"),
        ('bins = 1\n[[segment]]\ncode = "a"', "no usable bins"),
        ("[[segment]]\n", "lacks a code"),
        ('[[segment]]\ncode = "a"', "has no rule for a"),
        ('first_match = true\n[[segment]]\ncode = "a"\nwhen = "true"', "ends without taking the rest"),
        ('first_match = 1\n[[segment]]\ncode = "a"', "unclear first_match"),
        ('[[segment]]\ncode = "a"\nwhen = "spend >"', "a rule for a that is none: expected a column or a value"),
        ('[[segment]]\ncode = "a"\nwhen = 3', "unclear rule for a"),
        ("segment = 3", "no usable segments"),
        ('[[segment]]\ncode = "a"\nwhen = "true"\nif = "x"', "unknown key if"),
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
        (HEAD + "'=cmd()' = [{ r = [1, 2] }]", "unusable code"),
        (HEAD + "no_purchase = [{ r = [1, 2] }]", "unusable code"),
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


def test_a_file_larger_than_any_rules_is_not_read(tmp_path: Path) -> None:
    """Something else was named by mistake."""
    (tmp_path / "log.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(ConfigError, match="larger than any rules"):
        rulebook.read(str(tmp_path / "log.toml"), "scheme", "name a TOML file")
