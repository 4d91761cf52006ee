"""Which containers are taken to be abandoned, by the label that they carry."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.sandbox.container import owners

HERE, OTHER = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


class Listing:
    """A runtime that has one container."""

    is_podman = True

    def __init__(self, label):
        self.label = label
        self.removed = []

    def run(self, arguments):
        return f"c1 {self.label}\n"

    def remove(self, names):
        self.removed.extend(names)


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Its ID, on a machine whose managers are in the first namespace of processes."""
    path = tmp_path / "machine-id"
    path.write_text("0123456789abcdef0123456789abcdef\n")
    monkeypatch.setattr(owners, "_MACHINE", path)
    monkeypatch.setattr(owners, "_FIRST", str(Path("/proc/self/ns/pid").readlink()))
    return path


def _of_an_earlier_boot():
    """The label of this very process, had it had its number and its start at another boot."""
    return f"{OTHER}-{owners.own_name().partition('-')[2]}"


def _removed(label):
    runtime = Listing(label)
    assert owners.remove_abandoned(runtime) == len(runtime.removed)
    return runtime.removed


def test_one_of_a_process_that_is_there_is_left(machine):
    assert _removed(owners.own_name()) == []


def test_one_of_an_earlier_boot_goes_though_its_number_is_in_use_again(machine):
    assert _removed(_of_an_earlier_boot()) == ["c1"]


def test_one_of_an_earlier_boot_of_another_machine_is_left(machine):
    label = _of_an_earlier_boot()
    machine.write_text("fedcba9876543210fedcba9876543210\n")
    assert _removed(label) == []


@pytest.mark.parametrize("text", ["", "uninitialized\n", None])
def test_where_a_machine_does_not_say_which_it_is_one_of_an_earlier_boot_is_left(machine, text):
    machine.unlink() if text is None else machine.write_text(text)
    assert _removed(_of_an_earlier_boot()) == []


def test_one_of_a_manager_in_a_container_at_an_earlier_boot_is_left(machine, monkeypatch):
    monkeypatch.setattr(owners, "_FIRST", "pid:[1]")
    assert _removed(_of_an_earlier_boot()) == []


@pytest.mark.parametrize("label", ["", "x", "-", "--", "a-b-c-d-e-f", f"{HERE}-1-2-"])
def test_a_label_that_is_no_name_of_ours_means_nothing(machine, label):
    assert _removed(label) == []


def test_one_of_a_process_that_is_no_more_goes(machine):
    place = owners.own_name().partition("-")[0]
    assert _removed(f"{place}-999999999-1") == ["c1"]
