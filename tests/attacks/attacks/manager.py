"""The manager itself: its memory, its variables, its descriptors, its life."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from pathlib import Path

from .attack import attack
from .system import call, libc, open_descriptors

_SECRET = re.compile(rb"NEBULA-SECRET-[0-9a-f]{32}")
_ATTACH, _DETACH, _PEEK, _SEIZE = 16, 17, 2, 0x4206


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


# What was inherited


@attack(secret="variable")
def find_secret_among_variables(target):
    found = [value for value in os.environ.values() if _SECRET.match(value.encode())]
    if not found:
        raise LookupError("no secret among the variables")
    return found


@attack(secret="variable")
def find_secret_in_initial_variables(target):
    return _SECRET.findall(Path("/proc/self/environ").read_bytes())[0].decode()


@attack(secret="variable")
def find_secret_in_own_memory(target):
    """In what a fork may have left: every page that is mapped here."""
    found = set()
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        if not rights.startswith("rw") or "[v" in line:
            continue
        start, end = (int(number, 16) for number in span.split("-"))
        if end - start < 1 << 28:
            found.update(_SECRET.findall(_own_memory(start, end - start)))
    if not found:
        raise LookupError("no secret in what is mapped here")
    return sorted(secret.decode() for secret in found)


def _own_memory(start, length):
    ours = ctypes.create_string_buffer(length)
    to, come_from = _Vector(ctypes.addressof(ours), length), _Vector(start, length)
    with contextlib.suppress(OSError):
        call("process_vm_readv", os.getpid(), ctypes.byref(to), 1, ctypes.byref(come_from), 1, 0)
        return ours.raw
    return ctypes.string_at(start, length)


# By /proc


@attack()
def see_processes(target):
    listed = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    if target["manager_pid"] not in listed:
        raise ProcessLookupError(f"only {sorted(listed)}")
    return len(listed)


@attack(secret="variable")
def read_managers_variables(target):
    data = Path(f"/proc/{target['manager_pid']}/environ").read_bytes()
    return _SECRET.findall(data)[0].decode()


@attack()
def read_managers_command_line(target):
    return Path(f"/proc/{target['manager_pid']}/cmdline").read_bytes().decode()


@attack()
def read_managers_map(target):
    lines = Path(f"/proc/{target['manager_pid']}/maps").read_text().splitlines()
    if not lines:
        raise LookupError("it is empty")
    return lines[0]


@attack()
def list_managers_descriptors(target):
    return len(os.listdir(f"/proc/{target['manager_pid']}/fd"))


@attack()
def follow_managers_working_folder(target):
    return os.listdir(f"/proc/{target['manager_pid']}/cwd")[:3]


@attack(secret="memory")
def read_managers_memory(target):
    with open(f"/proc/{target['manager_pid']}/mem", "rb", buffering=0) as memory:
        memory.seek(target["secret_address"])
        return memory.read(46).decode()


@attack(leaves="scribble")
def write_managers_memory(target):
    with open(f"/proc/{target['manager_pid']}/mem", "r+b", buffering=0) as memory:
        memory.seek(target["scribble_address"])
        return memory.write(b"scribbled")


# By system calls on its process


@attack(secret="memory")
def read_managers_memory_by_vm_readv(target):
    ours = ctypes.create_string_buffer(46)
    to = _Vector(ctypes.addressof(ours), 46)
    come_from = _Vector(target["secret_address"], 46)
    pid = target["manager_pid"]
    call("process_vm_readv", pid, ctypes.byref(to), 1, ctypes.byref(come_from), 1, 0)
    return ours.raw.decode()


@attack(leaves="scribble")
def write_managers_memory_by_vm_writev(target):
    ours = ctypes.create_string_buffer(b"scribbled")
    come_from, to = _Vector(ctypes.addressof(ours), 9), _Vector(target["scribble_address"], 9)
    pid = target["manager_pid"]
    return call("process_vm_writev", pid, ctypes.byref(come_from), 1, ctypes.byref(to), 1, 0)


@attack()
def trace_manager(target):
    call("ptrace", _SEIZE, target["manager_pid"], 0, 0)
    call("ptrace", 0x4207, target["manager_pid"], 0, 0)  # PTRACE_INTERRUPT, to let go of it
    os.waitpid(target["manager_pid"], 0)
    call("ptrace", _DETACH, target["manager_pid"], 0, 0)
    return "seized"


@attack()
def trace_manager_by_c_library(target):
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    ctypes.set_errno(0)
    if libc.ptrace(_ATTACH, target["manager_pid"], None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(target["manager_pid"], 0)
    libc.ptrace(_DETACH, target["manager_pid"], None, None)
    return "attached"


@attack()
def take_managers_descriptor(target):
    """By a pidfd of it that is made, or that was inherited."""
    pidfds, refusal = list(open_descriptors()), None
    with contextlib.suppress(OSError):
        pidfds.insert(0, call("pidfd_open", target["manager_pid"], 0))
    for pidfd in pidfds:
        for number in range(3, 16):
            try:
                return call("pidfd_getfd", pidfd, number, 0)
            except OSError as error:
                refusal = error
    raise refusal or OSError("nothing is open here")


@attack(leaves="signal")
def signal_manager(target):
    os.kill(target["manager_pid"], target["signal"])
    return "sent"


@attack(leaves="signal")
def signal_manager_by_thread(target):
    pid = target["manager_pid"]
    return call("tgkill", pid, pid, target["signal"])


@attack(leaves="signal")
def queue_signal_to_manager(target):
    information = (ctypes.c_int * 32)(target["signal"], 0, -1)
    return call("rt_sigqueueinfo", target["manager_pid"], target["signal"], information)


@attack(leaves="signal")
def signal_managers_group(target):
    os.killpg(os.getpgid(target["manager_pid"]), target["signal"])
    return "sent"


@attack(leaves="signal")
def signal_everybody(target):
    os.kill(-1, target["signal"])
    return "sent"


@attack(leaves="signal")
def signal_manager_by_inherited_pidfd(target):
    """A host watches a pidfd of its owner; so one is open in it."""
    sent, refusal = [], None
    for descriptor in open_descriptors():
        try:
            call("pidfd_send_signal", descriptor, target["signal"], 0, 0)
        except OSError as error:
            refusal = error if refusal is None or error.errno != 9 else refusal
            continue
        sent.append(descriptor)
    if not sent:
        raise refusal or OSError("nothing is open here")
    return sent


@attack(leaves="signal")
def signal_manager_by_made_owner(target):
    """By SIGIO, which the kernel sends to whoever is said to own a descriptor."""
    import fcntl

    reading, writing = os.pipe()
    try:
        fcntl.fcntl(reading, fcntl.F_SETOWN, target["manager_pid"])
        fcntl.fcntl(reading, 10, target["signal"])  # F_SETSIG
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        os.write(writing, b"x")
        return fcntl.fcntl(reading, fcntl.F_GETOWN)
    finally:
        os.close(reading)
        os.close(writing)


@attack()
def signal_sibling(target):
    os.kill(target["sibling_pid"], target["signal"])
    return "sent"


@attack()
def limit_manager(target):
    """Take its resources away."""
    limit = (ctypes.c_ulong * 2)()
    call("prlimit64", target["manager_pid"], 7, 0, limit)
    return call("prlimit64", target["manager_pid"], 7, limit, 0)


@attack()
def slow_manager_down(target):
    return call("setpriority", 0, target["manager_pid"], 1)


@attack()
def pin_manager(target):
    mask = ctypes.c_ulong(1)
    return call("sched_setaffinity", target["manager_pid"], 8, ctypes.byref(mask))
