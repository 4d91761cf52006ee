"""What is in the place of a plugin that comes: its old form, links, too little room."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from registry_world import contents, installation, started, versions, write_package

from nebula_lab.errors import EditedFilesError, InstallError
from nebula_lab.registry.installing.room import require_room
from nebula_lab.registry.installing.updating import update
from nebula_lab.registry.installing.wanted import read_wanted

pytestmark = pytest.mark.usefixtures("home")


def install(growing, folder, *words, **more):
    return installation(growing, folder, **more).install(list(map(read_wanted, words)))


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name[0] != ".")


def test_a_plugin_of_one_file_becomes_one_of_a_folder_and_back(growing, folder):
    install(growing, folder, "counter")
    (growing.plugins / "counter.py").unlink()
    growing.add("counter", "2.0.0", package=True, table="X = 1\n")
    assert [one.version for one in update(installation(growing, folder)).arrivals] == ["2.0.0"]
    assert (names(folder), versions(folder)) == (["counter"], {"counter": "2.0.0"})
    install(growing, folder, "counter@1.0.0")
    assert (names(folder), versions(folder)) == (["counter.py"], {"counter": "1.0.0"})


def test_what_somebody_added_to_a_folder_stays_where_a_file_takes_its_place(growing, folder):
    growing.add("words", "1.0.0", package=True, table="X = 1\n")
    install(growing, folder, "words")
    (folder / "words" / "notes.txt").write_text("mine")
    for path in (growing.plugins / "words").iterdir():
        path.unlink()
    (growing.plugins / "words").rmdir()
    growing.add("words", "2.0.0")
    install(growing, folder, "words")
    assert names(folder) == ["words", "words.py"]
    assert contents(folder)["words/notes.txt"] == b"mine"
    assert versions(folder) == {"words": "2.0.0"}


@pytest.fixture
def turned(growing, folder):
    """`words/data` is installed as a file, and a folder in the next version."""
    package = write_package(growing.plugins, "words", "1.0.0")
    (package / "data").write_text("1")
    growing.add("other")
    install(growing, folder, "words")
    (package / "data").unlink()
    (package / "data").mkdir()
    (package / "data" / "table").write_text("2")
    growing.add("words", "2.0.0", package=True)
    return folder / "words"


def test_a_file_in_a_package_becomes_a_folder_and_back(growing, folder, turned):
    assert (turned / "data").read_text() == "1"
    install(growing, folder, "words")
    assert (turned / "data" / "table").read_text() == "2"
    install(growing, folder, "words@1.0.0")
    assert (turned / "data").read_text() == "1"


KILLED = """
import os, shutil
from nebula_lab.registry.installing.folder import PluginFolder, finish_installs

def attempt(folder, words, at):
    "Install in a process that is killed at its step number `at`; whether it was."
    sys.argv[2] = folder
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 9
    steps = iter(range(1, 1000))

    def dying(real):
        def act(*arguments, **more):
            if next(steps) == at:
                os.kill(os.getpid(), 9)
            return real(*arguments, **more)
        return act

    for name in ("rename", "unlink", "rmdir", "mkdir"):
        setattr(Path, name, dying(getattr(Path, name)))
    install(words)
    os._exit(0)

def state(folder):
    data = folder / "words" / "data"
    version = PluginFolder(folder).installed()["words"].version
    return version, data.read_text() if data.is_file() else (data / "table").read_text()

top = Path(sys.argv[2])
tried = 0
for first, last in (("1", "2"), ("2", "1")):
    sys.argv[2] = start = Path(f"{top}-{first}")
    install(f"words@{first}.0.0")
    for at in range(1, 1000):
        folder = Path(f"{top}-{first}-{at}")
        shutil.copytree(start, folder)
        if not attempt(folder, f"words@{last}.0.0", at):
            break
        finish_installs(folder)
        assert state(folder) in ((f"{first}.0.0", first), (f"{last}.0.0", last)), (first, at)
        install(f"words@{last}.0.0")
        assert state(folder) == (f"{last}.0.0", last), (first, at)
    tried += at - 1
