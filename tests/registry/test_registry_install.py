"""Installing plugins of a registry into a folder of plugins."""

from __future__ import annotations

import os
import shutil
import signal

import pytest
from msgspec.structs import replace
from registry_world import (
    contents,
    installation,
    serving,
    started,
    versions,
    write_package,
    write_plugin,
)

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import (
    ArchiveError,
    EditedFilesError,
    InstallError,
    NotFoundError,
    NoVersionFitsError,
    RegistryAnswerError,
    RegistryDownError,
    RegistryRefusedError,
    SignatureError,
)
from nebula_lab.model import SecurityConfig
from nebula_lab.model.discovery_strategy import FileSystem, Registry
from nebula_lab.registry.building.build import build
from nebula_lab.registry.format.documents import Rights
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.install import Installation
from nebula_lab.registry.installing.updating import update, updates
from nebula_lab.registry.installing.wanted import read_wanted
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.key_file import signer_from_file
from nebula_lab.trust.key_making import make_key
from nebula_lab.trust.signing import sign

pytestmark = pytest.mark.usefixtures("home")


# What people ask for


def test_the_newest_version_is_installed_as_it_was_published(install, folder, built):
    assert install("counter") == [("counter", "1.1.0")]
    assert versions(folder) == {"counter": "1.1.0"}
    assert [path.name for path in folder.iterdir() if path.name[0] != "."] == ["counter.py"]
    assert os.access(folder / "counter.py", os.W_OK)


def test_a_package_is_installed_as_a_folder(install, folder):
    install("words")
    assert (folder / "words" / "table.py").read_text() == "WORDS = 1\n"
    assert versions(folder) == {"words": "2.0.0"}


def test_what_a_plugin_needs_comes_with_it(install, folder):
    assert install("adder") == [("adder", "0.3.0"), ("counter", "1.1.0")]


@pytest.mark.parametrize("word", ["counter@1.0.0", "counter@=1.0.0", "counter@>=1.0, <1.1"])
def test_a_version_can_be_asked_for(install, word):
    assert install(word) == [("counter", "1.0.0")]


def test_what_is_there_stays_if_it_suits(install, folder):
    install("counter@1.1.0")
    before = (folder / "counter.py").stat().st_ino
    assert install("adder") == [("adder", "0.3.0")]
    assert (folder / "counter.py").stat().st_ino == before


def test_what_is_there_and_does_not_suit_is_replaced(install):
    install("counter@1.0.0")
    assert install("adder") == [("adder", "0.3.0"), ("counter", "1.1.0")]


def test_what_is_there_already_is_not_fetched_again(install, served, folder):
    install("words", mode="half-0")
    assert install("words", mode="half-0") == []
    assert len(served.asked("half-0", ".zip")) == 1


def test_a_file_that_was_removed_is_put_back(install, folder):
    install("words")
    (folder / "words" / "table.py").unlink()
    assert install("words") == [("words", "2.0.0")]
    assert (folder / "words" / "table.py").exists()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("counter@>=7", r"counter >=7 is wanted by you\.\s+Of counter there is 1\.1\.0, 1\.0\.0"),
        ("nobody", r"no registry has a plugin of this name\n"),
        ("countr", r"no registry has a plugin of this name; did you mean counter\?"),
        ("counter@banana", "no requirement"),
        ("../counter", "not the id of a plugin"),
        ("", "not the id of a plugin"),
    ],
)
def test_what_can_not_be_had_is_explained(install, folder, word, said):
    with pytest.raises((InstallError, NoVersionFitsError), match=said):
        install(word)
    assert not folder.exists()


def test_versions_that_do_not_suit_each_other_are_explained(install, folder):
    with pytest.raises(NoVersionFitsError, match=r"adder 0\.3\.0 needs counter >=1\.1"):
        install("adder", "counter@1.0.0")
    assert not folder.exists()


