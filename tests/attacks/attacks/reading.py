"""Reading what is somebody else's, by the file system."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from .attack import attack
from .system import call, libc, open_descriptors


def _first_lines(path, count=4):
    with open(path, "rb") as file:
        return file.read(4096 * count).decode(errors="replace")


def _any_of(paths):
    refusal: OSError | None = None
    for path in paths:
        try:
            return _first_lines(path)
        except OSError as error:
            refusal = error
    raise refusal or FileNotFoundError("there is nothing to read")


@attack(secret="file")
def read_private_key(target):
    """As `~/.ssh/id_ed25519` of whoever runs the manager."""
    return _first_lines(target["secret_file"])


@attack(secret="file")
def read_private_key_in_c(target):
    descriptor = libc.open(target["secret_file"].encode(), os.O_RDONLY)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "open")
    return os.read(descriptor, 4096).decode()


@attack(secret="file")
def read_private_key_by_symlink(target):
    link = Path(target["scratch"], "link-to-key")
    link.unlink(missing_ok=True)
    link.symlink_to(target["secret_file"])
    return _first_lines(link)


@attack(secret="file")
def read_private_key_by_hard_link(target):
    link = Path(target["scratch"], "hard-link-to-key")
    link.unlink(missing_ok=True)
    os.link(target["secret_file"], link)
    return _first_lines(link)


@attack(secret="file")
def read_private_key_by_dots(target):
    climb = "../" * 40
    return _first_lines(f"{target['scratch']}/{climb}{target['secret_file'].lstrip('/')}")


@attack(secret="file")
def read_private_key_by_own_root(target):
    return _first_lines(f"/proc/self/root{target['secret_file']}")


@attack(secret="file")
def read_private_key_by_managers_root(target):
    return _first_lines(f"/proc/{target['manager_pid']}/root{target['secret_file']}")


@attack(secret="file")
def read_private_key_by_working_folder(target):
    return _first_lines(f"/proc/self/cwd/{'../' * 40}{target['secret_file'].lstrip('/')}")


@attack(secret="file")
def read_private_key_by_inherited_folder(target):
    """By any folder that happens to be open here."""
    path = "../" * 40 + target["secret_file"].lstrip("/")
    refusal: OSError | None = None
    for descriptor in open_descriptors():
        try:
            found = os.open(path, os.O_RDONLY, dir_fd=descriptor)
        except OSError as error:
            refusal = error
            continue
        return os.read(found, 4096).decode()
    raise refusal or FileNotFoundError("nothing is open here")


@attack()
def see_that_private_key_exists(target):
    return os.stat(target["secret_file"]).st_size


@attack()
def list_home(target):
    return os.listdir(target["home"])


@attack(needs="DAC_READ_SEARCH")
def read_shadow(target):
    return _first_lines("/etc/shadow")[:0] + "read"


@attack(secret="sibling code")
def read_other_plugins_code(target):
    return _any_of(target["sibling_code"])


@attack(secret="sibling scratch")
def read_other_plugins_scratch(target):
    return _any_of(target["sibling_scratch"])


@attack()
def list_run_folder(target):
    own = Path(target["scratch"]).parents[1].name
    found = [name for name in os.listdir(target["run_folder"]) if name != own]
    if not any(name in found for name in target["run_folder_names"]):
        raise FileNotFoundError(f"only {found}")
    return found


@attack(secret="connection key")
def read_connection_key(target):
    return _any_of(target["connection_files"])


@attack(secret="store")
def read_content_store(target):
    return _any_of(target["store_files"])


@attack(secret="file", needs="DAC_READ_SEARCH")
def read_private_key_by_handle(target):
    """By its number, past all folders and mounts."""
    handle = ctypes.create_string_buffer(8 + 128)
    ctypes.c_uint.from_buffer(handle).value = 128
    mount = ctypes.c_int()
    path = target["secret_file"].encode()
    call("name_to_handle_at", -100, path, handle, ctypes.byref(mount), 0)
    root = os.open("/", os.O_RDONLY)
    try:
        found = call("open_by_handle_at", root, handle, os.O_RDONLY)
        return os.read(found, 4096).decode()
    finally:
        os.close(root)
