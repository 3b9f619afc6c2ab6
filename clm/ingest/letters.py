"""Letters: how likely it is that bytes were written in an encoding, by the letters and words they would read as.

It may not decide: it weighs encodings against each other, and each against letters thrown at random.
"""

from __future__ import annotations

import math
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from itertools import pairwise

_WEST, _CENTRE, _RUSSIAN, _GREEK = "de fr es pt it nl sv da fi is", "pl cs hu hr ro de", "ru uk", "el"
_ALL = f"{_WEST} {_CENTRE} tr lt {_RUSSIAN} {_GREEK} ar he th hans hant ja ko"
# codec -> what is written in it, what may also stand in it, and how much likelier than its neighbours it is (natural logarithm)
CODECS: dict[str, tuple[str, str, float]] = {
    "cp1252": (_WEST, "", 0.0),
    "iso8859-15": (_WEST, "", -1.0),
    "mac-roman": (_WEST, "", -2.0),
    "cp850": (_WEST, "", -3.0),
    "cp1250": (_CENTRE, "", 0.0),
    "iso8859-2": (_CENTRE, "", -1.0),
    "cp852": (_CENTRE, "", -3.0),
    "mac-latin2": (_CENTRE, "", -3.0),
    "cp1254": ("tr de fr", "", -3.0),
    "cp1251": (_RUSSIAN, "", 0.0),
    "koi8-r": (_RUSSIAN, "", -1.0),
    "koi8-u": (_RUSSIAN, "", -2.0),
    "cp866": (_RUSSIAN, "", -3.0),
    "iso8859-5": (_RUSSIAN, "", -3.0),
    "mac-cyrillic": (_RUSSIAN, "", -3.0),
    "cp1253": (_GREEK, "", 0.0),
    "iso8859-7": (_GREEK, "", -1.0),
    "cp1255": ("he", "", 0.0),
    "cp1256": ("ar", "", 0.0),
    "cp1257": ("lt", "", 0.0),
    "cp874": ("th", "", 0.0),
    "gb18030": ("hans hant", _ALL, 9.0),  # shops that still write no UTF-8 are mostly Chinese
    "big5hkscs": ("hant", "ja ru el", 0.0),
    "cp932": ("ja", "ru el", 0.0),
    "euc-jp": ("ja", "ru el", -5.0),
    "cp949": ("ko", "ja ru el", 0.0),
    "utf-8": (_ALL, "", 4.0),
}
WIDE = frozenset(("gb18030", "big5hkscs", "cp932", "euc-jp", "cp949", "utf-8"))
_NATIVE = {"hans": "gb2312", "hant": "big5", "ja": "euc-jp", "ko": "euc-kr"}
# lead bytes of the common characters in the language's own character set, and how many there are; then of the others
_LEVELS = {"hans": (0xB0, 0xD7, 3755), "hant": (0xA4, 0xC6, 5401), "ja": (0xB0, 0xCF, 2965), "ko": (0xB0, 0xC8, 2350)}
_FOREIGN = -6.0
_BROKEN = -40.0
_NOISE = 1e-4
_HIGH, _LETTER, _OTHER = -6.5, -3.2, -3.0
_CASE, _INSIDE, _CONTROL, _UNKNOWN = -5.0, -4.0, -25.0, -14.0
_MONEY = frozenset("€£¥")
_APOSTROPHE = "\u2019"
_BESIDE = -2.0
_NATIVE_WIDE = re.compile("[\u3000-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
_SYMBOLS = frozenset("°–—‘’‚“”„«»‹›·•…®™©½¼¾²³×ºª¿¡§№\xa0")
_CJK_MARKS = frozenset("，。、；：？！（）【】《》“”‘’·—…￥「」『』・～％＋－／＆＃　℃㈱")
_TOKEN_ENDS = b"\\t\\n\\r \",;'"
_LONGEST = 300
_FROM_HIGH = re.compile(rb"[\x80-\xff][^%b]{0,%d}" % (_TOKEN_ENDS, _LONGEST))
_BEFORE = re.compile(rb"[^%b]*\Z" % _TOKEN_ENDS)
_PIECE = re.compile(r"[^\W\d_]+")
_WINDOW, _WINDOWS, _FIRST, _MOST = 2**14, 8, 60, 400


@dataclass(frozen=True)
class Weight:
    """What speaks for one encoding: natural logarithms; `gain` is over random letters, `odd` the share that reads as such."""

    codec: str
    score: float
    gain: float
    odd: float
    text: tuple[str, ...]
    known: int
    language: str


def tokens(data: bytes, whole: bool) -> list[bytes]:
    """Different runs of bytes that hold non-ASCII, from eight stretches of the data; none that is cut at its end."""
    found: dict[bytes, None] = {}
    first = next((match.start() for match in re.finditer(rb"[\x80-\xff]", data)), len(data))
    step = max(_WINDOW, (len(data) - first) // _WINDOWS)
    for start in range(first, len(data), step):
        at = start if start == first else data.find(b"\n", start, start + step) + 1
        if start != first and not at:
            continue
        for match in _FROM_HIGH.finditer(data, at, min(len(data), at + _WINDOW)):
            if len(found) >= _MOST * (start - first + step) // max(1, len(data) - first) + _FIRST:
                break
            cut = (match.end() == len(data) and not whole) or match.end() == at + _WINDOW < len(data)
            if cut or match.end() - match.start() > _LONGEST:
                continue
            before = _BEFORE.search(data, max(0, match.start() - 40), match.start())
            found[(before.group() if before else b"") + match.group()] = None
    return list(found)[:_MOST]


def weigh(found: Sequence[bytes], codecs: Iterable[str]) -> list[Weight]:
    """The encodings, most likely first. Those hopeless after the first tokens stay as far behind as they are on these."""
    running = list(codecs)
    out: list[Weight] = []
    best = 0.0
    if len(found) > _FIRST:
        first = [_weigh(found[:_FIRST], codec) for codec in running]
        best = max(one.score for one in first)
        out = [one for one in first if one.score < best + 2 * _BROKEN]
        running = [one.codec for one in first if one.score >= best + 2 * _BROKEN]
    full = sorted((_weigh(found, codec) for codec in running), key=lambda one: -one.score)
    behind = [replace(one, score=full[0].score + one.score - best) for one in out]
    return full + sorted(behind, key=lambda one: -one.score)


def _weigh(found: Sequence[bytes], codec: str) -> Weight:
    native, foreign, prior = CODECS[codec]
    languages = native.split()
    extra = [0.0] * len(languages)
    languages += [language for language in foreign.split() if language not in languages]
    extra += [_FOREIGN] * (len(languages) - len(extra))
    models = [_language(language) for language in languages]
    chance = total = 0.0
    broken = known = 0
    texts: list[str] = []
    read: list[tuple[float, list[float]]] = []
    for token in found:
        noise = _noise(token)
        chance += noise
        try:
            text = token.decode(codec)
        except UnicodeDecodeError:
            total += noise + _BROKEN
            broken += 1
            continue
        texts.append(text)
        words = _PIECE.findall(text)
        rest = _rest(text)
        scores = [sum(map(model.word, words)) + rest + more for model, more in zip(models, extra, strict=True)]
        best = max(range(len(scores)), key=scores.__getitem__)
        known += any(word.lower() in models[best].words for word in words if not word.isascii())
        read.append((noise, scores))
    # most files are in one or two languages: the second look weighs each language by how often it came out best
    often = Counter(max(range(len(scores)), key=scores.__getitem__) for _, scores in read)
    share = [math.log((often[at] + 0.5) / (len(read) + 0.5 * len(languages))) for at in range(len(languages))]
    odd = broken
    for noise, scores in read:
        best_score = max(map(float.__add__, scores, share))
        odd += best_score < noise
        total += _sum(best_score, noise + math.log(_NOISE))
    language = languages[often.most_common(1)[0][0]] if often else ""
    return Weight(codec, total + prior, total - chance, odd / max(1, len(found)), tuple(texts), known, language)


def _sum(left: float, right: float) -> float:
    high, low = max(left, right), min(left, right)
    return high + math.log1p(math.exp(low - high))


def _noise(token: bytes) -> float:
    return sum(_HIGH if byte > 127 else _LETTER if 65 <= (byte & 0xDF) <= 90 else _OTHER for byte in token)


def _rest(text: str) -> float:
    """What the characters that are no letters weigh, and letters that stand where none should; the same in every language."""
    total = 0.0
    around = f" {text} "
    for before, character, after in zip(around, text, around[2:], strict=False):
        if character.isalpha():
            if character > "\x7f" and not _NATIVE_WIDE.match(character):
                total += _BESIDE * (before.isdigit() + after.isdigit())
                total += _BESIDE * (not before.isalpha() and not after.isalpha())
        elif character in _CJK_MARKS:
            total += -6.0
        elif character <= "\x7f":
            total += _OTHER if character >= " " else _CONTROL
        elif character in _MONEY:
            total += -3.0 if not (before.isalpha() or after.isalpha()) else -7.0
        elif character in _SYMBOLS:
            total += -5.5 + _INSIDE * (before.isalpha() and after.isalpha() and character != _APOSTROPHE)
            total += _INSIDE * (before in _SYMBOLS)
        elif unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs"):
            total += _CONTROL
        else:
            total += _UNKNOWN if not "\uff10" <= character <= "\uff19" else -7.0
    return total


class _Language:
    """Which words a language has, and which letters follow which in them."""

    def __init__(self, name: str, words: Sequence[str]) -> None:
        self.name = name
        self.words = frozenset(words)
        self.known = math.log(0.3 / len(self.words))
        self.wide = name in _NATIVE
        self.single: Counter[str] = Counter(character for word in words for character in word)
        self.letters = self.single.total()
        self.pairs: Counter[str] = Counter(pair for word in words for pair in _pairs(word)) if not self.wide else Counter()
        self.firsts: Counter[str] = Counter()
        for pair, count in self.pairs.items():
            self.firsts[pair[0]] += count
        self.cache: dict[str, float] = {}

    def word(self, word: str) -> float:
        low = word.lower()
        spelt = sum(map(self._wide, word)) if self.wide else sum(map(self._pair, _pairs(low))) + _cases(word)
        return _sum(spelt, self.known) if low in self.words else spelt

    def _pair(self, pair: str) -> float:
        found = self.cache.get(pair)
        if found is None:
            first, second = pair[0], pair[1]
            follows = self.pairs[pair] / self.firsts[first] if self.firsts[first] else 0.0
            share = 0.1 if second == "#" else self.single[second] / self.letters
            floor = 2e-4 if second == "#" or second in self.single or "a" <= second <= "z" else 1e-6
            found = self.cache[pair] = math.log(0.85 * follows + 0.1 * share + 0.05 * floor)
        return found

    def _wide(self, character: str) -> float:
        found = self.cache.get(character)
        if found is None:
            found = self.cache[character] = self._of_wide(character)
        return found

    def _of_wide(self, character: str) -> float:
        if character <= "\x7f":
            return -4.5
        share = 0.4 * self.single[character] / self.letters
        if self.name == "ja" and "\u3041" <= character <= "\u30fe":
            return math.log(share + 0.4 / 170)
        if "\uff66" <= character <= "\uff9f":
            return -7.5 if self.name == "ja" else _UNKNOWN
        low, high, size = _LEVELS[self.name]
        try:
            lead = character.encode(_NATIVE[self.name])[0]
        except UnicodeEncodeError:
            return _UNKNOWN - 2
        if self.name == "ko" and not "\uac00" <= character <= "\ud7a3":
            return _UNKNOWN
        if low <= lead <= high:
            return math.log(share + 0.4 / size)
        return math.log(share + 0.02 / 3000) if lead >= low else _UNKNOWN


def _pairs(word: str) -> list[str]:
    closed = f"#{word}#"
    return [closed[at : at + 2] for at in range(len(closed) - 1)]


def _cases(word: str) -> float:
    return sum(_CASE for left, right in pairwise(word) if left.islower() and right.isupper())


@cache
def _tables() -> dict[str, list[str]]:
    folder = resources.files("clm.ingest")
    words = tomllib.loads(folder.joinpath("words.toml").read_text(encoding="utf-8"))
    found = {language: entry["words"].split() for language, entry in words.items()}
    aliases = tomllib.loads(folder.joinpath("aliases.toml").read_text(encoding="utf-8"))
    named = [name.lower() for entry in aliases.values() for kind in entry.values() for name in kind if not name.isascii()]
    for language in ("hans", "hant"):
        found[language] = list(dict.fromkeys(found[language] + [word for name in named for word in _PIECE.findall(name)]))
    return found


@cache
def _language(name: str) -> _Language:
    return _Language(name, _tables()[name])
