"""A plugin's module and resource, from import to cleanup, whatever host they are in.

Nothing here needs more than the standard library, so that it serves inside every sandbox.
"""

from __future__ import annotations

import ast
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from nebula_lab.agent.post_mortem import PostMortem
from nebula_lab.agent.proving import dependency_reloaded, self_test
from nebula_lab.agent.source import forget_source, import_source, make_resource, module_name
from nebula_lab.agent.staging import Staged
from nebula_lab.agent.state.keeping import StateKeeping
from nebula_lab.plugin import (
    Context,
    HealthStatus,
    Plugin,
    PluginError,
    ResourceDescription,
    describe,
)
from nebula_lab.plugin.host import context as running_context
from nebula_lab.plugin.host import current_context
from nebula_lab.plugin.plain import to_plain

# How many async operations of a plugin run at once when its manifest does not say.
ASYNC_CONCURRENCY = 64


class Tenant:
    """A plugin's module, its resource and its context, from import to cleanup.

    Args:
        path: of its source, in a folder of copies.
        origin: what the source is a copy of.
        context: its line to the host.
        concurrency: how many calls may run at once.
        api_version: the version of the plugin API that there is here.
        life: makes the module's name differ between two lives in one process.
    """

    def __init__(
        self,
        path: Path,
        origin: Path,
        context: Context,
        *,
        concurrency: int = 1,
        api_version: int,
        life: str = "",
    ) -> None:
        plugin_id = context.plugin_id
        self._path = path
        self._staged = Staged(path.parent, origin.parent)
        self._module_name = module_name(plugin_id, life)
        self._api_version = api_version
        self._config = context.config
        self._concurrency = concurrency
        self._is_alone = life == ""
        self.context = context
        self.module: ModuleType | None = None
        self.resource: Any = None
        self._cells = 0
        self._state: StateKeeping | None = None
        self._post_mortem = PostMortem(plugin_id, self._staged, alone=self._is_alone)
        self.description = ResourceDescription(
            (), open=True, has_save_state=False, has_restore_state=False
        )

    @property
    def concurrency(self) -> int:
        """How many calls may run here at once."""
        return ASYNC_CONCURRENCY if self._concurrency == 1 and self.is_async else self._concurrency

    @property
    def is_async(self) -> bool:
        return any(spec.is_async for spec in self.description.operations)

    def runs_async(self, operation: str) -> bool:
        """Whether an operation has to be awaited."""
        return any(spec.is_async for spec in self.description.operations if spec.name == operation)

    def bring_up(self) -> None:
        """Import the source, find the resource and initialize it.

        Raises:
            MissingEntryError, LoadError: it is no plugin.
            Exception: whatever the plugin's own code raises.
        """
        logging.getLogger(self._module_name).setLevel(logging.INFO)
        if self._is_alone:
            running_context.serve_process(self.context)
        token = current_context.set(self.context)
        try:
            self._bring_up_resource()
            self._state = StateKeeping(self.resource, self._module_name, self._config)
            self.resource.initialize(self._config)
        except BaseException:
            self.forget()
            raise
        finally:
            current_context.reset(token)

    def _bring_up_resource(self) -> None:
        self.module = import_source(
            self._path, self._module_name, alone=self._is_alone, staged=self._staged
        )
        shown = self._staged.shown(self._path)
        self.resource = make_resource(self.module, shown, self._api_version)
        self.description = describe(self.resource)
        self._give_context()

    def _give_context(self) -> None:
        # A resource with slots may have no place for it; it has `nebula_lab.plugin.context`.
        with contextlib.suppress(AttributeError):
            self.resource.context = self.context

    def forget(self) -> None:
        """Drop the plugin's modules, so that another life of it reads them anew."""
        self._post_mortem.forget()
        forget_source(self._module_name)

    def note_failure(self, operation: str, error: BaseException) -> None:
        """Keep what an operation raised for whoever looks at it afterwards."""
        self._post_mortem.keep(operation, error)

    def put_lines(self) -> None:
        """Have the source lines that ran shown in tracebacks."""
        self._staged.put_lines()

    def perform(self, kind: str, operation: str, params: Any) -> Any:
        """Do one of the kinds of things that a plugin can be asked for."""
        if kind == "operation" and self._is_alone:
            # The process has no other context: `running_context` has it without being told.
            return self._execute(operation, params)
        token = current_context.set(self.context)
        try:
            if kind == "operation":
                return self._execute(operation, params)
            return self._KINDS[kind](self, params)
        finally:
            current_context.reset(token)

    def _execute(self, operation: str, params: Any) -> Any:
        """Run an operation; the result need not be plain yet."""
        execute = self.resource.execute  # each time: a plugin or a cell may put another there
        if getattr(execute, "__func__", None) is Plugin.execute:
            return self.resource._run(operation, params)
        return execute(operation, params)

    def plain(self, value: Any) -> Any:
        """A result as plain values; dataclasses become dicts and so on."""
        return to_plain(value)

    def _health(self, params: Any) -> dict[str, str]:
        status = self.resource.health_check()
        if not isinstance(status, HealthStatus):
            raise TypeError(f"health_check returned {status!r}; it must return a HealthStatus")
        return {"state": status.state.value, "message": status.message}

    def _save_state(self, params: Any) -> Any:
        assert self._state is not None
        return self._state.save()

    def _restore_state(self, params: Any) -> Any:
        assert self._state is not None
        return self._state.restore(params)

    def _self_test(self, params: Any) -> Any:
        return self_test(self.resource)

    def _dependency_reloaded(self, params: Any) -> Any:
        return dependency_reloaded(self.resource, params)

    def _debug(self, params: Any) -> dict[str, str]:
        return self._post_mortem.answer(str(params))

    def _cleanup(self, params: Any) -> None:
        self.resource.cleanup()
        self.forget()

    def run_cell(self, code: str) -> Any:
        """Run code in the plugin's module; the value of its last line, if that is an expression."""
        if self.module is None:
            raise PluginError(
                "it is a WebAssembly component, in which no Python can be run",
                hint="Call its operations; `%plugin describe` shows them.",
            )
        self._cells += 1
        name = f"<cell {self._cells}>"
        self._staged.remember(name, code)
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        scope = self.module.__dict__
        scope.setdefault("plugin", self.resource)
        exec(compile(tree, name, "exec"), scope)  # noqa: S102 - the user's own cell
        if not isinstance(last, ast.Expr):
            return None
        return eval(compile(ast.Expression(last.value), name, "eval"), scope)  # noqa: S307

    _KINDS: ClassVar[dict[str, Callable[[Tenant, Any], Any]]] = {
        "health": _health,
        "save_state": _save_state,
        "restore_state": _restore_state,
        "self_test": _self_test,
        "dependency_reloaded": _dependency_reloaded,
        "debug": _debug,
        "cleanup": _cleanup,
    }
