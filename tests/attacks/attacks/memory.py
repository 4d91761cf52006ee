"""More memory, threads, descriptors and disk than anybody should have."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import errno
import hashlib
import mmap
import os
import resource
import shutil
import threading
import time
from pathlib import Path

from .attack import attack
from .system import call, libc

_MIB = 1 << 20
_STEP = 64 * _MIB
_MUCH = 1024 * _MIB
# Every page is touched once; the kernel gives none before.
_PAGE = 4096


def _touch(buffer):
    held = ctypes.c_char.from_buffer(buffer)
    ctypes.memset(ctypes.addressof(held), 1, len(buffer))
    del held


def _mapped(size, flags):
    maps = []
    try:
        for _ in range(size // _STEP):
            maps.append(mmap.mmap(-1, _STEP, flags))
            _touch(maps[-1])
        return sum(map(len, maps))
    finally:
        for each in maps:
            each.close()


@attack()
def bytes_in_python(target):
    return len(bytearray(_MUCH))


@attack()
def private_memory(target):
    return _mapped(_MUCH, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


@attack()
def memory_that_is_made_read_only(target):
    """What can't be written to any more counts as no data."""
    read_only, addresses = 1, []
    try:
        for _ in range(_MUCH // _STEP):
            addresses.append(_address_of_new(_STEP))
            ctypes.memset(addresses[-1], 1, _STEP)
            if libc.mprotect(ctypes.c_void_p(addresses[-1]), ctypes.c_size_t(_STEP), read_only):
                raise OSError(ctypes.get_errno(), "mprotect")
        time.sleep(target["hold"])  # it is to be had for longer than a moment
        return len(addresses) * _STEP
    finally:
        for address in addresses:
            libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(_STEP))


