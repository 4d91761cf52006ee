"""The WebAssembly engine that components run in, and their code as it was compiled for it.

wasmtime is imported where it is needed: hosts of Python plugins do without.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.agent.load_errors import LoadError

if TYPE_CHECKING:
    from wasmtime import Engine
    from wasmtime.component import Component

# What a component's code has beside it once it has been compiled. The manager puts it there; no
# file of a plugin's own can have this name.
COMPILED_SUFFIX = ".compiled"
_STACK = 512 * 1024  # bytes of calls within calls
_FIRST_MEMORY = 2**20  # bytes


def make_engine(*, compiles: bool = False) -> Engine:
    """An engine of the one kind there is: what was compiled for one runs in any other.

    Args:
        compiles: it is to compile, and may start threads for that.

    Raises:
        LoadError: wasmtime is not installed.
    """
    try:
        from wasmtime import Config, Engine
    except ImportError as error:
        raise LoadError(
            "it is a WebAssembly component, and wasmtime is not installed here: "
            'pip install "nebula-lab[wasm]"'
        ) from error
    config = Config()
    config.wasm_component_model = True
    config.epoch_interruption = True  # so that an endless loop can be stopped
    config.max_wasm_stack = _STACK
    # By default 4 GiB of addresses are reserved for each memory, which a host's limit of its
    # address space would refuse; bounds are checked by the code in place of the page tables.
    config.memory_reservation = _FIRST_MEMORY
    config.memory_reservation_for_growth = _FIRST_MEMORY
    config.memory_guard_size = 0
    config.memory_init_cow = False
    config.signals_based_traps = False  # a host's handlers of signals are its own
    config.parallel_compilation = compiles  # in a host, threads count
    return Engine(config)


def compiled_path(path: Path) -> Path:
    """Where the compiled code of the component in a file is."""
    return path.with_name(path.name + COMPILED_SUFFIX)


def component_at(path: Path, shown: str, engine: Engine) -> Component:
    """The component in a file, from the code beside it: a host compiles nothing.

    Args:
        path: the host's own copy.
        shown: how people call it.
        engine: what it is to run in.

    Raises:
        LoadError: the code is not there, or is of another engine.
    """
    from wasmtime import WasmtimeError
    from wasmtime.component import Component

    try:
        return Component.deserialize_file(engine, os.fspath(compiled_path(path)))
    except WasmtimeError as error:
        raise LoadError(f"{shown} can't be run as it was compiled: {error}") from error
