"""What the kernel does not count is looked at, and a host that uses too much of it is ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nebula_lab.errors import PluginCrashedError
from nebula_lab.sandbox.folder_size import sizes

THREADS = """
for _ in range({}):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
time.sleep({})
found = "done"
"""
PROCESSES = """
running = [subprocess.Popen(["sleep", "60"]) for _ in range({})]
time.sleep({})
found = "done"
"""
NO_NAMESPACES = ("namespaces", "pid_namespace", "counts_threads", "cgroups")


def _run(manager, code, **settings):
    return manager.execute("it", "run", {"code": code}, **settings)


def test_a_host_with_too_many_threads_is_ended_and_told_why(limited, poorer):
    poorer("counts_threads", "cgroups")
    manager = limited(max_threads=8)
    reason = r"it\.run.*it had \d+ threads, of 8 that max_threads allows"
    with pytest.raises(PluginCrashedError, match=reason):
        _run(manager, THREADS.format(24, 20))
    assert _run(manager, "found = 1") == 1


def test_a_host_may_have_as_many_threads_as_it_is_allowed(limited, poorer):
    poorer("counts_threads", "cgroups")
    assert _run(limited(max_threads=8), THREADS.format(8, 0.5)) == "done"


@pytest.mark.parametrize("missing", [("counts_threads", "cgroups"), NO_NAMESPACES], ids="-".join)
def test_processes_that_it_started_count_as_threads_do(limited, poorer, missing):
    poorer(*missing)
    manager = limited(["ProcessSpawn"], max_threads=8)
    with pytest.raises(PluginCrashedError, match="of 8 that max_threads allows"):
        _run(manager, PROCESSES.format(24, 20))
    assert _run(manager, PROCESSES.format(4, 0.5)) == "done"


def test_threads_of_processes_that_it_left_behind_count_too(limited, poorer):
    poorer("counts_threads", "cgroups")
    daemon = f"import os, threading, time\nif os.fork(): os._exit(0)\n{THREADS.format(24, 20)}"
    code = f"subprocess.run([sys.executable, '-c', {daemon!r}]); time.sleep(20)"
    with pytest.raises(PluginCrashedError, match="of 8 that max_threads allows"):
        _run(limited(["ProcessSpawn"], max_threads=8), code)


def test_an_idle_host_is_looked_at_too(limited, poorer, wait_until):
    poorer("counts_threads", "cgroups")
    manager = limited(max_threads=8)
    code = (
        "def later():\n    time.sleep(0.5)\n"
        "    for _ in range(24): threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "threading.Thread(target=later).start(); found = os.getpid()"
    )
    first = _run(manager, code)
    wait_until(lambda: not Path(f"/proc/{first}").exists(), "its end")
    assert _run(manager, "found = os.getpid()") != first


WRITE = """
for number in range({}):
    Path(str(number)).write_bytes(bytes(1 << 20))
time.sleep({})
found = "done"
"""


def test_without_a_quota_a_folder_that_grows_too_large_ends_its_host(limited, poorer):
    poorer(*NO_NAMESPACES)
    manager = limited(max_scratch="4 MiB")
    with pytest.raises(PluginCrashedError, match="of 4 that max_scratch allows"):
        _run(manager, WRITE.format(8, 20))
    assert _run(manager, WRITE.format(2, 0.5)) == "done"


def test_a_folder_with_many_files_is_looked_through_to_its_end(limited, poorer):
    poorer(*NO_NAMESPACES)
    code = (
        "for n in range(6_000): os.close(os.open(f'f{n}', os.O_CREAT | os.O_WRONLY))\n"
        "Path('z').mkdir()\n"
        "for n in range(24): Path(f'z/{n}').write_bytes(bytes(1 << 20))\n"
        "time.sleep(600)"
    )
    with pytest.raises(PluginCrashedError, match="of 40 that max_scratch allows"):
        _run(limited(max_scratch="40 MiB"), code, timeout=100.0)


HIDDEN = {
    "empty files": "for n in range(1200): os.close(os.open(f'f{n}', os.O_CREAT | os.O_WRONLY))",
    "names of one file": "Path('f').touch()\nfor n in range(1200): os.link('f', f'l{n}')",
    "open files without a name": """
