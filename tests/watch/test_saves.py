"""A save is one change, however it is done; and what is no save is none."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import time
from pathlib import Path

import pytest

from nebula_lab.watch.settling import LONGEST, QUIET

_spec = importlib.util.spec_from_file_location("editors", Path(__file__).with_name("editors.py"))
editors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(editors)


@pytest.fixture
def one(scene):
    """The file of a plugin that is loaded and watched."""
    path = scene.write("one.py")
    scene.load(path)
    scene.write("other.py")
    scene.watch()
    scene.forget()
    return path


def text(path: Path, body: str) -> str:
    return f'PLUGIN_METADATA = {{"id": "{path.stem}", "version": "1.0.0"}}\n{body}\n'


@pytest.mark.parametrize("save", editors.WAYS, ids=lambda way: way.__name__)
def test_a_save_is_told_once(scene, one, save):
    save(one, text(one, "x = 1\n" * 500))
    assert scene.changed("one").files == ("one.py",)
    scene.settle()
    assert (scene.count("one"), scene.searches()) == (1, 0)


@pytest.mark.parametrize("save", editors.WAYS, ids=lambda way: way.__name__)
def test_so_is_the_next_one(scene, one, save):
    for number in range(2):
        save(one, text(one, f"x = {number}"))
        scene.changed("one")
        scene.settle()
        assert scene.count("one") == 1
        scene.forget()


@pytest.mark.parametrize("save", editors.WAYS, ids=lambda way: way.__name__)
def test_a_save_of_the_same_text_is_none(scene, one, save):
    save(one, one.read_text())
    scene.settle()
    assert (scene.count("one"), scene.searches()) == (0, 0)


def test_a_touch_is_none(scene, one):
    os.utime(one)
    subprocess.run(["touch", one], check=True)
    scene.settle()
    assert scene.count("one") == 0


@pytest.mark.parametrize("name", ["__pycache__/one.pyc", ".ipynb_checkpoints/one.py", "one.py.swp"])
def test_what_comes_and_goes_beside_it_is_none(scene, one, name):
    path = one.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("anything")
    path.write_text("anything else")
    scene.settle()
    assert (scene.count("one"), scene.searches()) == (0, 0)


def test_a_plugin_that_is_deleted_is_told_as_missing(scene, one):
    one.unlink()
    assert scene.changed("one").missing
    scene.settle()
    assert scene.searches() == 1


def test_a_file_that_is_written_without_ever_being_closed_is_told_all_the_same(scene, one):
    with one.open("a") as file:
        file.write("x = 1\n")
        file.flush()
        scene.changed("one")


def test_a_file_is_not_looked_at_before_who_writes_it_closes_it(scene, one):
    began = time.monotonic()
    with one.open("w") as file:
        file.write(text(one, ""))
        file.flush()
        scene.settle()
        file.write("x = 1\n")
        closing = time.monotonic()
    scene.changed("one")
    told = scene.times[[scene.ids(changes) for changes in scene.told].index(["one"])]
    assert told > closing or told - began >= LONGEST  # nobody waits any longer


def test_a_writer_that_never_rests_is_told_of(scene, one):
    number, latest = 0, time.monotonic() + 60
    while scene.count("one") < 2:
        number += 1
        one.write_text(text(one, f"x = {number}"))
        assert time.monotonic() < latest
        time.sleep(QUIET / 10)


def test_a_new_plugin_asks_for_a_search(scene, one):
    scene.write("fresh.py")
    scene.wait_for(lambda changes: changes.discovery)
    scene.settle()
    assert (scene.searches(), scene.count("one")) == (1, 0)


def test_a_change_of_a_plugin_that_is_not_loaded_asks_for_a_search(scene, one):
    scene.write("other.py", "x = 1")
    scene.wait_for(lambda changes: changes.discovery)


def test_a_renamed_plugin_is_missing_and_asks_for_a_search(scene, one):
    one.rename(one.with_name("renamed.py"))
    assert scene.changed("one").missing
    scene.wait_for(lambda changes: changes.discovery)


def test_a_checkout_of_500_files_is_one_change_of_each_plugin(scene):
    def git(*arguments):
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments]
        subprocess.run(command, cwd=scene.folder, check=True, capture_output=True)

    def write(version):
        scene.write("big/__init__.py", f'PLUGIN_METADATA = {{"id": "big", "version": "{version}"}}')
        for number in range(500):
            scene.write(f"big/part{number % 10}/m{number}.py", f"x = {version!r}")
        scene.write("small.py", f"x = {version!r}")

    git("init", "-q")
    for version in ("1.0.0", "2.0.0"):
        write(version)
        git("add", "-A")
        git("commit", "-q", "-m", version)
    git("checkout", "-q", "HEAD~1")
    for name in ("big", "small.py"):
        scene.load(scene.folder / name)
    scene.watch()
    scene.forget()
    git("checkout", "-q", "-")
    assert len(scene.changed("big").files) == 501
    scene.changed("small")
    scene.settle()
    assert (scene.count("big"), scene.count("small")) == (1, 1)
