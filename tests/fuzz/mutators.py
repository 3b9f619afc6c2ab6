"""Ways in which files get damaged: each takes bytes, other bytes to mix in and a random generator, and gives bytes.

It may not look at what the bytes mean.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Mutator = Callable[[bytes, bytes, Random], bytes]
_LARGEST = 3_000_000
_MARKS = (
    b'"',
    b'""',
    b"'",
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b",",
    b";",
    b"\t",
    b"|",
    b" ",
    b"\\",
    b"\xff",
    b"\x1a",
)
_CODECS = ("utf-16", "utf-16-be", "utf-16-le", "utf-8-sig", "gb18030", "big5", "cp1252", "mac_roman", "shift_jis", "utf-32")


def _place(data: bytes, random: Random) -> int:
    return random.randrange(len(data) + 1)


def _chunk(data: bytes, random: Random) -> tuple[int, int]:
    start = _place(data, random)
    return start, min(len(data), start + int(random.expovariate(1 / 60)) + 1)


def flip_bytes(data: bytes, other: bytes, random: Random) -> bytes:
    broken = bytearray(data)
    for _ in range(random.choice((1, 3, 20)) if broken else 0):
        broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
    return bytes(broken)


def delete_chunk(data: bytes, other: bytes, random: Random) -> bytes:
    start, end = _chunk(data, random)
    return data[:start] + data[end:]


def repeat_chunk(data: bytes, other: bytes, random: Random) -> bytes:
    start, end = _chunk(data, random)
    return data[:end] + data[start:end] * random.choice((1, 2, 30)) + data[end:]


def insert_marks(data: bytes, other: bytes, random: Random) -> bytes:
    for _ in range(random.choice((1, 2, 2, 12))):
        at = _place(data, random)
        data = data[:at] + random.choice(_MARKS) + data[at:]
    return data


def insert_beside_delimiters(data: bytes, other: bytes, random: Random) -> bytes:
    """Quotes where a reader believes in them: at the edge of a field or a line."""
    edges = [place for place, byte in enumerate(data) if byte in b",;\t|\n"]
    for place in sorted(random.sample(edges, min(len(edges), random.choice((1, 2, 3, 4)))), reverse=True):
        at = place + random.randrange(2)
        data = data[:at] + b'"' + data[at:]
    return data


def truncate(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def behead(data: bytes, other: bytes, random: Random) -> bytes:
    return data[min(_place(data, random), 400) :]


def swap_lines(data: bytes, other: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    for _ in range(random.choice((1, 5)) if lines else 0):
        one, two = random.randrange(len(lines)), random.randrange(len(lines))
        lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def shuffle_cells(data: bytes, other: bytes, random: Random) -> bytes:
    """One line's cells in another order, or cells of it gone."""
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    cells = lines[at].split(b",")
    random.shuffle(cells)
    lines[at] = b",".join(cells[: random.randrange(len(cells) + 1)] if random.random() < 0.5 else cells)
    return b"\n".join(lines)


def join_files(data: bytes, other: bytes, random: Random) -> bytes:
    return random.choice((data + other, other + data, data[: _place(data, random)] + other[_place(other, random) :]))


def change_encoding(data: bytes, other: bytes, random: Random) -> bytes:
    """From some line on, or throughout, another encoding."""
    codec = random.choice(_CODECS)
    start = 0 if random.random() < 0.5 else data.rfind(b"\n", 0, _place(data, random)) + 1
    return data[:start] + data[start:].decode("utf-8", "replace").encode(codec, "replace")


def change_delimiter(data: bytes, other: bytes, random: Random) -> bytes:
    start = data.rfind(b"\n", 0, _place(data, random)) + 1
    changed = data[start:].replace(b",", random.choice((b";", b"\t", b"|", b" ", b",,", b", ")))
    return data[:start] + changed


def change_line_ends(data: bytes, other: bytes, random: Random) -> bytes:
    start = _place(data, random) if random.random() < 0.5 else 0
    return data[:start] + data[start:].replace(b"\n", random.choice((b"\r", b"\r\n", b"\n\n", b"\n\r", b"\r\r\n")))


def huge_field(data: bytes, other: bytes, random: Random) -> bytes:
    at = _place(data, random)
    what = random.choice((b"9", b"x", b'""', b"a,", b"\n", b"1e", b" "))
    # a million empty lines are a million records: large, not damaged
    return data[:at] + what * random.choice((300, 70_000, 70_000 if what == b"\n" else 1_200_000)) + data[at:]


def noise(data: bytes, other: bytes, random: Random) -> bytes:
    """Anything at all, by itself or in the middle, sometimes as UTF-16."""
    made = random.randbytes(random.choice((3, 200, 20_000)))
    if random.random() < 0.5:
        made = b"\xff\xfe" + made
    at = _place(data, random)
    return made if random.random() < 0.3 else data[:at] + made + data[at:]


MUTATORS: tuple[Mutator, ...] = (
    flip_bytes, delete_chunk, repeat_chunk, insert_marks, insert_beside_delimiters, truncate, behead, swap_lines, shuffle_cells,
    join_files, change_encoding, change_delimiter, change_line_ends, huge_field, noise,
)  # fmt: skip


def damaged(data: bytes, other: bytes, random: Random) -> tuple[bytes, str]:
    """One to three kinds of damage, and their names."""
    names = []
    for mutate in random.sample(MUTATORS, random.choice((1, 1, 2, 3))):
        data = mutate(data, other, random)[:_LARGEST]
        names.append(mutate.__name__)
    return data, "+".join(names)
