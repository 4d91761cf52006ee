"""Processes that die, stop and break at random under load: every call is accounted for."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

from nebula_lab import PluginState
from nebula_lab.errors import (
    ExecutionFailedError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
)

# A minute or more of it: NEBULA_LAB_CHAOS=60 in the environment.
SECONDS = float(os.environ.get("NEBULA_LAB_CHAOS", "5"))
SEED = int(os.environ.get("NEBULA_LAB_CHAOS_SEED", random.randrange(10**6)))
TIMEOUT = 1.5  # seconds for a call
GRACE = 0.3  # as the folder's configuration has it
SLACK = 20.0  # for a machine that is busy with other things
PATIENCE = 90.0  # more than anything takes
HARMS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP)
COUNTED = ("first", "second", "third")
# What a call may end in, if not in its result; see `docs/live-code.md`.
DOCUMENTED = (PluginCrashedError, PluginTimeoutError)

COUNTER = """
VERSION = 0
def initialize(self, config):
    self.count = 0
@operation
def up(self) -> int:
    self.count += 1
    return self.count
@operation
def slowly(self) -> int:
    time.sleep(0.02)
    return self.up()
@operation
def total(self) -> int:
    return self.count
def save_state(self): return {"count": self.count}
def restore_state(self, state): self.count = state["count"]
"""
RELAY = """
@operation
def up(self, of: str) -> int:
    return context.call(of, "up")
"""


@dataclass
class Ledger:
    """What became of the calls of one counter.

    Attributes:
        answered: when each began, when it ended, and the count that it gave.
        failed: the errors that callers got; such a call may have been counted, or not.
    """

    answered: list[tuple[float, float, int]] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)

    def faults(self, final: int) -> list[str]:
        """Everything about the counts that can't be."""
        found = []
        counts = Counter(count for _, _, count in self.answered)
        found += [f"{count} was given {n} times" for count, n in counts.items() if n > 1]
        by_end = sorted(self.answered, key=lambda one: one[1])
        latest, known = 0, iter(by_end)
        following = next(known, None)
        for began, _, count in sorted(self.answered):
            while following is not None and following[1] < began:
                latest = max(latest, following[2])
                following = next(known, None)
            if count <= latest:
                found.append(f"{count} was given after {latest}")
        if not len(self.answered) <= final <= len(self.answered) + len(self.failed):
            found.append(f"{final} in the end, of {len(self.answered)}+{len(self.failed)} calls")
        found += [repr(error) for error in self.failed if not is_documented(error)]
        return found


def is_documented(error: BaseException) -> bool:
    """Whether a call may end so; one that goes by way of another plugin may say so of that one."""
    said = [kind.__name__ in str(error) for kind in DOCUMENTED]
    return isinstance(error, DOCUMENTED) or (isinstance(error, ExecutionFailedError) and any(said))


