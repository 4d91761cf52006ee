"""A front end without a browser: it keeps what it is sent, and waits for what it expects."""

from __future__ import annotations

import itertools
import json
import threading
from typing import Any

from nebula_lab.live.hub import LiveHub


class FrontEnd:
    """At the other end of a session."""

    def __init__(self, hub: LiveHub, wait_until) -> None:
        self._wait_until = wait_until
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self.got: list[dict[str, Any]] = []
        self.session = hub.open(self._take)

    def _take(self, message: dict[str, Any]) -> None:
        carried = json.loads(json.dumps(message, allow_nan=False))
        with self._lock:
            self.got.append(carried)

    def send(self, kind: str, **values: Any) -> None:
        self.session.receive({"type": kind, **values})

    def watch(self, *topics: str, **values: Any) -> None:
        self.send("watch", topics=list(topics), **values)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in list(self.got) if message["type"] == kind]

    def ask(self, kind: str, **values: Any) -> dict[str, Any]:
        """The `answer` or `failure` to a request."""
        number = self.start(kind, **values)
        return self.end_of(number)

    def start(self, kind: str, **values: Any) -> int:
        number = next(self._numbers)
        self.send(kind, id=number, **values)
        return number

    def end_of(self, number: int) -> dict[str, Any]:

        def ends() -> list[dict[str, Any]]:
            both = [*self.of("answer"), *self.of("failure")]
            return [message for message in both if message["id"] == number]

        return self.wait(ends, f"the answer to request {number}")[0]

    def wait(self, condition, what: str):
        return self._wait_until(condition, what)

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """What a page would show: snapshots and differences put together."""
        rows: dict[str, dict[str, Any]] = {}
        for message in list(self.got):
            if message["type"] == "snapshot":
                rows = {row["id"]: dict(row) for row in message["plugins"]}
            elif message["type"] == "changes":
                for gone in message["removed"]:
                    del rows[gone]
                rows |= {row["id"]: dict(row) for row in message["added"]}
                for change in message["plugins"]:
                    rows[change["id"]] |= change
        return rows
