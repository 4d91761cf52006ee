"""Our own image for containers, built of the Python that runs the manager; no registry is asked."""

from __future__ import annotations

import compileall
import fcntl
import hashlib
import io
import logging
import os
import secrets
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from py_compile import PycInvalidationMode

from nebula_lab.environments.agent_copy import agent_sources
from nebula_lab.errors.containers import ContainerRuntimeError, ImageError
from nebula_lab.sandbox.container import image_files
from nebula_lab.sandbox.container.owners import is_gone, own_name
from nebula_lab.sandbox.container.runtime import Runtime

_log = logging.getLogger("nebula_lab")
# Our messages are packed with the first, the second is for hosts with a kernel, and arrays are of
# the last, where that is installed.
_ALWAYS, _USUAL = ("msgspec", "ipykernel"), ("numpy",)
_REPOSITORY = "localhost/nebula-lab-host"
_LABEL = "nebula-lab.image"
# To be counted up when the same files would be put in differently.
_FORMAT = "2"
_MAKING = "making-"
_BUILDING = 600.0
_LOOKING = 0.1  # seconds between two looks whether another process has built it
Tell = Callable[[str], object]


class OwnImage:
    """The image for a set of packages.

    Args:
        runtime: has it.
        packages: beside the usual ones.

    Raises:
        ImageError: a package is not installed here.
    """

    def __init__(self, runtime: Runtime, packages: tuple[str, ...] = ()) -> None:
        self._runtime = runtime
        usual = tuple(name for name in _USUAL if _is_installed(name))
        wanted = (*_ALWAYS, *usual, *packages)
        self._packages = image_files.closure_of(wanted, runtime.name)
        self.contents = tuple(f"{name} {one.version}" for name, one in self._packages.items())
        self.name = f"{_REPOSITORY}:{self._digest()}"

    def _digest(self) -> str:
        digest = hashlib.sha256()
        python = (sys.version, os.uname().machine, os.path.realpath(sys.executable))
        for word in (_FORMAT, *python, *self.contents):
            digest.update(f"{len(word)} {word}\0".encode())
        for path, content in agent_sources().items():
            digest.update(f"{path}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()[:24]

    def is_there(self) -> bool:
        """Whether the runtime has it.

        Raises:
            ContainerRuntimeError: it can't be asked.
        """
        try:
            return bool(self._runtime.run(["images", "-q", self.name]).strip())
        except ImageError:
            return False

    def build(
        self, tell: Tell, *, anew: bool = False, is_given_up: Callable[[], bool] = lambda: False
    ) -> bool:
        """Build it, unless it is there. One process at a time does.

        Args:
            tell: is told what is being done.
            anew: also where it is there.
            is_given_up: asked from time to time whether nobody wants it any more.

        Returns:
            Whether it had to be.

        Raises:
            ContainerRuntimeError: the runtime does not take it, or nobody wants it any more.
        """
        with _alone(self._require_wanted(is_given_up)):
            if not anew and self.is_there():
                return False
            began = time.monotonic()
            tell(f"building the image {self.name} of Python {sys.version.split()[0]} …")
            changes = [
                *("--change", f"ENV LD_LIBRARY_PATH=/{image_files.LIBRARIES}"),
                *("--change", f"ENV PATH=/{image_files.PREFIX}/bin"),
                *("--change", f"LABEL {_LABEL}={_FORMAT}"),
            ]
            # It gets its name as a whole: where this process is killed, what has been sent of the
            # archive can look like all of it.
            self._remove(one for one in self._named() if _MAKING in one and _is_left(one))
            made = f"{_REPOSITORY}:{_MAKING}{own_name()}-{secrets.token_hex(6)}"
            try:
                self._runtime.run(
                    ["import", *changes, "-", made],
                    feed=partial(self._write, self._require_wanted(is_given_up)),
                    timeout=_BUILDING,
                )
                self._runtime.run(["tag", made, self.name])
                self._runtime.run(["rmi", made])
            except OSError as error:
                raise ImageError(
                    f"the image could not be built: {error}", runtime=self._runtime.name
                ) from error
            tell(f"built it in {time.monotonic() - began:.1f} s")
        return True

    def _require_wanted(self, is_given_up: Callable[[], bool]) -> Callable[[], None]:
        def require() -> None:
            if is_given_up():
                raise ContainerRuntimeError(
                    "building the image was broken off",
                    runtime=self._runtime.name,
                    hint="Load the plugin again to have it built; once it is, it is kept.",
                )

        return require

    def _write(self, require_wanted: Callable[[], None], process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        try:
            with tarfile.open(fileobj=process.stdin, mode="w|", bufsize=2**20) as archive:
                _fill(archive, self._entries(require_wanted))
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended, and says why
        process.stdin = None

    def _entries(self, require_wanted: Callable[[], None]) -> Iterator[image_files.Entry]:
        for entry in image_files.entries(self._packages.values()):
            require_wanted()
            yield entry

    def remove_others(self) -> list[str]:
        """Remove the images of ours that this one has taken the place of; their names."""
        others = [one for one in self._named() if one != self.name]
        return self._remove(one for one in others if _MAKING not in one or _is_left(one))

    def _named(self) -> list[str]:
        """The names of all images of ours."""
        listed = self._runtime.run(["images", "--format", "{{.Repository}}:{{.Tag}}"])
        return [one for one in listed.split() if one.startswith(f"{_REPOSITORY}:")]

    def _remove(self, names: Iterable[str]) -> list[str]:
        """Remove images; the names of those that went."""
        removed = []
        for name in names:
            try:
                self._runtime.run(["rmi", name])
                removed.append(name)
            except ContainerRuntimeError as error:  # a container is made of it
                _log.info("the image %s was not removed: %s", name, error)
        return removed


def _is_left(name: str) -> bool:
    """Whether nobody goes on with making an image; the lock is not shared by all who make them."""
    return is_gone(name.partition(f":{_MAKING}")[2])


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


@contextmanager
def _alone(require_wanted: Callable[[], None]) -> Iterator[None]:
    """Hold a lock that all processes with this very package of ours share."""
    folder = os.open(Path(__file__).parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while not _is_taken(folder):
            require_wanted()
            time.sleep(_LOOKING)
        yield
    finally:
        os.close(folder)


def _is_taken(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# The archive. Whatever the modes of the sources are, everyone may read these, and nobody write.


def _fill(archive: tarfile.TarFile, entries: Iterator[image_files.Entry]) -> None:
    known: set[str] = set()
    for folder in image_files.FOLDERS:
        _add_folders(archive, folder, known)
    for name, text in image_files.TEXTS.items():
        _add_text(archive, name, text.encode())
    written = set(image_files.TEXTS)
    for entry in entries:
        if entry.name not in written:
            written.add(entry.name)
            _add_file(archive, entry, known)
    with tempfile.TemporaryDirectory() as folder:
        for entry in _own_package(Path(folder)):
            _add_file(archive, entry, known)


def _own_package(folder: Path) -> Iterator[image_files.Entry]:
    """As much of ours as enters a sandbox, compiled: the container could not keep that."""
    for path, content in agent_sources().items():
        target = folder / "nebula_lab" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    mode = PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(
        folder,
        quiet=2,
        stripdir=folder,
        prependdir=f"/{image_files.PACKAGES}",
        invalidation_mode=mode,
    )
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield image_files.Entry(str(path), f"{image_files.PACKAGES}/{path.relative_to(folder)}")


def _add_text(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o444
    archive.addfile(info, io.BytesIO(content))


def _add_folders(archive: tarfile.TarFile, folder: str, known: set[str]) -> None:
    """Add a folder and those that it is in: one that is not said, docker lets nobody enter."""
    if not folder or folder in known:
        return
    _add_folders(archive, folder.rpartition("/")[0], known)
    known.add(folder)
    info = tarfile.TarInfo(folder)
    info.type, info.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
    archive.addfile(info)


def _add_file(archive: tarfile.TarFile, entry: image_files.Entry, known: set[str]) -> None:
    _add_folders(archive, entry.name.rpartition("/")[0], known)
    with open(entry.source, "rb") as file:  # noqa: PTH123 - thousands of them
        status = os.fstat(file.fileno())
        info = tarfile.TarInfo(entry.name)
        info.size = status.st_size
        info.mtime = int(status.st_mtime)  # bytecode is held against it
        info.mode = 0o555 if status.st_mode & 0o100 else 0o444
        archive.addfile(info, file)
