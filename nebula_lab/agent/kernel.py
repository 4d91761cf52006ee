"""A complete ipykernel that leaves the main thread free for the plugin.

ipykernel's own event loop runs on a second thread. The main thread blocks on the call channel and
runs operations, because SIGINT reaches only the main thread and because a call then needs no hop
through an event loop. Cells that a console sends are handed to the main thread and run there
between operations, so that they can be interrupted too.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from ipykernel.iostream import IOPubThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets import Type
from traitlets.config import Config
from zmq.constants import SocketType

from nebula_lab.agent.cells import CellStoppedError, ConsoleCell, current_cell
from nebula_lab.agent.debugger import PluginDebugger
from nebula_lab.agent.displays import PluginDisplayHook, PluginDisplayPublisher
from nebula_lab.agent.job import current_job
from nebula_lab.agent.kernel_modules import imported_until_now
from nebula_lab.agent.resident import Resident
from nebula_lab.agent.server import Server
from nebula_lab.agent.steps import Steps

_INLINE = "matplotlib_inline.backend_inline"
PutCell = Callable[[ConsoleCell], None]


class PluginShell(ZMQInteractiveShell):
    """IPython's shell, with the output of a call sent to the caller."""

    server: Server

    display_pub_class = Type(PluginDisplayPublisher)
    displayhook_class = Type(PluginDisplayHook)

    async def run_cell_async(self, *args: Any, **kwargs: Any) -> Any:
        work = super().run_cell_async(*args, **kwargs)
        cell = current_cell.get()
        # ipykernel makes a cell with an `await` a task of its own, which is to be stopped too.
        return await (work if cell is None else Steps(work, self.server, cell))

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        # A cell that came over the channel has its error sent as its answer.
        if current_job.get() is None:
            super()._showtraceback(etype, evalue, stb)


