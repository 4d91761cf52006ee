"""Sandbox Wasm, as the manager sees it."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.environments.stages import NOBODY, BuildWatcher
from nebula_lab.errors import LoadFailedError, ManagerClosedError
from nebula_lab.model import PluginCapability, SandboxMode
from nebula_lab.sandbox.base import Host, HostSpec, Sandbox
from nebula_lab.sandbox.own_folders import own_folders
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.sandbox.wasm import generic
from nebula_lab.sandbox.wasm.building import Order, refuse_if_given_up
from nebula_lab.sandbox.wasm.host import WasmHost
from nebula_lab.sandbox.wasm.library import engine, kept
from nebula_lab.transport.loop import LoopThread

if TYPE_CHECKING:
    from wasmtime.component import Component

_NOT_THERE = {
    PluginCapability.NETWORK: "the network",
    PluginCapability.PROCESS_SPAWN: "other processes",
}
_LOOKING = 0.1  # seconds between two looks whether a component is still wanted
_ENDING = 1.0  # seconds for a machine that was killed to end
# By the path of the compiled code, which all machines of this process share.
_components: dict[Path, Component] = {}
_loading = threading.Lock()


class WasmSandbox(Sandbox):
    """Gives each plugin a machine.

    Args:
        loop: watches the channels.
        run_folder: plugins' files go there.
        has_fuel: calls have a limit of instructions.
    """

    mode = SandboxMode.WASM

    def __init__(self, loop: LoopThread, run_folder: RunFolder, *, has_fuel: bool = False) -> None:
        self._loop = loop
        self._has_fuel = has_fuel
        self._component: Component | None = None
        self._is_closed = False
        self._run_folder = run_folder
        self._started: weakref.WeakSet[WasmHost] = weakref.WeakSet()

    def is_ready(self) -> bool:
        engine(has_fuel=self._has_fuel)  # it says what to install where there is no wasmtime
        return self._component is not None or generic.is_there(has_fuel=self._has_fuel)

    def get_ready(self, watcher: BuildWatcher) -> None:
        self._built(watcher)

    def stop_preparing(self) -> None:
        self._is_closed = True

    def _built(self, watcher: BuildWatcher) -> Component:
        if self._component is None:
            wanted = BuildWatcher(watcher.tell, lambda: self._is_closed or watcher.is_cancelled())
            try:
                found = _component(Order(self._has_fuel, wanted, self._run_folder.ensured_mark))
            except LoadFailedError:
                if self._is_closed:
                    raise ManagerClosedError("the manager has been closed") from None
                raise
            self._component = found
        return self._component

    def start(self, spec: HostSpec) -> Host:
        _refuse_what_is_not_there(spec)
        # Else there could be ever more of them.
        own = (host for host in self._started if host.plugin_id == spec.plugin_id)
        if any(host.is_left(_ENDING) for host in own):
            raise LoadFailedError(
                "it still waits outside its machine, where it can't be ended, so no other is begun",
                plugin_id=spec.plugin_id,
                hint="Restart the kernel; or run it in sandbox Process, where it can be.",
            )
        folder = self._run_folder.ensure() / f"h{spec.life}"
        host = WasmHost(spec, self._loop, folder, self._built(NOBODY))
        self._started.add(host)
        return host

    def kept_folders(self) -> tuple[Path, ...]:
        return (*own_folders(self._run_folder), generic.folder().resolve())

    def close(self) -> None:
        """The compiled code stays for the next manager of this process."""


def _component(order: Order) -> Component:
    shared = engine(
        has_fuel=order.has_fuel
    )  # first: it says what to install where there is no wasmtime
    from wasmtime.component import Component

    while not _loading.acquire(timeout=_LOOKING):  # another manager's build may take its time
        refuse_if_given_up(order)
    try:
        path = generic.compiled_component(order)
        if path not in _components:
            _components[path] = kept(Component.deserialize_file(shared, str(path)))
        return _components[path]
    finally:
        _loading.release()


def _refuse_what_is_not_there(spec: HostSpec) -> None:
    for capability, what in _NOT_THERE.items():
        if spec.policy.rights.has(capability):
            raise LoadFailedError(
                f"it asks for {what} ({capability.value}), which sandbox Wasm has not got",
                plugin_id=spec.plugin_id,
                hint="Sandbox Process has it, and grants what the configuration allows.",
            )
    files = [one.path for one in spec.grants.given if not Path(one.path).is_dir()]
    if files:
        raise LoadFailedError(
            f"it is granted the file {files[0]}; in sandbox Wasm, only folders can be granted",
            plugin_id=spec.plugin_id,
            hint="Grant a folder in allowed_paths, or run it in sandbox Process.",
        )
