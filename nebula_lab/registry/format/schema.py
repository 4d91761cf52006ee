"""JSON Schemas of the documents, for those who make or read them in other languages.

They are shipped as `schemas/*.schema.json`. `python -m nebula_lab.registry.format.schema` writes
them anew after a change of the documents; a test holds them to these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from nebula_lab.registry.format.documents import Index, PluginDocument

__all__ = ["SCHEMAS", "schema_text", "shipped"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: Mapping[str, type[Index | PluginDocument]] = {
    "index.schema.json": Index,
    "plugin.schema.json": PluginDocument,
}


def schema_text(kind: type[Index | PluginDocument]) -> str:
    """The schema of a document, one way only."""
    schema = {"$schema": _DIALECT, **msgspec.json.schema(kind)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def shipped(name: str) -> Traversable:
    """A schema as it is shipped."""
    return files("nebula_lab.registry.format").joinpath("schemas", name)


if __name__ == "__main__":
    for file_name, document in SCHEMAS.items():
        Path(str(shipped(file_name))).write_text(schema_text(document), encoding="utf-8")
