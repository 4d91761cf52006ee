"""`nebula-lab new`, `test`, `bench` and `lab`."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nebula_lab.cli.failing import ExitCode
from nebula_lab.discovery import read_descriptor

FAILING = """
class Poor(Plugin):
    @operation
    def add(self, n: int) -> int:
        return n

    {method}

def plugin_entry():
    return Poor()
"""


@pytest.fixture(autouse=True)
def plain_pytest(monkeypatch):
    """The plugins of pytest that are installed here take longer to import than most tests run."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty folder to work in."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def steps(done):
    document = json.loads(done.out)
    return {one["name"]: one["outcome"] for one in document["steps"]}


def test_a_new_plugin_passes_its_own_test(call, workplace):
    said = call("new", "word_count").out
    assert "nebula-lab test plugins/word_count" in said
    done = call("test", "plugins/word_count", "--json")
    assert set(steps(done).values()) == {"passed"}, done.out
    assert done.code == 0
    files = {one.name for one in (workplace / "plugins/word_count").rglob("*")}
    assert files == {"plugin.toml", "__init__.py", "tests", "test_word_count.py"}


@pytest.mark.parametrize(("option", "suffix"), [("--single-file", "py"), ("--notebook", "ipynb")])
def test_new_writes_a_single_file_or_a_notebook_and_its_test(call, workplace, option, suffix):
    call("new", "word.count", option)
    assert read_descriptor(workplace / f"plugins/word.count.{suffix}").id == "word.count"
    compile((workplace / "plugins/tests/test_word_count.py").read_text(), "test", "exec")
    # Its own tests are those of the other form, which `new` above has tried.
    done = call("test", f"plugins/word.count.{suffix}", "--no-tests", "--json")
    assert set(steps(done).values()) == {"passed"}, done.out


@pytest.mark.parametrize("there", ["plugins/one", "plugins/one.py", "plugins/one.toml"])
def test_new_writes_over_nothing(call, workplace, there):
    path = workplace / there
    path.parent.mkdir()
    path.write_text("mine")
    done = call("new", "one")
    assert (done.code, path.read_text()) == (ExitCode.USAGE, "mine")
    assert f"{path} is there already" in done.err
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_new_writes_no_half_of_a_plugin(call, workplace):
    test = workplace / "plugins/tests/test_one.py"
    test.parent.mkdir(parents=True)
    test.write_text("mine")
    assert call("new", "one", "--single-file").code == ExitCode.USAGE
    assert not (workplace / "plugins/one.py").exists()
    assert test.read_text() == "mine"


def test_new_makes_no_second_plugin_of_one_id(call, workplace):
    folder = workplace / "plugins"
    folder.mkdir()
    (folder / "other.py").write_text('PLUGIN_METADATA = {"id": "one", "version": "1.0.0"}\n')
    assert f"{folder / 'other.py'} is a plugin one already" in call("new", "one").err


@pytest.mark.parametrize("name", ["../one", "a b", "1st", "", "x" * 101])
def test_new_takes_no_name_that_is_no_id(call, workplace, name):
    assert call("new", "--", name).code == ExitCode.USAGE
    assert not list(workplace.iterdir())


def test_new_puts_it_where_the_configuration_has_its_plugins(call, workplace):
    (workplace / "plugin_resource.toml").write_text('plugin_dir = "mine"\n')
    call("new", "one", "--single-file")
    assert (workplace / "mine/one.py").exists()


@pytest.mark.parametrize(
    ("method", "step"),
    [
        ("def initialize(self, config): raise RuntimeError('no')", "load"),
        ("def health_check(self): return HealthStatus.unhealthy('ill')", "health"),
        ("def self_test(self): return False", "self-test and state"),
        ("def restore_state(self, state): raise ValueError(state)", "self-test and state"),
    ],
)
def test_test_names_the_step_that_fails_and_why(call, plugin_file, method, step):
    if "restore" in method:
        method += "\n    def save_state(self): return {'n': 1}"
    source = "from nebula_lab.plugin import HealthStatus\n" + FAILING.format(method=method)
    done = call("test", plugin_file("poor", source), "--json")
    assert done.code == ExitCode.PLUGIN_FAILED
    (failed,) = [one for one in json.loads(done.out)["steps"] if one["outcome"] == "failed"]
    assert failed["name"] == step
    assert failed["detail"]


