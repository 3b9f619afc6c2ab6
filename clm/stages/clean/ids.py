"""Ids: the one rule by which text becomes an id, and the shapes that show a value without telling it.

It may not look across rows; everything is an expression that streams.
"""

from __future__ import annotations

import polars as pl

# Excel shows a long number as 1.23E+15 and saves it so: the digits are gone.
DESTROYED = r"^\d(?:[.,]\d+)?[eE]\+\d{2,3}$"
MASKED = r"\*{2,}|[●•]{2,}|^\p{L}\*"
WHOLE_WITH_POINT = r"^-?\d+\.0$"
_ROUNDED = str(2**53)
SHORTEST_ROUNDED = len(_ROUNDED) + len(".0")
_SHAPE_LENGTH = 40
# Nearly every id: printable ASCII that nothing has to be taken off; no plus sign, which a spreadsheet may have put there.
_PLAIN = r"^[0-9A-Za-z#](?:[ -*,-~]*[!-*,-~])?$"


def plain(cell: pl.Expr) -> pl.Expr:
    """Whether the cell is an id as it stands, as nearly all are."""
    return cell.str.contains(_PLAIN)


def tidy(cell: pl.Expr) -> pl.Expr:
    """Trimmed text in NFC; `="1001"` and `'1001` are 1001; nothing is null. `NA` and `NULL` are ids."""
    as_it_stands = plain(cell)
    # a byte-order mark inside a file comes from pasting files together
    odd = pl.when(~as_it_stands).then(cell).str.replace_all("\ufeff", "", literal=True).str.strip_chars()
    bare = odd.str.replace(r'^="(.*)"$', "$1").str.replace(r"^'(.)", "$1").str.strip_chars()
    return pl.when(as_it_stands).then(cell).when(bare != "").then(bare.str.normalize("NFC"))


def unless_nobody(identifier: pl.Expr, ids: tuple[str, ...]) -> pl.Expr:
    """The id, null when it is one of those that stand for nobody, in upper or lower case."""
    return pl.when(~identifier.str.to_lowercase().is_in([one.lower() for one in ids])).then(identifier)


def words(cell: pl.Expr) -> pl.Expr:
    """Trimmed text, null when there is none."""
    bare = cell.str.strip_chars()
    return pl.when(bare != "").then(bare)


def restored(cell: pl.Expr) -> pl.Expr:
    """A text cell of our own CSV export as it was: text that begins with an apostrophe was given one more."""
    return cell.str.strip_prefix("'")


def without_point(identifier: pl.Expr) -> pl.Expr:
    """`17850.0` as `17850`, for columns in which every value is written so."""
    return identifier.str.strip_suffix(".0")


def rounded(identifier: pl.Expr) -> pl.Expr:
    """Whether it is a whole number that a float wrote and may have rounded: from 2 to the power of 53 on."""
    written = pl.when(identifier.str.ends_with(".0")).then(identifier)
    digits = written.str.extract(r"^(\d{16,})\.0$")
    return ((digits.str.len_bytes() > len(_ROUNDED)) | (digits >= _ROUNDED)).fill_null(False)


def shape(cell: pl.Expr) -> pl.Expr:
    """Digits 9, letters a or A, other scripts 字, at most 40 characters: enough to see what is wrong, not whose it is."""
    return (
        cell.str.slice(0, _SHAPE_LENGTH)
        .str.replace_all(r"\p{N}", "9")
        .str.replace_all(r"\p{Lu}", "A")
        .str.replace_all(r"[\p{Ll}\p{Lt}\p{Lm}]", "a")
        .str.replace_all(r"\p{Lo}", "字")
        .str.replace_all(r"\p{C}", "?")
    )
