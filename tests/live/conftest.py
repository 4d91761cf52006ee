"""A front end without a browser: it keeps what it is sent, and waits for what it expects."""

from __future__ import annotations

import itertools
import json
import threading
from typing import Any

import pytest

from nebula_lab import PluginManager
from nebula_lab.live.hub import LiveHub

COUNTER = '''
class Counter(Plugin):
    def initialize(self, config):
        self.count = 0

    @operation
    def add(self, n: int = 1) -> int:
        """Add n."""
        self.count += n
        return self.count

    @operation
    def say(self, text: str):
        print(text)
        self.context.log(text, level="warning")

    @operation
    def boom(self):
        raise ValueError("no more")

    @operation
    def nap(self, seconds: float):
        import time
        time.sleep(seconds)

    @operation
    def length(self, data: bytes) -> int:
        return len(data)

    @operation
    def numbers(self):
        for number in range(1000):
            yield number

    @operation
    def give(self, what: str):
        return {"nan": float("nan"), "long": list(range(1000)), "bytes": b"abc", "text": what}

    def health_check(self):
        return HealthStatus.degraded("tired")

def plugin_entry():
    return Counter()
'''


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


def pytest_configure(config):
    config.addinivalue_line("markers", "in_sandbox(name): the sandbox that the manager has")


@pytest.fixture
def write(plugin_file):
    """Writes a plugin that counts, or has another body."""

    def written(plugin_id: str, body: str = COUNTER, **metadata: Any):
        return plugin_file(plugin_id, body, **metadata)

    return written


@pytest.fixture
def sandbox(request):
    """Threads of this process, unless a test is marked with another."""
    marker = request.node.get_closest_marker("in_sandbox")
    return marker.args[0] if marker else "None"


@pytest.fixture
def manager(write, tmp_path, sandbox):
    """A manager of a counter."""
    write("counter")
    config = {
        "plugin_dir": tmp_path / "plugins",
        "hot_reload": False,
        "grace": 0.3,
        "security": {"sandbox": sandbox},
    }
    with PluginManager(config) as made:
        yield made


@pytest.fixture
def hub(manager):
    made = LiveHub(lambda: manager)
    yield made
    made.close()


@pytest.fixture
def front_end(hub, wait_until):
    return FrontEnd(hub, wait_until)
