"""Tries each mechanism in a process of its own, and says what held.

Run as a program it writes a `Machine` as JSON. It looks for nothing by name: a kernel that has a
mechanism may still refuse it, as in a container.
"""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from nebula_lab.confine import (
    cgroup_division,
    cgroup_places,
    cgroups,
    landlock,
    mounts,
    namespaces,
    privileges,
    seccomp,
    warden,
)
from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.confine.obstacles import explained, obstacles
from nebula_lab.confine.system_call_policy import SystemCallPolicy

_ANSWER_SIZE = 4096
_NO_LANDLOCK = "this kernel has no Landlock, or it is not switched on"
_OF_NAMESPACES = ("namespaces", "pid_namespace", "counts_threads")
_CURES = {
    "landlock": "Linux 5.13 and later have it, if «landlock» is in its list of security modules "
    "(kernel parameter lsm=landlock,…).",
    "seccomp": "A kernel with CONFIG_SECCOMP_FILTER has it, on x86_64 and aarch64; in a container, "
    "allow seccomp in its own profile.",
    "namespaces": "Let ordinary users make user namespaces: sysctl user.max_user_namespaces=10000, "
    "on Debian kernel.unprivileged_userns_clone=1, on Ubuntu "
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container, allow unshare and mount in "
    "its seccomp profile.",
    "scopes": "Linux 6.12 and later have Landlock's scopes.",
    "cgroups": "Start it in a control group that is delegated to you, with the controllers cpu, "
    "memory and pids: systemd-run --user --scope -p Delegate=yes jupyter lab; in a service "
    "Delegate=yes; in a container let /sys/fs/cgroup be writable. Sampling and rlimits stand in.",
    "cgroup_memory": "Control groups of version 2 have it, as for control groups; on a machine "
    "with version 1, boot with systemd.unified_cgroup_hierarchy=1. rlimits stand in.",
    "sees_calls": "Let who starts a process look at it: sysctl kernel.yama.ptrace_scope=1. Or have "
    "namespaces, with which nobody needs to look.",
    "counts_threads": "Run as an ordinary user; what root starts is counted by sampling.",
}


def probe() -> Machine:
    """Try everything; takes some 50 ms."""
    found = {name: _try(name, attempt) for name, attempt in _ATTEMPTS.items()}
    return Machine(**found)


