"""The state that a plugin keeps from one host to the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginConfig
from nebula_lab.plugin.safe_text import line
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.sandbox.base import Host

# How a plugin's state was had: by its `save_state`, by the seed's operation of that name, as its
# public attributes, or not at all.
WAYS = frozenset({"method", "operation", "attributes", "none"})
# What is said of a plugin's state is shown to people: a host must not fill their screen.
_MOST_NAMES = 200
_NAME_LENGTH, _REASON_LENGTH = 100, 300
REPLICAS = "(other replicas)"

_NOTHING: Mapping[str, str] = MappingProxyType({})


class SavedState(Struct, frozen=True):
    """What a plugin's host said of its state.

    Attributes:
        state: opaque to the manager; for the `restore_state` of the same plugin alone.
        how: one of `WAYS`.
        version: the plugin's version then.
        left_out: name → why it is not in `state`. The text is safe to show.
        at: when it was asked for, on the clock of `time.monotonic`.
    """

    state: object
    how: str
    version: str
    left_out: Mapping[str, str] = _NOTHING
    at: float = 0.0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to give to a successor."""
        return self.how == "none"


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

    def save(self, record: PluginRecord) -> SavedState | None:
        """What the plugin wants to keep; with no host, what the one that died had saved, if any.

        No call of it may run meanwhile, and none does while its calls are held.

        Raises:
            PluginError: its `save_state` failed, or its host talks nonsense.
        """
        hosts = record.slots.hosts
        if hosts:
            return self.save_from(record, hosts[0])
        orphaned: SavedState | None = record.orphaned_state
        return orphaned

    def save_from(
        self, record: PluginRecord, host: Host, errand: Invocation | None = None
    ) -> SavedState:
        """What the plugin in one of its hosts wants to keep; as `save`.

        Args:
            record: the plugin.
            host: the host.
            errand: the call that holds a place there for this.
        """
        hosts = record.slots.hosts
        version, at = str(record.descriptor.version), time.monotonic()
        answer = self._ask(record, host, "save_state", None, errand)
        saved = replace(_saved_state(answer, record.id, version), at=at)
        if len(hosts) <= 1 or saved.is_empty:
            return saved
        others = f"the state of one of {len(hosts)} processes was kept; replicas share none"
        return replace(saved, left_out={**saved.left_out, REPLICAS: others})

    def restore(
        self,
        record: PluginRecord,
        hosted: Iterable[Hosted],
        saved: SavedState,
        *,
        is_final: bool = False,
    ) -> Mapping[str, str]:
        """Give each host the state, in place of what it has; may be done again with a later one.

        Args:
            record: the plugin.
            hosted: where it is to have the state.
            saved: the state.
            is_final: no later one follows: the hosts let go of what the state has replaced.

        Returns:
            What was left out at either end: name → reason.

        Raises:
            PluginError: its `restore_state` failed, or its host talks nonsense.
        """
        left_out = dict(saved.left_out)
        if saved.is_empty:
            return left_out
        params = {
            "how": saved.how,
            "state": saved.state,
            "from_version": saved.version,
            "is_final": is_final,
        }
        for one in hosted:
            answer = self._ask(record, one.host, "restore_state", params)
            left_out.update(_left_out(answer, record.id, "restore_state"))
        return left_out

    def _ask(
        self,
        record: PluginRecord,
        host: Host,
        kind: str,
        params: Any,
        errand: Invocation | None = None,
    ) -> Any:
        if errand is None:
            errand = Invocation(record.id, kind, self._config.timeout, self._sink())
        return self._hosting.ask(host, kind, params, errand)


def _saved_state(answer: Any, plugin_id: str, version: str) -> SavedState:
    left_out = _left_out(answer, plugin_id, "save_state")
    how = answer.get("how")
    if not isinstance(how, str) or how not in WAYS or "state" not in answer:
        raise _nonsense(plugin_id, "save_state")
    return SavedState(answer["state"], how, version, left_out)


def _left_out(answer: Any, plugin_id: str, kind: str) -> dict[str, str]:
    """The names and reasons in a host's answer, bounded and without what could harm a screen."""
    found = answer.get("left_out") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise _nonsense(plugin_id, kind)
    listed = {}
    for name, reason in islice(found.items(), _MOST_NAMES):
        if not isinstance(name, str) or not isinstance(reason, str):
            raise _nonsense(plugin_id, kind)
        listed[line(name, _NAME_LENGTH)] = line(reason, _REASON_LENGTH)
    if len(found) > _MOST_NAMES:
        listed["…"] = f"{len(found) - _MOST_NAMES:,} more"
    return listed


def _nonsense(plugin_id: str, kind: str) -> PluginError:
    return PluginError(
        f"its host answered {kind} with what is no answer to that",
        plugin_id=plugin_id,
        hint="A plugin can't do that by its own methods: it has meddled with its host.",
    )
