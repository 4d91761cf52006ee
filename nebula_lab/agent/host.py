"""A plugin's host as a process, from its first descriptor to its end."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NoReturn

from nebula_lab.agent import blocking, owner, stack_dumps
from nebula_lab.agent.cells import ConsoleCell
from nebula_lab.agent.executing import executing_in
from nebula_lab.agent.job import current_job
from nebula_lab.agent.marking import set_title
from nebula_lab.agent.server import Server
from nebula_lab.confine.confinement import Confined
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.wire.messages import Load

# What a host exits with whose plugin trapped; 70 is an internal software error in sysexits.h.
_PERISHED = 70


class ProcessServer(Server):
    """Serves from a process of its own, which shows whose it is."""

    def load(self, message: Load) -> None:
        set_title(message.plugin_id)
        super().load(message)

    def perish(self, reason: str) -> BaseException:
        job = current_job.get()
        with contextlib.suppress(ConnectionError):
            for output in job.flushed() if job is not None else ():
                self.send(output)
        os.write(2, f"{reason}\n".encode("utf-8", "backslashreplace"))
        os._exit(_PERISHED)


class _Boot(NamedTuple):
    """What a host does before its plugin comes; see `run`."""

    kernel_arguments: list[str]
    confined: Confined
    on_booted: Callable[[], object] | None


def run(
    channel: int,
    owner_pidfd: int,
    stacks: int,
    kernel_arguments: list[str],
    confined: Confined,
    on_booted: Callable[[], object] | None = None,
) -> NoReturn:
    """Serve a manager until it hangs up, and end the process.

    Args:
        channel: descriptor of a connected socket; the manager's.
        owner_pidfd: of the manager's process.
        stacks: descriptor to write the stacks of all threads to, when the manager wants them; at
            its end is the number of the call that runs.
        kernel_arguments: the connection file and IPython's folder; none for no kernel.
        confined: what is still to be taken once the kernel has booted; the rest has been.
        on_booted: called once it has, before anything of a plugin is there.
    """
    boot = _Boot(kernel_arguments, confined, on_booted)
    code = _run(channel, owner_pidfd, stacks, boot)
    # The kernel's threads have nothing to save, and waiting for them would only take time.
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    os._exit(code)


def _run(channel: int, owner_pidfd: int, stacks: int, boot: _Boot) -> int:
    # Not to descriptor 2: what is written there is shown as it comes, and the report has this.
    faulthandler.enable(stacks, all_threads=False)
    stack_dumps.write_upon_signal(stacks)
    owner.die_with(owner_pidfd)
    os.set_inheritable(channel, False)
    os.set_inheritable(owner_pidfd, False)
    server = ProcessServer(
        socket.socket(fileno=channel),
        handle_signals=True,
        on_stop=partial(stack_dumps.write_now, stacks),
        executing=executing_in(stacks),
    )
    try:
        _serve(server, boot)
    except ChannelEndedError:
        return 1  # the manager hung up or died; nobody is there to be told
    return 0


def _serve(server: Server, boot: _Boot) -> None:
    from nebula_lab.agent.forks import disown_in_forks
    from nebula_lab.agent.streams import redirect

    # First: two threads that both have something to do wait for each other, 5 ms a time.
    if not server.greet():
        return
    if boot.kernel_arguments:
        from nebula_lab.agent.kernel import KernelThread

        kernel = KernelThread(server, _inbox_for_cells(server), boot.kernel_arguments)
        kernel.start()
        kernel.wait()
    redirect(server)
    disown_in_forks(server)
    # Nothing but the plugin is imported from here on: leave no bytecode in its folder.
    sys.dont_write_bytecode = True
    if boot.on_booted is not None:
        boot.on_booted()
    boot.confined.seal()
    if blocking.serve(server):
        from nebula_lab.agent import concurrent

        concurrent.serve(server)


def _inbox_for_cells(server: Server) -> Callable[[ConsoleCell], None]:
    """How the kernel's thread has a cell run on the main thread, between operations."""
    wake = server.socket_channel.make_waker()

    def put(cell: ConsoleCell) -> None:
        server.inbox.put(cell)
        wake()
        if server.on_inbox is not None:
            server.on_inbox()

    return put
