"""What a plugin finds around it in a forked host is what it would find in a new Python."""

from __future__ import annotations

import json
import os
import resource
import shlex
import site
import subprocess
import sys
from pathlib import Path

import pytest
from forked_lab import probe

from nebula_lab.agent.process_limits import ProcessLimits
from nebula_lab.errors import LoadFailedError

ALL_FILES = {"capabilities": ["FileSystem"]}
EVERYTHING = {
    "capabilities": ["Network", "FileSystem", "ProcessSpawn", "MemoryAllocation", "SystemCalls"]
}
# Everything that code may look at to learn how its interpreter was started.
START = """{
    "flags": {name: getattr(sys.flags, name) for name in type(sys.flags).__match_args__},
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix],
    "executable": sys.executable,
    "path": sys.path,
    "variables": {k: v for k, v in os.environ.items() if k != "NEBULA_LAB_HOST"},
    "bytecode": sys.dont_write_bytecode,
    "builtins": sorted(vars(__import__("builtins"))),
    "encodings": [sys.getfilesystemencoding(), sys.stdin and sys.stdin.encoding],
    "folder": os.getcwd(),
    "stdin": os.readlink("/proc/self/fd/0"),
    "signals": {str(n): str(signal.getsignal(n)) for n in (13, 15, 17)},
    "collector": __import__("gc").isenabled(),
    "user site": __import__("site").ENABLE_USER_SITE,
    "status": {
        line.split(":")[0]: line.split(":")[1].strip()
        for line in open("/proc/self/status")
        if line.startswith(("Cap", "NoNewPrivs", "Seccomp"))
    },
    "limits": {
        name: getrlimit(getattr(resource, name))
        for name in dir(resource)
        if name.startswith("RLIMIT_") and name not in COUNTED
    },
}"""
IMPORTS = """
import resource
from resource import getrlimit
# From what a host uses once it has booted, which is not the same to the byte.
COUNTED = {"RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_OFILE", "RLIMIT_NPROC"}
"""


@pytest.mark.parametrize("rights", [{}, ALL_FILES, EVERYTHING], ids=["none", "files", "all"])
def test_a_forked_interpreter_looks_like_one_that_was_started_anew(open_lab, rights):
    forked, started = open_lab(rights), open_lab(rights, enabled=False)
    told = [_without_places(lab, lab.ask("one", START, IMPORTS)) for lab in (forked, started)]
    assert (forked.is_forked("one"), started.is_forked("one")) == (True, False)
    assert told[0] == told[1]


def _without_places(lab, told):
    """With the host's own folder named alike for all."""
    own = lab.ask("one", "str(context.scratch_dir.parents[1])", "from nebula_lab.plugin import *")
    return json.loads(json.dumps(told).replace(own, "OWN"))


def test_variables_that_are_set_late_reach_a_plugin_that_asked_for_them(open_lab, monkeypatch):
    lab = open_lab({"allowed_variables": ["SET_LATE", "NOT_UTF8"]})
    lab.pid("one")
    monkeypatch.setenv("NOT_ASKED_FOR", "secret")
    monkeypatch.setenv("SET_LATE", "yes")
    monkeypatch.setenv("NOT_UTF8", os.fsdecode(b"\xff"))
    assert lab.ask("two", "os.environ['SET_LATE']") == "yes"
    assert lab.ask("two", "list(os.environb[b'NOT_UTF8'])") == [255]
    assert lab.ask("two", "'NOT_ASKED_FOR' not in os.environ")


def test_the_zygote_has_no_variable_that_it_does_not_need(open_lab, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "secret")
    lab = open_lab(preload=["colorsys"])  # one of its own, which starts now
    lab.pid("one")
    assert b"SOME_TOKEN" not in Path(f"/proc/{lab.zygote_pid}/environ").read_bytes()


def test_with_all_files_the_folder_is_the_one_at_the_time_of_the_load(
    open_lab, monkeypatch, tmp_path
):
    lab = open_lab(ALL_FILES)
    lab.pid("one")
    monkeypatch.chdir(tmp_path)
    assert lab.ask("two", "os.getcwd()") == str(tmp_path)


def test_without_them_it_is_the_scratch_folder_of_each(open_lab, monkeypatch, tmp_path):
    setup = "from nebula_lab.plugin import context"
    for lab in (open_lab(), open_lab(enabled=False)):
        for name in ("one", "two"):
            assert lab.ask(name, "os.getcwd() == str(context.scratch_dir)", setup)
            monkeypatch.chdir(tmp_path)


@pytest.fixture
def go_to_a_removed_folder(monkeypatch, tmp_path):
    def go():
        gone = tmp_path / "gone"
        gone.mkdir()
        monkeypatch.chdir(gone)
        gone.rmdir()

    return go


