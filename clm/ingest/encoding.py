"""Encodings: which one the bytes are in and why, and the bytes turned into UTF-8 as they pass.

It may not guess: where two encodings read the bytes as different text and neither clearly better, that is a question that names
`--encoding`; bytes that come later and on which those that agreed so far part ways are one too.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from clm.errors import DataError, UsageError
from clm.ingest import letters
from clm.ingest.letters import CODECS, WIDE, Weight

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_ASCII = bytes(range(128))
# how much likelier (natural logarithm) the best reading must be than any other, and than random letters; the share of odd words
_LEAD, _GAIN, _ODD = 6.0, 2.0, 0.5
_SHIFTED = re.compile(rb"\x1b(?:\$[@-D]|\([BIJ]|\$\)C)")
_FEW = 64
_LANGUAGES = {
    "hans": "Chinese", "hant": "traditional Chinese", "ja": "Japanese", "ko": "Korean", "ru": "Russian", "uk": "Ukrainian",
    "el": "Greek", "tr": "Turkish", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese", "it": "Italian",
    "nl": "Dutch", "is": "Icelandic", "lt": "Lithuanian or Latvian", "ar": "Arabic", "he": "Hebrew", "th": "Thai",
    "sv": "Swedish", "da": "Danish or Norwegian", "fi": "Finnish", "pl": "Polish", "cs": "Czech or Slovak", "hu": "Hungarian",
    "ro": "Romanian", "hr": "Croatian or Slovene",
}  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """A codec, the bytes of its mark to skip, what speaks for it, and the bytes that `rivals` would read otherwise.

    None of the `unsettled` bytes stood where the encoding was told; when one comes, the lines it stands in must decide.
    """

    name: str
    mark: bytes
    why: str
    unsettled: bytes = b""
    rivals: tuple[str, ...] = ()


def detect(head: bytes, name: str, given: str | None, whole: bool) -> Encoding:
    """Decide from the first bytes (`whole`: there are no more); `name` is the file's, for messages.

    Raises `UsageError` for an unknown `--encoding`, `DataError` when no encoding can be vouched for.
    """
    mark, marked = next(((mark, codec) for mark, codec in _MARKS if head.startswith(mark)), (b"", ""))
    if given is not None:
        return _given(given, mark, marked)
    if mark:
        return Encoding(marked, mark, "byte-order mark")
    if not head:
        return Encoding("utf-8", b"", "empty")
    wide = _two_bytes(head, whole)
    if wide is not None:
        return wide
    if head.isascii():
        if _SHIFTED.search(head):
            raise _question(name, ("iso2022_jp", "iso2022_kr"), "it shifts between character sets, as mail does")
        return Encoding("utf-8", b"", "ASCII only")
    sound = _decodes(head, "utf-8", whole)
    if sound and not (len(high := head.translate(None, _ASCII)) <= _FEW and max(high) < 0xE0):
        return Encoding("utf-8", b"", "strict UTF-8")
    return _read(head, name, whole, sound)


def _given(given: str, mark: bytes, marked: str) -> Encoding:
    try:
        codec = codecs.lookup(given).name.removesuffix("-sig")
    except LookupError:
        raise UsageError(f"there is no encoding {given}.", fix="use a name such as utf-8, gb18030, big5 or cp1252.") from None
    family = next((one for one in ("utf-16", "utf-32") if codec.startswith(one)), codec)
    mark = mark if marked.startswith(family) else b""
    if codec == family and family in ("utf-16", "utf-32"):
        codec = marked if mark else f"{family}-le"
    return Encoding(codec, mark, "given by --encoding")


def _decodes(head: bytes, codec: str, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(codec)("strict").decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _two_bytes(head: bytes, whole: bool) -> Encoding | None:
    """UTF-16 without a mark: its ASCII has a zero in every other byte, and all of it is text."""
    zeros = (head[0::2].count(0), head[1::2].count(0))
    codec = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    if not max(zeros) or min(zeros) > len(head) // 100 or not _decodes(head, codec, whole):
        return None
    if max(zeros) > len(head) // 5:
        return Encoding(codec, b"", "every other byte is zero")
    text = codecs.getincrementaldecoder(codec)("strict").decode(head[: 2**16])
    if head.isascii() or any(unicodedata.category(one) in ("Cc", "Cn", "Co", "Cs") for one in set(text) - set("\t\r\n")):
        return None
    found = list(dict.fromkeys(word.encode() for word in re.findall(r"[^\s\x00-\x2f:-@]+", text) if not word.isascii()))[:200]
    best = letters.weigh(found, ("utf-8",))[0]
    if best.gain < _GAIN or best.odd > _ODD:
        return None
    return Encoding(codec, b"", f"a zero beside every ASCII character, and {_reads(best, len(found))}")


def _read(head: bytes, name: str, whole: bool, sound: bool) -> Encoding:
    """Whatever reads best as words; `sound`: it is UTF-8 too, but so short that this may be chance."""
    found = letters.tokens(head, whole)
    weights = letters.weigh(found, CODECS) if found else []
    if sound:
        best = next((one for one in weights if one.odd < _ODD), None)
        unsound = best is not None and best.codec != "utf-8" and best.gain > _GAIN
        unsound = unsound and best.score - next(one.score for one in weights if one.codec == "utf-8") > _LEAD  # type: ignore[union-attr]
        if not unsound:
            return Encoding("utf-8", b"", "strict UTF-8")
        raise _question(name, (best.codec, "utf-8"), "so little of it is not ASCII that more than one fits")  # type: ignore[union-attr]
    if not weights:
        raise _question(name, ("cp1252", "gb18030"), "no words outside ASCII could be cut out of it")
    best, like, close = _sides(weights)
    if best.gain < _GAIN or best.odd > _ODD:
        raise _question(name, _names(weights, [best, *close]), "in none of the encodings clm knows does it read as words")
    if close:
        raise _question(name, _names(weights, [best, *close]), "it reads as words in more than one")
    wide_rivals = [one.codec for one in like if one.codec in WIDE and one.score > best.score - _LEAD]
    if wide_rivals and not whole:
        raise _question(name, (best.codec, *wide_rivals), "its first part reads the same in both")
    order = list(CODECS)
    chosen = min((one for one in (best, *like) if one.score > best.score - _LEAD), key=lambda one: order.index(one.codec))
    rivals = () if chosen.codec in WIDE else tuple(one.codec for one in (best, *like) if one.codec not in (*WIDE, chosen.codec))
    seen = set(b"".join(found))
    unsettled = bytes(byte for byte in range(128, 256) if byte not in seen and _differs(byte, (chosen.codec, *rivals)))
    behind = next((one.codec for one in weights if one is not best and one not in like), None)
    why = _reads(best, len(found)) + (f"; {behind} is next, far behind" if behind else "")
    return Encoding(chosen.codec, b"", why, unsettled, rivals)


def _sides(weights: Sequence[Weight]) -> tuple[Weight, list[Weight], list[Weight]]:
    """The best reading, those that read the very same text, and those that read other text about as well."""
    best = weights[0]
    like = [one for one in weights[1:] if one.text == best.text]
    close = [one for one in weights[1:] if one.text != best.text and one.score > best.score - _LEAD]
    return best, like, close


def _names(weights: Sequence[Weight], among: Sequence[Weight]) -> tuple[str, ...]:
    """Encodings to name: for each different reading `among` them the commonest encoding that gives it."""
    order = list(CODECS)
    texts = dict.fromkeys(one.text for one in among)
    return tuple(min((one.codec for one in weights if one.text == text), key=order.index) for text in texts)


def _differs(byte: int, among: Sequence[str]) -> bool:
    return len({bytes((byte,)).decode(codec, "ignore") for codec in among} - {""}) > 1


def _reads(best: Weight, words: int) -> str:
    sound = round(words * (1 - best.odd))
    known = f", {best.known} of them common ones" if best.known else ""
    return f"{sound} of {words} words with other letters than ASCII read as {_LANGUAGES[best.language]} or the like{known}"


def _question(name: str, likely: Sequence[str], because: str) -> DataError:
    return DataError(
        f"the encoding of {name} cannot be told: {because}.",
        where=name,
        fix="name it: " + " or ".join(f"--encoding {codec}" for codec in likely[:3]),
        code="encoding",
    )


def to_utf8(stream: Iterable[bytes], encoding: Encoding, name: str) -> Iterator[bytes]:
    """The stream as UTF-8 without its mark.

    Raises `DataError` naming the line where the encoding does not hold, or where a rival could be meant.
    """
    skip = len(encoding.mark)
    decoder = codecs.getincrementaldecoder(encoding.name)("strict")
    doubt = _Doubt(encoding, name)
    line = 1
    for block in stream:
        if skip:
            block, skip = block[skip:], max(0, skip - len(block))
        doubt.see(block, line)
        yield from _decoded(decoder, block, False, encoding, name, line)
        line += line_feeds(block)
    yield from _decoded(decoder, b"", True, encoding, name, line)


class _Doubt:
    """Watches for bytes that the rivals of an encoding read otherwise, and lets the lines around them decide."""

    def __init__(self, encoding: Encoding, name: str) -> None:
        self.encoding, self.name = encoding, name
        self._open(encoding.unsettled)

    def _open(self, unsettled: bytes) -> None:
        self.unsettled = unsettled
        self.settled = bytes(byte for byte in range(256) if byte not in unsettled)

    def see(self, block: bytes, line: int) -> None:
        """Raises `DataError` when a doubt arises that the words of this block do not settle."""
        if not self.unsettled or block.isascii() or not (odd := set(block.translate(None, self.settled))):
            return
        pattern = re.compile(b"[%b]" % re.escape(bytes(sorted(odd))))
        found = [token for token in letters.tokens(block, True) if pattern.search(token)]
        first = next(pattern.finditer(block)).start()
        if not found:
            at = max(0, first - 80)
            found = [token for token in letters.tokens(block[at : first + 80], True) if pattern.search(token)]
        weights = letters.weigh(found, (self.encoding.name, *self.encoding.rivals)) if found else []
        best, _, close = _sides(weights) if weights else (None, [], [])
        if best is None or close or best.text != next(one.text for one in weights if one.codec == self.encoding.name):
            likely = _names(weights, [best, *close]) if best else (self.encoding.name, *self.encoding.rivals)
            line += block[:first].count(b"\n")
            raise DataError(
                f"the encoding of {self.name} cannot be told: up to line {line} it could be "
                f"{self.encoding.name} or {' or '.join(self.encoding.rivals[:2])}, which read that line differently.",
                where=f"{self.name}, line {line}",
                fix="name it: " + " or ".join(f"--encoding {codec}" for codec in likely[:3]),
                code="encoding",
            )
        self._open(bytes(byte for byte in self.unsettled if byte not in odd))


def line_feeds(data: bytes) -> int:
    """`data.count(b"\\n")`, which where lines are short takes eight times as long and lets no other thread run meanwhile."""
    import polars as pl
    import pyarrow as pa

    return int((pl.Series(pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])) == 10).sum())


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
        raise _broken(error.object, error.start, encoding, name, line) from None
    if text:
        yield text.encode()


def _broken(data: bytes, start: int, encoding: Encoding, name: str, line: int) -> DataError:
    """Which line breaks the encoding, and which encoding the words from there on are likely in."""
    begin = data.rfind(b"\n", 0, start) + 1
    found = letters.tokens(data[begin : begin + 2**18], True)
    weights = letters.weigh(found, [codec for codec in CODECS if codec != encoding.name]) if found else []
    likely: tuple[str, ...] = ("gb18030", "cp1252")
    if weights:
        best, _, close = _sides(weights)
        if best.gain > 0 and best.odd <= _ODD:
            likely = _names(weights, [best, *close])
    named = " or ".join(f"--encoding {codec}" for codec in likely[:3])
    return DataError(
        f"{name} is not {encoding.name} throughout ({encoding.why}): line {line} holds bytes that do not belong.",
        where=f"{name}, line {line}",
        fix=f"repair that line; or, if the whole file is in another encoding, name it: {named}",
        code="encoding",
    )
