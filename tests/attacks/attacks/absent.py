"""Stands for modules that a sandbox has not got, so that attacks run as far as they get there.

Whatever is looked up in one is there; to call it after all attacks have been imported is an error
that names the module. Where everything is there, nothing is done.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_NAMES = ("ctypes", "fcntl", "mmap", "multiprocessing", "resource")


class Absent(type):
    """Of what stands for something of an absent module; it can be a base of a class."""

    path = ""
    is_importing = True

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _thing(f"{cls.path}.{name}")

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        if Absent.is_importing:
            return cls
        raise ModuleNotFoundError(f"there is no {cls.path} here")


def _thing(path: str) -> Any:
    return Absent("Absent", (), {"path": path})


class _AbsentModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _thing(f"{self.__name__}.{name}")


def stand_in() -> None:
    """Put something in the place of each that can't be imported."""
    for name in _NAMES:
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = _AbsentModule(name)


def all_are_imported() -> None:
    """From now on, what is called of an absent module is an error."""
    Absent.is_importing = False