def test_what_stays_has_a_say_in_what_comes(install, folder):
    install("adder")
    with pytest.raises(NoVersionFitsError, match=r"adder 0\.3\.0 needs counter >=1\.1"):
        install("counter@1.0.0")
    assert versions(folder) == {"adder": "0.3.0", "counter": "1.1.0"}


def test_what_is_broken_anyway_is_no_reason_to_install_nothing(install, folder):
    write_plugin(folder, "mine", dependencies=["nobody >=1"])
    assert install("counter") == [("counter", "1.1.0")]


def test_a_place_that_has_nothing_is_said_to_be_no_registry(install):
    with pytest.raises(RegistryAnswerError, match="this is no registry"):
        install("counter", mode="status-404")


def test_without_a_registry_nothing_is_installed(install):
    with pytest.raises(InstallError, match="no registry is known"):
        install("counter", registries=())


def test_the_first_registry_that_has_a_plugin_is_asked_for_it(install, growing, served):
    growing.add("counter", "9.0.0")
    assert install("counter", registries=(served.registry(), growing.registry)) == [
        ("counter", "1.1.0")
    ]
    assert install("counter", registries=(growing.registry, served.registry())) == [
        ("counter", "9.0.0")
    ]


def test_a_registry_that_can_not_be_asked_is_not_passed_over(install, served):
    """It may have the plugin; another one's must not take its place."""
    with pytest.raises(RegistryDownError):
        install("counter", registries=(served.registry("status-500"), served.registry()))


def test_a_withdrawn_version_is_installed_only_if_it_is_named(growing, folder):
    growing.add("counter", "1.1.0")
    growing.change("counter", lambda one: replace(one, yanked="Counts wrongly."))
    act = installation(growing, folder).install
    assert act([read_wanted("counter")]).arrivals[0].version == "1.0.0"
    with pytest.raises(NoVersionFitsError, match="withdrawn: Counts wrongly"):
        act([read_wanted("counter@>1.0.0")])
    assert act([read_wanted("counter@1.1.0")]).arrivals[0].version == "1.1.0"


def test_a_registry_that_is_down_serves_from_what_is_known(growing, folder, tmp_path, built):
    with serving(built) as server:
        registry = server.registry()
        Installation(tmp_path / "other", (registry,), SecurityConfig()).install(
            [read_wanted("counter")]
        )
    report = Installation(folder, (registry,), SecurityConfig()).install([read_wanted("counter")])
    assert report.arrivals
    assert "stands for it" in report.notes[0]


# What is somebody's own


def test_edited_files_are_not_replaced(growing, folder):
    growing.add("words", "1.0.0", package=True, table="WORDS = 1\n")
    act = installation(growing, folder).install
    act([read_wanted("words")])
    (folder / "words" / "table.py").write_text("WORDS = 'mine'\n")
    before = contents(folder)
    growing.add("words", "1.1.0", package=True, table="WORDS = 2\n")
    with pytest.raises(EditedFilesError, match="--replace") as caught:
        act([read_wanted("words")])
    assert caught.value.files == ("words/table.py",)
    assert contents(folder) == before


def test_edited_files_are_kept_where_they_are_to_be_replaced(growing, folder):
    growing.add("words", "1.0.0", package=True, table="WORDS = 1\n")
    installation(growing, folder).install([read_wanted("words")])
    (folder / "words" / "table.py").write_text("WORDS = 'mine'\n")
    growing.add("words", "1.1.0", package=True, table="WORDS = 2\n")
    report = installation(growing, folder, replace=True).install([read_wanted("words")])
    [arrival] = report.arrivals
    assert (arrival.before, arrival.version) == ("1.0.0", "1.1.0")
    assert (arrival.kept / "words" / "table.py").read_text() == "WORDS = 'mine'\n"
    assert (folder / "words" / "table.py").read_text() == "WORDS = 2\n"


