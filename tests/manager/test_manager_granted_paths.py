"""A path that was granted is that path's files, and nothing of ours or of other plugins."""

from __future__ import annotations

import contextlib
import ctypes
import os
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.errors import LoadFailedError
from nebula_lab.sandbox import probing

RUN = """@operation
def run(self, code: str) -> str:
    scope = {"self": self, "os": os, "pathlib": pathlib}
    try:
        exec(code, scope)
    except OSError as error:
        return type(error).__name__
    return str(scope.get("found"))
"""
SIBLING = "@operation\ndef ping(self): return 1"
ALL = {"namespaces", "pid_namespace", "counts_threads"}


@contextmanager
def running(folder, *paths, plugin_id="it", **settings):
    """Runs code in a plugin that has FileSystem with these paths; it has a sibling."""
    security = {"capabilities": ["FileSystem"], "allowed_paths": list(paths)}
    folder.plugin(plugin_id, RUN, security=security)
    folder.plugin("sibling", SIBLING + "  # SECRET")
    with folder.manager(**settings) as plugins:
        yield lambda code: plugins.execute(plugin_id, "run", {"code": code})


@pytest.fixture
def without_namespaces(monkeypatch):
    """Has managers find a machine with Landlock alone."""
    found = probing._probe()
    lacking = {name: Mechanism(False, "", "get it") for name in ALL}
    poor = Machine(**{name: getattr(found, name) for name in found.__struct_fields__} | lacking)
    monkeypatch.setattr(probing, "_probe", lambda: poor)


@pytest.fixture
def around(tmp_path, monkeypatch):
    """A folder that has everything in it: the store, the sockets, Jupyter's files, plugins."""
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter/runtime"))
    short = tempfile.mkdtemp(prefix="g-", dir="/tmp")  # for sockets, whose paths are short
    monkeypatch.setenv("XDG_RUNTIME_DIR", short)
    yield tmp_path, Path(short)
    Path(short).rmdir()


# Ours, below what was granted


def test_with_a_folder_around_all_a_plugin_sees_nothing_of_ours_in_it(folder, around):
    everything, run = around
    code = f"""
seen = {{}}
for root in ({str(everything)!r}, {str(run)!r}):
    for path, folders, files in os.walk(root):
        seen[path] = files
found = sorted(f"{{path}}/{{file}}" for path, files in seen.items() for file in files)
"""
    (everything / "own.txt").write_text("mine")
    with running(folder, f"{everything}:rw", f"{run}:rw") as it:
        seen = it(code)
        own = it("found = self.context.scratch_dir.parents[1]")
    assert "own.txt" in seen
    others = [one for one in seen.strip("[]").split(", ") if own not in one]
    assert others == [repr(f"{everything}/own.txt")]


def test_what_hides_ours_can_not_be_moved_out_of_the_way(folder, around):
    everything, _ = around
    (everything / "jupyter/runtime").mkdir(parents=True)
    with running(folder, f"{everything}:rw") as it:
        assert it(f"os.rename('{everything}/plugins', '{everything}/x')") == "OSError"
        assert it(f"os.rename('{everything}/jupyter', '{everything}/x')") == "OSError"
        assert it(f"os.rename('{everything}/store', '{everything}/x')") == "OSError"
        assert it(f"os.mkdir('{everything}/y'); os.rename('{everything}/y', '{everything}/z')")
    assert (everything / "z").is_dir()
    assert (everything / "plugins/sibling.py").is_file()


def test_what_hides_ours_can_not_be_written_to(folder, around):
    everything, _ = around
    with running(folder, f"{everything}:rw") as it:
        assert it(f"open('{everything}/plugins/new.py', 'w')") in ("OSError", "PermissionError")
        assert it(f"open('{everything}/jupyter/runtime/k', 'w')") in ("OSError", "PermissionError")


