"""Which files belong to a plugin: those that a load collects."""

from __future__ import annotations

import pytest


def test_the_module_that_a_plugin_imports_from_beside_it(scene):
    helper = scene.folder / "helper.py"
    helper.write_text("x = 1")
    scene.load(scene.write("one.py", "import helper"))
    scene.watch()
    scene.forget()
    helper.write_text("x = 2")
    assert scene.changed("one").files == ("helper.py",)


def test_not_a_module_that_it_does_not_import(scene):
    scene.load(scene.write("one.py"))
    scene.watch()
    scene.forget()
    (scene.folder / "helper.py").write_text("x = 2")
    scene.settle()
    assert scene.count("one") == 0


def test_a_module_that_it_lacked_until_now(scene):
    scene.load(scene.write("one.py", "import helper"))
    scene.watch()
    scene.forget()
    (scene.folder / "helper.py").write_text("x = 2")
    assert scene.changed("one").files == ("helper.py",)


def test_a_module_of_which_it_has_just_begun_to_make_use(scene):
    helper = scene.folder / "helper.py"
    helper.write_text("x = 1")
    one = scene.write("one.py")
    scene.load(one)
    scene.watch()
    scene.forget()
    scene.write("one.py", "import helper")
    scene.changed("one")
    scene.forget()
    helper.write_text("x = 2")
    assert scene.changed("one").files == ("helper.py",)


def test_a_package_that_it_imports_from_beside_it(scene):
    scene.write("lib/__init__.py", "")
    scene.write("lib/deep/inner.py", "x = 1")
    scene.load(scene.write("one.py", "import lib"))
    scene.watch()
    scene.forget()
    scene.write("lib/deep/inner.py", "x = 2")
    assert scene.changed("one").files == ("lib/deep/inner.py",)


def test_its_manifest(scene):
    manifest = scene.folder / "one.toml"
    manifest.write_text('id = "one"\nversion = "1.0.0"\n')
    (scene.folder / "one.py").write_text("")
    scene.load(scene.folder / "one.py")
    scene.watch()
    scene.forget()
    manifest.write_text('id = "one"\nversion = "1.0.1"\n')
    assert scene.changed("one").files == ("one.toml",)


@pytest.fixture
def package(scene):
    """A package with a manifest in it, loaded and watched."""
    scene.write("pack/plugin.toml", 'id = "pack"\nversion = "1.0.0"\n')
    scene.write("pack/__init__.py", "")
    scene.write("pack/sub/code.py", "x = 1")
    scene.load(scene.folder / "pack")
    scene.watch()
    scene.forget()
    return scene.folder / "pack"


@pytest.mark.parametrize(
    "name", ["plugin.toml", "__init__.py", "sub/code.py", "new.py", "data.csv"]
)
def test_every_file_of_a_package(scene, package, name):
    text = 'id = "pack"\nversion = "1.0.1"\n' if name == "plugin.toml" else "x = 2"
    (package / name).write_text(text)
    assert scene.changed("pack").files == (f"pack/{name}",)


def test_a_file_in_a_folder_that_was_made_just_now(scene, package):
    (package / "fresh" / "deeper").mkdir(parents=True)
    (package / "fresh" / "deeper" / "code.py").write_text("x = 1")
    scene.changed("pack")
    scene.settle()
    scene.forget()
    (package / "fresh" / "deeper" / "code.py").write_text("x = 2")
    assert scene.changed("pack").files == ("pack/fresh/deeper/code.py",)


def test_a_notebook(scene):
    path = scene.folder / "book.ipynb"
    cell = '"cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "%s"}]'
    rest = '"metadata": {}, "nbformat": 4, "nbformat_minor": 5'
    metadata = "PLUGIN_METADATA = {'id': 'book', 'version': '%s'}"

    def write(version):
        path.write_text("{" + cell % (metadata % version) + ", " + rest + "}")

    write("1.0.0")
    scene.load(path)
    scene.watch()
    scene.forget()
    write("1.0.1")
    assert scene.changed("book").files == ("book.ipynb",)


def test_the_file_that_a_link_leads_to(scene):
    target = scene.top / "src" / "one.py"
    target.parent.mkdir()
    path = scene.write("one.py")
    path.rename(target)
    path.symlink_to(target)
    scene.load(path)
    scene.watch()
    scene.forget()
    target.write_text(target.read_text() + "x = 1")
    assert scene.changed("one").files == ("one.py",)


def test_a_file_that_an_editor_leaves_in_a_package_is_none_of_it(scene, package):
    (package / "code.py.tmp").write_text("x")
    (package / "4913").write_text("x")
    (package / "new.py").write_text("x")
    assert scene.changed("pack").files == ("pack/new.py",)


def test_what_was_saved_before_the_watch_began_is_told(scene):
    path = scene.write("one.py")
    scene.load(path)
    path.write_text(path.read_text() + "x = 1")
    scene.watch()
    scene.changed("one")


def test_nothing_is_told_while_the_watch_is_held_and_everything_afterwards(scene):
    path = scene.write("one.py")
    scene.load(path)
    scene.watch()
    scene.forget()
    with scene.watcher.held():
        path.write_text(path.read_text() + "x = 1")
        told = list(scene.told)
    assert told == []
    scene.changed("one")
