"""Each thing is tried for real, and so is the lack of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from poor_machine import on_poor_machine

from nebula_lab import PluginConfig
from nebula_lab.doctor import places, versions
from nebula_lab.doctor.finding import Verdict
from nebula_lab.doctor.starting import start
from nebula_lab.sandbox.probing import Prober

DOCTOR = """
import json, sys
from nebula_lab import PluginManager
from nebula_lab.cli.doctor_documents import examination_document
from nebula_lab.doctor.examining import examine
print(json.dumps(examination_document(examine(PluginManager))))
"""


def by_name(findings):
    return {one.name: one for one in findings}


@pytest.fixture(scope="module")
def machine():
    return Prober().machine()


def test_hosts_come_up_confined_and_are_forked(machine):
    found = by_name(start(PluginConfig(), machine))
    assert {name: one.verdict for name, one in found.items()} == {
        "plugins' processes": Verdict.FINE,
        "zygote": Verdict.FINE,
    }


def test_without_a_zygote_hosts_come_up_all_the_same(machine):
    config = PluginConfig.model_validate({"zygote": {"enabled": False}})
    found = by_name(start(config, machine))
    assert found["plugins' processes"].verdict is Verdict.FINE
    assert found["zygote"].verdict is Verdict.NOTE


def test_hosts_that_can_not_be_started_are_a_gap(machine, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    (found,) = start(PluginConfig(), machine)
    assert found.verdict is Verdict.GAP
    assert "/nowhere/python" in found.detail


def test_places_that_can_be_used_say_how_much_is_free():
    found = by_name(places.places())
    assert {one.verdict for one in found.values()} == {Verdict.FINE}
    assert "GiB free in" in found["content store"].detail


def test_a_store_that_can_not_be_written_is_a_gap(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "file"))
    found = by_name(places.places())["content store"]
    assert found.verdict is Verdict.GAP
    assert "NEBULA_LAB_HOME" in found.cure


def test_a_temporary_folder_that_is_too_long_for_sockets_is_noted(monkeypatch, tmp_path):
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    monkeypatch.setenv("TMPDIR", str(long))
    found = by_name(places.places())
    assert found["TMPDIR"].verdict is Verdict.NOTE
    assert "too long" in found["TMPDIR"].detail
    assert found["run folder"].verdict is Verdict.FINE


def test_a_temporary_folder_that_is_not_there_is_noted():
    code = (
        "from nebula_lab.doctor.places import places\n"
        "print([one.detail for one in places() if one.name == 'TMPDIR'])"
    )
    variables = {**os.environ, "TMPDIR": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True
    )
    assert "/nowhere can't be written" in done.stdout, done.stderr


def test_a_package_that_is_not_there_is_a_gap_with_its_cure(monkeypatch):
    monkeypatch.setattr(versions, "_PACKAGES", ("ipykernel", "no_such_package"))
    found = by_name(versions.versions())
    assert found["ipykernel"].verdict is Verdict.FINE
    assert found["no_such_package"].verdict is Verdict.GAP
    assert "pip install no_such_package" in found["no_such_package"].cure


@pytest.mark.parametrize("calls", [(), ("unshare",), ("landlock_create_ruleset", "seccomp")])
def test_on_a_poorer_machine_it_finds_what_is_missing_and_hosts_come_up(calls, tmp_path):
    found = on_poor_machine(DOCTOR, *calls, NEBULA_LAB_HOME=str(tmp_path))
    verdicts = {one["name"]: one["verdict"] for one in found["findings"]}
    assert verdicts["plugins' processes"] == "fine", json.dumps(found["findings"])
    assert not found["well"]
