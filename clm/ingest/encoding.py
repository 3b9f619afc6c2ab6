"""Encodings: which one the bytes are in and why, and the bytes turned into UTF-8 as they pass.

It may not guess: bytes that fit no encoding it can stand up for are a question that names `--encoding`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clm.errors import DataError, UsageError

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PLAUSIBLE = 0.9


@dataclass(frozen=True)
class Encoding:
    """A codec, the bytes of its mark to skip, and what speaks for it."""

    name: str
    mark: bytes
    why: str


def detect(head: bytes, name: str, given: str | None, whole: bool) -> Encoding:
    """Decide from the first bytes (`whole`: there are no more); `name` is the file's, for messages.

    Raises `UsageError` for an unknown `--encoding`, `DataError` when no encoding can be vouched for.
    """
    mark, marked = next(((mark, codec) for mark, codec in _MARKS if head.startswith(mark)), (b"", ""))
    if given is not None:
        codec = _known(given)
        mark = mark if codec.startswith("utf-16") == marked.startswith("utf-16") else b""
        if codec == "utf-16":
            codec = marked or "utf-16-le"
        return Encoding(codec.removesuffix("-sig"), mark, "given by --encoding")
    if mark:
        return Encoding(marked, mark, "byte-order mark")
    if not head:
        return Encoding("utf-8", b"", "empty")
    zeros = (head[0::2].count(0), head[1::2].count(0))
    wide = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    if max(zeros) > len(head) // 5 and min(zeros) <= len(head) // 100 and _decodes(head, wide, whole):
        return Encoding(wide, b"", "every other byte is zero")
    if _decodes(head, "utf-8", whole):
        return Encoding("utf-8", b"", "strict UTF-8" if max(head) > 127 else "ASCII only")
    if _decodes(head, "gb18030", whole) and (share := _common_hanzi(head)) > _PLAUSIBLE:
        return Encoding("gb18030", b"", f"GB18030, {share:.0%} of its characters are common hanzi")
    raise DataError(
        f"the encoding of {name} cannot be told.",
        where=name,
        fix="name it: --encoding gb18030, --encoding big5, --encoding cp1252, --encoding shift_jis, …",
        code="encoding",
    )


def _known(given: str) -> str:
    try:
        return codecs.lookup(given).name
    except LookupError:
        raise UsageError(f"there is no encoding {given}.", fix="use a name such as utf-8, gb18030, big5 or cp1252.") from None


def _decodes(head: bytes, codec: str, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _common_hanzi(head: bytes) -> float:
    """Share of the non-ASCII characters that are GB2312 level 1 (the 3,755 common ones) or its punctuation.

    That it decodes proves nothing: Mac Roman and Big5 decode as GBK too, into rare hanzi.
    """
    text = codecs.getincrementaldecoder("gb18030")("strict").decode(head)
    common = others = 0
    for character in text:
        if character > "\x7f":
            try:
                lead = character.encode("gb2312")[0]
            except UnicodeEncodeError:
                lead = 0xFF
            if lead <= 0xA9 or 0xB0 <= lead <= 0xD7:
                common += 1
            else:
                others += 1
    return common / (common + others) if common else 0.0


def to_utf8(stream: Iterable[bytes], encoding: Encoding, name: str) -> Iterator[bytes]:
    """The stream as UTF-8 without its mark. Raises `DataError` naming the line where the encoding does not hold."""
    skip = len(encoding.mark)
    decoder = codecs.getincrementaldecoder(encoding.name)("strict")
    line = 1
    for block in stream:
        if skip:
            block, skip = block[skip:], max(0, skip - len(block))
        yield from _decoded(decoder, block, False, encoding, name, line)
        line += block.count(b"\n")
    yield from _decoded(decoder, b"", True, encoding, name, line)


def _decoded(
    decoder: codecs.IncrementalDecoder, block: bytes, final: bool, encoding: Encoding, name: str, line: int
) -> Iterator[bytes]:
    if encoding.name == "utf-8" and not final and block.isascii() and not decoder.getstate()[0]:
        yield block
        return
    try:
        text = decoder.decode(block, final)
    except UnicodeDecodeError as error:
        line += error.object[: error.start].count(b"\n")
        raise DataError(
            f"{name} is not {encoding.name} ({encoding.why}): line {line} holds bytes that do not belong.",
            where=f"{name}, line {line}",
            fix="name its encoding: --encoding gb18030, --encoding cp1252, …",
            code="encoding",
        ) from None
    if text:
        yield text.encode()
