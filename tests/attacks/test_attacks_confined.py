"""Every attack from a plugin that was granted nothing: what stopped it, and who went on."""

from __future__ import annotations

import pytest
from attacks import ATTACKS
from siege import themed

# What a refusal looks like. Anything else is a mistake in the attack, which would prove nothing.
REFUSED = frozenset({
    "EPERM", "EACCES", "ENOENT", "ENOSYS", "ESRCH", "EAFNOSUPPORT", "EPROTONOSUPPORT",
    "ENOTDIR", "EROFS", "EXDEV", "ENETUNREACH", "ECONNREFUSED", "EADDRNOTAVAIL", "EAGAIN",
    "ENOMEM", "EMFILE", "ENOSPC", "EDQUOT", "EFBIG", "ENOTSUP"
})  # fmt: skip
# Those that found nothing to take, or were told so by Python.
EMPTY_HANDED = frozenset(
    {"MemoryError", "RuntimeError", "LookupError", "ProcessLookupError", "FileNotFoundError"}
)  # fmt: skip
# What else it may look like where Python or the C library puts it in words of its own.
IN_WORDS = {
    "raise_own_limits": "not allowed to raise maximum limit",
    "run_shell": "the program ended with 127",
    "find_secret_in_initial_variables": "IndexError",  # there is none of that name
    "open_terminal": "out of pty devices",
    "read_private_key_by_dropped_library": "failed to map segment from shared object",
}
# The manager ends the host for these.
ENDED = frozenset({"memory_that_is_made_read_only"})
# The kernel takes these without a word and may deliver them to nobody.
SILENT = frozenset({"signal_everybody", "signal_manager_by_made_owner"})


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in themed(
            "reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory"
        )
        if name != "every_core"  # a matter of `max_cpu_percent`; see test_attacks_limits.py
    ],
)
def test_it_is_stopped(siege, name):
    before = siege.effects()
    outcome = siege.attempt(name)
    after = siege.effects()
    print(f"{name}: {outcome.get('errno') or outcome.get('ended') or outcome.get('error')}")
    assert after == before, f"it reached the stage: {outcome}"
    if name not in SILENT:
        assert not outcome["succeeded"], outcome
    if not outcome["succeeded"]:
        known = outcome.get("errno") in REFUSED or outcome["error"] in EMPTY_HANDED
        known = known or (name in ENDED and outcome["error"] == "PluginCrashedError")
        known = known or IN_WORDS.get(name, "\0") in outcome["detail"]
        assert known, outcome
    assert len(siege.ask("ping")) == 2


def test_every_attack_is_in_some_test():
    elsewhere = {*themed("endings", "leftovers"), "every_core"}
    here = set(
        themed("reading", "manager", "networks", "writing", "processes", "code", "kernel", "memory")
    )
    assert here | elsewhere == set(ATTACKS)


@pytest.mark.parametrize(
    "what", ["sibling_code", "sibling_scratch", "connection_files", "store_files"]
)
def test_what_is_attacked_is_there(siege, what):
    """From outside; else its being out of reach would show nothing."""
    assert siege.target[what]
