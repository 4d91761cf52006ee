"""A forked host is a process of its own, like one that was started anew."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import psutil
import pytest

from nebula_lab.errors import PluginCrashedError


def test_hosts_are_children_of_the_zygote(lab, wait_until):
    lab.pid("one")
    wait_until(lab.has_settled, "the end of preloading")
    pids = [lab.pid(name) for name in ("one", "two")]
    assert {psutil.Process(pid).ppid() for pid in pids} == {lab.zygote_pid}


def test_the_zygote_has_one_thread_once_it_has_imported_everything(lab, wait_until):
    lab.pid("one")
    zygote = psutil.Process(lab.zygote_pid)

    def has_numpy():
        return any("numpy/random" in mapping.path for mapping in zygote.memory_maps())

    wait_until(has_numpy, "numpy in the zygote")
    wait_until(lambda: zygote.num_threads() == 1, "the end of numpy's threads")


def test_a_host_leads_a_session_of_its_own(lab):
    pid = lab.pid("one")
    assert lab.ask("one", "(os.getsid(0), os.getpgid(0))") == [pid, pid]


def test_two_hosts_have_connection_files_and_keys_of_their_own(lab):
    for name in ("one", "two"):
        lab.pid(name)
    files = [lab.plugins.connection_file(name) for name in ("one", "two")]
    told = [json.loads(file.read_text()) for file in files]
    assert told[0]["key"] != told[1]["key"]
    assert told[0]["ip"] != told[1]["ip"]
    assert len(told[0]["key"]) >= 32


@pytest.mark.parametrize(
    ("expression", "module"),
    [
        ("random.getrandbits(64)", "random"),
        ("int(numpy.random.randint(2**62))", "numpy.random"),
        ("float(numpy.random.default_rng().random())", "numpy.random"),
        ("str(uuid.uuid4())", "uuid"),
        ("str(uuid.uuid1())", "uuid"),
        ("secrets.token_hex()", "secrets"),
        ("next(tempfile._get_candidate_names())", "tempfile"),
    ],
)
def test_what_is_random_differs_between_two_hosts(lab, expression, module):
    # With the module already in the zygote, its state would be the same in both.
    given = [lab.ask(name, expression, f"import {module}") for name in ("one", "two")]
    assert given[0] != given[1]


def test_numpy_is_there_before_a_plugin_asks_for_it(lab, wait_until):
    lab.pid("one")

    def numpy_came_with_the_fork():
        lab.plugins.unload_plugin("one")
        return lab.ask("one", "'numpy' in sys.modules")

    wait_until(numpy_came_with_the_fork, "numpy in the zygote")


def test_numerical_threads_start_again_in_a_host(lab):
    setup = "import numpy\na = numpy.ones((500, 500))\nb = a @ a"
    assert lab.ask("one", "float(b[0, 0])", setup) == 500.0


def test_a_host_shows_its_plugin_in_the_list_of_processes(lab):
    host = psutil.Process(lab.pid("one"))
    assert " ".join(host.cmdline()).strip() == "nebula_lab one"
    assert host.name() == "nebula_lab one"


def test_the_environment_in_proc_has_the_hosts_own_mark(lab):
    marks = []
    for name in ("one", "two"):
        block = Path(f"/proc/{lab.pid(name)}/environ").read_bytes().split(b"\0")
        marks += [variable for variable in block if variable.startswith(b"NEBULA_LAB_HOST=")]
        mark = lab.ask(name, "os.environ['NEBULA_LAB_HOST']")
        assert marks[-1].decode() == f"NEBULA_LAB_HOST={mark}"
    assert len(set(marks)) == 2


@pytest.fixture
def starter(open_lab):
    """A manager of plugins that may start processes."""
    return open_lab({"capabilities": ["ProcessSpawn"]})


def _all_below(lab):
    """The zygote's processes by our names for them; the plugins have others."""
    return psutil.Process(lab.zygote_pid).children(recursive=True)


LEAVE_A_PROGRAM = (
    "import subprocess\n"
    "def leave():\n"
    "    return subprocess.Popen(['sleep', '60'], start_new_session=True).pid"
)
LEAVE_A_FORK = (
    "import time\n"
    "def leave():\n"
    "    child = os.fork()\n"
    "    if child == 0:\n"
    "        os.setsid()\n"
    "        time.sleep(60)\n"
    "        os._exit(0)\n"
    "    return child"
)


