"""A complete ipykernel that leaves the main thread free for the plugin.

ipykernel's own event loop runs on a second thread. The main thread blocks on the call channel and
runs operations, because SIGINT reaches only the main thread and because a call then needs no hop
through an event loop. Cells that a console sends are handed to the main thread and run there
between operations, so that they can be interrupted too.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.ipkernel import IPythonKernel
from ipykernel.jsonutil import encode_images
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQDisplayPublisher, ZMQInteractiveShell
from traitlets import Type

from nebula_lab.agent.job import current_job
from nebula_lab.agent.server import Server
from nebula_lab.wire.errors import ValueNotSupportedError
from nebula_lab.wire.messages import Display
from nebula_lab.wire.values import encode_value

RunOnMain = Callable[[Callable[[], None]], None]


def _send_display(server: Server, action: str, bundle: dict[str, Any]) -> bool:
    """Send what the running call displays; False where no call runs."""
    job = current_job.get()
    if job is None:
        return False
    try:
        encoded = encode_value(bundle, "display")
    except ValueNotSupportedError:
        text = str(bundle.get("data", {}).get("text/plain", "(a display that can't be sent)"))
        encoded = encode_value({"data": {"text/plain": text}, "metadata": {}, "transient": {}})
    for message in job.flushed():
        server.send(message)
    server.send(Display(job.label, action, encoded))
    return True


class PluginDisplayPublisher(ZMQDisplayPublisher):
    """Sends displays of a call over the channel, and those of a console's cell to the console."""

    server: Server

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **kwargs: Any,
    ) -> None:
        bundle = {
            "data": encode_images(data),
            "metadata": metadata or {},
            "transient": transient or {},
        }
        if not _send_display(self.server, "update" if update else "display", bundle):
            super().publish(data, metadata, transient=transient, update=update, **kwargs)

    def clear_output(self, wait: bool = False) -> None:
        if not _send_display(self.server, "clear", {"data": {}, "wait": wait}):
            super().clear_output(wait)


class PluginDisplayHook(ZMQShellDisplayHook):
    """Shows the value of a cell's last line."""

    server: Server

    def write_format_data(
        self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None
    ) -> None:
        bundle = {"data": encode_images(format_dict), "metadata": md_dict or {}, "transient": {}}
        if current_job.get() is None:
            super().write_format_data(format_dict, md_dict)
        else:
            _send_display(self.server, "display", bundle)

    def finish_displayhook(self) -> None:
        if current_job.get() is None:
            super().finish_displayhook()
        else:
            self.msg = None


class PluginShell(ZMQInteractiveShell):
    """IPython's shell, with the output of a call sent to the caller."""

    display_pub_class = Type(PluginDisplayPublisher)
    displayhook_class = Type(PluginDisplayHook)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        # A cell that came over the channel has its error sent as its answer.
        if current_job.get() is None:
            super()._showtraceback(etype, evalue, stb)


class PluginKernel(IPythonKernel):
    """A kernel whose cells run on the process's main thread, while its loop runs elsewhere."""

    shell_class = Type(PluginShell)
    run_on_main: RunOnMain

    # Signals are the main thread's own affair: see `nebula_lab.agent.interrupts`.
    def pre_handler_hook(self) -> None: ...

    def post_handler_hook(self) -> None: ...

    async def do_execute(self, *args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is not self.shell_channel_thread.parent_thread:
            return await super().do_execute(*args, **kwargs)  # a subshell has a thread of its own
        done: Future[Any] = Future()
        context = contextvars.copy_context()
        cell = super().do_execute(*args, **kwargs)
        self.run_on_main(lambda: _settle(done, lambda: context.run(run_cell_here, cell)))
        return await asyncio.wrap_future(done)


def run_cell_here(cell: Coroutine[Any, Any, Any]) -> Any:
    """Run a cell to its end on this thread's own event loop."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(cell)
    try:
        return loop.run_until_complete(task)
    except KeyboardInterrupt:
        # It came while the loop was waiting, so the cell has not seen it yet.
        task.cancel()
        return loop.run_until_complete(task)
    finally:
        loop.close()


def _settle(done: Future[Any], work: Callable[[], Any]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - the kernel's thread reports it
        done.set_exception(error)


class PluginKernelApp(IPKernelApp):
    """ipykernel's application, for a thread that is not the main one."""

    kernel_class = Type(PluginKernel)
    quiet = True
    # Any value keeps ipykernel from printing how to attach; 1 starts no thread that polls for it.
    parent_handle = 1

    def init_signal(self) -> None: ...

    def init_crash_handler(self) -> None: ...

    def init_path(self) -> None: ...


class KernelThread:
    """Boots the kernel on a thread of its own and keeps its loop running.

    Args:
        server: sends what calls display.
        run_on_main: hands work to the main thread, from any thread.
        arguments: ipykernel's command line, with the connection file.
    """

    def __init__(self, server: Server, run_on_main: RunOnMain, arguments: list[str]) -> None:
        self._server = server
        self._run_on_main = run_on_main
        self._arguments = arguments
        self._ready: Future[PluginKernelApp] = Future()
        self._thread = threading.Thread(target=self._run, name="ipykernel", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Wait until the kernel answers.

        Raises:
            Exception: why it could not boot.
        """
        app = self._ready.result()
        shell = app.kernel.shell
        shell.display_pub.server = self._server
        shell.displayhook.server = self._server
        self._server.run_cell = self._run_cell
        self._server.after_job = _show_figures
        self._app = app
        # zmq makes the files of ipc sockets after the umask, which is the plugin's to use.
        folder = Path(app.abs_connection_file).parent
        for path in folder.iterdir():
            if path.is_socket():
                path.chmod(0o600)

    def _run(self) -> None:
        try:
            asyncio.set_event_loop(asyncio.new_event_loop())
            app = PluginKernelApp.instance()
            app.initialize(self._arguments)
            app.kernel.run_on_main = self._run_on_main
        except BaseException as error:  # noqa: BLE001 - `wait` reports it
            self._ready.set_exception(error)
            return
        self._ready.set_result(app)
        app.start()

    def _run_cell(self, code: str) -> None:
        """Run a cell that came over the channel; what it shows goes to the caller."""
        shell = self._app.kernel.shell
        resident = self._server.resident
        assert resident is not None
        shell.user_ns.setdefault("plugin", resident.resource)
        shell.user_ns.setdefault("module", resident.module)
        result = shell.run_cell(code, store_history=True)
        result.raise_error()


def _show_figures() -> None:
    """Display the figures that the call made with matplotlib's inline back end, if any."""
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None:
        inline.flush_figures()
