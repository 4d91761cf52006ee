"""What a plugin is granted is what it has: files, variables, folders, processes."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import psutil
import pytest
from msgspec import structs

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.errors import LoadFailedError, PluginCrashedError
from nebula_lab.sandbox import probing

RUN = """
@operation
def run(self, code: str) -> Any:
    scope = {"self": self, "os": os, "pathlib": pathlib}
    exec(code, scope)
    return scope.get("found")
"""
EVERYTHING = ["Network", "FileSystem", "ProcessSpawn", "MemoryAllocation", "SystemCalls"]


@pytest.fixture
def run(folder):
    """Runs code in a plugin that has the rights that are given."""
    managers = []

    def in_plugin(code, asked=(), security=None, **rights):
        folder.write(
            "it",
            f"from typing import Any\nclass It(Plugin):\n{RUN.replace(chr(10), chr(10) + '    ')}\n"
            "def plugin_entry(): return It()",
            security={"capabilities": list(asked), **rights},
        )
        if not managers:
            settings = {"capabilities": EVERYTHING, **(security or {})}
            managers.append(PluginManager({"plugin_dir": folder.path, "security": settings}))
        return managers[0].execute("it", "run", {"code": code})

    yield in_plugin
    for manager in managers:
        manager.close()


def test_a_plugin_starts_in_its_scratch_folder_and_may_write_there(run):
    code = "open('x', 'w').write('y'); found = [os.getcwd(), str(self.context.scratch_dir)]"
    here, scratch = run(code)
    assert here == scratch


def test_home_and_temporary_files_are_its_own(run):
    home, temporary, scratch = run(
        "import tempfile\nwith tempfile.NamedTemporaryFile() as f: pass\n"
        "found = [os.path.expanduser('~'), f.name, str(self.context.scratch_dir)]"
    )
    assert scratch.startswith(home)
    assert temporary.startswith(home)


def test_a_plugin_gets_harmless_variables_and_those_that_it_asked_for(run, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "s")
    monkeypatch.setenv("OTHER_TOKEN", "o")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    found = run("found = dict(os.environ)", allowed_variables=["OTHER_TOKEN"])
    assert "SECRET_TOKEN" not in found
    assert found["OTHER_TOKEN"] == "o"
    assert found["TZ"] == "Europe/Berlin"


def test_of_allowed_paths_some_are_read_and_some_written(run, tmp_path):
    (tmp_path / "read").mkdir()
    (tmp_path / "read" / "a").write_text("1")
    (tmp_path / "written").mkdir()
    (tmp_path / "neither").write_text("2")
    code = f"""
found = {{}}
for name, act in {{
    "read": lambda: open("{tmp_path}/read/a").read(),
    "write into read": lambda: open("{tmp_path}/read/b", "w"),
    "write": lambda: open("{tmp_path}/written/b", "w").write("3"),
    "neither": lambda: open("{tmp_path}/neither"),
}}.items():
    try:
        found[name] = act()
    except OSError as error:
        found[name] = type(error).__name__
"""
    rights = {"allowed_paths": [f"{tmp_path}/read", f"{tmp_path}/written:rw"]}
    found = run(code, ["FileSystem"], **rights)
    assert found["read"] == "1"
    assert found["write into read"] in ("OSError", "PermissionError")
    assert (tmp_path / "written" / "b").read_text() == "3"
    assert found["neither"] == "FileNotFoundError"


def test_an_allowed_path_that_is_not_there_is_an_error_that_names_it(run, tmp_path):
    with pytest.raises(LoadFailedError, match="gone, which is not there"):
        run("", ["FileSystem"], allowed_paths=[f"{tmp_path}/gone"])


def test_a_link_that_a_plugin_put_in_the_place_of_what_another_was_granted_is_refused(
    folder, tmp_path
):
    shared, secret = tmp_path / "shared", tmp_path / "secret"
    (shared / "data").mkdir(parents=True)
    secret.mkdir()
    folder.plugin(
        "first",
        f"@operation\ndef swap(self): os.rmdir('{shared}/data'); "
        f"os.symlink('{secret}', '{shared}/data')",
        security={"capabilities": ["FileSystem"], "allowed_paths": [f"{shared}:rw"]},
    )
    folder.plugin(
        "second",
        "@operation\ndef look(self): return 1",
        security={"capabilities": ["FileSystem"], "allowed_paths": [f"{shared}/data"]},
    )
    with folder.manager() as plugins:
        assert plugins.execute("second", "look") == 1
        plugins.unload_plugin("second")
        plugins.execute("first", "swap")
        with pytest.raises(LoadFailedError, match="is a link, in a folder that a plugin may write"):
            plugins.load_plugin("second")


def test_with_all_files_a_plugin_is_where_the_manager_is(run):
    assert run("found = [os.getcwd(), os.environ['HOME']]", ["FileSystem"]) == [
        str(Path.cwd()),
        os.environ["HOME"],
    ]


def test_with_all_files_a_plugin_sees_neither_the_store_nor_other_hosts(run):
    store = Path(os.environ["NEBULA_LAB_HOME"]) / "store"
    code = f"found = [os.listdir('{store}'), os.listdir(self.context.scratch_dir.parents[2])]"
    shown, hosts = run(code, ["FileSystem"])
    assert store.joinpath("trees").is_dir()
    assert shown == []
    assert len(hosts) == 1


def test_two_rights_that_go_with_each_other_open_sockets_in_the_file_system(run, tmp_path):
    import socket

    path = str(tmp_path / "listens")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({path!r}); found = 1"
        assert run(code, ["FileSystem", "Network"]) == 1


def test_with_process_spawn_programs_run_and_see_their_own_processes_only(run):
    code = (
        "import subprocess; found = subprocess.run("
        "['sh', '-c', 'ls -d /proc/[0-9]* | wc -l'], capture_output=True, text=True).stdout"
    )
    assert int(run(code, ["ProcessSpawn"])) < 10


def test_process_pools_work_with_process_spawn(run):
    code = (
        "import multiprocessing; pool = multiprocessing.get_context('fork').Pool(2)\n"
        "found = pool.map(abs, [-1, -2]); pool.close(); pool.join()"
    )
    assert run(code, ["ProcessSpawn"]) == [1, 2]


@pytest.mark.parametrize("asked", [[], ["ProcessSpawn"]])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("os._exit(7)", "exited with code 7"),
        ("os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("os.abort()", "killed by SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV"),
    ],
)
def test_how_a_host_ended_is_told_whatever_is_around_it(run, asked, code, reason):
    with pytest.raises(PluginCrashedError, match=reason):
        run(code, asked)


def _sleepers(ready):
    """The processes that write this file."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(ready) in " ".join(process.cmdline()):
                found.append(process)
    return found


