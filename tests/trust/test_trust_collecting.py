"""Which files are a plugin's, and that they are read as they are."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import StoreError
from nebula_lab.trust import intake
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.contents import PluginFiles, StoredFile


def test_a_single_file_is_its_plugin(counter, take, names):
    assert names(take(counter)) == ["counter.py"]


def test_the_bytes_are_those_of_the_file_with_their_hash(counter, take):
    collected = take(counter)
    content = counter.read_bytes()
    assert collected.contents["counter.py"] == content
    assert collected.files.files[0].sha256 == hashlib.sha256(content).hexdigest()
    assert collected.files.files[0].size == len(content)


def test_a_file_is_taken_with_its_manifest_and_signature_beside_it(write, take, names):
    for name in ("tool.toml", "tool.sums", "tool.sums.sig", "tool.txt"):
        write(name, 'id = "tool"\nversion = "1.0.0"\n')
    collected = take(write("tool.py", "def plugin_entry(): ..."))
    assert names(collected) == ["tool.py", "tool.sums", "tool.sums.sig", "tool.toml"]
    assert collected.description == "tool.toml"


def test_a_package_is_taken_whole_but_for_caches_and_hidden_files(package, write, take, names):
    for name in ("__pycache__/x.pyc", ".git/config", ".ipynb_checkpoints/a.py", "a.py~"):
        write(f"pack/{name}")
    collected = take(package)
    assert names(collected) == [
        "pack/__init__.py",
        "pack/inner/__init__.py",
        "pack/inner/data.bin",
        "pack/plugin.toml",
    ]
    assert (collected.files.source, collected.is_package) == ("pack", True)


def test_a_package_is_taken_with_its_manifest_beside_it(write, take, names):
    write("pack.toml", 'id = "pack"\nversion = "1.0.0"\n')
    collected = take(write("pack/__init__.py").parent)
    assert names(collected) == ["pack.toml", "pack/__init__.py"]
    assert collected.description == "pack.toml"


def test_a_manifest_in_another_folder_is_no_part_of_the_plugin(write, take, names):
    write("src/tool.py", "def plugin_entry(): ...")
    manifest = write("tool.toml", 'id = "tool"\nversion = "1.0.0"\npath = "src/tool.py"\n')
    collected = take(manifest)
    assert (names(collected), collected.description) == (["tool.py"], None)


@pytest.mark.parametrize("written", [".", "..", "../pack"])
def test_a_package_whose_manifest_leads_back_to_it_is_taken_under_its_name(
    write, take, names, written
):
    write("pack/__init__.py")
    place = "pack/plugin.toml" if written == "." else "pack/inner/plugin.toml"
    path = {".": ".", "..": "..", "../pack": "../../pack"}[written]
    manifest = write(place, f'id = "pack"\nversion = "1.0.0"\npath = "{path}"\n')
    collected = take(manifest)
    assert names(collected) == ["pack/__init__.py", place]
    assert (collected.files.source, collected.description) == ("pack", place)


def test_a_manifest_beside_is_found_through_a_link_to_its_folder(write, plugins, tmp_path, take):
    write("tool.toml", 'id = "tool"\nversion = "1.0.0"\n')
    write("tool.py", "def plugin_entry(): ...")
    (tmp_path / "link").symlink_to(plugins)
    assert take(tmp_path / "link" / "tool.py").description == "tool.toml"


def test_modules_beside_a_file_are_taken_where_it_imports_them(counter, write, take, names):
    write("helper.py", "import deeper\n")
    write("deeper.py", "from kit import tool\nimport counter\n")
    write("kit/__init__.py")
    write("kit/tool.py", "import last\n")
    write("kit/table.csv", "1,2\n")
    write("last.py")
    write("stranger.py")
    counter.write_text(counter.read_text() + "def late():\n    import helper.x\n")
    assert names(take(counter)) == [
        "counter.py",
        "deeper.py",
        "helper.py",
        "kit/__init__.py",
        "kit/table.csv",
        "kit/tool.py",
        "last.py",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "import helper as h",
        "from helper import *",
        "importlib.import_module('helper')",
        "__import__('helper')",
    ],
)
def test_every_way_to_write_an_import_is_found(counter, write, take, names, statement):
    write("helper.py")
    counter.write_text(f"{counter.read_text()}\nif 0:\n  {statement}\n".replace("if 0:", "if 1:"))
    assert "helper.py" in names(take(counter))


@pytest.mark.parametrize("text", ["# helper", "'helper'", "x.helper()", "from .helper import x"])
def test_a_word_is_no_import(counter, write, take, names, text):
    write("helper.py")
    counter.write_text(f"{counter.read_text()}\ndef f(x):\n  {text}\n  return x\n")
    assert names(take(counter)) == ["counter.py"]


def test_a_module_with_the_name_of_one_of_the_standard_library_is_not_taken(
    counter, write, take, names
):
    write("json.py")
    counter.write_text(f"import json\n{counter.read_text()}")
    assert names(take(counter)) == ["counter.py"]


def test_of_a_folder_without_init_only_modules_are_taken(counter, write, take, names):
    write("data/reader.py")
    write("data/huge.csv")
    counter.write_text(f"import data.reader\n{counter.read_text()}")
    assert names(take(counter)) == ["counter.py", "data/reader.py"]


def test_a_compiled_module_beside_is_taken(counter, write, take, names):
    write("fast.cpython-311-x86_64-linux-gnu.so", b"\x7fELF")
    counter.write_text(f"import fast\n{counter.read_text()}")
    assert names(take(counter)) == ["counter.py", "fast.cpython-311-x86_64-linux-gnu.so"]


def test_the_imports_of_a_notebook_are_found_in_its_cells(write, take, names):
    write("helper.py")
    lines = ["%matplotlib inline\n", 'PLUGIN_METADATA = {"id": "book", "version": "1.0.0"}\n']
    cells = [
        {"cell_type": "markdown", "source": "import stranger"},
        {"cell_type": "code", "source": [*lines, "def plugin_entry(): ...\n"]},
        {"cell_type": "code", "source": "!ls\nimport helper"},
    ]
    book = write("book.ipynb", json.dumps({"nbformat": 4, "cells": cells}))
    assert names(take(book)) == ["book.ipynb", "helper.py"]


def test_a_source_that_is_not_python_is_taken_alone_and_left_to_its_load(write, take, names):
    write("tool.toml", 'id = "tool"\nversion = "1.0.0"\n')
    write("helper.py")
    assert names(take(write("tool.py", "import helper\n("))) == ["tool.py", "tool.toml"]


def test_whether_a_file_is_executable_is_kept(package, take):
    (package / "inner" / "data.bin").chmod(0o755)
    found = {file.path: file.executable for file in take(package).files.files}
    assert found["pack/inner/data.bin"]
    assert not found["pack/__init__.py"]


def test_a_plugin_that_is_a_link_is_taken(plugins, counter, tmp_path, take):
    elsewhere = counter.rename(tmp_path / "elsewhere.py")
    counter.symlink_to(elsewhere)
    assert take(counter).contents["counter.py"] == elsewhere.read_bytes()


def test_a_package_that_is_a_link_is_taken(package, tmp_path, take, names):
    expected = names(take(package))
    package.symlink_to(package.rename(tmp_path / "elsewhere"))
    assert names(take(package)) == expected


def test_a_link_inside_a_package_gives_what_it_leads_to(package, take):
    (package / "again.bin").symlink_to("inner/data.bin")
    assert take(package).contents["pack/again.bin"] == bytes(range(256))


def _outside(package, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("key")
    (package / "data.txt").symlink_to(secret)


def _by_another_folder(package, tmp_path):
    (tmp_path / "folder").mkdir()
    (package / "data").symlink_to(tmp_path / "folder")


def _fifo(package, tmp_path):
    os.mkfifo(package / "data")


def _socket(package, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(package / "data"))


def _device(package, tmp_path):
    (package / "data").symlink_to("/dev/zero")


def _dangling(package, tmp_path):
    (package / "data").symlink_to("nowhere")


def _loop(package, tmp_path):
    (package / "data").symlink_to("data")


def _line_break(package, tmp_path):
    (package / "a\nb").touch()


def _not_text(package, tmp_path):
    (package / os.fsdecode(b"\xff")).touch()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_outside, "leads out of"),
        (_by_another_folder, "a link to a folder"),
        (_fifo, "is a fifo"),
        (_socket, "is a socket"),
        (_device, "is a device"),
        (_dangling, "No such file"),
        (_loop, "symbolic links"),
        (_line_break, "can't be kept"),
        (_not_text, "can't be kept"),
    ],
)
def test_what_no_plugin_consists_of_is_refused(package, tmp_path, take, make, said):
    make(package, tmp_path)
    with pytest.raises(StoreError, match=said) as caught:
        take(package)
    assert caught.value.plugin_id == "pack"
    assert str(package) in str(caught.value.path)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["helper.py", "counter.sums.sig", "helper"])
def test_a_link_beside_a_file_may_not_lead_out_of_its_folder(counter, tmp_path, take, name):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("key")
    target = tmp_path / "secret"
    counter.with_name(name).symlink_to(target if name == "helper" else target / "key")
    counter.write_text(f"import helper\n{counter.read_text()}")
    with pytest.raises(StoreError, match=r"leads out of|link to a folder"):
        take(counter)


# Puts a link in the place of a file, and then of its folder, and takes it away again, for ever.
SWAP = """
import os, sys
inner, secret, aside = sys.argv[1:]
file, key = inner + "/data.bin", secret + "/data.bin"
while True:
    for place, target in ((file, key), (inner, secret)):
        os.rename(place, aside)
        os.symlink(target, place)
        os.unlink(place)
        os.rename(aside, place)
