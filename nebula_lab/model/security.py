"""What plugins may do, where they run, and how much they may use."""

from __future__ import annotations

from enum import Enum, nonmember
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from nebula_lab.model.capability import Capability, PluginCapability
from nebula_lab.model.frozen import Count, Flag, FrozenModel
from nebula_lab.model.quantities import ByteCount
from nebula_lab.model.rights import AllowedPath, HostName, VariableName
from nebula_lab.model.variants import OneOf

__all__ = ["Container", "SandboxMode", "Sandbox", "ResourceLimits", "SecurityConfig"]

_GIB = 2**30


class Container(FrozenModel):
    """The sandbox that is a container.

    Attributes:
        runtime: the program that runs it, such as "podman" or "docker".
    """

    type: Literal["Container"] = Field(default="Container", repr=False)
    runtime: Annotated[str, StringConstraints(min_length=1, max_length=200)]

    @property
    def value(self) -> str:
        """The seed's word for it, as an enum member has."""
        return self.type


class SandboxMode(Enum):
    """Where a plugin's code runs.

    A setting is NONE, PROCESS, WASM or a `Container(runtime=…)`; all have a `value`. CONTAINER
    names the fourth kind and is no setting of its own, since it lacks the runtime.
    """

    NONE = "None"
    PROCESS = "Process"
    WASM = "Wasm"
    CONTAINER = "Container"

    Container = nonmember(Container)


Sandbox = Annotated[
    SandboxMode | Container,
    OneOf(
        "sandbox",
        {
            "None": SandboxMode.NONE,
            "Process": SandboxMode.PROCESS,
            "Wasm": SandboxMode.WASM,
            "Container": Container,
        },
    ),
]


_KeyLine = Annotated[
    str,
    # As it is in a file, with its line's end.
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=20_000, pattern=r"^[^\r\n]*$"
    ),
]


class ResourceLimits(FrozenModel):
    """The most that one plugin's host may use, above what the booted host uses by itself.

    Attributes:
        max_memory: bytes.
        max_cpu_percent: per cent of one processor, so two whole ones are 200; None is unlimited.
        max_file_handles: open files, sockets and pipes.
        max_threads: threads and processes together.
        max_scratch: bytes that it may keep in its own folder.
    """

    max_memory: Annotated[ByteCount, Field(gt=0)] = _GIB
    max_cpu_percent: Annotated[float, Field(strict=True, gt=0, le=102_400)] | None = None
    max_file_handles: Count = 256
    max_threads: Count = 64
    max_scratch: Annotated[ByteCount, Field(gt=0)] = _GIB // 4


class SecurityConfig(FrozenModel):
    """What every plugin of a manager is held to.

    Attributes:
        verify_signature: refuse plugins that no trusted key has signed.
        trusted_keys: public keys in the form that OpenSSH writes, as a `.pub` file has them, or
            lines as in an allowed_signers file. They are read when a signature is looked at.
        allowed_signers: a file with more of them, in OpenSSH's format.
        revoked_keys: a file with public keys that are trusted no longer, one a line.
        development: let plugins that were edited after they were signed pass, with a warning. The
            signature itself must be good, and by a key that is trusted.
        sandbox: where plugins run.
        capabilities: what a plugin may be granted, if it asks for it.
        allowed_paths: the files that plugins with FileSystem may use at most; all without.
        allowed_hosts: whom plugins with Network may reach at most; everyone without.
        allowed_variables: the environment variables that plugins may ask for; all without.
        resource_limits: how much a plugin may use.
        strict: refuse to run with a right or limit that can't be enforced on this machine.
    """

    verify_signature: Flag = False
    trusted_keys: tuple[_KeyLine, ...] = ()
    allowed_signers: Path | None = None
    revoked_keys: Path | None = None
    development: Flag = False
    sandbox: Sandbox = SandboxMode.PROCESS
    capabilities: tuple[Capability, ...] = (
        PluginCapability.NETWORK,
        PluginCapability.FILE_SYSTEM,
        PluginCapability.MEMORY_ALLOCATION,
    )
    allowed_paths: tuple[AllowedPath, ...] | None = None
    allowed_hosts: tuple[HostName, ...] | None = None
    allowed_variables: tuple[VariableName, ...] | None = None
    resource_limits: ResourceLimits = ResourceLimits.by_default()
    strict: Flag = True

    def relative_to(self, folder: Path) -> Self:
        """The same, with relative paths taken from `folder` and `~` from home."""
        moved: dict[str, Any] = {
            name: folder / path.expanduser()
            for name in ("allowed_signers", "revoked_keys")
            if (path := getattr(self, name)) is not None
        }
        if self.allowed_paths is not None:
            moved["allowed_paths"] = tuple(
                one.model_copy(update={"path": folder / one.path.expanduser()})
                for one in self.allowed_paths
            )
        return self.model_copy(update=moved)
