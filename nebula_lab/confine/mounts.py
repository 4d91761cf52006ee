"""A tree of files of a process's own: what is not in it does not exist; see mount_namespaces(7)."""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from nebula_lab.confine import system
from nebula_lab.confine.grants import Grant, open_without_links

_AT_FDCWD = -100
_AT_EMPTY_PATH, _AT_RECURSIVE = 0x1000, 0x8000
_CLONE, _CLOEXEC = 1, os.O_CLOEXEC
_FROM_EMPTY_PATH, _TO_EMPTY_PATH = 0x4, 0x40
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8  # mount(2) and mount_setattr(2) alike
_REC, _PRIVATE = 0x4000, 0x40000
_DETACH = 2
_COVER = 2**20  # bytes for the folders in which our own are put back
_NOTHING = "/dev/null"  # without devices, nobody can open it
_FILES_EACH = 4096  # bytes of a quota for each file that it may have


class _Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def keep_private() -> None:
    """What is mounted from here on concerns nobody else."""
    _mount("none", "/", None, _REC | _PRIVATE, None)


def quota(path: str, size: int, *, programs: bool) -> None:
    """Mount an empty folder at `path` that holds `size` bytes at most, and a file for each 4 kB.

    Args:
        programs: whether what is written there may be executed or mapped as code.
    """
    flags = _NOSUID | _NODEV | (0 if programs else _NOEXEC)
    _mount("tmpfs", path, "tmpfs", flags, f"size={size},nr_inodes={size // _FILES_EACH},mode=0700")


def processes(path: str) -> None:
    """Mount a view of the processes of this PID namespace."""
    _mount("proc", path, "proc", _RDONLY | _NOSUID | _NODEV | _NOEXEC, None)


class Piece:
    """A part of today's files, taken out to be put into another tree.

    Args:
        source: its path, without symbolic links: another plugin may be able to make some on the
            way there, at this very moment. Or what the manager decided about.
        writable: whether it may be written to.
        devices: whether device files in it are such.

    Raises:
        OSError: it is not there, can't be seen, or there is a link on the way.
    """

    def __init__(self, source: str | Grant, *, writable: bool, devices: bool = False) -> None:
        found = open_without_links(source) if isinstance(source, str) else source.opened()
        try:
            self.is_folder = stat.S_ISDIR(os.fstat(found).st_mode)
            self._tree = system.call(
                "open_tree", found, b"", _CLONE | _CLOEXEC | _AT_RECURSIVE | _AT_EMPTY_PATH
            )
        finally:
            os.close(found)
        flags = _NOSUID | (0 if writable else _RDONLY) | (0 if devices else _NODEV)
        wanted = _Attributes(flags, 0, 0, 0)
        try:
            system.call(
                "mount_setattr",
                self._tree,
                b"",
                _AT_EMPTY_PATH | _AT_RECURSIVE,
                ctypes.byref(wanted),
                ctypes.sizeof(wanted),
            )
        except OSError:
            os.close(self._tree)
            raise

    def put(self, path: str) -> None:
        """Attach it at a path that is there, and has no links; once."""
        try:
            place = open_without_links(path)
            try:
                flags = _FROM_EMPTY_PATH | _TO_EMPTY_PATH
                system.call("move_mount", self._tree, b"", place, b"", flags)
            finally:
                os.close(place)
        finally:
            os.close(self._tree)