class Chaos:
    """A manager under load, and what happens to it."""

    def __init__(self, folder, plugins, seed: int) -> None:
        self.folder = folder
        self.plugins = plugins
        self.random = random.Random(seed)
        self.ledgers = {plugin_id: Ledger() for plugin_id in COUNTED}
        self.longest = 0.0
        self.deeds: Counter[str] = Counter()
        self.strange: list[BaseException] = []
        self._ended = 0  # calls; counted without a lock, as a rough measure
        self._over = threading.Event()

    def run(self, seconds: float) -> None:
        work = [self._call] * 4 + [self._reload, self._suspend, self._harm]
        seeds = [self.random.random() for _ in work]
        threads = [
            threading.Thread(target=self._until_over, args=(one, random.Random(seed)), daemon=True)
            for one, seed in zip(work, seeds, strict=True)
        ]
        for thread in threads:
            thread.start()
        self._over.wait(seconds)
        self._over.set()
        deadline = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        assert not any(thread.is_alive() for thread in threads), "somebody hangs"

    def _until_over(self, work, chance: random.Random) -> None:
        while not self._over.is_set():
            try:
                work(chance)
            except BaseException as error:
                self.strange.append(error)
                return

    def _call(self, chance: random.Random) -> None:
        plugin_id = chance.choice(COUNTED)
        called, operation, params = chance.choice(
            [(plugin_id, "up", {}), (plugin_id, "slowly", {}), ("relay", "up", {"of": plugin_id})]
        )
        self._count(self.ledgers[plugin_id], called, operation, params)

    def _count(self, ledger: Ledger, called: str, operation: str, params) -> bool:
        """Make a call that counts, and note what becomes of it; whether it was answered."""
        began = time.monotonic()
        try:
            count = self.plugins.execute(called, operation, params, timeout=TIMEOUT)
            ledger.answered.append((began, time.monotonic(), count))
        except PluginError as error:
            ledger.failed.append(error)
            return False
        finally:
            self.longest = max(self.longest, time.monotonic() - began)
            self._ended += 1
        return True

    def _reload(self, chance: random.Random) -> None:
        plugin_id = chance.choice(COUNTED)
        text = COUNTER.replace("VERSION = 0", f"VERSION = {chance.random()}")
        self.folder.plugin(plugin_id, text)
        with contextlib.suppress(PluginError):
            self.plugins.reload_plugin(plugin_id)
            self.deeds["reloaded"] += 1
        self._over.wait(chance.uniform(0, 0.3))

    def _suspend(self, chance: random.Random) -> None:
        with contextlib.suppress(PluginError):
            self.plugins.suspend_plugin(chance.choice((*COUNTED, "relay")))
            self.deeds["suspended"] += 1
        self._over.wait(chance.uniform(0, 0.5))

    def _harm(self, chance: random.Random) -> None:
        number = chance.choices(HARMS, weights=(5, 3, 1))[0]
        zygote = self.plugins._engine.sandboxes.usual.launcher.zygote_pid
        if zygote is not None and chance.random() < 0.1:
            self._signal(zygote, number, "the zygote")
        elif victims := self._serving() if number == signal.SIGSTOP else self._descendants():
            self._signal(chance.choice(victims), number, "a host")
        # By calls and not by the clock, so that there are some between two on a slow machine too.
        wanted = self._ended + chance.randrange(60)
        while self._ended < wanted and not self._over.is_set():
            self._over.wait(0.01)

    def _signal(self, pid: int, number: signal.Signals, whom: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            self.deeds[f"{number.name} of {whom}"] += 1

    def _serving(self) -> list[int]:
        """One that boots may take a minute before it is given up: only the others are stopped."""
        records = list(self.plugins._engine.catalogue)
        return [host.pid for record in records for host in record.slots.hosts]

    def _descendants(self) -> list[int]:
        """Hosts that serve, and those that are on their way there or to their end."""
        spared = {self.plugins._engine._run_folder._sweeper.pid}
        spared.add(self.plugins._engine.sandboxes.usual.launcher.zygote_pid)
        found = psutil.Process().children(recursive=True)
        return [one.pid for one in found if one.pid not in spared]

    def summary(self) -> str:
        answered = sum(len(ledger.answered) for ledger in self.ledgers.values())
        failed = Counter(
            type(error).__name__ for ledger in self.ledgers.values() for error in ledger.failed
        )
        return f"{answered} calls answered, {dict(failed)}, the longest {self.longest:.1f} s"

    def settle(self, wait_until) -> None:
        """See to it that every plugin serves again, the failed ones once they are reloaded.

        What was stopped last is noticed when the time of its next caller is over.
        """
        for plugin_id in (*COUNTED, "relay"):
            if state(self.plugins, plugin_id) is PluginState.FAILED:
                self.deeds["failed"] += 1
                self.plugins.reload_plugin(plugin_id)
        for plugin_id, ledger in self.ledgers.items():
            wait_until(
                lambda one=plugin_id, to=ledger: self._count(to, "relay", "up", {"of": one}),
                f"{plugin_id} serves again",
                PATIENCE,
            )

    def verdict(self) -> list[str]:
        """What is wrong, if anything."""
        found = [f"strange: {error!r}" for error in self.strange]
        for plugin_id, ledger in self.ledgers.items():
            final = self.plugins.execute(plugin_id, "total", timeout=PATIENCE)
            found += [f"{plugin_id}: {fault}" for fault in ledger.faults(final)]
        return found


def state(plugins, plugin_id: str) -> PluginState:
    return next(one.state for one in plugins.list_plugins() if one.id == plugin_id)


def test_whatever_dies_every_call_is_accounted_for(folder, wait_until):
    for plugin_id in COUNTED:
        folder.plugin(plugin_id, COUNTER)
    folder.plugin("relay", RELAY, dependencies=list(COUNTED))
    restart = {"max_restarts": 100_000, "backoff": 0.01, "max_backoff": 0.1}
    with folder.manager(
        timeout=2 * TIMEOUT, restart=restart, checkpoint={"calls": 1}, hot_reload=False
    ) as plugins:
        plugins.load_plugin("relay")
        chaos = Chaos(folder, plugins, SEED)
        chaos.run(SECONDS)
        chaos.settle(wait_until)
        wrong = chaos.verdict()
        story = f"seed {SEED}, {dict(chaos.deeds)}, {chaos.summary()}"
    print(story)
    assert not wrong, f"{wrong[:20]}; {story}"
    assert chaos.longest < TIMEOUT + 2 * GRACE + SLACK, story
    assert all(ledger.answered for ledger in chaos.ledgers.values()), story
