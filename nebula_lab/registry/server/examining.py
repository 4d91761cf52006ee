"""What the process does that looks at one upload.

It is a process of its own because what it parses is a stranger's: a source can drive a parser out
of memory, and that must not be the server's. Nothing of the plugin runs.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Collection
from pathlib import Path

import msgspec
from msgspec import Struct

from nebula_lab.confine import landlock, privileges
from nebula_lab.errors import ArchiveError, PluginError
from nebula_lab.registry.format.documents import PublishedVersion

__all__ = ["CANONICAL", "FINDINGS", "Findings", "examine", "give_up_rights"]

CANONICAL = "canonical.zip"
FINDINGS = "findings.json"
# An archive is at most a quarter of a gigabyte, and is here in at most four forms.
_LIMITS = (
    (resource.RLIMIT_AS, 3 * 2**30),
    (resource.RLIMIT_CPU, 60),
    (resource.RLIMIT_FSIZE, 2**29),
    (resource.RLIMIT_CORE, 0),
)


class Findings(Struct, frozen=True, omit_defaults=True):
    """What an examination says.

    Attributes:
        id: the plugin; empty where the upload is not taken.
        version: what the registry is to say of it.
        message: why it is not taken.
        hint: what to do.
    """

    id: str = ""
    version: PublishedVersion | None = None
    message: str = ""
    hint: str | None = None


def examine(archive: Path, work: Path, source: str | None) -> None:
    """Look at an upload, and write what was found into a file.

    Args:
        archive: the upload.
        work: an empty folder, for the file, what is unpacked, and the archive as it is packed anew.
        source: the file or folder in the archive that is the plugin; found where None.
    """
    give_up_rights(archive, work)
    try:
        findings = _findings(archive, work, source)
    except PluginError as error:
        # Without places: they are of this machine, and only here for a moment.
        name = f"{error.plugin_id}: " if error.plugin_id else ""
        message = f"{name}{error.message}".replace(f"{work / 'unpacked'}/", "")
        findings = Findings(message=message, hint=error.hint)
    except (MemoryError, RecursionError) as error:
        findings = Findings(message=f"it is too deep or too large: {type(error).__name__}")
    (work / FINDINGS).write_bytes(msgspec.json.encode(findings))


def give_up_rights(archive: Path, work: Path) -> None:
    """Keep this process to limits, and where Landlock is there, from all else than its task.

    The keys that the server holds, and its network, are then out of reach of whoever finds a way
    to take over a parser.
    """
    for which, most in _LIMITS:
        _, hard = resource.getrlimit(which)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (least, hard))
    privileges.forbid_gaining()
    if not landlock.version():
        return
    # What is still to be imported, and the libraries of these.
    readable = {*sys.path, sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64", str(archive)}
    allowed = [(path, landlock.READ) for path in sorted(readable) if path and Path(path).exists()]
    landlock.restrict([*allowed, (str(work), landlock.WRITE)], network=False)


def _findings(archive: Path, work: Path, source: str | None) -> Findings:
    from nebula_lab.discovery import read_descriptor
    from nebula_lab.registry.archives.opening import unpack
    from nebula_lab.registry.building.version import packed
    from nebula_lab.registry.publishing.changes import write_durably

    with archive.open("rb") as sent:
        contents, files = unpack(sent)
    folder = work / "unpacked"
    for file in files:
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(contents[file.path])
        place.chmod(0o755 if file.executable else 0o644)
    name = _source({path.partition("/")[0] for path in contents}, folder, source)
    found = packed(read_descriptor(folder / name))
    ours, _ = unpack(found.archive)
    if strangers := sorted(contents.keys() - ours.keys()):
        raise ArchiveError(
            f"has files that are no part of the plugin: {', '.join(strangers[:5])}",
            plugin_id=found.plugin_id,
            hint="`nebula-lab registry publish` packs what is.",
        )
    write_durably(work / CANONICAL, found.archive)
    return Findings(found.plugin_id, found.version)


def _source(names: Collection[str], folder: Path, wanted: str | None) -> str:
    """The plugin itself, among what lies at the top of the archive."""
    from nebula_lab.discovery import read_descriptor

    if wanted is not None:
        if wanted not in names:
            raise ArchiveError(f"has no {wanted[:200]!r} at its top, which was to be the plugin")
        return wanted
    found, problems = [], []
    for name in sorted(names):
        try:
            read_descriptor(folder / name)
        except PluginError as error:
            problems.append(error)
        else:
            found.append(name)
    if not found and len(names) == 1:
        raise problems[0]
    if len(found) != 1:
        raise ArchiveError(
            f"has {len(found)} files or folders at its top that describe a plugin",
            hint="Say which it is: `upload?source=NAME`.",
        )
    return found[0]
