"""`%%plugin` and `%%in`."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from nebula_lab.errors import LoadFailedError, MetadataLoadError

ADDER = """\
%%plugin adder
from nebula_lab.plugin import Plugin, operation

class Adder(Plugin):
    def initialize(self, config):
        self.total = 0

    @operation
    def add(self, n: int) -> int:
        self.total += n
        return self.total

    def save_state(self):
        return self.total

    def restore_state(self, state):
        self.total = state

def plugin_entry():
    return Adder()
"""


def test_a_cell_becomes_a_plugin_that_serves(notebook):
    cell = notebook.run(ADDER)
    assert cell.stdout == (
        f"Wrote adder.py and adder.toml in {notebook.plugins}.\n"
        "adder 0.1.0 is Loaded.\n"
        "Operations: add (new: add).\n"
    )
    assert notebook.run("plugins.execute('adder', 'add', {'n': 2})").value == 2


def test_the_file_holds_the_cell_without_its_first_line(notebook):
    notebook.run(ADDER)
    assert (notebook.plugins / "adder.py").read_text() == ADDER.partition("\n")[2]


def test_a_cell_without_metadata_gets_a_manifest(notebook):
    notebook.run(ADDER)
    assert (notebook.plugins / "adder.toml").read_text() == (
        'id = "adder"\nname = "Adder"\nversion = "0.1.0"\n'
    )


def test_a_manifest_that_is_there_is_kept(notebook):
    manifest = notebook.plugins / "adder.toml"
    manifest.write_text('id = "adder"\nname = "Mine"\nversion = "3.0.0"\n')
    assert "adder 3.0.0 is Loaded." in notebook.run(ADDER).stdout
    assert "Mine" in manifest.read_text()


def test_a_cell_with_metadata_gets_no_manifest(notebook):
    cell = ADDER + 'PLUGIN_METADATA = {"id": "adder", "version": "2.0.0"}\n'
    assert "adder 2.0.0 is Loaded." in notebook.run(cell).stdout
    assert not (notebook.plugins / "adder.toml").exists()


def test_a_second_run_reloads_with_state_and_says_what_changed(notebook):
    notebook.run(ADDER)
    notebook.run("%plugin call adder add n=5")
    said = notebook.run(ADDER.replace("def add(", "def plus(")).stdout
    assert said.endswith("Operations: plus (new: plus; gone: add).\n")
    assert notebook.run("%plugin call adder plus n=1").value == 6


def test_no_temporary_file_is_left(notebook):
    notebook.run(ADDER)
    notebook.run(ADDER)
    names = sorted(path.name for path in notebook.plugins.iterdir() if path.is_file())
    assert names == ["adder.py", "adder.toml", "counter.py", "dependent.py"]


def test_a_cell_that_is_not_python_is_not_written(notebook):
    notebook.run(ADDER)
    before = (notebook.plugins / "adder.py").read_text()
    cell = notebook.run(ADDER + "def oops(:\n")
    assert isinstance(cell.error, MetadataLoadError)
    lines = len(ADDER.splitlines())
    assert f"adder: line {lines + 1} of the cell is not Python" in cell.stdout
    assert "    def oops(:" in cell.stdout
    assert "Nothing was written." in cell.stdout
    assert "The old version 0.1.0 of adder goes on serving." in cell.stdout
    assert (notebook.plugins / "adder.py").read_text() == before


def test_a_cell_that_does_not_come_up_leaves_the_old_code_serving(notebook):
    notebook.run(ADDER)
    notebook.run("%plugin call adder add n=5")
    cell = notebook.run(ADDER.replace("self.total = 0", "raise ValueError('not today')"))
    assert isinstance(cell.error, LoadFailedError)
    assert "ValueError: not today" in cell.stdout
    assert "adder.py has the new text." in cell.stdout
    assert "The old version 0.1.0 of adder goes on serving." in cell.stdout
    assert "not today" in (notebook.plugins / "adder.py").read_text()
    assert notebook.run("%plugin call adder add n=1").value == 6


def test_a_first_cell_that_does_not_come_up_is_mended_by_the_next(notebook):
    cell = notebook.run(ADDER.replace("self.total = 0", "raise ValueError('not today')"))
    assert isinstance(cell.error, LoadFailedError)
    assert "goes on serving" not in cell.stdout
    assert "adder 0.1.0 is Loaded." in notebook.run(ADDER).stdout


def test_a_cell_that_calls_itself_something_else_is_not_written(notebook):
    cell = notebook.run(ADDER + 'PLUGIN_METADATA = {"id": "other", "version": "2.0.0"}\n')
    assert isinstance(cell.error, MetadataLoadError)
    assert "Write %%plugin other" in cell.stdout
    assert not (notebook.plugins / "adder.py").exists()


def test_a_plugin_whose_source_is_elsewhere_is_not_written_twice(notebook):
    (notebook.plugins / "counter.py").rename(notebook.plugins / "elsewhere.py")
    notebook.run("plugins.rediscover()")
    cell = notebook.run(ADDER.replace("%%plugin adder", "%%plugin counter"))
    assert isinstance(cell.error, UsageError)
    assert "elsewhere.py" in str(cell.error)
    assert not (notebook.plugins / "counter.py").exists()


@pytest.mark.parametrize("line", ["", "a b", "../up", "1st", "--help"])
def test_a_cell_magic_takes_one_plugin_id(notebook, line):
    cell = notebook.run(f"%%plugin {line}\npass")
    assert isinstance(cell.error, UsageError)


def test_a_cell_magic_makes_the_plugin_folder_where_there_is_none(bare):
    bare.run("%load_ext nebula_lab")
    said = bare.run("%%plugin tiny\nx = = 1").stdout
    assert f"Made the plugin folder {bare.plugins}." in said
    assert bare.run("plugins.config.plugin_dir").value == bare.plugins


def test_the_mode_of_a_file_stays_as_it_was(notebook):
    notebook.run(ADDER)
    path = notebook.plugins / "adder.py"
    path.chmod(0o600)
    notebook.run(ADDER)
    assert path.stat().st_mode & 0o777 == 0o600


def test_in_takes_one_plugin_id(notebook):
    assert isinstance(notebook.run("%%in\npass").error, UsageError)