def _address_of_new(size):
    libc.mmap.restype = ctypes.c_void_p
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    address = libc.mmap(None, ctypes.c_size_t(size), 3, flags, -1, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return address


@attack()
def stack_of_the_main_thread(target):
    """It grows when it is written below, as far as its limit lets it; the limit is raised first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < _MUCH:
        raise PermissionError(errno.EPERM, f"a stack of {hard} bytes is the most")
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith("[stack]"):
            start, end = (int(word, 16) for word in line.split()[0].split("-"))
    ctypes.memset(end - _MUCH, 1, _MUCH - (end - start))
    resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))
    return _MUCH


@attack()
def shared_memory(target):
    return _mapped(_MUCH, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)


@attack()
def memory_of_a_memfd_by_writing(target):
    descriptor = os.memfd_create("big")
    try:
        block = bytes(_STEP)
        return sum(os.write(descriptor, block) for _ in range(_MUCH // _STEP))
    finally:
        os.close(descriptor)


@attack()
def memory_of_many_memfds(target):
    """Each within what one file may have."""
    descriptors = []
    try:
        block = bytes(8 * _MIB)
        for _ in range(_MUCH // len(block)):
            descriptors.append(os.memfd_create("part"))
            os.write(descriptors[-1], block)
        return _MUCH
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


@attack()
def memory_of_children(target):
    """Each within what one process may have."""
    children, each = [], 200 * _MIB
    reading, writing = os.pipe()
    try:
        for _ in range(8):
            child = os.fork()
            if child == 0:
                _hold_until_killed(each, writing)
            children.append(child)
        os.close(writing)
        writing = -1
        for _ in children:
            if not os.read(reading, 1):
                raise MemoryError("not all children have got theirs")
        time.sleep(target["hold"])  # it is to be had for longer than a moment
        if any(os.waitpid(child, os.WNOHANG) != (0, 0) for child in children):
            raise MemoryError("not all children are still there")
        return len(children) * each
    finally:
        for child in children:
            with contextlib.suppress(OSError):
                os.kill(child, 9)
                os.waitpid(child, 0)
        for descriptor in (reading, writing):
            if descriptor >= 0:
                os.close(descriptor)


def _hold_until_killed(size, writing):
    try:
        held = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        _touch(held)
        os.write(writing, b".")
        time.sleep(600)
    finally:
        os._exit(1)


@attack()
def memory_of_system_v(target):
    identifiers, addresses = [], []
    try:
        for _ in range(_MUCH // _STEP):
            identifiers.append(call("shmget", 0, _STEP, 0o1600))
            addresses.append(call("shmat", identifiers[-1], 0, 0))
            ctypes.memset(addresses[-1], 1, _STEP)
        return len(addresses) * _STEP
    finally:
        for address in addresses:
            libc.shmdt(ctypes.c_void_p(address))
        for identifier in identifiers:
            call("shmctl", identifier, 0, 0)


@attack()
def memory_of_pipes(target):
    """A pipe holds a megabyte for whoever asks; 1,000 of them are a gigabyte."""
    import fcntl

    pipes, held = [], 0
    try:
        for _ in range(200):
            pipes.append(os.pipe())
            os.set_blocking(pipes[-1][1], False)
            with contextlib.suppress(OSError):  # for an ordinary user there is a sum, too
                fcntl.fcntl(pipes[-1][1], 1031, _MIB)
            held += os.write(pipes[-1][1], bytes(_MIB))
    except OSError:
        if len(pipes) < 150:
            raise
    finally:
        for descriptor in (end for pipe in pipes for end in pipe):
            os.close(descriptor)
    return held


@attack()
def memory_of_dev_shm(target):
    path = Path("/dev/shm", f"nebula-attack-{os.getpid()}")
    try:
        with path.open("wb", buffering=0) as file:
            block = bytes(_STEP)
            return sum(file.write(block) for _ in range(_MUCH // _STEP))
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


@attack()
def threads(target):
    """Ten thousand; each waits. Not by `threading`, which takes ten times as long."""
    most, ended = 10_000, []
    go, done = _thread.allocate_lock(), _thread.allocate_lock()
    go.acquire()
    done.acquire()
    started = 0

    def wait():
        with go:
            ended.append(None)
            if len(ended) == started:
                done.release()

    before = _thread.stack_size(64 * 1024)
    try:
        for _ in range(most):
            _thread.start_new_thread(wait, ())
            started += 1
    finally:
        _thread.stack_size(before)
        go.release()
        if started:
            done.acquire(timeout=60)
    return started


@attack()
def descriptors(target):
    """A hundred thousand, or as many as this user may ever have; the soft limit is raised."""
    most = 100_000
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    opened, first = [], os.open("/dev/null", os.O_RDONLY)
    try:
        for _ in range(most):
            opened.append(os.dup(first))
    except OSError as error:
        if error.errno != errno.EMFILE or len(opened) < 4000:
            raise
    finally:
        for descriptor in [first, *opened]:
            os.close(descriptor)
    return len(opened)


@attack()
def raise_own_limits(target):
    """What was set as a limit is taken away again."""
    raised = {}
    for name in ("RLIMIT_DATA", "RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_NOFILE"):
        number = getattr(resource, name)
        soft, hard = resource.getrlimit(number)
        more = resource.RLIM_INFINITY if name != "RLIMIT_NOFILE" else hard + 1
        if name == "RLIMIT_AS" and hard == resource.RLIM_INFINITY:
            continue  # it stands in for RLIMIT_DATA, where memory could be had past that
        # Nothing that is without a limit can be raised.
        if hard == resource.RLIM_INFINITY or (name == "RLIMIT_NOFILE" and hard > 4096):
            raised[name] = "no limit"
            continue
        try:
            resource.setrlimit(number, (more, more))
        except (OSError, ValueError) as error:
            refusal = error
            continue
        resource.setrlimit(number, (soft, hard))
        raised[name] = "raised"
    if not raised:
        raise refusal
    return raised


@attack()
def one_large_file(target):
    path = Path(target["scratch"], "large")
    try:
        with path.open("wb", buffering=0) as file:
            _fill(file, 1 << 30)
        return 1 << 30
    finally:
        path.unlink(missing_ok=True)


@attack()
def forty_files(target):
    folder = Path(target["scratch"], "forty")
    folder.mkdir()
    try:
        for number in range(40):
            with (folder / str(number)).open("wb", buffering=0) as file:
                _fill(file, 50 * _MIB)
        time.sleep(target["hold"])  # they are to be had for longer than a moment
        return 40
    finally:
        shutil.rmtree(folder)


def _fill(file, size):
    block = bytes(16 * _MIB)
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EPERM, errno.ENOSYS):
            raise
        for _ in range(size // len(block)):
            written = file.write(block)
            if written != len(block):
                raise OSError(errno.ENOSPC, "a short write") from error


@attack()
def hundred_thousand_files(target):
    folder = Path(target["scratch"], "many")
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for number in range(target["files"]):
            os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY, dir_fd=here))
        return target["files"]
    finally:
        os.close(here)
        shutil.rmtree(folder)


@attack()
def every_core(target):
    """Some threads for each core, all at work without the interpreter's lock, for a second.

    The evidence is the share of one core that was had, in the best of some seconds: others may
    need the cores, too.
    """
    shares, workers = [], min(4 * (os.cpu_count() or 1), 32)
    while len(shares) < target["tries"]:
        shares.append(_share_of_a_core(workers, 1.0))
        if shares[-1] >= 60:
            return shares[-1]
    raise TimeoutError(f"{max(shares):.0f} % of a core")


def _share_of_a_core(workers, seconds):
    end = time.monotonic() + seconds

    def work():
        while time.monotonic() < end:
            hashlib.pbkdf2_hmac("sha256", b"x", b"y", 5000)

    used, began = time.process_time(), time.monotonic()
    everyone = [threading.Thread(target=work) for _ in range(workers)]
    for thread in everyone:
        thread.start()
    for thread in everyone:
        thread.join()
    return 100 * (time.process_time() - used) / (time.monotonic() - began)
