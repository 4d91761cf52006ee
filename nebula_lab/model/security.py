"""What plugins may do, where they run, and how much they may use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from nebula_lab.model.capability import Capability, PluginCapability
from nebula_lab.model.frozen import Count, Flag, FrozenModel
from nebula_lab.model.quantities import ByteCount
from nebula_lab.model.rights import AllowedPath, HostName, VariableName
from nebula_lab.model.sandbox_mode import STRENGTH, Container, Sandbox, SandboxMode, mode_of

__all__ = ["Container", "SandboxMode", "Sandbox", "ResourceLimits", "SecurityConfig"]

_GIB = 2**30


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
        sandbox: where plugins run, unless one is to be isolated by more.
        sandboxes: plugin id to where it runs instead; nothing that isolates it by less.
        container: how containers are run for plugins that ask for one, where neither of these is
            one; without, by podman.
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
    sandboxes: Mapping[str, Sandbox] = Field(default_factory=dict)
    container: Container | None = None
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

    @model_validator(mode="after")
    def _none_is_weaker(self) -> Self:
        least = STRENGTH[mode_of(self.sandbox)]
        for plugin_id, sandbox in self.sandboxes.items():
            if STRENGTH[mode_of(sandbox)] < least:
                raise PydanticCustomError(
                    "weaker_sandbox",
                    "sandboxes.{plugin}: {less} isolates less than security.sandbox, which is "
                    "{more}; a plugin's own can only isolate it by more",
                    {"plugin": plugin_id, "less": sandbox.value, "more": self.sandbox.value},
                )
        return self

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
