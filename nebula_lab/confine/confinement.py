"""Everything that a host takes from itself, in the order in which it can be taken.

Some of it is of the thread that does it and of those that it starts, so it comes while there is
one thread, before the kernel boots: namespaces, the tree of files, privileges, Landlock. What the
booted kernel needs no more, and what is counted from what it uses, comes after that: limits and the
filter of system calls, for all threads. The plugin comes after both.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import NoReturn, Self

import msgspec

from nebula_lab.confine import (
    boot,
    landlock,
    limits,
    loopback,
    mounts,
    namespaces,
    privileges,
    seccomp,
    warden,
    watching,
)
from nebula_lab.confine.grants import Grant
from nebula_lab.confine.places import Places
from nebula_lab.confine.system_call_policy import SystemCallPolicy

# Not /dev/zero: what is mapped from it is memory, shared and so not counted.
_DEVICES = ("/dev/null", "/dev/full", "/dev/random", "/dev/urandom")
# For locks and semaphores, which have names in the file system.
_SHARED = "/dev/shm"  # noqa: S108
_SHARED_SIZE = 16 * 2**20
# Of the machine as a whole: allocators, thread pools and psutil read them.
_MACHINE = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version")
_TREE_FILES = ("/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu")
_KERNEL = ("/proc", "/sys")


class Network(IntEnum):
    """What a host may reach."""

    NONE = 0
    PROXY = 1  # a proxy of the manager's, which knows whom else
    FULL = 2


class Guard(IntEnum):
    """How what a host starts is ended with it."""

    NONE = 0  # it starts nothing
    SUBREAPER = 1
    NAMESPACE = 2
    CONTAINER = 3  # ends as a whole, with the host


class Confinement(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a host is to take from itself. Hosts with the same are alike until their plugin comes.

    Attributes:
        namespaces: whether it gets namespaces of its own.
        landlock: the version of Landlock's interface that it uses; 0 if it uses none.
        seccomp: whether it filters system calls.
        guard: how what it starts is ended.
        is_restricted: whether it sees only the files below; else all but those that are hidden.
        readable: what it may read, besides its own: the system's and Python's.
        listed: folders of which it may know the names, where it has no tree of files.
        grants: what else it may use.
        hidden: real paths of what it does not see, whatever it is in.
        network: what it may reach.
        has_unix_sockets: whether it may connect to sockets in the file system.
        has_system_calls: whether it may make unusual system calls.
        memory: bytes above what the booted host uses.
        files: descriptors above those.
        threads: threads and processes above those; None if they can't be counted.
        stack: bytes that each of its threads reserves, at most.
        home_size: bytes that it may keep in its own folder.
        groups: file systems of control groups, which it never writes to, or it could leave its own.
        kept: folders to read that may lie in hidden ones, and are seen all the same.
        contained: it is in a container that has given it its namespaces and files already.
    """

    namespaces: bool
    landlock: int
    seccomp: bool
    guard: Guard
    is_restricted: bool
    readable: tuple[str, ...]
    listed: tuple[str, ...]
    grants: tuple[Grant, ...]
    hidden: tuple[str, ...]
    network: Network
    has_unix_sockets: bool
    has_system_calls: bool
    memory: int
    files: int
    threads: int | None
    stack: int
    home_size: int
    groups: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    contained: bool = False

    @property
    def binds(self) -> bool:
        """Whether it may give sockets of this machine a name, and so make entries of them."""
        return self.network is not Network.NONE or self.has_unix_sockets or not self.seccomp

    def enter(self, places: Places, proxy: int = -1, owner: int = -1) -> None:
        """The first part: this process has one thread and has read nothing of a plugin.

        Where the host is guarded, this returns in another process than the one that called it.

        Args:
            places: of the host.
            proxy: descriptor to hand a listener to, where the network is a proxy.
            owner: pidfd of the process that the host is to end with.

        Raises:
            OSError: something can't be taken, so nothing of a plugin may run here.
        """
        if self.namespaces and not self.contained:
            network = namespaces.NETWORK if self.network is not Network.FULL else 0
            namespaces.enter(namespaces.MOUNT | namespaces.IPC | network)
            watching.limit()
            mounts.keep_private()
        if self.network is Network.PROXY:
            loopback.offer_listener(proxy)
        _GUARDS[self.guard](owner)
        if self.namespaces and not self.contained:
            self._arrange_files(places)
        _make_folders(places)
        if self.is_restricted:
            os.chdir(places.scratch)
        privileges.forbid_gaining()
        privileges.drop_all()
        if self.landlock:
            landlock.restrict(
                self._landlock_paths(places) if self.is_restricted else None,
                network=self.network is Network.FULL,
                ports=(loopback.PORT,) if self.network is Network.PROXY else (),
                abi=self.landlock,
            )

    @property
    def maps(self) -> bool:
        """Whether it may map files of any size."""
        # Those can make memory that they share, which is no data at all.
        shared = not (self.is_restricted and self.seccomp) or self.has_system_calls or self.guard
        return bool(self.grants) and not shared

    def seal(self) -> None:
        """The second part: the kernel has booted, the plugin has not come.

        Raises:
            OSError: something can't be taken, so nothing of a plugin may run here.
        """
        limits.leave_no_core()
        limits.limit_files(self.files)
        limits.limit_signals()
        if self.threads is not None:
            limits.limit_threads(self.threads, beside=2 if self.guard else 0)
        limits.limit_stacks(self.stack)
        limits.keep_main_stack()
        if self.is_restricted and not self.namespaces:
            limits.limit_files_size(self.home_size)
        if self.seccomp:
            seccomp.apply(seccomp.filter_for(self.system_calls()))
        limits.limit_memory(self.memory, maps=self.maps)

    # Files

    def _arrange_files(self, places: Places) -> None:
        if self.is_restricted:
            self._build_tree(places)
        else:
            self._hide(places)

    def _build_tree(self, places: Places) -> None:
        tree = mounts.Tree(places.root)
        tree.show(_DEVICES, writable=True, devices=True)
        tree.name_descriptors()
        self._show_processes(tree)
        shared = self.home_size if self.guard else min(_SHARED_SIZE, self.home_size)
        mounts.quota(tree.folder(_SHARED), shared, programs=False)
        tree.show(self.readable)
        if tree.grant(self.grants, self.hidden):
            tree.show(self.readable)  # where it lies in what was covered
        for folder in self.groups:
            tree.keep_unwritten(folder)
        tree.attach(places.ipc, places.ipc, writable=True)
        tree.attach(places.plugin, places.plugin)
        mounts.quota(tree.folder(places.home), self.home_size, programs=self.guard != Guard.NONE)
        tree.enter()

    def _show_processes(self, tree: mounts.Tree) -> None:
        if self.guard is Guard.NAMESPACE:
            with contextlib.suppress(PermissionError):  # as in a container that hides some of it
                mounts.processes(tree.folder("/proc"))
                return
        tree.show((*(f"/proc/{name}" for name in _MACHINE), *_TREE_FILES))
        # The view of /proc that we have is another namespace's, perhaps with another number.
        seen = os.readlink("/proc/self")  # noqa: PTH115
        tree.attach(f"/proc/{seen}", f"/proc/{os.getpid()}")
        tree.link("/proc/self", str(os.getpid()))

    def _hide(self, places: Places) -> None:
        """Put empty folders in the place of those that are hidden, and its own back into them."""
        own = [
            (mounts.Piece(places.ipc, writable=True), places.ipc),
            (mounts.Piece(places.plugin, writable=False), places.plugin),
            *((mounts.Piece(path, writable=False), path) for path in self.kept),
        ]
        # The kernel's own settings are files that root may write to, whatever it has given up.
        for folder in (*_KERNEL, *self.groups):
            mounts.Piece(folder, writable=False).put(folder)
        if self.guard is Guard.NAMESPACE:
            with contextlib.suppress(PermissionError):
                mounts.processes("/proc")
        for folder in self.hidden:
            if os.path.isdir(folder):  # noqa: PTH112
                mounts.quota(folder, 2**20, programs=False)
        for piece, path in own:
            os.makedirs(path, exist_ok=True)  # noqa: PTH103
            piece.put(path)
        os.makedirs(places.home)  # noqa: PTH103
        mounts.quota(places.home, self.home_size, programs=True)

    def _landlock_paths(self, places: Places) -> list[tuple[str | Grant, int]]:
        own: list[tuple[str, int]] = [
            (places.ipc, landlock.SOCKETS),
            (places.plugin, landlock.READ),
            (places.home, landlock.WRITE),
            *((path, landlock.DEVICE) for path in _DEVICES),
        ]
        granted = [
            (one, landlock.WRITE if one.is_writable else landlock.READ) for one in self.grants
        ]
        if self.namespaces:  # there is nothing else in its tree
            return [("/", landlock.READ), (_SHARED, landlock.WRITE), *_there(own), *granted]
        machine = (*(f"/proc/{name}" for name in _MACHINE), *_TREE_FILES, "/proc/self")
        read = ((path, landlock.READ) for path in (*self.readable, *machine))
        listed = ((path, landlock.LIST) for path in self.listed)
        return [*_there([*own, *read, *listed]), *granted]

    # System calls

    def system_calls(self) -> SystemCallPolicy:
        """What it may ask of the kernel once it is sealed."""
        return SystemCallPolicy(
            everything=self.has_system_calls,
            network=self.network is not Network.NONE,
            stream_only=self.network is Network.PROXY,
            unix_sockets=self.has_unix_sockets,
            spawn=self.guard is not Guard.NONE,
            # Where it has a tree of its own, there is nothing else whose modes it could change.
            metadata=self.namespaces or not self.is_restricted,
            # There Landlock alone keeps it from other files, by version 3 from emptying them too.
            truncation=(
                self.namespaces
                or not self.is_restricted
                or self.landlock >= landlock.TRUNCATION_SINCE
            ),
            unseen=self.namespaces or not self.is_restricted,
            watches=watching.is_limited(),
            pid=os.getpid(),
            scheduling=os.sched_getscheduler(0),
        )


