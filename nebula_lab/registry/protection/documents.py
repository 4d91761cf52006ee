"""The documents of a protected registry, as its client reads them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from nebula_lab.errors import RegistryError
from nebula_lab.registry.protection.memory import RegistryMemory
from nebula_lab.registry.protection.session import ProtectedSession, open_session
from nebula_lab.registry.protection.transport import Transport

__all__ = ["ProtectedDocuments"]

Value = TypeVar("Value")


class ProtectedDocuments:
    """What a registry says at the moment when it is first asked; all of it was signed together.

    Args:
        memory: what is known of the registry.
        transport: brings its files.
        root: the signed root whose keys are trusted.
    """

    def __init__(self, memory: RegistryMemory, transport: Transport, root: bytes) -> None:
        self._memory = memory
        self._transport = transport
        self._root = root
        self._opened: ProtectedSession | None = None
        self._lock = threading.Lock()

    @property
    def problem(self) -> RegistryError | None:
        """Why what was known before stands for the registry; None where it was asked."""
        return None if self._opened is None else self._opened.problem

    @property
    def since(self) -> datetime | None:
        """When the registry said what stands for it now; None where it was asked."""
        return None if self.problem is None else self._memory.asked

    def read(self, path: str, most: int, parse: Callable[[bytes], Value]) -> Value | None:
        """What a document says; None where none was signed.

        Raises:
            RegistryTrustError: what the registry says can't be relied on.
            RegistryError: it can't be asked.
        """
        content = self._session().read(path)
        return None if content is None else parse(content)

    def known(self, path: str, digest: str, parse: Callable[[bytes], Value]) -> Value | None:
        """What a document says, if the one that is kept has that hash; nobody is asked."""
        kept = self._memory.document(path)
        if kept is None or sha256(kept).hexdigest() != digest:
            return None
        # What is kept is not believed: it is held against what was signed, as ever.
        return self.read(path, len(kept), parse)

    def _session(self) -> ProtectedSession:
        with self._lock:
            if self._opened is None:
                self._opened = open_session(self._memory, self._transport, self._root)
            return self._opened
