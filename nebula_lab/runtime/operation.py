"""The operations of a plugin, as the manager knows them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from nebula_lab.errors import InvalidParamsError, LoadFailedError, PluginError
from nebula_lab.model import CompiledSchema, compile_schema
from nebula_lab.plugin.safe_text import prose
from nebula_lab.plugin.shorten import short_repr

MAX_OPERATIONS = 1000
MAX_TEXT = 10_000
MAX_NAME = 200


class Operation(Struct, frozen=True):
    """One operation.

    Attributes:
        description: one paragraph, by the plugin's author.
        params: the schema of its params, compiled.
        result_schema: JSON Schema of its result, or of each item of a stream, where it says.
        stream: it gives its results one by one.
        is_async: it runs beside other calls of the same plugin.
        idempotent: running it twice does no more than once.
        signature: such as `add(n: int = 1) -> int`.
    """

    name: str
    description: str
    params: CompiledSchema
    result_schema: Mapping[str, Any] | None
    stream: bool
    is_async: bool
    idempotent: bool
    signature: str

    def check(self, plugin_id: str, params: Mapping[str, Any]) -> None:
        """Refuse params that do not fit.

        Raises:
            InvalidParamsError: with the path to the element and what was expected there.
        """
        violation = self.params.check(params)
        if violation is not None:
            raise InvalidParamsError(
                plugin_id=plugin_id,
                operation=self.name,
                element=violation.element,
                expected=violation.expected,
                found=violation.found,
            )

    def python_signature(self) -> inspect.Signature:
        """The params as keyword-only parameters, for completion and help."""
        required = self.params.required
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty
                    if name in required
                    else schema.get("default", None),
                )
                for name, schema in self.params.properties.items()
                if name.isidentifier()
            ]
        )


class Description(Struct, frozen=True):
    """What a plugin says of itself once it runs, checked.

    Attributes:
        operations: by name.
        open: any operation name may be tried, since the plugin decides by itself.
    """

    operations: Mapping[str, Operation]
    open: bool


def read_description(value: Any, plugin_id: str) -> Description:
    """Check what a host says of its plugin; it comes out of a sandbox.

    Raises:
        LoadFailedError: it is not a description, or has a schema that is not allowed.
    """
    try:
        listed = value["operations"]
        if len(listed) > MAX_OPERATIONS:
            raise ValueError(f"{len(listed):,} operations; at most {MAX_OPERATIONS:,} are taken")
        operations = [_operation(entry) for entry in listed]
        return Description({one.name: one for one in operations}, bool(value["open"]))
    except PluginError as error:
        raise LoadFailedError(error.message, plugin_id=plugin_id, hint=error.hint) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LoadFailedError(
            f"its host describes it in a way that can't be read: {error!r}", plugin_id=plugin_id
        ) from error


def _operation(entry: Any) -> Operation:
    name = _name(entry["name"])
    result = entry.get("result_schema")
    return Operation(
        name=name,
        description=_text(entry.get("description", "")),
        params=compile_schema(entry["params_schema"]),
        result_schema=None if result is None else compile_schema(result).schema,
        stream=bool(entry.get("stream")),
        is_async=bool(entry.get("is_async")),
        idempotent=bool(entry.get("idempotent")),
        signature=_text(entry.get("signature", name)),
    )


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_NAME:
        raise ValueError(f"{short_repr(value)} is no name for an operation")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not a {type(value).__name__}")
    return prose(value, MAX_TEXT)  # a proxy has it as its docstring, for `help()` and `?`
