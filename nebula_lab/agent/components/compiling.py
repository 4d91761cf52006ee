"""Compiles a component, in a process that does nothing else.

What a compiler is given is a stranger's: it may take memory and time without end, or find a way
into the compiler. So the process is held to limits first, and has no files and no network left.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence

from nebula_lab.agent.components.engine import make_engine
from nebula_lab.agent.load_errors import LoadError
from nebula_lab.confine import landlock, privileges

# A component of 12 MB, a JavaScript engine, takes half a minute of one processor.
_LIMITS = (
    (resource.RLIMIT_AS, 4 * 2**30),
    (resource.RLIMIT_CPU, 240),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
)
REFUSED = 3  # the exit code where the component is to blame, which the error output says


def main(standard_path: Sequence[str], arguments: Sequence[str]) -> None:
    """Compile what comes in; what is compiled goes out."""
    from wasmtime import WasmtimeError
    from wasmtime.component import Component

    try:
        engine = make_engine(compiles=True)
        _give_up_rights()
        code = Component(engine, sys.stdin.buffer.read()).serialize()
    except (WasmtimeError, LoadError, MemoryError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)
    sys.stdout.buffer.write(code)
    sys.stdout.buffer.flush()


def _give_up_rights() -> None:
    for which, most in _LIMITS:
        _, hard = resource.getrlimit(which)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (least, hard))
    privileges.forbid_gaining()
    if landlock.version():
        landlock.restrict([], network=False)
