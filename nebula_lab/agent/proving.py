"""What a plugin may be asked besides its operations, where it has a method for it."""

from __future__ import annotations

import inspect
from typing import Any

from nebula_lab.agent.state.asking import call_with_version, method_of, then
from nebula_lab.plugin import HealthState, HealthStatus, PluginError


def self_test(resource: object) -> Any:
    """Run the plugin's `self_test`, where it has one; whether it has.

    Raises:
        PluginError: it returned False or an unhealthy status.
        Exception: whatever it raised.
    """
    test = method_of(resource, "self_test")
    return {"supported": False} if test is None else then(test(), _judged)


def _judged(verdict: Any) -> dict[str, bool]:
    if isinstance(verdict, HealthStatus) and verdict.state is HealthState.UNHEALTHY:
        raise PluginError(f"self_test says that it is unhealthy: {verdict.message or 'no reason'}")
    if type(verdict).__name__ in ("bool", "bool_") and not verdict:  # numpy's, too
        raise PluginError(
            "self_test returned False",
            hint="Raise an error or use assert, to have it say what is wrong.",
        )
    if inspect.isgenerator(verdict) or inspect.isasyncgen(verdict):
        raise PluginError("self_test is a generator and so has tested nothing", hint="No yield.")
    return {"supported": True}


def dependency_reloaded(resource: object, params: Any) -> Any:
    """Tell the plugin of a dependency's new version, where it has a method for that."""
    tell = method_of(resource, "on_dependency_reloaded")
    if tell is None:
        return {"supported": False}
    told = call_with_version(
        tell, (params["plugin_id"], params["version"]), params.get("from_version")
    )
    return then(told, lambda _: {"supported": True})
