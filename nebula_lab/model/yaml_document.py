"""YAML text into plain values, with lines."""

from __future__ import annotations

from typing import Any

import yaml

from nebula_lab.model.complaints import Location
from nebula_lab.model.syntax import DocumentSyntaxError, LineFinder, too_deep

__all__ = ["parse_yaml", "yaml_line"]


def parse_yaml(text: str) -> tuple[Any, LineFinder]:
    """What `text` says, and where. An empty document is an empty table.

    Raises:
        DocumentSyntaxError: it is not YAML, names a type beyond plain values, or says one key
            twice, which PyYAML would let pass and take the last.
    """
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return {}, lambda location: None
        _refuse_repeats(root)
        return loader.construct_document(root), lambda location: _line(root, location)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentSyntaxError(
            f"not valid YAML: {error.problem or error.context}",
            line=mark.line + 1 if mark is not None else None,
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise DocumentSyntaxError(f"not valid YAML: {error}") from None
    except RecursionError:
        raise too_deep() from None
    finally:
        loader.dispose()


def yaml_line(text: str, location: Location) -> int | None:
    """The line, from 1, of the element at `location`, or of the nearest one around it."""
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
    except (yaml.YAMLError, RecursionError):
        return None
    finally:
        loader.dispose()
    return None if root is None else _line(root, location)


def _line(root: yaml.Node, location: Location) -> int:
    node, line = root, root.start_mark.line
    for element in location:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(element)), None)
            if pair is not None:
                line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(element, int):
            node = node.value[element]
            line = node.start_mark.line
    return line + 1


def _refuse_repeats(root: yaml.Node) -> None:
    """Raise if a table has a key twice; an anchored table is looked at once."""
    waiting, seen = [root], {id(root)}
    while waiting:
        node = waiting.pop()
        children = []
        if isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                # Several merges in one table are legal YAML.
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    if key.value in keys:
                        raise DocumentSyntaxError(
                            f"the key {key.value!r} is there twice",
                            line=key.start_mark.line + 1,
                            hint="Keep one of them.",
                        )
                    keys.add(key.value)
                children.append(value)
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        for child in children:
            if id(child) not in seen:
                seen.add(id(child))
                waiting.append(child)
