"""A plugin in a container of its own."""

from __future__ import annotations

from nebula_lab.sandbox.container.launch import ContainerLauncher
from nebula_lab.sandbox.process_host import Berth, ProcessHost
from nebula_lab.sandbox.sweep import Sweep
from nebula_lab.transport.loop import LoopThread


class ContainerHost(ProcessHost):
    """A host as any other process, but for how it is started.

    Args:
        berth: where it is to be.
        loop: watches it.
        launcher: starts its container.
        sweep: ends what it left behind.
        has_kernel: whether a console can attach to it.

    Raises:
        ContainerRuntimeError: the runtime does not start it.
        OSError: it could not be started for another reason.
    """

    after_kill = "It did not stop when interrupted, so its container was replaced."

    def __init__(
        self,
        berth: Berth,
        loop: LoopThread,
        launcher: ContainerLauncher,
        sweep: Sweep,
        *,
        has_kernel: bool,
    ) -> None:
        super().__init__(berth, loop, launcher, sweep)
        if not has_kernel:
            self.connection_file = None
