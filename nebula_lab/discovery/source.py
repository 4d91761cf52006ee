"""What a plugin's source says of itself, read from the syntax tree: nothing of it runs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from nebula_lab.discovery.inline_script import InlineScript
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.syntax_tree import syntax_tree

METADATA_NAME = "PLUGIN_METADATA"
METADATA_FUNCTION = "plugin_metadata"
API_VERSION_NAME = "PLUGIN_API_VERSION"
ENTRY_NAME = "plugin_entry"

# The start of each statement that says something, as it stands in the first column.
_DECLARATION = re.compile(
    rb"^(?:\xef\xbb\xbf)?(?:PLUGIN_METADATA|PLUGIN_API_VERSION|def[ \t]+plugin_metadata)\b",
    re.MULTILINE,
)
_API_VERSION_ALONE = re.compile(
    rb"^PLUGIN_API_VERSION[ \t]*(?::[ \t]*int[ \t]*)?=[ \t]*([0-9]{1,9})[ \t\r]*(?:#.*)?$",
    re.MULTILINE,
)
_NEXT_STATEMENT = re.compile(rb"^[A-Za-z_@]", re.MULTILINE)


class SourceMetadata(Struct, frozen=True):
    """The literals with which a source describes its plugin.

    Attributes:
        table: the `PLUGIN_METADATA` dict, or what `plugin_metadata` returns; None without either.
        line: where that table begins, counted from 1.
        key_lines: the line of each key of the table, where it is written as a dict.
        dependency_lines: the line of each element of its `dependencies`, in order.
        api_version: the number that `PLUGIN_API_VERSION` is set to; None when it is not there
            or is not a literal.
        has_entry: whether the source binds `plugin_entry`.
        broken: why the rest of the source can't be read as Python, when it can't although its
            metadata can.
        script: its block of inline metadata, which says what environment it needs.
    """

    table: dict[str, Any] | None = None
    line: int | None = None
    key_lines: Mapping[str, int] = field(default_factory=dict)
    dependency_lines: tuple[int, ...] = ()
    api_version: int | None = None
    has_entry: bool = False
    broken: MetadataLoadError | None = None
    script: InlineScript | None = None


def source_metadata(content: bytes, path: Path) -> SourceMetadata:
    """Read a whole source.

    Args:
        content: the bytes of the file, in the encoding that they declare.
        path: the file, for the errors.

    Raises:
        MetadataLoadError: it is not Python, or its metadata are not literals.
    """
    try:
        tree = _parse(content, path)
    except MetadataLoadError as error:
        tree_above = _declarations(content)
        if tree_above is None:
            raise
        above = _statements_metadata(tree_above.body, path)
        if above.table is None:
            raise
        return replace(above, broken=error)
    return _statements_metadata(tree.body, path)


def declared_metadata(content: bytes, path: Path) -> SourceMetadata:
    """Read only as much of a source as its metadata takes; for one that has a manifest.

    `has_entry` is not filled in, and what follows the metadata is not looked at.

    Raises:
        MetadataLoadError: as `source_metadata`.
    """
    if not any(name.encode() in content for name in (METADATA_NAME, METADATA_FUNCTION)):
        count = content.count(API_VERSION_NAME.encode())
        if count == 0:
            return SourceMetadata()
        if count == 1 and (number := _plain_api_version(content)) is not None:
            return SourceMetadata(api_version=number)
    tree = _declarations(content)
    if tree is None:
        return source_metadata(content, path)
    return _statements_metadata(tree.body, path)


def _plain_api_version(content: bytes) -> int | None:
    """The number in the one line that mentions it, where that needs no parser.

    Most plugins with a manifest have just this line, and parsing is the dearest step of reading
    them. A line in the first column is a statement unless it is within a long string.
    """
    found = _API_VERSION_ALONE.search(content)
    if found is None or any(content.count(q, 0, found.start()) % 2 for q in (b'"""', b"'''")):
        return None
    return int(found[1])


def _declarations(content: bytes) -> ast.Module | None:
    """The source up to the end of its last declaration, or None where that can't be told.

    A statement in the first column that ends where the text before the next one ends is a
    statement of the whole source too, since all before it has been parsed with it.
    """
    ends = [found.end() for found in _DECLARATION.finditer(content)]
    if not ends:
        return None
    following = _NEXT_STATEMENT.search(content, content.find(b"\n", ends[-1]) + 1 or len(content))
    try:
        return syntax_tree(content[: following.start() if following else len(content)])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parse(content: bytes, path: Path) -> ast.Module:
    try:
        return syntax_tree(content)
    except SyntaxError as error:
        raise MetadataLoadError(
            f"is not Python: {error.msg}",
            path=path,
            line=error.lineno,
            hint="Correct the source there; `python -m py_compile` shows the place.",
        ) from None  # Python would print the line, and so whatever the plugin has written there
    except ValueError as error:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1 if b"\0" in content else None
        raise MetadataLoadError(
            f"is not Python: {error}",
            path=path,
            line=line,
            hint="A source is text; remove the null bytes, or leave the file out.",
        ) from error
    except (RecursionError, MemoryError) as error:
        raise MetadataLoadError(
            "holds an expression that is nested too deeply to be parsed",
            path=path,
            hint="Split the expression, or leave the file out with a narrower pattern.",
        ) from error


