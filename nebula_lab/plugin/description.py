"""What a plugin tells its host of itself once it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nebula_lab.plugin.docstring import first_paragraph
from nebula_lab.plugin.plugin import Plugin
from nebula_lab.plugin.resource import require_resource


@dataclass(frozen=True)
class OperationSpec:
    """One operation, as callers see it.

    Attributes:
        name: what callers call it.
        description: one paragraph on one line; empty when the author wrote none.
        params_schema: JSON Schema of an object with the params by name.
        result_schema: JSON Schema of the result, or of each item of a stream; None when the
            author did not say what it returns.
        stream: it yields its results one by one.
        is_async: it has to be awaited.
        idempotent: running it twice does no more than once.
        signature: how it is called, such as `add(n: int = 1) -> int`.
    """

    name: str
    description: str
    params_schema: dict[str, Any]
    result_schema: dict[str, Any] | None
    stream: bool = False
    is_async: bool = False
    idempotent: bool = False
    signature: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values, by the names of the attributes."""
        return dict(vars(self))


@dataclass(frozen=True)
class ResourceDescription:
    """A running resource, as its host sees it.

    Attributes:
        operations: those that are known by name.
        open: any operation name may be tried, since the resource decides by itself.
        has_save_state: it has a method that gives its state to a successor.
        has_restore_state: it has a method that takes over a predecessor's. Without either, a
            `Plugin` has its public attributes carried over.
        doc: one paragraph on one line, from the class's docstring.
    """

    operations: tuple[OperationSpec, ...]
    open: bool
    has_save_state: bool
    has_restore_state: bool
    doc: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values, by the names of the attributes."""
        return {**vars(self), "operations": [one.to_dict() for one in self.operations]}


def describe(resource: object) -> ResourceDescription:
    """Say what any resource offers, whether it derives from `Plugin` or not.

    Raises:
        PluginError: it is no resource, or an operation's hints contradict themselves.
    """
    require_resource(resource)
    specs = tuple(resource.operations().values()) if isinstance(resource, Plugin) else ()
    return ResourceDescription(
        operations=specs,
        open=not isinstance(resource, Plugin),
        has_save_state=callable(getattr(resource, "save_state", None)),
        has_restore_state=callable(getattr(resource, "restore_state", None)),
        doc=first_paragraph(type(resource).__dict__.get("__doc__")),
    )
