"""`--fail-if 'PATH OP VALUE'`: a condition on the --json object, parsed before the work, judged after the output is written.

It may not evaluate code: a path, one of six comparisons, a number, share or day.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from clm.errors import UsageError
from clm.tables import COLLAPSED_CODES, FLAGS, REJECT_CODES

_SHAPE = re.compile(r"\s*([\w.\-]+)\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_LEFT_OUT = ("", "rows.", "amount.", "metrics.")
# a code that did not occur counted nothing: that is 0, not an unknown path
_ZERO = {f"rejected.{code}" for code in REJECT_CODES} | {f"collapsed.{code}" for code in COLLAPSED_CODES}
_COUNTED = re.compile(
    r"(?:metrics\.)?(?:flags\.(\w+)|quality\.(?:(flags)|left_out)\.(\w+)\.(?:rows|row_share|amount|amount_share))"
)
_SEE = "run with --json to see what there is"

Bound = Decimal | date


@dataclass(frozen=True)
class Condition:
    text: str
    path: str
    compare: str
    bound: Bound
    share: bool


def parse(text: str) -> Condition:
    """Raises UsageError when it is no condition."""
    match = _SHAPE.fullmatch(text)
    if not match:
        raise UsageError(f"--fail-if cannot read {text!r}", fix="write PATH OP VALUE, such as 'rejected.no_customer > 30%'")
    path, compare, written = match.groups()
    share = written.endswith("%")
    bound: Bound
    try:
        bound = Decimal(written.removesuffix("%"))
        if not bound.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        try:
            bound = date.fromisoformat(written)
        except ValueError:
            raise UsageError(
                f"--fail-if cannot compare with {written!r}",
                fix="the value is a number, a share such as 30%, or a day such as 2024-06-30",
            ) from None
    return Condition(text, path, compare, bound / 100 if share and isinstance(bound, Decimal) else bound, share)


def holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether the condition is true of a --json object. Raises UsageError for a path that is not in it."""
    value, area = _find(condition.path, record)
    if isinstance(condition.bound, date):
        try:
            return _COMPARE[condition.compare](date.fromisoformat(str(value)), condition.bound)
        except ValueError:
            raise UsageError(f"--fail-if: {condition.path} is no day", fix="compare it with a number or a share") from None
    try:
        number = Decimal(str(int(value) if isinstance(value, bool) else value))
    except InvalidOperation:
        raise UsageError(f"--fail-if: {condition.path} is no number", fix=_SEE) from None
    bound = condition.bound
    # what is a share by itself is compared as it stands
    if condition.share and not isinstance(value, float):
        if area not in record:
            raise UsageError(f"--fail-if: {condition.path} has no rows to be a share of", fix="compare it with a number")
        bound *= Decimal(str(record[area]["in"]))
    return _COMPARE[condition.compare](number, bound)


def _find(path: str, record: Mapping[str, Any]) -> tuple[Any, str]:
    """The value at a path, and what a share of it is a share of: the rows in, for money the money in."""
    for prefix in _LEFT_OUT:
        found: Any = record
        for part in (prefix + path).split("."):
            found = _inside(found, part)
        if found is not None and not isinstance(found, Mapping):
            return found, _area(prefix + path)
    area = _area(path)
    if (path.removeprefix(f"{area}.") in _ZERO or _uncounted(path, record)) and area in record:
        return 0, area
    raise UsageError(f"--fail-if: there is no {path} in the --json object", fix=_SEE, code="unknown_path")


def _area(path: str) -> str:
    return "amount" if path.startswith("amount.") or path.endswith(".amount") else "rows"


def _uncounted(path: str, record: Mapping[str, Any]) -> bool:
    """Whether the path counts a flag or a reason that did not occur; a flag may be that of a rule in the settings."""
    match = _COUNTED.fullmatch(path)
    if match is None or "quality" not in record.get("metrics", {}):
        return False
    flag, quality, code = match.groups()
    if not flag and not quality:
        return code in REJECT_CODES or code in COLLAPSED_CODES
    own = (rule.partition("=")[0] for rule in record.get("settings", {}).get("rule", ()))
    return (flag or code) in (*FLAGS, "review", *own)


def _inside(found: Any, part: str) -> Any:
    if isinstance(found, Mapping):
        return found.get(part)
    if isinstance(found, list) and part.isdigit() and int(part) < len(found):
        return found[int(part)]
    return None