@pytest.mark.parametrize("setup", [LEAVE_A_PROGRAM, LEAVE_A_FORK], ids=["program", "fork"])
def test_a_process_that_a_forked_host_leaves_behind_is_ended_with_it(starter, wait_until, setup):
    starter.pid("one")
    wait_until(starter.has_settled, "the end of preloading")  # with its own short-lived children
    before = set(_all_below(starter))
    starter.ask("one", "leave()", setup)
    (left,) = set(_all_below(starter)) - before
    starter.plugins.unload_plugin("one")
    wait_until(lambda: not left.is_running(), "the end of what was left behind")
    wait_until(lambda: not any(one.is_running() for one in before), "the end of what was around it")


def sockets(pid):
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has been closed meanwhile
            found.add(str(link.readlink()))
    return {link for link in found if link.startswith("socket:")}


@pytest.mark.parametrize("capabilities", [[], ["ProcessSpawn"]])
def test_a_host_has_no_descriptor_of_the_zygotes(open_lab, capabilities, wait_until):
    lab = open_lab({"capabilities": capabilities})
    families = []
    for name in ("one", "two"):
        lab.pid(name)
        wait_until(lab.has_settled, "the end of preloading")
        known = [process for family in families for process in family]
        families.append([process for process in _all_below(lab) if process not in known])
    one, two = [set[str]().union(*(sockets(each.pid) for each in all_)) for all_ in families]
    assert one
    assert two
    assert not one & sockets(lab.zygote_pid)
    assert not one & two


def test_a_forked_host_can_start_pythons_of_its_own(starter):
    setup = (
        "import subprocess\n"
        "def child(code):\n"
        "    program = [sys.executable, '-c', code]\n"
        "    return subprocess.run(program, capture_output=True, text=True).stdout"
    )
    code = "import numpy, sys; print(sys.flags.isolated)"
    assert starter.ask("one", f"child({code!r})", setup) == "0\n"


def test_a_forked_host_can_have_a_pool_of_processes(starter):
    setup = "import multiprocessing\npool = multiprocessing.get_context('spawn').Pool(1)"
    try:
        assert starter.ask("one", "pool.map(abs, [-1, -2])", setup) == [1, 2]
    finally:
        starter.ask("one", "pool.terminate()")


@pytest.mark.parametrize("capabilities", [[], ["ProcessSpawn"]])
def test_a_forked_hosts_end_is_told_with_its_exit_code(open_lab, capabilities):
    with pytest.raises(PluginCrashedError, match="exited with code 7"):
        open_lab({"capabilities": capabilities}).ask("one", "os._exit(7)")


def test_a_host_that_may_start_processes_is_below_two_that_end_with_it(starter, wait_until):
    starter.pid("one")
    # Until then the zygote now and then has a child that tries for it what it may import.
    wait_until(starter.has_settled, "the end of preloading")
    (warden,) = psutil.Process(starter.zygote_pid).children()
    family = _all_below(starter)
    assert [process.parent() for process in family[1:]] == family[:-1]
    assert (len(family), family[0]) == (3, warden)
    starter.plugins.unload_plugin("one")
    wait_until(lambda: not any(one.is_running() for one in family), "the end of all three")


def test_nothing_is_imported_to_boot_a_forked_host(lab, wait_until):
    lab.pid("one")
    wait_until(lab.has_settled, "the end of preloading")
    lab.plugins.unload_plugin("one")
    # What the kernel takes for its own is what had been imported before anything was preloaded.
    setup = (
        "from ipykernel import ipkernel\n"
        "known = {module.__file__ for module in ipkernel.sys.modules.values()}\n"
        "files = [getattr(m, '__file__', None) for m in list(sys.modules.values())]\n"
        "late = [f for f in files if f and f not in known]"
    )
    ours = ("IPython", "ipykernel", "debugpy", "zmq", "tornado", "traitlets", "nebula_lab")
    late = lab.ask("one", "late", setup)
    assert [file for file in late if any(f"/{name}/" in file for name in ours)] == []
