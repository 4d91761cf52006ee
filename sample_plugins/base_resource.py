"""A key-value store that other plugins share, and the simplest plugin with a state of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from nebula_lab.plugin import Bounds, Plugin, PluginError, operation

PLUGIN_API_VERSION = 1

Key = Annotated[str, Bounds(min_length=1, max_length=200), "such as 'my_plugin/last_run'"]


@dataclass(frozen=True)
class Summary:
    """What the store holds."""

    entries: int
    capacity: int
    owners: list[str]


class BaseResource(Plugin):
    """Keeps named values for its dependents: what one plugin puts, any other can get."""

    def initialize(self, config: dict[str, Any]) -> None:
        self._capacity = int(config.get("capacity", 10_000))
        self._values: dict[str, Any] = {}

    @operation(idempotent=True)
    def put(self, key: Key, value: Any) -> None:
        """Keep a value under a key, in place of what was there."""
        if key not in self._values and len(self._values) >= self._capacity:
            raise PluginError(
                f"the store is full: {self._capacity} entries",
                hint="Remove some, or set base_resource.capacity in the configuration.",
            )
        self._values[key] = value

    @operation(idempotent=True)
    def get(self, key: Key, default: Any = None) -> Any:
        """The value under a key, or the default if there is none."""
        return self._values.get(key, default)

    @operation(idempotent=True)
    def remove(self, key: Key) -> bool:
        """Forget a key; whether there was one."""
        return self._values.pop(key, self) is not self

    @operation(idempotent=True)
    def keys(self, prefix: str = "") -> list[str]:
        """All keys that start with a prefix, sorted."""
        return sorted(key for key in self._values if key.startswith(prefix))

    @operation(idempotent=True)
    def describe(self) -> Summary:
        """How much is kept, and whose it is: the part of each key before its first slash."""
        owners = sorted({key.split("/", 1)[0] for key in self._values})
        return Summary(len(self._values), self._capacity, owners)

    def save_state(self) -> dict[str, Any]:
        return {"values": self._values}

    def restore_state(self, state: dict[str, Any]) -> None:
        self._values = dict(state["values"])


def plugin_entry() -> BaseResource:
    return BaseResource()
