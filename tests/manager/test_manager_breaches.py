"""What a plugin ran into is said: the limit, its value, the right that it lacks, and the cure."""

from __future__ import annotations

import pytest

from nebula_lab.errors import ExecutionFailedError, LimitExceededError, LoadFailedError

METHODS = """
@operation
def memory(self): bytearray(600 << 20)
@operation
def handles(self): self.kept = [open("/dev/null") for _ in range(1000)]
@operation
def threads(self):
    waits = threading.Event()
    try:
        for _ in range(500):
            threading.Thread(target=waits.wait, daemon=True).start()
    finally:
        waits.set()
@operation
def scratch(self):
    try:
        with open("large", "wb") as file:
            for _ in range(100):
                file.write(bytes(1 << 20))
    finally:
        os.remove("large")
@operation
def permission(self): subprocess.run(["true"])
@operation
def file(self): open("/nowhere/at/all")
@operation
def network(self): socket.getaddrinfo("localhost", 80)
@operation
def own(self): raise ValueError("of its own")
"""
LIMITS = {"max_memory": "400MiB", "max_file_handles": 50, "max_scratch": "10MiB"}


@pytest.fixture(scope="module")
def plugins(shared_folder):
    shared_folder.plugin("bare", METHODS, security={})
    shared_folder.plugin("roomy", METHODS, security={"capabilities": ["MemoryAllocation"]})
    shared_folder.plugin(
        "refused", METHODS, security={"capabilities": ["ProcessSpawn", "Network", "SystemCalls"]}
    )
    security = {"resource_limits": LIMITS, "capabilities": ["MemoryAllocation"]}
    with shared_folder.manager(security=security) as manager:
        yield manager


@pytest.mark.parametrize(
    ("plugin_id", "operation", "limit", "value", "cure"),
    [
        ("bare", "memory", "max_memory", "256 MiB", "MemoryAllocation"),
        ("roomy", "memory", "max_memory", "400 MiB", "Raise security.resource_limits.max_memory"),
        ("bare", "handles", "max_file_handles", "50", "max_file_handles"),
        ("bare", "scratch", "max_scratch", "10 MiB", "max_scratch"),
    ],
)
def test_a_breach_names_the_limit_its_value_the_operation_and_the_cure(
    plugins, plugin_id, operation, limit, value, cure
):
    with pytest.raises(LimitExceededError) as exceeded:
        plugins.execute(plugin_id, operation)
    error = exceeded.value
    assert (error.limit, error.value, error.operation) == (limit, value, operation)
    assert value in str(error)
    assert cure in error.hint


@pytest.mark.parametrize(
    ("operation", "capability"),
    [("permission", "ProcessSpawn"), ("file", "FileSystem"), ("network", "Network")],
)
def test_a_lack_of_rights_is_said_with_what_to_write_where(plugins, operation, capability):
    with pytest.raises(ExecutionFailedError) as failed:
        plugins.execute("bare", operation)
    assert capability in failed.value.hint
    assert "manifest" in failed.value.hint


def test_what_the_configuration_refused_is_to_be_changed_there(plugins):
    with pytest.raises(ExecutionFailedError) as failed:
        plugins.execute("refused", "network")
    assert "add Network to security.capabilities" in failed.value.hint


def test_an_error_of_the_plugins_own_has_no_such_hint(plugins):
    with pytest.raises(ExecutionFailedError) as failed:
        plugins.execute("bare", "own")
    assert failed.value.hint is None


def test_a_plugin_that_fails_to_load_for_want_of_a_right_is_told_so(folder):
    folder.plugin("it", "def initialize(self, config): socket.socket()", security={})
    with folder.manager() as plugins, pytest.raises(LoadFailedError, match="without Network"):
        plugins.load_plugin("it")


def test_in_sandbox_none_there_is_nothing_to_lack(folder):
    folder.plugin("it", METHODS, security={})
    with folder.manager("None") as plugins, pytest.raises(ExecutionFailedError) as failed:
        plugins.execute("it", "file")
    assert failed.value.hint is None
