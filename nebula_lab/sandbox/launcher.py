"""Chooses how a kernel is started: forked from a zygote, or anew where that does not work."""

from __future__ import annotations

import logging
import threading

from nebula_lab.environments.environment import own_environment, start_variables
from nebula_lab.model import ZygoteConfig
from nebula_lab.plugin.safe_text import line
from nebula_lab.sandbox.kernel_process import KernelOrder, KernelProcess, spawn
from nebula_lab.sandbox.nursery import Nursery
from nebula_lab.sandbox.zygote import Zygote
from nebula_lab.sandbox.zygote_process import ZygoteKey
from nebula_lab.sandbox.zygote_socket import ZygoteError

_log = logging.getLogger("nebula_lab")
# Zygotes that failed one after the other until there are no more of them.
_ATTEMPTS = 3


class Launcher:
    """Starts kernels. There is a zygote from the first one on, or from `warm_up` on.

    Args:
        config: whether to have zygotes, and what they import.
        nursery: has the zygotes, which other managers of this process may be using too.

    Attributes:
        environment: the Python that zygotes are started in.
        trouble: why a kernel was started anew that should have been forked; empty before that.
    """

    def __init__(self, config: ZygoteConfig, nursery: Nursery) -> None:
        self._nursery = nursery
        self._preload = config.preload
        self.environment = own_environment()
        self._choosing = threading.Lock()
        self._zygotes: list[Zygote] = []  # the last one forks; the others only have children
        self._failures = 0
        self._killed_at: set[str] = set()  # modules that a zygote was importing when it was killed
        self._is_given_up = not config.enabled
        self._is_closed = False
        self.trouble = ""

    def warm_up(self) -> None:
        """See to it that there is a zygote for what is to be launched next."""
        self._zygote()

    @property
    def zygote_pid(self) -> int | None:
        """Of the zygote that forks now, if there is one."""
        zygote = self._zygotes[-1] if self._zygotes else None
        return None if zygote is None or zygote.ended else zygote.pid

    def launch(self, order: KernelOrder) -> KernelProcess:
        """Start a kernel; any thread but the loop's.

        A zygote that is not ready yet is waited for: it imports what a kernel that starts anew
        imports too. One that is preloading a module is waited for a moment.

        Raises:
            OSError: it could not be started in any way.
        """
        zygote = self._zygote()
        if zygote is None:
            return spawn(order)
        try:
            kernel = zygote.fork(order)
        except ZygoteError as error:
            self._note_failure(zygote, str(error))
            return spawn(order)
        if zygote.has_preloaded:
            self._failures = 0
        return kernel

    def _zygote(self) -> Zygote | None:
        """The one to fork from now, started if need be; None where there is to be none."""
        with self._choosing:
            if self._is_given_up or self._is_closed:
                return None
            key = self._key()
            current = self._zygotes[-1] if self._zygotes else None
            if current is not None and current.key == key and not current.ended:
                return current
            return self._start(key)

    def _key(self) -> ZygoteKey:
        return ZygoteKey(
            self.environment,
            tuple(start_variables().items()),
            self._preload,
            self.environment.installed_at(),
        )

    def _start(self, key: ZygoteKey) -> Zygote | None:
        for former in self._zygotes:
            self._nursery.retire(former, self)
        try:
            zygote = self._nursery.zygote(key, self)
        except OSError as error:
            self._give_up(str(error))
            return None
        # It may have been here before: what makes zygotes differ changed, and changed back.
        self._zygotes = [former for former in self._zygotes if former is not zygote]
        self._zygotes.append(zygote)
        return zygote

    # What goes wrong. Reasons have a zygote's own words in them, which are not to be believed.

    def _note_failure(self, zygote: Zygote, reason: str) -> None:
        self.trouble = reason
        if not zygote.ended:
            _log.info("a kernel of a plugin was started anew, since %s", line(reason, 1_000))
            return
        with self._choosing:
            self._failures += 1
            # One that never came up will not the next time either, unless somebody killed it.
            never_comes_up = not zygote.was_ready and not zygote.was_killed
            if self._failures >= _ATTEMPTS or never_comes_up:
                self._give_up(reason)

    def _give_up(self, reason: str) -> None:
        self.trouble = reason
        if not self._is_given_up and not self._is_closed:
            self._is_given_up = True
            _log.warning(
                "kernels of plugins start slowly: there is no zygote, since %s", line(reason)
            )

    def module_failed(self, module: str, reason: str) -> None:
        _log.info("zygote.preload: %s is not preloaded: %s", module, line(reason, 1_000))

    def module_is_unfit(self, module: str, reason: str, is_chance: bool) -> None:
        if self._is_closed:
            return
        if is_chance and module not in self._killed_at:
            self._killed_at.add(module)  # once may be chance
            self.warm_up()
            return
        _log.warning("zygote.preload: %s can't be preloaded: %s", module, line(reason, 1_000))
        with self._choosing:
            self._preload = tuple(name for name in self._preload if name != module)
        self.warm_up()

    def close(self) -> list[str]:
        """Let go of all zygotes; those that nobody else uses end. Can be called again.

        Returns:
            The marks of those that have ended.
        """
        with self._choosing:
            self._is_closed = True
        release = self._nursery.release
        return [
            zygote.mark
            for zygote in self._zygotes
            if release(zygote, self, "the manager has been closed")
        ]

    def disown(self) -> None:
        """Let go of the zygotes in a fork of this process."""
        self._choosing = threading.Lock()  # a thread that is not here may have held the other
        self._is_closed = True
        for zygote in self._zygotes:
            if not zygote.ended:
                zygote.disown()
