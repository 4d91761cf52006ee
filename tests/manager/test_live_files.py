"""Which file of a plugin is saved, and how its new code comes to run: by itself, as saves do."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest

from nebula_lab.errors import LimitExceededError
from nebula_lab.model.events import SavedChange

ID = "it"
POOR = 'id = "it"\nversion = "{version}"\n'
MANIFEST = f"{POOR}[security]\ncapabilities = ['Network', 'FileSystem', 'MemoryAllocation']\n"
SOURCE = """
from nebula_lab.plugin import Plugin, operation
{imports}
class It(Plugin):
    def initialize(self, config): self.count = 0
    @operation
    def up(self) -> list:
        self.count += 1
        return [{value}, self.count]
    {more}
def plugin_entry(): return It()
"""


def source(value: str = "'one'", imports: str = "", more: str = "") -> str:
    return SOURCE.format(value=value, imports=imports, more=more)


class Desk:
    """A plugin of several files, whose manager takes what is saved.

    Attributes:
        path: the folder of plugins.
    """

    def __init__(self, folder, plugins) -> None:
        self.path: Path = folder.path
        self.plugins = plugins
        self._told: list[SavedChange] = []
        self._came = threading.Condition()
        plugins.subscribe(self._take, only=[SavedChange])

    def _take(self, event: SavedChange) -> None:
        with self._came:
            self._told.append(event)
            self._came.notify_all()

    def put(self, name: str, text: str) -> Path:
        """Write a file at once, in place of what is there."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(text)
        return fresh.replace(path)

    def load(self) -> None:
        """Load the plugin, count to 1, and see to it that it is watched."""
        self.plugins.rediscover()
        self.plugins.execute(ID, "up")
        self.plugins.watch()

    def next_change(self) -> SavedChange:
        """Wait until what was saved has been dealt with."""
        with self._came:
            assert self._came.wait_for(lambda: self._told, 30.0), "no save was dealt with"
            return self._told.pop(0)

    def save(self, name: str, text: str) -> SavedChange:
        """Write a file and wait until it has been dealt with."""
        self.put(name, text)
        return self.next_change()

    def up(self) -> list:
        return self.plugins.execute(ID, "up")


@pytest.fixture
def desk(folder):
    with folder.manager() as plugins:
        yield Desk(folder, plugins)


@pytest.fixture
def single(desk):
    """A plugin of one file with a module beside it."""
    desk.put("it.toml", MANIFEST.format(version="1.0.0"))
    desk.put("beside.py", "def value(): return 'one'\n")
    desk.put("it.py", source("beside.value()", "import beside"))
    desk.load()
    return desk


@pytest.fixture
def package(desk):
    """A plugin that is a package, with modules that import each other relatively."""
    desk.put("it/plugin.toml", MANIFEST.format(version="1.0.0"))
    desk.put("it/__init__.py", source("upper.value()", "from . import upper"))
    desk.put("it/upper.py", "from .deep.lower import NAME\ndef value(): return NAME\n")
    desk.put("it/deep/__init__.py", "")
    desk.put("it/deep/lower.py", "NAME = 'one'\n")
    desk.load()
    return desk


def test_a_module_beside_a_plugin(single):
    change = single.save("beside.py", "def value(): return 'two'\n")
    assert (change.error, change.files) == (None, ("beside.py",))
    assert single.up() == ["two", 2]


def test_a_module_that_becomes_a_package(single):
    package = single.put("../made/__init__.py", "def value(): return 'two'\n").parent
    (single.path / "beside.py").unlink()
    package.rename(single.path / "beside")
    while single.next_change().error is not None:  # seen before the package was there
        pass
    assert single.up() == ["two", 2]


def test_a_broken_module_beside_a_plugin_and_then_a_mended_one(single):
    change = single.save("beside.py", "def value( return")
    assert "SyntaxError" in str(change.error) and "beside.py" in str(change.error)
    assert single.up() == ["one", 2]
    assert single.save("beside.py", "def value(): return 'three'\n").error is None
    assert single.up() == ["three", 3]


