"""Has a plugin hand over its state and take over its predecessor's, by whichever way it knows."""

from __future__ import annotations

from typing import Any

from nebula_lab.agent.state.asking import call_with_version, method_of, takes_version, then
from nebula_lab.agent.state.attributes import AttributeState
from nebula_lab.agent.state.forms.foreign import changeable
from nebula_lab.plugin import Plugin
from nebula_lab.plugin.plain import to_plain

_NO_RESTORE = (
    "there is no such method, so what save_state gives can't be put back; write both, or neither "
    "to have public attributes carried over"
)
_NO_SAVE = (
    "there is no such method, so nothing is kept; write both, or neither to have public "
    "attributes carried over"
)


class StateKeeping:
    """The state of one resource.

    Args:
        resource: a `Plugin`, or whatever else a plugin is.
        module: the name of the plugin's module.
        config: what the plugin is initialized with.
    """

    def __init__(self, resource: Any, module: str, config: Any) -> None:
        self._resource = resource
        self._attributes = AttributeState(resource, module, config)

    def save(self) -> Any:
        """`how` the state was had, the `state`, and what was `left_out`, by name with the reason.

        Awaitable where the plugin's own method is.

        Raises:
            Exception: whatever the plugin's `save_state` raises.
        """
        save = method_of(self._resource, "save_state")
        restore = method_of(self._resource, "restore_state")
        is_plugin = isinstance(self._resource, Plugin)
        if save is not None:
            lacks = {"restore_state": _NO_RESTORE} if is_plugin and restore is None else {}
            return then(save(), lambda state: _saved("method", to_plain(state), lacks))
        if not is_plugin:
            return self._save_by_operation()
        if restore is not None:
            return _saved("none", None, {"save_state": _NO_SAVE})
        return _saved("attributes", *self._attributes.save())

    def _save_by_operation(self) -> dict[str, Any]:
        # The seed's resources have save_state as an operation; not all of them have it.
        try:
            state = to_plain(self._resource.execute("save_state", {}))
        except Exception as error:  # noqa: BLE001 - which one says «no such operation» is its choice
            reason = f"there is no such method, and the operation failed: {error!r}"
            return _saved("none", None, {"save_state": reason})
        return _saved("operation", state, {})

    def restore(self, params: Any) -> Any:
        """Put a state in the place of what is there; what was `left_out`, by name with the reason.

        Awaitable where the plugin's own method is.

        Args:
            params: what `save` gave, with `from_version`, the version that it is from, and
                `is_final` where no other state follows.

        Raises:
            Exception: whatever the plugin's `restore_state` raises.
        """
        state, version = params["state"], params["from_version"]
        restore = method_of(self._resource, "restore_state")
        if params["how"] == "attributes":
            if restore is None or not takes_version(restore):
                is_final = bool(params.get("is_final"))
                return {"left_out": self._attributes.restore(state, is_final=is_final)}
            values, left_out = self._attributes.values(state)
            restored = restore(values, from_version=version)
            return then(restored, lambda _: {"left_out": left_out})
        if restore is not None:
            restored = call_with_version(restore, (changeable(state),), version)
            return then(restored, lambda _: {"left_out": {}})
        if not isinstance(self._resource, Plugin):
            self._resource.execute("restore_state", changeable(state))
            return {"left_out": {}}
        reason = f"there is no such method in the new code, so what {version} saved was dropped"
        return {"left_out": {"restore_state": reason}}


def _saved(how: str, state: Any, left_out: dict[str, str]) -> dict[str, Any]:
    return {"how": how, "state": state, "left_out": left_out}
