"""The plugin as any component's host sees it: `interface guest` of the world that all have.

Sandbox Wasm itself asks by `perform`: see `Residence`. What Python has and JSON has not comes
through there, and so do tracebacks, cells and items that are asked for one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from nebula_lab.agent.components.texts import from_text, to_text
from nebula_lab.guest.line import flush
from nebula_lab.guest.residence import Residence
from nebula_lab.plugin import PluginError
from nebula_lab.wire.tagged_json import dumps, loads

# What of an operation's description the world has.
_TOLD = (
    "name",
    "description",
    "signature",
    "params_schema",
    "result_schema",
    "stream",
    "idempotent",
)


def _nothing_beside(name: str) -> memoryview:
    raise PluginError(f"the state names a file {name!r}, and has none")


class Ordinary:
    """What the world's functions do, for the plugin that lives here.

    Args:
        residence: has it; it has been started.
        give: takes the next item of a stream, as JSON; false once no more are wanted.
    """

    def __init__(self, residence: Residence, give: Callable[[str], bool]) -> None:
        self._residence = residence
        self._give = give

    def describe(self) -> str:
        told = self._residence.tenant.description.to_dict()
        operations = [
            {key: one[key] for key in _TOLD if one.get(key) is not None}
            for one in told["operations"]
        ]
        return json.dumps({"doc": told.get("doc", ""), "operations": operations})

    def initialize(self, config: str) -> None:
        """Nothing, as `start` has done it, unless it is to be with another configuration."""
        if from_text(config, "config") != self._residence.tenant.context.config:
            raise PluginError("it has been started, and with another configuration")

    def execute(self, operation: str, params: str) -> str:
        result = self._asked("operation", operation, from_text(params, "params"))
        if isinstance(result, Iterator):
            self._stream(result)
            return "null"
        return to_text(result, "result")

    def _stream(self, items: Iterator[Any]) -> None:
        try:
            for item in items:
                flush()
                if not self._give(to_text(item, "item")):
                    return
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
            flush()

    def health(self) -> tuple[str, str]:
        """A state, as the manager calls it, and a message."""
        told = self._asked("health")
        return told["state"], told["message"]

    def save_state(self) -> str | None:
        state = self._asked("save_state")
        return None if state is None else dumps(state, None, "state")

    def restore_state(self, state: str) -> None:
        saved = loads(state, _nothing_beside)
        if not isinstance(saved, dict):
            raise PluginError("the state is none that was saved here")
        # The world does not say which version it is from.
        self._asked("restore_state", "", {**saved, "from_version": "", "is_final": True})

    def cleanup(self) -> None:
        self._asked("cleanup")

    def _asked(self, kind: str, operation: str = "", params: Any = None) -> Any:
        try:
            return self._residence.result_of(kind, operation, params)
        finally:
            flush()