def test_that_the_folder_was_removed_is_said(open_lab, go_to_a_removed_folder):
    lab = open_lab(ALL_FILES)
    lab.pid("one")
    go_to_a_removed_folder()
    with pytest.raises(LoadFailedError, match="working directory doesn't exist"):
        lab.pid("two")


def test_a_plugin_with_a_folder_of_its_own_does_not_mind(lab, go_to_a_removed_folder):
    lab.pid("one")
    go_to_a_removed_folder()
    assert lab.ask("two", "os.path.isdir(os.getcwd())")


def test_the_umask_is_the_one_at_the_time_of_the_load(lab):
    lab.pid("one")
    before = os.umask(0o027)
    try:
        assert lab.ask("two", "os.umask(0o22)") == 0o027
    finally:
        os.umask(before)


@pytest.fixture
def limited():
    """Limits of this process that differ from those at its start; what they were comes back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    processors = os.sched_getaffinity(0)

    def limit():
        queue, processor = 4096 if soft != 4096 else 8192, min(processors)
        resource.setrlimit(resource.RLIMIT_MSGQUEUE, (queue, hard))
        os.sched_setaffinity(0, {processor})
        return [queue, [processor]]

    yield limit
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (soft, hard))
    os.sched_setaffinity(0, processors)


LIMITS = "[resource.getrlimit(resource.RLIMIT_MSGQUEUE)[0], sorted(os.sched_getaffinity(0))]"


@pytest.mark.parametrize("start", ["forked", "replaced", "anew"])
def test_the_limits_are_those_at_the_time_of_the_load(open_lab, limited, monkeypatch, start):
    lab = open_lab(enabled=start != "anew")
    lab.pid("one")
    limits = limited()
    if start == "replaced":
        monkeypatch.setenv("PYTHONHASHSEED", "1")
    assert lab.ask("two", LIMITS, "import resource") == limits
    assert lab.is_forked("two") == (start == "forked")


def test_a_spare_that_was_started_with_other_limits_is_thrown_away(open_lab, limited, wait_until):
    lab = open_lab(spares=1)
    lab.pid("one")
    wait_until(lambda: len(lab.sandbox.spares), "the spare", timeout=30.0)
    (spare,) = [spare.host.pid for spare in lab.sandbox.spares._spares]
    limits = limited()
    assert lab.ask("two", LIMITS, "import resource") == limits
    assert lab.pid("two") != spare
    wait_until(lambda: len(lab.sandbox.spares), "the next spare", timeout=30.0)
    (fresh,) = [spare.host.pid for spare in lab.sandbox.spares._spares]
    assert lab.pid("three") == fresh
    assert lab.ask("three", LIMITS, "import resource") == limits


GET_NICE = "os.getpriority(os.PRIO_PROCESS, 0)"


def test_the_niceness_of_a_host_is_that_at_the_time_of_the_load(tmp_path):
    (tmp_path / "one.py").write_text(probe("one"))
    owner = OWNER.replace(
        "told =", "plugins.load_plugin('one'); plugins.unload_plugin('one'); os.nice(3); told ="
    )
    command = [sys.executable, "-c", owner, str(tmp_path), GET_NICE, "pass"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)[0] == os.nice(0) + 3


def test_limits_that_may_not_be_raised_stay_and_do_no_harm():
    """As they do for a user without privileges, whom this process becomes."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if _keeps_what_it_has() else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def _keeps_what_it_has():
    resource.setrlimit(resource.RLIMIT_CORE, (100, 200))
    os.nice(2)
    if os.getuid() == 0:
        os.setresuid(65534, 65534, 65534)
    before = ProcessLimits.now()
    ProcessLimits(((resource.RLIMIT_CORE, 300, 400),), (100_000,), -5).apply()
    after = ProcessLimits.now()
    have = (after.nice, after.processors, resource.getrlimit(resource.RLIMIT_CORE))
    return have == (before.nice, before.processors, (200, 200))


def test_a_changed_time_zone_counts(lab, monkeypatch):
    lab.pid("one")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert lab.ask("two", "time.tzname[0]", "import time") == "JST"


def test_a_module_of_pythonpath_can_be_imported(lab, monkeypatch, tmp_path):
    (tmp_path / "lies_about.py").write_text("value = 1")
    lab.pid("one")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert lab.ask("two", "lies_about.value", "import lies_about") == 1
    assert lab.is_forked("two")


