"""The zygotes of this process: managers that need the same one fork from the same one."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import threading
from functools import partial
from typing import Protocol

from nebula_lab.sandbox.zygote import Zygote
from nebula_lab.sandbox.zygote_process import ZygoteKey
from nebula_lab.transport.loop import LoopThread


class ZygoteUser(Protocol):
    """Who has kernels forked. What a zygote reports is told to all its users; any thread."""

    def module_failed(self, module: str, reason: str) -> None:
        """A module of `zygote.preload` could not be imported."""

    def module_is_unfit(self, module: str, reason: str, is_chance: bool) -> None:
        """The zygote can't fork any more, after this module; that may have been chance."""


class Nursery:
    """Starts zygotes for whoever asks first, and ends each with the last of its users.

    Attributes:
        mark: what the marks of all its zygotes start with, for sweepers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[Zygote, set[ZygoteUser]] = {}
        self._current: dict[ZygoteKey, Zygote] = {}
        self._retired: set[tuple[Zygote, ZygoteUser]] = set()
        self._numbers = itertools.count(1)
        self._loop: LoopThread | None = None
        self._closing: list[LoopThread] = []
        self.mark = f"{os.getpid()}-zygotes-{secrets.token_hex(5)}-"

    def zygote(self, key: ZygoteKey, user: ZygoteUser) -> Zygote:
        """One that forks, which is the user's from now on until it lets go of it.

        Raises:
            OSError: it could not be started.
        """
        try:
            with self._lock:
                zygote = self._current.get(key)
                if zygote is None or zygote.ended:
                    zygote = self._current[key] = self._start(key)
                self._users[zygote].add(user)
                self._retired.discard((zygote, user))
                return zygote
        finally:
            self._close_loops()

    def _start(self, key: ZygoteKey) -> Zygote:
        if self._loop is None:
            self._loop = LoopThread("nebula-zygotes")
        told: set[ZygoteUser] = set()
        owner = os.pidfd_open(os.getpid())
        try:
            zygote = Zygote(
                key,
                self._loop,
                owner,
                f"{self.mark}{next(self._numbers)}.",
                partial(_tell_of_failure, told),
                partial(_tell_of_unfitness, told),
            )
        except BaseException:
            self._part_with_unused_loop()
            raise
        finally:
            os.close(owner)
        self._users[zygote] = told
        return zygote

    def retire(self, zygote: Zygote, user: ZygoteUser) -> None:
        """The user forks from another from now on; what was forked for it lives on."""
        with self._lock:
            if user not in self._users.get(zygote, ()):
                return
            self._retired.add((zygote, user))
            if any((zygote, one) not in self._retired for one in self._users[zygote]):
                return
            self._forget_current(zygote)
        zygote.retire()

    def release(self, zygote: Zygote, user: ZygoteUser, reason: str) -> bool:
        """The user has no kernels there any more; that of the last user ends, and is waited for.

        Can be called again.

        Returns:
            Whether it was the last one.
        """
        with self._lock:
            users = self._users.get(zygote, set())
            users.discard(user)
            self._retired.discard((zygote, user))
            if users:
                return False
            self._forget_current(zygote)
        # Without the lock: it waits for the loop, whose thread may be asking for a zygote.
        zygote.end(reason)
        with self._lock:
            if not self._users.get(zygote):
                self._users.pop(zygote, None)
            self._part_with_unused_loop()
        self._close_loops()
        return True

    def _forget_current(self, zygote: Zygote) -> None:
        if self._current.get(zygote.key) is zygote:
            del self._current[zygote.key]

    def _part_with_unused_loop(self) -> None:
        if not self._users and self._loop is not None:
            self._closing.append(self._loop)
            self._loop = None

    def _close_loops(self) -> None:
        for loop in tuple(self._closing):
            loop.close()  # it stays in the list if this is interrupted
            with contextlib.suppress(ValueError):
                self._closing.remove(loop)

    def disown(self) -> None:
        """Begin anew, in a fork of the process whose zygotes these were."""
        self.__init__()  # type: ignore[misc]


def _tell_of_failure(users: set[ZygoteUser], module: str, reason: str) -> None:
    for user in tuple(users):
        user.module_failed(module, reason)


def _tell_of_unfitness(users: set[ZygoteUser], module: str, reason: str, is_chance: bool) -> None:
    for user in tuple(users):
        user.module_is_unfit(module, reason, is_chance)


_OF_THIS_PROCESS = Nursery()
os.register_at_fork(after_in_child=_OF_THIS_PROCESS.disown)


def nursery() -> Nursery:
    """That of this process."""
    return _OF_THIS_PROCESS
