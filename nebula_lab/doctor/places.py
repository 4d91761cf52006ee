"""Where files go, tried by writing there, and where modules come from."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.environments.environment import own_environment
from nebula_lab.errors import PluginError
from nebula_lab.model.listing import listed
from nebula_lab.sandbox.run_folder import LONGEST_PARENT, RunFolder
from nebula_lab.sandbox.visible_files import VisibleFiles
from nebula_lab.trust.layout import default_root

_LITTLE = 256 * 2**20  # bytes; a few plugins with their arrays and files
# As a host has it: its folder, that of its sockets, and a socket by its number.
_SOCKET = ("h99999", "ipc", "k-5")


def places() -> tuple[Finding, ...]:
    """The folder of sockets, $TMPDIR, the content store, and folders that are imported from."""
    return (_run_folder(), _temporary(), _store(), *_imports())


def _run_folder() -> Finding:
    name = "run folder"
    try:
        with ExitStack() as stack:
            run = RunFolder()
            stack.callback(run.remove)
            _bind(run.ensure().joinpath(*_SOCKET))
            return _with_space(name, run.path.parent, "")
    except PluginError as error:
        return Finding(name, Verdict.GAP, error.message, error.hint or "")
    except OSError as error:
        cure = "Set TMPDIR to a folder of your own with a short path, where you may write."
        return Finding(name, Verdict.GAP, f"can't be used: {error}", cure)


def _bind(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def _temporary() -> Finding:
    name = "TMPDIR"
    folder = tempfile.gettempdir()
    wanted = os.environ.get("TMPDIR")
    if wanted and Path(wanted).absolute() != Path(folder).absolute():
        cure = "Set TMPDIR to a folder where you may write."
        return Finding(name, Verdict.NOTE, f"{wanted} can't be written; it is {folder}", cure)
    try:
        _write_into(folder)
    except OSError as error:
        cure = "Set TMPDIR to a folder where you may write, and that has room."
        return Finding(name, Verdict.GAP, f"{folder} can't be written: {error.strerror}", cure)
    if len(folder) > LONGEST_PARENT:
        cure = f"For them there, set it to one with at most {LONGEST_PARENT} characters."
        return Finding(name, Verdict.NOTE, f"{folder} is too long for sockets", cure)
    return Finding(name, Verdict.FINE, f"{folder}, short enough for sockets")


def _store() -> Finding:
    name, root = "content store", default_root()
    try:
        folder = _nearest(root)
        _write_into(folder)
    except OSError as error:
        cure = "Set NEBULA_LAB_HOME to a folder where you may write, and that has room."
        return Finding(name, Verdict.GAP, f"{root} can't be written: {error.strerror}", cure)
    return _with_space(
        name, root, "" if folder == root else ", which is made when a plugin is loaded"
    )


def _imports() -> Iterator[Finding]:
    """Where plugins import from besides Python's own folders, if anywhere."""
    visible = VisibleFiles(own_environment(), (), ())
    found = visible.import_folders(os.environ.get("PYTHONPATH", ""))
    seen = [one.path for one in found if one.shown]
    unseen = [one.path for one in found if not one.shown]
    if unseen:
        detail = f"nothing of {listed(unseen)} is shown to plugins"
        cure = "If a plugin needs a module from there, put a folder with it alone on the path."
        yield Finding("imports", Verdict.NOTE, detail, cure)
    elif seen:
        detail = f"plugins see the modules and packages in {listed(seen)} too"
        yield Finding("imports", Verdict.FINE, detail)


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _write_into(folder: str | Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0" * 4096)


def _with_space(name: str, folder: Path, more: str) -> Finding:
    free = shutil.disk_usage(_nearest(folder)).free
    detail = f"{free / 2**30:.1f} GiB free in {folder}{more}"
    if free < _LITTLE:
        return Finding(name, Verdict.NOTE, detail, "Make room there, or plugins soon fail to load.")
    return Finding(name, Verdict.FINE, detail)
