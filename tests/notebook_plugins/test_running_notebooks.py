"""Notebooks that run as plugins: loaded, failing, saved, looked into."""

from __future__ import annotations

import threading

import pytest
from notebook_shelf import CLASS, ENTRY, METADATA, cell

from nebula_lab import PluginManager
from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import ExecutionFailedError, LoadFailedError, SignatureError
from nebula_lab.model.events import SavedChange
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.key_file import signer_from_file
from nebula_lab.trust.key_making import make_key
from nebula_lab.trust.signing import sign

DESCRIBED = METADATA.format(id="book")
PAGE = {"output_type": "stream", "name": "stdout", "text": ["a page\n"]}


@pytest.fixture
def hosted(shelf):
    """One notebook with all that a person leaves in it, in a process of its own."""
    cells = (
        cell("# A book", "markdown"),
        "%load_ext nebula_lab\n%matplotlib inline",
        f"from __future__ import annotations\n{DESCRIBED}",
        "%%time\nimport asyncio\n\nasync def ink():\n    return await asyncio.sleep(0, 'black')",
        "colour = await ink()\nagain = await asyncio.wait_for(ink(), 5)",
        CLASS.replace("page: int = 1) -> int", "page: int = 1) -> Later"),
        "Later = int",
        f"{ENTRY}\n!ls 'it",
        "plugin_entry?",
        '%%plugin other\nPLUGIN_METADATA = {"id": "other"}',
        'if __name__ == "__main__":\n    plugins["book"].read()',
        cell('plugins["book"].read()', "code", "nebula-skip"),
        "colour",
    )
    shelf.book(*cells)
    with PluginManager(plugin_dir=shelf.path) as plugins:
        yield plugins


def test_a_notebook_that_somebody_worked_in_runs_as_a_plugin(hosted, capsys):
    assert hosted.problems == ()
    assert hosted.execute("book", "read", {"page": 3}) == 3
    hosted.run_cell("book", "print(module.colour, module.again)")
    assert capsys.readouterr().out == "black black\n"


def test_traceback_and_debugger_name_the_cell_and_show_its_lines(hosted):
    with pytest.raises(ExecutionFailedError) as caught:
        hosted.execute("book", "tear")
    path = hosted.descriptor("book").path
    assert f'File "{path}[cell 6]", line 10, in tear\n    return 1 // 0' in str(caught.value)
    assert "book.ipynb[cell 6](10)tear()" in hosted.debug("book")
    assert "def tear(self)" in hosted.debug("book", "list")


def test_a_cell_that_only_tries_the_plugin_out_is_to_be_tagged(shelf):
    shelf.book(DESCRIBED, CLASS, ENTRY, 'x = 1\nplugins["book"].read()')
    with PluginManager(shelf.config()) as plugins, pytest.raises(LoadFailedError) as caught:
        plugins.load_plugin("book")
    assert "NameError: name 'plugins' is not defined" in caught.value.message
    assert caught.value.hint == "If cell 4 is no part of the plugin, tag it nebula-skip."


def test_a_failing_initialize_is_no_reason_to_tag_its_cell(shelf):
    broken = CLASS + "\n    def initialize(self, config):\n        1 // 0"
    shelf.book(DESCRIBED, broken, ENTRY)
    with PluginManager(shelf.config()) as plugins, pytest.raises(LoadFailedError) as caught:
        plugins.load_plugin("book")
    assert caught.value.hint is None


LOADS = {
    "IPython": ("def f():\n    !ls", "[cell 4], line 2: `!ls` needs IPython"),
    "no Python": ("def f(:", "[cell 4], line 1"),
    "an await in a function": ("def f():\n    await g()", "'await' outside async function"),
}


@pytest.mark.parametrize("case", LOADS)
def test_a_cell_that_can_not_run_is_named_when_the_plugin_is_loaded(shelf, case):
    text, said = LOADS[case]
    shelf.book(DESCRIBED, CLASS, ENTRY, text)
    with PluginManager(shelf.config()) as plugins, pytest.raises(LoadFailedError) as caught:
        plugins.load_plugin("book")
    assert said in caught.value.message


