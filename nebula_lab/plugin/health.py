"""How a plugin says that it is well."""

from __future__ import annotations

import enum

from nebula_lab.plugin.frozen import Frozen
from nebula_lab.plugin.showing import mime_bundle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class HealthState(enum.Enum):
    """The three answers to a health check."""

    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    UNHEALTHY = "Unhealthy"


class HealthStatus(Frozen):
    """The answer to a health check: a state, and a message for the person who looks.

    Args:
        state: a `HealthState` or its value, such as `"Degraded"`.
        message: what is wrong; empty when nothing is.

    Raises:
        ValueError: there is no such state.
    """

    __match_args__ = ("state", "message")

    state: HealthState
    message: str
    HEALTHY: ClassVar[HealthStatus]

    def __init__(self, state: HealthState | str, message: str = "") -> None:
        self._fill(HealthState(state), message)

    @classmethod
    def degraded(cls, message: str) -> HealthStatus:
        """It works, but not as it should."""
        return cls(HealthState.DEGRADED, message)

    @classmethod
    def unhealthy(cls, message: str) -> HealthStatus:
        """It does not work."""
        return cls(HealthState.UNHEALTHY, message)

    @property
    def is_healthy(self) -> bool:
        return self.state is HealthState.HEALTHY

    def __str__(self) -> str:
        if not self.message:
            return self.state.value
        from nebula_lab.plugin.safe_text import prose  # whoever prints it has it from a plugin

        return f"{self.state.value}: {prose(self.message)}"

    _repr_mimebundle_ = mime_bundle

    def __repr__(self) -> str:
        if self.is_healthy and not self.message:
            return "HealthStatus.HEALTHY"
        return f"HealthStatus.{self.state.name.lower()}({self.message!r})"


HealthStatus.HEALTHY = HealthStatus(HealthState.HEALTHY)
