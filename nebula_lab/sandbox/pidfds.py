"""What can be learnt and done by way of a pidfd, which never comes to mean another process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

_SIGNAL_GROUP = 4  # PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
_GET_INFO = 0xC040FF0B  # PIDFD_GET_INFO for the first 64 bytes, Linux 6.13
_EXIT = 1 << 3  # PIDFD_INFO_EXIT, Linux 6.15
_INFO_SIZE = 64
_INFO_EXIT_CODE = slice(60, 64)
# Fields of /proc/PID/stat, from the state on.
_PARENT, _FLAGS, _TICKS, _CHILDREN_TICKS = 1, 6, slice(11, 13), slice(13, 15)
_THREADS, _START, _EXIT_CODE = 17, 19, 49
_IS_ENDING = 0x4  # PF_EXITING


def pid_of(pidfd: int) -> int:
    """The pid behind a pidfd.

    Raises:
        ValueError: it is no pidfd, or its process is gone, or can't be seen from here.
    """
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == "Pid" and int(value) > 0:
            return int(value)
    raise ValueError("not the pidfd of a process that is there")


def parent_of(pid: int) -> int:
    """The pid of a process's parent.

    Raises:
        OSError: there is no such process.
    """
    return int(_stat(pid)[_PARENT])


def started_at(pid: int) -> int:
    """When a process was started, in ticks since the machine was.

    Raises:
        OSError: there is no such process.
    """
    return int(_stat(pid)[_START])


def threads_of(pid: int) -> int:
    """How many threads a process has; one that has ended and was not waited for counts as one.

    Raises:
        OSError: there is no such process.
    """
    return max(1, int(_stat(pid)[_THREADS]))


def is_ending(pid: int) -> bool:
    """Whether a process has begun to end, all of it, or has ended and was not waited for.

    Raises:
        OSError: there is no such process.
    """
    fields = _stat(pid)
    # The first thread may have ended and others go on, with all that they have open.
    return bool(int(fields[_FLAGS]) & _IS_ENDING) and int(fields[_THREADS]) <= 1


def activity_of(pid: int) -> tuple[str, int]:
    """A process's state, by its letter, and the ticks that it has computed.

    Raises:
        OSError: there is no such process.
    """
    fields = _stat(pid)
    return fields[0].decode("ascii", "replace"), sum(map(int, fields[_TICKS]))


def memory_of(pid: int) -> tuple[int, int]:
    """Bytes that a process has written to itself, in memory or swap; and those in shared memory.

    What the kernel needs to find them counts too: of files of any size, or of nothing, one page in
    each 2 MiB can be mapped, which takes as much for that page's table as for a page.

    Raises:
        OSError: there is no such process.
    """
    found = _sizes(f"/proc/{pid}/status")
    return found[b"RssAnon"] + found[b"VmSwap"] + found[b"VmPTE"], found[b"RssShmem"]


def share_of_memory_of(pid: int) -> tuple[int, int]:
    """The same, where each page counts for each of the processes that have it by their number.

    Raises:
        OSError: there is no such process, or it may not be looked at.
    """
    found = _sizes(f"/proc/{pid}/smaps_rollup")
    tables = _sizes(f"/proc/{pid}/status")[b"VmPTE"]
    return found[b"Pss_Anon"] + found[b"SwapPss"] + tables, found[b"Pss_Shmem"]


def data_of(pid: int) -> int:
    """Bytes that RLIMIT_DATA counts.

    Raises:
        OSError: there is no such process.
    """
    return _sizes(f"/proc/{pid}/status")[b"VmData"]


def _sizes(path: str) -> Mapping[bytes, int]:
    """The sizes in a file of /proc, in bytes; those that are not there are 0."""
    found: dict[bytes, int] = defaultdict(int)
    for line in Path(path).read_bytes().splitlines():
        if line.endswith(b" kB"):
            name, _, size = line.partition(b":")
            found[name] = int(size[:-3]) * 1024
    return found


def ticks_of_children(pid: int) -> int:
    """Processor time of the children that a process has waited for.

    Raises:
        OSError: there is no such process.
    """
    return sum(map(int, _stat(pid)[_CHILDREN_TICKS]))


def has_exited(pidfd: int) -> bool:
    """Whether the process is over, be it that nobody has waited for it yet."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


def send_signal(pidfd: int, signum: int) -> None:
    """Signal a process; nothing happens once it is gone."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signum)


def kill_group(pidfd: int) -> None:
    """Kill a process that leads a group, and all that is in the group."""
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL, None, _SIGNAL_GROUP)
    except ProcessLookupError:
        pass
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _kill_group_by_number(pidfd)  # before Linux 6.9
    send_signal(pidfd, signal.SIGKILL)  # before it has made its group


def _kill_group_by_number(pidfd: int) -> None:
    # Until it has been waited for, its pid, and so its group's, can't be another's.
    with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
        os.killpg(pid_of(pidfd), signal.SIGKILL)


def exit_status(pidfd: int) -> int | None:
    """How a process ended that is another's child, as `subprocess` writes it.

    The kernel tells it of one that nobody has waited for yet, and from Linux 6.15 on of one that
    somebody has. None where it can't be told.
    """
    status = _status_of_zombie(pidfd)
    return _status_kept(pidfd) if status is None else status


def _status_of_zombie(pidfd: int) -> int | None:
    try:
        fields = _stat(pid_of(pidfd))
        pid_of(pidfd)  # still it, so what was read is its own
    except (OSError, ValueError):
        return None
    return os.waitstatus_to_exitcode(int(fields[_EXIT_CODE])) if fields[0] == b"Z" else None


def _status_kept(pidfd: int) -> int | None:
    info = bytearray(_EXIT.to_bytes(8, "little").ljust(_INFO_SIZE, b"\0"))
    try:
        fcntl.ioctl(pidfd, _GET_INFO, info)
    except OSError:
        return None
    if not int.from_bytes(info[:8], "little") & _EXIT:
        return None
    return os.waitstatus_to_exitcode(int.from_bytes(info[_INFO_EXIT_CODE], "little", signed=True))


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat from the state on; see proc_pid_stat(5)."""
    stat = Path(f"/proc/{pid}/stat").read_bytes()
    return stat[stat.rindex(b")") + 2 :].split()