def test_a_manifest_for_a_notebook_in_r_fails_with_the_language(shelf):
    shelf.book("plugin_entry <- 1", language="R")
    shelf.put("book.toml", 'id = "book"\nversion = "1.0.0"\n')
    with PluginManager(shelf.config()) as plugins, pytest.raises(LoadFailedError, match="in R"):
        plugins.load_plugin("book")


class Desk:
    """A manager that watches a folder of notebooks, and what came of each save."""

    def __init__(self, shelf, plugins):
        self.shelf = shelf
        self.plugins = plugins
        self._came = threading.Condition()
        self._saved: list[SavedChange] = []
        plugins.subscribe(self._take, only=(SavedChange,))

    def _take(self, event):
        with self._came:
            self._saved.append(event)
            self._came.notify_all()

    def save(self, name: str, *cells) -> SavedChange:
        with self._came:
            before = len(self._saved)
            self.shelf.book(*cells, name=name)
            assert self._came.wait_for(lambda: len(self._saved) > before, 20)
            return self._saved[-1]

    def saved(self, plugin_id: str) -> int:
        return sum(one.plugin_id == plugin_id for one in self._saved)


def up(answer: int, metadata: str = DESCRIBED) -> tuple[str, str, str]:
    return metadata, CLASS.replace("return page", f"return page + {answer}"), ENTRY


@pytest.fixture
def desk(shelf):
    shelf.book(*up(10))
    shelf.book(*up(0, METADATA.format(id="mark")), name="mark")
    with PluginManager(shelf.config()) as plugins:
        plugins.load_plugin("book")
        plugins.load_plugin("mark")
        plugins.watch()
        yield Desk(shelf, plugins)


def test_a_saved_cell_is_live(desk):
    assert desk.plugins.execute("book", "read") == 11
    event = desk.save("book", *up(20))
    assert (event.error, event.files) == (None, ("book.ipynb",))
    assert desk.plugins.execute("book", "read") == 21


def test_running_a_notebook_and_writing_in_it_is_no_new_version_of_its_plugin(desk):
    ran = [cell(one, outputs=(PAGE,)) for one in up(10)]
    desk.shelf.book(*ran, cell("# Notes", "markdown"), cell("1", "code", "nebula-skip"))
    for number in range(2):  # two saves of another are told after it
        desk.save("mark", *up(number + 1, METADATA.format(id="mark")))
    assert desk.saved("book") == 0
    info = next(one for one in desk.plugins.list_plugins() if one.id == "book")
    assert info.reload_count == 0


def test_a_save_that_fails_shows_the_cells_that_differ(desk):
    event = desk.save("book", DESCRIBED, cell("x = 1 // 0", outputs=(PAGE,)), ENTRY)
    assert event.error is not None
    lines = event.error.diff.splitlines()
    assert "+x = 1 // 0" in lines
    assert " # [cell 2]" in lines
    assert "outputs" not in event.error.diff
    assert desk.plugins.execute("book", "read") == 11


def test_a_notebook_can_be_rolled_back(desk, wait_until):
    history = lambda: [one.version for one in desk.plugins.plugin_history("book")]  # noqa: E731
    wait_until(lambda: history() == ["1.0.0"], "the first version is noted")
    desk.save("book", *up(20, DESCRIBED.replace("1.0.0", "1.1.0")))
    wait_until(lambda: history() == ["1.1.0", "1.0.0"], "both are noted")
    desk.plugins.rollback_plugin("book")
    assert desk.plugins.execute("book", "read") == 11


def test_a_signature_is_over_the_outputs_too(shelf, tmp_path):
    line = make_key(tmp_path / "key", "", None)
    path = shelf.book(*up(10))
    sign(collect(read_descriptor(path)), signer_from_file(tmp_path / "key", str))
    security = {"sandbox": "None", "verify_signature": True, "trusted_keys": [line]}
    with PluginManager(shelf.config(security=security)) as plugins:
        assert plugins.execute("book", "read") == 11
        shelf.book(*[cell(one, outputs=(PAGE,)) for one in up(10)])
        with pytest.raises(SignatureError, match=r"book\.ipynb"):
            plugins.reload_plugin("book")
        assert plugins.execute("book", "read") == 11
