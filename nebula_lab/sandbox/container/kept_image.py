"""Our own image, as one manager has it: built when it is first needed, and known to be there."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nebula_lab.environments.cache_layout import cache_root
from nebula_lab.errors.containers import ContainerRuntimeError
from nebula_lab.sandbox.container.image import OwnImage
from nebula_lab.sandbox.container.runtime import Runtime

_log = logging.getLogger("nebula_lab")
# Variables that say where images are.
_SERVICES = ("DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "STORAGE_DRIVER", "XDG_DATA_HOME")


class KeptImage:
    """The image for a set of packages; any thread.

    Args:
        runtime: has it.
        packages: beside the usual ones.
    """

    def __init__(self, runtime: Runtime, packages: tuple[str, ...]) -> None:
        self._runtime = runtime
        self._packages = packages
        self._choosing = threading.Lock()
        self._own: OwnImage | None = None

    def _image(self) -> OwnImage:
        with self._choosing:
            if self._own is None:
                self._own = OwnImage(self._runtime, self._packages)
            return self._own

    @property
    def name(self) -> str:
        """Its name.

        Raises:
            ImageError: a package is not installed here.
        """
        return self._image().name

    def was_there(self) -> bool:
        """Whether it was there once; to ask the runtime takes longer than to start a container.

        Raises:
            ContainerRuntimeError: there is no runtime, or a package is not installed here.
        """
        return self._note().exists()

    def forget(self) -> None:
        """It is not there any more, so it is to be built when it is next needed."""
        with contextlib.suppress(ContainerRuntimeError, OSError):
            self._note().unlink(missing_ok=True)

    def build(self, is_given_up: Callable[[], bool]) -> None:
        """Build it, unless it is there.

        Raises:
            ContainerRuntimeError: the runtime does not take it, or nobody wants it any more.
        """
        self._image().build(partial(_log.warning, "sandbox Container: %s"), is_given_up=is_given_up)
        with contextlib.suppress(OSError):  # then it is looked for again next time
            note = self._note()
            note.parent.mkdir(0o700, parents=True, exist_ok=True)
            note.touch()

    def _note(self) -> Path:
        services = [os.environ.get(name, "") for name in _SERVICES]
        words = "\0".join((self._runtime.program(), *services, self.name))
        return cache_root().with_name("images") / hashlib.sha256(words.encode()).hexdigest()[:32]
