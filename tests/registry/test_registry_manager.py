"""Installing by way of a manager, a notebook and a terminal."""

from __future__ import annotations

import asyncio
import json

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from registry_world import serving, write_plugin
from traitlets.config import Config

from nebula_lab import AsyncPluginManager, PluginManager
from nebula_lab.cli.failing import run_command
from nebula_lab.cli.main import cli
from nebula_lab.current import current_manager
from nebula_lab.errors import InstallError
from nebula_lab.model import PluginConfig
from nebula_lab.registry.building.build import build
from nebula_lab.registry.installing.configured import registries_of


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working folder of this test's own, with everything that is kept beside it."""
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def manager(here, served):
    """One whose plugins run in this process: where they run is no matter here."""
    (here / "plugins").mkdir()
    config = {
        "plugin_dir": here / "plugins",
        "security": {"sandbox": "None"},
        "registries": [{"url": served.url()}],
    }
    with PluginManager(config) as plugins:
        yield plugins


def test_what_is_installed_can_be_called_at_once(manager):
    report = manager.install("adder")
    assert [(one.id, one.version) for one in report.arrivals] == [
        ("adder", "0.3.0"),
        ("counter", "1.1.0"),
    ]
    assert manager.execute("adder", "version") == "0.3.0"


def test_what_runs_is_the_new_version_after_an_update(manager):
    manager.install("counter@1.0.0")
    assert manager.execute("counter", "version") == "1.0.0"
    manager.install("counter")
    assert manager.execute("counter", "version") == "1.1.0"
    [info] = manager.list_plugins()
    assert info.reload_count == 1


def test_a_new_version_that_does_not_come_up_leaves_the_old_one_running(tmp_path, here):
    folder, out = tmp_path / "made", tmp_path / "out"
    write_plugin(folder, "counter", "1.0.0")
    build(folder, out)
    config = {"plugin_dir": here, "security": {"sandbox": "None"}}
    with serving(out) as server, PluginManager(config) as plugins:
        plugins.install("counter", registry=server.url())
        assert plugins.execute("counter", "version") == "1.0.0"
        path = write_plugin(folder, "counter", "1.1.0")
        path.write_text(path.read_text().replace("return Toy()", "raise RuntimeError('broken')"))
        build(folder, out)
        report = plugins.update()
        assert [one.version for one in report.arrivals] == ["1.1.0"]
        assert "does not come up" in report.notes[0]
        assert plugins.execute("counter", "version") == "1.0.0"


def test_a_manager_says_what_there_is(manager, served):
    assert [one.id for one in manager.search("count").found] == ["counter"]
    manager.install("counter@1.0.0")
    assert manager.updates()[0].newest == "1.0.0"
    manager.install("counter@^1")
    assert manager.updates() == manager.updates("counter")
    assert len(manager.search(registry=served.url()).found) == 3


def test_the_same_goes_for_the_async_manager(here, served):
    async def work():
        async with AsyncPluginManager(plugin_dir=here) as plugins:
            report = await plugins.install("counter", registry=served.url())
            return report, await plugins.search("words", registry=served.url())

    report, found = asyncio.run(work())
    assert [one.id for one in report.arrivals] == ["counter"]
    assert [one.id for one in found.found] == ["words"]


def test_a_manager_without_a_folder_installs_nothing(served):
    with (
        PluginManager({"discovery": served.registry().model_dump()}) as plugins,
        pytest.raises(InstallError, match="no folder of plugins"),
    ):
        plugins.install("counter")


STAGED = f"new-{'0' * 16}"


def test_a_manager_finishes_what_a_killed_process_left(here, served):
    """The list of a change is the last that is written before it happens."""
    with PluginManager(plugin_dir=here) as plugins:
        plugins.install("words", registry=served.url())
    private = here / ".nebula-lab"
    (here / "words" / "table.py").rename(private / STAGED)
    (private / "change.json").write_text(json.dumps({"words/table.py": STAGED}))
    with PluginManager(plugin_dir=here):
        assert (here / "words" / "table.py").is_file()


@pytest.mark.parametrize(
    "listed",
    [
        {"../victim": STAGED},
        {"../victim": ""},
        {"linked/victim": STAGED},
        {"plain.py": "../../victim"},
        ["victim"],
    ],
)
def test_a_list_of_changes_that_is_not_ours_changes_nothing(here, listed):
    """A folder of plugins may come from anywhere: cloned, or out of an archive."""
    victim = here.parent / "victim"
    victim.write_text("mine")
    private = here / ".nebula-lab"
    private.mkdir()
    (here / "linked").symlink_to(here.parent)
    (private / STAGED).write_text("theirs")
    (private / "change.json").write_text(json.dumps(listed))
    with PluginManager(plugin_dir=here) as plugins:
        problem = plugins.problems[0]
    assert "names files that no change of ours names" in problem.message
    assert victim.read_text() == "mine"
    assert (private / STAGED).read_text() == "theirs"


