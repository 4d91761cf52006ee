"""wasmtime, which comes with an extra, and the engines of this process."""

from __future__ import annotations

import ctypes
import functools
import threading
from typing import TYPE_CHECKING, TypeVar

from nebula_lab.errors import MissingLibraryError

if TYPE_CHECKING:
    import wasmtime

_T = TypeVar("_T")
_making = threading.Lock()


def missing(name: str) -> MissingLibraryError:
    """The error that says how to get a library."""
    return MissingLibraryError(
        f"sandbox Wasm needs {name}, which is not installed",
        hint='Install it with the extra: pip install "nebula-lab[wasm]".',
    )


def engine(*, has_fuel: bool = False) -> wasmtime.Engine:
    """The engine of this process: all machines share its compiled code.

    Args:
        has_fuel: the other one, whose code counts its instructions.

    Raises:
        MissingLibraryError: wasmtime is not installed.
    """
    with _making:
        return _engine(has_fuel)


@functools.cache
def _engine(has_fuel: bool) -> wasmtime.Engine:
    try:
        import wasmtime
    except ImportError as error:
        raise missing("wasmtime") from error
    return kept(wasmtime.Engine(configuration(has_fuel=has_fuel)))


def kept(found: _T) -> _T:
    """What is never let go of.

    What goes when Python itself ends would be deleted by functions of wasmtime's that have gone
    before, and each would complain.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(found))
    return found


def configuration(*, has_fuel: bool) -> wasmtime.Config:
    """How code is compiled; code that was compiled otherwise is refused by the engine."""
    import wasmtime

    config = wasmtime.Config()
    config.epoch_interruption = True
    config.consume_fuel = has_fuel
    return config