def test_a_module_of_pythonpath_takes_the_place_of_one_that_the_zygote_has(
    lab, monkeypatch, tmp_path
):
    assert lab.ask("one", "'shlex' in sys.modules")
    (tmp_path / "shlex.py").write_text(Path(shlex.__file__).read_text() + "\nmine = True\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert lab.ask("two", "shlex.mine", "import shlex")
    assert not lab.is_forked("two")


@pytest.mark.parametrize(
    ("variable", "value", "expression", "expected"),
    [
        ("PYTHONHASHSEED", "1", "sys.flags.hash_randomization", 1),
        ("PYTHONOPTIMIZE", "1", "sys.flags.optimize", 1),
        (
            "PYTHONWARNINGS",
            "ignore::ResourceWarning",
            "sys.warnoptions[0]",
            "ignore::ResourceWarning",
        ),
    ],
)
def test_a_variable_that_python_reads_when_it_starts_counts(
    lab, monkeypatch, variable, value, expression, expected
):
    lab.pid("one")
    monkeypatch.setenv(variable, value)
    assert lab.ask("two", expression) == expected
    assert (lab.is_forked("one"), lab.is_forked("two")) == (True, False)


def test_a_variable_of_the_loader_makes_another_zygote(lab, monkeypatch):
    lab.pid("one")
    first = lab.zygote_pid
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    lab.pid("two")
    assert lab.zygote_pid != first
    assert lab.pid("one")  # and those of the first go on


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Adds a package to a folder of the user's that this Python is made to have."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    found = [*site.getsitepackages(), str(folder)]
    monkeypatch.setattr(site, "getsitepackages", lambda: list(found))
    return lambda name: (folder / f"{name}.dist-info").mkdir()


def test_what_is_installed_makes_another_zygote(install, open_lab):
    lab = open_lab()
    lab.pid("one")
    first = lab.zygote_pid
    install("something-1.0")
    assert lab.is_forked("two")
    assert lab.zygote_pid != first


def test_a_spare_from_before_an_installation_is_thrown_away(install, open_lab, wait_until):
    lab = open_lab(spares=1)
    lab.pid("one")
    wait_until(lambda: len(lab.sandbox.spares), "the spare", timeout=30.0)
    (spare,) = [spare.host.pid for spare in lab.sandbox.spares._spares]
    install("something-1.0")
    assert lab.pid("two") != spare


def test_with_a_variable_hash_seed_each_host_has_its_own(lab, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    assert lab.ask("one", "hash('a')") != lab.ask("two", "hash('a')")


OWNER = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
from nebula_lab import PluginManager
with PluginManager(plugin_dir=sys.argv[1]) as plugins:
    told = plugins.execute("one", "ask", {"expression": sys.argv[2], "setup": sys.argv[3]})
    print(json.dumps([told, plugins._engine.sandboxes.usual.launcher.zygote_pid]))
"""


@pytest.fixture
def environment(tmp_path):
    """A Python environment with the packages of this one, for a test to add to."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    theirs = next((tmp_path / "env" / "lib").glob("python*")) / "site-packages"
    ours = Path(next(path for path in sys.path if path.endswith("site-packages")))
    for entry in ours.iterdir():
        if entry.suffix != ".pth":
            (theirs / entry.name).symlink_to(entry)
    return theirs


def ask_in(environment, folder, expression, setup, **rights):
    folder.mkdir()
    (folder / "one.py").write_text(probe("one", **rights))
    python = environment.parents[2] / "bin" / "python"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [python, "-c", OWNER, str(folder), expression, setup],
        env=os.environ | {"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_what_is_installed_as_editable_can_be_imported(environment, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "by_path.py").write_text("where = 'path'")
    (source / "by_finder.py").write_text("where = 'finder'")
    (environment / "_editable_paths.pth").write_text(f"{source}\n")
    # As setuptools does it for a package that is mapped, not just put on the path.
    (environment / "_editable_finder.py").write_text(
        "import importlib.util, sys\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name == 'mapped':\n"
        f"            file = {str(source / 'by_finder.py')!r}\n"
        "            return importlib.util.spec_from_file_location(name, file)\n"
        "def install(): sys.meta_path.append(Finder)\n"
    )
    (environment / "_editable_finder.pth").write_text(
        "import _editable_finder; _editable_finder.install()"
    )
    setup = "import by_path, mapped"
    expression = (
        "[by_path.where, mapped.where, 'nebula_lab.agent.zygote' in sys.modules, os.getppid()]"
    )
    told, zygote = ask_in(environment, tmp_path / "plugins", expression, setup)
    assert told == ["path", "finder", True, zygote]


def test_customizations_of_an_environment_run_in_hosts_and_never_in_the_zygote(
    environment, tmp_path
):
    log = tmp_path / "log"
    line = f"import os; open({str(log)!r}, 'a').write(str(os.getpid()) + '\\n')"
    (environment / "sitecustomize.py").write_text(line)
    (environment / "hook.pth").write_text(line)
    expression = "[os.getpid(), os.getppid()]"
    told, zygote = ask_in(environment, tmp_path / "plugins", expression, "", **ALL_FILES)
    ran_in = log.read_text().split()
    assert told[1] == zygote
    assert ran_in.count(str(told[0])) == ran_in.count(ran_in[0])  # the manager's own Python
    assert str(zygote) not in ran_in