def test_files_that_somebody_put_beside_stay(growing, folder):
    growing.add("words", "1.0.0", package=True, table="WORDS = 1\n")
    installation(growing, folder).install([read_wanted("words")])
    (folder / "words" / "notes.txt").write_text("mine")
    growing.add("words", "1.1.0", package=True)
    (growing.plugins / "words" / "table.py").unlink()
    growing.add("words", "1.2.0", package=True)
    installation(growing, folder).install([read_wanted("words")])
    assert (folder / "words" / "notes.txt").read_text() == "mine"
    assert not (folder / "words" / "table.py").exists()


def test_a_file_of_somebodys_own_is_not_replaced(install, folder):
    folder.mkdir()
    (folder / "counter.py").write_text("print('mine')\n")
    with pytest.raises(EditedFilesError, match=r"counter\.py"):
        install("counter")
    assert contents(folder) == {"counter.py": b"print('mine')\n"}


def test_a_plugin_of_somebodys_own_is_not_replaced(install, folder):
    write_plugin(folder, "counter", "0.0.1").rename(folder / "my_counter.py")
    with pytest.raises(InstallError, match="was not installed from a registry"):
        install("counter")
    assert versions(folder) == {"counter": "0.0.1"}


def test_a_plugin_of_somebodys_own_is_seen_as_a_manager_would(install, folder):
    write_plugin(folder / "deeper", "counter", "1.7.0")
    assert install("adder", search=FileSystem(recursive=True)) == [("adder", "0.3.0")]
    assert install("counter") == [("counter", "1.1.0")]


def test_a_plugin_of_somebodys_own_that_suits_is_used(install, folder):
    write_plugin(folder, "counter", "1.7.0")
    assert install("adder") == [("adder", "0.3.0")]


def test_nothing_is_written_through_a_link(install, folder, tmp_path):
    folder.mkdir()
    (tmp_path / "checkout").mkdir()
    (folder / "words").symlink_to(tmp_path / "checkout")
    with pytest.raises(InstallError, match="words is a link"):
        install("words", replace=True)
    assert list((tmp_path / "checkout").iterdir()) == []


@pytest.mark.parametrize(("name", "said"), [("counter.py", "a folder"), ("words", "a file")])
def test_a_folder_in_the_place_of_a_file_stays(install, folder, name, said):
    folder.mkdir()
    (folder / name).mkdir() if said == "a folder" else (folder / name).write_text("mine")
    with pytest.raises(InstallError, match=said):
        install(name.removesuffix(".py"), replace=True)


def test_two_plugins_with_another_file_of_one_name_are_not_mixed(growing, folder):
    for number, plugin_id in enumerate(("first", "second")):
        (growing.plugins / "beside.py").write_text(f"X = {number}\n")
        path = write_plugin(growing.plugins, plugin_id)
        path.write_text("import beside\n" + path.read_text())
        growing.add("other")
        path.unlink()
    act = installation(growing, folder).install
    act([read_wanted("first")])
    with pytest.raises(InstallError, match=r"beside\.py is a file of the plugin first too"):
        act([read_wanted("second")])
    assert (folder / "beside.py").read_text() == "X = 0\n"


def test_an_unreadable_record_is_explained(install, folder):
    install("counter")
    record = folder / ".nebula-lab" / "installed" / "counter.json"
    record.write_text(record.read_text().replace('"counter.py"', '"../counter.py"'))
    with pytest.raises(InstallError, match="names files that it should not"):
        install("words")


# What is not as it should be


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("wrong", ArchiveError),
        ("half", RegistryDownError),
        ("token", RegistryRefusedError),
    ],
)
def test_nothing_is_installed_by_halves(install, folder, mode, error):
    install("words")
    before = contents(folder)
    with pytest.raises(error):
        install("adder", mode=mode)
    assert contents(folder) == before
    assert install("adder"), "the next try works"


def test_files_that_say_something_else_than_the_registry_are_not_installed(growing, folder):
    growing.change("counter", lambda one: replace(one, security=Rights(("Network",))))
    with pytest.raises(ArchiveError, match="another list of rights"):
        installation(growing, folder).install([read_wanted("counter")])
    assert versions(folder) == {}


