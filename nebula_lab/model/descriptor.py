"""What is known of a plugin before it runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from nebula_lab.model.frozen import Flag, FrozenModel
from nebula_lab.model.python_needs import PythonNeeds
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.rights import RequestedRights, RuntimeOptions
from nebula_lab.model.version import Version
from nebula_lab.plugin.showing import mime_bundle

__all__ = [
    "PluginId",
    "COMPONENT_SUFFIX",
    "SourceLocation",
    "PluginDependency",
    "PluginMetadata",
    "PluginDescriptor",
]

COMPONENT_SUFFIX = ".wasm"
ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


def _checked_id(text: str) -> str:
    if not ID.fullmatch(text):
        raise PydanticCustomError(
            "plugin_id",
            "'{id}' is not a plugin id; an id has at most 100 of the characters A-Z a-z 0-9 _ . - "
            "and starts with a letter or _",
            {"id": text[:100]},
        )
    return text


PluginId = Annotated[str, AfterValidator(_checked_id)]
# Metadata is written by strangers and shown in tables: it has bounds.
_Line = Annotated[str, StringConstraints(max_length=1000)]
_Prose = Annotated[str, StringConstraints(max_length=20_000)]
_Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
MOST_ITEMS = 1000

ID_AND_REQUIREMENT = re.compile(rf"\s*(?P<id>{ID.pattern})\s*(?P<req>.*)", re.DOTALL)
_PRIORITY = re.compile(r"priority:([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a file; lines count from 1, None is the file as a whole."""

    path: Path
    line: int | None = None

    def __str__(self) -> str:
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"


class PluginDependency(FrozenModel):
    """Another plugin that this one calls; the text `base_resource >=1.0` is read too."""

    plugin_id: PluginId
    version_req: VersionReq = VersionReq.parse("*")
    optional: Flag = False
    declared_in: SourceLocation | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if not isinstance(data, str):
            return data
        match = ID_AND_REQUIREMENT.fullmatch(data)
        if match is None:
            raise PydanticCustomError(
                "dependency_text",
                "'{text}' is not a dependency; write an id and a requirement, "
                "such as 'base_resource >=1.0'",
                {"text": data[:60]},
            )
        return {"plugin_id": match["id"], "version_req": match["req"].strip() or "*"}


class PluginMetadata(FrozenModel):
    """What a plugin says of itself to people."""

    author: _Line = ""
    description: _Prose = ""
    license: _Line = ""
    homepage: _Line | None = None
    tags: Annotated[tuple[_Tag, ...], Field(max_length=MOST_ITEMS)] = ()
    min_nebula_version: Version | None = None
    max_nebula_version: Version | None = None

    @property
    def priority(self) -> int:
        """The number in the first tag `priority:N`; 0 without one."""
        matches = (_PRIORITY.fullmatch(tag) for tag in self.tags)
        return next((int(match[1]) for match in matches if match), 0)

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Self:
        low, high = self.min_nebula_version, self.max_nebula_version
        if low is not None and high is not None and low > high:
            raise PydanticCustomError(
                "nebula_versions",
                "min_nebula_version {low} is above max_nebula_version {high}, so no version fits",
                {"low": str(low), "high": str(high)},
            )
        return self


class PluginDescriptor(FrozenModel):
    """One version of one plugin: who it is, where its source is, what it needs.

    The seed's embedded metadata puts the keys of `metadata` beside `id`; that flat form and the
    nested one are both read, but one key may not be in both. `api_version` at the top stands for
    `runtime.api_version`.

    Attributes:
        path: the file or folder with the plugin's source.
        python: the environment of its own that it asks for; None where it runs in the manager's.
        declared_in: where this description was found, for messages.
        rights_declared_in: where in it the rights are, for messages.
    """

    id: PluginId
    name: _Line = ""
    version: Version
    path: Path
    dependencies: Annotated[tuple[PluginDependency, ...], Field(max_length=MOST_ITEMS)] = ()
    metadata: PluginMetadata = PluginMetadata.by_default()
    security: RequestedRights = RequestedRights.by_default()
    runtime: RuntimeOptions = RuntimeOptions.by_default()
    python: PythonNeeds | None = None
    declared_in: SourceLocation | None = None
    rights_declared_in: SourceLocation | None = None

    _repr_mimebundle_ = mime_bundle

    @property
    def is_component(self) -> bool:
        """Whether it is a WebAssembly component, and so runs in WebAssembly wherever it runs."""
        return self.path.suffix == COMPONENT_SUFFIX

    @classmethod
    def known_keys(cls) -> Collection[str]:
        return [*cls.model_fields, *PluginMetadata.model_fields, "api_version"]

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, data: Any) -> Any:
        """Bring the flat form into the nested one, and name a nameless plugin after its id."""
        if not isinstance(data, Mapping):
            return data
        folded = dict(data)
        _move(folded, PluginMetadata.model_fields, "metadata")
        _move(folded, ("api_version",), "runtime")
        if not folded.get("name") and "id" in folded:
            folded["name"] = folded["id"]
        return folded


def _move(document: dict[str, Any], keys: Collection[str], table: str) -> None:
    """Move those `keys` that stand at the top of `document` into its `table`."""
    flat = {key: document.pop(key) for key in keys if key in document}
    if not flat:
        return
    nested = document.get(table, {})
    if isinstance(nested, FrozenModel):
        nested = {key: getattr(nested, key) for key in nested.model_fields_set}
    if not isinstance(nested, Mapping):
        return  # validation says what is wrong with it
    for key in flat:
        if key in nested:
            raise PydanticCustomError(
                "said_twice",
                "'{key}' is at the top level and in '{table}' too; keep one of them",
                {"key": key, "table": table},
            )
    document[table] = {**nested, **flat}
