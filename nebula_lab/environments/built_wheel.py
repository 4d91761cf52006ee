"""Looks at a wheel that strangers' code has made: whether it is one, and of what it should be."""

from __future__ import annotations

import stat
import zipfile
from email.parser import BytesParser
from pathlib import Path, PurePosixPath

from nebula_lab.environments.source_error import SourceError

__all__ = ["check_name", "check_wheel"]

# More than the largest packages have.
_MOST_FILES = 100_000
_LARGEST = 4 * 2**30  # bytes of all files together
_LARGEST_METADATA = 2**20


def check_name(file_name: str, name: str, version: str) -> None:
    """Stop a build from giving the wheel of another package.

    Args:
        file_name: as the build calls it.
        name: of the package, normalised.
        version: of the package.

    Raises:
        SourceError: it is no name of a wheel, or of another package or version.
    """
    from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
    from packaging.version import Version

    try:
        found, found_version, _, _ = parse_wheel_filename(file_name)
    except InvalidWheelFilename:
        raise _refused(name, version, f"a file {file_name[:100]!r}, which is no wheel") from None
    if (found, found_version) != (canonicalize_name(name), Version(version)):
        raise _refused(name, version, f"a wheel of {found} {found_version}")


def check_wheel(path: Path, name: str, version: str) -> None:
    """Look into a wheel; nothing of it is written anywhere.

    Raises:
        SourceError: it is none, is too large, or says that it is of another package.
    """
    try:
        with zipfile.ZipFile(path) as wheel:
            _check_files(wheel.infolist(), name, version)
            _check_metadata(wheel, name, version)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, KeyError) as error:
        raise _refused(name, version, f"what can't be read as a wheel ({error})"[:300]) from error


def _check_files(entries: list[zipfile.ZipInfo], name: str, version: str) -> None:
    if len(entries) > _MOST_FILES or sum(one.file_size for one in entries) > _LARGEST:
        raise _refused(name, version, "a wheel that is too large")
    for one in entries:
        path = PurePosixPath(one.filename)
        leaves = path.is_absolute() or ".." in path.parts or "\\" in one.filename
        if leaves or stat.S_ISLNK(one.external_attr >> 16):
            raise _refused(name, version, f"a wheel with {one.filename[:100]!r} in it")


def _check_metadata(wheel: zipfile.ZipFile, name: str, version: str) -> None:
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    named = [one for one in wheel.infolist() if one.filename.endswith(".dist-info/METADATA")]
    listed = [one for one in named if one.filename.count("/") == 1]
    if len(listed) != 1 or listed[0].file_size > _LARGEST_METADATA:
        raise _refused(name, version, "a wheel without one METADATA of its own")
    said = BytesParser().parsebytes(wheel.read(listed[0]), headersonly=True)
    found, found_version = str(said["Name"]), str(said["Version"])
    if (canonicalize_name(found), Version(found_version)) != (
        canonicalize_name(name),
        Version(version),
    ):
        raise _refused(name, version, f"a wheel that says it is {found} {found_version}"[:200])


def _refused(name: str, version: str, gave: str) -> SourceError:
    return SourceError(
        f"the source of {name} {version} has built {gave}",
        "It is not installed. Ask for another version, or for one that has a wheel.",
    )
