"""The state that a plugin keeps from one host to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nebula_lab.model import PluginConfig
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import PluginRecord


class StateKeeper:
    """Asks plugins for their state, and gives it back to them.

    Args:
        sink: shows what they print meanwhile.
    """

    def __init__(
        self, config: PluginConfig, hosting: Hosting, sink: Callable[[], OutputSink]
    ) -> None:
        self._config = config
        self._hosting = hosting
        self._sink = sink

    def save(self, record: PluginRecord) -> object | None:
        """What the plugin wants to keep; None when it keeps nothing.

        Raises:
            PluginError: its `save_state` failed.
        """
        hosts = record.slots.hosts
        if not hosts:
            return None
        answer = self._hosting.ask(hosts[0], "save_state", None, self._errand(record, "save_state"))
        return answer["state"] if isinstance(answer, dict) and answer.get("supported") else None

    def restore(self, record: PluginRecord, hosted: Iterable[Hosted], state: object) -> None:
        """Give each host the state.

        Raises:
            PluginError: its `restore_state` failed.
        """
        for one in hosted:
            errand = self._errand(record, "restore_state")
            self._hosting.ask(one.host, "restore_state", state, errand)

    def _errand(self, record: PluginRecord, what: str) -> Invocation:
        return Invocation(record.id, what, self._config.timeout, self._sink())
