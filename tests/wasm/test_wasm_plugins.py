"""What plugins do in a machine, besides what the suite of all sandboxes holds them to."""

from __future__ import annotations

import subprocess
import sys

import numpy
import psutil
import pytest

from nebula_lab.errors import (
    ExecutionFailedError,
    LoadFailedError,
    PluginError,
    PluginTimeoutError,
)

METHODS = """
def initialize(self, config):
    self.seen = []
    self.words = {"a", "b"}
@operation
def echo(self, value): return value
@operation
def look(self, value): return [value.format, list(value.shape), value.readonly, sum(value.tolist())]
@operation
def numbers(self): return array.array("d", [1.0, 2.5])
@operation
def remember(self, word: str) -> list[str]:
    self.words.add(word)
    return sorted(self.words)
@operation
async def items(self, until: int):
    for number in range(until):
        await asyncio.sleep(0)
        yield number
@operation
async def together(self) -> list[int]:
    async def one(number):
        await asyncio.sleep(0.001)
        return number
    return await asyncio.gather(*map(one, range(3)))
@operation
def interrupted(self):
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        self.seen.append("interrupted")
        raise
@operation
def told(self): return self.seen
@operation
def python(self): return [sys.platform, sys.implementation.name]
@operation
def moment(self): return datetime.datetime(2026, 1, 2)
@operation
def exact(self): return decimal.Decimal("0.1")
@operation
def deep(self):
    value = []
    for _ in range(500): value = [value]
    return value
@operation
def wait_for_nothing(self):
    async def wait(): await asyncio.Event().wait()
    return asyncio.run(wait())
"""


@pytest.fixture(scope="module")
def plugins(shared_workshop):
    shared_workshop.plugin("it", METHODS)
    with shared_workshop.manager() as manager:
        yield manager


def test_it_is_python_in_webassembly(plugins):
    assert plugins["it"].python() == ["wasi", "cpython"]


def test_an_array_arrives_as_a_view_that_can_only_be_read(plugins):
    assert plugins["it"].look(value=numpy.arange(3, dtype="int64")) == ["q", [3], True, 3]


@pytest.mark.parametrize("shape", [(6,), (2, 3), (0,), (0, 2)])
@pytest.mark.parametrize("dtype", ["float64", "int8", "uint16", "bool"])
def test_arrays_come_back_as_arrays(plugins, shape, dtype):
    value = numpy.ones(shape, dtype=dtype)
    found = plugins["it"].echo(value=value)
    assert found.dtype == value.dtype
    assert found.size == value.size
    assert (found.ravel() == value.ravel()).all()


def test_an_array_of_pythons_own_comes_as_an_array(plugins):
    assert plugins["it"].numbers().tolist() == [1.0, 2.5]


def test_an_array_of_what_is_no_number_is_refused_with_a_place_for_it(plugins):
    with pytest.raises(PluginError, match="sandbox Process"):
        plugins["it"].echo(value=numpy.array(["2026-01-01"], dtype="datetime64[D]"))


def test_a_result_that_is_not_carried_is_told_with_its_type(plugins):
    assert plugins["it"].moment().year == 2026
    with pytest.raises(PluginError, match="Decimal"):
        plugins["it"].exact()


def test_a_result_that_is_too_deep_is_told(plugins):
    with pytest.raises(PluginError, match="nested"):
        plugins["it"].deep()


def test_items_of_an_async_generator_come(plugins):
    assert list(plugins["it"].items(until=20)) == list(range(20))


def test_tasks_run_beside_each_other(plugins):
    assert plugins["it"].together() == [0, 1, 2]


def test_a_task_that_waits_for_a_thread_is_told_that_there_are_none(plugins):
    with pytest.raises(ExecutionFailedError, match="no threads"):
        plugins["it"].wait_for_nothing()


def test_an_operation_that_sleeps_is_interrupted_and_its_machine_goes_on(plugins):
    plugins.load_plugin("it")
    with pytest.raises(PluginTimeoutError):
        plugins.execute("it", "interrupted", {}, timeout=0.1)
    assert plugins["it"].told() == ["interrupted"]


