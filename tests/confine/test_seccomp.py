"""Filters that the kernel runs, on real processes."""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import signal

import pytest
from filtered_process import FilteredProcess

from nebula_lab.confine.seccomp import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="this machine can't filter system calls")

ALL = "everything network unix_sockets spawn metadata"
BAD = -1  # a pointer or descriptor that is none
TRIED = [
    ("execve", (BAD, 0, 0)),
    ("execveat", (BAD, BAD, 0, 0, 0)),
    ("socket", (1, 1, 0)),
    ("socket", (2, 1, 0)),
    ("socket", (2, 2, 0)),
    ("socket", (38, 5, 0)),
    ("socketpair", (1, 2, 0, BAD)),
    ("connect", (BAD, BAD, 16)),
    ("bind", (BAD, BAD, 16)),
    ("listen", (BAD, 1)),
    ("kill", (2**30, 0)),
    ("tgkill", (2**30, 2**30, 0)),
    ("tkill", (2**30, 0)),
    ("rt_sigqueueinfo", (2**30, 0, BAD)),
    ("pidfd_open", (2**30, 0)),
    ("pidfd_send_signal", (BAD, 0, 0, 0)),
    ("pidfd_getfd", (BAD, 0, 0)),
    ("ptrace", (16, 2**30, 0, 0)),
    ("process_vm_readv", (2**30, 0, 0, 0, 0, 0)),
    ("process_vm_writev", (2**30, 0, 0, 0, 0, 0)),
    ("kcmp", (2**30, 2**30, 0, 0, 0)),
    ("prlimit64", (2**30, 7, 0, 0)),
    ("sched_setaffinity", (2**30, 8, BAD)),
    ("setpriority", (0, 2**30, 0)),
    ("memfd_create", (BAD, 0)),
    ("mmap", (0, 4096, 3, 0x21, BAD, 0)),
    ("mmap", (0, 4096, 3, 0x122, BAD, 0)),
    ("shmget", (0, 4096, 0o600)),
    ("msgget", (0, 0o600)),
    ("semget", (0, 1, 0o600)),
    ("mq_open", (BAD, 0, 0, 0)),
    ("chmod", (BAD, 0)),
    ("fchmodat", (BAD, BAD, 0)),
    ("chown", (BAD, 0, 0)),
    ("utimensat", (BAD, BAD, 0, 0)),
    ("setxattr", (BAD, BAD, 0, 0, 0)),
    ("getxattr", (BAD, BAD, 0, 0)),
    ("inotify_init1", (BAD,)),
    ("io_uring_enter", (BAD, 0, 0, 0, 0, 0)),
    ("io_setup", (0, BAD)),
    ("keyctl", (BAD, 0, 0, 0, 0)),
    ("add_key", (BAD, BAD, 0, 0, 0)),
    ("unshare", (1,)),
    ("setns", (BAD, 0)),
    ("seccomp", (99, 0, 0)),
    ("landlock_create_ruleset", (0, 0, 1)),
    ("prctl", (4, 1, 0, 0, 0)),
    ("prctl", (36, 0, 0, 0, 0)),
    ("prctl", (0x59616D61, 0, 0, 0, 0)),
    ("personality", (0,)),
    ("fcntl", (BAD, 8, 1)),
    ("fcntl", (BAD, 10, 9)),
    ("ioctl", (BAD, 0x5412, 0)),
    ("ioctl", (BAD, 0x5412 | 2**40, 0)),
    ("ioctl", (BAD, 0x8901, 0)),
    ("setuid", (BAD,)),
    ("name_to_handle_at", (BAD, BAD, BAD, BAD, 0)),
    ("tee", (BAD, BAD, 1, 0)),
]
# Without a filter these need privileges, or change the process that tries them.
NOT_TRIED_FREELY = [
    ("clone", (0x10000011, 0, 0, 0, 0)),
    ("setsid", ()),
    ("bpf", (99, 0, 0)),
    ("perf_event_open", (BAD, 0, 0, BAD, 0)),
    ("userfaultfd", (BAD,)),
    ("mount", (BAD, BAD, BAD, 0, 0)),
    ("umount2", (BAD, 0)),
    ("move_mount", (BAD, BAD, BAD, BAD, 0)),
    ("fsopen", (BAD, 0)),
    ("open_tree", (BAD, BAD, 0)),
    ("pivot_root", (BAD, BAD)),
    ("chroot", (BAD,)),
    ("kexec_load", (0, 99, 0, 0)),
    ("init_module", (BAD, 1, BAD)),
    ("finit_module", (BAD, BAD, 0)),
    ("delete_module", (BAD, 0)),
    ("reboot", (0, 0, 0, 0)),
    ("swapon", (BAD, 0)),
    ("settimeofday", (BAD, 0)),
    ("clock_settime", (0, BAD)),
    ("adjtimex", (BAD,)),
    ("acct", (BAD,)),
    ("quotactl", (BAD, 0, 0, 0)),
    ("open_by_handle_at", (BAD, BAD, 0)),
    ("fanotify_init", (BAD, 0)),
    ("sethostname", (BAD, BAD)),
    ("syslog", (99, 0, 0)),
    ("setgroups", (BAD, 0)),
]
HARMLESS = [
    ("getppid", (), 0),
    ("socketpair", (1, 1, 0, BAD), errno.EFAULT),
    ("socketpair", (1, 0o2004001, 0, BAD), errno.EFAULT),
    ("accept4", (BAD, 0, 0, 0), errno.EBADF),
    ("sendmsg", (BAD, 0, 0), errno.EBADF),
    ("eventfd2", (0, BAD), errno.EINVAL),
    ("kill", (0, 0), 0),
    ("prctl", (16, BAD, 0, 0, 0), errno.EFAULT),
    ("prlimit64", (0, 7, 0, 0), 0),
    ("personality", (0xFFFFFFFF,), 0),
    ("ioctl", (BAD, 0x5401, 0), errno.EBADF),
    ("mmap", (0, 4096, 3, 0x22, BAD, 0), 0),
    ("mmap", (0, 4096, 3, 0x01, BAD, 0), errno.EBADF),
    ("clone3", (0, 0), errno.ENOSYS),
    (5000, (), errno.ENOSYS),
    (0x40000000 | 39, (), errno.ENOSYS),
]


