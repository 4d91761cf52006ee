"""What a plugin's `context` does when a real host stands behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.job import current_job
from nebula_lab.agent.told_context import ToldContext, level_number
from nebula_lab.wire.messages import Log, Progress

if TYPE_CHECKING:
    from nebula_lab.agent.server import Server


class HostContext(ToldContext):
    """Carries a plugin's requests over the host's channel."""

    def __init__(
        self, plugin_id: str, config: dict[str, Any], scratch_dir: Path, server: Server
    ) -> None:
        super().__init__(plugin_id, config, scratch_dir)
        self._server = server

    def call(
        self,
        plugin_id: str,
        operation: str,
        params: dict[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        return self._server.request(plugin_id, operation, params or {}, timeout)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        job = current_job.get()
        if job is not None:
            total = None if total is None else float(total)
            self._server.send(Progress(job.label, float(done), total, str(text)))

    def log(self, message: str, level: str = "info") -> None:
        number = level_number(level)
        job = current_job.get()
        for output in job.flushed() if job is not None else ():
            self._server.send(output)
        label = job.label if job is not None else 0
        self._server.send(Log(label, number, self._plugin_id, str(message)))
