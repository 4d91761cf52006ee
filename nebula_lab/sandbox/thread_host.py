"""A host that is a thread of the manager's own process: what all of them have in common."""

from __future__ import annotations

import abc
import os
import threading
from collections.abc import Iterable
from pathlib import Path

from nebula_lab.agent.server import Server
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.reports.exit_report import ExitReport, RunningCall
from nebula_lab.sandbox import removal
from nebula_lab.sandbox.base import Host, HostSpec
from nebula_lab.transport.call_link import CallLink
from nebula_lab.transport.loop import LoopThread


class ThreadHost(Host):
    """Serves on a thread until the manager hangs up.

    Args:
        spec: what it is started for.
        link: the manager's end of the channel.
        loop: is told of its end.
        root: all its folders are in here, and are removed with it.
        folders: those, to be made.
    """

    def __init__(
        self, spec: HostSpec, link: CallLink, loop: LoopThread, root: Path, folders: Iterable[Path]
    ) -> None:
        super().__init__()
        self.link = link
        self._loop = loop
        self._root = root
        for folder in folders:
            folder.mkdir(parents=True)
        self._executing = [0]
        self._reason = ""
        self._disposed = False
        self._owner_pid = os.getpid()
        self._thread = threading.Thread(
            target=self._run, name=f"nebula-{spec.plugin_id}", daemon=True
        )

    def _begin(self, timeout: float) -> None:
        """Start the thread, and greet it.

        Raises:
            Exception: what `CallLink.greet` does; nothing is left of the host then.
        """
        self._thread.start()
        try:
            self.link.greet(timeout)
        except BaseException:
            self.dispose()
            raise

    # On the thread

    @abc.abstractmethod
    def _make_server(self) -> Server:
        """What serves the plugin; made on the thread."""

    @abc.abstractmethod
    def _serve(self, server: Server) -> None:
        """Serve until the end; an error is one, unless it says that the channel has ended."""

    def _run(self) -> None:
        server = self._make_server()
        try:
            self._serve(server)
        except ChannelEndedError:
            self._reason = server.perished  # unless the manager hung up
        except BaseException as error:  # noqa: BLE001 - on this thread nobody else would see it
            self._reason = f"the plugin's thread ended: {error!r}"
        finally:
            if server.resident is not None:
                server.resident.forget()  # without a cleanup, nobody has done it yet
            server.channel.close()
            self._loop.call(self.on_exit)

    # For the manager

    def executing(self) -> int:
        return self._executing[0]

    def exit_report(self, timeout: float) -> ExitReport:
        calls = self.link.running()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.kill()
        return self._report(calls)

    def _report(self, calls: tuple[RunningCall, ...]) -> ExitReport:
        return ExitReport(self._reason or "the plugin's thread ended", calls=calls)

    @abc.abstractmethod
    def _stop(self) -> None:
        """See to it that the thread ends, as far as it can be; the channel has been closed."""

    def dispose(self) -> None:
        if self._disposed or os.getpid() != self._owner_pid:
            return  # a fork has none of our threads, and the files are not its own
        self.link.close()
        self._stop()
        removal.remove(str(self._root))
        self._disposed = True  # at last: an interrupted one is to be finished later
