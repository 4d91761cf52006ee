"""`nebula.lock`: exactly which plugins, and which packages for them, make up a notebook.

    format = 1
    [[plugin]]        one for each plugin, by id
    [[environment]]   one for each Python environment that plugins want, by key

Equal contents have equal bytes. Tables of other names are kept as they are, so that an older
nebula_lab does not lose what a newer one wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import replace

from nebula_lab.errors import InvalidVersionError, LockError
from nebula_lab.model.config import LOCK_NAME
from nebula_lab.model.documents import Document, read_document
from nebula_lab.model.release import Origin
from nebula_lab.model.version import Version

__all__ = [
    "LOCK_NAME",
    "LockFile",
    "LockedPlugin",
    "LockedEnvironment",
    "LockedPackage",
    "read_lock",
]

_FORMAT = 1
_HEADING = "# Written by `nebula-lab lock`. Keep it beside the plugins, in version control."

_Id = Annotated[str, Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_.-]{0,99}\Z")]
_Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Text = Annotated[str, Meta(max_length=1000)]
# The name of an algorithm and a digest, such as sha256:9f86d0…
_Hash = Annotated[str, Meta(pattern=r"\A[a-z0-9_]{1,20}:[0-9a-f]{32,128}\Z")]


class LockedPlugin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plugin as it was locked.

    Attributes:
        id: the plugin.
        version: its version.
        origin: in what kind of place it was found.
        digest: SHA-256 of its files, as the content store names them.
        archive: SHA-256 of the archive that a registry has; None where it is from elsewhere.
        place: the address of that registry, without secrets.
        dependencies: the plugins that it is loaded with, by id.
    """

    id: _Id
    version: _Text
    origin: Origin = Origin.FOLDER
    digest: _Digest
    archive: _Digest | None = None
    place: _Text | None = None
    dependencies: tuple[_Id, ...] = ()

    @property
    def as_version(self) -> Version:
        """`version`, to be compared."""
        return Version.parse(self.version)


class LockedPackage(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One distribution of an environment.

    Attributes:
        name: of the distribution, normalised.
        version: its version, as PEP 440 has it.
        hashes: of each file that will do, such as `sha256:9f86…`.
        source: hash of the source that it was built from on this machine; None for a wheel that
            an index has. `hashes` has that of the wheel that came of it.
    """

    name: _Text
    version: _Text
    hashes: tuple[_Hash, ...] = ()
    source: _Hash | None = None


class LockedEnvironment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Python environment as it was locked.

    Attributes:
        key: what says which environment it is: of interpreter, platform and requirements.
        python: what is asked of the Python, such as `>=3.11`.
        requirements: what plugins ask for, as PEP 508 has it.
        packages: what was found for that.
    """

    key: _Text
    python: _Text = ""
    requirements: tuple[_Text, ...] = ()
    packages: tuple[LockedPackage, ...] = ()


class LockFile(Struct, frozen=True, kw_only=True):
    """What a lock file says.

    Attributes:
        plugins: by id.
        environments: by key.
        others: tables that this version knows nothing of.
    """

    plugins: tuple[LockedPlugin, ...] = ()
    environments: tuple[LockedEnvironment, ...] = ()
    others: Mapping[str, Any] = field(default_factory=dict)

    def plugin(self, plugin_id: str) -> LockedPlugin | None:
        """What is locked of a plugin; None if nothing is."""
        return next((one for one in self.plugins if one.id == plugin_id), None)

    def environment(self, key: str) -> LockedEnvironment | None:
        """What is locked of an environment; None if nothing is."""
        return next((one for one in self.environments if one.key == key), None)

    def with_plugins(self, plugins: Iterable[LockedPlugin]) -> Self:
        """The same with these plugins and no others."""
        return replace(self, plugins=tuple(sorted(plugins, key=lambda one: one.id)))

    def with_environments(self, environments: Iterable[LockedEnvironment]) -> Self:
        """The same with these environments and no others."""
        return replace(self, environments=tuple(sorted(environments, key=lambda one: one.key)))

    @property
    def text(self) -> str:
        """The file: equal values give equal text."""
        import tomli_w  # only who writes one needs it

        known: dict[str, Any] = {
            "format": _FORMAT,
            "plugin": [_table(one) for one in sorted(self.plugins, key=lambda one: one.id)],
            "environment": [
                _table(one) for one in sorted(self.environments, key=lambda one: one.key)
            ],
        }
        tables = {name: table for name, table in known.items() if table != []}
        tables |= {name: self.others[name] for name in sorted(self.others)}
        return f"{_HEADING}\n{tomli_w.dumps(tables)}"

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """What a document that has been read says.

        Raises:
            LockError: it is no lock file, or one of a later format.
        """
        data = document.data
        if data.get("format") != _FORMAT:
            raise LockError(
                f"its format is {data.get('format')!r}, but this nebula_lab reads {_FORMAT}",
                path=document.path,
                line=document.line_of(("format",)),
                hint="Upgrade nebula_lab, or make the file anew: nebula-lab lock.",
            )
        return cls(
            plugins=_rows(document, "plugin", LockedPlugin),
            environments=_rows(document, "environment", LockedEnvironment),
            others={
                name: table
                for name, table in data.items()
                if name not in ("format", "plugin", "environment")
            },
        )


def read_lock(path: Path) -> LockFile | None:
    """What a lock file says; None where there is none.

    Raises:
        LockError: it can't be read, or is no lock file; with the line.
    """
    if not path.exists():
        return None
    return LockFile.from_document(read_document(path, LockError, suffix=".toml"))


def _table(row: Struct) -> dict[str, Any]:
    """A row without what says nothing."""
    plain = msgspec.to_builtins(row)
    return {key: value for key, value in plain.items() if value not in (None, [], ())}


def _rows(document: Document, name: str, kind: Any) -> Any:
    """The rows of an array of tables, each with an id or key of its own."""
    listed = document.data.get(name, [])
    if not isinstance(listed, list):
        raise _malformed(document, (name,), f"{name} is not a list of tables")
    rows: dict[str, Any] = {}
    for number, table in enumerate(listed):
        try:
            row = msgspec.convert(table, kind)
            if isinstance(row, LockedPlugin):
                Version.parse(row.version)
        except (msgspec.ValidationError, InvalidVersionError) as error:
            raise _malformed(document, (name, number), str(error)) from None
        key = row.id if isinstance(row, LockedPlugin) else row.key
        if key in rows:
            raise _malformed(document, (name, number), f"{key} is there twice")
        rows[key] = row
    return tuple(rows[key] for key in sorted(rows))


def _malformed(document: Document, location: tuple[str | int, ...], what: str) -> LockError:
    return LockError(
        what,
        path=document.path,
        line=document.line_of(location),
        hint="Take the file from version control, or make it anew: nebula-lab lock.",
    )
