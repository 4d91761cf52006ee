"""What a plugin's rights let it ask of the kernel, as checks of each call's arguments.

A filter sees numbers only, never what a pointer points to: paths and addresses are Landlock's and
the namespaces' affair. Nearly every check here looks at the low 32 bits of an argument, because the
kernel takes these as an `int` and drops the rest. Who compared all 64 would let through what has a
bit set above them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

import msgspec

from nebula_lab.confine import system_call_commands as commands
from nebula_lab.confine import system_call_groups as groups
from nebula_lab.confine.bpf import WORD

__all__ = ["ALWAYS", "NEVER", "Answer", "Check", "Rule", "SystemCallPolicy", "Way", "rules_for"]


class Answer(Enum):
    """What becomes of a call. The names are labels of a filter's program."""

    ALLOWED = "allowed"
    DENIED = "denied"
    IGNORED = "ignored"  # it succeeds, and nothing is done
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


class SystemCallPolicy(msgspec.Struct, frozen=True):
    """What a plugin may ask of the kernel.

    Attributes:
        everything: all but what is always denied and what the other rights deny.
        network: TCP and UDP.
        stream_only: with `network`: TCP alone.
        unix_sockets: sockets of this machine's other programs.
        spawn: processes, and what only those need: signals to others, memory shared with them.
        metadata: modes, owners, times and attributes of files, and watching files.
        pid: the process that this is for.
        scheduling: the policy by which its threads are scheduled.
        truncation: emptying files by their paths, beside those that are opened to be written to.
        unseen: keeping files where nobody can tell how large they are, since the kernel counts all.
        watches: watching files, of which the kernel lets a user have so many.
        boots: what a kernel needs once, to be taken away when it has booted: to become another
            program, to make the sockets that it has clients by, to take a filter that denies more.
    """

    everything: bool
    network: bool
    stream_only: bool
    unix_sockets: bool
    spawn: bool
    metadata: bool
    pid: int
    scheduling: int = os.SCHED_OTHER
    truncation: bool = True
    unseen: bool = True
    watches: bool = True
    boots: bool = False


class Check(NamedTuple):
    """Whether an argument, under a mask, is among some values, or is not."""

    argument: int
    values: tuple[int, ...]
    mask: int = WORD
    is_among: bool = True


class Way(NamedTuple):
    """What is answered where all of some checks hold."""

    checks: tuple[Check, ...]
    answer: Answer = Answer.ALLOWED


# The first way whose checks hold is the answer; where none is, the call is denied.
Rule = tuple[Way, ...]
NEVER: Rule = ()
ALWAYS: Rule = (Way(()),)


def _if(*checks: Check, answer: Answer = Answer.ALLOWED) -> Rule:
    return (Way(checks, answer),)


def rules_for(policy: SystemCallPolicy, names: Iterable[str]) -> Mapping[str, Rule]:
    """The rule of each of these calls that may be made at all; the rest have none."""
    granted = {
        groups.NETWORK: policy.network or policy.unix_sockets,
        groups.SPAWN: policy.spawn,
        groups.METADATA: policy.metadata,
        groups.SHARED_MEMORY: policy.everything and policy.spawn,
        groups.ALWAYS_DENIED: False,
    }
    denied = frozenset().union(*(group for group, is_granted in granted.items() if not is_granted))
    if policy.everything:
        allowed = frozenset(names)
    else:
        rights = (group for group, is_granted in granted.items() if is_granted)
        allowed = groups.ORDINARY.union(*rights) & frozenset(names)
    if policy.boots:
        allowed, denied = allowed | groups.BOOT, denied - groups.BOOT
    rules = {**dict.fromkeys(allowed - denied, ALWAYS), **_rules_of_arguments(policy)}
    if not policy.truncation:
        rules |= _WITHOUT_TRUNCATION
    if not policy.unseen:
        rules |= _WITHOUT_UNSEEN
    if not (policy.unseen or granted[groups.NETWORK]):
        rules |= _WITHOUT_SENDING
    if not policy.watches:
        rules |= _WITHOUT_WATCHES
    return rules


