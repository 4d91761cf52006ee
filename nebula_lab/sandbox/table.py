"""The sandboxes of one manager, each made when the first plugin is to run in it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

from nebula_lab.errors import ManagerClosedError
from nebula_lab.model import PluginConfig, PluginDescriptor
from nebula_lab.model.sandbox_choice import sandbox_for_plugin
from nebula_lab.model.sandbox_mode import AnySandbox
from nebula_lab.sandbox.base import Sandbox
from nebula_lab.sandbox.choice import sandbox_for
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.transport.loop import LoopThread


class SandboxTable:
    """Gives each plugin its sandbox.

    Args:
        loop: watches hosts.
        run_folder: their files go there.
        config: says which sandboxes, and how they start hosts.
        is_idle: whether neither a load nor a call goes on.

    Attributes:
        usual: the sandbox of plugins that have none of their own.

    Raises:
        ConfigError: this version does not have it.
    """

    def __init__(
        self,
        loop: LoopThread,
        run_folder: RunFolder,
        config: PluginConfig,
        is_idle: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._run_folder = run_folder
        self._config = config
        self._is_idle = is_idle
        self._making = threading.Lock()
        self._made: dict[AnySandbox, Sandbox] = {}
        self._is_closed = False
        self._owner_pid = os.getpid()
        self.usual = self._for(config.security.sandbox)

    def of(self, descriptor: PluginDescriptor) -> Sandbox:
        """Where a plugin runs; any thread.

        Raises:
            ConfigError: this version does not have it.
            ManagerClosedError: it would have to be made, and the manager has been closed.
        """
        return self._for(sandbox_for_plugin(descriptor, self._config.security))

    def _for(self, setting: AnySandbox) -> Sandbox:
        made = self._made.get(setting)
        if made is not None:
            return made
        with self._making:
            if setting not in self._made:
                if self._is_closed:
                    raise ManagerClosedError("the manager has been closed")
                make = sandbox_for(setting)
                self._made[setting] = make(
                    self._loop, self._run_folder, self._config, self._is_idle
                )
            return self._made[setting]

    def warm_up(self) -> None:
        """Get ready for hosts to be started soon in the usual one; it does not wait."""
        self.usual.warm_up()

    def disown(self) -> None:
        """Let go of everything in a fork of the process that owns it."""
        self._making = threading.Lock()  # a thread that is not here may have held the other
        self._is_closed = True
        for sandbox in list(self._made.values()):
            sandbox.disown()

    def stop_preparing(self) -> None:
        """Break off what is being made for sandboxes; it may be called by any thread."""
        for sandbox in list(self._made.values()):
            sandbox.stop_preparing()

    def close(self) -> None:
        """Let go of what the hosts shared; they have been disposed of. Can be called again."""
        with self._making:
            self._is_closed = True
        with contextlib.ExitStack() as each:
            for sandbox in self._made.values():
                each.callback(sandbox.close)
