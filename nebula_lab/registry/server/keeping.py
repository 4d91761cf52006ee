"""Changes the folder of a registry, and has its signatures follow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from msgspec import Struct

from nebula_lab.errors import PluginError, RegistryTrustError
from nebula_lab.registry.protection.places import is_protected
from nebula_lab.registry.protection.roles import Role
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.publishing.folder import RegistryFolder
from nebula_lab.registry.server.answers import Refusal

if TYPE_CHECKING:
    from nebula_lab.registry.protection.keys import RegistrySigner

__all__ = ["Keeper", "Kept"]

_logger = logging.getLogger("nebula_lab.registry")
# Before something expires that only a person can sign.
_WARNING = timedelta(days=30)
_PAUSE = 60.0  # seconds between two looks at whether something has to be signed anew


class Kept(Struct, frozen=True):
    """What came of a change.

    Attributes:
        waiting: by role, the signatures that it takes before clients that check them see it.
    """

    waiting: Mapping[str, str]

    @property
    def document(self) -> dict[str, Any]:
        """As keys of an answer."""
        state = "waiting" if self.waiting else "published"
        return {"state": state, "waiting": dict(self.waiting)}


class Keeper:
    """Keeps one registry.

    Args:
        folder: the registry.
        signers: the keys that the server holds.
    """

    def __init__(self, folder: RegistryFolder, signers: Sequence[RegistrySigner]) -> None:
        self.folder = folder
        self._signers = tuple(signers)
        self._warned: dict[Role, date] = {}

    def change(self, make: Callable[[Change], bool]) -> Kept:
        """Change the registry, and sign what can be signed, all of it at once.

        Args:
            make: puts what is to be different into the change; whether there is anything.

        Raises:
            PluginError: as `make`; or the registry can't be changed. Nothing is different then.
        """
        with self.folder.changing() as change:
            if not make(change) or not is_protected(self.folder.root):
                return Kept({})
            from nebula_lab.registry.protection.signing import sign_within

            try:
                report = sign_within(change, self.folder, self._signers)
            except RegistryTrustError as error:
                raise Refusal(
                    HTTPStatus.CONFLICT,
                    "unsigned",
                    f"the registry as it is can't be signed: {error.message}",
                    "Whoever keeps the registry has to put that right first.",
                ) from error
            return Kept({role.value: wanted for role, wanted in report.waiting.items()})

    async def keep_fresh(self) -> None:
        """Sign anew, for as long as the server runs, what would expire; and what others signed."""
        while self._signers:
            await to_thread.run_sync(self._refresh)
            await anyio.sleep(_PAUSE)

    def _refresh(self) -> None:
        from nebula_lab.registry.protection.signing import refresh

        if not is_protected(self.folder.root):
            return
        try:
            report = refresh(self.folder, self._signers)
        except (PluginError, OSError) as error:
            _logger.error("the signatures could not be kept fresh: %s", error)
            return
        for role in report.signed:
            _logger.info("signed %s, until %s", role, report.expires[role])
        for role, wanted in report.waiting.items():
            _logger.warning("%s is not signed: %s", role, wanted)
        self._warn(report.expires)

    def _warn(self, expires: Mapping[Role, datetime]) -> None:
        """Say once a day what a person has to sign anew."""
        now = datetime.now(UTC)
        for role in (Role.ROOT, Role.TARGETS):
            if role in expires and expires[role] - now < _WARNING:
                if self._warned.get(role) != now.date():
                    _logger.warning("what %s signed expires at %s", role, expires[role])
                self._warned[role] = now.date()
