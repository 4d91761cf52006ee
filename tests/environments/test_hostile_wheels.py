"""What a plugin has installed is as hostile as the plugin: none of it runs but in its own host."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from local_wheels import write_wheel

from nebula_lab import PluginManager
from nebula_lab.environments.agent_copy import agent_folder
from nebula_lab.environments.cache_layout import CacheLayout, cache_root, uv_cache_root
from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.model import PluginDescriptor, PythonNeeds

# Runs when a Python of the environment starts, by three ways, and tries all that it can.
ATTACK = """
import builtins, json, os, socket, subprocess, sys
def tried(what):
    try:
        what()
    except Exception as error:
        return type(error).__name__
    return "done"
def write():
    with open({trace!r} + "/" + str(os.getpid()), "w") as file:
        file.write(" ".join(sys.argv))
def connect():
    socket.create_connection(("127.0.0.1", {port}), 5)
def spoil(folder):
    with open(os.path.join(folder, "spoilt"), "w") as file:
        file.write("x")
if not hasattr(builtins, "attacks"):
    builtins.attacks = {{}}
builtins.attacks[{way!r}] = {{
    "write outside": tried(write),
    "read a secret": tried(lambda: open({trace!r} + "/secret").read()),
    "list other environments": tried(lambda: os.listdir({cache!r} + "/answers")),
    "write to the environment": tried(lambda: spoil(sys.prefix)),
    "write to our code": tried(lambda: spoil({ours!r})),
    "read what others are linked to": tried(lambda: open({links!r} + "/CACHEDIR.TAG").read()),
    "connect": tried(connect),
    "start a process": tried(lambda: subprocess.run(["true"])),
    "fork": tried(lambda: os.fork() or os._exit(0)),
    "read the manager": tried(lambda: open("/proc/" + str(os.getppid()) + "/environ").read()),
    "map memory that is not counted": tried(lambda: os.memfd_create("x")),
}}
"""
# The last step of the confinement is taken by code that the plugin's packages have in hand.
UNSEALED = """
import importlib.abc, importlib.util, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "nebula_lab.confine.confinement":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module
        def exec_module(module):
            run(module)
            module.Confined.seal = lambda self: None
        spec.loader.exec_module = exec_module
        return spec
sys.meta_path.insert(0, Finder())
"""
ANEW = {"zygote": {"enabled": False}}
PLUGIN = """
class Innocent(Plugin):
    @operation
    def attacks(self) -> dict:
        import builtins
        return builtins.attacks

    @operation
    def attack_now(self) -> dict:
        import builtins, evil
        evil.attack()
        return builtins.attacks

    @operation
    def pid(self) -> int:
        import os
        return os.getpid()

    @operation
    def is_sealed(self) -> bool:
        import socket
        try:
            socket.socket(socket.AF_UNIX).close()
        except OSError:
            return True
        return False

def plugin_entry():
    return Innocent()
