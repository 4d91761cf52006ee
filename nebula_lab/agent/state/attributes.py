"""The state of a plugin that has no methods for it: its public attributes."""

from __future__ import annotations

from typing import Any


class AttributeState:
    """The public attributes of one resource.

    Args:
        resource: whose they are.
        module: the name of the plugin's module.
        config: what the plugin is initialized with.
    """

    def __init__(self, resource: Any, module: str, config: Any) -> None:
        self._resource = resource
        self._module = module
        self._config = config

    def save(self) -> tuple[Any, dict[str, str]]:
        return {}, {}

    def restore(self, state: Any) -> dict[str, str]:
        return {}

    def values(self, state: Any) -> tuple[dict[str, Any], dict[str, str]]:
        return {}, {}
