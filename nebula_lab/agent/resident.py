"""The plugin that lives in a host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.agent.context import HostContext
from nebula_lab.agent.job import EscapedError, Job
from nebula_lab.agent.tenant import ASYNC_CONCURRENCY, Tenant
from nebula_lab.wire.messages import Load
from nebula_lab.wire.values import decode_value

if TYPE_CHECKING:
    from nebula_lab.agent.components.component import ComponentResource
    from nebula_lab.agent.server import Server

# Of the file of a plugin that is a WebAssembly component.
_COMPONENT_SUFFIX = ".wasm"

__all__ = ["ASYNC_CONCURRENCY", "Resident"]


class Resident(Tenant):
    """A plugin whose context speaks over a channel.

    Args:
        load: what to bring up.
        server: carries the requests of the plugin's context.
        life: makes the module's name differ between two lives in one process.
    """

    def __init__(self, load: Load, server: Server, life: str = "") -> None:
        self._server = server
        self._component: ComponentResource | None = None
        config = decode_value(load.config, "config", is_frozen=True)
        super().__init__(
            Path(load.path),
            Path(load.origin),
            HostContext(load.plugin_id, config, Path(load.scratch_dir), server),
            concurrency=load.concurrency,
            api_version=load.api_version,
            life=life,
        )

    def _bring_up_resource(self) -> None:
        if self._path.suffix == _COMPONENT_SUFFIX:
            self._bring_up_component()
        else:
            super()._bring_up_resource()

    def _bring_up_component(self) -> None:
        from nebula_lab.agent.components.component import ComponentResource
        from nebula_lab.agent.components.halting import halt_upon_interrupts

        shown = self._staged.shown(self._path)
        component = ComponentResource(self._path, shown, self.context, self._server)
        if self._server.takes_signals:
            halt_upon_interrupts(self._server, component.halting)
        else:
            self._server.halt = component.halting.halt
        self.resource = self._component = component
        self.description = component.description()

    def forget(self) -> None:
        super().forget()
        if self._component is not None:
            self._component.close()

    def failed(self, job: Job, error: BaseException) -> None:
        """Note that a job raised, before it is told: its source lines are those that ran."""
        self.put_lines()
        # A stream was closed; or, in the manager's own process, what it used is to be free again.
        is_over = job.cancelled and (job.granted or not self._is_alone)
        if job.operation and not is_over:
            if isinstance(error, EscapedError) and error.__cause__ is not None:
                error = error.__cause__
            self.note_failure(job.operation, error)