def test_an_installation_asks_for_signatures_as_the_configuration_does(growing, folder, tmp_path):
    line = make_key(tmp_path / "key", "", "somebody")
    path = write_package(growing.plugins, "words")
    sign(collect(read_descriptor(path)), signer_from_file(tmp_path / "key", ask=lambda: ""))
    growing.add("other")
    security = SecurityConfig(verify_signature=True, trusted_keys=(line,))
    act = Installation(folder, (growing.registry,), security).install
    act([read_wanted("words")])
    with pytest.raises(SignatureError, match="not signed"):
        act([read_wanted("counter")])
    assert versions(folder) == {"words": "1.0.0"}


def test_two_processes_install_at_once(served, folder):
    programs = ["install('adder')", "install('adder', 'words')"]
    both = [started(served, folder, program) for program in programs]
    for process in both:
        assert "Traceback" not in process.communicate(timeout=60)[1]
    assert versions(folder) == {"adder": "0.3.0", "counter": "1.1.0", "words": "2.0.0"}
    assert set(PluginFolder(folder).installed()) == {"adder", "counter", "words"}


def test_an_interrupt_leaves_nothing_behind_and_the_next_try_works(served, folder, install):
    process = started(served, folder, "install('adder')", mode="stuck")
    with process.stdout, process.stderr:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.stderr.read()
    assert process.wait(20) != 0
    assert not folder.exists() or versions(folder) == {}
    assert install("adder") == [("adder", "0.3.0"), ("counter", "1.1.0")]


KILLED = """
import os
from nebula_lab.registry.installing.folder import PluginFolder, finish_installs

def attempt(folder, at):
    "Install in a process that is killed at its move number `at`; whether it was."
    sys.argv[2] = folder
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 9
    moves, real = iter(range(1, 1000)), Path.rename

    def dying(self, target):
        if next(moves) == at:
            os.kill(os.getpid(), 9)
        return real(self, target)

    Path.rename = dying
    install("adder", "words")
    os._exit(0)

install("adder", "words")
top = Path(sys.argv[2])
for at in range(1, 1000):
    folder = Path(f"{top}-{at}")
    if not attempt(folder, at):
        break
    finish_installs(folder)
    there = {path.name for path in folder.iterdir()} - {".nebula-lab"}
    known = set(PluginFolder(folder).installed())
    assert there in (set(), {"adder.py", "counter.py", "words"}), (at, there)
    assert known == {name.removesuffix(".py") for name in there}, (at, known)
    install("adder", "words")
    assert {path.name for path in folder.iterdir()} - {".nebula-lab"} == {
        "adder.py", "counter.py", "words"
    }
    assert {path.name for path in (folder / ".nebula-lab").iterdir()} <= {"lock", "installed"}
print("tried", at - 1)
"""


def test_a_process_that_is_killed_anywhere_leaves_all_or_nothing(served, folder):
    process = started(served, folder, KILLED)
    said, complaints = process.communicate(timeout=100)
    assert process.returncode == 0, complaints
    assert int(said.split()[-1]) > 8


FULL = """
import resource
from nebula_lab.errors import InstallError

def names():
    return sorted(path.name for path in Path(sys.argv[2]).iterdir())

mine = sys.argv[2]
sys.argv[2] = mine + "-other"
install("words", "counter")  # so that what comes is here, and only the folder is full
sys.argv[2] = mine
install("counter@1.0.0")
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in range(0, 1200, 100):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        install("words", "counter")
        break
    except InstallError as error:
        assert "File too large" in str(error), error
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert names() == [".nebula-lab", "counter.py"], names()
    assert "1.0.0" in Path(sys.argv[2], "counter.py").read_text()
    left = {path.name for path in Path(mine, ".nebula-lab").iterdir()}
    assert left <= {"lock", "installed"}, (room, left)
assert names() == [".nebula-lab", "counter.py", "words"], names()
print("refused", room // 100)
"""


def test_a_full_disk_leaves_everything_as_it_was(served, folder):
    process = started(served, folder, FULL)
    said, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    assert int(said.split()[-1]) > 2


