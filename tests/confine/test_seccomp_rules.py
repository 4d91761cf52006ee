"""What a filter answers to which call, on both machines."""

from __future__ import annotations

import errno
import itertools
import os

import pytest
from bpf_interpreter import ALLOW, ERROR, KILL_PROCESS, answer
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from nebula_lab.confine import system_call_groups as groups
from nebula_lab.confine.seccomp import SystemCallPolicy, filter_for
from nebula_lab.confine.system_call_policy import ALWAYS, NEVER, Answer, rules_for
from nebula_lab.confine.system_calls import MACHINES, numbers_for

PID = 4321
DENIED, UNKNOWN = ERROR | errno.EPERM, ERROR | errno.ENOSYS
UNSUPPORTED, IGNORED = ERROR | errno.EOPNOTSUPP, ERROR
ANSWERS = {
    Answer.ALLOWED: ALLOW,
    Answer.IGNORED: IGNORED,
    Answer.UNSUPPORTED: UNSUPPORTED,
}
RIGHTS = ("everything", "network", "stream_only", "unix_sockets", "spawn", "metadata")
GROUPS = {
    name: getattr(groups, name)
    for name in ("ORDINARY", "NETWORK", "SPAWN", "METADATA", "SHARED_MEMORY", "ALWAYS_DENIED")
}
NUMBERS = {machine: numbers_for(machine) for machine in MACHINES}
MADE_UNKNOWN = ("clone3", "setxattrat")
FAR = 2**40  # a bit that the kernel drops from an int


def policy_of(*rights):
    return SystemCallPolicy(**{right: right in rights for right in RIGHTS}, pid=PID)


POLICIES = [policy_of(*rights) for n in range(7) for rights in itertools.combinations(RIGHTS, n)]
PROGRAMS = {
    (policy, machine): filter_for(policy, machine) for policy in POLICIES for machine in MACHINES
}


def verdict(call, *arguments, rights="", machine="x86_64"):
    program = PROGRAMS[policy_of(*rights.split()), machine]
    number = NUMBERS[machine][call] if isinstance(call, str) else call
    return answer(program, number, arguments, machine=machine)


def is_allowed(call, *arguments, rights="", machine="x86_64"):
    return verdict(call, *arguments, rights=rights, machine=machine) == ALLOW


# What the tables hold


def test_every_grouped_call_is_one_of_a_machine():
    known = set().union(*NUMBERS.values())
    assert not set().union(*GROUPS.values()) - known


def test_no_call_is_in_two_groups():
    for one, other in itertools.combinations(GROUPS, 2):
        assert not GROUPS[one] & GROUPS[other]


def test_a_call_that_arguments_decide_is_in_no_group_that_allows_it():
    for policy in POLICIES:
        ruled = {n for n, rule in rules_for(policy, NUMBERS["x86_64"]).items() if rule != ALWAYS}
        assert not ruled & groups.ORDINARY


@pytest.mark.parametrize("machine", MACHINES)
def test_a_number_is_one_calls(machine):
    assert len(set(NUMBERS[machine].values())) == len(NUMBERS[machine])


@pytest.mark.parametrize(
    ("machine", "name", "number"),
    [
        ("x86_64", "read", 0),
        ("x86_64", "rseq", 334),
        ("x86_64", "seccomp", 317),
        ("x86_64", "file_setattr", 469),
        ("aarch64", "io_setup", 0),
        ("aarch64", "mmap", 222),
        ("aarch64", "newfstatat", 79),
        ("aarch64", "wait4", 260),
        ("aarch64", "seccomp", 277),
        ("aarch64", "kexec_file_load", 294),
        ("aarch64", "pidfd_send_signal", 424),
    ],
)
def test_numbers_are_the_kernels(machine, name, number):
    assert NUMBERS[machine][name] == number


# The program against the rules

ARGUMENTS = st.one_of(
    st.sampled_from([0, 1, 2, 3, 5, 10, 16, 17, 33, PID, -1, 2**32 - 1, 0x5412, 8, 15, 1024]),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**17).map(lambda bits: bits << 12),
)


def holds(check, arguments):
    return (arguments[check.argument] & check.mask in check.values) is check.is_among


