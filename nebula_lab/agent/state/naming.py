"""Names for classes that mean the same in the next version of a plugin."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from nebula_lab.agent.state.errors import NotKeptError

# Where modules beside the plugin's own are when it shares its process: see `agent.siblings`.
_BESIDE = "__beside"


class ClassNames:
    """Names classes and finds them again.

    Args:
        module: the name of the plugin's module, which is another one in the next life; a class of
            the plugin's own is named by where it is below that.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def name(self, kind: type) -> list[str]:
        """The module, shortened where it is the plugin's own, and the name in it.

        Raises:
            NotKeptError: nobody could find the class by its name.
        """
        if "<locals>" in kind.__qualname__:
            raise NotKeptError(f"an instance of {kind.__qualname__}, a class inside a function")
        found = _lookup(sys.modules.get(kind.__module__), kind.__qualname__)
        if found is not kind:
            raise NotKeptError(f"an instance of {shown(kind)}, which is not in its module any more")
        return [self._shortened(kind.__module__), kind.__qualname__]

    def find(self, name: list[str]) -> type:
        """The class of that name now.

        Raises:
            NotKeptError: there is none.
        """
        short, qualname = name
        module = self._module + short if short == "" or short[0] in "._" else short
        try:
            found = _lookup(importlib.import_module(module), qualname)
        except ImportError as error:
            raise NotKeptError(f"the module of its class {qualname} is gone: {error}") from error
        if not isinstance(found, type):
            raise NotKeptError(f"its class {qualname} is not in the new code")
        return found

    def _shortened(self, module: str) -> str:
        rest = module.removeprefix(self._module)
        if rest != module and (rest == "" or rest.startswith((".", f"{_BESIDE}."))):
            return rest
        return module


def shown(kind: type) -> str:
    """A class's name for people: without the plugin's own module, which has a made-up name."""
    if kind.__module__ == "builtins" or kind.__module__.startswith("nebula_plugin_"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _lookup(place: Any, qualname: str) -> Any:
    for part in qualname.split("."):
        place = getattr(place, part, None)
    return place