def test_what_was_granted_inside_what_is_hidden_is_seen(folder):
    data = folder.path / "data"
    data.mkdir(parents=True)
    (data / "a").write_text("1")
    with running(folder, str(folder.path.parent), "data") as it:
        assert it(f"found = open('{data}/a').read()") == "1"
        assert it(f"found = os.listdir('{folder.path}')") == "['data']"


def test_of_its_own_folder_a_plugin_reads_what_is_no_other_plugins(folder):
    (folder.path / "notes.txt").write_text("1")
    with running(folder, ".") as it:
        assert it(f"found = open('{folder.path}/notes.txt').read()") == "1"
        assert it(f"found = open('{folder.path}/it.py').read()[:4]") != "PermissionError"
        assert it(f"found = open('{folder.path}/sibling.py').read()") == "PermissionError"


def test_without_namespaces_a_folder_around_ours_is_refused(folder, around, without_namespaces):
    everything, _ = around
    with running(folder, str(everything)) as it, pytest.raises(LoadFailedError) as refused:
        it("")
    assert "nothing on this machine would hide that" in str(refused.value)


@pytest.mark.parametrize("mode", ["ro", "rw"])
@pytest.mark.parametrize("inside", ["store", "store/trees", "jupyter/runtime"])
def test_our_own_folders_are_granted_to_nobody(folder, around, inside, mode):
    everything, _ = around
    (everything / inside).mkdir(parents=True, exist_ok=True)
    with (
        running(folder, f"{everything / inside}:{mode}") as it,
        pytest.raises(LoadFailedError, match="are for no plugin"),
    ):
        it("")


def test_what_jupyter_makes_later_is_hidden_from_a_plugin_that_sees_all_files(folder, around):
    everything, _ = around
    runtime = everything / "jupyter" / "runtime"
    folder.plugin("it", RUN, security={"capabilities": ["FileSystem"]})
    with folder.manager() as plugins:
        look = {"code": f"found = os.listdir('{runtime}')"}
        assert plugins.execute("it", "run", look) == "[]"
        assert runtime.stat().st_mode & 0o777 == 0o700
        (runtime / "kernel-1.json").write_text("SECRET")
        assert plugins.execute("it", "run", look) == "[]"


# Links


def test_a_link_does_not_lead_out_of_what_the_configuration_allows(folder, tmp_path):
    allowed, secret = tmp_path / "allowed", tmp_path / "secret"
    allowed.mkdir()
    secret.mkdir()
    (secret / "key").write_text("SECRET")
    (allowed / "data").symlink_to(secret)
    limits = {"allowed_paths": [{"path": str(allowed), "mode": "rw"}]}
    with running(folder, f"{allowed}/data:rw", security=limits) as it:
        assert it(f"found = open('{allowed}/data/key').read()") == "FileNotFoundError"
        assert it(f"found = open('{secret}/key').read()") == "FileNotFoundError"


def test_a_path_is_found_by_the_name_that_it_was_granted_by(folder, tmp_path):
    (tmp_path / "really").mkdir()
    (tmp_path / "really" / "a").write_text("1")
    (tmp_path / "named").symlink_to("really")
    limits = {"allowed_paths": [str(tmp_path / "named")]}
    with running(folder, f"{tmp_path}/named", security=limits) as it:
        assert it(f"found = open('{tmp_path}/named/a').read()") == "1"
    (granted,) = _policy(folder, tmp_path / "named").rights.paths
    assert granted.path == tmp_path / "really"


def _policy(folder, path):
    security = {"capabilities": ["FileSystem"], "allowed_paths": [str(path)]}
    folder.plugin("it", RUN, security=security)
    with folder.manager() as plugins:
        return plugins.policy("it")


def _exchange(one: Path, other: Path) -> None:
    found = ctypes.CDLL(None, use_errno=True).renameat2(
        -100, os.fsencode(one), -100, os.fsencode(other), 2
    )
    assert found == 0


