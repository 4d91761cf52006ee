"""A manager, and front ends that look at it."""

from __future__ import annotations

from typing import Any

import pytest
from front_end import FrontEnd

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
    def breaking(self):
        yield 1
        raise ValueError("no second")

    @operation
    def give(self, what: str):
        return {"nan": float("nan"), "long": list(range(1000)), "bytes": b"abc", "text": what}

    def health_check(self):
        return HealthStatus.degraded("tired")

def plugin_entry():
    return Counter()
'''


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
