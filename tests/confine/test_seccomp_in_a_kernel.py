"""A kernel that has booted needs no more than the strictest filter lets through."""

from __future__ import annotations

import pytest
from jupyter_client.manager import KernelManager

from nebula_lab.confine.seccomp import is_supported

pytestmark = pytest.mark.skipif(not is_supported(), reason="this machine can't filter system calls")

TAKE_THE_FILTER = """
import os
from nebula_lab.confine import seccomp
policy = seccomp.SystemCallPolicy(False, False, False, False, False, False, os.getpid())
seccomp.apply(seccomp.filter_for(policy))
"""
DEADLINE = 30


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    manager = KernelManager(transport="ipc")
    manager.connection_file = str(tmp_path_factory.mktemp("ipc") / "k.json")
    manager.start_kernel()
    with_filter = manager.blocking_client()
    with_filter.start_channels()
    with_filter.wait_for_ready(DEADLINE)
    reply = with_filter.execute(TAKE_THE_FILTER, reply=True, timeout=DEADLINE)
    assert reply["content"]["status"] == "ok", reply["content"]
    yield manager
    with_filter.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()
    with_filter.context.term()


def client_of(kernel):
    client = kernel.blocking_client()
    client.start_channels()
    client.wait_for_ready(DEADLINE)
    return client


def evaluate(client, expression):
    reply = client.execute(
        "", user_expressions={"it": expression}, reply=True, timeout=DEADLINE, store_history=False
    )["content"]["user_expressions"]["it"]
    return reply.get("ename") or reply["data"]["text/plain"]


@pytest.fixture(scope="module")
def later_client(kernel):
    client = client_of(kernel)
    yield client
    client.stop_channels()


def test_a_client_that_comes_later_gets_answers(later_client):
    assert evaluate(later_client, "6 * 7") == "42"
    assert evaluate(later_client, "__import__('socket').socket()") == "PermissionError"


def test_output_and_completion_go_on(later_client):
    later_client.execute("print('shown')", reply=True, timeout=DEADLINE)
    messages = iter(lambda: later_client.get_iopub_msg(timeout=DEADLINE), None)
    assert next(m for m in messages if m["msg_type"] == "stream")["content"]["text"] == "shown\n"
    completion = later_client.complete("impor", reply=True, timeout=DEADLINE)
    assert "import" in completion["content"]["matches"]


def test_the_heart_beats(later_client, wait_until):
    wait_until(later_client.hb_channel.is_beating, "a beat", timeout=30.0)


def test_a_cell_can_be_interrupted(kernel, later_client):
    request = later_client.execute("print('running')\nwhile True: pass")
    messages = iter(lambda: later_client.get_iopub_msg(timeout=DEADLINE), None)
    next(m for m in messages if m["content"].get("text") == "running\n")
    kernel.interrupt_kernel()
    reply = later_client.get_shell_msg(timeout=DEADLINE)
    assert reply["parent_header"]["msg_id"] == request
    assert reply["content"]["ename"] == "KeyboardInterrupt"


def test_a_cell_may_await(later_client):
    reply = later_client.execute(
        "import asyncio; await asyncio.to_thread(len, 'x')", reply=True, timeout=DEADLINE
    )
    assert reply["content"]["status"] == "ok"
