"""Where the kernel tells of nothing, folders are looked at; and it is said why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from nebula_lab.watch.events import Kind
from nebula_lab.watch.polling import PolledFolders


@pytest.fixture
def polled(tmp_path):
    """A folder with a file, what has been told of it since it was last asked for, and `poll`."""
    (tmp_path / "a.py").write_text("x = 1")
    told = []
    folders = PolledFolders(told.append)
    folders.add(str(tmp_path))

    def poll():
        told.clear()
        folders.poll()
        return sorted((event.name, event.kind.name) for event in told)

    return tmp_path, poll


def test_a_folder_that_stays_as_it_is_gives_nothing(polled):
    assert polled[1]() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "a.py").write_text("x = 22"), [("a.py", "DONE")]),
        (lambda folder: (folder / "b.py").write_text(""), [("b.py", "DONE")]),
        (lambda folder: (folder / "a.py").unlink(), [("a.py", "WENT")]),
        (lambda folder: (folder / "sub").mkdir(), [("sub", "DONE")]),
        (lambda folder: (folder / "a.py.swp").write_text(""), []),
    ],
    ids=["written", "new", "gone", "folder", "dropping"],
)
def test_a_difference_is_told_once(polled, change, expected):
    folder, poll = polled
    change(folder)
    assert poll() == expected
    assert poll() == []


def test_a_file_of_the_same_length_and_time_under_another_number_is_another_one(polled):
    folder, poll = polled
    status = (folder / "a.py").stat()
    (folder / "fresh").write_text("x = 2")
    poll()
    (folder / "fresh").replace(folder / "a.py")
    os.utime(folder / "a.py", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ("a.py", "DONE") in poll()


def test_a_folder_that_is_gone_is_lost(polled):
    folder, poll = polled
    (folder / "a.py").unlink()
    folder.rmdir()
    assert poll() == [("", Kind.LOST.name)]


# A user namespace has limits of its own for inotify, so this takes nothing from anybody else.
LIMITED = """
import ctypes, json, pathlib, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000):  # CLONE_NEWUSER
    sys.exit(77)
for name, value in json.loads(sys.argv[2]).items():
    pathlib.Path(f"/proc/sys/user/{name}").write_text(str(value))

from nebula_lab import PluginManager
from nebula_lab.model.events import PluginDiscovered, SavedChange, WatchNoted

folder = pathlib.Path(sys.argv[1])
told = {SavedChange: threading.Event(), WatchNoted: threading.Event()}
notes = []

def take(event):
    if isinstance(event, WatchNoted):
        notes.append(event.message)
    told[type(event)].set()

config = {"plugin_dir": folder, "security": {"sandbox": "None"}}
with PluginManager(config) as plugins:
    plugins.subscribe(take, only=tuple(told))
    before = plugins["one"].version()
    status = plugins.watch()
    (folder / "one.py").write_text((folder / "one.py").read_text().replace("return 1", "return 2"))
    assert told[SavedChange].wait(40), "the save was not seen"
    problems = [str(problem) for problem in plugins.problems]
    print(json.dumps({
        "versions": [before, plugins["one"].version()],
        "how": sorted({one.how for one in status.folders}),
        "reasons": status.reasons, "notes": notes, "problems": problems,
    }))
"""
PLUGIN = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {"id": "one", "version": "1.0.0"}
class One(Plugin):
    @operation
    def version(self) -> int:
        return 1
def plugin_entry():
    return One()
"""


def watched_with(tmp_path, **limits):
    """What a manager says and does in a process that has so little inotify."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "one.py").write_text(PLUGIN)
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(folder), json.dumps(limits)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("this machine gives out no user namespaces, where the limits could be set")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(
    ("limit", "value", "setting"),
    [
        ("max_inotify_instances", 0, "max_user_instances"),
        ("max_inotify_watches", 0, "max_user_watches"),
        ("max_inotify_watches", 1, "max_user_watches"),
    ],
)
def test_without_inotify_files_are_polled_and_it_is_said_why(tmp_path, limit, value, setting):
    said, log = watched_with(tmp_path, **{limit: value})
    assert said["versions"] == [1, 2]
    assert "polling" in said["how"]
    for told in (said["reasons"], said["notes"], said["problems"]):
        assert [text for text in told if setting in text], said
    assert setting in log