class PluginKernel(IPythonKernel):
    """A kernel whose cells run on the process's main thread, while its loop runs elsewhere."""

    shell_class = Type(PluginShell)
    debugger_class = Type(PluginDebugger)
    put_cell: PutCell
    _cell: ConsoleCell | None = None

    # Signals are the main thread's own affair: see `nebula_lab.agent.interrupts`.
    def pre_handler_hook(self) -> None: ...

    def post_handler_hook(self) -> None: ...

    async def do_execute(self, *args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is not self.shell_channel_thread.parent_thread:
            return await super().do_execute(*args, **kwargs)  # a subshell has a thread of its own
        cell = ConsoleCell(super().do_execute(*args, **kwargs), self.shell.server)
        self._cell = cell
        self.put_cell(cell)
        try:
            return await asyncio.wrap_future(cell.done)
        except CellStoppedError as error:
            return self._reply_to_stopped(error)
        finally:
            self._cell = None

    def _reply_to_stopped(self, error: CellStoppedError) -> dict[str, Any]:
        return {
            "status": "error",
            "ename": type(error.__cause__ or error).__name__,
            "evalue": str(error),
            "traceback": [str(error)],
            "execution_count": self.shell.execution_count,
            "user_expressions": {},
            "payload": [],
        }

    def _send_interrupt_children(self) -> None:
        # The signal alone would say nothing: see `nebula_lab.agent.interrupts`.
        if self._cell is not None:
            self._cell.interrupt()
        # A host that starts no processes may signal itself and not its group, so it does that.
        with contextlib.suppress(PermissionError):
            super()._send_interrupt_children()


class PluginKernelApp(IPKernelApp):
    """ipykernel's application, for a thread that is not the main one."""

    kernel_class = Type(PluginKernel)
    quiet = True
    # Descriptors 1 and 2 are the manager's: what is written there has to survive a crash.
    capture_fd_output = False
    # Any value keeps ipykernel from printing how to attach; 1 starts no thread that polls for it.
    parent_handle = 1

    def init_iopub(self, context: Any) -> None:
        # ipykernel's own listens on a TCP port for what forked processes print, which anyone on
        # the machine could write to. Theirs goes to the pipe behind descriptor 1 here.
        self.iopub_socket = context.socket(SocketType.XPUB)
        self.iopub_socket.linger = 1000
        # A trait of a base class that mypy does not follow.
        port: int = self.iopub_port  # type: ignore[has-type]
        self.iopub_port = self._bind_socket(self.iopub_socket, port)
        self.configure_tornado_logger()
        self.iopub_thread = IOPubThread(self.iopub_socket, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def parse_command_line(self, argv: list[str]) -> None:
        """Take the connection file and IPython's folder; there are no options.

        A parser for a kernel's hundred options takes longer to build than the kernel's sockets.
        """
        self.connection_file, self.ipython_dir = argv
        self.update_config(Config({"HistoryManager": {"hist_file": ":memory:"}}))

    def init_code(self) -> None:
        """Run what IPython's own configuration says, as IPython does.

        But for its last step, which takes a set of the names of all modules.
        """
        self._run_startup_files()
        self._run_exec_lines()
        self._run_exec_files()
        if self.hide_initial_ns:
            self.shell.user_ns_hidden.update(self.shell.user_ns)
        self._run_cmd_line_code()
        self._run_module()
        sys.stdout.flush()
        sys.stderr.flush()
        self.shell._sys_modules_keys = imported_until_now()

    def init_signal(self) -> None: ...

    def init_crash_handler(self) -> None: ...

    def init_path(self) -> None: ...


class KernelThread:
    """Boots the kernel on a thread of its own and keeps its loop running.

    Args:
        server: sends what calls display.
        put_cell: hands a cell to the main thread, from any thread.
        arguments: the connection file and IPython's folder.
    """

    def __init__(self, server: Server, put_cell: PutCell, arguments: list[str]) -> None:
        self._server = server
        self._put_cell = put_cell
        self._arguments = arguments
        self._ready: Future[PluginKernelApp] = Future()
        self._thread = threading.Thread(target=self._run, name="ipykernel", daemon=True)
        # It answers while the others stand at a breakpoint, as the control channel's thread does.
        self._thread.pydev_do_not_trace = True  # type: ignore[attr-defined]

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
        self._server.on_loaded = self._bind
        self._server.after_job = _show_figures
        self._server.has_more_to_show = partial(sys.modules.get, _INLINE)
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
            app.kernel.put_cell = self._put_cell
            app.kernel.shell.server = self._server
        except BaseException as error:  # noqa: BLE001 - `wait` reports it
            self._ready.set_exception(error)
            return
        self._ready.set_result(app)
        app.start()
        # A client asked the kernel to shut down, so the plugin's host ends, and the manager sees.
        with contextlib.suppress(Exception):
            app.close()
        os.write(2, b"The kernel was shut down by a Jupyter client.\n")
        os._exit(0)

    def _bind(self, resident: Resident) -> None:
        """Give cells and consoles the names of the plugin, unless they use these themselves."""
        names = self._app.kernel.shell.user_ns
        names.setdefault("plugin", resident.resource)
        if resident.module is not None:
            names.setdefault("module", resident.module)

    def _run_cell(self, code: str) -> Any:
        """Run a cell that came over the channel; what it shows goes to the caller.

        On a thread whose event loop runs, this gives a coroutine.
        """
        shell = self._app.kernel.shell
        assert self._server.resident is not None
        self._bind(self._server.resident)
        if _is_in_event_loop():
            return _run_cell_async(shell, code)
        return shell.run_cell(code, store_history=True).raise_error()


async def _run_cell_async(shell: PluginShell, code: str) -> None:
    result = await shell.run_cell_async(
        code, store_history=True, transformed_cell=shell.transform_cell(code)
    )
    shell.events.trigger("post_execute")
    shell.events.trigger("post_run_cell", result)
    result.raise_error()


def _is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _show_figures() -> None:
    """Display the figures that the call made with matplotlib's inline back end, if any."""
    sys.modules[_INLINE].flush_figures()
