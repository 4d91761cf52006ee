"""Which sandbox a configuration means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from nebula_lab.errors import ConfigError
from nebula_lab.model import Container, PluginConfig, SandboxMode

if TYPE_CHECKING:
    from nebula_lab.sandbox.base import Sandbox
    from nebula_lab.sandbox.run_folder import RunFolder
    from nebula_lab.transport.loop import LoopThread

    MakeSandbox: TypeAlias = Callable[
        [LoopThread, RunFolder, PluginConfig, Callable[[], bool]], Sandbox
    ]


def _in_process(
    loop: LoopThread, run_folder: RunFolder, config: PluginConfig, is_idle: Callable[[], bool]
) -> Sandbox:
    from nebula_lab.sandbox.in_process import InProcessSandbox

    return InProcessSandbox(loop, run_folder)


def _process(
    loop: LoopThread, run_folder: RunFolder, config: PluginConfig, is_idle: Callable[[], bool]
) -> Sandbox:
    from nebula_lab.sandbox.process import ProcessSandbox

    return ProcessSandbox(loop, run_folder, config, is_idle)


# Each is imported when it is chosen: all of an agent comes with the first, which few choose.
_SANDBOXES: dict[SandboxMode, MakeSandbox] = {
    SandboxMode.NONE: _in_process,
    SandboxMode.PROCESS: _process,
}


def sandbox_for(mode: SandboxMode | Container) -> MakeSandbox:
    """What makes the sandbox of a mode.

    Raises:
        ConfigError: this version does not have it.
    """
    make = _SANDBOXES.get(mode) if isinstance(mode, SandboxMode) else None
    if make is None:
        known = " and ".join(known.value for known in _SANDBOXES)
        raise ConfigError(
            f"sandbox {mode.value} is not in this version",
            hint=f"Those that are: {known}.",
        )
    return make