@given(
    policy=st.sampled_from(POLICIES),
    machine=st.sampled_from(MACHINES),
    calls=st.lists(
        st.tuples(st.integers(0, 480), st.lists(ARGUMENTS, min_size=6, max_size=6)),
        min_size=20,
        max_size=60,
    ),
)
def test_the_program_does_what_the_rules_say(policy, machine, calls):
    names = {number: name for name, number in NUMBERS[machine].items()}
    rules = rules_for(policy, names.values())
    for number, signed in calls:
        arguments = [argument % 2**64 for argument in signed]
        rule = rules.get(names.get(number), NEVER)
        ways = (way for way in rule if all(holds(check, arguments) for check in way.checks))
        way = next(ways, None)
        expected = DENIED if way is None else ANSWERS[way.answer]
        if names.get(number, "clone3") in MADE_UNKNOWN:
            expected = UNKNOWN
        program = PROGRAMS[policy, machine]
        assert answer(program, number, arguments, machine=machine) == expected


# Facts

ALL = "everything network unix_sockets spawn metadata"


@pytest.mark.parametrize("policy", POLICIES, ids=lambda p: str(POLICIES.index(p)))
@pytest.mark.parametrize("machine", MACHINES)
def test_nobody_gets_what_is_always_denied(policy, machine):
    for name in groups.ALWAYS_DENIED & set(NUMBERS[machine]):
        number = NUMBERS[machine][name]
        assert answer(PROGRAMS[policy, machine], number, machine=machine) == DENIED, name


@pytest.mark.parametrize("machine", MACHINES)
def test_anybody_gets_what_is_ordinary(machine):
    for name in groups.ORDINARY & set(NUMBERS[machine]):
        assert is_allowed(name, machine=machine), name


@pytest.mark.parametrize(("machine", "other"), [("x86_64", "i386"), ("aarch64", "arm")])
@pytest.mark.parametrize("rights", ["", ALL])
def test_another_machines_calls_end_the_process(machine, other, rights):
    program = PROGRAMS[policy_of(*rights.split()), machine]
    assert answer(program, 0, machine=other) == KILL_PROCESS


@pytest.mark.parametrize("rights", ["", ALL])
@pytest.mark.parametrize("number", [0x40000000, 0x40000000 | 59, 0x40000000 | 521, 2**32 - 1, 5000])
def test_x32_and_newer_calls_are_unknown(number, rights):
    assert verdict(number, rights=rights) == UNKNOWN


@pytest.mark.parametrize("call", MADE_UNKNOWN)
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("rights", ["", ALL])
def test_calls_whose_arguments_no_filter_sees_are_unknown(rights, machine, call):
    assert verdict(call, rights=rights, machine=machine) == UNKNOWN


UNIX, INET, INET6, NETLINK, PACKET, ALG, VSOCK = 1, 2, 10, 16, 17, 38, 40
STREAM, DATAGRAM, RAW, SEQPACKET, OLD_PACKET = 1, 2, 3, 5, 10
FLAGS = 0o2004000  # SOCK_CLOEXEC | SOCK_NONBLOCK


@pytest.mark.parametrize(
    ("rights", "arguments", "allowed"),
    [
        ("", (INET, STREAM, 0), False),
        ("", (UNIX, STREAM, 0), False),
        ("network", (INET, STREAM, 0), True),
        ("network", (INET6, STREAM | FLAGS, 6), True),
        ("network", (INET, DATAGRAM, 17), True),
        ("network", (INET, DATAGRAM, 1), False),  # ping
        ("network", (INET, STREAM, 262), False),  # MPTCP
        ("network", (INET, STREAM, 132), False),  # SCTP
        ("network", (INET, RAW, 1), False),
        ("network", (INET, OLD_PACKET, 3), False),
        ("network", (INET | FAR, RAW, 1), False),
        ("network", (UNIX, STREAM, 0), False),
        ("network stream_only", (INET, STREAM, 0), True),
        ("network stream_only", (INET, DATAGRAM, 0), False),
        ("stream_only", (INET, STREAM, 0), False),
        ("unix_sockets", (UNIX, DATAGRAM | FLAGS, 0), True),
        ("unix_sockets", (UNIX, SEQPACKET, 0), True),
        ("unix_sockets", (INET, STREAM, 0), False),
        (ALL, (NETLINK, RAW, 0), False),
        (ALL, (NETLINK | FAR, RAW, 0), False),
        (ALL, (PACKET, RAW, 0), False),
        (ALL, (PACKET, DATAGRAM, 0), False),
        (ALL, (ALG, SEQPACKET, 0), False),
        (ALL, (VSOCK, STREAM, 0), False),
    ],
)
@pytest.mark.parametrize("machine", MACHINES)
def test_sockets(machine, rights, arguments, allowed):
    assert is_allowed("socket", *arguments, rights=rights, machine=machine) is allowed


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("rights", ["", "network", ALL])
def test_there_is_no_netlink_rather_than_no_right_to_it(machine, rights):
    """To EPERM libzmq ends the process."""
    for arguments in ((NETLINK, RAW | FLAGS, 0), (NETLINK | FAR, DATAGRAM, 16)):
        assert verdict("socket", *arguments, rights=rights, machine=machine) == UNSUPPORTED


