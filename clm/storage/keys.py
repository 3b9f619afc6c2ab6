"""Key files for pseudonyms: 32 random bytes that only their owner may read.

It may not make a pseudonym, nor let a byte of a key into a message: a key is spoken of by its id, a hash.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from clm.errors import ConfigError, InputError, OutputError
from clm.storage import temporary

LENGTH = 32
# what file systems without hard links say
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class Key:
    """A key and the id that tells keys apart without giving one away."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"clm key id\0" + self.secret).hexdigest()[:16]


def create(path: Path) -> Key:
    """A new key in a new file of mode 0600. Raises `OutputError` when the file is there already or cannot be made."""
    key = Key(secrets.token_bytes(LENGTH))
    try:
        with temporary.beside(path) as whole:
            whole.chmod(0o600)
            whole.write_bytes(key.secret)
            temporary.sync(whole)
            _name(whole, path)
            temporary.sync(path.parent)
    except FileExistsError:
        raise OutputError(
            f"{path.name} is there already, and a key written over is lost with every pseudonym made with it.",
            where=str(path),
            fix="name another file.",
            code="key_exists",
        ) from None
    except OSError as error:
        raise OutputError(f"{path.name} cannot be made: {error.strerror}.", where=str(path), fix="check the folder.") from None
    return key


def _name(whole: Path, path: Path) -> None:
    """Give a finished file its name unless somebody has it: never half a key, never one over another."""
    try:
        os.link(whole, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS or path.exists():
            raise
        whole.replace(path)


def read(path: Path) -> Key:
    """The key in a file.

    Raises `InputError` when it cannot be read, `ConfigError` when others may read it or it is no key.
    """
    try:
        with path.open("rb") as source:
            mode = os.fstat(source.fileno()).st_mode
            secret = source.read(LENGTH + 1)
    except OSError as error:
        raise InputError(
            f"the key file {path.name} cannot be read: {error.strerror}.",
            where=str(path),
            fix="make one with: clm key new FILE",
            code="key_file",
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"the key file {path.name} is open to others (mode {stat.S_IMODE(mode):04o}).",
            where=str(path),
            fix=f"chmod 600 {path.name}; who has the key can undo every pseudonym.",
            code="key_mode",
        )
    if len(secret) != LENGTH:
        raise ConfigError(
            f"{path.name} is no key: a key file holds {LENGTH} bytes.",
            where=str(path),
            fix="make one with: clm key new FILE",
            code="key_length",
        )
    return Key(secret)
