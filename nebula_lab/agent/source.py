"""Imports a plugin's source from a file, a package folder or a notebook."""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import inspect
import linecache
import re
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from nebula_lab.agent.load_errors import LoadError, MissingEntryError
from nebula_lab.agent.siblings import Siblings, drop_modules
from nebula_lab.agent.staging import Staged, StagedFinder
from nebula_lab.plugin import DynamicResource
from nebula_lab.plugin.resource import missing_methods

if TYPE_CHECKING:
    from asyncio import Runner


def module_name(plugin_id: str, life: str = "") -> str:
    """The name under which a plugin's module is imported: an identifier, one a plugin."""
    name = re.sub(r"\W", "_", plugin_id)
    if name != plugin_id:
        import hashlib  # it brings OpenSSL along, and few names need it

        name += "_" + hashlib.sha256(plugin_id.encode()).hexdigest()[:8]
    return f"nebula_plugin_{name}{life}"


def import_source(
    path: Path, name: str, *, alone: bool = True, staged: Staged | None = None
) -> ModuleType:
    """Run the source at `path` as the module `name`.

    Args:
        path: a file or folder.
        name: of the module.
        alone: whether no other plugin shares this process, so that `sys.path` is this one's.
        staged: how the source is to be called in tracebacks; as it is without.

    Raises:
        LoadError: there is no such source.
        Exception: whatever the source itself raises.
    """
    staged = staged or Staged(path.parent, path.parent)
    StagedFinder(name, staged).install()
    if path.is_dir():
        return _import_package(path, name, staged)
    if path.suffix == ".ipynb":
        return _import_notebook(path, name, alone, staged)
    if path.suffix != ".py":
        shown = staged.shown(path)
        raise LoadError(f"{shown} is neither a Python file, nor a package folder, nor a notebook")
    module = _new_module(name, path)
    _let_import_siblings(module, staged, alone)
    # Compiled here and not by importlib: no bytecode is left in the user's folder, and none that
    # is older than the source is taken from there.
    return _run(module, [staged.compiled(_read(path, staged), path)])


def forget_source(name: str) -> None:
    """Drop the module, what was imported below it, and beside it where that was its own."""
    for finder in list(sys.meta_path):
        if isinstance(finder, Siblings) and finder.name == name:
            finder.forget()
        elif isinstance(finder, StagedFinder) and finder.name == name:
            sys.meta_path.remove(finder)
    drop_modules(name)


def make_resource(module: ModuleType, path: Path | str, api_version: int) -> DynamicResource:
    """Call the module's `plugin_entry` and check what it gives.

    Raises:
        MissingEntryError: no `plugin_entry`, or nothing that can be called.
        LoadError: written for another API version, or not a resource.
    """
    wanted = getattr(module, "PLUGIN_API_VERSION", api_version)
    if wanted != api_version:
        raise LoadError(
            f"{path} is written for plugin API version {wanted!r}; this host has {api_version}"
        )
    entry = getattr(module, "plugin_entry", None)
    if not callable(entry):
        raise MissingEntryError(
            f"{path} has no function plugin_entry(); "
            "add one at its top level that returns the plugin object"
        )
    resource = entry()
    if isinstance(resource, type):
        raise LoadError(
            f"plugin_entry() in {path} returned the class {resource.__name__}; "
            f"it must return an object of it: return {resource.__name__}()"
        )
    missing = missing_methods(resource)
    if missing:
        raise LoadError(
            f"plugin_entry() in {path} returned a {type(resource).__name__} without "
            f"{', '.join(missing)}; derive it from nebula_lab.plugin.Plugin, or add them"
        )
    return resource  # type: ignore[no-any-return]


def _import_package(path: Path, name: str, staged: Staged) -> ModuleType:
    init = path / "__init__.py"
    if not init.is_file():
        raise LoadError(f"{staged.shown(path)} is a folder without an __init__.py")
    module = _new_module(name, init, package=path)
    return _run(module, [staged.compiled(_read(init, staged), init)])


def _import_notebook(path: Path, name: str, alone: bool, staged: Staged) -> ModuleType:
    from nebula_lab.agent.notebook_source import compiled_cells

    module = _new_module(name, path)
    _let_import_siblings(module, staged, alone)
    return _run(module, compiled_cells(_read(path, staged), path, staged))


def _read(path: Path, staged: Staged) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LoadError(f"{staged.shown(path)} can't be read: {error.strerror}") from error


def _new_module(name: str, path: Path, package: Path | None = None) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    locations = None if package is None else [str(package)]
    spec = importlib.util.spec_from_file_location(
        name, path, loader=loader, submodule_search_locations=locations
    )
    assert spec is not None
    return importlib.util.module_from_spec(spec)


def _run(module: ModuleType, codes: list[CodeType]) -> ModuleType:
    linecache.checkcache()
    sys.modules[module.__name__] = module
    try:
        # Cells that await share one event loop, which is not made for others.
        with contextlib.ExitStack() as at_end:
            runner = lru_cache(maxsize=1)(partial(_runner, at_end))
            for code in codes:
                _run_code(code, module, runner)
    except BaseException:
        forget_source(module.__name__)
        raise
    return module


def _runner(at_end: contextlib.ExitStack) -> Runner:
    from asyncio import Runner  # few have any use for it, and it takes as long as all else here

    return at_end.enter_context(Runner())


def _run_code(code: CodeType, module: ModuleType, runner: Callable[[], Runner]) -> None:
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, module.__dict__)  # noqa: S102 - running the plugin is what a host is for
        return

    async def awaited() -> None:
        await eval(code, module.__dict__)  # noqa: S307

    runner().run(awaited())


def _let_import_siblings(module: ModuleType, staged: Staged, alone: bool) -> None:
    """Modules beside a plugin can be imported by it, but never in place of an installed one."""
    if not alone:
        Siblings(module.__name__, staged).serve(module)
    elif str(staged.folder) not in sys.path:
        sys.path.append(str(staged.folder))
