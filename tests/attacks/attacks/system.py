"""System calls by their numbers, past Python and past the C library's wrappers."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Any

__all__ = [
    "EXIT_77",
    "call",
    "libc",
    "open_descriptors",
    "wait_for",
]

libc = ctypes.CDLL(None, use_errno=True)
# Does not give up the interpreter's lock, which a child of a raw fork could not get back.
_holding = ctypes.PyDLL(None, use_errno=True)

_X86_64 = {
    "fork": 57, "vfork": 58, "clone": 56, "clone3": 435, "execve": 59, "execveat": 322,
    "socket": 41, "connect": 42, "ptrace": 101, "process_vm_readv": 310,
    "process_vm_writev": 311, "pidfd_open": 434, "pidfd_getfd": 438, "pidfd_send_signal": 424,
    "kill": 62, "tgkill": 234, "rt_sigqueueinfo": 129, "memfd_create": 319, "unshare": 272,
    "setns": 308, "mount": 165, "chroot": 161, "pivot_root": 155, "fsopen": 430,
    "fsconfig": 431, "fsmount": 432, "open_tree": 428, "move_mount": 429, "mount_setattr": 442,
    "io_uring_setup": 425, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323,
    "keyctl": 250, "add_key": 248, "request_key": 249, "kexec_load": 246,
    "name_to_handle_at": 303, "open_by_handle_at": 304, "capget": 125, "capset": 126,
    "shmget": 29, "shmat": 30, "shmctl": 31, "setresuid": 117, "prlimit64": 302, "kcmp": 312,
    "sched_setaffinity": 203, "setpriority": 141, "personality": 135,
    "process_madvise": 440, "init_module": 175, "swapon": 167, "reboot": 169,
    "sethostname": 170, "settimeofday": 164, "syslog": 103, "quotactl": 179, "acct": 163,
    "iopl": 172, "fanotify_init": 300, "lookup_dcookie": 212,
}  # fmt: skip
_AARCH64 = {
    "clone": 220, "clone3": 435, "execve": 221, "execveat": 281, "socket": 198,
    "connect": 203, "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271,
    "pidfd_open": 434, "pidfd_getfd": 438, "pidfd_send_signal": 424, "kill": 129, "tgkill": 131,
    "rt_sigqueueinfo": 138, "memfd_create": 279, "unshare": 97, "setns": 268, "mount": 40,
    "chroot": 51, "pivot_root": 41, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "open_tree": 428, "move_mount": 429, "mount_setattr": 442, "io_uring_setup": 425,
    "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "keyctl": 219, "add_key": 217,
    "request_key": 218, "kexec_load": 104, "name_to_handle_at": 264, "open_by_handle_at": 265,
    "capget": 90, "capset": 91, "shmget": 194, "shmat": 196, "shmctl": 195, "setresuid": 147,
    "prlimit64": 261, "kcmp": 272, "sched_setaffinity": 122, "setpriority": 140,
    "personality": 92, "process_madvise": 440, "init_module": 105, "swapon": 224, "reboot": 142,
    "sethostname": 161, "settimeofday": 170, "syslog": 116, "quotactl": 60, "acct": 89,
    "fanotify_init": 262,
}  # fmt: skip
_NUMBERS = {"x86_64": _X86_64, "aarch64": _AARCH64}.get(platform.machine(), {})


def call(name: str, *arguments: Any, holding: bool = False) -> int:
    """Make a system call.

    Args:
        name: as the kernel has it.
        arguments: numbers, bytes, ctypes buffers and pointers.
        holding: keep the interpreter's lock, for what makes a second process return from here.

    Raises:
        OSError: with the kernel's errno.
    """
    library = _holding if holding else libc
    library.syscall.restype = ctypes.c_long
    ctypes.set_errno(0)
    result = library.syscall(ctypes.c_long(_NUMBERS[name]), *map(_passed, arguments))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return int(result)


def _passed(argument: Any) -> Any:
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _smallest_program() -> bytes:
    """An ELF file that does nothing but exit with 77; none where no machine runs any."""
    if not _NUMBERS:
        return b""
    code, machine = {
        "x86_64": (b"\xbf\x4d\0\0\0\xb8\x3c\0\0\0\x0f\x05", 62),
        "aarch64": (struct.pack("<3I", 0xD28009A0, 0xD2800BA8, 0xD4000001), 183),
    }[platform.machine()]
    base, header = 0x400000, 64 + 56
    size = header + len(code)
    elf = struct.pack("<16s2H5I6H".replace("5I", "I3QI"), b"\x7fELF\x02\x01\x01", 2, machine,
                      1, base + header, 64, 0, 0, 64, 56, 1, 0, 0, 0)  # fmt: skip
    segment = struct.pack("<2I6Q", 1, 5, 0, base, base, size, size, 0x1000)
    return elf + segment + code


EXIT_77 = _smallest_program()


def open_descriptors() -> list[int]:
    """All that this process has open, found without /proc."""
    found = []
    for descriptor in range(1024):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        found.append(descriptor)
    return found


def wait_for(pid: int) -> int:
    """How a child ended, as `subprocess` writes it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