@pytest.fixture(scope="module")
def strict():
    with FilteredProcess("") as process:
        yield process


@pytest.fixture(scope="module")
def free():
    with FilteredProcess(None) as process:
        yield process


@pytest.fixture(scope="module")
def granted():
    with FilteredProcess(ALL) as process:
        yield process


def ids(case):
    return case if isinstance(case, str) else None


@pytest.mark.parametrize(("name", "arguments"), [*TRIED, *NOT_TRIED_FREELY], ids=ids)
def test_without_rights_it_is_denied(strict, name, arguments):
    assert strict.call(name, *arguments) == errno.EPERM


@pytest.mark.parametrize(("name", "arguments"), TRIED, ids=ids)
def test_without_a_filter_it_is_not_denied(name, arguments, free):
    assert free.call(name, *arguments) != errno.EPERM


@pytest.mark.parametrize(("name", "arguments", "error"), HARMLESS, ids=ids)
def test_what_any_plugin_needs_is_let_through(strict, name, arguments, error):
    assert strict.call(name, *arguments) == error


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mount", (BAD, BAD, BAD, 0, 0)),
        ("unshare", (0,)),
        ("ptrace", (16, 2**30, 0, 0)),
        ("bpf", (99, 0, 0)),
        ("io_uring_setup", (0, BAD)),
        ("setuid", (BAD,)),
        ("kill", (-1, 0)),
        ("socket", (17, 3, 0)),
        ("prctl", (4, 1, 0, 0, 0)),
        ("ioctl", (BAD, 0x5412, 0)),
        ("prlimit64", (2**30, 7, 0, 0)),
        ("clone", (0x10000011, 0, 0, 0, 0)),
    ],
    ids=ids,
)
def test_with_every_right_it_is_denied_all_the_same(granted, name, arguments):
    assert granted.call(name, *arguments) == errno.EPERM


def test_there_is_no_netlink(strict, granted):
    for process in strict, granted:
        assert process.call("socket", 16, 3, 0) == errno.EOPNOTSUPP


def test_another_thread_is_scheduled_as_it_was_and_so_is_another_process(strict):
    code = f"""
scheduled = lambda pid, policy: call("sched_setscheduler", pid, policy, ctypes.addressof(zero))
zero, me = ctypes.c_int(0), threading.get_native_id
errors = []
thread = threading.Thread(target=lambda: errors.append(scheduled(me(), os.SCHED_OTHER)))
thread.start(); thread.join()
other = {os.getpid()}
result = [*errors, scheduled(other, os.SCHED_OTHER), scheduled(other, os.SCHED_IDLE)]
"""
    assert strict.run(code) == [0, 0, errno.EPERM]
    # It said so, and did not do it.
    with scheduled_as(os.SCHED_BATCH):
        assert strict.run(code) == [0, 0, errno.EPERM]
        assert os.sched_getscheduler(0) == os.SCHED_BATCH


@contextlib.contextmanager
def scheduled_as(policy):
    before = os.sched_getscheduler(0)
    os.sched_setscheduler(0, policy, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, before, os.sched_param(0))


