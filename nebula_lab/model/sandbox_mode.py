"""The sandboxes that there are, and which isolates by more."""

from __future__ import annotations

from enum import Enum, nonmember
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from nebula_lab.model.frozen import Flag, FrozenModel
from nebula_lab.model.variants import OneOf

__all__ = ["STRENGTH", "AnySandbox", "Container", "Sandbox", "SandboxMode", "Wasm", "mode_of"]

_Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^-\s]\S*$")]


class Container(FrozenModel):
    """The sandbox that is a container.

    Attributes:
        runtime: the program that runs it: "podman", "docker", or the path of one of these.
        image: what it is made of: a name that the runtime knows. Without, one of our own, which is
            made of the Python that runs the manager.
        packages: what is installed in that Python and is to be in our own image too.
        network: the runtime's network for plugins that may reach everyone; without, its usual one.
        kernel: boot a Jupyter kernel in it, for consoles and displays. It takes half a second.
    """

    type: Literal["Container"] = Field(default="Container", repr=False)
    runtime: _Word
    image: _Word | None = None
    packages: tuple[_Word, ...] = ()
    network: _Word | None = None
    kernel: Flag = False

    @property
    def value(self) -> str:
        """The seed's word for it, as an enum member has."""
        return self.type


class Wasm(FrozenModel):
    """The sandbox that is a WebAssembly machine, where anything is said of it.

    Attributes:
        fuel: how many instructions of WebAssembly a call may take; the same call with the same
            fuel comes to the same end.
    """

    type: Literal["Wasm"] = Field(default="Wasm", repr=False)
    fuel: Annotated[int, Field(strict=True, gt=0, lt=2**63)]

    @property
    def value(self) -> str:
        """The seed's word for it, as an enum member has."""
        return self.type


class SandboxMode(Enum):
    """Where a plugin's code runs.

    A setting is NONE, PROCESS, WASM, a `Wasm(fuel=…)` or a `Container(runtime=…)`; all have a
    `value`. CONTAINER names the fourth kind and is no setting of its own, since it lacks the
    runtime.
    """

    NONE = "None"
    PROCESS = "Process"
    WASM = "Wasm"
    CONTAINER = "Container"

    Container = nonmember(Container)
    Wasm = nonmember(Wasm)


AnySandbox = SandboxMode | Container | Wasm


Sandbox = Annotated[
    AnySandbox,
    OneOf(
        "sandbox",
        {
            "None": SandboxMode.NONE,
            "Process": SandboxMode.PROCESS,
            "Wasm": Wasm,
            "Container": Container,
        },
        bare={"Wasm": SandboxMode.WASM},
    ),
]

# A container has what a process has, in files and namespaces of its own. Code in a Wasm machine
# makes no system calls at all: between it and the kernel there is what we import into it.
STRENGTH = {
    SandboxMode.NONE: 0,
    SandboxMode.PROCESS: 1,
    SandboxMode.CONTAINER: 2,
    SandboxMode.WASM: 3,
}


def mode_of(sandbox: AnySandbox) -> SandboxMode:
    """Which of the four a setting is."""
    return sandbox if isinstance(sandbox, SandboxMode) else SandboxMode(sandbox.value)