SCHED_OTHER, SCHED_FIFO, SCHED_BATCH, SCHED_IDLE = 0, 1, 3, 5


@pytest.mark.parametrize(
    ("scheduling", "asked", "expected"),
    [
        (SCHED_OTHER, SCHED_OTHER, IGNORED),
        (SCHED_OTHER, SCHED_OTHER | FAR, IGNORED),
        (SCHED_OTHER, SCHED_IDLE, DENIED),
        (SCHED_OTHER, SCHED_FIFO, DENIED),
        (SCHED_OTHER, SCHED_OTHER | 0x40000000, DENIED),  # SCHED_RESET_ON_FORK
        (SCHED_BATCH, SCHED_BATCH, IGNORED),
        (SCHED_BATCH, SCHED_OTHER, DENIED),
    ],
)
@pytest.mark.parametrize("machine", MACHINES)
def test_any_thread_may_be_scheduled_as_all_are_which_changes_none(
    machine, scheduling, asked, expected
):
    program = filter_for(structs.replace(policy_of(), scheduling=scheduling), machine)
    number = NUMBERS[machine]["sched_setscheduler"]
    for thread in (1, PID + 1):
        assert answer(program, number, (thread, asked, 0), machine=machine) == expected


CLONE_THREAD, CLONE_PARENT, CLONE_NEWUSER = 0x10000, 0x8000, 0x10000000
CLONE_FILES = 0x400
PTHREAD = 0x3D0F00
FORK = 0x1200011
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS, MAP_GROWSDOWN = 1, 2, 0x20, 0x100


