"""What a plugin is not granted, it can't do in any sandbox that isolates; and it dies alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from nebula_lab.errors import (
    ExecutionFailedError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
)

SECRET = "nobody is to read this"


@pytest.fixture(scope="module")
def secret_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("private") / "secret.txt"
    file.write_text(SECRET)
    return file


@contextmanager
def listener():
    """Says the secret to whoever connects; gives its port and who has come."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        came = []

        def serve():
            try:
                while True:
                    connection, _ = server.accept()
                    came.append(1)
                    with connection:
                        connection.sendall(SECRET.encode())
            except OSError:
                return  # it was closed

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], came
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_file_of_the_users_can_not_be_read(cell, secret_file):
    with pytest.raises(ExecutionFailedError):
        cell.ask("read", path=str(secret_file))


def test_nothing_is_written_outside_its_own_folder(cell, secret_file):
    target = secret_file.with_name("written.txt")
    with pytest.raises(ExecutionFailedError):
        cell.ask("write", path=str(target), text="x")
    assert not target.exists()


def test_the_folder_of_another_plugin_can_not_be_read(cell):
    path = cell.plugins.execute("neighbour", "whereabouts")
    with pytest.raises(ExecutionFailedError):
        cell.ask("read", path=path)


def test_the_environment_of_the_manager_can_not_be_seen(cell, monkeypatch):
    monkeypatch.setenv("A_TOKEN_OF_THE_USERS", SECRET)
    cell.plugins.unload_plugin("everything", cascade=True)
    assert cell.ask("variable", name="A_TOKEN_OF_THE_USERS") is None


def test_the_memory_of_the_manager_can_not_be_read(cell):
    with pytest.raises(ExecutionFailedError):
        cell.ask("read", path=f"/proc/{os.getpid()}/environ")


def test_nothing_is_connected_to(cell):
    with listener() as (port, came):
        with pytest.raises(PluginError):
            cell.ask("connect", port=port)
        assert not came


def test_no_program_is_started(cell):
    with pytest.raises(PluginError):
        cell.ask("run", program="/bin/true")


def test_memory_ends_at_its_limit_and_the_manager_goes_on(cell):
    with pytest.raises(PluginError, match=r"[Mm]emory"):
        cell.ask("hoard", megabytes=1000)
    assert cell.ask("add", a=1) == 3


def test_a_plugin_that_ends_itself_is_said_to_and_another_takes_its_place(cell):
    with pytest.raises(PluginCrashedError, match="7"):
        cell.ask("leave", code=7)
    assert cell.ask("add", a=1) == 3


def test_state_comes_back_after_a_death(cell):
    cell.plugins.unload_plugin("everything", cascade=True)
    assert [cell.ask("count_up") for _ in range(3)] == [1, 2, 3]
    # What is saved as it rests is what it is given back.
    cell.plugins.suspend_plugin("everything")
    cell.plugins.resume_plugin("everything")
    with pytest.raises(PluginCrashedError):
        cell.ask("leave", code=1)
    assert cell.ask("count_up") == 4


@pytest.mark.parametrize(
    ("operation", "params"), [("spin_in_c", {}), ("sleep", {"seconds": 60})], ids=["C", "sleep"]
)
def test_what_no_python_code_can_stop_ends_at_its_deadline_too(cell, operation, params):
    with pytest.raises(PluginTimeoutError, match=operation):
        cell.ask(operation, timeout=0.2, **params)
    assert cell.ask("add", a=1) == 3


OPEN = """
import sys, warnings
from nebula_lab import PluginManager
config = {"plugin_dir": sys.argv[1], "hot_reload": False, "security": {"sandbox": "None"}}
with PluginManager(config) as plugins:
    print(plugins.execute("everything", "read", {"path": sys.argv[2]}), flush=True)
    plugins.execute("everything", "leave", {"code": 7})
"""


def test_without_a_sandbox_there_are_no_walls(secret_file):
    folder = Path(__file__).with_name("plugins")
    command = [sys.executable, "-W", "ignore", "-c", OPEN, str(folder), str(secret_file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.returncode) == (f"{SECRET}\n", 7)
