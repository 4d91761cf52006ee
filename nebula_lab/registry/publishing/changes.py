"""Several files changed at once, even if the process or the machine ends in the middle.

The new files are written beside the old ones, then one list of them is renamed into its place:
from then on the change has happened. Moving the files to where they belong can be repeated, so
whoever comes next finishes what was cut off.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import msgspec

from nebula_lab.errors import StoreError, UnfinishedChangeError
from nebula_lab.trust.contents import is_plain_path

__all__ = ["Change", "finish_change", "write_durably"]

_LIST = "change.json"
_NEW = "new-"
_NAME = re.compile(r"new-[0-9a-f]{16}")
_GONE = ""  # in the place of a name: what was there goes


class Change:
    """Files on their way into a folder.

    Args:
        root: the folder.
        private: a folder on the same file system, for what is not there yet.
    """

    def __init__(self, root: Path, private: Path) -> None:
        self._root = root
        self._private = private
        self._staged: dict[str, str] = {}

    @property
    def paths(self) -> list[str]:
        """What will be written, in order."""
        return list(self._staged)

    def put(self, path: str, content: bytes) -> None:
        """Write a file, in place of what is there."""
        name = f"{_NEW}{secrets.token_hex(8)}"
        write_durably(self._private / name, content)
        self._stage(path, name)

    def take(self, path: str, file: Path) -> None:
        """Move a file in from the same file system; it is on the disk already."""
        name = f"{_NEW}{secrets.token_hex(8)}"
        file.rename(self._private / name)
        self._stage(path, name)

    def drop(self, path: str) -> None:
        """Remove a file, and the folders that are empty without it."""
        self._stage(path, _GONE)

    def _stage(self, path: str, name: str) -> None:
        former = self._staged.pop(path, _GONE)
        if former != _GONE:
            (self._private / former).unlink()
        self._staged[path] = name

    def content(self, path: str) -> bytes | None:
        """What will be at a path; None if nothing."""
        name = self._staged.get(path)
        if name == _GONE:
            return None
        place = self._root / path if name is None else self._private / name
        try:
            return place.read_bytes()
        except FileNotFoundError:
            return None

    def commit(self) -> None:
        """Have all of it happen.

        Raises:
            OSError: it could not be decided; nothing has happened.
            UnfinishedChangeError: it has been decided, and whoever comes next has to carry it out.
            KeyboardInterrupt: it has happened as a whole, or has not begun.
        """
        if not self._staged:
            return
        _sync(self._private)
        draft = self._private / f"{_LIST}.draft"
        try:
            write_durably(draft, msgspec.json.encode(self._staged))
            draft.rename(self._private / _LIST)
        except BaseException:
            if not (self._private / _LIST).is_file():
                draft.unlink(missing_ok=True)
                self.abandon()
                raise
            self._carry_out()  # interrupted just after it was decided
            raise
        self._carry_out()

    def _carry_out(self) -> None:
        """Move the files, now that it is decided; what stops that once is tried again."""
        staged, self._staged = self._staged, {}
        try:
            _sync(self._private)
            _apply(self._root, self._private, staged)
        except OSError:
            self._carry_out_again()
        except BaseException:
            self._carry_out_again()
            raise

    def _carry_out_again(self) -> None:
        try:
            finish_change(self._root, self._private)
        except (OSError, StoreError) as error:
            said = error.message if isinstance(error, StoreError) else error.strerror
            raise UnfinishedChangeError(
                f"the change has happened, but not every file could be put into its place: {said}",
                path=getattr(error, "filename", None) or self._root,
                hint="Put right what is in the way there. Whoever changes the folder next then "
                "finishes it.",
            ) from error

    def require_inside(self) -> None:
        """Refuse what would be written or removed by way of a link.

        Raises:
            StoreError: there is one; nothing has happened.
        """
        if _leads_away(self._root, self._staged):
            raise StoreError(
                "a folder in it has become a link, through which nothing is written",
                path=self._root,
                hint="Nothing was changed. Move the link away first.",
            )

    def abandon(self) -> None:
        """Have none of it happen."""
        for name in filter(None, self._staged.values()):
            with contextlib.suppress(OSError):
                (self._private / name).unlink()
        self._staged = {}


def finish_change(root: Path, private: Path) -> bool:
    """Finish a change that was cut off, and remove what was prepared for one that never happened.

    The caller holds the folder's lock.

    Returns:
        Whether there was one to finish.

    Raises:
        StoreError: what is there as a list of one is none.
    """
    staged = _read_list(root, private)
    if staged:
        _apply(root, private, staged)
    for left in private.glob(f"{_NEW}*"):
        left.unlink()
    return bool(staged)


def _read_list(root: Path, private: Path) -> dict[str, str]:
    """The list of a change that was cut off; none where there is none.

    Whoever may write in the folder may have written it, and folders are cloned and unpacked: it is
    held to what a change of ours says, and nothing is done by way of a link.
    """
    path = private / _LIST
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    try:
        staged = msgspec.json.decode(content, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _no_list(path) from None
    is_plain = all(is_plain_path(one) for one in staged)
    is_ours = all(name == _GONE or _NAME.fullmatch(name) for name in staged.values())
    if private.is_symlink() or not is_plain or not is_ours or _leads_away(root, staged):
        raise _no_list(path)
    return staged


def _no_list(path: Path) -> StoreError:
    return StoreError(
        "it names files that no change of ours names, so nothing of it is done",
        path=path,
        hint="Somebody else has written it. Remove it, if you trust what is beside it.",
    )


def _leads_away(root: Path, paths: Iterable[str]) -> bool:
    """Whether a folder on the way to one of these is a link."""
    folders = {parent for path in paths for parent in PurePosixPath(path).parents}
    return any((root / folder).is_symlink() for folder in folders if folder.parts)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that is on the disk when this returns, or not there at all if it can't be."""
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _apply(root: Path, private: Path, staged: dict[str, str]) -> None:
    """Move files to where they belong, in their order; those that are there already are left."""
    folders = set()
    for path, name in staged.items():
        place = root / path
        if name == _GONE:
            _remove(place, root)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        folders.add(place.parent)
        with contextlib.suppress(FileNotFoundError):
            (private / name).rename(place)
    for folder in folders:
        if folder.is_dir():
            _sync(folder)
    (private / _LIST).unlink()
    _sync(private)


def _remove(place: Path, root: Path) -> None:
    """Remove a file; where a folder has come in its place, or a file in that of its folder, it has
    gone already."""
    if place.is_symlink() or not place.is_dir():
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            place.unlink()
    for folder in place.parents:
        if folder == root:
            return
        try:
            folder.rmdir()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return  # there is more in it


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
