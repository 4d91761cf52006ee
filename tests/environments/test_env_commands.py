"""`nebula-lab env` and what `doctor` says of uv; nothing is built for them."""

from __future__ import annotations

import json
import subprocess
import sys

from local_wheels import write_wheel

from nebula_lab.doctor.environments import environments
from nebula_lab.doctor.finding import Verdict
from nebula_lab.model import PythonNeeds

WITHOUT_UV = """
import sys
sys.modules["uv"] = None
from nebula_lab.doctor.environments import environments
for one in environments():
    print(one.name, one.verdict.name, one.detail, one.cure)
"""


def run(*arguments):
    command = [sys.executable, "-c", "import sys; from nebula_lab.cli.main import main; main()"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)


def test_what_is_kept_is_listed_and_removed_once_nobody_has_it(index, cache):
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


def test_a_time_that_is_none_is_wrong_usage():
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
