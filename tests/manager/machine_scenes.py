"""A manager on a machine whose disk or clock is odd: python machine_scenes.py FOLDER SCENE…

In a process of its own, which may have mounted file systems that nobody else sees. For each scene
it tells how that went, in a line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from nebula_lab import PluginManager
from nebula_lab.errors import PluginCrashedError, PluginError
from nebula_lab.model import ZygoteConfig
from nebula_lab.sandbox.launcher import Launcher
from nebula_lab.sandbox.nursery import nursery

SOURCE = """
import os
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {{"id": "counter", "version": "1.{version}.0"}}
class Counter(Plugin):
    def initialize(self, config): self.count = 0
    @operation
    def up(self) -> list[int]:
        self.count += 1
        return [{version}, self.count]
    @operation
    def die(self): os._exit(1)
def plugin_entry(): return Counter()
# {padding}
"""
# More than what is left on a disk that counts as full.
PADDING = 40_000
CURE = "NEBULA_LAB_HOME"


def write(folder: Path, version: int) -> None:
    padding = f"{version}" * PADDING
    (folder / "counter.py").write_text(SOURCE.format(version=version, padding=padding))


@contextlib.contextmanager
def counting(folder: Path):
    """A manager whose counter has had two versions and is at 2."""
    plugins = folder / "plugins"
    plugins.mkdir()
    write(plugins, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        manager = PluginManager(
            {
                "plugin_dir": plugins,
                "hot_reload": False,
                "checkpoint": {"calls": 1},
                "restart": {"backoff": 0.3},
            }
        )
    with manager:
        assert manager["counter"].up() == [1, 1]
        until(lambda: len(manager.plugin_history("counter")) == 1)
        write(plugins, 2)
        manager.reload_plugin("counter")
        assert manager["counter"].up() == [2, 2]
        until(lambda: len(manager.plugin_history("counter")) == 2)
        write(plugins, 3)
        yield manager


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.005)


def refused(manager: PluginManager, *words: str) -> None:
    """A reload fails, says why and what to do, and the old code goes on."""
    before = manager["counter"].up()
    try:
        manager.reload_plugin("counter")
    except PluginError as error:
        missing = [word for word in (*words, "counter") if word not in str(error)]
        assert not missing, f"{missing} not in: {error}"
    else:
        raise AssertionError("it was reloaded")
    assert manager["counter"].up() == [before[0], before[1] + 1]


def taken(manager: PluginManager) -> None:
    """A reload goes well, and nothing is lost."""
    _, count = manager["counter"].up()
    manager.reload_plugin("counter")
    assert manager["counter"].up() == [3, count + 1]


def goes_on_without_writing(manager: PluginManager) -> None:
    """What is in the store can be used: after a crash, for a rollback, after a suspension."""
    version, count = manager["counter"].up()
    with contextlib.suppress(PluginCrashedError):
        manager["counter"].die()
    assert manager["counter"].up() == [version, count + 1]
    assert manager.rollback_plugin("counter").version == "1.1.0"
    assert manager["counter"].up() == [1, count + 2]
    manager.suspend_plugin("counter")
    assert manager["counter"].up() == [1, count + 3]


def mounted(path: Path, size: str) -> Path:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    return path


@contextlib.contextmanager
def filled(disk: Path):
    """Take all room there is on a disk."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    yield
    ballast.unlink()


# Scenes


def full_store(folder: Path) -> None:
    home = mounted(folder / "home", "1m")
    os.environ["NEBULA_LAB_HOME"] = str(home)
    with counting(folder) as manager:
        with filled(home):
            refused(manager, "No space left", CURE, str(home))
            goes_on_without_writing(manager)
            refused(manager, "No space left", CURE)
        taken(manager)


def read_only_store(folder: Path) -> None:
    home = mounted(folder / "home", "1m")
    os.environ["NEBULA_LAB_HOME"] = str(home)
    with counting(folder) as manager:
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
        refused(manager, "Read-only file system", CURE)
        goes_on_without_writing(manager)
        subprocess.run(["mount", "-o", "remount,rw", home], check=True)
        taken(manager)


def small_files_only(folder: Path) -> None:
    """A disk that is full, as far as a process can meet one without any rights."""
    os.environ["NEBULA_LAB_HOME"] = str(folder / "home")
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    with counting(folder) as manager:
        resource.setrlimit(resource.RLIMIT_FSIZE, (PADDING // 2, most))
        refused(manager, "File too large", CURE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        taken(manager)


def full_run_folder(folder: Path) -> None:
    """The disk with the scratch folders and sockets is full, not that of the store."""
    os.environ["NEBULA_LAB_HOME"] = str(folder / "home")
    disk = mounted(folder / "run", "1m")
    os.environ["TMPDIR"] = str(disk)
    os.environ.pop("XDG_RUNTIME_DIR", None)
    tempfile.tempdir = None  # which is remembered
    with counting(folder) as manager:
        hosts = manager._engine._run_dir
        assert hosts.is_relative_to(disk)
        until(lambda: len([*hosts.glob("h*")]) == 1)  # the first version's files are gone
        with filled(disk):
            refused(manager, "No space left")
            with contextlib.suppress(PluginCrashedError):
                manager["counter"].die()
            assert manager["counter"].up() == [2, 5]  # where the dead one had been there is room
        taken(manager)


def clock_set_back(folder: Path) -> None:
    """Whoever asks is told that it is twenty years ago, and later that these are over."""
    os.environ["NEBULA_LAB_HOME"] = str(folder / "home")
    right = time.time
    with counting(folder) as manager:
        time.time = lambda: right() - 20 * 366 * 86_400
        taken(manager)
        history = ["1.3.0", "1.2.0", "1.1.0"]
        until(lambda: [one.version for one in manager.plugin_history("counter")] == history)
        with contextlib.suppress(PluginCrashedError):
            manager["counter"].die()
        assert manager["counter"].up() == [3, 5]
        assert [manager.rollback_plugin("counter").version for _ in range(2)] == history[1:]
        assert manager["counter"].up() == [1, 6]
        manager.suspend_plugin("counter")
        assert manager["counter"].up() == [1, 7]
    tidied = folder / "home" / "store" / "tidied"
    os.utime(tidied, (right() + 86_400, right() + 86_400))
    time.time = right
    with PluginManager(manager.config) as another:
        assert [one.version for one in another.plugin_history("counter")] == history
        assert another["counter"].up() == [3, 1]
    assert tidied.stat().st_mtime <= right(), "it is tidied again"


def play(scene: str, folder: Path) -> str:
    """What went wrong in a scene; an empty text if nothing did."""
    usual, clock = dict(os.environ), time.time
    size = resource.getrlimit(resource.RLIMIT_FSIZE)
    folder.mkdir()
    try:
        globals()[scene](folder)
    except BaseException:
        return traceback.format_exc()
    finally:
        os.environ.clear()
        os.environ.update(usual)
        tempfile.tempdir = None
        time.time = clock
        resource.setrlimit(resource.RLIMIT_FSIZE, size)
    return ""


if __name__ == "__main__":
    place, *scenes = sys.argv[1:]
    zygote = Launcher(ZygoteConfig(), nursery())  # one for the managers of all scenes
    zygote.warm_up()
    for number, name in enumerate(scenes):
        print(json.dumps([name, play(name, Path(place, str(number)))]), flush=True)
    zygote.close()