def test_a_folder_that_can_not_be_made_is_explained(install, folder):
    folder.write_text("a file")
    with pytest.raises(InstallError, match="can't be written"):
        install("counter")


# Updates


def test_updates_say_what_there_is(growing, folder):
    act = installation(growing, folder)
    act.install([read_wanted("counter@^1")])
    for version in ("1.4.0", "2.0.0"):
        growing.add("counter", version)
    [one] = updates(act)
    assert (one.version, one.newest, one.beyond, one.is_due) == ("1.0.0", "1.4.0", "2.0.0", True)
    assert versions(folder) == {"counter": "1.0.0"}


def test_an_update_keeps_to_what_was_asked_for(growing, folder):
    act = installation(growing, folder)
    act.install([read_wanted("counter@^1")])
    for version in ("1.4.0", "2.0.0"):
        growing.add("counter", version)
    [arrival] = update(act).arrivals
    assert (arrival.before, arrival.version) == ("1.0.0", "1.4.0")
    assert update(act).arrivals == ()


def test_a_new_wish_takes_the_place_of_the_old_one(growing, folder):
    act = installation(growing, folder)
    act.install([read_wanted("counter@1.0.0")])
    growing.add("counter", "2.0.0")
    assert update(act).arrivals == ()
    act.install([read_wanted("counter")])
    assert PluginFolder(folder).installed()["counter"].requirement == "*"


def test_updates_say_that_a_version_was_withdrawn(growing, folder):
    act = installation(growing, folder)
    act.install([read_wanted("counter")])
    growing.change("counter", lambda one: replace(one, yanked="Counts wrongly."))
    [one] = updates(act)
    assert (one.yanked, one.is_due) == ("Counts wrongly.", False)


def test_what_is_older_than_what_is_here_is_not_beyond_it(growing, folder):
    growing.add("counter", "1.1.0")
    act = installation(growing, folder)
    act.install([read_wanted("counter@1.1.0")])
    growing.change("counter", lambda one: replace(one, yanked="Counts wrongly."))
    [one] = updates(act)
    assert (one.newest, one.beyond) == ("1.1.0", None)


def test_updates_say_what_was_edited(growing, folder):
    act = installation(growing, folder)
    act.install([read_wanted("counter")])
    (folder / "counter.py").write_text("# mine\n")
    assert updates(act)[0].edited == ("counter.py",)


def test_updates_go_on_where_one_can_not_be_asked_for(growing, folder):
    act = installation(growing, folder)
    growing.add("words", package=True)
    act.install([read_wanted("counter"), read_wanted("words")])
    shutil.rmtree(growing.served.folder / "plugins")
    assert [one.problem != "" for one in updates(act)] == [True, True]


def test_an_update_comes_from_where_the_plugin_came_from(growing, served, folder):
    growing.add("adder", "9.0.0")
    act = installation(growing, folder)
    act.install([read_wanted("counter")])
    growing.add("counter", "1.2.0")
    others = Installation(folder, (served.registry(),), SecurityConfig())
    assert [one.newest for one in updates(others)] == ["1.2.0"]
    assert [one.newest for one in updates(replace(others, is_from_one=True))] == ["1.1.0"]
    assert [one.version for one in update(replace(others, registries=())).arrivals] == ["1.2.0"]


def test_what_was_not_installed_is_not_updated(growing, folder):
    with pytest.raises(NotFoundError, match="not installed into"):
        updates(installation(growing, folder), ["counter"])


def test_a_registry_needs_no_more_than_its_address():
    assert Registry(url="https://plugins.example.org").auth is None


def test_a_plugin_of_which_there_are_only_pre_releases_is_installed(tmp_path, install, folder):
    write_plugin(tmp_path / "early", "early", "1.0.0-alpha.1")
    build(tmp_path / "early", tmp_path / "registry")
    with serving(tmp_path / "registry") as server:
        install("early", registries=(server.registry(),))
    assert str(read_descriptor(folder / "early.py").version) == "1.0.0-alpha.1"