def test_with_every_right_programs_run(granted):
    code = "import subprocess; result = subprocess.run(['echo', 'x'], capture_output=True).stdout"
    assert granted.run(f"{code}.decode()") == "x\n"


def test_with_every_right_pools_of_processes_work(granted):
    code = "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as pool: "
    assert granted.run(f"{code}result = pool.map(abs, [-1, -2])") == [1, 2]


def test_a_plugin_may_signal_itself(strict):
    code = "import signal; got = []; signal.signal(10, lambda *_: got.append(1)); "
    assert strict.run(f"{code}os.kill(os.getpid(), 10); signal.raise_signal(10); result = got") == [
        1,
        1,
    ]


def test_with_the_network_it_connects_to_the_internet_protocols_alone():
    code = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
try: socket.socket(socket.AF_UNIX)
except PermissionError: result = "no Unix socket"
for each in (client, server): each.close()
"""
    with FilteredProcess("network stream_only") as process:
        assert process.run(code) == "no Unix socket"
        assert process.run("import socket; socket.socket(type=2)").startswith("PermissionError")


def test_unix_sockets_are_a_right_of_their_own(tmp_path):
    path = str(tmp_path / "s")
    code = f"""
import socket
server = socket.socket(socket.AF_UNIX); server.bind({path!r}); server.listen()
client = socket.socket(socket.AF_UNIX); client.connect({path!r})
for each in (client, server): each.close()
result = call("socket", 2, 1, 0)
"""
    with FilteredProcess("unix_sockets") as process:
        assert process.run(code) == errno.EPERM


# Threads


THREAD = """
asked, answers = threading.Event(), []
def wait():
    asked.wait()
    answers.append(call("socket", 1, 1, 0))
thread = threading.Thread(target=wait, name="earlier"); thread.start()
"""


def test_a_thread_that_was_there_before_is_filtered_too():
    with FilteredProcess("", before=THREAD) as process:
        assert process.run("asked.set(); thread.join(); result = answers") == [errno.EPERM]


def test_a_new_thread_is_filtered():
    code = "t = threading.Thread(target=lambda: got.append(call('execve', 0, 0, 0))); got = []"
    with FilteredProcess("") as process:
        assert process.run(f"{code}; t.start(); t.join(); result = got") == [errno.EPERM]


def test_where_a_thread_has_another_filter_the_error_names_it():
    before = """
started, over = threading.Event(), threading.Event()
allow = (ctypes.c_uint16 * 4)(6, 0, 0, 0x7FFF)
class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))
program = Program(1, ctypes.addressof(allow))
def filter_itself():
    libc.prctl(15, b"lonely", 0, 0, 0); libc.prctl(38, 1, 0, 0, 0)
    assert not libc.syscall(numbers["seccomp"], 1, 0, ctypes.byref(program)), ctypes.get_errno()
    started.set(); over.wait()
threading.Thread(target=filter_itself).start(); started.wait()
policy = seccomp.SystemCallPolicy(False, False, False, False, False, False, os.getpid())
try: seccomp.apply(seccomp.filter_for(policy))
except OSError as error: said = str(error)
over.set()
"""
    with FilteredProcess(None, before=before) as process:
        assert "(lonely): it has another one of its own" in process.run("result = said")
        assert process.call("socket", 1, 1, 0) == 0  # and no thread is filtered


# Taking it


def test_a_program_that_is_none_is_refused():
    with FilteredProcess(None) as process:
        assert "refused: Invalid argument" in process.run(r"seccomp.apply(b'\xff' * 8)")
        assert "refused: Invalid argument" in process.run("seccomp.apply(b'')")


def test_a_filter_stays_and_another_can_be_had_only_with_everything(strict, granted):
    assert strict.run("result = seccomp.is_supported()") is False
    assert granted.run("result = seccomp.is_supported()") is True


def test_it_is_taken_by_an_ordinary_user():
    if os.getuid() != 0:
        pytest.skip("every other test shows it: this is no privileged user")
    with FilteredProcess("", before="os.setgid(65534); os.setuid(65534)") as it:
        assert it.call("socket", 1, 1, 0) == errno.EPERM


@pytest.mark.skipif(platform.machine() != "x86_64", reason="no other way to call this kernel")
@pytest.mark.parametrize("rights", ["", ALL])
def test_a_32_bit_call_ends_the_process(rights):
    code = """
import mmap
page = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, getpid; int 0x80; ret
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
ctypes.CFUNCTYPE(ctypes.c_int)(address)()
"""
    ended = pytest.raises(AssertionError, match=f"ended with {-signal.SIGSYS}")
    with FilteredProcess(rights) as process, ended:
        process.run(code)
