"""Which `execute` runs, and what becomes of results that are two things at once."""

from __future__ import annotations

import pytest

BARE = """
PLUGIN_METADATA = {"id": "own", "version": "1.0.0"}

class Bare:
    def initialize(self, config): self.execute = self.ready
    def metadata(self): return {"id": "own"}
    def health_check(self): return HealthStatus.HEALTHY
    def cleanup(self): ...
    def execute(self, operation, params): return "not initialized"
    def ready(self, operation, params): return "ready"

def plugin_entry(): return Bare()
"""
WRAPPED = """
def initialize(self, config):
    inner, self.calls = self.execute, 0

    def counting(operation, params=None):
        self.calls += 1
        return inner(operation, params)

    self.execute = counting

@operation
def count(self) -> int:
    return self.calls
"""
TWO_THINGS = """
@operation
def both(self) -> dict:
    return Both(2)
"""
BOTH = """
import dataclasses

@dataclasses.dataclass
class Both:
    n: int
    def __iter__(self): return self
    def __next__(self): raise StopIteration
"""


@pytest.fixture
def plugins(folder):
    folder.path.joinpath("own.py").write_text("from nebula_lab.plugin import HealthStatus\n" + BARE)
    folder.plugin("wrapped", WRAPPED)
    path = folder.plugin("two", TWO_THINGS)
    path.write_text(path.read_text() + BOTH)
    with folder.manager() as manager:
        yield manager


def test_a_resource_may_choose_its_execute_when_it_is_initialized(plugins):
    assert plugins.execute("own", "anything") == "ready"


def test_a_plugin_may_wrap_its_own_execute(plugins):
    assert plugins.execute("wrapped", "count") == 1


def test_a_dataclass_that_is_an_iterator_arrives_as_a_dict(plugins):
    assert plugins.execute("two", "both") == {"n": 2}
