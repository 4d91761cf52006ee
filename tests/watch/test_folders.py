"""A path stands for whatever folder it leads to."""

from __future__ import annotations

import contextlib
import mmap
import shutil
import subprocess
import sys
import time

import pytest


@pytest.fixture
def one(scene):
    path = scene.write("one.py")
    scene.load(path)
    scene.watch()
    scene.forget()
    return path


def test_a_folder_that_was_deleted_and_made_anew_is_watched(scene, one):
    shutil.rmtree(scene.folder)
    scene.changed("one")
    scene.forget()
    scene.write("one.py", "x = 1")
    assert not scene.changed("one").missing
    scene.forget()
    scene.write("one.py", "x = 2")
    assert scene.changed("one").files == ("one.py",)


def test_a_folder_that_another_one_was_moved_over_is_watched(scene, one):
    fresh = scene.top / "fresh"
    shutil.copytree(scene.folder, fresh)
    (fresh / "one.py").write_text(one.read_text() + "x = 1")
    scene.folder.rename(scene.top / "old")
    fresh.rename(scene.folder)
    assert scene.changed("one").files == ("one.py",)
    scene.settle()
    scene.forget()
    one.write_text(one.read_text() + "x = 2")
    scene.changed("one")


def test_the_old_folder_is_watched_no_more(scene, one):
    old = scene.top / "old"
    scene.folder.rename(old)
    shutil.copytree(old, scene.folder)
    scene.settle()
    scene.forget()
    (old / "one.py").write_text("x = 3")
    scene.settle()
    assert scene.count("one") == 0


def test_a_link_that_is_made_to_lead_elsewhere_is_followed(scene):
    releases = [scene.top / "releases" / name for name in ("1", "2")]
    for number, release in enumerate(releases):
        release.mkdir(parents=True)
        (release / "one.py").write_text(scene.write("one.py", f"x = {number}").read_text())
    shutil.rmtree(scene.folder)
    scene.folder.symlink_to(releases[0])
    scene.load(scene.folder / "one.py")
    scene.watch()
    shutil.copy(releases[0] / "mark.py", releases[1])
    scene.forget()
    link = scene.top / "next"
    link.symlink_to(releases[1])
    link.replace(scene.folder)
    assert scene.changed("one").files == ("one.py",)
    scene.forget()
    (releases[1] / "one.py").write_text((releases[1] / "one.py").read_text() + "y = 1")
    scene.changed("one")


def test_a_folder_far_above_that_is_replaced_is_noticed(scene):
    deep = scene.top / "a" / "b" / "plugins"
    deep.parent.mkdir(parents=True)
    path = scene.write("one.py")
    shutil.copytree(scene.folder, deep)
    scene.load(deep / path.name)
    scene.watch(root=deep)
    scene.forget()
    shutil.copytree(scene.top / "a", scene.top / "c")
    (scene.top / "c" / "b" / "plugins" / "one.py").write_text(path.read_text() + "x = 1")
    (scene.top / "a").rename(scene.top / "old")
    (scene.top / "c").rename(scene.top / "a")
    scene.changed("one")


def test_a_package_that_was_replaced_is_watched(scene):
    scene.write("pack/__init__.py", 'PLUGIN_METADATA = {"id": "pack", "version": "1.0.0"}')
    scene.load(scene.folder / "pack")
    scene.watch()
    scene.forget()
    fresh = scene.top / "fresh"
    shutil.copytree(scene.folder / "pack", fresh)
    (fresh / "more.py").write_text("x = 1")
    shutil.rmtree(scene.folder / "pack")
    fresh.rename(scene.folder / "pack")
    scene.changed("pack")
    scene.settle()
    scene.forget()
    scene.write("pack/more.py", "x = 2")
    assert scene.changed("pack").files == ("pack/more.py",)


def test_a_folder_that_is_not_there_yet_is_watched_when_it_comes(scene):
    later = scene.top / "later"
    scene.watch(root=later)
    scene.forget()
    later.mkdir()
    (later / "one.py").write_text("x = 1")
    scene.wait_for(lambda changes: changes.discovery)


FLOOD = """
import os, sys
sys.stdin.readline()
files = [os.open(name, os.O_CREAT | os.O_WRONLY) for name in ("a.txt", "b.txt")]
for _ in range(30_000):  # in turn, since equal events one after the other are one
    for file in files:
        os.write(file, b"x")
with open("one.py", "a") as file:
    file.write("x = 1")
with open("../over", "r+b") as file:
    file.write(b"1")
"""


@contextlib.contextmanager
def _alone():
    """No other thread has the interpreter's lock, as long as nothing is done that waits."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(60)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def test_more_events_than_the_kernel_keeps_lose_no_save(scene, one, caplog):
    """The kernel keeps `max_queued_events`, 16384 as a rule, and says when there were more."""
    (scene.top / "over").write_bytes(b"0")
    command = [sys.executable, "-c", FLOOD]
    pipes = {"stdin": subprocess.PIPE, "cwd": scene.folder}
    with (
        (scene.top / "over").open("r+b") as file,
        mmap.mmap(file.fileno(), 1) as over,
        subprocess.Popen(command, **pipes) as flood,
    ):
        latest = time.monotonic() + 60
        with _alone():  # so that nobody reads events meanwhile
            flood.stdin.write(b"\n")
            flood.stdin.close()
            while over[0] != ord("1") and time.monotonic() < latest:
                pass
    scene.changed("one")
    assert "overflow" in caplog.text