class Tree:
    """A new root.

    Args:
        folder: an empty one, to build it in.
    """

    def __init__(self, folder: str) -> None:
        self._root = folder
        self._covers: list[str] = []
        self._fastened: set[str] = set()
        _mount("tmpfs", folder, "tmpfs", _NOSUID | _NODEV | _NOEXEC, "size=1m,mode=0755")

    def show(self, paths: Iterable[str], *, writable: bool = False, devices: bool = False) -> None:
        """Let files and folders be seen where they are now, by all names that lead to them.

        Those that are not there are passed over.
        """
        for path in paths:
            real = self._follow(path)
            if real is not None and not self._is_shown(real):
                self._attach(Piece(real, writable=writable, devices=devices), real)

    def folder(self, path: str) -> str:
        """Make a folder in it; where it is until `enter`."""
        inside = self._root + path
        os.makedirs(inside, exist_ok=True)  # noqa: PTH103 - on the way of each load
        return inside

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link in it, unless something is there."""
        self.folder(os.path.dirname(path))  # noqa: PTH120
        if not os.path.lexists(self._root + path):
            os.symlink(target, self._root + path)  # noqa: PTH211

    def name_descriptors(self) -> None:
        """Have the usual names of descriptors, for programs that are to be told a file's name."""
        self.link("/dev/fd", "/proc/self/fd")
        for number, name in enumerate(("stdin", "stdout", "stderr")):
            self.link(f"/dev/{name}", f"/proc/self/fd/{number}")

    def attach(self, source: str, path: str, *, writable: bool = False) -> None:
        """Let something be seen at a path, whatever has been shown there."""
        self._attach(Piece(source, writable=writable), path)

    def grant(self, grants: Iterable[Grant], hidden: Iterable[str]) -> bool:
        """Let a plugin see what it was granted, by the names that it was granted by too.

        What is hidden is covered where it lies in something that is shown: folders are empty then,
        and files can't be opened. In what a plugin may write to they stay where they are: the
        folders on the way can't be given other names or be replaced. What was granted in a folder
        that is covered is there all the same.

        Args:
            grants: what it was granted.
            hidden: real paths.

        Returns:
            Whether anything was covered.
        """
        steps: list[tuple[str, Grant | None]] = [(path, None) for path in hidden]
        steps += [(one.path, one) for one in grants]
        # What is around other things comes first: its path is how theirs begin.
        for path, one in sorted(steps, key=lambda step: step[0]):
            if one is None:
                self._cover(path)
            else:
                self._grant(one)
        return bool(self._covers)

    def _grant(self, one: Grant) -> None:
        if one.is_writable or not self._is_shown(one.path):
            self._attach(Piece(one, writable=one.is_writable), one.path)
        for path, target in one.links:
            if not self._is_shown(path):
                self.link(path, target)

    def _cover(self, path: str) -> None:
        if not self._is_shown(path):
            return
        self._fasten(os.path.dirname(path))  # noqa: PTH120
        inside = self._root + path
        if stat.S_ISDIR(os.lstat(inside).st_mode):
            quota(inside, _COVER, programs=False)
            self._covers.append(path)
        else:
            Piece(_NOTHING, writable=False).put(inside)

    def _fasten(self, path: str) -> None:
        """Make mounts of the folders on the way: those can't be renamed where they are mounts."""
        if path in self._fastened or not self._is_shown(path):
            return
        self._fasten(os.path.dirname(path))  # noqa: PTH120
        self._fastened.add(path)
        inside = self._root + path
        if os.statvfs(inside).f_flag & os.ST_RDONLY or os.path.ismount(inside):
            return
        Piece(inside, writable=True).put(inside)

    def keep_unwritten(self, path: str) -> None:
        """Let nothing be written below a folder that may have been shown with something larger."""
        if self._is_shown(path) and os.path.isdir(self._root + path):  # noqa: PTH112
            Piece(path, writable=False).put(self._root + path)

    def _attach(self, piece: Piece, path: str) -> None:
        inside = self._root + path
        if not os.path.lexists(inside):
            self.folder(path if piece.is_folder else os.path.dirname(path))  # noqa: PTH120
            if not piece.is_folder:
                os.close(os.open(inside, os.O_CREAT | os.O_CLOEXEC, 0o600))
        piece.put(inside)

    def _follow(self, path: str) -> str | None:
        """Copy the symbolic links on the way; the path that they lead to."""
        done, left = "/", [part for part in path.split("/") if part][::-1]
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                done = os.path.dirname(done)  # noqa: PTH120
                continue
            here = os.path.join(done, part)  # noqa: PTH118
            try:
                mode = os.lstat(here).st_mode
            except OSError:
                return None
            if not stat.S_ISLNK(mode):
                done = here
                continue
            links += 1
            if links > 40:  # as the kernel counts
                return None
            target = os.readlink(here)  # noqa: PTH115
            if not self._is_shown(here):
                self.link(here, target)
            if target.startswith("/"):
                done = "/"
            left += [part for part in target.split("/") if part not in ("", ".")][::-1]
        return done

    def _is_shown(self, path: str) -> bool:
        """Whether something larger has been shown that has it already."""
        inside = self._root + path
        try:
            return os.lstat(inside).st_dev != os.lstat(self._root).st_dev
        except OSError:
            return False

    def enter(self) -> None:
        """Make it the root of this process, for good, and its only tree."""
        for path in self._covers:
            _make_read_only(self._root + path)
        os.chdir(self._root)
        # Both at one place: the old root ends up on top of the new one, and is taken off.
        system.call("pivot_root", b".", b".")
        system.libc("umount2", b".", _DETACH)
        os.chdir("/")
        _make_read_only("/")


def _make_read_only(path: str) -> None:
    """A mount itself, and not those in it."""
    flags = _Attributes(_RDONLY, 0, 0, 0)
    system.call(
        "mount_setattr",
        _AT_FDCWD,
        os.fsencode(path),
        0,
        ctypes.byref(flags),
        ctypes.sizeof(flags),
    )


def _mount(source: str, target: str, kind: str | None, flags: int, options: str | None) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    data = None if options is None else options.encode()
    system.libc("mount", *encoded, flags, data)
