"""What a machine can enforce and what holds for a plugin, as people see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.doctor.examination import Examination
from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.model import PluginConfig, PluginDescriptor, Version
from nebula_lab.model.policy import effective_policy
from nebula_lab.model.refusals import Refusal, refusals
from nebula_lab.model.rights import RequestedRights
from nebula_lab.views import examination_view, policy_view

EVIL = "<script>alert(1)</script>\x1b[2J"


def machine(*missing):
    return Machine(
        **{
            name: Mechanism(name not in missing, "as tried", f"Get {name}." * (name in missing))
            for name in Machine.__struct_fields__
        }
    )


def case(asked=(), missing=(), **security):
    rights = RequestedRights.model_validate({"capabilities": list(asked)})
    descriptor = PluginDescriptor(
        id="it", version=Version.parse("1.0.0"), path=Path("/p/it.py"), security=rights
    )
    config = PluginConfig.model_validate({"security": security})
    return effective_policy(descriptor, config, machine(*missing)), refusals(descriptor, config)


def examination(*missing, findings=()):
    policies = {
        "nothing": case((), missing)[0],
        "everything": case(["FileSystem", "Network"], missing)[0],
    }
    return Examination(machine(*missing), policies, tuple(findings))


def test_each_right_is_told_with_what_enforces_it():
    text = policy_view(*case(["Network"])).text
    assert text.splitlines()[0] == "it in sandbox Process"
    assert any(
        line.split("  ")[0] == "network" and "everyone" in line and "by the kernel: seccomp" in line
        for line in text.splitlines()
    )
    assert text.endswith("All of it is enforced on this machine.")


def test_what_was_asked_for_in_vain_is_told_with_what_to_change():
    text = policy_view(*case(["ProcessSpawn"])).text
    assert "· it asks for ProcessSpawn in capabilities" in text
    assert "\n  Add it to security.capabilities of the configuration" in text


@pytest.mark.parametrize(
    ("strict", "end"),
    [(True, "because of security.strict."), (False, "because of security.strict: false.")],
)
def test_gaps_are_marked_and_told_with_what_they_let_through(strict, end):
    policy, refused = case((), ["seccomp"])
    text = policy_view(policy, refused, strict=strict).text
    assert text.count("✗ not at all") == 2
    assert "✗ it can start other processes, and can make every system call" in text
    assert "\n  Get seccomp.\n" in text
    assert text.endswith(end)


def test_in_sandbox_none_nothing_is_a_gap():
    text = policy_view(*case((), ["seccomp"], sandbox="None")).text
    assert "✗" not in text
    assert text.endswith("sandbox None was chosen.")


def test_a_machine_is_told_by_mechanisms_rights_findings_cures_and_a_conclusion():
    findings = [Finding("zygote", Verdict.NOTE, "switched off", "Switch it on.")]
    text = examination_view(examination("namespaces", findings=findings)).text
    order = [
        "Mechanisms, as they were tried",
        "A plugin that asks for nothing",
        "A plugin that asks for everything",
        "The rest",
        "✗ A plugin can use nebula_lab's own files",
        "· zygote: switched off",
        "Plugins that ask for little can be confined here",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_what_is_the_same_for_both_plugins_is_told_once():
    text = examination_view(examination()).text
    assert text.count("does not signal, trace or read other processes") == 1


def test_a_mechanism_whose_work_another_does_is_told_with_its_cure():
    text = examination_view(examination("landlock", "scopes")).text
    assert "Landlock: as tried.\n  Get landlock." in text
    assert "✗ A plugin" not in text


def test_a_mechanism_that_this_view_does_not_know_goes_by_its_own_name():
    names = {name.replace("_", " ").casefold() for name in Machine.__struct_fields__}
    text = examination_view(examination()).text.casefold()
    assert {"landlock", "seccomp", "namespaces"} <= {name for name in names if name in text}


@pytest.mark.parametrize(
    "view",
    [
        examination_view(examination(findings=[Finding(EVIL, Verdict.GAP, EVIL, EVIL)])),
        policy_view(case()[0], [Refusal("allowed_paths", (EVIL,), EVIL, EVIL)]),
    ],
)
def test_nothing_in_it_becomes_markup_or_steers_a_terminal(view):
    assert "<script" not in view.html
    assert "\x1b" not in view.text + view.html
