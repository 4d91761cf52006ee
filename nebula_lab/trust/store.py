"""The content store: files of plugins by their SHA-256, never changed once they are there.

    lock            shared by who adds or pins, held alone by who collects garbage
    blobs/ab/cdef…  the bytes of one file, under their hash
    trees/HASH      the files of one plugin (`PluginFiles.text`), under its hash
    pins/HASH       shared by each process that uses the tree
    new/            what is being written

Any number of processes may use one store at a time, and any of them may be killed at any moment:
everything is written under another name first, and locks are released by the kernel.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from nebula_lab.errors import StoreError
from nebula_lab.trust import locks
from nebula_lab.trust.contents import CollectedPlugin, PluginFiles, StoredFile
from nebula_lab.trust.copying import checked_bytes, checked_copy, write_missing
from nebula_lab.trust.garbage import Removed, remove_garbage
from nebula_lab.trust.layout import StoreLayout, blob_path, default_root
from nebula_lab.trust.store_errors import explained

__all__ = ["ContentStore", "Lease"]

_WEEK = 7 * 24 * 3600.0


class Lease:
    """A tree that stays in the store for as long as this is held.

    The kernel ends it with the process. A process that was forked meanwhile, and has not started
    another program since, holds it too.

    Attributes:
        files: the tree.
    """

    def __init__(self, store: ContentStore, files: PluginFiles, descriptor: int) -> None:
        self.files = files
        self._store = store
        self._descriptor: int | None = descriptor

    def materialize(self, folder: Path) -> None:
        """As `ContentStore.materialize`, of this tree."""
        self._store.materialize(self.files, folder)

    def release(self) -> None:
        """Let the tree go; a second time does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


