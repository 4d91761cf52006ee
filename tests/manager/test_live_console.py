"""A Jupyter client attached to the kernel of a confined plugin."""

from __future__ import annotations

import asyncio

import pytest
from jupyter_client import BlockingKernelClient
from jupyter_core.utils import ensure_event_loop

COUNTER = """
def initialize(self, config):
    self.count = 5
@operation
def add(self, n: int = 1) -> int:
    self.count += n
    return self.count
@operation
def stop(self, n: int):
    import pdb
    pdb.set_trace()
    return n
"""


@pytest.fixture(scope="module")
def plugins(shared_folder):
    shared_folder.plugin("counter", COUNTER, security={})
    with shared_folder.manager() as manager:
        manager.load_plugin("counter")
        yield manager


@pytest.fixture(scope="module")
def client(plugins):
    client = BlockingKernelClient(connection_file=str(plugins.connection_file("counter")))
    client.load_connection_file()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    client.context.destroy(linger=0)
    # A client without an event loop around it makes one for its thread, and leaves it.
    ensure_event_loop().close()
    asyncio.set_event_loop(None)


def answered(client, message_id):
    while True:
        message = client.get_shell_msg(timeout=60)
        if message["parent_header"].get("msg_id") == message_id:
            return message["content"]


def value(client, expression):
    reply = answered(client, client.execute("", user_expressions={"value": expression}))
    return reply["user_expressions"]["value"]["data"]["text/plain"]


def test_the_names_are_bound_before_any_cell_has_run(client):
    assert value(client, "plugin.count") == "5"
    assert value(client, "type(module.plugin_entry()) is type(plugin)") == "True"


def test_what_a_console_changes_is_what_calls_find(client, plugins):
    answered(client, client.execute("plugin.count = 40"))
    assert plugins.execute("counter", "add", {"n": 2}) == 42
    answered(client, client.execute("plugin.count = 5"))


def test_names_are_completed(client):
    reply = answered(client, client.complete("plugin.cou"))
    assert any(match.endswith("count") for match in reply["matches"])


def test_objects_are_explained(client):
    reply = answered(client, client.inspect("plugin.add"))
    assert reply["found"]
    assert "plugin.add(n: int" in reply["data"]["text/plain"]


def test_source_is_shown_as_it_runs(client):
    reply = answered(client, client.inspect("plugin.add", detail_level=1))
    assert "self.count += n" in reply["data"]["text/plain"]


def test_a_breakpoint_in_the_code_stops_in_the_console(client):
    request = client.execute("plugin.stop(3)", allow_stdin=True)
    prompts = []
    for command in ("!n = 30", "c"):
        prompts.append(client.get_stdin_msg(timeout=60)["content"]["prompt"])
        client.input(command)
    assert prompts == ["ipdb> ", "ipdb> "]
    assert answered(client, request)["status"] == "ok"
    assert value(client, "_") == "30"
