"""A manager is put together in two steps: finding plugins, and, when it is needed, running them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings

import pytest

from nebula_lab import PluginManager
from nebula_lab.errors import ManagerClosedError

LOOKING = """
import sys
from nebula_lab import PluginManager
with PluginManager(plugin_dir=sys.argv[1]) as plugins:
    names = [one.id for one in plugins.list_plugins()]
    said = len(plugins.problems), plugins.load_order, plugins.descriptor("one").name
print(names, *said, "nebula_lab.runtime.engine" in sys.modules)
"""


@pytest.fixture
def plugins(folder):
    folder.plugin("one", "@operation\ndef ping(self) -> int: return 1")
    with PluginManager(folder.config("None")) as manager:
        yield manager


def test_who_only_looks_imports_nothing_that_runs_plugins(folder):
    folder.plugin("one", "@operation\ndef ping(self) -> int: return 1")
    command = [sys.executable, "-c", LOOKING, str(folder.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "['one'] 0 ['one'] one False\n"


def test_a_manager_that_ran_nothing_closes_and_starts_nothing_any_more(plugins):
    plugins.close()
    with pytest.raises(ManagerClosedError):
        plugins.metrics()
    assert [one.id for one in plugins.list_plugins()] == ["one"]


def test_a_manager_can_be_closed_while_it_warms_up(folder):
    folder.plugin("one", "@operation\ndef ping(self) -> int: return 1")
    with PluginManager(folder.config("None")) as manager:
        manager.warm_up()
    with pytest.raises(ManagerClosedError):
        manager.execute("one", "ping")


def test_threads_that_need_it_at_the_same_time_get_the_same(plugins):
    start, found = threading.Barrier(4), []

    def need():
        start.wait()
        found.append((plugins._engine, plugins["one"].ping()))

    threads = [threading.Thread(target=need) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer for _, answer in found} == {1}
    assert len({id(engine) for engine, _ in found}) == 1


def test_a_fork_of_the_process_puts_nothing_together(plugins):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # later Pythons': it has threads
        pid = os.fork()
    if not pid:
        code = 99
        try:
            plugins.metrics()
        except ManagerClosedError:
            code = 7
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert plugins["one"].ping() == 1
