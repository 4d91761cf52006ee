"""What a review found in how plugins are served."""

from __future__ import annotations

import contextlib
import contextvars
import gc
import json
import sys
import textwrap
import weakref

import pytest

from nebula_lab.errors import PluginError, PluginTimeoutError

SANDBOXES = ("Process", "None")
HEADER = "import asyncio, os, time\nfrom nebula_lab.plugin import Plugin, operation\n"
CALLER = contextvars.ContextVar("caller")


@pytest.fixture
def write(tmp_path):
    """Writes a plugin, as a file of its own in a folder of its own, from its methods."""

    def write_plugin(plugin_id, methods, *, imports="", **metadata):
        folder = tmp_path / "plugins" / plugin_id
        folder.mkdir(parents=True, exist_ok=True)
        described = {"id": plugin_id, "version": "1.0.0", **metadata}
        body = textwrap.indent(textwrap.dedent(methods), "    ")
        (folder / f"{plugin_id}.py").write_text(
            f"{HEADER}{imports}\nPLUGIN_METADATA = {described!r}\n"
            f"class It(Plugin):\n{body}\ndef plugin_entry(): return It()\n"
        )
        return folder

    return write_plugin


@pytest.fixture
def serve(own_plugins):
    def make(sandbox="Process", **settings):
        found = {"type": "FileSystem", "pattern": "*", "recursive": True}
        return own_plugins(discovery=found, security={"sandbox": sandbox}, grace=2.0, **settings)

    return make


NUMBERS = """
    @operation
    async def quick(self) -> int:
        return 2

    @operation
    def spin(self) -> int:
        while True:
            pass

    @operation
    def numbers(self, marker: str = ""):
        try:
            for number in range(1000):
                yield number
        finally:
            if marker:
                open(marker, "w").close()
"""


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_plain_stream_that_nobody_reads_leaves_async_operations_running(write, serve, sandbox):
    write("mixed", NUMBERS)
    plugins = serve(sandbox)
    stream = plugins.execute("mixed", "numbers")
    assert next(stream) == 0
    assert plugins.execute("mixed", "quick", timeout=10) == 2
    assert list(stream) == list(range(1, 1000))


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_plain_stream_that_nobody_reads_leaves_the_other_threads_running(write, serve, sandbox):
    write("mixed", NUMBERS, runtime={"concurrency": 2})
    plugins = serve(sandbox)
    stream = plugins.execute("mixed", "numbers")
    assert next(stream) == 0
    assert plugins.execute("mixed", "quick", timeout=10) == 2
    assert list(stream) == list(range(1, 1000))


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_plain_stream_beside_async_operations_is_closed_where_it_is(
    write, serve, tmp_path, sandbox
):
    write("mixed", NUMBERS, security={"capabilities": ["FileSystem"]})
    marker = tmp_path / "closed"
    plugins = serve(sandbox)
    with contextlib.closing(plugins.execute("mixed", "numbers", {"marker": str(marker)})) as stream:
        next(stream)
    assert plugins.execute("mixed", "quick") == 2
    assert marker.exists()


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_plain_operation_beside_async_ones_is_interrupted_where_it_computes(
    write, serve, sandbox
):
    write("mixed", NUMBERS)
    plugins = serve(sandbox)
    assert plugins.execute("mixed", "quick") == 2
    with pytest.raises(PluginTimeoutError) as caught:
        plugins.execute("mixed", "spin", timeout=1.0)  # in which it has to have begun
    assert "in spin" in caught.value.remote_traceback


HANGING = """
    def initialize(self, config):
        while True:
            time.sleep(0.01)
"""


# A kernel has to have booted in that time.
@pytest.mark.parametrize(("sandbox", "timeout"), [("Process", 4.0), ("None", 1.0)])
def test_an_initialize_that_hangs_is_interrupted_and_says_where(write, serve, sandbox, timeout):
    write("slow", HANGING)
    with pytest.raises(PluginError) as caught:
        serve(sandbox, timeout=timeout).load_plugin("slow")
    assert "in initialize" in caught.value.remote_traceback


CONTEXTS = """
    def _caller(self):
        import contextvars
        return [str(v) for k, v in contextvars.copy_context().items() if k.name == "caller"]

    @operation
    async def waiting(self) -> list:
        await asyncio.sleep(0)
        return self._caller()

    @operation
    async def streaming(self):
        yield self._caller()

    @operation
    def plain(self) -> list:
        return self._caller()
"""