def test_a_link_that_comes_and_goes_never_gives_away_what_it_leads_to(folder, tmp_path):
    shared, secret = tmp_path / "shared", tmp_path / "secret"
    (shared / "x").mkdir(parents=True)
    secret.mkdir()
    (secret / "key").write_text("SECRET")
    (shared / "y").symlink_to(secret)
    for plugin_id, path in (("flipper", f"{shared}:rw"), ("it", f"{shared}/x")):
        rights = {"capabilities": ["FileSystem"], "allowed_paths": [path]}
        folder.plugin(plugin_id, RUN, security=rights)
    stop = threading.Event()

    def flip() -> None:
        while not stop.wait(0.0005):
            _exchange(shared / "x", shared / "y")

    flipping = threading.Thread(target=flip)
    outcomes = []
    with folder.manager() as plugins:
        flipping.start()
        try:
            for _ in range(8):
                with contextlib.suppress(LoadFailedError):
                    plugins.load_plugin("it")
                    look = {"code": f"found = open('{shared}/x/key').read()"}
                    outcomes.append(plugins.execute("it", "run", look))
                    plugins.unload_plugin("it")
        finally:
            stop.set()
            flipping.join()
    assert set(outcomes) <= {"FileNotFoundError"}


def test_what_was_replaced_since_is_what_the_next_host_gets(folder, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with running(folder, str(data), zygote={"spares": 1}) as it:
        assert it(f"found = os.listdir('{data}')") == "[]"
        data.rename(tmp_path / "old")
        data.mkdir()
        (data / "new").write_text("1")
        with pytest.raises(Exception, match="exited with code 1"):
            it("os._exit(1)")
        assert it(f"found = os.listdir('{data}')") == "['new']"


# What no grant is for


@pytest.mark.parametrize("path", ["/", "/:rw", "/proc", "/proc/1", "/dev", "/sys:rw"])
def test_the_root_and_what_is_the_kernels_are_refused(folder, path):
    with running(folder, path) as it, pytest.raises(LoadFailedError) as refused:
        it("")
    assert "is to" in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize("path", [".:rw", "it.py:rw", "data:rw"])
def test_a_plugin_does_not_write_where_plugins_come_from(folder, path):
    (folder.path / "data").mkdir(parents=True)
    with running(folder, path) as it, pytest.raises(LoadFailedError) as refused:
        it("")
    assert "plugins" in str(refused.value) or "rewrite" in str(refused.value)


def test_a_package_writes_into_a_folder_of_its_own(folder):
    package = folder.path / "pack"
    (package / "results").mkdir(parents=True)
    (package / "plugin.toml").write_text(
        'id = "pack"\nversion = "1.0.0"\n'
        '[security]\ncapabilities = ["FileSystem"]\nallowed_paths = ["results:rw"]\n'
    )
    (package / "__init__.py").write_text(
        "import os, pathlib\nfrom nebula_lab.plugin import Plugin, operation\n"
        "class It(Plugin):\n" + "".join(f"    {line}\n" for line in RUN.splitlines()) + "\n"
        "def plugin_entry(): return It()"
    )
    with folder.manager() as plugins:
        code = f"open('{package}/results/a', 'w').write('1')"
        assert plugins.execute("pack", "run", {"code": code}) == "None"
        code = f"open('{package}/plugin.toml', 'a')"
        assert plugins.execute("pack", "run", {"code": code}) != "None"
    assert (package / "results" / "a").read_text() == "1"


def test_another_plugins_files_are_not_granted(folder):
    with running(folder, "sibling.py") as it, pytest.raises(LoadFailedError, match="of the plugin"):
        it("")


def test_a_writable_folder_in_one_that_is_only_read_is_written_to(folder, tmp_path):
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    inner = tmp_path / "outer" / "inner"
    with running(folder, f"{tmp_path}/outer", f"{inner}:rw") as it:
        assert it(f"open('{inner}/a', 'w').write('1')") == "None"
        assert it(f"open('{inner.parent}/a', 'w').write('1')") != "None"
