"""What a plugin in a container can do, how it ends, and what is left of it: nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import warnings

import pytest
from container_runtime import containers, containers_of

from nebula_lab import PluginManager
from nebula_lab.errors import (
    ContainerRuntimeError,
    LoadFailedError,
    PluginCrashedError,
    PluginError,
)
from nebula_lab.sandbox.container.image import OwnImage
from nebula_lab.sandbox.container.owners import own_name, remove_abandoned
from nebula_lab.sandbox.container.runtime import Runtime

warnings.simplefilter("ignore")

SOURCE = """
import os, subprocess, sys, threading

class Busy(Plugin):
    @operation
    def add(self, a: int, b: int = 2) -> int:
        return a + b

    @operation
    def where(self) -> dict:
        return {
            "user": os.getuid(),
            "python": sys.executable,
            "root": sorted(os.listdir("/")),
            "pids": [int(name) for name in os.listdir("/proc") if name.isdigit()],
        }

    @operation
    def fill(self, megabytes: int) -> int:
        with open(context.scratch_dir / "filled", "wb") as file:
            for _ in range(megabytes):
                file.write(bytes(2**20))
        return megabytes

    @operation
    def read(self, path: str) -> str:
        return open(path).read()

    @operation
    def write(self, path: str, text: str) -> None:
        open(path, "w").write(text)

    @operation
    def die(self, number: int) -> None:
        os.kill(os.getpid(), number)

    @operation
    def crash(self) -> None:
        import ctypes
        ctypes.string_at(1)

    @operation
    def hoard(self, megabytes: int) -> int:
        children = []
        code = f"b = bytearray({megabytes} * 2**20); b[::4096] = bytes([1]) * len(b[::4096])"
        code += "; import time; time.sleep(60)"
        for _ in range(20):
            children.append(subprocess.Popen([sys.executable, "-c", code]))
        return [child.wait() for child in children].count(0)

    @operation
    def leave_behind(self, token: str) -> None:
        waiting = [sys.executable, "-c", "print(flush=True); import time; time.sleep(600)", token]
        kept = {"LD_LIBRARY_PATH": os.environ["LD_LIBRARY_PATH"]}  # without it there is no Python
        left = subprocess.Popen(
            waiting, start_new_session=True, env=kept, stdout=subprocess.PIPE
        )
        left.stdout.readline()
        os._exit(3)

    @operation
    def fetch(self, url: str) -> str:
        import urllib.request
        return urllib.request.urlopen(url, timeout=20).read().decode()

def plugin_entry():
    return Busy()
