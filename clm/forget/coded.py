"""Under which keys the customers of a folder's tables are coded, and whether the one that was given is among them.

It may not see a key's secret, nor look for anybody.
"""

from __future__ import annotations

from clm.errors import DataError, UsageError
from clm.forget.folder import Holdings
from clm.forget.tables import KEY, Held


def check(held: Holdings, key_id: str | None) -> None:
    """Raises UsageError when tables hold codes and no key was given, DataError when none is under this one.

    Tables under yet another key are told as left.
    """
    tables = (*held.of_run, *held.loose)
    coded = {key for one in tables for key in _keys_of(one)}
    if coded and key_id is None:
        raise UsageError(
            "the customers of these tables are pseudonymised: without their key nobody can be found",
            where=str(held.folder),
            fix="give the key of the log: --key-file shop.key",
            code="keys",
        )
    if coded and key_id not in coded:
        raise DataError(
            "some tables were pseudonymised under another key",
            where=f"{held.folder}: key {', '.join(sorted(coded))}",
            fix="give that key, one call for each",
            code="keys",
        )
    for one in tables:
        others = _keys_of(one) - {key_id}
        if others:
            held.left.append(
                (one.path.name, f"it is coded under key {', '.join(sorted(others))}: give that in a call of its own")
            )


def _keys_of(one: Held) -> set[str]:
    """The keys of its customers' codes: its own settings', and those of the tables it was made from."""
    records = (one.facts.to_json(), *one.facts.ancestors)
    coded = [
        record["settings"] for record in records if record.get("stage") == "clean" and isinstance(record.get("settings"), dict)
    ]
    return {str(told["key_id"]) for told in coded if told.get("key_id") and KEY in (told.get("pseudonymise") or ())}
