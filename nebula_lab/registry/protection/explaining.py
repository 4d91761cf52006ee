"""What TUF objects to, as people can use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tuf.api import exceptions

from nebula_lab.errors import RegistryError, RegistryTrustError

__all__ = ["explained"]

_KEEPER = "Tell whoever keeps the registry; a proxy or mirror on the way may be the cause too."
# The first that fits; each with the attack that it stops.
_REASONS: Mapping[type[Exception], tuple[str, str]] = {
    # Freeze: somebody goes on serving what was true once.
    exceptions.ExpiredMetadataError: (
        "what it says has expired, so there may be something newer that is kept from you",
        "Try again later. If you keep the registry: `nebula-lab registry refresh DIR --key FILE`.",
    ),
    # Rollback: an old state, with what was withdrawn since.
    exceptions.BadVersionNumberError: (
        "it says something older than it did before",
        _KEEPER,
    ),
    # Somebody else's registry, or one whose keys were changed without the old ones.
    exceptions.UnsignedMetadataError: (
        "it is not signed by the keys that are trusted",
        "If its keys were replaced, ask whoever keeps it for their fingerprints, and compare them "
        "in `nebula-lab registry trust URL --again`.",
    ),
    # Mix and match: files of different states, each of them genuine.
    exceptions.LengthOrHashMismatchError: (
        "one of its files is not the one that was signed",
        _KEEPER,
    ),
    exceptions.DownloadLengthMismatchError: (
        "one of its files is longer than the one that was signed",
        _KEEPER,
    ),
    exceptions.DownloadHTTPError: (
        "a file that was signed is not there",
        _KEEPER,
    ),
    exceptions.RepositoryError: ("what it says can't be checked", _KEEPER),
}


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Raise what TUF raises as our own error.

    Args:
        url: the registry, for the error.

    Raises:
        RegistryTrustError: the registry says what can't be relied on.
        RegistryError: it can't be asked.
    """
    try:
        yield
    except (exceptions.RepositoryError, exceptions.DownloadError) as error:
        if isinstance(error.__cause__, RegistryError):
            raise error.__cause__ from error
        for kind, (message, hint) in _REASONS.items():
            if isinstance(error, kind):
                raise RegistryTrustError(f"{message} ({error})", path=url, hint=hint) from error
        raise RegistryError(str(error), path=url) from error