"""
PODMAN = {"type": "Container", "runtime": "podman"}
MAY_SPAWN = {"capabilities": ["ProcessSpawn", "MemoryAllocation", "Network", "FileSystem"]}


@pytest.fixture
def busy(opened, plugin_file):
    """A manager over `busy`, which asks for what it is given."""

    def open_with(asks=None, **settings):
        plugin_file("busy", SOURCE, security=asks or {})
        return opened(**settings)

    return open_with


@pytest.fixture(scope="module")
def shared(podman, tmp_path_factory):
    """One manager for facts that leave nothing behind."""
    folder = tmp_path_factory.mktemp("shared")
    imports = "from nebula_lab.plugin import Plugin, context, operation\n"
    (folder / "busy.py").write_text(
        f'{imports}PLUGIN_METADATA = {{"id": "busy", "version": "1.0.0"}}\n{SOURCE}'
    )
    config = {
        "plugin_dir": folder,
        "hot_reload": False,
        "restart": {"max_restarts": 100, "backoff": 0},
        "security": {"sandbox": PODMAN, "resource_limits": {"max_scratch": "4MiB"}},
    }
    with PluginManager(config) as plugins:
        yield plugins


def test_it_is_nobody_in_files_and_processes_of_its_own(shared):
    found = shared.execute("busy", "where")
    assert found["user"] == (65534 if os.getuid() == 0 else os.getuid())
    assert found["python"] == f"/opt/nebula/bin/python3.{sys.version_info.minor}"
    assert "home" not in found["root"]
    assert len(found["pids"]) == 2  # its own, and the first of the container
    assert shared.plugin_info("busy").sandbox == "Container"


@pytest.mark.parametrize("name", ["mem", "environ", "maps", "root/etc/passwd"])
def test_the_first_process_of_its_container_is_closed_to_it(shared, name):
    with pytest.raises(PluginError, match="Permission denied"):
        shared.execute("busy", "read", {"path": f"/proc/1/{name}"})
    assert shared.execute("busy", "read", {"path": "/proc/self/environ"})


def test_its_folder_has_a_limited_size(shared):
    assert shared.execute("busy", "fill", {"megabytes": 2}) == 2
    with pytest.raises(PluginError, match="max_scratch"):
        shared.execute("busy", "fill", {"megabytes": 8})


def test_files_that_it_was_granted_are_there_as_granted(busy, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "note").write_text("to be read")
    asks = {"capabilities": ["FileSystem"], "allowed_paths": [f"{data}:ro"]}
    plugins = busy(asks)
    assert plugins.execute("busy", "read", {"path": str(data / "note")}) == "to be read"
    with pytest.raises(PluginError):
        plugins.execute("busy", "write", {"path": str(data / "new"), "text": "x"})


def test_a_folder_that_it_may_write_to_is_written_to(busy, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    asks = {"capabilities": ["FileSystem"], "allowed_paths": [f"{data}:rw"]}
    plugins = busy(asks)
    plugins.execute("busy", "write", {"path": str(data / "new"), "text": "written"})
    assert (data / "new").read_text() == "written"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGSEGV])
def test_the_signal_that_ended_it_is_named(shared, number):
    with pytest.raises(PluginCrashedError, match=number.name):
        shared.execute("busy", "die", {"number": int(number)})
    assert shared.execute("busy", "add", {"a": 1}) == 3


def test_a_crash_in_c_has_its_traceback(shared):
    with pytest.raises(PluginCrashedError) as failure:
        shared.execute("busy", "crash")
    assert "ctypes.string_at(1)" in failure.value.report.words


def test_want_of_memory_of_all_its_processes_is_named(busy):
    limits = {"resource_limits": {"max_memory": "64MiB", "max_scratch": "1MiB"}}
    plugins = busy(MAY_SPAWN, security={**limits, "capabilities": ["ProcessSpawn"]})
    with pytest.raises(PluginCrashedError, match="memory"):
        plugins.execute("busy", "hoard", {"megabytes": 40}, timeout=60)


def test_what_it_started_ends_with_it(busy, wait_until):
    plugins = busy(MAY_SPAWN, security={"capabilities": ["ProcessSpawn"]})
    with pytest.raises(PluginError, match="exited with code 3"):
        plugins.execute("busy", "leave_behind", {"token": f"left-{os.getpid()}"})
    wait_until(lambda: not _running(f"left-{os.getpid()}"), "its end", timeout=20)


def _running(token):
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if token in line]


def test_it_reaches_the_hosts_that_it_may_and_no_others(busy):
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from outside")

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            port = server.server_address[1]
            asks = {"capabilities": ["Network"], "allowed_hosts": [f"127.0.0.1:{port}"]}
            plugins = busy(asks)
            url = f"http://127.0.0.1:{port}/"
            assert plugins.execute("busy", "fetch", {"url": url}) == "hello from outside"
            with pytest.raises(PluginError):
                plugins.execute("busy", "fetch", {"url": f"http://127.0.0.2:{port}/"})
        finally:
            server.shutdown()
            thread.join()


def test_a_spare_is_taken_by_the_next_plugin(busy, plugin_file, wait_until):
    plugins = busy(zygote={"spares": 1})
    plugin_file("second", SOURCE, security={})
    plugins.rediscover()
    plugins.execute("busy", "add", {"a": 1})
    sandbox = plugins._engine.sandboxes.usual
    wait_until(lambda: len(sandbox.spares), "a spare", timeout=60)
    (spare,) = [one.host.pid for one in sandbox.spares._spares]
    plugins.load_plugin("second")
    assert plugins.plugin_info("second").pid == spare


def test_its_name_and_its_owner_are_seen_from_outside(busy):
    plugins = busy()
    before = containers_of(os.getpid())
    plugins.execute("busy", "add", {"a": 1})
    (name,) = containers_of(os.getpid()) - before
    assert name.startswith("nebula-")
    other = busy()
    other.load_plugin("busy")
    pid = other.plugin_info("busy").pid
    plugins.close()
    assert name not in containers_of(os.getpid())
    assert other.plugin_info("busy").pid == pid  # another manager of this process is left alone
    assert other.execute("busy", "add", {"a": 1}) == 3
    assert other.plugin_info("busy").reload_count == 0
    assert len(containers_of(os.getpid()) - before) == 1


OWNER = """
import sys, warnings
warnings.simplefilter("ignore")
from nebula_lab import PluginManager
config = {"plugin_dir": sys.argv[1], "security": {"sandbox": {"type": "Container", "runtime": "podman"}}}
plugins = PluginManager(config)
plugins.execute("busy", "add", {"a": 1})
print("up", flush=True)
sys.stdin.read()
"""  # noqa: E501


def test_a_manager_that_was_killed_leaves_no_container(podman, plugin_file, tmp_path, wait_until):
    plugin_file("busy", SOURCE)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "plugins")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout.readline() == "up\n"
        assert containers_of(owner.pid)
        owner.kill()
    wait_until(lambda: not containers_of(owner.pid), "the container's end", timeout=60)


def test_a_container_without_its_manager_is_removed_by_the_next(busy, wait_until):
    plugins = busy()
    plugins.execute("busy", "add", {"a": 1})
    image = plugins._engine.sandboxes.usual._image.name
    name = f"nebula-abandoned-{os.getpid()}"
    made = ["podman", "create", "--name", name, "--label", "nebula-lab.host=x"]
    place = own_name().partition("-")[0]
    owner = ["--label", f"nebula-lab.owner={place}-999999999-1", "--network", "none"]
    subprocess.run([*made, *owner, image, "true"], check=True, capture_output=True)
    plugins.close()
    again = busy()
    again.execute("busy", "add", {"a": 1})
    wait_until(lambda: name not in containers(), "its removal", timeout=30)


def test_a_container_of_a_manager_elsewhere_is_left_alone(podman, tmp_path):
    # Of another machine, of another user, or of one that is in a container itself.
    runtime, name = Runtime("podman"), f"nebula-elsewhere-{os.getpid()}"
    image = OwnImage(runtime)
    image.build(print)
    owner = "nebula-lab.owner=0123456789ab-999999999-1"
    labels = ["--label", "nebula-lab.host=x", "--label", owner]
    made = ["podman", "create", "--name", name, *labels, "--network", "none", image.name, "true"]
    subprocess.run(made, check=True, capture_output=True)
    try:
        remove_abandoned(runtime)
        assert name in containers()
    finally:
        runtime.remove([name])


def test_an_image_that_nobody_waits_for_any_more_is_not_kept(podman):
    image = OwnImage(Runtime("podman"), ("pluggy",))
    looks = iter([False, False, False])
    with pytest.raises(ContainerRuntimeError, match="broken off"):
        image.build(print, is_given_up=lambda: next(looks, True))
    assert not image.is_there()
    assert not [name for name in image._named() if "making-" in name]


def test_a_kernel_in_it_takes_a_console(busy):
    from jupyter_client import BlockingKernelClient
    from jupyter_core.utils import ensure_event_loop

    plugins = busy(sandbox={**PODMAN, "kernel": True})
    assert plugins.execute("busy", "add", {"a": 1}) == 3
    client = BlockingKernelClient(connection_file=str(plugins.connection_file("busy")))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        asked = client.execute("plugin.add(a=40)", user_expressions={"it": "plugin.add(a=40)"})
        reply = client.get_shell_msg(timeout=60)
        assert reply["parent_header"]["msg_id"] == asked
        assert reply["content"]["user_expressions"]["it"]["data"]["text/plain"] == "42"
    finally:
        client.stop_channels()
        client.context.destroy(linger=0)
        # A client without an event loop around it makes one for its thread, and leaves it.
        ensure_event_loop().close()
        asyncio.set_event_loop(None)


# What is wrong with a runtime


def fake(tmp_path, monkeypatch, name, script):
    """A program that does what a broken runtime does, first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text("#!/bin/sh\n" + textwrap.dedent(script))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def refused(plugin_file, tmp_path, runtime):
    plugin_file("busy", SOURCE)
    config = {
        "plugin_dir": tmp_path / "plugins",
        "security": {"sandbox": {"type": "Container", "runtime": runtime}},
    }
    with PluginManager(config) as plugins, pytest.raises(LoadFailedError) as failure:
        plugins.load_plugin("busy")
    return str(failure.value)