def _statements_metadata(statements: Sequence[ast.stmt], path: Path) -> SourceMetadata:
    bound = _bindings(statements)
    api_version = _api_version(bound.get(API_VERSION_NAME), path)
    has_entry = ENTRY_NAME in bound
    expression = _assigned(bound.get(METADATA_NAME))
    if expression is None and isinstance(function := bound.get(METADATA_FUNCTION), ast.FunctionDef):
        expression = _returned(function)
    if expression is None:
        return SourceMetadata(api_version=api_version, has_entry=has_entry)
    return SourceMetadata(
        table=_table(expression, path),
        line=expression.lineno,
        key_lines=_key_lines(expression),
        dependency_lines=_dependency_lines(expression),
        api_version=api_version,
        has_entry=has_entry,
    )


def _bindings(statements: Sequence[ast.stmt]) -> dict[str, ast.stmt]:
    """The top-level statement that binds each name; the last one holds, as when it runs."""
    bound: dict[str, ast.stmt] = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=targets):
                bound |= {t.id: statement for t in targets if isinstance(t, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                bound[name] = statement
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                bound[name] = statement
            case ast.ClassDef(name=name):
                bound[name] = statement
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                bound |= {alias.asname or alias.name: statement for alias in names}
    return bound


def _assigned(statement: ast.stmt | None) -> ast.expr | None:
    match statement:
        case ast.Assign(value=value):
            return value
        case ast.AnnAssign(value=value):
            return value
    return None


def _returned(function: ast.FunctionDef) -> ast.expr | None:
    """What a function gives back that does nothing but return, `json.dumps` looked through."""
    body = function.body
    if ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    match body:
        case [ast.Return(value=ast.Call(func=ast.Attribute(attr="dumps"), args=[argument]))]:
            return argument
        case [ast.Return(value=ast.Name(id="PLUGIN_METADATA"))]:
            return None
        case [ast.Return(value=ast.expr() as value)]:
            return value
    # Anything else is computed: the function's own name stands for what can't be read.
    return ast.copy_location(ast.Name(function.name), function)


def _table(expression: ast.expr, path: Path) -> dict[str, Any]:
    try:
        value = ast.literal_eval(expression)
        if isinstance(value, str | bytes):
            value = json.loads(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise MetadataLoadError(
            f"its metadata can't be read without running it: {_reason(error)}",
            path=path,
            line=expression.lineno,
            hint=f"Write {METADATA_NAME} as a literal dict: no names, calls or f-strings.",
        ) from error
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise MetadataLoadError(
            f"its metadata are not a dict with text keys but a {type(value).__name__}",
            path=path,
            line=expression.lineno,
            hint=f'Write {METADATA_NAME} = {{"id": "my_plugin", "version": "1.0.0"}}.',
        )
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"its text is not JSON: {error.msg}"
    if isinstance(error, RecursionError | MemoryError):
        return "it is nested too deeply"
    return "it is not a literal"


def _key_lines(expression: ast.expr) -> dict[str, int]:
    if not isinstance(expression, ast.Dict):
        return {}
    return {
        key.value: key.lineno
        for key in expression.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def _dependency_lines(expression: ast.expr) -> tuple[int, ...]:
    if not isinstance(expression, ast.Dict):
        return ()
    for key, value in zip(expression.keys, expression.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "dependencies":
            elements = value.elts if isinstance(value, ast.List | ast.Tuple) else []
            return tuple(element.lineno for element in elements)
    return ()


def _api_version(statement: ast.stmt | None, path: Path) -> int | None:
    match _assigned(statement):
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return number
        case ast.Constant(value=other, lineno=line):
            raise MetadataLoadError(
                f"its {API_VERSION_NAME} is {other!r}, which is not a whole number",
                path=path,
                line=line,
                hint=f"Write {API_VERSION_NAME} = 1.",
            )
    return None


def mentions_plugin(content: bytes) -> bool:
    """Whether a source has any of the names that make it a plugin, be it in a comment."""
    return any(name.encode() in content for name in (METADATA_NAME, METADATA_FUNCTION, ENTRY_NAME))
