"""Errors about registries, and about installing what they have.

They are a part of the tree of `nebula_lab.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nebula_lab.plugin.errors import PluginError


class RegistryError(PluginError):
    """A registry that can't be asked, or an answer of one that can't be used."""


class RegistryDownError(RegistryError):
    """A registry that does not answer, answers too slowly, or says that it can't at present.

    Attributes:
        retry_after: seconds for which it asks to be left alone; None where it does not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, **where: Any) -> None:
        super().__init__(message, **where)
        self.retry_after = retry_after


class RegistryRefusedError(RegistryError):
    """A registry that refuses the secret that it was given, or asks for one."""


class RegistryAnswerError(RegistryError):
    """An answer that is not what a registry should say, or is too much of it."""


class ArchiveError(RegistryError):
    """An archive that is not what the registry promised, or is made to do harm when unpacked."""


class RegistryTrustError(RegistryError):
    """What a registry says is not signed, is out of date, or takes back what it said before."""


class PublishingError(RegistryError):
    """A registry that does not take a version, or a change, that it was given.

    Attributes:
        conflict: why, as a word for programs; None where there is none for it.
        archive: SHA-256 of the archive that is there already, where one is.
    """

    def __init__(
        self,
        message: str,
        *,
        conflict: str | None = None,
        archive: str | None = None,
        **where: Any,
    ) -> None:
        super().__init__(message, **where)
        self.conflict = conflict
        self.archive = archive


class InstallError(PluginError):
    """A plugin could not be installed, or be removed. What was there before is as it was."""


class EditedFilesError(InstallError):
    """Files that would be replaced have been changed since they were installed, or are others.

    Attributes:
        files: their paths, relative to the plugin folder.
    """

    def __init__(self, message: str, *, files: Sequence[str], **where: Any) -> None:
        super().__init__(message, **where)
        self.files = tuple(files)


class NeededByOthersError(InstallError):
    """Plugins that would be removed are needed by others, which would stay.

    Attributes:
        dependents: who needs which of them, by the id of the one that is needed.
    """

    def __init__(
        self, message: str, *, dependents: Mapping[str, Sequence[str]], **where: Any
    ) -> None:
        super().__init__(message, **where)
        self.dependents = {needed: tuple(ids) for needed, ids in dependents.items()}


class UnfinishedInstallError(InstallError):
    """What was to happen has been decided, and not every file could be moved to its place.

    Unlike any other `InstallError`: whoever uses the folder next finishes it.
    """
