"""Key files: new ones are private, open ones are refused, and a key is never shown."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from clm.errors import ConfigError, InputError, OutputError
from clm.storage import keys


def test_a_new_key_is_private_and_read_back(tmp_path: Path) -> None:
    """32 random bytes, mode 0600, the same id when read."""
    path = tmp_path / "shop.key"
    made = keys.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_bytes()) == 32
    assert keys.read(path) == made
    assert made.id == keys.read(path).id
    assert keys.create(tmp_path / "other.key").id != made.id
    # it stands in footers: another id for the same key would be another key
    assert keys.Key(bytes(32)).id == "7996021d311862b0"


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    """Losing a key would orphan every pseudonym: the old file stays."""
    path = tmp_path / "shop.key"
    keys.create(path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="there already"):
        keys.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610, 0o601])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Any permission for group or world is one too many."""
    path = tmp_path / "shop.key"
    keys.create(path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="open to others"):
        keys.read(path)


@pytest.mark.parametrize("size", [0, 31, 33, 1000])
def test_what_is_no_key_is_refused(tmp_path: Path, size: int) -> None:
    """A file of another length is no key."""
    path = tmp_path / "shop.key"
    path.write_bytes(b"x" * size)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="no key"):
        keys.read(path)


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    """The message names the command."""
    with pytest.raises(InputError, match="clm key new"):
        keys.read(tmp_path / "none.key")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A key that cannot be made is an error of the output."""
    with pytest.raises(OutputError, match="cannot be made"):
        keys.create(tmp_path / "none" / "shop.key")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links_has_keys_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The finished file is renamed instead; a key that is there still stays."""

    def refused(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refused)
    made = keys.create(tmp_path / "shop.key")
    assert keys.read(tmp_path / "shop.key") == made
    with pytest.raises(OutputError):
        keys.create(tmp_path / "shop.key")
    assert keys.read(tmp_path / "shop.key") == made
    assert [path.name for path in tmp_path.iterdir()] == ["shop.key"]


@pytest.mark.parametrize("call", ["fsync", "link", "chmod"])
def test_a_key_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """A name with no key behind it could neither be used nor made anew."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, call, refused)
    with pytest.raises(OutputError, match="cannot be made"):
        keys.create(tmp_path / "shop.key")
    assert list(tmp_path.iterdir()) == []


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    """Neither its text form nor its id holds the secret."""
    key = keys.create(tmp_path / "shop.key")
    assert key.secret.hex() not in repr(key) + key.id
    assert repr(key.secret) not in repr(key)
