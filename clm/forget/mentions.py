"""Whether a text names a customer, as a word of its own: a raw record, a cell, or a file of any kind.

It may not change anything, or say which customer.
"""

from __future__ import annotations

import codecs
import html
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from clm.storage.faults import reading

_MOST_BYTES = 64 << 20
# by how they begin; the shorter mark begins the longer
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PACKED = (b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")
# how a zip says that it cannot be read
ZIP_FAULTS = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error, lzma.LZMAError)
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf")
# in the parts of a workbook a number of a text, then what is no text
_MARKUP = re.compile(r'<[^>]*t="s"[^>]*><v>\d+</v>|<[^>]*>')


def naming(texts: pl.Series, ids: frozenset[str]) -> pl.Series:
    """Whether each text names one of them, as a word of its own: 12 is not in 1234."""
    plain = texts.str.normalize("NFC").fill_null("")
    inside = plain.str.extract_many(sorted(ids), overlapping=True) if ids else None
    if inside is None:
        return pl.Series([False] * len(texts), dtype=pl.Boolean)
    named = [any(as_a_word(one, text) for one in set(hits)) for text, hits in zip(plain, inside, strict=True)]
    return pl.Series(named, dtype=pl.Boolean)


def as_a_word(one: str, text: str) -> bool:
    return re.search(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])", text) is not None


def said_of(path: Path, ids: frozenset[str]) -> str:
    """What a reason why a file stays must add: that it names one of them, or that nobody looked into it."""
    with reading(path):
        texts = list(_texts(path))
    if not texts:
        return "; packed or large, not looked into"
    return "; it names one of them" if naming(pl.Series(texts, dtype=pl.String), ids).any() else ""


def _texts(path: Path) -> Iterator[str]:
    """The file as text in the encodings it may be in, or the texts of a packed one; none when it is no text or too large."""
    if path.stat().st_size > _MOST_BYTES:
        return
    content = path.read_bytes()
    wide = next((encoding for mark, encoding in _WIDE if content.startswith(mark)), None)
    if wide is not None:
        yield content.decode(wide, "replace")
    elif zipfile.is_zipfile(path):
        yield from _unpacked(path)
    elif b"\0" not in content and not content.startswith(_PACKED):
        text = content.decode("utf-8", "replace")
        yield text
        if "&" in text:
            yield html.unescape(text)
        if "\ufffd" in text:
            yield content.decode("gb18030", "replace")


def _unpacked(path: Path) -> list[str]:
    """The texts of a workbook, or of another zip of texts and pictures; none where something in it cannot be looked into."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [one for one in archive.infolist() if not one.filename.lower().endswith(_PICTURES)]
            if sum(one.file_size for one in inside) > _MOST_BYTES:
                return []
            contents = [archive.read(one) for one in inside]
    except ZIP_FAULTS:
        return []
    if any(b"\0" in content for content in contents):
        return []
    return [html.unescape(_MARKUP.sub(" ", content.decode("utf-8", "replace"))) for content in contents]
