"""How programs save a file: the system calls that each makes, in its order."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def _write(path: Path, text: str, *, pieces: int = 1, sync: bool = False) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    data = text.encode()
    step = max(1, -(-len(data) // pieces))
    for start in range(0, len(data), step):
        os.write(descriptor, data[start : start + step])
    if sync:
        os.fsync(descriptor)
    os.close(descriptor)


def in_place(path: Path, text: str) -> None:
    """VS Code, nano, `cp`."""
    _write(path, text)


def in_place_in_pieces(path: Path, text: str) -> None:
    _write(path, text, pieces=20)


def temporary_and_rename(path: Path, text: str) -> None:
    """What a careful program does."""
    fresh = path.with_name(f"{path.name}.tmp")
    _write(fresh, text, sync=True)
    fresh.replace(path)


def moved_in_from_elsewhere(path: Path, text: str) -> None:
    fresh = path.parent.parent / "elsewhere"
    _write(fresh, text)
    fresh.replace(path)


def vim(path: Path, text: str) -> None:
    """With its defaults: a probe, a backup by rename, a new file, no backup."""
    probe = path.with_name("4913")
    _write(probe, "")
    probe.unlink()
    (path.parent / f".{path.name}.swp").write_bytes(b"b0VIM")
    backup = path.with_name(f"{path.name}~")
    path.rename(backup)
    _write(path, text, sync=True)
    path.chmod(0o644)
    backup.unlink()
    (path.parent / f".{path.name}.swp").unlink()


def emacs(path: Path, text: str) -> None:
    """A lock that leads nowhere, an autosave, a backup by copy."""
    lock = path.with_name(f".#{path.name}")
    lock.symlink_to("me@here.1234:5678")
    (path.parent / f"#{path.name}#").write_text(text)
    shutil.copy2(path, path.with_name(f"{path.name}~"))
    _write(path, text)
    (path.parent / f"#{path.name}#").unlink()
    lock.unlink()


def pycharm(path: Path, text: str) -> None:
    """With its safe write: two renames."""
    fresh, old = (path.with_name(f"{path.name}___jb_{what}___") for what in ("tmp", "old"))
    _write(fresh, text)
    path.rename(old)
    fresh.rename(path)
    old.unlink()


def jupyterlab(path: Path, text: str) -> None:
    """`atomic_writing` of jupyter_server, and a checkpoint."""
    copy = path.with_name(f".~{path.name}")
    shutil.copy2(path, copy)
    _write(path, text, sync=True)
    copy.unlink()
    checkpoints = path.parent / ".ipynb_checkpoints"
    checkpoints.mkdir(exist_ok=True)
    shutil.copy2(path, checkpoints / f"{path.stem}-checkpoint{path.suffix}")


def gedit(path: Path, text: str) -> None:
    fresh = path.with_name(".goutputstream-X7QB42")
    _write(fresh, text)
    fresh.rename(path)


def deleted_and_made_anew(path: Path, text: str) -> None:
    """`git checkout` of one file."""
    path.unlink()
    _write(path, text)


def linked(path: Path, text: str) -> None:
    """rsync with --link-dest, and stow: a hard link takes the place."""
    fresh = path.parent.parent / "linked"
    fresh.unlink(missing_ok=True)
    _write(fresh, text)
    path.unlink()
    path.hardlink_to(fresh)


WAYS = (
    in_place,
    in_place_in_pieces,
    temporary_and_rename,
    moved_in_from_elsewhere,
    vim,
    emacs,
    pycharm,
    jupyterlab,
    gedit,
    deleted_and_made_anew,
    linked,
)
