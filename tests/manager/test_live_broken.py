"""Saves of code that can't serve: the old code goes on, says why, and the next save is taken."""

from __future__ import annotations

import subprocess
import threading

import pytest
from counting_plugin import counter

from nebula_lab.discovery import read_descriptor
from nebula_lab.model.events import SavedChange
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.key_file import signer_from_file
from nebula_lab.trust.signing import sign


class Saves:
    """The saves that a manager has dealt with, by plugin."""

    def __init__(self, plugins) -> None:
        self._told: dict[str, list[SavedChange]] = {}
        self._came = threading.Condition()
        plugins.subscribe(self._take, only=[SavedChange])

    def _take(self, event: SavedChange) -> None:
        with self._came:
            self._told.setdefault(event.plugin_id, []).append(event)
            self._came.notify_all()

    def next(self, plugin_id: str) -> SavedChange:
        """Wait for the next one of a plugin."""
        with self._came:
            came = self._came.wait_for(lambda: self._told.get(plugin_id), 30.0)
            assert came, f"no save of {plugin_id} was dealt with"
            return self._told[plugin_id].pop(0)


@pytest.fixture(scope="module")
def plugins(shared_folder):
    with shared_folder.manager() as manager:
        yield manager


@pytest.fixture(scope="module")
def saves(plugins):
    return Saves(plugins)


def begin(folder, plugins, plugin_id: str) -> None:
    """A counter at 1 that is watched."""
    folder.plugin(plugin_id, counter(1))
    plugins.rediscover()
    assert plugins[plugin_id].up() == [1, 1]
    plugins.watch()


# What is saved, beside what the counter has; and what the error says.
BROKEN = {
    "a_syntax_error": ("def broken(:", "is not Python: invalid syntax"),
    "a_wrong_indent": ("if True:\nreturn 1", "is not Python: expected an indented block"),
    "an_import_that_fails": ("import no_such_module", "No module named 'no_such_module'"),
    "a_name_that_is_not_there": ("limit = LIMIT", "name 'LIMIT' is not defined"),
    "an_initialize_that_raises": (
        "def initialize(self, config): raise LookupError('no')",
        "LookupError: no",
    ),
    "a_state_that_is_refused": (
        "def restore_state(self, state): raise LookupError('no')",
        "does not take the state",
    ),
    "a_state_that_is_not_there": (
        "def restore_state(self, state): self.count = state['total']",
        "KeyError: 'total'",
    ),
    "an_ill_health": (
        "def health_check(self): return HealthStatus.unhealthy('no base')",
        "unhealthy: no base",
    ),
    "a_self_test_that_fails": ("def self_test(self): assert self.count == 9", "its own test"),
    "a_process_that_ends": ("os._exit(3)", "exited with code 3"),
    "a_process_that_crashes": ("ctypes.string_at(0)", "SIGSEGV"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_save_is_told_and_a_mended_one_taken(shared_folder, plugins, saves, what):
    more, reason = BROKEN[what]
    begin(shared_folder, plugins, what)
    path = shared_folder.plugin(what, counter(2, more))
    error = saves.next(what).error
    assert reason in str(error)
    assert str(path) in str(error)
    assert f"+    {more.splitlines()[0]}" in error.diff
    assert plugins[what].up() == [1, 2]
    shared_folder.plugin(what, counter(3))
    assert saves.next(what).error is None
    assert plugins[what].up() == [3, 3]


# Dependencies


def test_a_new_dependency_that_is_missing(shared_folder, plugins, saves):
    begin(shared_folder, plugins, "needy")
    shared_folder.plugin("needy", counter(2), dependencies=["nowhere ^1.0"])
    assert "nowhere" in str(saves.next("needy").error)
    assert plugins["needy"].up() == [1, 2]
    shared_folder.plugin("nowhere", counter(1), version="1.2.0")
    assert saves.next("needy").error is None  # tried again by itself
    assert plugins["needy"].up() == [2, 3]


def test_a_dependency_that_closes_a_circle(shared_folder, plugins, saves):
    shared_folder.plugin("upper", counter(1), dependencies=["lower"])
    begin(shared_folder, plugins, "lower")
    assert plugins["upper"].up() == [1, 1]
    plugins.watch()
    shared_folder.plugin("lower", counter(2), dependencies=["upper"])
    error = str(saves.next("lower").error)
    assert "upper" in error and "lower" in error
    assert (plugins["lower"].up(), plugins["upper"].up()) == ([1, 2], [1, 2])
    shared_folder.plugin("lower", counter(3))
    assert saves.next("lower").error is None
    assert plugins["lower"].up() == [3, 3]


def test_a_version_that_a_dependent_refuses_until_the_dependent_is_saved(
    shared_folder, plugins, saves
):
    shared_folder.plugin("choosy", counter(1), dependencies=["growing ^1.0"])
    begin(shared_folder, plugins, "growing")
    assert plugins["choosy"].up() == [1, 1]
    plugins.watch()
    shared_folder.plugin("growing", counter(2), version="2.0.0")
    assert "choosy" in str(saves.next("growing").error)
    assert plugins["growing"].up() == [1, 2]
    shared_folder.plugin("choosy", counter(2), dependencies=["growing >=1, <3"])
    assert saves.next("choosy").error is None
    assert saves.next("growing").error is None  # tried again by itself
    assert plugins["growing"].up() == [2, 3]


# What needs a manager of its own


def test_code_that_never_ends_its_import(folder):
    folder.plugin("counter", counter(1))
    waits = "while True: time.sleep(0.1)"
    with folder.manager(timeout=3.0) as plugins:
        saves = Saves(plugins)
        begin(folder, plugins, "counter")
        folder.plugin("counter", counter(2, waits))
        error = saves.next("counter").error
        assert "no answer within 3 s" in str(error)
        assert waits in str(error)
        assert plugins["counter"].up() == [1, 2]
        folder.plugin("counter", counter(3))
        assert saves.next("counter").error is None
        assert plugins["counter"].up() == [3, 3]


def test_a_signed_plugin_that_is_edited_goes_on_until_it_is_signed_again(folder, tmp_path):
    key = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tester", "-f", str(key)]
    subprocess.run(command, check=True)
    signer = signer_from_file(key, lambda prompt: "")
    security = {"verify_signature": True, "trusted_keys": [key.with_suffix(".pub").read_text()]}
    sign(collect(read_descriptor(folder.plugin("counter", counter(1)))), signer)
    with folder.manager(security=security) as plugins:
        saves = Saves(plugins)
        begin_signed = plugins["counter"].up()
        plugins.watch()
        path = folder.plugin("counter", counter(2))
        error = saves.next("counter").error
        assert "sign" in str(error) and str(path) in str(error)
        assert (begin_signed, plugins["counter"].up()) == ([1, 1], [1, 2])
        sign(collect(read_descriptor(path)), signer)
        while saves.next("counter").error is not None:  # the list was there before its signature
            pass
        assert plugins["counter"].up() == [2, 3]