held = []
for number in range(8):
    held.append(open("f", "wb")); held[-1].write(bytes(1 << 20)); held[-1].flush(); os.unlink("f")
""",
    "files of a process without a name": """
if os.fork() == 0:
    held = open("f", "wb"); held.write(bytes(8 << 20)); held.flush(); os.unlink("f")
    time.sleep(600)
""",
}


@pytest.mark.parametrize("hidden", HIDDEN)
def test_without_a_quota_these_count_too(limited, poorer, hidden):
    poorer(*NO_NAMESPACES)
    with pytest.raises(PluginCrashedError, match="of 4 that max_scratch allows"):
        _run(limited(["ProcessSpawn"], max_scratch="4 MiB"), f"{HIDDEN[hidden]}\ntime.sleep(600)")


# Where nobody can tell the size of a file, it counts as large as a file may be.
UNSEEN = {
    "only mapped": """
import ctypes
map_file = ctypes.CDLL(None).mmap
map_file.restype = ctypes.c_void_p
with open("f", "w+b") as file:
    file.write(bytes(1 << 20)); file.flush()
    map_file(None, ctypes.c_size_t(4096), 1, 2, file.fileno(), ctypes.c_long(0))
os.unlink("f")
""",
    "only mapped, by a name that breaks lines": """
import ctypes
map_file = ctypes.CDLL(None).mmap
map_file.restype = ctypes.c_void_p
folder = os.path.join("q\\r0 0 0 0 x " + os.getcwd())
os.makedirs(folder)
name = os.path.join(folder, "a\\x85b")
with open(name, "w+b") as file:
    file.write(bytes(1 << 20)); file.flush()
    map_file(None, ctypes.c_size_t(4096), 1, 2, file.fileno(), ctypes.c_long(0))
os.unlink(name)
""",
    "in a socket": """
import socket
one, two = socket.socketpair()
with open("f", "wb") as file:
    file.write(bytes(1 << 20)); file.flush()
    socket.send_fds(one, [b"."], [file.fileno()])
os.unlink("f")
""",
    "in a call that waits": """
import socket
one, two = socket.socketpair()
one.setblocking(False)
try:
    while True: one.send(bytes(4096))
except BlockingIOError:
    one.setblocking(True)
file = open("f", "wb"); file.write(bytes(1 << 20)); file.flush(); os.unlink("f")
fd = file.fileno()
sending = threading.Thread(target=socket.send_fds, args=(one, [b"."], [fd]), daemon=True)
sending.start()
call = Path(f"/proc/self/task/{sending.native_id}/syscall")
while call.read_text().split()[0] not in ("46", "211"): time.sleep(0.005)  # sendmsg
file.close()
""",
    "in calls that wait, each for less than the time between two looks": """
import socket
one, two = socket.socketpair()
file = open("f", "wb"); file.write(bytes(1 << 20)); file.flush(); os.unlink("f")
fd = os.dup(file.fileno()); file.close()
for turn in range(150):
    one.setblocking(False)
    try:
        while True: one.send(bytes(4096))
    except BlockingIOError:
        one.setblocking(True)
    sender = threading.Thread(target=socket.send_fds, args=(one, [b"."], [fd]), daemon=True)
    sender.start()
    time.sleep(0.01)
    os.close(fd)
    time.sleep(0.02)
    taken = []
    while not taken:
        _, taken, _, _ = socket.recv_fds(two, 1 << 20, 1)
    (fd,) = taken
    sender.join()
raise ValueError("nobody saw it")
""",
    "of a program that may not be read": """
import shutil
program = os.open("p", os.O_CREAT | os.O_WRONLY, 0o111)
os.write(program, Path(shutil.which("sleep")).read_bytes()); os.close(program)
for _ in range(2):
    with open("f", "wb") as file:
        file.write(bytes(3 << 20)); file.flush(); os.unlink("f")
        subprocess.Popen(["./p", "600"], pass_fds=[file.fileno()])
""",
    "of a program without a name": """
