"""What is different in what a plugin can do, after a reload."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from nebula_lab.runtime.operation import Description, Operation


class DescriptionChanges(Struct, frozen=True):
    """Operations by what became of them; names in order.

    Attributes:
        added, removed: names.
        changed: name → what is different: how it is called, or what it says of itself.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()

    def lines(self) -> Iterator[str]:
        """In words, a line each."""
        if self.added:
            yield f"new: {', '.join(self.added)}"
        if self.removed:
            yield f"gone: {', '.join(self.removed)}"
        for name, what in self.changed:
            yield f"{name}: {what}"


def description_changes(before: Description, after: Description) -> DescriptionChanges:
    """Compare what two versions of a plugin say of themselves."""
    old, new = before.operations, after.operations
    compared = ((name, _change(old[name], new[name])) for name in sorted({*old} & {*new}))
    return DescriptionChanges(
        tuple(sorted({*new} - {*old})),
        tuple(sorted({*old} - {*new})),
        tuple((name, what) for name, what in compared if what),
    )


def _change(old: Operation, new: Operation) -> str:
    if old.signature != new.signature:
        return f"was {old.signature}, is {new.signature}"
    if old.params.schema != new.params.schema or old.result_schema != new.result_schema:
        return "its schema has changed"
    if (old.stream, old.idempotent) != (new.stream, new.idempotent):
        return f"was {_kind(old)}, is {_kind(new)}"
    return ""


def _kind(operation: Operation) -> str:
    stream = "a stream" if operation.stream else "no stream"
    return f"{stream}, {'idempotent' if operation.idempotent else 'not idempotent'}"