class Confined(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one host is to take from itself, and where it lives.

    Attributes:
        command: of another interpreter, which it becomes between the two parts: one whose packages
            a plugin chose. Empty where it stays what it is.
    """

    confinement: Confinement
    places: Places
    command: tuple[str, ...] = ()

    def enter(self, proxy: int = -1, owner: int = -1) -> None:
        """See `Confinement.enter`."""
        self.confinement.enter(self.places, proxy, owner)

    def become(self, descriptors: Iterable[int], arguments: Iterable[str]) -> NoReturn:
        """Become the other interpreter, held by what nothing in there can take off again.

        Args:
            descriptors: to be kept open, and to be told their numbers.
            arguments: for the kernel.

        Raises:
            OSError: something can't be taken, or there is no such interpreter.
        """
        numbers = list(descriptors)
        for descriptor in numbers:
            os.set_inheritable(descriptor, True)
        program = [*self.command, *map(str, numbers), self.to_text(), *arguments]
        boot.hold(self.confinement)
        os.execv(program[0], program)  # noqa: S606 - no shell is meant

    def seal(self) -> None:
        """See `Confinement.seal`."""
        self.confinement.seal()

    def to_text(self) -> str:
        """As an argument of a program; see `from_text`."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `to_text` gave.

        Raises:
            msgspec.MsgspecError: it did not give this.
        """
        return msgspec.json.decode(text, type=cls)


_GUARDS: dict[Guard, Callable[[int], object]] = {
    Guard.NONE: lambda _: None,
    Guard.SUBREAPER: warden.guard_as_subreaper,
    Guard.NAMESPACE: lambda _: warden.guard_with_namespace(),
    Guard.CONTAINER: lambda _: None,
}


def _make_folders(places: Places) -> None:
    for folder in (places.scratch, places.temporary, places.ipython):
        os.makedirs(folder, 0o700, exist_ok=True)  # noqa: PTH103


def _there(paths: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(path, rights) for path, rights in paths if os.path.exists(path)]  # noqa: PTH110