def _rules_of_arguments(policy: SystemCallPolicy) -> dict[str, Rule]:
    process = Check(0, (policy.pid,))
    itself = Check(0, (0, policy.pid))
    return {
        "socket": _socket(policy),
        "socketpair": _if(Check(0, (_UNIX,)), _type(_STREAM)),
        "clone": _if(_clone(policy)),
        "close_range": _if(Check(2, (0,), _CLOSE_RANGE_UNSHARE)),
        "kill": _unless(0, [WORD]) if policy.spawn else _if(itself),
        **dict.fromkeys(_SIGNALS_TO_A_PROCESS, ALWAYS if policy.spawn else _if(process)),
        # Landlock keeps no one from these, so also who may start processes may not slow others.
        **dict.fromkeys(_OF_A_PROCESS, _if(itself)),
        "sched_setscheduler": _if(itself) + _if(_same(policy), answer=Answer.IGNORED),
        "setpriority": _if(Check(0, (_PRIO_PROCESS,)), Check(1, (0, policy.pid))),
        "ioprio_set": _if(Check(0, (_IOPRIO_WHO_PROCESS,)), Check(1, (0, policy.pid))),
        "mmap": _mmap(policy),
        "prctl": _unless(0, commands.PRCTL_NEVER)
        if policy.everything
        else _if(Check(0, commands.PRCTL)),
        "personality": ALWAYS if policy.everything else _if(Check(0, (WORD,))),
        "fcntl": _unless(1, _denied_in(policy, commands.FCNTL)),
        "ioctl": _ioctl(policy),
        **dict.fromkeys(_ATTRIBUTES, _SMALL_ATTRIBUTE if policy.metadata else NEVER),
        # Sockets are what a host may make beside those of its kernel, without number.
        "mknod": _if(Check(1, _MADE, _KIND_OF_FILE)),
        "mknodat": _if(Check(2, _MADE, _KIND_OF_FILE)),
    }


def _unless(argument: int, values: Iterable[int]) -> Rule:
    return _if(Check(argument, tuple(values), is_among=False))


_UNKNOWN = _if(Check(0, (0,), 0), answer=Answer.UNKNOWN)  # whatever it is asked

# A mode is 16 bits, of which these say what is made.
_KIND_OF_FILE = 0o170000
_MADE = (0, stat.S_IFREG, stat.S_IFIFO)

# To empty a file when it is opened the kernel asks for no descriptor that can be written to: it may
# be for reading, or for neither. The flags of `openat2` no filter sees; C libraries do without it.
_EMPTIES = (os.O_TRUNC | os.O_RDONLY, os.O_TRUNC | os.O_ACCMODE)
_OPENING = os.O_TRUNC | os.O_ACCMODE
_WITHOUT_TRUNCATION: Mapping[str, Rule] = {
    "truncate": NEVER,
    "open": _if(Check(1, _EMPTIES, _OPENING, is_among=False)),
    "openat": _if(Check(2, _EMPTIES, _OPENING, is_among=False)),
    "openat2": _UNKNOWN,
}

# While one of these waits, the kernel holds a file that may have been closed meanwhile. Programs do
# without them.
_WITHOUT_UNSEEN: Mapping[str, Rule] = {"sendfile": _UNKNOWN, "splice": _UNKNOWN}
# A descriptor can lie in a socket. Who has pairs of sockets alone needs these for nothing else.
_WITHOUT_SENDING: Mapping[str, Rule] = {"sendmsg": NEVER, "sendmmsg": NEVER}

_WITHOUT_WATCHES: Mapping[str, Rule] = {"inotify_init": NEVER, "inotify_init1": NEVER}

# A list of who may use a file is an attribute, which a file system in memory keeps however large it
# is, and counts as nothing. Of a larger one it is as if the file system could not keep it.
_ATTRIBUTES = ("setxattr", "lsetxattr", "fsetxattr")
_BELOW_A_KILOBYTE = 0xFFFFFFFFFFFFFC00
_SMALL_ATTRIBUTE = _if(Check(3, (0,), _BELOW_A_KILOBYTE)) + _if(
    Check(0, (0,), 0), answer=Answer.UNSUPPORTED
)

# Sockets