class ContentStore:
    """The store in one folder.

    Args:
        root: the folder; without, `store` in $NEBULA_LAB_HOME, else `nebula-lab/store` in
            $XDG_DATA_HOME, else in `~/.local/share`. It is made when something is added.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._layout = StoreLayout((default_root() if root is None else root).absolute())

    @property
    def root(self) -> Path:
        """The folder."""
        return self._layout.root

    def add(self, collected: CollectedPlugin) -> PluginFiles:
        """Keep a plugin's files; those that are there already are only looked at.

        Raises:
            StoreError: the store can't be written.
        """
        with self._adding(collected):
            return collected.files

    def lease(self, collected: CollectedPlugin) -> Lease:
        """Keep a plugin's files, and hold them against garbage collection; as `add`."""
        with self._adding(collected):
            return self._pinned(collected.files)

    def pin(self, files: PluginFiles) -> Lease:
        """Hold a tree that is in the store against garbage collection.

        Raises:
            StoreError: it is not there, or no longer.
        """
        with explained("the content store can't be used", self.root), locks.shared(self._lock()):
            self.tree(files.digest)
            return self._pinned(files)

    def read(self, file: StoredFile) -> bytes:
        """The bytes of one file of a tree.

        Raises:
            StoreError: they are missing, or are not what they were.
        """
        return checked_bytes(str(self._layout.blob(file.sha256)), file)

    def materialize(self, files: PluginFiles, folder: Path) -> None:
        """Copy a tree into a folder, which is made if need be and has none of its files yet.

        What is copied is hashed on its way. The copies are read-only, and no links: through one,
        whoever may write to the copy could write into the store.

        Raises:
            StoreError: a file of the store is missing, or is not what it was. It is removed from
                the store, so that the next `add` writes it anew, and never left in `folder`.
                Also where `folder` can't be written.
        """
        with explained("a plugin's files can't be copied", folder):
            made: set[str] = set()
            root, blobs = str(folder), str(self._layout.blobs)
            for file in files.files:
                target = f"{root}/{file.path}"
                parent = target.rpartition("/")[0]
                if parent not in made:
                    os.makedirs(parent, exist_ok=True)  # noqa: PTH103 - on the path of every load
                    made.add(parent)
                checked_copy(blob_path(blobs, file.sha256), file, target)

    def materialize_directly(self, collected: CollectedPlugin, folder: Path) -> None:
        """Copy a plugin's files from memory, where `materialize` did not find all in the store.

        Raises:
            StoreError: `folder` can't be written.
        """
        with explained("a plugin's files can't be copied", folder):
            for file in collected.files.files:
                target = folder / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                write_missing(collected.contents[file.path], file, str(target))

    def tree(self, digest: str) -> PluginFiles:
        """The tree with that digest.

        Raises:
            StoreError: it is not in the store, or not what it was.
        """
        path = self._layout.tree(digest)
        try:
            files = PluginFiles.parse(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StoreError(
                f"the content store has no plugin {digest}",
                path=path,
                hint="Load the plugin from its source again; garbage collection has removed it.",
            ) from None
        except (ValueError, StoreError):
            files = None
        if files is None or files.digest != digest:
            path.unlink(missing_ok=True)
            raise StoreError(
                "a list of files in the content store was damaged, and has been removed",
                path=path,
                hint="Load the plugin from its source again. Check the disk if it happens twice.",
            )
        return files

    def trees(self) -> Iterator[PluginFiles]:
        """All that are there and undamaged, in no order."""
        for digest in self._layout.digests():
            with contextlib.suppress(StoreError):  # `tree` has removed it
                yield self.tree(digest)

    def collect_garbage(self, keep: Iterable[str] = (), older_than: float = _WEEK) -> Removed:
        """Remove the trees that nobody needs, and the blobs that are then in none.

        What another process adds or uses meanwhile stays.

        Args:
            keep: digests of trees to leave.
            older_than: seconds since a tree was last added; younger ones are left.

        Raises:
            StoreError: the store can't be written, or is in use all the time.
        """
        with (
            explained("the content store can't be cleaned", self.root),
            locks.exclusive(self._lock()),
        ):
            return remove_garbage(self._layout, frozenset(keep), older_than, self.tree)

    @contextlib.contextmanager
    def _adding(self, collected: CollectedPlugin) -> Iterator[None]:
        with (
            explained("a plugin's files can't be kept", self.root),
            locks.shared(self._lock()),
        ):
            self._write(collected)
            yield

    def _write(self, collected: CollectedPlugin) -> None:
        files, layout = collected.files, self._layout
        known = layout.tree(files.digest)
        missing = [file for file in files.files if not _is_there(layout.blob(file.sha256), file)]
        for file in {file.sha256: file for file in missing}.values():
            content = collected.contents[file.path]
            _write_anew(layout, layout.blob(file.sha256), content)
        if known.exists():
            _touch(known)
        else:
            # Last, so that a tree that is there has all that is in it, and can be pinned.
            os.close(locks.hold_shared(layout.pin(files.digest)))
            _write_anew(layout, known, files.text.encode())

    def _pinned(self, files: PluginFiles) -> Lease:
        """A lease; the caller holds the store's lock, so that the tree is not going just now."""
        path = self._layout.pin(files.digest)
        return Lease(self, files, locks.hold_shared(path))

    def _lock(self) -> Path:
        return self._layout.lock


def _is_there(blob: Path, file: StoredFile) -> bool:
    """Whether a blob is there, as far as a look without reading can tell."""
    try:
        return os.stat(blob).st_size == file.size  # noqa: PTH116 - a quarter of Path.stat's time
    except FileNotFoundError:
        return False


def _write_anew(layout: StoreLayout, path: Path, content: bytes) -> None:
    """Write a file under another name, see it to the disk, and give it its name at once."""
    temporary = layout.new / secrets.token_hex(16)
    _in_folder(temporary, lambda: _write_synced(temporary, content))
    try:
        _in_folder(path, lambda: temporary.rename(path))
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
            os.fchmod(descriptor, 0o444)
            # Else a power cut could leave a name with nothing under it.
            os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _in_folder(path: Path, act: Callable[[], object]) -> None:
    """Act on a path, after making its folder where it is missing."""
    try:
        act()
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        act()


def _touch(path: Path) -> None:
    """Note that a tree was added again, which keeps it from being collected as old."""
    try:
        os.utime(path)
    except OSError as error:
        # A store that can't be written is not collected either.
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