def test_a_module_deep_in_a_package(package):
    change = package.save("it/deep/lower.py", "NAME = 'two'\n")
    assert (change.error, change.files) == (None, ("it/deep/lower.py",))
    assert package.up() == ["two", 2]


def test_a_module_that_goes_where_nothing_imports_it_any_more(package):
    package.put("it/upper.py", "def value(): return 'two'\n")
    shutil.rmtree(package.path / "it/deep")
    while package.next_change().error is not None:  # seen while some of it was there
        pass
    assert package.up() == ["two", 2]


def test_a_module_that_goes_and_is_missed(package):
    (package.path / "it/deep/lower.py").unlink()
    assert "No module named" in str(package.next_change().error)
    assert package.up() == ["one", 2]


def test_a_file_in_a_package_that_is_no_code(desk):
    desk.put("it/plugin.toml", MANIFEST.format(version="1.0.0"))
    reading = "pathlib.Path(__file__).with_name('data.txt').read_text()"
    desk.put("it/__init__.py", source(reading, "import pathlib"))
    desk.put("it/data.txt", "one")
    desk.load()
    assert desk.save("it/data.txt", "two").error is None
    assert desk.up() == ["two", 2]


def test_a_manifest_with_another_version(single):
    change = single.save("it.toml", MANIFEST.format(version="1.1.0"))
    assert (change.error, str(change.version)) == (None, "1.1.0")
    assert single.up() == ["one", 2]


def test_a_manifest_with_other_rights_and_limits(desk):
    greedy = "@operation\n    def eat(self) -> int: return len(bytearray(400_000_000))"
    desk.put("it.toml", MANIFEST.format(version="1.0.0"))
    desk.put("it.py", source(more=greedy))
    desk.load()
    assert desk.plugins.execute(ID, "eat") == 400_000_000
    before = desk.plugins.policy(ID).rights
    assert desk.save("it.toml", POOR.format(version="1.0.0")).error is None
    assert desk.plugins.policy(ID).rights != before
    with pytest.raises(LimitExceededError, match="256 MiB"):
        desk.plugins.execute(ID, "eat")
    assert desk.up() == ["one", 2]


def test_a_manifest_that_can_not_be_read(single):
    assert "it.toml" in str(single.save("it.toml", "id = it\n").error)
    assert single.up() == ["one", 2]
    assert single.save("it.toml", MANIFEST.format(version="1.2.0")).error is None


def test_a_notebook(desk):
    def notebook(value: str) -> str:
        metadata = 'PLUGIN_METADATA = {"id": "it", "version": "1.0.0"}'
        cells = [
            {"cell_type": "markdown", "metadata": {}, "source": ["# It"]},
            *(
                {
                    "cell_type": "code",
                    "metadata": {},
                    "source": text.splitlines(keepends=True),
                    "outputs": [],
                    "execution_count": None,
                }
                for text in (metadata, source(value))
            ),
        ]
        return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})

    desk.put("it.ipynb", notebook("'one'"))
    desk.load()
    assert desk.save("it.ipynb", notebook("'two'")).error is None
    assert desk.up() == ["two", 2]


def test_a_file_in_whose_place_there_is_a_package(single):
    single.put("../new/plugin.toml", MANIFEST.format(version="2.0.0"))
    package = single.put("../new/__init__.py", source("'two'")).parent
    for name in ("it.py", "it.toml", "beside.py"):
        (single.path / name).unlink()
    package.rename(single.path / "it")
    while single.next_change().error is not None:  # while some of it was there
        pass
    assert single.up() == ["two", 2]


def test_a_save_while_the_one_before_it_is_being_taken(single, tmp_path, wait_until):
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    waiting = f"""import pathlib, time
pathlib.Path({str(mark)!r}).touch()
while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.002)
def value(): return 'two'
"""
    single.put("beside.py", waiting)
    wait_until(mark.exists, "the new code starts")
    single.put("beside.py", "def value(): return 'three'\n")
    assert single.up() == ["one", 2]
    gate.touch()
    wait_until(lambda: single.up()[0] == "three", "the last save serves", 30.0)
