"""What a component may call in its host: the interface `host` of the world, and a bare WASI."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.components.texts import from_text, to_text
from nebula_lab.agent.job import JobCancelledError, current_job
from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.plain import to_plain
from nebula_lab.wire.errors import ValueNotSupportedError

if TYPE_CHECKING:
    from wasmtime import WasiConfig

    from nebula_lab.agent.server import Server
    from nebula_lab.plugin.host import Context


class HostFunctions:
    """The functions of the interface `host`, for one plugin.

    Args:
        context: carries what the plugin asks for.
        server: carries what its calls print and stream.
    """

    def __init__(self, context: Context, server: Server) -> None:
        self._context = context
        self._server = server
        # Items of a stream whose caller takes none, by the call's number: it gets a list.
        self.collected: list[Any] = []

    def table(self) -> dict[str, Callable[..., Any]]:
        """Each by its name in the world."""
        return {
            "log": self._log,
            "progress": self._progress,
            "output": self._output,
            "call-plugin": self._call_plugin,
            "yield-item": self._yield_item,
        }

    def _log(self, level: str, message: str) -> None:
        self._context.log(message, level)

    def _progress(self, done: float, total: float | None, text: str) -> None:
        self._context.progress(done, total, text)

    def _output(self, stream: str, text: str) -> None:
        self.print(stream, text)

    def print(self, stream: str, text: str) -> None:
        """Show what the component wrote, below the cell that made the call."""
        job = current_job.get()
        for message in job.printed(stream, text) if job is not None else ():
            self._server.send(message)

    def _call_plugin(self, plugin_id: str, operation: str, params: str) -> Any:
        from wasmtime.component import Variant

        try:
            wanted = from_text(params, "what it gives to another plugin")
            result = self._context.call(plugin_id, operation, wanted)
            return Variant("ok", to_text(to_plain(result), "result"))
        except (PluginError, ValueNotSupportedError) as error:
            return Variant("err", str(error))

    def _yield_item(self, item: str) -> bool:
        job = current_job.get()
        value = from_text(item, "an item of its stream")
        if job is None or not job.granted:
            self.collected.append(value)
            return True
        try:
            self._server.await_credit(job)
        except JobCancelledError:
            return False  # it is to end by itself, and its instance stays
        self._server.send_item(job, value)
        return True


def bare_wasi(functions: HostFunctions) -> WasiConfig:
    """What WASI gives to a component: clocks, random numbers and output.

    There are no files, no variables, no arguments, no input and no network.
    """
    from wasmtime import WasiConfig

    wasi = WasiConfig()
    wasi.stdout_custom = _printing(functions, "stdout")
    wasi.stderr_custom = _printing(functions, "stderr")
    return wasi


def _printing(functions: HostFunctions, stream: str) -> Callable[[bytes], int]:
    def write(data: bytes) -> int:
        functions.print(stream, data.decode("utf-8", "replace"))
        return len(data)

    return write
