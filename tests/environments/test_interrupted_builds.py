"""Builds that somebody does not wait for any more: nothing runs on, and nothing is left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from local_wheels import write_source, write_wheel

from nebula_lab.environments.cache_layout import CacheLayout, cache_root
from nebula_lab.errors import PluginError

PLUGIN = """
class Slow(Plugin):
    @operation
    def version(self) -> str:
        return "never reached"

def plugin_entry():
    return Slow()
"""


def asking_for(name):
    return {"dependencies": [name]}


@pytest.fixture
def silent_index():
    """A package index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple/"


LOADING = """
import sys
from nebula_lab import PluginManager

config = {"plugin_dir": sys.argv[1], "hot_reload": False, "python": {"allow_source": True}}
with PluginManager(config) as plugins:
    try:
        plugins.load_plugin(sys.argv[2])
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def uv_processes():
    return [
        one
        for one in psutil.process_iter(["cmdline", "environ"])
        if one.info["cmdline"]
        and Path(one.info["cmdline"][0]).name == "uv"
        and "NEBULA_LAB_HOME" in (one.info["environ"] or {})
        and one.info["environ"]["NEBULA_LAB_HOME"] == os.environ["NEBULA_LAB_HOME"]
    ]


def loading(folder, index, plugin):
    """A manager that loads a plugin, with packages from an index, or from the folder of wheels."""
    own = {"UV_DEFAULT_INDEX": index, "UV_CONFIG_FILE": "/dev/null"} if index else {}
    return subprocess.Popen(
        [sys.executable, "-c", LOADING, str(folder), plugin],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **own},
    )


@pytest.mark.parametrize("how_many", [1, 2])
def test_an_interrupt_ends_a_build_at_once(
    index, plugin_file, silent_index, tmp_path, wait_until, how_many
):
    for number in range(how_many):
        plugin_file(f"slow_{number}", PLUGIN, python=asking_for(f"nothing-{number}"))
    needed = [f"slow_{number}" for number in range(how_many)]
    plugin_file("needing", PLUGIN, dependencies=needed)
    process = loading(tmp_path / "plugins", silent_index, "needing")
    wait_until(lambda: len(uv_processes()) >= how_many, "uv", timeout=30)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert "interrupted" in said
    assert not uv_processes()
    assert not list(CacheLayout(cache_root()).new.glob("*"))


def test_no_uv_outlives_a_manager_that_was_killed(
    index, plugin_file, silent_index, tmp_path, wait_until
):
    plugin_file("slow", PLUGIN, python=asking_for("nothing"))
    process = loading(tmp_path / "plugins", silent_index, "slow")
    wait_until(uv_processes, "uv", timeout=30)
    process.kill()
    process.communicate()
    wait_until(lambda: not uv_processes(), "the end of uv")


BACKEND = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "while True: pass", "of-the-build"])
while True: pass
"""


def builds():
    return [
        one.pid
        for one in psutil.process_iter(["cmdline"])
        if "of-the-build" in (one.info["cmdline"] or ())
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_build_from_source_goes_on_without_whoever_waits(
    index, plugin_file, tmp_path, wait_until, number
):
    for name in ("ipykernel", "ipython", "msgspec"):
        write_wheel(index, name, "99.0")
    project = "[build-system]\nrequires = []\nbuild-backend = 'own'\nbackend-path = ['.']\n"
    write_source(index, "endless", "1.0", {"pyproject.toml": project, "own.py": BACKEND})
    plugin_file("slow", PLUGIN, python=asking_for("endless"))
    process = loading(tmp_path / "plugins", "", "slow")
    wait_until(builds, "the build", timeout=60)
    process.send_signal(number)
    process.communicate(timeout=30)
    wait_until(lambda: not builds(), "the end of the build", timeout=30)
    if number == signal.SIGINT:
        assert not list(CacheLayout(cache_root()).new.glob("*"))


def test_closing_a_manager_ends_its_builds(
    index, plugin_file, silent_index, opened, monkeypatch, wait_until
):
    monkeypatch.setenv("UV_DEFAULT_INDEX", silent_index)
    monkeypatch.setenv("UV_CONFIG_FILE", "/dev/null")
    plugin_file("slow", PLUGIN, python=asking_for("nothing"))
    plugins = opened()
    failures = []

    def load():
        try:
            plugins.load_plugin("slow")
        except PluginError as error:
            failures.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    wait_until(uv_processes, "uv", timeout=30)
    plugins.close()
    thread.join(10)
    assert "closed" in str(failures[0])
    assert not uv_processes()


def test_a_call_that_has_to_wait_for_a_build_has_its_deadline(
    index, plugin_file, silent_index, opened, monkeypatch
):
    monkeypatch.setenv("UV_DEFAULT_INDEX", silent_index)
    monkeypatch.setenv("UV_CONFIG_FILE", "/dev/null")
    plugin_file("slow", PLUGIN, python=asking_for("nothing"))
    with pytest.raises(TimeoutError):
        opened().execute("slow", "version", timeout=0.5)
