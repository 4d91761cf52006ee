"""wasmtime, which comes with an extra, and the one engine of this process."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

from nebula_lab.errors import MissingLibraryError

if TYPE_CHECKING:
    import wasmtime

_making = threading.Lock()


def missing(name: str) -> MissingLibraryError:
    """The error that says how to get a library."""
    return MissingLibraryError(
        f"sandbox Wasm needs {name}, which is not installed",
        hint='Install it with the extra: pip install "nebula-lab[wasm]".',
    )


def engine() -> wasmtime.Engine:
    """The engine of this process: all machines share its compiled code.

    Raises:
        MissingLibraryError: wasmtime is not installed.
    """
    with _making:
        return _engine()


@functools.cache
def _engine() -> wasmtime.Engine:
    try:
        import wasmtime
    except ImportError as error:
        raise missing("wasmtime") from error
    return wasmtime.Engine(configuration())


def configuration() -> wasmtime.Config:
    """How code is compiled; code that was compiled otherwise is refused by the engine."""
    import wasmtime

    config = wasmtime.Config()
    config.epoch_interruption = True
    return config
