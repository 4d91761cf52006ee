"""One machine: an instance of a component, with its memory, files and the functions it may call."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from nebula_lab.sandbox.wasm import footprint
from nebula_lab.sandbox.wasm.interruption import Ticker, Watch
from nebula_lab.sandbox.wasm.library import engine

if TYPE_CHECKING:
    import wasmtime
    from wasmtime.component import Component

    from nebula_lab.agent.components.calling import TextFunction

_T = TypeVar("_T")
_EXIT = re.compile(r"exit(?:ed)? with.*?status (-?\d+)|exit code (-?\d+)", re.IGNORECASE)
# A component of a few modules; more is nobody's need.
_MOST_INSTANCES, _MOST_TABLES, _MOST_ELEMENTS = 200, 100, 1_000_000

# What it exports, and the kinds of what each takes.
_FUNCTIONS = {
    "start": ("String",),
    "perform": ("String", "String", "String"),
    "next-item": ("U32",),
    "close-stream": ("U32",),
}
_TEXT_OR_TEXT = ["ResultType", "String", "String"]
_OUT_OF_FUEL = "all fuel consumed"  # in what wasmtime says of that trap
_PLENTY = 2**64 - 1  # instructions, for what is no call of anybody's

# One at a time, so that it is known whose memory is new.
_instantiating = threading.Lock()
_tickers: dict[bool, Ticker] = {}
Functions = Mapping[str, Callable[..., Any]]


class MachineEndedError(Exception):
    """A machine can't be used any more.

    Attributes:
        reason: one sentence.
        exit_code: that it gave, if it ended by itself.
        was_stopped: whether that was because it was to be.
        limit: which one it ran into, by its name in `wire.messages.OBSTACLES`; "" if none.
        words: what wasmtime said.
    """

    def __init__(
        self,
        reason: str,
        *,
        exit_code: int | None = None,
        was_stopped: bool = False,
        limit: str = "",
        words: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code
        self.was_stopped = was_stopped
        self.limit = limit
        self.words = words


class LeftError(Exception):
    """The machine asked to be ended.

    Attributes:
        code: its exit code.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Folder(Struct, frozen=True):
    """A folder that a machine sees.

    Attributes:
        path: what it is.
        name: what it is called there.
        is_writable: whether anything in it can be changed.
    """

    path: Path
    name: str
    is_writable: bool = False


class Confines(Struct, frozen=True):
    """What a machine has.

    Attributes:
        memory: bytes, at most.
        cpu_percent: of one processor, at most; None is unlimited.
        folders: that it sees.
        variables: of its environment.
        fuel: instructions that one call takes, at most; None is unlimited, and not counted.
    """

    memory: int
    cpu_percent: float | None
    folders: tuple[Folder, ...]
    variables: Mapping[str, str]
    fuel: int | None = None


