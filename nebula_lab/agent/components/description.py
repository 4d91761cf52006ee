"""What a component says of its operations, as a host passes it on."""

from __future__ import annotations

from typing import Any

from nebula_lab.agent.components.texts import GuestError, from_text
from nebula_lab.agent.load_errors import LoadError
from nebula_lab.plugin import OperationSpec, ResourceDescription

_REQUIRED: dict[str, type] = {"name": str, "params_schema": dict}
_OPTIONAL: dict[str, type] = {
    "description": str,
    "result_schema": dict,
    "stream": bool,
    "idempotent": bool,
    "signature": str,
}


def described(text: str, shown: str) -> ResourceDescription:
    """The description that a component's `describe` gave.

    Whether its schemas are allowed is for the manager to say, as with every plugin.

    Raises:
        LoadError: it makes no sense.
    """
    try:
        said = from_text(text, "what its describe gives")
        _require(isinstance(said, dict), "it is not an object")
        _require(not said.keys() - {"doc", "operations"}, "it has keys besides doc and operations")
        operations, doc = said.get("operations", []), said.get("doc", "")
        _require(isinstance(operations, list), "its operations are not a list")
        _require(isinstance(doc, str), "its doc is not a text")
        specs = tuple(_operation(one, number) for number, one in enumerate(operations))
    except GuestError as error:
        raise LoadError(f"{shown} describes itself in a way that can't be read: {error}") from error
    return ResourceDescription(
        specs, open=False, has_save_state=True, has_restore_state=True, doc=doc
    )


def _operation(said: Any, number: int) -> OperationSpec:
    at = f"operations[{number}]"
    _require(isinstance(said, dict), f"{at} is not an object")
    for key, kind in _REQUIRED.items():
        _require(isinstance(said.get(key), kind), f"{at} has no {key}, or one of another type")
    for key, value in said.items():
        wanted = _OPTIONAL.get(key) or _REQUIRED.get(key)
        _require(wanted is not None, f"{at} has the key {key!r}, which no operation has")
        _require(wanted is not None and isinstance(value, wanted), f"{at}.{key} is of another type")
    return OperationSpec(
        name=said["name"],
        description=said.get("description", ""),
        params_schema=said["params_schema"],
        result_schema=said.get("result_schema"),
        stream=said.get("stream", False),
        idempotent=said.get("idempotent", False),
        signature=said.get("signature", said["name"]),
    )


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise GuestError(otherwise)
