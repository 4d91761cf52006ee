"""The zygote lays together the code that its fourth host was seen to run while it booted."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

# Each of them boots a kernel.
BOOT = """
from ipykernel.kernelapp import IPKernelApp
names = ("init_blackhole", "init_kernel", "init_shell", "init_sockets", "init_heartbeat")
functions = [getattr(IPKernelApp, name) for name in names]
"""
PLACES = "[id(function.__code__) for function in functions]"


@pytest.fixture
def settled(open_lab, wait_until):
    """Opens a manager whose zygote has forked three hosts, and will import nothing more."""

    def opened(**settings):
        lab = open_lab(**settings)
        lab.pid("one")
        wait_until(lab.has_settled, "the end of preloading")
        lab.pid("two")
        lab.pid("three")
        return lab

    return opened


def anew(lab, plugin_id, expression, setup):
    """What a host answers that has been forked for this."""
    lab.plugins.unload_plugin(plugin_id)
    return lab.ask(plugin_id, expression, setup)


def places(lab, plugin_id):
    return set(anew(lab, plugin_id, PLACES, BOOT))


def test_the_fifth_host_has_other_code_in_the_same_functions(settled):
    lab = settled()
    fourth = places(lab, "one")
    assert not fourth & places(lab, "one")


def test_a_host_that_noted_it_is_under_no_profiler(settled):
    lab = settled()
    told = anew(lab, "one", "(sys.getprofile(), threading.getprofile())", "import threading")
    assert told == [None, None]


def test_where_the_fourth_was_started_anew_the_fifth_notes_it(settled, monkeypatch, tmp_path):
    lab = settled()
    (tmp_path / "shlex.py").write_text(Path(shlex.__file__).read_text())  # which the zygote has
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        assert not anew(lab, "one", "'nebula_lab.agent.zygote' in sys.modules", "")
    fifth = places(lab, "one")
    assert not fifth & places(lab, "one")


def test_one_that_may_start_processes_notes_nothing(settled):
    lab = settled(rights={"capabilities": ["ProcessSpawn"]})
    assert places(lab, "one") == places(lab, "one")