def _try(name: str, attempt: Callable[[], str]) -> Mechanism:
    """Run an attempt in a forked process: there is no way back from a mechanism."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = "+" + attempt()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it does not work
            answer = f"-{explained(error)}"
        os.write(writable, answer.encode()[:_ANSWER_SIZE])
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as answers:
        said = answers.read().decode()
    os.waitpid(child, 0)
    works = said.startswith("+")
    detail = said[1:] or ("" if works else "it ended the process that tried it")
    version = landlock.version() if works and name == "landlock" else 0
    return Mechanism(works, detail, "" if works else _cure(name), version)


def _cure(name: str) -> str:
    if name not in _OF_NAMESPACES or (name == "counts_threads" and os.geteuid() == 0):
        return _CURES[name]
    return obstacles() or _CURES["namespaces"]


def _landlock() -> str:
    version = landlock.version()
    if not version:
        raise OSError(_NO_LANDLOCK)
    privileges.forbid_gaining()
    landlock.restrict([("/proc", landlock.READ)], network=False)
    try:
        os.listdir("/")  # noqa: PTH208
    except PermissionError:
        return f"version {version}"
    raise OSError("what was forbidden worked all the same")


def _scopes() -> str:
    version = landlock.version()
    if not version:
        raise OSError(_NO_LANDLOCK)
    if version < landlock.SCOPES_SINCE:
        raise OSError(f"Landlock is version {version}; scopes came with {landlock.SCOPES_SINCE}")
    privileges.forbid_gaining()
    landlock.restrict(None, network=True)
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return ""
    raise OSError("a signal to a process outside was let through")


def _seccomp() -> str:
    if not seccomp.is_supported():
        raise OSError(f"no filter for {platform.machine()} is to be had from this kernel")
    privileges.forbid_gaining()
    policy = SystemCallPolicy(
        everything=False,
        network=False,
        stream_only=False,
        unix_sockets=False,
        spawn=False,
        metadata=False,
        pid=os.getpid(),
    )
    seccomp.apply(seccomp.filter_for(policy))
    try:
        socket.socket().close()
    except PermissionError:
        return ""
    raise OSError("what was forbidden worked all the same")


def _namespaces() -> str:
    with tempfile.TemporaryDirectory(prefix="nebula-probe-") as folder:
        child = os.fork()
        if child == 0:
            _build_tree(folder)
        _, status = os.waitpid(child, 0)
        said = Path(folder, "said").read_text()
    if status or said:
        raise OSError(said or "it ended the process that tried it")
    return ""


def _build_tree(folder: str) -> None:
    said = os.open(f"{folder}/said", os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        root = Path(folder, "root")
        root.mkdir()
        namespaces.enter(namespaces.MOUNT | namespaces.IPC | namespaces.NETWORK)
        mounts.keep_private()
        tree = mounts.Tree(str(root))
        tree.show(["/usr"])
        mounts.quota(tree.folder("/home"), 1 << 20, programs=False)
        tree.enter()
        if Path(folder).exists():
            os.write(said, b"what was left out can be seen all the same")
    except BaseException as error:  # noqa: BLE001 - as in `_try`
        os.write(said, explained(error).encode())
    os._exit(0)


def _pid_namespace() -> str:
    namespaces.enter(namespaces.MOUNT)
    warden.guard_with_namespace()
    # Only the host comes here; its answer is read from the pipe, which the others have closed.
    return "" if os.getpid() == 2 else f"its number is {os.getpid()}"


def _counts_threads() -> str:
    # Those that a host gets: without them it is in no user namespace, where all that the user runs
    # counts.
    namespaces.enter(namespaces.MOUNT | namespaces.IPC | namespaces.NETWORK)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
    privileges.drop_all()
    try:
        child = os.fork()
    except BlockingIOError:
        return ""
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    raise OSError("it does not count those of root")


def _cgroups() -> str:
    place = _place()
    with _group(place) as group:
        group.limit_processor(50)
        group.limit_threads(1)
        child = os.fork()
        if child == 0:
            os._exit(_is_held_in(group))
        _, status = os.waitpid(child, 0)
    if status:
        raise OSError("what was limited went beyond it all the same")
    return f"version {place.version}"


def _place() -> cgroup_places.Place:
    try:
        return cgroup_places.find()
    except OSError:
        cgroup_division.divide()
        return cgroup_places.find()


@contextlib.contextmanager
def _group(place: cgroup_places.Place) -> Iterator[cgroups.Group]:
    group = cgroups.Group(place, f"nebula-probe-{os.getpid()}")
    try:
        yield group
    finally:
        group.close_entrances()
        group.remove(patience=1.0)


def _is_held_in(group: cgroups.Group) -> int:
    """0 if this process, once it is in a group of one thread, can start no other."""
    try:
        cgroups.join(group.entrances)
        child = os.fork()
    except BlockingIOError:
        return 0
    except OSError:
        return 1
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return 1


def _cgroup_memory() -> str:
    place = cgroup_places.find()
    with _group(place) as group:
        if not group.has_memory:
            raise OSError(f"those of version {place.version} are used for other limits only")
        group.limit_memory(2**30)
    return ""


def _sees_calls() -> str:
    child = os.fork()
    if child == 0:
        signal.pause()
    try:
        Path(f"/proc/{child}/syscall").read_bytes()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return ""


_ATTEMPTS: dict[str, Callable[[], str]] = {
    "landlock": _landlock,
    "seccomp": _seccomp,
    "namespaces": _namespaces,
    "pid_namespace": _pid_namespace,
    "scopes": _scopes,
    "counts_threads": _counts_threads,
    "cgroups": _cgroups,
    "cgroup_memory": _cgroup_memory,
    "sees_calls": _sees_calls,
}


def main(standard_path: list[str], arguments: list[str]) -> None:
    """Write what was found, for `nebula_lab.sandbox.probing`."""
    os.write(1, msgspec.json.encode(probe()))
