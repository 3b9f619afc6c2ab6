"""The model file: what a chain learned, as one small JSON document that can be applied to another day's data.

It may not know what a stage makes of its part: the stage checks that. JSON numbers only; no pickle, no code, nothing personal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clm import __version__, strict_json
from clm.digest import identity_of
from clm.errors import ConfigError
from clm.inert import json_text
from clm.tables import STAGE_READS

SCHEMA = 1
NO_MODEL = "no_model"  # the code of the error about JSON that is something else
_MOST_BYTES = 16 << 20
_DEEPEST = 12
_FIX = "make it with --save-model, or take model.json of a run"


@dataclass(frozen=True)
class Model:
    """A checked document: `learned` by stage; `identity` is its hash, for the footer."""

    name: str
    learned: dict[str, dict[str, Any]]
    identity: str

    def of(self, stage: str) -> dict[str, Any]:
        """What the stage learned. Raises ConfigError (78) when the document is another stage's."""
        if stage not in self.learned:
            held = ", ".join(self.learned) or "nothing"
            raise ConfigError(
                f"the model {self.name} holds nothing for {stage}",
                where=f"{self.name}, learned (holds {held})",
                fix=f"make it with `clm {stage} --save-model`, or take model.json of a run",
                code="model_stage",
            )
        return self.learned[stage]


def to_bytes(learned: Mapping[str, dict[str, Any]], as_of: str | None) -> bytes:
    """The document, the same bytes for the same content."""
    document = {"schema": SCHEMA, "clm_version": __version__, "as_of": as_of, "learned": dict(learned)}
    return json_text(document, indent=1).encode() + b"\n"


def read(given: str | Path) -> Model:
    """A model file, held against its schema. Raises ConfigError (78): unreadable, no JSON, newer, unknown stages, NaN."""
    path = Path(given)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ConfigError(f"the model {path.name} cannot be read", where=str(path), fix="check --model") from error
    if len(content) > _MOST_BYTES:
        raise _wrong(path, "is larger than any model")
    return parse(content, path)


def parse(content: bytes, path: Path) -> Model:
    """A model's bytes, held against the schema."""
    try:
        document = strict_json.loads(content)
    except ValueError as error:
        raise _wrong(path, "is not the JSON clm writes") from error
    if not isinstance(document, dict) or not {"schema", "learned"} <= set(document):
        raise _wrong(path, "is no model of clm", NO_MODEL)
    unknown = sorted(set(document) - {"schema", "clm_version", "as_of", "learned"})
    if isinstance(document["schema"], bool) or not isinstance(document["schema"], int) or document["schema"] < 1:
        raise _wrong(path, "has no usable schema")
    if document["schema"] > SCHEMA:
        raise ConfigError(f"the model {path.name} was written by a newer clm", where=str(path), fix="update clm", code="newer")
    if unknown:
        raise _wrong(path, f"has the unknown key {unknown[0][:40]}")
    if not isinstance(document.get("clm_version", ""), str) or not strict_json.day_or_none(document.get("as_of")):
        raise _wrong(path, "has an unusable clm_version or as_of")
    learned = document["learned"]
    if not isinstance(learned, dict) or not all(isinstance(one, dict) for one in learned.values()):
        raise _wrong(path, "holds no stages under learned")
    strange = next((stage for stage in learned if stage not in STAGE_READS), None)
    if strange is not None:
        raise _wrong(path, f"holds the unknown stage {strange[:40]}")
    fault = strict_json.fault(learned, _DEEPEST)
    if fault is not None:
        raise _wrong(path, fault)
    return Model(path.name, learned, identity_of(content))


def _wrong(path: Path, what: str, code: str = "model") -> ConfigError:
    return ConfigError(f"the model {path.name} {what}", where=str(path), fix=_FIX, code=code)
