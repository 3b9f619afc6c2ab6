"""The model file: what is written can be read, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from clm import model_file
from clm.errors import ConfigError

LEARNED = {"rfm": {"bins": 5, "scores": {"f_score": {"column": "orders", "bins": 5, "cuts": [1, 2]}}}}


def test_written_and_read_is_the_same(tmp_path: Path) -> None:
    """The same content is the same bytes, and comes back by stage."""
    content = model_file.to_bytes(LEARNED, "2024-12-31")
    (tmp_path / "m.json").write_bytes(content)
    found = model_file.read(tmp_path / "m.json")
    assert content == model_file.to_bytes(LEARNED, "2024-12-31")
    assert found.of("rfm") == LEARNED["rfm"]
    assert found.identity.startswith("sha256:")


def test_another_stages_model_is_78_and_says_what_it_holds(tmp_path: Path) -> None:
    """A model of rfm has nothing for clv."""
    found = model_file.parse(model_file.to_bytes(LEARNED, None), tmp_path / "m.json")
    with pytest.raises(ConfigError, match="holds nothing for clv") as raised:
        found.of("clv")
    assert "holds rfm" in str(raised.value.where)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not the JSON"),
        (b"\xff\xfe", "not the JSON"),
        (b"[]", "no model"),
        (b"null", "no model"),
        (b'{"schema": 1}', "no model"),
        (b'{"schema": 2, "learned": {}}', "newer clm"),
        (b'{"schema": true, "learned": {}}', "no usable schema"),
        (b'{"schema": "1", "learned": {}}', "no usable schema"),
        (b'{"schema": 1, "learned": []}', "no stages"),
        (b'{"schema": 1, "learned": {"rfm": 3}}', "no stages"),
        (b'{"schema": 1, "learned": {"magic": {}}}', "unknown stage magic"),
        (b'{"schema": 1, "learned": {}, "code": ""}', "unknown key code"),
        (b'{"schema": 1, "learned": {}, "as_of": "yesterday"}', "unusable clm_version or as_of"),
        (b'{"schema": 1, "schema": 1, "learned": {}}', "not the JSON"),
        (b'{"schema": 1, "learned": {"rfm": {"x": NaN}}}', "not the JSON"),
        (b'{"schema": 1, "learned": {"rfm": {"x": 1e999}}}', "not finite"),
        (b'{"schema": 1, "learned": {"rfm": {"x": [-' + b"9" * 400 + b"]}}}", "too large"),
        (b'{"schema": 1, "learned": {"rfm": {"x": ' + b"[" * 90 + b"]" * 90 + b"}}}", "nested too deeply"),
        (b"[" * 200_000, "not the JSON"),
        (b'{"schema": 1, "learned": {"rfm": {"x": ' + b"9" * 10_000 + b"}}}", "not the JSON"),
    ],
    ids=range(20),
)
def test_what_is_no_model_is_78(content: bytes, says: str, tmp_path: Path) -> None:
    """Damaged, foreign, newer, hostile: an answer each, never a traceback."""
    (tmp_path / "m.json").write_bytes(content)
    with pytest.raises(ConfigError, match=says) as raised:
        model_file.read(tmp_path / "m.json")
    assert raised.value.fix


def test_a_model_that_is_not_there_or_endless_is_78(tmp_path: Path) -> None:
    """No file, a folder, more bytes than any model has."""
    (tmp_path / "big.json").write_bytes(b" " * ((16 << 20) + 1))
    for given in (tmp_path / "none.json", tmp_path, tmp_path / "big.json", "\0"):
        with pytest.raises(ConfigError):
            model_file.read(given)