def test_test_tells_of_a_source_that_is_no_plugin(call, tmp_path):
    (tmp_path / "nothing.py").write_text("x = 1\n")
    done = call("test", tmp_path / "nothing.py")
    assert done.code == ExitCode.PLUGIN_FAILED
    assert "is not a plugin" in done.out + done.err


def test_test_shows_what_its_own_tests_say(call, plugin_file):
    path = plugin_file("well", FAILING.format(method=""))
    path.with_name("test_well.py").write_text("def test_it():\n    assert 1 + 1 == 3\n")
    done = call("test", path)
    assert done.code == ExitCode.PLUGIN_FAILED
    assert "assert (1 + 1) == 3" in done.err
    assert "1 failed" in done.out


def test_test_runs_no_tests_of_a_plugin_that_came_from_a_registry(call, tmp_path):
    plugins, registry, mine = (tmp_path / name for name in ("plugins", "registry", "mine"))
    ran = tmp_path / "ran"
    package = plugins / "theirs"
    (package / "tests").mkdir(parents=True)
    (package / "plugin.toml").write_text('id = "theirs"\nversion = "1.0.0"\n')
    source = "from nebula_lab.plugin import Plugin, operation\n" + FAILING.format(method="")
    (package / "__init__.py").write_text(source)
    test = f"def test_it():\n    open({str(ran)!r}, 'w').close()\n"
    (package / "tests" / "test_theirs.py").write_text(test)
    call("registry", "build", plugins, "--out", registry)
    mine.mkdir()
    with served(registry) as url:
        call("install", "--plugin-dir", mine, "--registry", url, "theirs")
    done = call("test", mine / "theirs", "--json")
    (last,) = [one for one in json.loads(done.out)["steps"] if one["name"] == "tests"]
    assert (done.code, last["outcome"]) == (ExitCode.FINE, "none")
    assert f"left alone, as they came from {url}" in last["detail"]
    assert not ran.exists()
    assert steps(call("test", mine / "theirs", "--tests", "--json"))["tests"] == "passed"
    assert ran.exists()


@contextlib.contextmanager
def served(folder):
    """Any file server will do."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_bench_measures_an_operation(call, tool):
    done = call("bench", "--plugin-dir", tool, "tool", "echo", "value=1", "--calls", 20, "--json")
    found = json.loads(done.out)
    assert found["calls"] == 20
    assert 0 < found["least"] <= found["p50"] <= found["p95"] <= found["p99"] <= found["most"]


def test_bench_reads_streams_to_their_end_and_shows_nothing_that_is_printed(call, tool):
    done = call("bench", "--plugin-dir", tool, "tool", "count", "to=3", "--calls", 5)
    assert "5 calls of tool.count" in done.out
    done = call("bench", "--plugin-dir", tool, "tool", "shout", "text=a", "--calls", 5)
    assert "shouting" not in done.out + done.err


def test_bench_ends_with_the_error_of_an_operation(call, tool):
    done = call("bench", "--plugin-dir", tool, "tool", "fail", "--seconds", 1)
    assert (done.code, "as asked" in done.err) == (ExitCode.PLUGIN_FAILED, True)


@pytest.mark.timeout(300)  # on a machine under load it takes a minute
def test_lab_is_jupyterlab_in_the_folder_with_its_own_options(scripts, workplace):
    (workplace / "here").mkdir()
    own = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--port=0"]
    process = subprocess.Popen(
        [scripts / "nebula-lab", "lab", "here", *own],
        env={**os.environ, "HOME": str(workplace)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        served = next(line for line in process.stderr if "from local directory" in line)
    finally:
        process.terminate()
        process.communicate()
    assert served.rstrip().endswith(str(workplace / "here"))


def test_lab_says_how_to_get_jupyterlab_where_there_is_none(workplace):
    program = (
        "import sys, importlib.util as u; found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'jupyterlab' else found(name, *rest)\n"
        "from nebula_lab.cli.main import main; sys.argv[1:] = ['lab']; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "python -m pip install 'nebula-lab[lab]'" in done.stderr