@pytest.mark.parametrize(
    ("call", "arguments", "without", "with_it", "right"),
    [
        ("socketpair", (UNIX, STREAM | FLAGS, 0), True, True, ALL),
        ("socketpair", (UNIX, DATAGRAM, 0), False, False, ALL),
        ("socketpair", (INET, STREAM, 0), False, False, ALL),
        ("connect", (3,), False, True, "network"),
        ("bind", (3,), False, True, "unix_sockets"),
        ("listen", (3,), False, True, "network stream_only"),
        ("accept4", (3,), True, True, "network"),
        ("clone", (PTHREAD,), True, True, "spawn"),
        ("clone", (PTHREAD & ~CLONE_FILES,), False, False, ALL),
        ("close_range", (3, 9, 4), True, True, ALL),
        ("close_range", (3, 9, 2), False, False, ALL),
        ("clone", (FORK,), False, True, "spawn"),
        ("clone", (FORK | CLONE_PARENT,), False, False, ALL),
        ("clone", (FORK | CLONE_NEWUSER,), False, False, ALL),
        ("clone", (PTHREAD | CLONE_NEWUSER,), False, False, ALL),
        ("fork", (), False, True, "spawn"),
        ("vfork", (), False, True, "spawn"),
        ("execve", (), False, True, "spawn"),
        ("execveat", (), False, True, "spawn"),
        ("setsid", (), False, True, "spawn"),
        ("memfd_create", (), False, False, "spawn"),
        ("memfd_create", (), False, True, "spawn everything"),
        ("map_shadow_stack", (), False, False, ALL),
        ("memfd_secret", (), False, False, "spawn"),
        ("memfd_secret", (), False, True, "spawn everything"),
        ("memfd_secret", (), False, False, "everything"),
        ("shmget", (), False, False, "everything"),
        ("shmget", (), False, True, "spawn everything"),
        ("pidfd_open", (PID,), False, True, "spawn"),
        ("kill", (PID, 9), True, True, "spawn"),
        ("kill", (0, 9), True, True, "spawn"),
        ("kill", (PID + 1, 9), False, True, "spawn"),
        ("kill", (-PID, 9), False, True, "spawn"),
        ("kill", (-1, 9), False, False, ALL),
        ("kill", (2**32 - 1, 9), False, False, ALL),
        ("kill", (PID | FAR, 9), True, True, "spawn"),
        ("tgkill", (PID, 1, 9), True, True, "spawn"),
        ("tgkill", (1, PID, 9), False, True, "spawn"),
        ("tkill", (1, 9), False, True, "spawn"),
        ("rt_sigqueueinfo", (1, 9), False, True, "spawn"),
        ("rt_tgsigqueueinfo", (1, 1, 9), False, True, "spawn"),
        ("prlimit64", (0, 7), True, True, ALL),
        ("prlimit64", (PID, 7), True, True, ALL),
        ("prlimit64", (1, 7), False, False, ALL),
        ("sched_setscheduler", (0, SCHED_OTHER), True, True, ALL),
        ("sched_setscheduler", (PID, SCHED_IDLE), True, True, ALL),
        ("sched_setscheduler", (1, SCHED_OTHER), False, False, ALL),
        ("sched_setscheduler", (1, SCHED_IDLE), False, False, ALL),
        ("sched_setparam", (1,), False, False, ALL),
        ("sched_setaffinity", (0,), True, True, ALL),
        ("sched_setaffinity", (1,), False, False, ALL),
        ("setpriority", (0, 0, 19), True, True, ALL),
        ("setpriority", (0, 1, 19), False, False, ALL),
        ("setpriority", (2, 0, 19), False, False, ALL),
        ("ioprio_set", (1, PID), True, True, ALL),
        ("ioprio_set", (3, 0), False, False, ALL),
        ("mmap", (0, 1, 3, MAP_PRIVATE | MAP_ANONYMOUS), True, True, ALL),
        ("mmap", (0, 1, 3, MAP_SHARED), True, True, ALL),
        ("mmap", (0, 1, 3, MAP_SHARED | MAP_ANONYMOUS), False, True, "spawn"),
        ("mmap", (0, 1, 3, MAP_SHARED | MAP_ANONYMOUS | FAR), False, False, "everything"),
        ("mmap", (0, 1, 3, 3 | MAP_ANONYMOUS), False, False, "everything"),
        ("mmap", (0, 1, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN), False, False, ALL),
        ("prctl", (15,), True, True, ALL),
        ("prctl", (0x53564D41,), True, True, ALL),
        ("prctl", (22,), False, True, "everything"),
        ("prctl", (4,), False, False, ALL),
        ("prctl", (4 | FAR,), False, False, ALL),
        ("prctl", (36,), False, False, ALL),
        ("prctl", (0x59616D61,), False, False, ALL),
        ("personality", (0xFFFFFFFF,), True, True, ALL),
        ("personality", (0x40000,), False, True, "everything"),
        ("seccomp", (), False, True, "everything"),
        ("landlock_restrict_self", (), False, True, "everything"),
        ("io_setup", (), False, True, "everything"),
        ("fcntl", (3, 1030), True, True, ALL),
        ("fcntl", (3, 8), False, True, "spawn"),
        ("fcntl", (3, 10 | FAR), False, False, "everything"),
        ("fcntl", (3, 15), False, True, "spawn"),
        ("fcntl", (3, 1024), False, True, "everything"),
        ("ioctl", (0, 0x5401), True, True, ALL),
        ("ioctl", (0, 0x5412), False, False, ALL),
        ("ioctl", (0, 0x5412 | FAR), False, False, ALL),
        ("ioctl", (0, 0x541C), False, False, ALL),
        ("ioctl", (3, 0x541B), True, True, ALL),
        ("ioctl", (3, 0x8901), False, False, "network"),
        ("ioctl", (3, 0x8901), False, True, "network spawn"),
        ("ioctl", (3, 0x8927), False, True, "network"),  # an interface's address
        ("ioctl", (3, 0x8927), False, True, "unix_sockets"),
        ("ioctl", (3, 0x8946 | FAR), False, False, "everything"),
        ("ioctl", (3, 0x40086602), False, True, "metadata"),
        ("ioctl", (3, 0x40806685), False, True, "metadata"),  # FS_IOC_ENABLE_VERITY
        ("ioctl", (3, 0x5000940F), False, True, "metadata"),  # BTRFS_IOC_SNAP_DESTROY
        ("ioctl", (3, 0x50009418 | FAR), False, False, "everything"),
        ("ioctl", (3, 0x4020BC10), False, True, "metadata"),  # BCH_IOCTL_SUBVOLUME_CREATE
        ("ioctl", (3, 0x40049409), True, True, ALL),  # FICLONE
        ("ioctl", (3, 0xC0189436), True, True, ALL),  # FIDEDUPERANGE
        ("chmod", (), False, True, "metadata"),
        ("utimensat", (), False, True, "metadata"),
        ("setxattr", (), False, False, "everything"),
        ("setxattr", (1, 2, 3, 1023), False, True, "metadata"),
        ("fsetxattr", (1, 2, 3, 1024), False, False, "metadata"),
        ("setxattr", (1, 2, 3, FAR), False, False, "metadata"),
        ("setxattrat", (), False, False, "metadata"),
        ("fcntl", (3, 1031), False, True, "everything"),
        ("inotify_init1", (), False, True, "metadata"),
        ("mknod", (0, 0o010600), True, True, ALL),
        ("mknod", (0, 0o020600), False, False, ALL),
        ("mknod", (0, 0o140600), False, False, ALL),
        ("mknodat", (0, 0, 0o140600), False, False, ALL),
        ("mknodat", (0, 0, 0o060600), False, False, ALL),
    ],
)
def test_what_a_right_changes(call, arguments, without, with_it, right):
    for machine in MACHINES:
        if call in NUMBERS[machine]:
            assert is_allowed(call, *arguments, machine=machine) is without
            assert is_allowed(call, *arguments, rights=right, machine=machine) is with_it


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("truncate", (), DENIED),
        ("ftruncate", (), ALLOW),
        ("open", (0, os.O_WRONLY | os.O_TRUNC), ALLOW),
        ("open", (0, os.O_RDONLY), ALLOW),
        ("open", (0, os.O_RDONLY | os.O_TRUNC), DENIED),
        ("openat", (0, 0, os.O_RDWR | os.O_CREAT | os.O_TRUNC), ALLOW),
        ("openat", (0, 0, os.O_RDONLY | os.O_TRUNC | FAR), DENIED),
        ("openat", (0, 0, os.O_ACCMODE | os.O_TRUNC), DENIED),
        ("openat2", (), UNKNOWN),
    ],
)
@pytest.mark.parametrize("rights", ["", "everything"])
def test_without_truncation_no_file_is_emptied_that_can_not_be_written_to(
    call, arguments, expected, rights
):
    for machine in MACHINES:
        if call in NUMBERS[machine]:
            program = filter_for(
                structs.replace(policy_of(*rights.split()), truncation=False), machine
            )
            found = answer(program, NUMBERS[machine][call], arguments, machine=machine)
            assert found == expected


