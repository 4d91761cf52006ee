"""What has to be true of an attack that was stopped."""

from __future__ import annotations

from siege import Siege

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


def assert_stopped(siege: Siege, name: str, ended: frozenset[str] = ENDED) -> None:
    """Fail unless an attack changed nothing, was refused as such, and harmed nobody else.

    Args:
        siege: where it is made.
        name: of the attack.
        ended: those for which the manager ends the host.
    """
    before = siege.effects()
    outcome = siege.attempt(name)
    after = siege.effects()
    print(f"{name}: {outcome.get('errno') or outcome.get('ended') or outcome.get('error')}")
    assert after == before, f"it reached the stage: {outcome}"
    if name not in SILENT:
        assert not outcome["succeeded"], outcome
    if not outcome["succeeded"]:
        known = outcome.get("errno") in REFUSED or outcome["error"] in EMPTY_HANDED
        known = known or (name in ended and outcome["error"] == "PluginCrashedError")
        known = known or IN_WORDS.get(name, "\0") in outcome["detail"]
        assert known, outcome
    assert len(siege.ask("ping")) == 2
