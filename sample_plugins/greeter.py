"""A plugin in the bare form: any object with these five methods is one, with no base class."""

from __future__ import annotations

from typing import Any

from nebula_lab.plugin import HealthStatus, PluginError, ResourceMetadata

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {
    "id": "greeter",
    "name": "Greeter",
    "version": "1.0.0",
    "description": "Greets, and shows the contract that every plugin meets.",
    "tags": ["demo"],
}


class Greeter:
    """Decides by itself what its operations are, so the manager knows no schema for them."""

    def initialize(self, config: dict[str, Any]) -> None:
        self.whom = config.get("whom", "world")

    def metadata(self) -> ResourceMetadata:
        return ResourceMetadata("greeter", "Greeter", "1.0.0", ("greeting",))

    def execute(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        match operation:
            case "greet":
                return {"output": f"{params.get('input', 'hello')} {self.whom}"}
            case _:
                raise PluginError(f"unknown operation: {operation}", hint="There is greet.")

    def health_check(self) -> HealthStatus:
        return HealthStatus.HEALTHY

    def cleanup(self) -> None:
        """Nothing to let go of."""


def plugin_entry() -> Greeter:
    return Greeter()
