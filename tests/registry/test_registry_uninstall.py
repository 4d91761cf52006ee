"""Taking out what was installed."""

from __future__ import annotations

import json
import threading

import pytest
from registry_world import contents, installation, started, versions, write_plugin

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.cli.failing import ExitCode, run_command
from nebula_lab.cli.main import cli
from nebula_lab.errors import InstallError, NeededByOthersError, NotFoundError
from nebula_lab.model.events import PluginRemoved
from nebula_lab.registry.installing.removing import uninstall
from nebula_lab.registry.installing.wanted import read_wanted

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def remove(growing, folder):
    """Has counter, adder which needs it, and words in the folder; removes some."""
    growing.add("adder", "0.3.0", dependencies=["counter ^1"])
    growing.add("words", "2.0.0", package=True, table="WORDS = 1\n")
    act = installation(growing, folder)
    act.install([read_wanted("adder"), read_wanted("words")])

    def act_on(*ids, **more):
        return uninstall(act, ids, **more)

    return act_on


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name[0] != ".")


def test_what_was_installed_is_gone_and_nothing_else(remove, folder):
    [one] = remove("words").removals
    assert (one.id, one.version, one.kept) == ("words", "2.0.0", None)
    assert names(folder) == ["adder.py", "counter.py"]
    assert sorted(path.stem for path in folder.glob(".nebula-lab/installed/*")) == [
        "adder",
        "counter",
    ]


def test_what_others_need_is_not_removed(remove, folder):
    before = contents(folder)
    with pytest.raises(NeededByOthersError, match="counter is needed by adder") as caught:
        remove("counter", "words")
    assert caught.value.dependents == {"counter": ("adder",)}
    assert "--cascade" in caught.value.hint
    assert contents(folder) == before


def test_those_that_need_it_go_too_if_that_is_asked_for(remove, folder):
    report = remove("counter", cascade=True)
    assert [one.id for one in report.removals] == ["adder", "counter"]
    assert versions(folder) == {"words": "2.0.0"}


def test_what_needs_it_may_be_named_beside_it(remove, folder):
    assert len(remove("counter", "adder").removals) == 2


def test_somebodys_own_plugin_is_not_removed_with_what_it_needs(remove, folder):
    write_plugin(folder, "mine", dependencies=["words"])
    with pytest.raises(NeededByOthersError, match="words is needed by mine") as caught:
        remove("words", cascade=True)
    assert "mine is your own" in caught.value.hint
    with pytest.raises(InstallError, match="one of your own"):
        remove("mine")
    assert names(folder) == ["adder.py", "counter.py", "mine.py", "words"]


def test_who_can_do_without_it_is_no_reason_to_keep_it(remove, folder):
    optional = {"plugin_id": "words", "version_req": "*", "optional": True}
    write_plugin(folder, "mine", dependencies=[optional])
    remove("words")
    assert "words" not in versions(folder)


@pytest.mark.parametrize("plugin_id", ["nobody", "wrds"])
def test_what_was_not_installed_is_not_removed(remove, plugin_id):
    with pytest.raises(NotFoundError, match="not installed into"):
        remove(plugin_id)


def test_a_folder_into_which_nothing_was_installed_is_left_as_it_is(growing, folder):
    write_plugin(folder, "mine")
    act = installation(growing, folder)
    with pytest.raises(NotFoundError):
        uninstall(act, ["nobody"])
    assert uninstall(act, []).removals == ()
    assert [path.name for path in folder.iterdir()] == ["mine.py"]


def test_edited_files_are_put_aside(remove, folder):
    (folder / "words" / "table.py").write_text("WORDS = 'mine'\n")
    (folder / "words" / "notes.txt").write_text("mine too")
    [one] = remove("words").removals
    assert (one.kept / "words" / "table.py").read_text() == "WORDS = 'mine'\n"
    assert [path.name for path in (folder / "words").iterdir()] == ["notes.txt"]


def test_what_python_compiled_goes_with_it(remove, folder):
    cache = folder / "words" / "__pycache__"
    cache.mkdir()
    (cache / "table.cpython-311.pyc").write_bytes(b"")
    remove("words")
    assert not (folder / "words").exists()


def test_nothing_is_removed_by_way_of_a_link(remove, folder, tmp_path):
    (folder / "words").rename(tmp_path / "checkout")
    (folder / "words").symlink_to(tmp_path / "checkout")
    before = contents(tmp_path / "checkout")
    with pytest.raises(InstallError, match="can't be removed: words is a link"):
        remove("words")
    assert contents(tmp_path / "checkout") == before