class Machine:
    """An instance, made for one plugin; used by one thread at a time.

    Args:
        component: what it is of.
        confines: what it has.
        functions: what it may call, by interface and name.
        look: asked now and then while it runs for what is wrong; None where nothing is.

    Attributes:
        watch: what it is held to while it runs.
        has_ended: it stopped in the middle of something, and can't be used any more.
        is_running: one of its functions runs, or what that has called.

    Raises:
        MachineEndedError: it could not be made.
    """

    def __init__(
        self,
        component: Component,
        confines: Confines,
        functions: Mapping[str, Functions],
        look: Callable[[], str | None],
    ) -> None:
        import wasmtime
        from wasmtime.component import Linker

        from nebula_lab.agent.components.calling import TextFunction

        self._fuel = confines.fuel
        has_fuel = confines.fuel is not None
        shared = engine(has_fuel=has_fuel)
        self._ticker = _ticker_of(shared, has_fuel=has_fuel)
        self._trap = wasmtime.Trap
        self._error = wasmtime.WasmtimeError
        self._store = store = wasmtime.Store(shared)
        store.set_limits(
            memory_size=confines.memory,
            table_elements=_MOST_ELEMENTS,
            instances=_MOST_INSTANCES,
            tables=_MOST_TABLES,
            memories=_MOST_TABLES,
        )
        store.set_wasi(_wasi(confines))
        self.watch = Watch(store, confines.cpu_percent, look)
        self._linker = linker = Linker(shared)
        linker.add_wasip2()
        with linker.root() as root:
            for interface, table in functions.items():
                with root.add_instance(interface) as host:
                    for name, function in table.items():
                        host.add_func(name, self._called(function))
        self._functions: dict[str, TextFunction] = {}
        self._memories: frozenset[int] = frozenset()
        self.refuel(is_call=False)
        self._raised: BaseException | None = None
        self.is_running = self.has_ended = False
        try:
            with _instantiating:
                before = footprint.memories()
                self._instance = self._guarded(lambda: linker.instantiate(store, component))
                self._memories = footprint.memories() - before
            for name, params in _FUNCTIONS.items():
                found = self._instance.get_func(store, name)
                if found is None:
                    raise MachineEndedError(f"the component does not export {name}")
                self._functions[name] = TextFunction(store, found, params, _TEXT_OR_TEXT)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give its memory back; only while nothing of it runs. Can be called again.

        wasmtime keeps the functions that a store may call as long as there is the store, and these
        keep this object, which keeps the store: nothing else would ever free it.
        """
        self._memories = frozenset()
        self._functions = {}
        self._store.close()
        self._linker.close()

    def memory(self) -> int | None:
        """Bytes that it has written to; None where the system does not tell. Any thread."""
        return footprint.written(self._memories)

    def refuel(self, *, is_call: bool) -> None:
        """Give what comes next its fuel, where there is such a thing.

        Args:
            is_call: it is a call of somebody's, of which the limit speaks.
        """
        if self._fuel is not None:
            self._store.set_fuel(self._fuel if is_call else _PLENTY)

    def look_now(self) -> None:
        """Have it look now whether it is to stop; any thread."""
        self._ticker.now()

    def call(self, name: str, *arguments: Any) -> str:
        """Run a function that the component exports.

        Raises:
            RefusedError: it gave an error.
            MachineEndedError: the machine is of no more use.
            BaseException: what a function that it called has raised; of no more use either.
        """
        answer: str = self._guarded(partial(self._functions[name], *arguments))
        return answer

    def _called(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as wasmtime calls it; what it raises ends what runs, and comes out there.

        wasmtime keeps what a function has raised in one place for all threads, so it gets nothing
        but errors of its own.
        """

        def run(store: Any, *arguments: Any) -> Any:
            try:
                return function(*arguments)
            except BaseException as error:  # noqa: BLE001 - it is raised again
                self._raised = error
                raise self._error("a function of the host raised") from None

        return run

    def _guarded(self, work: Callable[[], _T]) -> _T:
        self.watch.begin()
        self.is_running = True
        self._ticker.begin()
        try:
            return work()
        except (self._trap, self._error) as error:
            self.has_ended = True
            raised, self._raised = self._raised, None
            if isinstance(raised, LeftError):
                reason = f"exited with code {raised.code}"
                raise MachineEndedError(reason, exit_code=raised.code) from None
            if raised is not None:
                raise raised from None
            raise self._ended(str(error)) from error
        finally:
            self._ticker.end()
            self.is_running = False

    def _ended(self, words: str) -> MachineEndedError:
        if self.watch.reason:
            return MachineEndedError(self.watch.reason, was_stopped=self.watch.was_told)
        if _OUT_OF_FUEL in words:
            reason = f"used up the {self._fuel:,} instructions of fuel that a call has"
            return MachineEndedError(reason, limit="fuel")
        found = _EXIT.search(words)
        if found is not None:
            code = int(found.group(1) or found.group(2))
            return MachineEndedError(f"exited with code {code}", exit_code=code)
        first = next((line for line in words.splitlines()[::-1] if line.strip()), "it trapped")
        return MachineEndedError(f"trapped: {first.strip()[:300]}", words=words[:4000])


def _ticker_of(shared: wasmtime.Engine, *, has_fuel: bool) -> Ticker:
    """The one of an engine."""
    return _tickers.setdefault(has_fuel, Ticker(shared.increment_epoch))


def _wasi(confines: Confines) -> Any:
    from wasmtime import WasiConfig

    wasi = WasiConfig()
    wasi.argv = ["plugin"]
    wasi.env = list(confines.variables.items())
    for folder in confines.folders:
        wasi.preopen_dir(str(folder.path), folder.name, folder.is_writable)
    return wasi
