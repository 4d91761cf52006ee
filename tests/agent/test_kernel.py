"""A plugin's host is a complete Jupyter kernel."""

from __future__ import annotations

import stat

import psutil
import pytest
from console import Console

from nebula_lab.errors import PluginCrashedError

BOTH = pytest.mark.parametrize("plugin_id", ["calm", "tasks"])


@BOTH
def test_a_console_runs_a_cell(open_console, plugin_id):
    assert open_console(plugin_id).run("print('hello'); 6 * 7").value == "42"


@BOTH
def test_a_cell_of_a_console_runs_on_the_main_thread(open_console, plugin_id):
    code = "import threading; threading.current_thread() is threading.main_thread()"
    assert open_console(plugin_id).run(code).value == "True"


@BOTH
def test_what_a_cell_prints_reaches_the_console(open_console, plugin_id):
    assert open_console(plugin_id).run("print('hello')").text == "hello\n"


@BOTH
def test_a_cell_may_await(open_console, plugin_id):
    code = "import asyncio\nawait asyncio.sleep(0.001)\nprint('awake')"
    assert open_console(plugin_id).run(code).text == "awake\n"


@BOTH
def test_a_cells_error_reaches_the_console(open_console, plugin_id):
    told = open_console(plugin_id).run("1 / 0")
    assert (told.reply["status"], told.reply["ename"]) == ("error", "ZeroDivisionError")


@BOTH
def test_a_cell_may_ask_for_input(open_console, plugin_id):
    console = open_console(plugin_id)
    request = console.start("input('who? ')", allow_stdin=True)
    assert console.finish(request, answer="Ada").value == "'Ada'"


def test_a_console_completes_a_name(open_console):
    console = open_console("calm")
    console.run("a_long_name = 1")
    reply = console.reply(console.client.complete("a_long_n"))
    assert reply["matches"] == ["a_long_name"]


def test_a_console_inspects_a_name(open_console):
    console = open_console("calm")
    reply = console.reply(console.client.inspect("len"))
    assert "number of items" in reply["data"]["text/plain"]


def test_a_console_gets_the_history(open_console):
    console = open_console("calm")
    console.run("'to be remembered'", store_history=True)
    reply = console.reply(console.client.history(hist_access_type="tail", n=1))
    assert reply["history"][0][2] == "'to be remembered'"


@pytest.mark.parametrize(("code", "status"), [("1", "complete"), ("if 1:", "incomplete")])
def test_a_console_asks_whether_code_is_complete(open_console, code, status):
    console = open_console("calm")
    assert console.reply(console.client.is_complete(code))["status"] == status


def test_a_kernel_says_what_it_is(open_console):
    console = open_console("calm")
    reply = console.reply(console.client.kernel_info())
    assert reply["language_info"]["name"] == "python"


def test_a_console_opens_a_comm(open_console):
    console = open_console("calm")
    console.run(
        "from comm import get_comm_manager\n"
        "def opened(comm, message): comm.send({'echo': message['content']['data']})\n"
        "get_comm_manager().register_target('echo', opened)"
    )
    content = {"comm_id": "c1", "target_name": "echo", "data": {"n": 1}}
    message = console.client.session.msg("comm_open", content)
    console.client.shell_channel.send(message)
    while True:
        told = console.client.get_iopub_msg(timeout=10)
        if told["msg_type"] == "comm_msg":
            assert told["content"]["data"] == {"echo": {"n": 1}}
            return


@BOTH
@pytest.mark.parametrize(
    "code",
    ["import time; time.sleep(60)", "while True: pass", "import asyncio; await asyncio.sleep(60)"],
)
def test_a_console_interrupts_its_cell(open_console, plugin_id, code):
    console = open_console(plugin_id)
    request = console.start(f"print('going')\n{code}")
    console.wait_for_output(request, "going")
    assert console.control("interrupt_request")["status"] == "ok"
    told = console.finish(request)
    assert told.reply["ename"] in ("KeyboardInterrupt", "CancelledError")
    assert console.run("'alive'").value == "'alive'"


@BOTH
def test_a_kernel_survives_interrupts_around_the_ends_of_its_cells(open_console, plugin_id):
    console = open_console(plugin_id)
    for _ in range(40):
        request = console.start("1")
        console.control("interrupt_request")
        console.finish(request)
    assert console.run("'alive'").value == "'alive'"


def test_an_interrupt_of_a_console_leaves_an_operation_alone(
    plugins, open_console, in_background, tmp_path, wait_until
):
    console = open_console("calm")
    call = in_background(
        plugins.execute, "calm", "nap", {"seconds": 0.2, "marker": f"{tmp_path}/m"}
    )
    wait_until((tmp_path / "m").exists, "the call's start")
    console.control("interrupt_request")
    assert call.result() == "slept"


