"""Lets a plugin that shares its process with others import the modules beside it, for itself alone.

In a process of its own a plugin's folder is simply on `sys.path`. Where several plugins live
together, that would show each of them the others' modules, and `sys.modules` would hold one for
all of the same name. So here they are imported below a package that is the plugin's own, and the
plugin's `import` looks there for what is found nowhere else. `importlib.import_module` does not.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from nebula_lab.agent.staging import Staged, StagedLoader


class Siblings:
    """The modules beside a plugin's copy, as submodules of a package of the plugin's own."""

    def __init__(self, name: str, staged: Staged) -> None:
        self.name = name
        self.staged = staged
        self._package = f"{name}__beside"
        self._folder = staged.folder
        self._builtins = {**vars(builtins), "__import__": self._import}

    def serve(self, module: ModuleType) -> None:
        """Have the imports of the plugin's module, which has not run yet, look here."""
        package = ModuleType(self._package)
        package.__path__ = [str(self._folder)]
        sys.modules[self._package] = package
        # Ahead of the usual finder, which would find what is below our package by its `__path__`.
        sys.meta_path.insert(0, self)
        importlib.invalidate_caches()
        self.adopt(module)

    def adopt(self, module: ModuleType) -> None:
        """Have a module's `import` be ours; its functions take it from its globals too."""
        module.__dict__["__builtins__"] = self._builtins

    def forget(self) -> None:
        """Drop what was imported here; it is read anew by the next life of the plugin."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        drop_modules(self._package)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{self._package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _SiblingLoader(self, spec.loader)
        return spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the names of `__import__`
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        top = name.partition(".")[0]
        if level or f"{self._package}.{top}" not in sys.modules:
            try:
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            except ModuleNotFoundError as error:
                if level or error.name != top or not self._has(top):
                    raise
        return self._import_sibling(name, top, fromlist)

    def _has(self, top: str) -> bool:
        return PathFinder.find_spec(top, [str(self._folder)]) is not None

    def _import_sibling(self, name: str, top: str, fromlist: Sequence[str] | None) -> Any:
        found = builtins.__import__(
            f"{self._package}.{name}", fromlist=fromlist or ("__name__",), level=0
        )
        return found if fromlist else sys.modules[f"{self._package}.{top}"]


class _SiblingLoader(StagedLoader):
    def __init__(self, siblings: Siblings, found: SourceFileLoader) -> None:
        super().__init__(siblings.staged, found)
        self._siblings = siblings

    def exec_module(self, module: ModuleType) -> None:
        self._siblings.adopt(module)
        super().exec_module(module)


def drop_modules(name: str) -> None:
    """Have the module `name` and those below it imported anew when next wanted."""
    for loaded in [key for key in list(sys.modules) if key == name or key.startswith(f"{name}.")]:
        sys.modules.pop(loaded, None)
