"""System calls that change one's place in the system, or that are known for their holes."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from .attack import attack
from .system import call, libc

_NEWNS, _NEWUSER, _NEWNET, _NEWPID = 0x20000, 0x10000000, 0x40000000, 0x20000000
_DETACH = 2
_NOT_BUILT = "not built into this kernel"


@attack()
def new_user_namespace(target):
    return call("unshare", _NEWUSER)


@attack()
def new_user_namespace_with_all_else(target):
    return call("unshare", _NEWUSER | _NEWNS | _NEWNET | _NEWPID)


@attack(needs="SYS_ADMIN")
def new_mount_namespace(target):
    return call("unshare", _NEWNS)


@attack()
def user_namespace_by_clone(target):
    pid = call("clone", _NEWUSER | 17, 0, 0, 0, 0, holding=True)
    if pid == 0:
        os._exit(77)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@attack(needs="SYS_ADMIN")
def join_managers_network(target):
    with open(f"/proc/{target['manager_pid']}/ns/net") as namespace:
        return call("setns", namespace.fileno(), 0)


@attack(needs="SYS_ADMIN")
def mount_by_the_old_call(target):
    folder = _folder(target, "mounted")
    call("mount", b"none", folder, b"tmpfs", 0, 0)
    return _unmount(folder)


@attack(needs="SYS_ADMIN")
def bind_a_folder_of_others(target):
    folder = _folder(target, "bound")
    call("mount", target["home"].encode(), folder, 0, 4096, 0)
    return _unmount(folder)


@attack(needs="SYS_ADMIN")
def remount_writable(target):
    folder = _folder(target, "again")
    call("mount", b"none", folder, b"tmpfs", 1, 0)
    try:
        return call("mount", 0, folder, 0, 32, 0)
    finally:
        _unmount(folder)


@attack(needs="SYS_ADMIN")
def mount_by_the_new_calls(target):
    system = call("fsopen", b"tmpfs", 0)
    call("fsconfig", system, 6, 0, 0, 0)
    mounted = call("fsmount", system, 0, 0)
    folder = _folder(target, "newly")
    call("move_mount", mounted, b"", -100, folder, 4)
    return _unmount(folder)


@attack(needs="SYS_ADMIN")
def clone_a_tree_of_mounts(target):
    return call("open_tree", -100, b"/", 1)


@attack(needs="SYS_CHROOT")
def chroot(target):
    os.chroot(target["scratch"])
    return "changed"


@attack(needs="SYS_ADMIN")
def pivot_root(target):
    call("unshare", _NEWNS)
    call("mount", b"none", b"/", 0, 0x44000, 0)  # private, with all below
    folder = _folder(target, "root")
    call("mount", b"none", folder, b"tmpfs", 0, 0)
    old = Path(folder.decode(), "old")
    old.mkdir()
    return call("pivot_root", folder, os.fsencode(old))


@attack(needs="SETUID")
def become_another_user(target):
    os.setresuid(12345, 12345, 12345)
    return os.getuid()


@attack(needs="SETUID")
def become_another_user_by_system_call(target):
    return call("setresuid", 12345, 12345, 12345)


@attack(needs="SETUID")
def forget_groups(target):
    os.setgroups([12345])
    return os.getgroups()


@attack(needs="SYS_ADMIN")
def take_capabilities(target):
    """As many as the bounding set has, and for programs that are run."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    call("capget", header, sets)
    sets[0], sets[2] = sets[1] | 1 << 21, sets[1] | 1 << 21
    call("capset", header, sets)
    call("capget", header, sets)
    return sets[0]


@attack(absent={errno.ENOSYS: _NOT_BUILT, errno.EPERM: "kernel.io_uring_disabled"})
def io_uring(target):
    return call("io_uring_setup", 8, (ctypes.c_uint32 * 30)())


@attack(needs="BPF", absent={errno.ENOSYS: _NOT_BUILT})
def bpf(target):
    """An array of one element."""
    attributes = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
    return call("bpf", 0, attributes, ctypes.sizeof(attributes))


@attack(absent={errno.ENOSYS: _NOT_BUILT, errno.EACCES: "kernel.perf_event_paranoid is 3"})
def perf_event(target):
    """A clock in software, of this process, outside the kernel."""
    attributes = (ctypes.c_uint64 * 16)()
    words = (ctypes.c_uint32 * 32).from_buffer(attributes)
    words[0], words[1] = 1, 128
    attributes[5] = 0x60  # exclude_kernel, exclude_hv
    return call("perf_event_open", attributes, 0, -1, -1, 0)


@attack(absent={errno.ENOSYS: _NOT_BUILT})
def userfaultfd(target):
    return call("userfaultfd", 1)  # faults of user space, which everyone may handle


@attack(absent={errno.ENOSYS: _NOT_BUILT})
def add_key(target):
    return call("add_key", b"user", b"nebula-attack", b"x", 1, -2)  # the process's keyring


@attack(absent={errno.ENOSYS: _NOT_BUILT})
def keyring_of_the_session(target):
    return call("keyctl", 0, -3, 1)


@attack(needs="SYS_BOOT", absent={errno.ENOSYS: _NOT_BUILT})
def load_a_kernel(target):
    return call("kexec_load", 0, 0, 0, 0)


@attack(absent={errno.ENOSYS: _NOT_BUILT})
def compare_with_manager(target):
    pid = target["manager_pid"]
    return call("kcmp", os.getpid(), pid, 0, 0, 0)


@attack()
def no_more_randomised_addresses(target):
    return call("personality", 0x0040000)


@attack(needs="SYS_ADMIN")
def set_host_name(target):
    name = os.uname().nodename.encode()
    return call("sethostname", name, len(name))


@attack(needs="SYS_ADMIN")
def read_kernel_log(target):
    return call("syslog", 10, 0, 0)


@attack(absent={errno.ENOSYS: _NOT_BUILT})
def watch_files_of_all(target):
    return call("fanotify_init", 0x200, 0)  # FAN_REPORT_FID, which everyone may


def _folder(target, name):
    path = Path(target["scratch"], name)
    path.mkdir(exist_ok=True)
    return os.fsencode(path)


def _unmount(folder):
    return libc.umount2(folder, _DETACH)