def _is_over(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def _machine_without(*missing):
    found = probing._probe()
    lacking = {name: Mechanism(False, "", "get it") for name in missing}
    return Machine(**{name: getattr(found, name) for name in found.__struct_fields__} | lacking)


FALLBACKS = [
    ("namespaces", "pid_namespace", "counts_threads", "cgroups"),
    ("landlock", "scopes", "cgroups"),
    ("pid_namespace", "cgroups"),
    ("namespaces", "pid_namespace"),
]
# Linux 5.19 to 6.1, and 6.8, where ordinary users make no namespaces.
OLDER = [
    ("landlock 2", "scopes", "namespaces", "pid_namespace", "counts_threads", "cgroups"),
    ("landlock 4", "scopes", "namespaces", "pid_namespace", "counts_threads", "cgroups"),
]


@pytest.fixture
def poorer(monkeypatch):
    """Has managers find a machine that lacks something; what is there is used for real.

    «landlock 2» among what is missing is all that came after version 2 of Landlock.
    """

    def make(*missing):
        found = _machine_without(*(one for one in missing if not one.startswith("landlock ")))
        for one in missing:
            if one.startswith("landlock "):
                version = int(one.split()[1])
                found = structs.replace(
                    found, landlock=structs.replace(found.landlock, version=version)
                )
        monkeypatch.setattr(probing, "_probe", lambda: found)

    return make


@pytest.mark.parametrize("missing", FALLBACKS + OLDER, ids="-".join)
def test_with_less_of_a_machine_a_plugin_is_confined_all_the_same(run, poorer, missing, tmp_path):
    poorer(*missing)
    secret = tmp_path / "secret"
    secret.write_text("s")
    code = f"""
import socket, subprocess
found = []
for act in (
    lambda: open({str(secret)!r}).read(),
    lambda: open({str(tmp_path / "new")!r}, "w"),
    lambda: os.truncate({str(secret)!r}, 0),
    lambda: os.close(os.open({str(secret)!r}, os.O_RDONLY | os.O_TRUNC)),
    lambda: os.close(os.open({str(secret)!r}, os.O_ACCMODE | os.O_TRUNC)),
    lambda: socket.socket(),
    lambda: subprocess.run(["true"]),
    lambda: os.kill({os.getpid()}, 0),
    lambda: open("/proc/{os.getpid()}/environ").read(),
):
    try:
        found.append(act())
    except (OSError, subprocess.SubprocessError) as error:
        found.append(type(error).__name__)
open("own", "w").write("x")
import numpy, sqlite3, decimal, threading
"""
    found = run(code)
    assert set(found) <= {"PermissionError", "FileNotFoundError"}, found
    assert secret.read_text() == "s"


@pytest.mark.parametrize("missing", FALLBACKS, ids="-".join)
def test_with_less_of_a_machine_what_is_left_behind_ends_with_its_host(
    run, poorer, missing, tmp_path, wait_until
):
    poorer(*missing)
    left = tmp_path / "left"
    left.mkdir()
    ready = left / "ready"
    daemon = (
        "import os, time\n"
        "if os.fork(): os._exit(0)\n"
        f"os.setsid(); open({str(ready)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {daemon!r}], env={{}})"
    run(code, ["ProcessSpawn", "FileSystem"], allowed_paths=[f"{left}:rw"])
    wait_until(ready.exists, "the daemon")
    before = _sleepers(ready)
    assert before
    with pytest.raises(PluginCrashedError):
        run("os.kill(os.getpid(), 9)", ["ProcessSpawn", "FileSystem"])
    wait_until(lambda: all(map(_is_over, before)), "the end of the daemon")


@pytest.mark.parametrize("missing", OLDER, ids="-".join)
def test_where_who_starts_processes_could_end_any_nobody_may(run, poorer, missing):
    poorer(*missing)
    with pytest.raises(LoadFailedError, match="nothing on this machine would enforce"):
        run("found = 1", ["ProcessSpawn"])


def test_what_this_machine_can_not_enforce_is_refused_with_its_cure(run, poorer):
    poorer("seccomp")
    with pytest.raises(LoadFailedError, match="nothing on this machine would enforce") as refused:
        run("found = 1")
    assert "strict: false" in refused.value.hint


def test_without_strict_it_runs_and_the_manager_says_with_what_less(run, poorer):
    poorer("seccomp")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnenforcedWarning)
        assert run("found = 1", security={"strict": False}) == 1
    said = [str(one.message) for one in caught if one.category is UnenforcedWarning]
    assert any("processes" in one for one in said), said