print("tried", tried)
"""


def test_a_process_that_is_killed_between_file_and_folder_leaves_one_of_them(
    growing, turned, tmp_path
):
    process = started(growing.served, tmp_path / "killed", KILLED)
    said, complaints = process.communicate(timeout=100)
    assert process.returncode == 0, complaints
    assert int(said.split()[-1]) > 20


def test_a_folder_with_files_of_somebodys_own_does_not_become_a_file(growing, folder, turned):
    install(growing, folder, "words")
    (turned / "data" / "notes.txt").write_text("mine")
    before = contents(folder)
    with pytest.raises(InstallError, match=r"data is a folder, and has .*: words/data/notes\.txt"):
        install(growing, folder, "words@1.0.0", replace=True)
    assert contents(folder) == before


def test_edited_files_are_kept_where_a_folder_takes_their_place(growing, folder, turned):
    (turned / "data").write_text("mine")
    with pytest.raises(EditedFilesError, match="words/data"):
        install(growing, folder, "words")
    [arrival] = install(growing, folder, "words", replace=True).arrivals
    assert (arrival.kept / "words" / "data").read_text() == "mine"
    assert (turned / "data" / "table").read_text() == "2"


# Links


def test_nothing_is_removed_by_way_of_a_link(growing, folder, tmp_path):
    growing.add("words", "1.0.0", package=True, table="X = 1\n")
    install(growing, folder, "words")
    (folder / "words").rename(tmp_path / "checkout")
    (folder / "words").symlink_to(tmp_path / "checkout")
    before = contents(tmp_path / "checkout")
    shutil.rmtree(growing.plugins / "words")
    growing.add("words", "2.0.0")  # of a file, so that nothing of it is written to the folder
    with pytest.raises(InstallError, match="words is a link"):
        install(growing, folder, "words", replace=True)
    assert contents(tmp_path / "checkout") == before
    assert not (folder / "words.py").exists()


def test_what_is_remembered_is_not_written_by_way_of_a_link(growing, folder, tmp_path):
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / ".nebula-lab").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InstallError, match="is a link"):
        install(growing, folder, "counter")
    assert names(folder) == []
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_of_plugins_that_is_a_link_itself_is_installed_into(growing, folder, tmp_path):
    (tmp_path / "large-disk").mkdir()
    folder.symlink_to(tmp_path / "large-disk")
    install(growing, folder, "counter")
    assert versions(folder) == {"counter": "1.0.0"}


# Room


def test_too_little_room_is_said_before_anything_is_written(tmp_path):
    with pytest.raises(
        InstallError, match=r"there is no room: the files have .* MB left"
    ) as caught:
        require_room(tmp_path / "not" / "there", 10**18)
    assert str(tmp_path) in caught.value.message


SMALL_DISK = """
import os, subprocess, sys
from pathlib import Path
from registry_world import installation
from nebula_lab.errors import InstallError
from nebula_lab.model import SecurityConfig
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.installing.install import Installation
from nebula_lab.registry.installing.wanted import read_wanted
here, url = Path(sys.argv[2]), sys.argv[3]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", here / "small"], check=True)
(here / "mine").symlink_to(here / "small" / "plugins")
(here / "small" / "plugins").mkdir()
act = Installation(here / "mine", (Registry(url=url),), SecurityConfig())
try:
    act.install([read_wanted("words")])
except InstallError as error:
    print(error)
print(sorted(path.name for path in (here / "mine").iterdir()))
"""


def test_the_disk_that_counts_is_the_one_that_is_written_to(growing, tmp_path):
    """The folder is a link to a small disk, beside a large one."""
    package = write_package(growing.plugins, "words")
    (package / "large.bin").write_bytes(bytes(4 * 2**20))
    growing.add("other")
    (tmp_path / "small").mkdir()
    program = "import sys; sys.path.insert(0, sys.argv[1])\n" + SMALL_DISK
    words = [sys.executable, "-c", program, Path(__file__).parent, tmp_path, growing.registry.url]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "there is no room: the files have 4" in done.stdout, done.stderr
    assert done.stdout.endswith("['.nebula-lab']\n")


def test_of_many_archives_one_at_a_time_is_in_memory(growing, folder):
    size, count = 2**21, 8
    ids = [f"large-{number}" for number in range(count)]
    for plugin_id in ids:
        package = write_package(growing.plugins, plugin_id)
        (package / "data.bin").write_bytes(os.urandom(size))
    growing.add("other")
    tracemalloc.start()
    try:
        install(growing, folder, *ids)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(versions(folder)) == count
    assert most < size * count / 2