import shutil
for _ in range(2):
    program = os.open("p", os.O_CREAT | os.O_WRONLY, 0o700)
    os.write(program, Path(shutil.which("sleep")).read_bytes().ljust(3 << 20)); os.close(program)
    subprocess.Popen(["./p", "600"]); os.unlink("p")
""",
}


@pytest.mark.parametrize("unseen", UNSEEN)
def test_without_a_quota_no_file_is_kept_where_nobody_sees_it(limited, poorer, unseen):
    poorer(*NO_NAMESPACES)
    with pytest.raises(PluginCrashedError, match="max_scratch"):
        rights = ["ProcessSpawn", "Network"]
        _run(limited(rights, max_scratch="4 MiB"), f"{UNSEEN[unseen]}\ntime.sleep(600)")


NAMED = """
import ctypes, socket
map_file = ctypes.CDLL(None).mmap
map_file.restype = ctypes.c_void_p
with open("f", "w+b") as file:
    file.write(bytes(1 << 20)); file.flush(); os.link("f", "other name"); os.unlink("f")
    map_file(None, ctypes.c_size_t(4096), 1, 2, file.fileno(), ctypes.c_long(0))
one, two = socket.socketpair()
for _ in range(50):
    with open("sent", "wb") as file:
        socket.send_fds(one, [b"."], [file.fileno()])
    _, (taken,), _, _ = socket.recv_fds(two, 1, 1)
    os.close(taken)
    time.sleep(0.02)
found = "done"
"""


def test_files_that_have_another_name_and_descriptors_that_are_taken_are_no_trouble(
    limited, poorer
):
    poorer(*NO_NAMESPACES)
    assert _run(limited(["Network"], max_scratch="4 MiB"), NAMED) == "done"


SENT = """
import socket
one, two = socket.socketpair()
one.send(b"x")
try:
    socket.send_fds(one, [b"."], [0])
except PermissionError:
    found = two.recv(9).decode()
"""


def test_without_a_quota_and_a_network_no_descriptor_is_sent(limited, poorer):
    poorer(*NO_NAMESPACES)
    assert _run(limited(), SENT) == "x"


SOCKETS = """
import socket
folder = Path(connection).parent
for number in range(*{}):
    one, _ = socket.socketpair(); one.bind(str(folder / f"s{{number}}")); one.close()
time.sleep({})
found = sum(1 for _ in folder.iterdir())
"""


@pytest.mark.parametrize("missing", [(), NO_NAMESPACES], ids="-".join)
def test_who_may_name_sockets_makes_no_more_than_some(limited, poorer, missing):
    poorer(*missing)
    manager = limited(["Network"])
    manager.load_plugin("it")
    connection = f"connection = {str(manager.connection_file('it'))!r}\n"
    assert _run(manager, connection + SOCKETS.format((8,), 0.5)) > 8
    with pytest.raises(PluginCrashedError, match="more than 64 entries"):
        _run(manager, connection + SOCKETS.format((8, 88), 600))


def test_a_file_of_two_names_counts_once_and_links_lead_nowhere(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.write_bytes(bytes(1 << 20))
    (folder / "a").write_bytes(bytes(1 << 20))
    (folder / "b").hardlink_to(folder / "a")
    (folder / "c").symlink_to(outside)
    (folder / "d").symlink_to(tmp_path)
    assert 1 << 20 <= sum(sizes(str(folder))) < 3 << 19


def test_what_is_nested_too_deep_to_be_looked_at_is_too_large(tmp_path):
    deep = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(20):
            os.mkdir("x" * 250, dir_fd=deep)
            below = os.open("x" * 250, os.O_RDONLY, dir_fd=deep)
            os.close(deep)
            deep = below
    finally:
        os.close(deep)
    assert sum(sizes(str(tmp_path))) == float("inf")


def test_what_may_not_be_read_is_too_large(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "hidden").mkdir(0)
    code = (
        "import os, sys; from nebula_lab.sandbox.folder_size import sizes\n"
        "os.chdir(sys.argv[1])\n"
        "if os.getuid() == 0: os.chmod('.', 0o755); os.setgroups([]); os.setresuid(9, 9, 9)\n"
        "print(sum(sizes('.')))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "folder")]
    assert subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout == "inf\n"