@pytest.mark.parametrize("operation", ["waiting", "plain"])
def test_with_sandbox_none_an_operation_runs_in_the_context_of_its_caller(write, serve, operation):
    write("mixed", CONTEXTS)
    CALLER.set("cell 7")
    assert serve("None").execute("mixed", operation) == ["cell 7"]


def test_with_sandbox_none_an_async_stream_runs_in_the_context_of_its_caller(write, serve):
    write("mixed", CONTEXTS)
    CALLER.set("cell 7")
    assert list(serve("None").execute("mixed", "streaming")) == [["cell 7"]]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_with_sandbox_none_nothing_is_kept_of_a_context_after_its_call(write, serve, concurrency):
    class Mark:
        def __init__(self):
            marks.append(self)

    marks = []
    write("mixed", CONTEXTS, runtime={"concurrency": concurrency})
    plugins = serve("None")
    plugins.load_plugin("mixed")

    def call():
        mark = Mark()
        CALLER.set(mark)
        plugins.execute("mixed", "waiting")
        plugins.execute("mixed", "plain")

    contextvars.Context().run(call)
    kept = weakref.ref(marks.pop())
    # The plugin's thread may hold the last task until it has something else to do.
    plugins.execute("mixed", "plain")
    gc.collect()
    assert kept() is None


WHO = """
    @operation
    def who(self) -> str:
        return helper_of_both.WHO

    @operation
    def later(self) -> str:
        import helper_later.deep
        return helper_later.deep.WHO
"""


@pytest.fixture
def write_pair(write):
    """Writes two plugins, each with helpers of its own that have the other's names."""
    folders = []
    for name in ("one", "two"):
        folder = write(name, WHO, imports="import helper_of_both")
        (folder / "helper_of_both.py").write_text(f"WHO = {name!r}\n")
        (folder / "helper_later").mkdir()
        (folder / "helper_later" / "__init__.py").touch()
        (folder / "helper_later" / "deep.py").write_text("from helper_of_both import WHO\n")
        folders.append(folder)
    return folders


@pytest.mark.parametrize("operation", ["who", "later"])
@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_each_plugin_imports_its_own_module_of_a_name(write_pair, serve, sandbox, operation):
    plugins = serve(sandbox)
    assert [plugins.execute(name, operation) for name in ("one", "two")] == ["one", "two"]


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_an_edited_module_beside_a_plugin_is_read_anew_by_a_reload(write_pair, serve, sandbox):
    plugins = serve(sandbox)
    plugins.load_plugin("one")
    (write_pair[0] / "helper_of_both.py").write_text("WHO = 'new'\n")
    plugins.reload_plugin("one")
    assert plugins.execute("one", "who") == "new"


def test_with_sandbox_none_a_closed_manager_leaves_no_trace_in_the_import_system(write_pair, serve):
    def there():
        ours = {name for name in sys.modules if name.startswith(("nebula_plugin", "helper_"))}
        return list(sys.path), list(sys.meta_path), ours

    before = there()
    plugins = serve("None")
    for name in ("one", "two"):
        plugins.execute(name, "later")
    plugins.close()
    assert there() == before


def test_with_sandbox_none_no_bytecode_is_left_beside_a_plugin(write_pair, serve):
    serve("None").execute("one", "later")
    assert not list(write_pair[0].rglob("*.pyc"))


def test_with_sandbox_none_a_module_that_is_nowhere_is_reported_by_its_own_name(write, serve):
    write("one", "pass", imports="import nowhere_at_all")
    with pytest.raises(PluginError, match="No module named 'nowhere_at_all'"):
        serve("None").load_plugin("one")


def test_with_sandbox_none_a_module_beside_never_takes_the_place_of_an_installed_one(write, serve):
    methods = "@operation\ndef where(self) -> str: return colorsys.__file__"
    folder = write("one", methods, imports="import colorsys")
    (folder / "colorsys.py").write_text("raise AssertionError('the wrong one')")
    assert not serve("None").execute("one", "where").startswith(str(folder))


def test_with_sandbox_none_a_notebook_imports_the_module_beside_it(tmp_path, serve):
    folder = tmp_path / "plugins" / "note"
    folder.mkdir(parents=True)
    (folder / "helper_of_note.py").write_text("WHO = 'beside'\n")
    source = (
        f"{HEADER}from helper_of_note import WHO\n"
        "PLUGIN_METADATA = {'id': 'note', 'version': '1.0.0'}\n"
        "class It(Plugin):\n    @operation\n    def who(self) -> str: return WHO\n"
        "def plugin_entry(): return It()\n"
    )
    cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": []}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "note.ipynb").write_text(json.dumps(notebook))
    assert serve("None").execute("note", "who") == "beside"