def test_an_address_that_is_configured_has_its_secret():
    config = PluginConfig.model_validate(
        {"registries": [{"url": "https://plugins.example/a", "auth": "token:canary"}]}
    )
    [one] = registries_of(config, "https://plugins.example/a/")
    assert one.auth == "token:canary"
    [other] = registries_of(config, "https://plugins.example/b/")
    assert other.auth is None


# In a notebook


@pytest.fixture
def cell(here, served):
    (here / "plugins").mkdir()
    (here / "plugin_resource.yaml").write_text(
        f"plugin_dir: plugins\nsecurity: {{sandbox: 'None'}}\n"
        f"registries: [{{url: '{served.url()}'}}]\n"
    )
    is_shared = InteractiveShell.initialized()  # the other tests' of this process
    shell = InteractiveShell.instance(
        config=Config(HistoryManager={"enabled": False}, InteractiveShell={"colors": "nocolor"})
    )
    shell.run_line_magic("load_ext", "nebula_lab")

    def run(text):
        with capture_output() as shown:
            result = shell.run_cell(text)
        said = shown.stdout + "".join(one.data["text/plain"] for one in shown.outputs)
        return said, result

    try:
        yield run
    finally:
        current_manager().close()
        shell.run_line_magic("unload_ext", "nebula_lab")
        if not is_shared:
            InteractiveShell.clear_instance()


def test_a_notebook_searches_installs_and_updates(cell, served, here):
    said, _ = cell("%plugin search count")
    assert "Counts things." in said
    said, _ = cell(f"%plugin install counter@1.0.0 --registry {served.url()}")
    assert "Installed counter 1.0.0." in said
    assert (here / "plugins" / "counter.py").is_file()
    said, _ = cell("%plugin update --check")
    assert "no updates for 1 installed plugin" in said
    said, _ = cell("%plugin install counter@^1")
    assert "Updated counter from 1.0.0 to 1.1.0." in said
    said, _ = cell("%plugin update")
    assert "counter 1.1.0 is installed already." in said
    said, _ = cell("%plugin uninstall counter")
    assert "Uninstalled counter 1.1.0." in said
    assert f"%plugin install counter@1.1.0 --registry {served.url()}" in said
    assert not (here / "plugins" / "counter.py").exists()


# In a terminal


@pytest.fixture
def terminal(here, capsys):
    def run(*words):
        code = run_command(cli, words)
        return code, capsys.readouterr()

    return run


def test_a_terminal_installs_where_nothing_is_yet(terminal, served, here):
    code, shown = terminal("install", "adder", "--registry", served.url())
    assert (code, shown.out) == (0, "Installed adder 0.3.0.\nInstalled counter 1.1.0.\n")
    assert (here / "plugins" / "adder.py").is_file()


def test_a_terminal_checks_for_updates(terminal, served, here):
    terminal("install", "counter@1.0.0", "--registry", served.url())
    code, shown = terminal("update", "--check", "--json")
    [one] = json.loads(shown.out)
    assert (code, one["version"], one["is_due"], one["beyond"]) == (0, "1.0.0", False, "1.1.0")
    record = here / "plugins" / ".nebula-lab" / "installed" / "counter.json"
    record.write_text(record.read_text().replace('"=1.0.0"', '"^1"'))
    code, shown = terminal("update", "--check")
    assert code == 3
    assert "1 update for 1 installed plugin" in shown.out
    code, shown = terminal("update", "--json")
    [one] = json.loads(shown.out)["installed"]
    assert (one["id"], one["version"], one["before"]) == ("counter", "1.1.0", "1.0.0")
    assert (one["kept"], one["rights"]) == (None, [])


def test_a_terminal_searches(terminal, served):
    code, shown = terminal("search", "numbers", "--registry", served.url(), "--json")
    assert code == 0
    assert [one["id"] for one in json.loads(shown.out)["found"]] == ["counter"]
    code, shown = terminal("search", "nowhere", "--registry", served.url())
    assert (code, shown.out) == (0, "No plugin was found.\n")


def test_a_terminal_says_what_went_wrong(terminal, served):
    code, shown = terminal("install", "counter", "--registry", served.url("html"))
    assert code == 1
    assert "web page" in shown.err
    code, shown = terminal("install", "counter")
    assert code == 1
    assert "no registry is known" in shown.err


def test_a_terminal_builds_a_registry(terminal, tmp_path):
    write_plugin(tmp_path / "made", "counter", "1.0.0")
    words = ("registry", "build", str(tmp_path / "made"), "--out", str(tmp_path / "out"))
    code, shown = terminal(*words)
    assert code == 0
    assert "Added counter 1.0.0." in shown.out
    code, shown = terminal(*words, "--json")
    assert json.loads(shown.out)["unchanged"] == [{"id": "counter", "version": "1.0.0"}]
    assert (tmp_path / "out" / "index.json").is_file()