def test_attributes_are_kept_over_a_reload(plugins, shared_workshop):
    assert plugins["it"].remember(word="c") == ["a", "b", "c"]
    file = shared_workshop.folder / "it.py"
    file.write_text(file.read_text().replace("self.words.add(word)", "self.words.add(word * 2)"))
    plugins.reload_plugin("it")
    assert plugins["it"].remember(word="d") == ["a", "b", "c", "dd"]


def test_a_module_that_is_not_there_is_told_with_a_sandbox_that_has_it(workshop):
    workshop.plugin("it", "import numpy\n@operation\ndef one(self): return 1")
    with (
        workshop.manager() as plugins,
        pytest.raises(LoadFailedError, match=r"no module numpy.*\n?.*sandbox Process"),
    ):
        plugins.load_plugin("it")


@pytest.mark.parametrize("capability", ["Network", "ProcessSpawn"])
def test_a_right_that_a_machine_can_not_grant_is_refused_at_load(workshop, capability):
    workshop.plugin("it", "pass", security={"capabilities": [capability]})
    with (
        workshop.manager(security={"capabilities": [capability]}) as plugins,
        pytest.raises(LoadFailedError, match="Sandbox Process"),
    ):
        plugins.load_plugin("it")


def test_a_notebook_is_a_plugin_here_too(workshop):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    source = (
        "from nebula_lab.plugin import Plugin, operation\n"
        "PLUGIN_METADATA = {'id': 'book', 'version': '1.0.0'}"
    )
    entry = (
        "class Book(Plugin):\n    @operation\n    def one(self): return 1\n"
        "def plugin_entry(): return Book()"
    )
    book = new_notebook(cells=[new_code_cell(source), new_code_cell(entry)])
    nbformat.write(book, workshop.folder / "book.ipynb")
    with workshop.manager() as plugins:
        assert plugins["book"].one() == 1


def test_a_folder_that_is_granted_is_seen_and_nothing_beside_it(workshop, tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given/note.txt").write_text("for you")
    (tmp_path / "other.txt").write_text("not for you")
    workshop.plugin(
        "it",
        "@operation\ndef read(self, path: str): return pathlib.Path(path).read_text()\n"
        "@operation\ndef write(self, path: str): pathlib.Path(path).write_text('x')",
        security={"capabilities": ["FileSystem"], "allowed_paths": [str(tmp_path / "given")]},
    )
    with workshop.manager() as plugins:
        assert plugins["it"].read(path=str(tmp_path / "given/note.txt")) == "for you"
        for path in (tmp_path / "other.txt", tmp_path / "given/../other.txt"):
            with pytest.raises(ExecutionFailedError):
                plugins["it"].read(path=str(path))
        with pytest.raises(ExecutionFailedError):
            plugins["it"].write(path=str(tmp_path / "given/new.txt"))


def test_two_plugins_share_no_memory(workshop):
    for name in ("one", "two"):
        workshop.plugin(name, "@operation\ndef put(self):\n    first = not hasattr(sys, 'mark')\n"
                        "    sys.mark = 1\n    return first")  # fmt: skip
    with workshop.manager() as plugins:
        assert [plugins["one"].put(), plugins["two"].put(), plugins["one"].put()] == [
            True,
            True,
            False,
        ]


def test_without_wasmtime_it_is_said_what_to_install(workshop):
    workshop.plugin("it", "pass")
    code = (
        "import sys\nsys.modules['wasmtime'] = None\nfrom nebula_lab import PluginManager\n"
        "config = {'plugin_dir': sys.argv[1], 'security': {'sandbox': 'Wasm'}}\n"
        "with PluginManager(config) as plugins: plugins.load_plugin('it')\n"
    )
    command = [sys.executable, "-c", code, str(workshop.folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 'pip install "nebula-lab[wasm]"' in ended.stderr


def test_a_machine_that_is_over_gives_its_memory_back(workshop):
    workshop.plugin("it", "@operation\ndef spin(self):\n    while True: pass")
    with workshop.manager() as manager:
        manager.load_plugin("it")
        before = psutil.Process().memory_info().rss
        for _ in range(5):
            with pytest.raises(PluginTimeoutError):
                manager.execute("it", "spin", timeout=0.05)
            manager.unload_plugin("it")
            manager.load_plugin("it")
        # Each has 20 MB and more.
        assert psutil.Process().memory_info().rss - before < 60e6
