"""Which sandbox a setting means."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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


def _wasm(
    loop: LoopThread, run_folder: RunFolder, config: PluginConfig, is_idle: Callable[[], bool]
) -> Sandbox:
    from nebula_lab.sandbox.wasm.sandbox import WasmSandbox

    return WasmSandbox(loop, run_folder)


# Each is imported when it is chosen: all of an agent comes with the first, which few choose.
_SANDBOXES: dict[SandboxMode, MakeSandbox] = {
    SandboxMode.NONE: _in_process,
    SandboxMode.PROCESS: _process,
    SandboxMode.WASM: _wasm,
}


def sandbox_for(mode: SandboxMode | Container) -> MakeSandbox:
    """What makes the sandbox of a setting.

    Raises:
        ConfigError: this version does not have it.
    """
    if isinstance(mode, Container):
        return partial(_container, mode)
    make = _SANDBOXES.get(mode)
    if make is None:
        known = ", ".join([*(known.value for known in _SANDBOXES), SandboxMode.CONTAINER.value])
        raise ConfigError(
            f"sandbox {mode.value} is not in this version",
            hint=f"Those that are: {known}.",
        )
    return make


def _container(
    settings: Container,
    loop: LoopThread,
    run_folder: RunFolder,
    config: PluginConfig,
    is_idle: Callable[[], bool],
) -> Sandbox:
    from nebula_lab.sandbox.container.sandbox import ContainerSandbox

    return ContainerSandbox(loop, run_folder, settings, config, is_idle)
