"""A component as a plugin's resource, which a host serves as it serves one in Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.components.description import described
from nebula_lab.agent.components.engine import component_at, make_engine
from nebula_lab.agent.components.halting import Halting
from nebula_lab.agent.components.imports import HostFunctions
from nebula_lab.agent.components.instance import GuestInstance, TrapError
from nebula_lab.agent.components.refusal import RefusedError
from nebula_lab.agent.components.texts import from_text, to_text
from nebula_lab.agent.job import current_job
from nebula_lab.plugin import HealthStatus, PluginError, ResourceDescription
from nebula_lab.plugin.resource import ResourceMetadata

if TYPE_CHECKING:
    from nebula_lab.agent.server import Server
    from nebula_lab.plugin.host import Context


class ComponentFailure(PluginError):  # noqa: N818 - it is named as the component names it
    """What a component says of why it did not do something."""


class ComponentResource:
    """A plugin that is a component.

    An instance that was stopped is of no more use. The next call has another one, which starts from
    the state that was saved or restored last, as a host does that takes the place of a dead one.

    Args:
        path: the host's own copy of the component.
        shown: how people call it.
        context: carries what it asks for.
        server: carries its output, and ends with it.

    Raises:
        LoadError: it can't be a plugin here.
    """

    def __init__(self, path: Path, shown: str, context: Context, server: Server) -> None:
        self.context = context
        self._shown = shown
        self._server = server
        self._engine = make_engine()
        self._component = component_at(path, shown, self._engine)
        self._functions = HostFunctions(context, server)
        self.halting = Halting(self._engine.increment_epoch)
        self._streams: frozenset[str] = frozenset()
        self._config: str | None = None  # until it has been initialized
        self._saved: str | None = None
        self._instance: GuestInstance | None = None

    def description(self) -> ResourceDescription:
        """What it says of itself.

        Raises:
            LoadError: that makes no sense.
        """
        found = described(self._ask("describe"), self._shown)
        self._streams = frozenset(one.name for one in found.operations if one.stream)
        return found

    def initialize(self, config: dict[str, Any]) -> None:
        text = to_text(config, "config")
        self._ask("initialize", text)
        self._config = text

    def metadata(self) -> ResourceMetadata:
        return ResourceMetadata(self.context.plugin_id)

    def execute(self, operation: str, params: dict[str, Any]) -> Any:
        self._functions.collected = []
        outcome = self._ask("execute", operation, to_text(params, "params"))
        result = from_text(outcome, "its result")
        job = current_job.get()
        is_list = operation in self._streams and not (job is not None and job.granted)
        return self._functions.collected if is_list else result

    def health_check(self) -> HealthStatus:
        said = self._ask("health-check")
        return HealthStatus(said.state.capitalize(), said.message)

    def save_state(self) -> str | None:
        saved: str | None = self._ask("save-state")
        self._saved = saved
        return saved

    def restore_state(self, state: str | None) -> None:
        if state is None:
            return  # it had nothing to keep
        if not isinstance(state, str):
            raise PluginError(
                "the state is not of a component, and can't be taken over by one",
                hint="Unload the plugin and load it again to begin without a state.",
            )
        self._ask("restore-state", state)
        self._saved = state

    def cleanup(self) -> None:
        self._ask("cleanup")

    def close(self) -> None:
        """Give back what its instance has. Can be called again."""
        instance, self._instance = self._instance, None
        if instance is not None:
            instance.close()

    def _ask(self, name: str, *arguments: str) -> Any:
        """Call a function of the component.

        Raises:
            ComponentFailure: it gave an error.
            KeyboardInterrupt: it was stopped.
        """
        trap: TrapError | None = None
        is_whole = False
        try:
            # An interrupt waits meanwhile: in a function of the host it would be lost.
            with self._server.uninterrupted():
                try:
                    result = self._current().call(_number(), name, *arguments)
                    is_whole = True
                except RefusedError as refusal:
                    is_whole = True
                    raise _failure(refusal.said) from None
                except TrapError as error:
                    trap = error
        finally:
            if not is_whole:
                self.close()  # it was left in the middle of something
        if trap is None:
            return result
        if trap.is_halt:
            raise KeyboardInterrupt
        raise self._server.perish(f"{self._shown}: {trap}")

    def _current(self) -> GuestInstance:
        """The instance; a new one where the last was stopped."""
        if self._instance is not None:
            return self._instance
        instance = GuestInstance(
            self._engine,
            self._component,
            self._shown,
            self._functions,
            self.halting,
            self._server.most_memory,
            _number(),
        )
        if self._config is not None:
            instance.call(_number(), "initialize", self._config)
            if self._saved is not None:
                instance.call(_number(), "restore-state", self._saved)
        self._instance = instance
        return instance


def _number() -> int:
    job = current_job.get()
    return 0 if job is None else job.call


def _failure(said: Any) -> ComponentFailure:
    kind, message = str(getattr(said, "error-type")), str(said.message)
    return ComponentFailure(f"{kind}: {message}" if kind not in ("", message) else message)
