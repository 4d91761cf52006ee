"""The formats that documents are written in, told apart by the ending of their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nebula_lab.model.syntax import LineFinder

__all__ = ["PARSERS", "Parser"]

# Takes a text; gives its values and their lines, or raises DocumentSyntaxError.
Parser = Callable[[str], tuple[Any, LineFinder]]

# Each parser is imported with the first document in its format: PyYAML alone takes as long as all
# of our own models, and most sessions meet one format.


def _yaml(text: str) -> tuple[Any, LineFinder]:
    from nebula_lab.model.yaml_document import parse_yaml

    return parse_yaml(text)


def _toml(text: str) -> tuple[Any, LineFinder]:
    from nebula_lab.model.toml_document import parse_toml

    return parse_toml(text)


def _json(text: str) -> tuple[Any, LineFinder]:
    from nebula_lab.model.json_document import parse_json

    return parse_json(text)


PARSERS: Mapping[str, Parser] = {".yaml": _yaml, ".yml": _yaml, ".toml": _toml, ".json": _json}
