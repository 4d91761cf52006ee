"""Confines a process and has it build a package from source; see `source_script`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from nebula_lab.agent.marking import MARK
from nebula_lab.confine.confinement import Confined

__all__ = ["CANNOT_CONFINE", "main"]

# The exit code that says that nothing was run.
CANNOT_CONFINE = 97
# Of archives: the earliest day that ZIP can tell, so that what is built twice is the same twice.
_DAY = "315532800"


def main(standard_path: list[str], arguments: list[str]) -> NoReturn:
    """Become the build.

    Args:
        standard_path: of no use here.
        arguments: what is to be taken, see `Confined.to_text`; the variable PATH; then the program.
    """
    confined, path, *program = arguments
    held = Confined.from_text(confined)
    try:
        held.enter()
        held.seal()
    except OSError as error:
        sys.stderr.write(str(error))
        sys.stderr.flush()
        os._exit(CANNOT_CONFINE)
    variables = {
        "HOME": held.places.home,
        "LANG": "C.UTF-8",
        "PATH": path,
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": _DAY,
        "TMPDIR": held.places.temporary,
        **({MARK: os.environ[MARK]} if MARK in os.environ else {}),
    }
    os.execve(program[0], program, variables)  # noqa: S606 - no shell
