"""Filters the system calls of a process, for good and for all of its threads; see seccomp(2)."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from nebula_lab.confine.bpf import MACHINE_OFFSET, NUMBER_OFFSET, Assembler
from nebula_lab.confine.system_call_policy import (
    ALWAYS,
    NEVER,
    Answer,
    Rule,
    SystemCallPolicy,
    Way,
    rules_for,
)
from nebula_lab.confine.system_calls import MACHINES, numbers_for

__all__ = ["SystemCallPolicy", "apply", "filter_for", "is_supported"]

_AUDIT_NAMES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_KILL_PROCESS = 0x80000000
_ERROR = 0x00050000
_ALLOW = 0x7FFF0000

_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_THREAD_SYNC = 1
# Without it Linux before 5.16 slows the whole process down against attacks within it.
_SPECULATION_ALLOWED = 4
_FLAGS = _THREAD_SYNC | _SPECULATION_ALLOWED

# Where a program ends, and what it answers there. To an unknown call the kernel's own answer is
# ENOSYS, and libraries then use an older one.
_FOREIGN = "foreign"
_ENDS = {
    Answer.ALLOWED.value: _ALLOW,
    Answer.DENIED.value: _ERROR | errno.EPERM,
    Answer.IGNORED.value: _ERROR | 0,
    Answer.UNSUPPORTED.value: _ERROR | errno.EOPNOTSUPP,
    Answer.UNKNOWN.value: _ERROR | errno.ENOSYS,
    _FOREIGN: _KILL_PROCESS,
}
# What matters is behind a pointer, where no filter sees it; C libraries then use the older call.
_MADE_UNKNOWN = frozenset({"clone3", "setxattrat"})


def filter_for(policy: SystemCallPolicy, machine: str = platform.machine()) -> bytes:
    """The program that lets through what a policy allows.

    What is known and denied fails with EPERM, what is newer than our tables with ENOSYS. A call by
    another machine's conventions, such as 32-bit ones, ends the process.

    Raises:
        OSError: there is no table of this machine's system calls.
    """
    if machine not in MACHINES:
        raise OSError(
            errno.ENOTSUP,
            f"system calls of {machine} can't be filtered; those of {' and '.join(MACHINES)} can",
        )
    numbers = numbers_for(machine)
    rules = rules_for(policy, numbers)
    labels = {
        number: Answer.UNKNOWN.value if name in _MADE_UNKNOWN else _label(rules.get(name, NEVER))
        for name, number in numbers.items()
    }
    program = Assembler()
    program.load(MACHINE_OFFSET)
    program.if_equal(_AUDIT_NAMES[machine], otherwise=_FOREIGN)
    program.load(NUMBER_OFFSET)
    program.by_range(_ranges(labels))
    used = set(labels.values())
    for rule in {_label(rule): rule for rule in rules.values()}.values():
        if rule not in (ALWAYS, NEVER) and _label(rule) in used:
            _add_rule(program, rule)
    for label, answer in _ENDS.items():
        program.label(label)
        program.answer(answer)
    return program.assemble()


def _label(rule: Rule) -> str:
    if rule == ALWAYS:
        return Answer.ALLOWED.value
    return Answer.DENIED.value if rule == NEVER else repr(rule)


def _ranges(labels: Mapping[int, str]) -> list[tuple[int, str]]:
    """Where each run of numbers with the same label starts.

    The last run has no end, so that the numbers of x86_64's x32 calls are in it too.
    """
    ranges = [(0, labels.get(0, Answer.UNKNOWN.value))]
    for number in range(1, max(labels) + 2):
        label = labels.get(number, Answer.UNKNOWN.value)
        if label != ranges[-1][1]:
            ranges.append((number, label))
    return ranges


def _add_rule(program: Assembler, rule: Rule) -> None:
    place = _label(rule)
    program.label(place)
    for which, way in enumerate(rule):
        is_last = which + 1 == len(rule)
        otherwise = Answer.DENIED.value if is_last else f"{place}{which + 1}"
        _add_way(program, way, f"{place}{which}", otherwise)
        if not is_last:
            program.label(otherwise)


def _add_way(program: Assembler, way: Way, place: str, otherwise: str) -> None:
    for which, check in enumerate(way.checks):
        is_last = which + 1 == len(way.checks)
        passed = way.answer.value if is_last else f"{place}.{which + 1}"
        among, else_ = (passed, otherwise) if check.is_among else (otherwise, passed)
        program.by_argument(check.argument, check.mask, check.values, among=among, else_=else_)
        if not is_last:
            program.label(passed)


class _Program(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


_libc = ctypes.CDLL(None, use_errno=True)


def apply(program: bytes) -> None:
    """Filter the calls of all threads of this process, and of all that it will start.

    This can't be taken back, and nothing that is started here can gain privileges any more.

    Args:
        program: from `filter_for`.

    Raises:
        OSError: the kernel refused, and no thread is filtered.
    """
    if _libc.prctl(_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))):
        raise _error("privileges can't be given up")
    filter_ = _Program(len(program) // 8, program)
    thread = _seccomp(_SET_MODE_FILTER, _FLAGS, ctypes.byref(filter_))
    if thread < 0:
        raise _error("the filter of system calls was refused")
    if thread > 0:
        raise OSError(
            errno.EBUSY,
            f"the filter of system calls can't be had for the thread {_name_of(thread)}: "
            "it has another one of its own",
        )


def is_supported() -> bool:
    """Whether this process could filter its calls now; it is not changed by asking."""
    if platform.system() != "Linux" or platform.machine() not in MACHINES:
        return False
    # The kernel looks at the flags before it looks for the program that is not there.
    return _seccomp(_SET_MODE_FILTER, _FLAGS, None) < 0 and ctypes.get_errno() == errno.EFAULT


def _seccomp(operation: int, flags: int, argument: object) -> int:
    number = numbers_for(platform.machine())["seccomp"]
    _libc.syscall.restype = ctypes.c_long
    result: int = _libc.syscall(
        ctypes.c_long(number), ctypes.c_ulong(operation), ctypes.c_ulong(flags), argument
    )
    return result


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def _name_of(thread: int) -> str:
    try:
        return f"{thread} ({Path(f'/proc/self/task/{thread}/comm').read_text().strip()})"
    except OSError:  # it has ended, or this process can't see its own threads
        return str(thread)