def test_a_file_that_two_have_stays_with_the_other(growing, folder):
    (growing.plugins / "beside.py").write_text("X = 1\n")
    for plugin_id in ("first", "second"):
        path = write_plugin(growing.plugins, plugin_id)
        path.write_text("import beside\n" + path.read_text())
    growing.add("other")
    act = installation(growing, folder)
    act.install([read_wanted("first"), read_wanted("second")])
    uninstall(act, ["first"])
    assert names(folder) == ["beside.py", "second.py"]
    uninstall(act, ["second"])
    assert names(folder) == []


def test_it_can_be_had_back_as_the_report_says(remove, folder, growing):
    before = contents(folder)
    (words,) = remove("counter", cascade=True).undo
    *ids, option, url = words.split()
    assert (ids, option, url) == (
        ["adder@0.3.0", "counter@1.0.0"],
        "--registry",
        growing.registry.url,
    )
    installation(growing, folder).install(list(map(read_wanted, ids)))
    assert {path for path in before if "/" not in path} <= contents(folder).keys()


KILLED = """
import os, shutil
from nebula_lab.registry.installing.folder import PluginFolder, finish_installs
from nebula_lab.registry.installing.removing import uninstall

def attempt(folder, at):
    "Uninstall in a process that is killed at its step number `at`; whether it was."
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

    for name in ("rename", "unlink", "rmdir"):
        setattr(Path, name, dying(getattr(Path, name)))
    uninstall(Installation(folder, (), SecurityConfig()), ["counter"], cascade=True)
    os._exit(0)

top = Path(sys.argv[2])
install("adder")
for at in range(1, 1000):
    folder = Path(f"{top}-{at}")
    shutil.copytree(top, folder)
    if not attempt(folder, at):
        break
    finish_installs(folder)
    there = {path.name for path in folder.iterdir()} - {".nebula-lab"}
    known = set(PluginFolder(folder).installed())
    assert there in (set(), {"adder.py", "counter.py"}), (at, there)
    assert known == {name.removesuffix(".py") for name in there}, (at, known)
print("tried", at - 1)
"""


def test_a_process_that_is_killed_anywhere_has_removed_all_or_nothing(served, folder):
    process = started(served, folder, KILLED)
    said, complaints = process.communicate(timeout=100)
    assert process.returncode == 0, complaints
    assert int(said.split()[-1]) > 8


# By way of a manager, and a terminal


COUNTING = """from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {"id": "counting", "version": "1.0.0"}

class Counting(Plugin):
    n = 0

    @operation
    def add(self) -> int:
        self.n += 1
        return self.n

def plugin_entry():
    return Counting()
"""


def test_what_runs_ends_and_comes_back_with_its_state(growing, folder):
    (growing.plugins / "counting.py").write_text(COUNTING)
    growing.add("other")
    folder.mkdir()
    gone = threading.Event()
    config = PluginConfig(
        plugin_dir=folder, security={"sandbox": "None"}, registries=[growing.registry]
    )
    with PluginManager(config) as plugins:
        plugins.subscribe(lambda event: gone.set(), only=(PluginRemoved,))
        plugins.install("counting", "other")
        assert plugins.execute("counting", "add") == 1
        report = plugins.uninstall("counting")
        assert report.notes == ()
        assert [one.id for one in plugins.list_plugins()] == ["other"]
        assert gone.wait(10)
        plugins.install("counting")
        assert plugins.execute("counting", "add") == 2


def test_a_terminal_says_what_is_gone_and_how_to_have_it_back(remove, folder, capsys, growing):
    def call(*words):
        code = run_command(cli, ["uninstall", "--plugin-dir", str(folder), *words])
        return code, capsys.readouterr()

    code, said = call("counter")
    assert code == ExitCode.PLUGIN_FAILED
    assert "counter is needed by adder" in said.err
    code, said = call("adder", "words", "--json")
    assert code == ExitCode.FINE
    assert [one["id"] for one in json.loads(said.out)["uninstalled"]] == ["adder", "words"]
    code, said = call("counter")
    assert said.out.splitlines() == [
        "Uninstalled counter 1.0.0.",
        "",
        "To have it back:",
        f"nebula-lab install counter@1.0.0 --registry {growing.registry.url}",
    ]
    assert call("counter")[0] == ExitCode.USAGE