@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        ("sendfile", (1, 2, 0, 9), UNKNOWN),
        ("splice", (1, 0, 2, 0, 9, 0), UNKNOWN),
        ("sendmsg", (1, 2, 0), DENIED),
        ("sendmmsg", (1, 2, 1, 0), DENIED),
        ("fcntl", (1, 38, 0), DENIED),
        ("fcntl", (1, FAR | 38, 0), DENIED),
        ("fcntl", (1, 37, 0), ALLOW),
        ("sendto", (1, 2, 3, 0, 0, 0), ALLOW),
        ("copy_file_range", (1, 0, 2, 0, 9, 0), ALLOW),
    ],
)
@pytest.mark.parametrize("machine", MACHINES)
def test_where_files_are_counted_by_looking_no_call_keeps_one_out_of_sight(
    call, arguments, expected, machine
):
    for rights in ("", "everything", "network", "spawn"):
        program = filter_for(structs.replace(policy_of(*rights.split()), unseen=False), machine)
        found = answer(program, NUMBERS[machine][call], arguments, machine=machine)
        is_needed = rights == "network" and call in ("sendmsg", "sendmmsg")
        assert found == (ALLOW if is_needed else expected)


def test_a_machine_without_a_table_is_named():
    with pytest.raises(OSError, match="system calls of riscv64 can't be filtered"):
        filter_for(policy_of(), "riscv64")