def test_a_runtime_that_is_missing_is_named(plugin_file, tmp_path):
    said = refused(plugin_file, tmp_path, "no-such-podman")
    assert "there is no program no-such-podman here" in said
    assert "busy" in said
    assert "apt-get install podman" in said


def test_a_docker_without_its_service_is_said_to_be_stopped(plugin_file, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    words = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"
    if not any(os.access(f"{one}/docker", os.X_OK) for one in os.environ["PATH"].split(":")):
        fake(tmp_path, monkeypatch, "docker", f"echo '{words}' >&2; exit 1")
    said = refused(plugin_file, tmp_path, "docker")
    assert "its service does not run" in said
    assert "systemctl start docker" in said


def test_a_runtime_that_is_too_old_is_told_with_what_is_wanted(plugin_file, tmp_path, monkeypatch):
    fake(
        tmp_path,
        monkeypatch,
        "podman",
        """
        [ "$1" = --version ] && { echo "podman version 1.6.4"; exit; }
        echo "something else went wrong" >&2; exit 125
        """,
    )
    assert "podman 1.6 is too old: 4.0 or later" in refused(plugin_file, tmp_path, "podman")


def test_a_runtime_that_one_may_not_use_is_said_to_be(plugin_file, tmp_path, monkeypatch):
    words = "permission denied while trying to connect to the Docker daemon socket"
    fake(tmp_path, monkeypatch, "docker", f"echo '{words}' >&2; exit 1")
    assert "you have no permission to use it" in refused(plugin_file, tmp_path, "docker")


def test_a_program_that_is_no_runtime_is_told_with_its_words(plugin_file, tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, "podman", "echo 'what is a run?' >&2; exit 3")
    assert "podman run failed: what is a run?" in refused(plugin_file, tmp_path, "podman")


def test_an_image_that_is_not_there_is_named(busy):
    sandbox = {**PODMAN, "image": "localhost/no-such-image:1"}
    with pytest.raises(LoadFailedError, match="no-such-image"):
        busy(sandbox=sandbox).load_plugin("busy")


def test_a_package_that_is_not_installed_is_named(busy):
    sandbox = {**PODMAN, "packages": ["no-such-package"]}
    with pytest.raises(LoadFailedError, match="the package no-such-package is to be in the image"):
        busy(sandbox=sandbox).load_plugin("busy")


def test_a_plugin_with_packages_of_its_own_is_told_where_they_belong(opened, plugin_file):
    plugin_file("busy", SOURCE, python={"dependencies": ["six"]})
    with pytest.raises(PluginError, match="packages"):
        opened().load_plugin("busy")
