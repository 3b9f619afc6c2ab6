"""Whether a text names a customer, as a word of its own: a raw record, a cell, or a file of any kind.

It may not change anything, or say which customer.
"""

from __future__ import annotations

import codecs
import html
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from clm.storage.faults import reading

_MOST_BYTES = 64 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
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
    if content.startswith(_UTF16):
        yield content.decode("utf-16", "replace")
    elif b"\0" not in content:
        text = content.decode("utf-8", "replace")
        yield text
        if "&" in text:
            yield html.unescape(text)
        if "\ufffd" in text:
            yield content.decode("gb18030", "replace")
    elif zipfile.is_zipfile(path):
        yield from _packed(path)


def _packed(path: Path) -> Iterator[str]:
    """The texts of a workbook, or of another document that is a zip of XML."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [one for one in archive.infolist() if one.filename.endswith((".xml", ".vml"))]
            if sum(one.file_size for one in inside) <= _MOST_BYTES:
                yield from (html.unescape(_MARKUP.sub(" ", archive.read(one).decode("utf-8", "replace"))) for one in inside)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        return