"""


@pytest.fixture(scope="module")
def trace(kept):
    """A folder in which whatever runs unconfined leaves a file, beside a secret."""
    folder = kept / "trace"
    folder.mkdir(mode=0o777)
    (folder / "secret").write_text("secret")
    return folder


@pytest.fixture(autouse=True)
def nothing_runs_unconfined(trace):
    yield
    assert [one.name for one in trace.iterdir()] == ["secret"]


@pytest.fixture(scope="module")
def attack(index, trace):
    """The text of an attack, named after the way in which it comes to run."""
    ours = f"{agent_folder(CacheLayout(cache_root()))}/nebula_lab"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        yield lambda way: ATTACK.format(
            way=way,
            trace=str(trace),
            cache=str(cache_root()),
            links=str(uv_cache_root()),
            ours=ours,
            port=port,
        )


@pytest.fixture(scope="module")
def evil(host_index, attack):
    """Two packages: one that attacks in three ways, one that has its host leave out its seal."""
    later = attack("later").replace("\n", "\n    ")
    files = {
        "evil.py": f"def attack():\n    {later}\n",
        "evil.pth": as_pth(attack("pth")),
        "sitecustomize.py": attack("sitecustomize"),
    }
    write_wheel(host_index, "evil", "1.0", files)
    write_wheel(host_index, "unsealing", "1.0", {"unsealing.pth": as_pth(UNSEALED)})


def as_pth(text):
    return f"import sys; exec({text!r}, {{}})\n"


def asking_for(*names, **security):
    return {"python": {"dependencies": list(names)}, "security": security}


@pytest.mark.parametrize("sees_all", [False, True])
def test_what_runs_when_its_python_starts_is_confined(evil, plugin_file, trace, sees_all):
    capabilities = ["FileSystem"] if sees_all else []
    path = plugin_file("innocent", PLUGIN, **asking_for("evil", capabilities=capabilities))
    with PluginManager({"plugin_dir": path.parent, "hot_reload": False}) as plugins:
        plugins.build_environment("innocent")
        found = plugins.execute("innocent", "attacks")
        assert plugins.execute("innocent", "is_sealed")
        pid = str(plugins["innocent"].pid())
    assert set(found) == {"pth", "sitecustomize"}
    for way, attacks in found.items():
        if sees_all:  # what the user may do, it may do; but nothing of ours
            assert attacks.pop("write outside") == attacks.pop("read a secret") == "done"
        assert "done" not in attacks.values(), (way, attacks)
    if sees_all:
        (trace / pid).unlink()  # which was the host's own, and nobody else's


def test_a_host_that_leaves_out_its_seal_is_held_all_the_same(evil, plugin_file):
    path = plugin_file("innocent", PLUGIN, **asking_for("evil", "unsealing"))
    with PluginManager({"plugin_dir": path.parent, "hot_reload": False, **ANEW}) as plugins:
        plugins.build_environment("innocent")
        assert not plugins.execute("innocent", "is_sealed")
        attacks = plugins.execute("innocent", "attack_now")["later"]
    assert "done" not in attacks.values(), attacks


def test_no_command_of_ours_runs_what_is_in_an_environment(evil, plugin_file, tmp_path):
    plugin_file("innocent", PLUGIN, **asking_for("evil"))
    place = ("--plugin-dir", str(tmp_path / "plugins"))
    for command in (
        ("env", "build", *place),
        ("env", "path", *place, "innocent"),
        ("env", "list", "--json"),
        ("check", *place),
        ("env", "gc"),
    ):
        command_line = [sys.executable, "-c", "from nebula_lab.cli.main import main; main()"]
        done = subprocess.run([*command_line, *command], capture_output=True, text=True)
        assert not done.stderr, (command, done.stderr)
        if command == ("env", "list", "--json"):
            assert any("evil==1.0" in one["packages"] for one in json.loads(done.stdout))


def test_a_user_s_own_wish_for_bytecode_runs_nothing(evil, cache, monkeypatch, tmp_path):
    settings = tmp_path / "uv.toml"
    settings.write_text("no-index = true\n[pip]\ncompile-bytecode = true\n")
    monkeypatch.setenv("UV_CONFIG_FILE", str(settings))
    monkeypatch.setenv("UV_COMPILE_BYTECODE", "1")
    cache.ready(PythonNeeds(dependencies=("evil",)))


def test_a_wheel_can_t_put_files_outside_of_its_environment(index, cache, tmp_path):
    target = tmp_path / "escaped"
    depth = len(CacheLayout(cache_root()).new.parts) + 5
    up = "../" * depth
    write_wheel(index, "climber", "1.0", {"climber.py": "", f"{up}{str(target)[1:]}": "escaped"})
    write_wheel(
        index,
        "absolute",
        "1.0",
        {"absolute.py": "", f"absolute-1.0.data/data/{up}{str(target)[1:]}": "escaped"},
    )
    for name in ("climber", "absolute"):
        try:
            cache.ready(PythonNeeds(dependencies=(name,)))
        except EnvironmentFailedError as error:
            assert error.explanation
        assert not target.exists()


def test_the_lists_of_packages_hold_no_words_of_a_plugin_s(index, cache):
    for text in ("-r /etc/passwd", "x\n--index-url=http://127.0.0.1/", "x @ file:///etc", "-e ."):
        with pytest.raises(ValueError, match=r"python\.dependencies"):
            PluginDescriptor.model_validate(
                {
                    "id": "a",
                    "version": "1.0.0",
                    "path": Path(os.devnull),
                    "python": {"dependencies": [text]},
                }
            )