_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM, _DATAGRAM, _SEQPACKET = 1, 2, 5
_TCP, _UDP = 6, 17
_TYPE = WORD & ~0o2004000  # without SOCK_CLOEXEC and SOCK_NONBLOCK


def _type(*types: int) -> Check:
    return Check(1, types, _TYPE)


def _socket(policy: SystemCallPolicy) -> Rule:
    internet = Check(0, (_INET, _INET6))
    # To EPERM libzmq, which asks for the interfaces before it binds, ends the process.
    rule = _if(Check(0, (_NETLINK,)), answer=Answer.UNSUPPORTED)
    if policy.network:
        # Landlock's rules for TCP do not hold for MPTCP and SCTP, which are streams as well.
        rule += _if(internet, _type(_STREAM), Check(2, (0, _TCP)))
    if policy.network and not policy.stream_only:
        rule += _if(internet, _type(_DATAGRAM), Check(2, (0, _UDP)))
    if policy.unix_sockets:
        rule += _if(Check(0, (_UNIX,)), _type(_STREAM, _DATAGRAM, _SEQPACKET))
    elif policy.boots:
        rule += _if(Check(0, (_UNIX,)), _type(_STREAM))
    return rule


# Processes

_CLONE_THREAD = 0x00010000
# A child of one's parent is no descendant any more, and would not be ended with its host.
_CLONE_PARENT = 0x00008000
_CLONE_NEW = 0x7E020000
# A thread with a table of descriptors of its own would have as many as a process once more, and
# hide files there that no one sees who looks at the process.
_CLONE_FILES, _CLOSE_RANGE_UNSHARE = 0x00000400, 2
_CLONE_LOOKED_AT = _CLONE_THREAD | _CLONE_FILES | _CLONE_PARENT | _CLONE_NEW
_PRIO_PROCESS = 0
_IOPRIO_WHO_PROCESS = 1
_SIGNALS_TO_A_PROCESS = ("tgkill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
_OF_A_PROCESS = (
    "prlimit64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
)


def _same(policy: SystemCallPolicy) -> Check:
    """Whether a thread would be scheduled as all are.

    libzmq asks for that for each of its threads, by the thread's number, and ends the process where
    it is denied. No filter knows whose a thread is, but what changes nothing need not be done.
    """
    return Check(1, (policy.scheduling,))


def _clone(policy: SystemCallPolicy) -> Check:
    thread = _CLONE_THREAD | _CLONE_FILES
    kinds = (0, _CLONE_FILES, thread) if policy.spawn else (thread,)
    return Check(0, kinds, _CLONE_LOOKED_AT)


# Memory

_MAP_SHARED, _MAP_ANONYMOUS, _MAP_GROWSDOWN = 0x01, 0x20, 0x100


def _mmap(policy: SystemCallPolicy) -> Rule:
    # A mapping that grows down counts as stack, and neither RLIMIT_DATA nor RLIMIT_STACK sees it.
    counted = Check(3, (0,), _MAP_GROWSDOWN)
    if policy.spawn:
        return _if(counted)
    shared = _MAP_SHARED | _MAP_ANONYMOUS
    return _if(counted, Check(3, (shared,), shared, is_among=False))


# Commands of calls that do many things


def _denied_in(policy: SystemCallPolicy, commands: Mapping[int, str]) -> list[int]:
    return [command for command, right in commands.items() if not getattr(policy, right, False)]


# All of them act on sockets; through any socket, also a pair's, they tell of the machine's network.
_SOCKET_COMMANDS, _FAMILY = 0x8900, 0xFFFFFF00
_KIND_OF_COMMAND = 0xFF00


def _ioctl(policy: SystemCallPolicy) -> Rule:
    checks = [Check(1, tuple(_denied_in(policy, commands.IOCTL)), is_among=False)]
    if not (policy.network or policy.unix_sockets):
        checks.append(Check(1, (_SOCKET_COMMANDS,), _FAMILY, is_among=False))
    if policy.metadata:
        return _if(*checks)
    checks.append(Check(1, commands.IOCTL_OF_FILE_SYSTEMS, _KIND_OF_COMMAND, is_among=False))
    return _if(Check(1, commands.IOCTL_OF_COPIES)) + _if(*checks)
