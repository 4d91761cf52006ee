"""One instance of a component: its memory, and the functions that it exports."""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.components.halting import Halting
from nebula_lab.agent.components.imports import HostFunctions, bare_wasi
from nebula_lab.agent.load_errors import LoadError

if TYPE_CHECKING:
    from wasmtime import Engine
    from wasmtime.component import Component, Instance, Linker

    from nebula_lab.agent.components.calling import TextFunction

HOST = "nebula:plugin/host@0.1.0"
GUEST = "nebula:plugin/guest@0.1.0"
_FAILURE = ["RecordType", [["error-type", "String"], ["message", "String"]]]
_STATE = ["EnumType", ["healthy", "degraded", "unhealthy"]]
_DONE = ["ResultType", None, _FAILURE]
# What each takes, and the shape of what it gives.
FUNCTIONS: dict[str, tuple[tuple[str, ...], Any]] = {
    "describe": ((), "String"),
    "initialize": (("String",), _DONE),
    "execute": (("String", "String"), ["ResultType", "String", _FAILURE]),
    "health-check": ((), ["RecordType", [["state", _STATE], ["message", "String"]]]),
    "save-state": ((), ["OptionType", "String"]),
    "restore-state": (("String",), _DONE),
    "cleanup": ((), None),
}
# What can be imported: ours, and WASI as bare as it can be.
_PROVIDED = (
    "nebula:plugin/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
)
_MOST_MEMORY = 2**30  # bytes, where the process has no limit of its own
_MOST_OF_A_KIND = 100  # memories, tables and instances within one component


class TrapError(Exception):
    """The component did what WebAssembly does not allow, or was stopped: it is of no more use.

    Attributes:
        is_halt: it was stopped.
    """

    def __init__(self, message: str, *, is_halt: bool) -> None:
        super().__init__(message)
        self.is_halt = is_halt


class GuestInstance:
    """An instance, ready to be called by one thread.

    Args:
        engine: what it runs in.
        component: what it is of.
        shown: the component's file, as people call it.
        functions: what it may call.
        halting: stops it.
        most_memory: bytes that its memories may have; None where its process has a limit.
        call: the number of the call in which it is made.

    Raises:
        LoadError: it is no component of our world.
        TrapError: it did not come up.
    """

    def __init__(
        self,
        engine: Engine,
        component: Component,
        shown: str,
        functions: HostFunctions,
        halting: Halting,
        most_memory: int | None,
        call: int,
    ) -> None:
        from wasmtime import Store, WasmtimeError

        self._halting = halting
        self._escaped: BaseException | None = None
        self._store = Store(engine)
        self._store.set_limits(
            memory_size=_memory_left() if most_memory is None else most_memory,
            instances=_MOST_OF_A_KIND,
            tables=_MOST_OF_A_KIND,
            memories=_MOST_OF_A_KIND,
        )
        self._functions: dict[str, TextFunction] = {}
        try:
            self._store.set_wasi(bare_wasi(functions))
            _require_our_world(component, engine, shown)
            linker = self._linked(engine, functions)
            with self._running(call):
                instance = linker.instantiate(self._store, component)
            self._functions = self._exported(instance, shown)
        except BaseException as error:
            self.close()
            if not isinstance(error, WasmtimeError):
                raise
            if _is_trap(error):
                raise self._trap(error) from error
            raise LoadError(_unfit(shown, str(error))) from error

    def close(self) -> None:
        """Give its memory back; it is of no use afterwards. Can be called again.

        wasmtime keeps the functions that a store calls as long as there is the store, and these
        keep this object, which keeps the store: nothing else would ever free it.
        """
        self._functions = {}
        self._store.close()

    def _linked(self, engine: Engine, functions: HostFunctions) -> Linker:
        from wasmtime.component import Linker

        linker = Linker(engine)
        linker.add_wasip2()
        with linker.root() as root, root.add_instance(HOST) as host:
            for name, function in functions.table().items():
                host.add_func(name, partial(self._in_host, function))
        return linker

    def _exported(self, instance: Instance, shown: str) -> dict[str, TextFunction]:
        from nebula_lab.agent.components.calling import TextFunction

        guest = instance.get_export_index(self._store, GUEST)
        if guest is None:
            raise LoadError(_unfit(shown, f"it does not export {GUEST}"))
        found = {}
        for name, kind in FUNCTIONS.items():
            index = instance.get_export_index(self._store, name, guest)
            function = None if index is None else instance.get_func(self._store, index)
            if function is None:
                raise LoadError(_unfit(shown, f"its {GUEST} has no {name}"))
            try:
                found[name] = TextFunction(self._store, function, *kind)
            except TypeError as error:
                raise LoadError(_unfit(shown, f"of its {name}, {error}")) from error
        return found

    def _in_host(self, function: Callable[..., Any], _store: object, *arguments: Any) -> Any:
        """Do what the component asks for; what is raised comes out where it was called."""
        from wasmtime import WasmtimeError

        try:
            self._halting.asks()
            return function(*arguments)
        except BaseException as error:  # noqa: BLE001 - raised again by `call`
            # wasmtime would keep it in a variable that all threads share, or lose it.
            self._escaped = error
            raise WasmtimeError("the host gave up the call") from None

    def _running(self, call: int) -> AbstractContextManager[None]:
        return self._halting.running(call, partial(self._store.set_epoch_deadline, 1))

    def call(self, number: int, name: str, *arguments: str) -> Any:
        """Call one of the component's functions.

        Args:
            number: the manager's number for the call.
            name: as in the world.
            arguments: that it takes.

        Raises:
            RefusedError: it gave an error.
            TrapError: it did not return; the instance is of no more use.
            BaseException: whatever came out of a function of the host; likewise.
        """
        from wasmtime import WasmtimeError

        function = self._functions[name]
        try:
            with self._running(number):
                return function(*arguments)
        except WasmtimeError as error:
            escaped, self._escaped = self._escaped, None
            if escaped is not None:
                raise escaped from None
            raise self._trap(error) from error

    def _trap(self, error: Exception) -> TrapError:
        text = str(error)
        return TrapError(text, is_halt="wasm trap: interrupt" in text)


def _require_our_world(component: Component, engine: Engine, shown: str) -> None:
    """Refuse what imports something that is not to be had here, and say what that is."""
    for name in component.type.imports(engine):
        if name.startswith("nebula:plugin/") and not _suits(name):
            raise LoadError(_unfit(shown, f"it imports {name}, and the host has {HOST}"))
        if not name.startswith(_PROVIDED):
            why = f"it imports {name}, which no plugin is given; build it without"
            raise LoadError(_unfit(shown, why))


def _suits(name: str) -> bool:
    """Whether an interface of ours is of a version that we have: the middle number is ours."""
    interface, _, version = name.partition("@")
    ours_interface, _, ours = HOST.partition("@")
    return interface == ours_interface and version.split(".")[:2] == ours.split(".")[:2]


def _is_trap(error: Exception) -> bool:
    return "wasm trap" in str(error)


def _unfit(shown: str, why: str) -> str:
    return (
        f"{shown} is no plugin of the world nebula:plugin/plugin@0.1.0: {why}; "
        "`nebula-lab component wit` prints the world that it has to export"
    )


def _memory_left() -> int:
    """Bytes that a component's memories may have: what the process may still take."""
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:
        return _MOST_MEMORY
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text()
        used = int(status.split("VmData:")[1].split(maxsplit=1)[0]) * 1024
        return max(0, soft - used)
    return min(soft, _MOST_MEMORY)