"""


def test_a_link_that_comes_and_goes_meanwhile_never_gives_what_it_leads_to(package, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "data.bin").write_text("key")
    descriptor, refused = read_descriptor(package), 0
    command = [sys.executable, "-c", SWAP, package / "inner", secret, tmp_path / "aside"]
    with subprocess.Popen(command) as swapper:
        try:
            deadline = time.monotonic() + 30
            for count in itertools.count():
                if time.monotonic() > deadline or (count > 1000 and refused):
                    break
                try:
                    assert b"key" not in collect(descriptor).contents.values()
                except StoreError as error:
                    refused += "leads out of" in error.message
        finally:
            swapper.kill()
    assert refused > 0  # else the two have never met


def test_too_many_files_are_refused(package, take, monkeypatch):
    monkeypatch.setattr(intake, "MOST_FILES", 3)
    with pytest.raises(StoreError, match="more than 3 files"):
        take(package)


def test_too_large_files_are_refused_before_they_are_read(package, take):
    with (package / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(StoreError, match="256 MiB together"):
        take(package)


def test_a_plugin_whose_file_has_gone_is_refused(counter):
    descriptor = read_descriptor(counter)
    counter.unlink()
    with pytest.raises(StoreError, match="No such file"):
        collect(descriptor)


def test_equal_files_have_equal_digests_wherever_they_are(package, tmp_path, take):
    first = take(package).files
    moved = package.rename(tmp_path / "pack")
    assert take(moved).files == first
    assert take(moved).files.digest == first.digest


@pytest.mark.parametrize(
    "change",
    [
        lambda package: (package / "new.py").touch(),
        lambda package: (package / "plugin.toml").chmod(0o755),
        lambda package: (package / "inner").rename(package / "other"),
        lambda package: (package / "__init__.py").write_text("def plugin_entry(): 1\n"),
    ],
)
def test_every_change_gives_another_digest(package, take, change):
    before = take(package).files.digest
    change(package)
    assert take(package).files.digest != before


def test_the_text_of_a_tree_gives_the_tree(package, take):
    files = take(package).files
    assert PluginFiles.parse(files.text) == files


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a/./b", "", "a\\b", "a/.."])
def test_a_tree_with_a_path_out_of_it_is_not_read(path):
    files = PluginFiles("a", (StoredFile(path, "0" * 64, 1),))
    with pytest.raises(StoreError):
        PluginFiles.parse(files.text)


def test_nothing_runs(write, tmp_path, take):
    write("helper.py", f"open({str(tmp_path / 'ran')!r}, 'w')")
    write("tool.toml", 'id = "tool"\nversion = "1.0.0"\n')
    take(write("tool.py", f"import helper\nopen({str(tmp_path / 'ran')!r}, 'w')"))
    assert not (tmp_path / "ran").exists()