def test_a_cell_waits_while_an_operation_runs_and_runs_after_it(
    plugins, open_console, in_background, tmp_path, wait_until, notebook
):
    console = open_console("calm")
    call = in_background(plugins.execute, "calm", "wait_for", {"path": f"{tmp_path}/go"})
    wait_until(lambda: notebook.events, "the operation's start")
    request = console.start(f"import os; print(os.path.exists({f'{tmp_path}/go'!r}))")
    (tmp_path / "go").touch()
    assert (console.finish(request).text, call.result()) == ("True\n", "came")


def test_a_cell_runs_between_the_steps_of_async_operations(
    plugins, open_console, in_background, tmp_path, wait_until, notebook
):
    call = in_background(plugins.execute, "tasks", "wait_for", {"path": f"{tmp_path}/go"})
    wait_until(lambda: notebook.events, "the operation's start")
    assert open_console("tasks").run("1 + 1").value == "2"
    (tmp_path / "go").touch()
    assert call.result() == "came"


def test_a_subshell_runs_cells_while_an_operation_runs(
    plugins, open_console, in_background, tmp_path, wait_until, notebook
):
    console = open_console("calm")
    subshell = console.control("create_subshell_request")["subshell_id"]
    call = in_background(plugins.execute, "calm", "wait_for", {"path": f"{tmp_path}/go"})
    wait_until(lambda: notebook.events, "the operation's start")
    told = console.execute_in_subshell(subshell, f"open({f'{tmp_path}/go'!r}, 'w').close(); 'done'")
    assert (told.value, call.result()) == ("'done'", "came")
    assert console.control("delete_subshell_request", subshell_id=subshell)["status"] == "ok"


@pytest.mark.parametrize("plugin_id", ["calm", "tasks", "crowd"])
def test_a_cell_of_the_manager_runs_in_the_plugins_kernel(plugins, notebook, plugin_id):
    plugins.run_cell(plugin_id, "import asyncio\nawait asyncio.sleep(0)\nprint('in')")
    assert notebook.text() == "in\n"


@pytest.mark.parametrize("plugin_id", ["calm", "tasks", "crowd"])
def test_the_error_of_a_cell_of_the_manager_has_the_cells_frames_only(plugins, plugin_id):
    with pytest.raises(Exception, match="division") as caught:
        plugins.run_cell(plugin_id, "def f(): return 1 / 0\nf()")
    text = caught.value.remote_traceback
    assert text.count("File ") == 2, text


@pytest.mark.parametrize("plugin_id", ["calm", "tasks"])
def test_operations_run_on_the_main_thread(plugins, plugin_id):
    assert plugins.execute(plugin_id, "on_main_thread") is True


def test_the_files_of_a_kernel_are_the_users_alone(plugins, open_console):
    file = plugins.connection_file("calm")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    files = {name: mode for name, mode in modes.items() if not (file.parent / name).is_dir()}
    assert set(files.values()) == {0o600}, files
    # Jupyter adds the sticky bit, which keeps cleaners of temporary files away.
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_kernel_has_no_internet_socket(plugins, open_console):
    open_console("calm").run("1")
    host = psutil.Process(plugins.execute("calm", "pids"))
    assert [c for c in host.net_connections(kind="inet") if c.laddr] == []


def test_a_shutdown_by_a_client_is_a_crash_that_the_manager_repairs(
    own_plugins, plugin_file, wait_until
):
    plugin_file("lone", _NAPS)
    manager = own_plugins()
    first = manager.execute("lone", "pid")
    console = Console(manager.connection_file("lone"))
    try:
        assert console.control("shutdown_request", restart=False)["status"] == "ok"
        wait_until(lambda: not psutil.pid_exists(first), "the end of the kernel")
    finally:
        console.close()
    assert manager.execute("lone", "pid", timeout=10.0) != first


def test_a_call_that_a_clients_shutdown_ends_says_so(
    own_plugins, plugin_file, in_background, tmp_path, wait_until
):
    plugin_file("lone", _NAPS)
    manager = own_plugins()
    marker = tmp_path / "m"
    call = in_background(manager.execute, "lone", "nap", {"marker": str(marker)})
    wait_until(marker.exists, "the call's start")
    console = Console(manager.connection_file("lone"))
    try:
        console.control("shutdown_request", restart=False)
        with pytest.raises(PluginCrashedError, match="shut down by a Jupyter client"):
            call.result()
    finally:
        console.close()


_NAPS = """
import os, time
from pathlib import Path
class Lone(Plugin):
    @operation
    def pid(self) -> int: return os.getpid()
    @operation
    def nap(self, marker: str):
        Path(marker).touch()
        time.sleep(60)
def plugin_entry(): return Lone()
"""
