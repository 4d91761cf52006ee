"""The two documents of a registry, format 1: the index, and what there is of one plugin.

A registry is written by strangers. Every text and every list has an end, a key that is not here
is an error, and what the values mean is checked once more by the models of `nebula_lab.model`
where they are used.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

__all__ = [
    "FORMAT",
    "Archive",
    "Dependency",
    "Description",
    "DocumentHash",
    "Entry",
    "Index",
    "PluginDocument",
    "Python",
    "Rights",
    "AllowedPath",
    "Hosting",
    "PublishedVersion",
]

FORMAT: Final = 1

# Python's `$` stands before a last line break too; in the schemas it stands at the end alone.
_END = r"$(?!\n)"
PluginName = Annotated[str, Meta(pattern=rf"^[A-Za-z_][A-Za-z0-9_.\-]{{0,99}}{_END}")]
Sha256 = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{_END}")]
_Version = Annotated[str, Meta(min_length=5, max_length=256)]
_Line = Annotated[str, Meta(max_length=1_000)]
_Prose = Annotated[str, Meta(max_length=20_000)]
_Path = Annotated[str, Meta(min_length=1, max_length=1_000)]
_Tags = Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=1_000)]
_Lines = Annotated[tuple[_Line, ...], Meta(max_length=1_000)]
_Size = Annotated[int, Meta(ge=0, le=2**40)]
_Few = Annotated[int, Meta(ge=1, le=64)]
_Time = Annotated[datetime, Meta(tz=True)]


class _Closed(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is left out has its default; what is not known is an error."""


class DocumentHash(_Closed, frozen=True):
    """The bytes of a plugin's document when the index was written.

    A client that has these need not ask for them. They vouch for nothing: who could change one
    file of a registry could change the other.
    """

    sha256: Sha256
    size: _Size


class Entry(_Closed, frozen=True):
    """What the index says of one plugin, for people who search.

    Attributes:
        id: the plugin.
        latest: the newest version that is not yanked, a pre-release only where there is nothing
            else; None where all are yanked.
        name: of that version.
        description: of that version, shortened.
        tags: of that version.
        document: the document of the plugin.
    """

    id: PluginName
    latest: _Version | None = None
    name: _Line = ""
    description: _Line = ""
    tags: _Tags = ()
    document: DocumentHash | None = None


class Index(_Closed, frozen=True):
    """`index.json`: every plugin of a registry, sorted by id."""

    format: Literal[1]
    name: _Line = ""
    plugins: Annotated[tuple[Entry, ...], Meta(max_length=100_000)] = ()


class Dependency(_Closed, frozen=True):
    """Another plugin that a version calls."""

    id: PluginName
    requirement: _Line = "*"
    optional: bool = False


class Python(_Closed, frozen=True):
    """The Python environment that a version asks for."""

    requires: _Line = ""
    dependencies: Annotated[tuple[_Line, ...], Meta(max_length=200)] = ()
    allow_source: bool = False


class Description(_Closed, frozen=True):
    """What a version says of itself to people."""

    author: _Line = ""
    description: _Prose = ""
    license: _Line = ""
    homepage: _Line | None = None
    tags: _Tags = ()


class AllowedPath(_Closed, frozen=True):
    """Files that a version asks for; a relative path is taken from where its manifest is."""

    path: _Path
    mode: Literal["ro", "rw"] = "ro"


class Rights(_Closed, frozen=True):
    """The rights that a version asks for, as under `[security]` in a manifest."""

    capabilities: _Lines = ()
    allowed_hosts: _Lines = ()
    allowed_paths: Annotated[tuple[AllowedPath, ...], Meta(max_length=1_000)] = ()
    allowed_variables: _Lines = ()
    sandbox: Literal["None", "Process", "Wasm", "Container"] | None = None


class Hosting(_Closed, frozen=True):
    """How a version wants to be hosted, as under `[runtime]` in a manifest."""

    concurrency: _Few = 1
    replicas: _Few = 1


class Archive(_Closed, frozen=True):
    """The archive of a version.

    Attributes:
        sha256: of its bytes.
        size: bytes.
        url: where it is, if not at `archives/<first two digits>/<sha256>.zip`; taken from the
            registry's own address if it is relative. No secret of the registry is sent elsewhere.
    """

    sha256: Sha256
    size: _Size
    url: Annotated[str, Meta(min_length=1, max_length=2_000)] | None = None


class PublishedVersion(_Closed, frozen=True, kw_only=True):
    """One version of a plugin. But for `yanked` it never changes once it is there.

    Attributes:
        version: its version.
        name: what people call it; the plugin's id where it is empty.
        api_version: the plugin API that it is written for; None where it does not say.
        dependencies: the plugins that it calls.
        min_nebula_version: the oldest nebula_lab that it works with.
        max_nebula_version: the newest.
        python: the environment of its own that it asks for.
        about: what it says of itself to people.
        security: the rights that it asks for.
        runtime: how it wants to be hosted.
        archive: its files.
        tree: SHA-256 of the list of its files, as the content store names them.
        source: the file or folder in the archive that is the plugin.
        described_by: the file in the archive that has the description.
        signed_by: fingerprint of the key that signed it, as `ssh-keygen -l` prints it. A hint for
            people: whether the signature holds is seen when the files are here.
        yanked: why nobody should begin to use it, perhaps empty; None if it was not withdrawn.
        published: when it was published, with its time zone.
    """

    version: _Version
    name: _Line = ""
    api_version: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    dependencies: Annotated[tuple[Dependency, ...], Meta(max_length=1_000)] = ()
    min_nebula_version: _Version | None = None
    max_nebula_version: _Version | None = None
    python: Python | None = None
    about: Description = Description()
    security: Rights = Rights()
    runtime: Hosting = Hosting()
    archive: Archive
    tree: Sha256
    source: _Path
    described_by: _Path
    signed_by: _Line | None = None
    yanked: _Line | None = None
    published: _Time | None = None


class PluginDocument(_Closed, frozen=True):
    """`plugins/<id>.json`: every version of one plugin, the newest first."""

    format: Literal[1]
    id: PluginName
    versions: Annotated[tuple[PublishedVersion, ...], Meta(max_length=10_000)] = ()
