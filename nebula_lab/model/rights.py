"""What a plugin asks for in its manifest: rights under `[security]`, hosting under `[runtime]`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from nebula_lab.model.capability import Capability
from nebula_lab.model.frozen import Count, FrozenModel
from nebula_lab.model.sandbox_mode import SandboxMode

__all__ = ["AllowedPath", "RequestedRights", "RuntimeOptions"]

_MODE_AT_THE_END = re.compile(r"(?P<path>.+):(?P<mode>[a-z]{1,3})", re.DOTALL)
_HOST = re.compile(r"[^\s/:@]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


class AllowedPath(FrozenModel):
    """A file or folder that a plugin may read (`ro`) or also write (`rw`).

    The texts `data` and `data:rw` are read too.
    """

    path: Path
    mode: Literal["ro", "rw"] = "ro"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if isinstance(data, Path):
            return {"path": data}
        if not isinstance(data, str):
            return data
        match = _MODE_AT_THE_END.fullmatch(data)
        # A mistyped mode must not become part of the path and the right quietly less.
        return {"path": match["path"], "mode": match["mode"]} if match else {"path": data}


def _checked_host(host: str) -> str:
    if not _HOST.fullmatch(host):
        raise PydanticCustomError(
            "host",
            "'{host}' is not a host; write a name or address, with a port if only one is meant, "
            "such as 'api.example.org:443'",
            {"host": host[:100]},
        )
    return host


HostName = Annotated[str, AfterValidator(_checked_host)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]


class RequestedRights(FrozenModel):
    """The rights that a plugin asks for; what it gets is for the configuration to say.

    Attributes:
        capabilities: what it wants to do.
        allowed_hosts: whom it wants to reach with Network; everyone without.
        allowed_paths: the files that it wants to use with FileSystem; all without. Relative ones
            are taken from the folder of its manifest.
        allowed_variables: the manager's environment variables that it wants to know.
        sandbox: the least that it wants to be isolated by; None where it does not mind.
    """

    capabilities: tuple[Capability, ...] = ()
    allowed_hosts: tuple[HostName, ...] = ()
    allowed_paths: tuple[AllowedPath, ...] = ()
    allowed_variables: tuple[VariableName, ...] = ()
    sandbox: SandboxMode | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing at all."""
        asked = (
            self.capabilities,
            self.allowed_hosts,
            self.allowed_paths,
            self.allowed_variables,
            self.sandbox,
        )
        return not any(asked)


class RuntimeOptions(FrozenModel):
    """How a plugin wants to be hosted.

    Attributes:
        concurrency: how many operations one host may run at a time.
        replicas: how many hosts share the plugin's calls.
        api_version: the PLUGIN_API_VERSION that it was written for; None when it does not say.
    """

    concurrency: Annotated[Count, Field(le=64)] = 1
    replicas: Annotated[Count, Field(le=64)] = 1
    api_version: Annotated[int, Field(strict=True, ge=0)] | None = None
