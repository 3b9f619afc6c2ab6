"""What every message must be, whatever it says: it has a remedy, reads as a sentence, and tells nothing of a person or of Python.

It may not know where a message comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from clm.errors import EXIT_MEANING, ClmError, Exit

# the ids of `tests.logs`, of its customers and their orders, and the marks of `tests.privacy`: no message may hold one
_PERSONAL = re.compile(
    r"(?<![\w-])(C\d{3}|O\d{3}-\d)(?![\w-])|(?i:quillfeather|zephyrine)|1380055\d|11010519491231|622848\d|欧阳翡翠"
)
_PYTHON = re.compile(r"Traceback|\b\w+(Error|Exception)\b|\bNoneType\b|<class|object at 0x|\bNone\b|(?<!')\bnan\b")
_SENTENCE = re.compile(r"[^\s,;:.](\.|…)?$")
_CODE = re.compile(r"[a-z][a-z0-9_]*")
LONGEST = 600


def faults(error: ClmError) -> Iterator[str]:
    """What is wrong with a message."""
    if not error.fix:
        yield "no remedy"
    if error.exit_code in (Exit.DONE, Exit.CONDITION, Exit.BUG) or error.exit_code not in EXIT_MEANING:
        yield f"exit code {error.exit_code}, which is no answer"
    if error.code is not None and not _CODE.fullmatch(error.code):
        yield f"its code {error.code!r} is no word for scripts"
    for name, text in (("what", error.what), ("where", error.where or ""), ("fix", error.fix or "")):
        if text != text.strip() or (name == "what" and not _SENTENCE.search(text)):
            yield f"{name} begins or ends badly"
        if len(text) > LONGEST and name != "where":  # a path is as long as it is
            yield f"{name} is of {len(text)} characters"
        if found := _PYTHON.search(text):
            yield f"{name} speaks Python: {found[0]}"
        if found := _PERSONAL.search(text):
            yield f"{name} tells a personal value: {found[0]}"
