"""`nebula-lab env` and what `doctor` says of uv; nothing is built for them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NamedTuple

import pytest
from local_wheels import write_wheel

from nebula_lab import PluginManager
from nebula_lab.cli.failing import run_command
from nebula_lab.cli.main import cli
from nebula_lab.doctor.environments import environments
from nebula_lab.doctor.finding import Verdict
from nebula_lab.environments.cache_layout import CacheLayout, cache_root
from nebula_lab.environments.upkeep import kept_environments
from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.model import PythonNeeds
from nebula_lab.views.environments import environment_list

PLUGIN = "def plugin_entry(): ..."
WITHOUT_UV = """
import sys
sys.modules["uv"] = None
from nebula_lab.doctor.environments import environments
for one in environments():
    print(one.name, one.verdict.name, one.detail, one.cure)
"""


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys):
    """Runs a command of `nebula-lab` in this process."""

    def run(*arguments):
        code = run_command(cli, [str(one) for one in arguments])
        return Done(int(code), *capsys.readouterr())

    return run


def test_what_is_kept_is_listed_and_removed_once_nobody_has_it(index, cache, run):
    write_wheel(index, "kept", "1.0")
    found = cache.ready(PythonNeeds(dependencies=("kept",)))
    assert "kept==1.0" in run("env", "list").stdout
    (listed,) = [
        one
        for one in json.loads(run("env", "list", "--json").stdout)
        if one["packages"] == ["kept==1.0"]
    ]
    assert (listed["path"], listed["in_use"]) == (found.prefix, True)
    assert run("env", "gc").stdout.startswith("no environments removed")
    cache.close()
    assert json.loads(run("env", "gc", "--all", "--json").stdout)["removed"] >= 1
    assert "kept==1.0" not in run("env", "list").stdout


@pytest.fixture
def two(index, plugin_file):
    """Two plugins, of which one has an environment, on a folder of theirs."""
    write_wheel(index, "wanted", "1.0")
    for name in ("ipykernel", "ipython", "msgspec"):  # no host runs in it
        write_wheel(index, name, "99.0")
    path = plugin_file("wanting", PLUGIN, python={"dependencies": ["wanted"]})
    plugin_file("plain", PLUGIN)
    return path.parent


def test_whose_an_environment_is_and_what_is_in_it_is_shown(two, run):
    shown = run("env", "show", "--plugin-dir", two, "wanting").stdout
    assert "of wanting: Python" in shown
    assert "wanted" in shown
    kept = json.loads(run("env", "list", "--json").stdout)
    (one,) = [one for one in kept if "wanting" in one["plugins"]]
    assert "wanted==1.0" in one["packages"]
    assert run("env", "show", "--plugin-dir", two, "plain").returncode == 3


def test_one_is_built_again_unless_somebody_has_it(two, run):
    with PluginManager({"plugin_dir": two, "hot_reload": False}) as plugins:
        folder = plugins.build_environment("wanting")
        lost = next(folder.rglob("wanted.py"))
        lost.unlink()
        used = run("env", "rebuild", "--plugin-dir", two, "wanting")
        assert "in use" in used.stderr
        assert not lost.exists()
        with pytest.raises(EnvironmentFailedError, match="in use"):
            plugins.build_environment("wanting", anew=True)
    done = run("env", "rebuild", "--plugin-dir", two, "wanting")
    assert done.stdout == f"wanting: {folder}\n", done.stderr
    assert lost.read_text() == "__version__ = '1.0'\n"


def test_a_list_names_the_plugin_and_counts_packages(two):
    with PluginManager({"plugin_dir": two, "hot_reload": False}) as plugins:
        plugins.build_environment("wanting")
        found = kept_environments(CacheLayout(cache_root()))
    (one,) = [one for one in found if one.plugins == ("wanting",)]
    shown = environment_list([one])
    row = next(line for line in shown.text.splitlines() if line.startswith(one.key[:12]))
    assert row.split()[1:4] == ["wanting", one.python, str(len(one.packages))]
    assert "<th" in shown.html


def test_a_time_that_is_none_is_wrong_usage(run):
    assert "--older-than" in run("env", "gc", "--older-than", "soon").stderr


def test_doctor_names_uv_and_the_pythons(index):
    uv, pythons = environments()
    assert (uv.name, uv.verdict) == ("uv", Verdict.FINE)
    assert f"{sys.version_info.major}.{sys.version_info.minor}." in pythons.detail


def test_doctor_says_what_is_missing_without_uv(index):
    done = subprocess.run([sys.executable, "-c", WITHOUT_UV], capture_output=True, text=True)
    uv, pythons = done.stdout.splitlines()
    assert uv.startswith("uv NOTE")
    assert "python -m pip install uv" in uv
    assert pythons.startswith("Pythons FINE")
