"""What pydantic found wrong with a document, told in the document's own terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

__all__ = ["Complaint", "Location", "complaints", "key_path"]

Location = tuple[int | str, ...]
"""Keys and indices that lead to an element of a document."""


class Complaint(Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        location: keys and indices from the top of the document to the element.
        key: the same as text, such as `dependencies[0].version_req`; "" for the whole.
        message: what is wrong with it.
    """

    location: Location
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


def complaints(
    error: ValidationError, document: object, *, within: Location = ()
) -> tuple[Complaint, ...]:
    """Everything that `error` says of `document`, in the order of the model's fields.

    Args:
        within: where `document` stands in a larger one, which locations then start from.
    """
    found = []
    for detail in error.errors(include_url=False):
        location = (*within, *_as_written(detail["loc"], document))
        message = _IN_OUR_WORDS.get(detail["type"]) or detail["msg"].removeprefix("Value error, ")
        # Only what stands in one word is shown: a table may hold passwords.
        if detail["type"] not in _TELLING and isinstance(detail["input"], str | int | float):
            message += f", found {detail['input']!r:.60}"
        found.append(Complaint(location, key_path(location), message))
    return tuple(found)


_IN_OUR_WORDS = {
    "missing": "is missing, and has no default",
    "model_type": "expected a table",
    "dict_type": "expected a table",
    "tuple_type": "expected a list",
}
# Kinds of error whose message shows the value, or has none to show.
_TELLING = frozenset(
    {
        "dependency_text",
        "host",
        "missing",
        "nebula_versions",
        "plugin_id",
        "said_twice",
        "unknown_key",
        "unknown_variant",
        "value_error",
        "variant_without_fields",
    }
)


def key_path(location: Sequence[int | str]) -> str:
    """`dependencies[0].version_req` for `("dependencies", 0, "version_req")`."""
    text = ""
    for element in location:
        if isinstance(element, int):
            text += f"[{element}]"
        else:
            text += f".{element}" if text else element
    return text


def _as_written(location: Location, document: Any) -> Location:
    """`location` without the steps that the model makes and the document does not.

    A descriptor's flat form, for one, has its `tags` at the top and not in `metadata`.
    """
    written: list[int | str] = []
    here = document
    for element in location[:-1]:
        if isinstance(element, str):
            if not isinstance(here, Mapping) or element not in here:
                continue
        elif not isinstance(here, Sequence) or isinstance(here, str) or element >= len(here):
            continue
        here = here[element]
        written.append(element)
    return (*written, *location[-1:])
