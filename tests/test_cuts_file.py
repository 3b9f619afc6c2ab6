"""Files of cut-offs: numbers as written, by score, and an answer to everything else."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from clm import cuts_file
from clm.errors import ConfigError


def test_numbers_stay_as_written(tmp_path: Path) -> None:
    """0.1 is a tenth, not the float next to it; the identity is of the text, not of the name."""
    (tmp_path / "a.toml").write_text("[m_score]\ncuts = [0.1, 20]\n")
    (tmp_path / "b.toml").write_text("[m_score]\ncuts = [0.1, 20]\n")
    found, identity = cuts_file.load(str(tmp_path / "a.toml"))
    assert found == {"m_score": [Decimal("0.1"), 20]}
    assert identity == cuts_file.load(str(tmp_path / "b.toml"))[1]


@pytest.mark.parametrize("text", ["", "[r_score", "r_score = 3", "[r_score]\ncut = [1]", "[r_score]\ncuts = 3", "[r_score]\n"])
def test_what_holds_no_cut_offs_is_78(text: str, tmp_path: Path) -> None:
    """Empty, no TOML, other keys: with an example of what to write."""
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        cuts_file.load(str(tmp_path / "c.toml"))
    assert "[r_score]" in str(raised.value.fix)


def test_a_file_that_cannot_be_read_is_78(tmp_path: Path) -> None:
    """Not there, a folder, no UTF-8."""
    (tmp_path / "c.toml").write_bytes(b"\xff\xfe")
    for given in (tmp_path / "none.toml", tmp_path, tmp_path / "c.toml"):
        with pytest.raises(ConfigError):
            cuts_file.load(str(given))
