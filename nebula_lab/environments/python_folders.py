"""What of a Python's folders its processes have to read, where others' files are in them too."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["library_folders_of"]

# Below the folder that a Python was installed to; `{}` is such as 3.12.
_OF_PYTHON = ("lib/python{}", "lib64/python{}", "lib/libpython*", "lib64/libpython*")


def library_folders_of(bases: Iterable[str], program: str, minor: str) -> tuple[str, ...]:
    """The folders of a Python, without any that would show the user's home.

    A Python in `~/bin`, or one that was installed to the home itself, has that for its folder:
    whoever may read the Python could read everything. Of such a folder its libraries are left.

    Args:
        bases: `sys.base_prefix` and the like.
        program: path of the interpreter, without links.
        minor: such as `3.12`.
    """
    found: list[str] = []
    for base in bases:
        found += _narrowed(base, program, minor) if _is_of_the_user(base) else [base]
    return tuple(dict.fromkeys(found))


def _is_of_the_user(base: str) -> bool:
    """Whether a folder is the home or around it, or what the home has for all programs."""
    real, home = Path(os.path.realpath(base)), Path(os.path.realpath(Path.home()))
    return home.is_relative_to(real) or real == home / ".local"


def _narrowed(base: str, program: str, minor: str) -> list[str]:
    patterns = (one.format(minor) for one in _OF_PYTHON)
    libraries = (str(path) for pattern in patterns for path in sorted(Path(base).glob(pattern)))
    return [program, *libraries]
