"""Calls of plugins, and code that is run in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nebula_lab.managing.changing import Changing
from nebula_lab.managing.life import seconds
from nebula_lab.runtime.invocation import Invocation

if TYPE_CHECKING:
    from nebula_lab.runtime.operation import Operation
    from nebula_lab.runtime.proxy import PluginProxy


class Calling(Changing):
    """Operations, cells, the debugger; each loads its plugin, if need be."""

    def operations(self, plugin_id: str, *, load: bool = True) -> Mapping[str, Operation]:
        """A plugin's operations by name.

        Args:
            plugin_id: the plugin.
            load: load it, if it is not; else one that is not loaded has none yet.
        """
        record = self._ground.catalogue.record(plugin_id)
        if load and not record.is_up and not record.loads:
            self.load_plugin(plugin_id)
        return record.description.operations

    def execute(
        self,
        plugin_id: str,
        operation: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Run an operation and return its result, loading the plugin first if need be.

        Args:
            plugin_id: the plugin.
            operation: its operation.
            params: JSON values, bytes and datetimes, by name.
            timeout: seconds from now until the result must be there; the configuration's
                `timeout` without. For an operation that streams, the wait for each item.

        Returns:
            What the operation returned; where it yields, an iterator to be used to its end or
            closed.

        Raises:
            InvalidParamsError: params that do not fit the operation's schema; nothing was sent.
            PluginTimeoutError: it took too long, and was stopped.
            PluginCrashedError: its process ended.
            PluginError: anything else that went wrong, with the plugin's own traceback.
        """
        return self._engine.calls.run(self.begin(plugin_id, operation, timeout), params or {})

    def begin(self, plugin_id: str, operation: str, timeout: float | None = None) -> Invocation:
        """A call that can be cancelled from another thread; `execute_invocation` runs it."""
        if self._closed or self._is_forks:
            self._check_open()
        limit = self.config.timeout if timeout is None else seconds(timeout)
        return Invocation(plugin_id, operation, limit, self.output)

    def execute_invocation(self, invocation: Invocation, params: Mapping[str, Any]) -> Any:
        """Run a call made by `begin`."""
        return self._engine.calls.run(invocation, params)

    def map(
        self,
        plugin_id: str,
        operation: str,
        params_list: Iterable[Mapping[str, Any]],
        *,
        timeout: float | None = None,
    ) -> Iterator[Any]:
        """Run an operation once for each params; results in order, over all replicas at once.

        Args:
            params_list: may be endless: it is read as results are taken.
            timeout: seconds for each call.
        """
        at_once = self.places(plugin_id)
        from nebula_lab.runtime.mapping import map_calls

        return map_calls(
            lambda params: self.execute(plugin_id, operation, params, timeout=timeout),
            params_list,
            at_once=at_once,
        )

    def places(self, plugin_id: str) -> int:
        """How many calls of a plugin run at the same time; loads it, if it is not loaded."""
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        if not record.is_up:
            self.load_plugin(plugin_id)
        return max(1, record.slots.places)

    def run_cell(self, plugin_id: str, code: str, *, timeout: float | None = None) -> None:
        """Run code in the plugin's own kernel; what it shows goes to the output.

        The names `plugin` and `module` are the running plugin and its module there.

        Raises:
            ExecutionFailedError: the code raised.
        """
        self._check_open()
        record = self._ground.catalogue.record(plugin_id)
        if not record.is_up:
            self.load_plugin(plugin_id)
        invocation = self.begin(plugin_id, "(cell)", timeout)
        with record.slots.place(invocation) as host:
            self._engine.hosting.ask(host, "cell", code, invocation)

    def debug(self, plugin_id: str, command: str = "", *, timeout: float | None = None) -> str:
        """Look at the last call that failed, with a command of Python's debugger.

        Args:
            plugin_id: the plugin.
            command: such as `up`, `p name`, `!statement`, `list`; `help` has them all. Without
                one, begin at the frame that raised, and show the error and the stack.
            timeout: seconds for the command; the configuration's `timeout` without.

        Returns:
            What the command shows.

        Raises:
            NothingToDebugError: no call has failed since the plugin was loaded or reloaded.
            PluginTimeoutError: the command took too long, and was stopped.
        """
        record = self._ground.catalogue.record(plugin_id)
        invocation = self.begin(plugin_id, "(debug)", timeout)
        from nebula_lab.runtime.debugging import run_debugger

        return run_debugger(record, self._engine.hosting, command, invocation)

    def __getitem__(self, plugin_id: str) -> PluginProxy:
        self._ground.catalogue.record(plugin_id)
        from nebula_lab.runtime.proxy import PluginProxy

        return PluginProxy(plugin_id, self.execute, self.operations)
