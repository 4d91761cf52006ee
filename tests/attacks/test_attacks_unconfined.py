"""Every attack, without confinement: that it is one.

Each is run once as root and once as an ordinary user; what takes gigabytes is run once, as the
latter. Where the kernel refuses it to a user who
lacks a capability, that refusal is what is asserted; where the kernel does not have what is
attacked, the error that says so is.
"""

from __future__ import annotations

import errno

import pytest
from attack_stage import Stage, users
from attacks import ATTACKS
from attacks.attack import CAPABILITIES

SECONDS = 30.0
# What of these goes on for ever is given less.
DEAF_SECONDS = 0.3
# Nobody has to see that memory is held; other tests may keep the cores for a while; and a plugin
# may have 65,536 files.
EAGERNESS = {"hold": 0.0, "tries": 60, "files": 66_000}
# From these a user who lacks the capability is kept by more than EPERM.
REFUSALS = {errno.EPERM, errno.EACCES}


class Proof:
    """Runs attacks against a stage, with nothing between."""

    def __init__(self, uid: int) -> None:
        self.stage = Stage(uid)
        self._victim = self.stage.start("victim.py")
        self._victim.say(self.stage.secrets["memory"])
        self.target = self.stage.target() | self._victim.ask("target") | EAGERNESS
        self._runner = self.stage.start("bare_runner.py")
        self.capabilities = _capabilities(self._victim.pid)

    def effects(self) -> dict[str, object]:
        found = self.stage.file_effects() | self._victim.ask("effects")
        return found | dict(self.stage.listeners.reached) | {"daemon": self.stage.daemons()}

    def run(self, name: str) -> dict[str, object]:
        seconds = DEAF_SECONDS if ATTACKS[name].after == "deaf" else SECONDS
        return self._runner.order(2 * SECONDS, name=name, target=self.target, seconds=seconds)

    def calm(self) -> None:
        self.stage.reset()
        self._victim.ask("calm")

    def close(self) -> None:
        self.stage.close()


def _capabilities(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1], 16) for line in status if line.startswith("CapEff"))


@pytest.fixture(scope="module", params=list(users()))
def proof(request):
    found = Proof(users()[request.param])
    yield found
    found.close()


@pytest.mark.parametrize("name", list(ATTACKS))
def test_it_is_an_attack(proof, name, wait_until):
    attack = ATTACKS[name]
    if attack.theme == "memory" and proof.stage.uid == 0:
        print("taken by the ordinary user: no privilege is needed for it")
        return
    before = proof.effects()
    outcome = proof.run(name)
    try:
        if attack.needs and not proof.capabilities >> CAPABILITIES[attack.needs] & 1:
            assert getattr(errno, outcome["errno"]) in {*REFUSALS, *attack.absent}, outcome
            return
        if not outcome["succeeded"] and attack.absent:
            assert getattr(errno, outcome["errno"]) in attack.absent, outcome
            print(f"{name}: {attack.absent[getattr(errno, outcome['errno'])]}")
            return
        assert outcome["succeeded"], outcome.get("detail")
        assert outcome.get("ended") == attack.after
        if attack.secret:
            assert proof.stage.secrets[attack.secret] in str(outcome["evidence"])
        if attack.leaves:
            key = attack.leaves
            wait_until(lambda: proof.effects().get(key) != before.get(key), f"{key} was reached")
    finally:
        proof.calm()
        end_daemons(proof.stage)


def end_daemons(stage: Stage) -> None:
    import os
    import signal

    for pid in stage.daemons():
        os.kill(pid, signal.SIGKILL)
