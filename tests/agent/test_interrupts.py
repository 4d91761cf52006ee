"""A stop stops the call that it is meant for, and nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from hosted_plugins import HOSTED

from nebula_lab.errors import ExecutionFailedError, PluginError, PluginTimeoutError


@pytest.fixture
def storm():
    """Sends SIGINT to a process as fast as it goes, until the test ends."""
    over = threading.Event()
    senders = []

    def start(pid):
        def send():
            while not over.wait(0.0005):
                os.kill(pid, signal.SIGINT)

        senders.append(threading.Thread(target=send))
        senders[-1].start()

    yield start
    over.set()
    for sender in senders:
        sender.join()


def test_a_signal_that_means_no_call_fails_none_of_three_hundred(plugins, storm):
    storm(plugins.execute("calm", "pids"))
    results = [plugins.execute("calm", "add", {"a": n}) for n in range(300)]
    assert results == list(range(1, 301))


def test_a_signal_does_not_shorten_a_sleep(plugins, storm):
    storm(plugins.execute("calm", "pids"))
    started = time.monotonic()
    assert plugins.execute("calm", "nap", {"seconds": 0.3}) == "slept"
    assert time.monotonic() - started >= 0.3


def test_a_signal_to_an_idle_host_does_nothing(plugins):
    os.kill(plugins.execute("calm", "pids"), signal.SIGINT)
    assert plugins.execute("calm", "add", {"a": 1}) == 2


def test_a_plugin_may_signal_itself(plugins):
    assert plugins.execute("calm", "interrupt_self") == "went on"


# Until a call is stopped that has to have begun by then, on a machine that has more to do.
SOON = 0.7  # seconds
STUCK = [
    ("calm", "nap", {"seconds": 60.0}),
    ("calm", "spin", {}),
    ("calm", "chatter", {}),
    ("calm", "ask_other", {}),
    ("tasks", "nap", {"seconds": 60.0}),
    ("tasks", "block", {"seconds": 60.0}),
]


@pytest.mark.parametrize("weather", ["calm", "storm"])
@pytest.mark.parametrize(("plugin_id", "operation", "params"), STUCK)
def test_a_deadline_stops_a_call_and_leaves_its_host_alone(
    plugins, tmp_path, storm, weather, plugin_id, operation, params
):
    pid = _pid(plugins, plugin_id)
    if weather == "storm":
        storm(pid)
    # A call within a call shares the deadline, and whichever of the two is told first fails.
    with pytest.raises(ExecutionFailedError, match=rf"no answer within {SOON} s") as caught:
        plugins.execute(plugin_id, operation, {**params, "marker": f"{tmp_path}/m"}, timeout=SOON)
    assert operation in caught.value.remote_traceback
    assert _pid(plugins, plugin_id) == pid


def _pid(plugins, plugin_id):
    pid = next(info.pid for info in plugins.list_plugins() if info.id == plugin_id)
    assert pid is not None
    return pid


def test_output_is_in_order_up_to_an_interrupt(plugins, notebook, tmp_path):
    for _ in range(2):  # more of it would be over the limit of what a plugin may write
        notebook.events.clear()
        with pytest.raises(PluginTimeoutError):
            plugins.execute("calm", "chatter", {"marker": f"{tmp_path}/m"}, timeout=0.3)
        lines = notebook.text().splitlines()
        numbers = [int(line.removeprefix("line ")) for line in lines if line != lines[-1]]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > 10


def test_a_cancel_stops_the_stopped_call_of_several(plugins, in_background, tmp_path, wait_until):
    others = [
        in_background(
            plugins.execute, "tasks", "nap", {"seconds": 0.5, "marker": f"{tmp_path}/{n}"}
        )
        for n in range(3)
    ]
    wait_until(lambda: len(list(tmp_path.iterdir())) == 3, "the start of the others")
    with pytest.raises(PluginTimeoutError):
        plugins.execute("tasks", "nap", {"seconds": 60.0}, timeout=0.1)
    assert [call.result() for call in others] == ["slept"] * 3


def test_a_stop_of_an_async_call_that_blocks_leaves_those_that_wait_alone(
    plugins, in_background, tmp_path, wait_until
):
    other = in_background(
        plugins.execute, "tasks", "nap", {"seconds": 0.5, "marker": f"{tmp_path}/other"}
    )
    wait_until((tmp_path / "other").exists, "the start of the other")
    with pytest.raises(PluginTimeoutError):
        plugins.execute("tasks", "block", {"seconds": 60.0, "marker": f"{tmp_path}/m"}, timeout=0.1)
    assert other.result() == "slept"


def test_closing_a_stream_stops_its_generator(plugins, tmp_path, wait_until):
    pid = _pid(plugins, "calm")
    stream = plugins.execute("calm", "trickle", {"marker": f"{tmp_path}/m"})
    assert next(stream) == "first"
    wait_until((tmp_path / "m").exists, "the generator's sleep")
    stream.close()
    assert plugins.execute("calm", "add", {"a": 1}) == 2
    assert _pid(plugins, "calm") == pid


def test_a_console_cell_is_not_hit_by_the_stop_of_a_call_that_waits_behind_it(
    plugins, open_console
):
    console = open_console("calm")
    request = console.start("import time\nprint('going')\ntime.sleep(0.6)\n'slept'")
    console.wait_for_output(request, "going")
    with pytest.raises(PluginTimeoutError):
        plugins.execute("calm", "add", {"a": 1}, timeout=0.1)
    assert console.reply(request)["status"] == "ok"


@pytest.mark.parametrize("plugin_id", ["calm", "tasks"])
def test_a_plugin_that_exits_in_an_operation_fails_that_call_only(plugins, plugin_id):
    pid = _pid(plugins, plugin_id)
    with pytest.raises(ExecutionFailedError) as caught:
        plugins.execute(plugin_id, "exit")
    assert caught.value.error_type == "SystemExit"
    assert _pid(plugins, plugin_id) == pid


def test_a_plugin_that_raises_keyboard_interrupt_itself_fails_that_call(plugins):
    with pytest.raises(ExecutionFailedError) as caught:
        plugins.execute("calm", "raise_interrupt")
    assert caught.value.error_type == "KeyboardInterrupt"


def test_a_call_that_swallows_its_stop_costs_it_its_host(own_plugins, tmp_path):
    manager = own_plugins(HOSTED, grace="300ms")
    manager.load_plugin("calm")
    pid = _pid(manager, "calm")
    with pytest.raises(PluginError):
        manager.execute("calm", "swallow_interrupts", {"marker": f"{tmp_path}/m"}, timeout=SOON)
    assert manager.execute("calm", "pids") != pid
