"""The contract between a plugin and its host."""

from __future__ import annotations

import abc

from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.frozen import Frozen
from nebula_lab.plugin.health import HealthStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

REQUIRED_METHODS = ("initialize", "metadata", "execute", "health_check", "cleanup")


class ResourceMetadata(Frozen):
    """What a running plugin says of itself.

    Args:
        id: the id that its manifest gives.
        name: the name for people.
        version: a semantic version.
        capabilities: words for what it is good for, such as `("database", "cache")`.
    """

    __match_args__ = ("id", "name", "version", "capabilities")

    id: str
    name: str
    version: str
    capabilities: tuple[str, ...]

    def __init__(
        self,
        id: str,  # noqa: A002 - the field's name in the contract
        name: str = "",
        version: str = "0.0.0",
        capabilities: Iterable[str] = (),
    ) -> None:
        self._fill(id, name or id, version, tuple(capabilities))


class DynamicResource(abc.ABC):
    """What `plugin_entry()` returns; any object with these five methods is one.

    `isinstance` asks for the methods and not for this class as a base.
    """

    @abc.abstractmethod
    def initialize(self, config: dict[str, Any]) -> None:
        """Make ready; called once, before any operation. `config` is the plugin's own part."""

    @abc.abstractmethod
    def metadata(self) -> ResourceMetadata:
        """Say who this is."""

    @abc.abstractmethod
    def execute(self, operation: str, params: dict[str, Any]) -> Any:
        """Run one operation and return its result: JSON values, bytes and datetimes."""

    @abc.abstractmethod
    def health_check(self) -> HealthStatus:
        """Say whether this still works; called often, so be quick."""

    @abc.abstractmethod
    def cleanup(self) -> None:
        """Let go of everything; called once, after the last operation."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        if cls is not DynamicResource:  # having the methods makes nothing a `Plugin`
            return NotImplemented  # type: ignore[no-any-return] # the protocol of `abc`
        return not missing_methods(other)


def missing_methods(resource: object) -> tuple[str, ...]:
    """The methods of `DynamicResource` that an object lacks, in the contract's order."""
    return tuple(name for name in REQUIRED_METHODS if not callable(getattr(resource, name, None)))


def require_resource(resource: object) -> None:
    """Refuse an object that can't serve as a plugin.

    Raises:
        PluginError: it lacks one of the five methods; the message names each.
    """
    missing = missing_methods(resource)
    if missing:
        raise PluginError(
            f"the {type(resource).__name__} that plugin_entry() returned has no "
            f"{', '.join(missing)}",
            hint="Derive it from nebula_lab.plugin.Plugin, which brings all but your operations, "
            f"or write all of {', '.join(REQUIRED_METHODS)}.",
        )
