"""What is concluded from what was found."""

from __future__ import annotations

import pytest

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.doctor.examination import Examination
from nebula_lab.doctor.examining import examine
from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.errors import ConfigError
from nebula_lab.sandbox.probing import Prober

MECHANISMS = Machine.__struct_fields__


class Known(Prober):
    """A prober of a machine that lacks what is named."""

    def __init__(self, *missing, fails=False):
        super().__init__()
        self._missing = missing
        self._fails = fails

    def machine(self):
        if self._fails:
            raise ConfigError("could not find out")
        return Machine(
            **{name: Mechanism(name not in self._missing, "", f"get {name}") for name in MECHANISMS}
        )


def no_plugins(**settings):
    return PluginManager(PluginConfig.model_validate(settings))


@pytest.fixture
def examined(monkeypatch):
    """Examines a machine that is known, without starting anything, nor other programs."""
    module = "nebula_lab.doctor.examining"
    monkeypatch.setattr(f"{module}.start", lambda config, machine: ())
    monkeypatch.setattr(f"{module}.environments", tuple)
    monkeypatch.setattr(f"{module}.containers", lambda config: ())

    def run(*missing, manager=no_plugins, **settings):
        return examine(manager, Known(*missing, **settings))

    return run


def named(examination, name):
    return next(one for one in examination.findings if one.name == name)


def test_where_everything_works_nothing_is_missing(examined):
    found = examined()
    assert found.conclusion == "Plugins can be confined here; nothing is missing."
    assert found.is_well


def test_where_one_mechanism_stands_in_for_another_all_is_well(examined):
    found = examined("landlock", "scopes")
    assert "something else stands in" in found.conclusion
    assert found.is_well


def test_where_only_some_plugins_can_be_confined_it_says_what_the_others_lack(examined):
    found = examined("namespaces", "pid_namespace", "counts_threads")
    assert found.conclusion.startswith("Plugins that ask for little can be confined here")
    assert "files: all that you may use" in found.conclusion
    assert not found.is_well


def test_where_no_plugin_can_be_confined_it_says_so(examined):
    found = examined("seccomp")
    assert found.conclusion.startswith("No plugin can be held to all of its limits here")
    assert {gap.name for gap in found.policies["nothing"].gaps} == {"processes", "system calls"}


def test_rights_are_told_for_three_kinds_of_plugins(examined):
    assert list(examined().policies) == ["nothing", "everything", "named"]


def test_a_manager_that_can_not_start_is_a_finding_like_others(examined):
    def broken():
        raise ConfigError("unknown key", path="/p/r.yaml", line=3, hint="Correct it there.")

    found = examined(manager=broken)
    finding = named(found, "configuration")
    assert (finding.verdict, finding.cure) == (Verdict.GAP, "Correct it there.")
    assert "/p/r.yaml:3" in finding.detail
    assert "To be mended before plugins can run: configuration." in found.conclusion
    assert named(found, "Python").verdict is Verdict.FINE


def test_a_machine_that_can_not_be_tried_is_a_finding_like_others(examined):
    found = examined(fails=True)
    assert named(found, "mechanisms").verdict is Verdict.GAP
    assert (list(found.mechanisms), found.policies) == ([], {})
    assert found.conclusion.startswith("Whether plugins can be confined here could not be found")


def test_plugins_that_lack_something_are_named(examined, plugin_file):
    folder = plugin_file("greedy", "", security={"capabilities": ["FileSystem"]}).parent
    found = examined("namespaces", manager=lambda: PluginManager(plugin_dir=folder))
    finding = named(found, "plugins")
    assert finding.verdict is Verdict.GAP
    assert "greedy" in finding.detail


@pytest.mark.parametrize(
    ("security", "verdict"),
    [({}, Verdict.FINE), ({"strict": False}, Verdict.NOTE), ({"sandbox": "None"}, Verdict.NOTE)],
)
def test_a_configuration_that_asks_for_less_is_noted(examined, security, verdict):
    found = examined(manager=lambda: no_plugins(security=security))
    assert named(found, "configuration").verdict is verdict
    assert found.is_confining is (security.get("sandbox") is None)
    assert found.is_well


def test_faults_are_what_keeps_plugins_from_running():
    fault, note = Finding("a", Verdict.GAP, ""), Finding("b", Verdict.NOTE, "")
    assert Examination(None, {}, (note, fault)).faults == (fault,)
