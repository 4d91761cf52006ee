"""`nebula_lab.plugin.context`, which is whichever plugin's context runs here."""

from __future__ import annotations

import contextvars
import threading
from pathlib import Path

import pytest

from nebula_lab.plugin import Context, Plugin, PluginError, context, current_context


class EchoContext(Context):
    """A real, if talkative, context: it answers calls with what it was asked."""

    def __init__(self, plugin_id: str, scratch: Path) -> None:
        self._plugin_id = plugin_id
        self._scratch = scratch
        self.heard: list[tuple] = []

    @property
    def plugin_id(self):
        return self._plugin_id

    @property
    def config(self):
        return {"of": self._plugin_id}

    @property
    def scratch_dir(self):
        return self._scratch

    def call(self, plugin_id, operation, params=None, *, timeout=None):
        return [self._plugin_id, plugin_id, operation, params, timeout]

    def progress(self, done, total=None, text=""):
        self.heard.append((done, total, text))

    def log(self, message, level="info"):
        self.heard.append((level, message))


@pytest.fixture
def in_fresh_context():
    """Runs a function where nothing has been set yet, and leaves nothing set."""
    return contextvars.Context().run


@pytest.fixture
def of_process(tmp_path):
    outer = EchoContext("process", tmp_path)
    context.serve_process(outer)
    yield outer
    context.serve_process(None)


def test_the_running_plugins_context_answers(in_fresh_context, tmp_path):
    def operation():
        current_context.set(EchoContext("a", tmp_path))
        return context.call("b", "op", {"x": 1}, timeout=2.0)

    assert in_fresh_context(operation) == ["a", "b", "op", {"x": 1}, 2.0]


def test_every_part_of_the_running_context_is_reached(in_fresh_context, tmp_path):
    running = EchoContext("a", tmp_path)

    def operation():
        current_context.set(running)
        context.progress(1, 2, "half")
        context.log("hello", "warning")
        return context.plugin_id, context.config, context.scratch_dir

    assert in_fresh_context(operation) == ("a", {"of": "a"}, tmp_path)
    assert running.heard == [(1, 2, "half"), ("warning", "hello")]


def test_a_thread_of_the_plugin_sees_the_process_context(of_process):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(context.plugin_id))
    thread.start()
    thread.join()
    assert seen == ["process"]


def test_an_operation_comes_before_the_process(of_process, in_fresh_context, tmp_path):
    def operation():
        current_context.set(EchoContext("a", tmp_path))
        return context.plugin_id

    assert in_fresh_context(operation) == "a"


@pytest.mark.parametrize(
    "use",
    [
        lambda: context.plugin_id,
        lambda: context.config,
        lambda: context.scratch_dir,
        lambda: context.call("b", "op"),
        lambda: context.progress(1),
        lambda: context.log("x"),
    ],
)
def test_without_a_running_plugin_the_context_says_so(in_fresh_context, use):
    with pytest.raises(PluginError, match=r"no plugin is running here[^\0]*manager has loaded"):
        in_fresh_context(use)


def test_a_plugin_that_was_given_no_context_uses_the_running_one():
    class Bare(Plugin):
        pass

    assert Bare().context is context
