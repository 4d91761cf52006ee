"""Changing files outside the scratch folder."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from pathlib import Path

from .attack import attack
from .system import libc, open_descriptors

_MARK = "attacked"


@attack(leaves="file")
def write_outside(target):
    return Path(target["outside"], "written").write_text(_MARK)


@attack(leaves="file")
def write_over_a_file(target):
    return Path(target["victim_file"]).write_text(_MARK)


@attack(leaves="file")
def write_by_symlink(target):
    link = _fresh(target, "link")
    link.symlink_to(target["victim_file"])
    return link.write_text(_MARK)


@attack(leaves="file")
def write_by_symlinked_folder(target):
    link = _fresh(target, "folder-link")
    link.symlink_to(target["outside"])
    return (link / "written").write_text(_MARK)


@attack(leaves="file")
def write_by_hard_link(target):
    link = _fresh(target, "hard-link")
    os.link(target["victim_file"], link)
    return link.write_text(_MARK)


@attack(leaves="file")
def link_own_file_outside(target):
    own = _fresh(target, "own")
    own.write_text(_MARK)
    os.link(own, Path(target["outside"], "written"))
    return "linked"


@attack(leaves="file")
def write_by_dots(target):
    path = f"{target['scratch']}/{'../' * 40}{target['victim_file'].lstrip('/')}"
    return Path(path).write_text(_MARK)


@attack(leaves="file")
def rename_over_a_file(target):
    own = _fresh(target, "own")
    own.write_text(_MARK)
    own.replace(target["victim_file"])
    return "renamed"


@attack(leaves="file")
def move_a_file_in_and_back(target):
    inside = _fresh(target, "moved")
    shutil.move(target["victim_file"], inside)
    inside.write_text(_MARK)
    shutil.move(inside, target["victim_file"])
    return "moved"


@attack(leaves="file")
def write_by_own_root(target):
    return Path(f"/proc/self/root{target['victim_file']}").write_text(_MARK)


@attack(leaves="file")
def write_by_own_working_folder(target):
    climb = "../" * 40
    return Path(f"/proc/self/cwd/{climb}{target['victim_file'].lstrip('/')}").write_text(_MARK)


@attack(leaves="file")
def write_by_managers_root(target):
    path = f"/proc/{target['manager_pid']}/root{target['victim_file']}"
    return Path(path).write_text(_MARK)


@attack(leaves="file")
def write_by_inherited_folder(target):
    path, refusal = "../" * 40 + target["victim_file"].lstrip("/"), None
    for descriptor in open_descriptors():
        try:
            found = os.open(path, os.O_WRONLY, dir_fd=descriptor)
        except OSError as error:
            refusal = error
            continue
        return os.write(found, _MARK.encode())
    raise refusal or OSError("nothing is open here")


@attack(leaves="file")
def reopen_a_reading_descriptor(target):
    """What may be read is opened again for writing, by its name in /proc."""
    descriptor = os.open(target["victim_file"], os.O_RDONLY)
    try:
        return Path(f"/proc/self/fd/{descriptor}").write_text(_MARK)
    finally:
        os.close(descriptor)


@attack(leaves="deletion")
def delete_a_file(target):
    Path(target["victim_file"]).unlink()
    return "deleted"


@attack(leaves="truncation")
def truncate_a_file(target):
    os.truncate(target["victim_file"], 0)
    return "cut"


@attack(leaves="file")
def make_a_folder_outside(target):
    Path(target["outside"], "written").mkdir()
    return "made"


@attack(leaves="mode")
def chmod_a_file(target):
    os.chmod(target["victim_file"], 0o777)
    return "changed"


@attack(leaves="time")
def touch_a_file(target):
    os.utime(target["victim_file"], (1, 1))
    return "changed"


@attack(absent={errno.ENOTSUP: "no user attributes on this file system"})
def set_attribute_of_a_file(target):
    os.setxattr(target["victim_file"], "user.nebula", b"attacked")
    return os.getxattr(target["victim_file"], "user.nebula").decode()


@attack(needs="CHOWN")
def give_a_file_away(target):
    os.chown(target["victim_file"], 12345, 12345)
    return os.stat(target["victim_file"]).st_uid


@attack(leaves="file")
def change_own_package(target):
    """The Python environment is read-only; on the stage a folder stands for it."""
    return Path(target["environment"], "written").write_text(_MARK)


@attack(leaves="file")
def write_by_mapping(target):
    import mmap

    with open(target["victim_file"], "r+b") as file, mmap.mmap(file.fileno(), 8) as mapped:
        mapped[:8] = _MARK.encode()
    return "mapped"


@attack(leaves="file")
def write_by_openat2(target):
    """By the newer system call, which a filter made before it does not know."""
    how = (ctypes.c_ulong * 3)(os.O_WRONLY, 0, 0)
    libc.syscall.restype = ctypes.c_long
    path = target["victim_file"].encode()
    descriptor = libc.syscall(437, -100, path, ctypes.byref(how), ctypes.sizeof(how))
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "openat2")
    return os.write(descriptor, _MARK.encode())


@attack(needs="SYS_ADMIN")
def write_to_kernel_settings(target):
    """What is there is written back."""
    path = Path("/proc/sys/kernel/hostname")
    return path.write_text(path.read_text())


def _fresh(target, name):
    path = Path(target["scratch"], name)
    if path.is_symlink() or path.exists():
        path.unlink()
    return path
