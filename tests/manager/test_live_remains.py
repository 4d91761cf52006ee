"""What twenty reloads leave behind that five do not: nothing."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

COUNTER = """
def initialize(self, config):
    self.count = 0
    self.block = b"x" * 100_000
@operation
def up(self) -> list[int]:
    self.count += 1
    return [VERSION, self.count]
"""


def remains(plugins) -> tuple[int, ...]:
    """Descriptors, threads, folders of hosts, watches, and files held in the store."""
    gc.collect()
    engine = plugins._engine
    return (
        len([*Path("/proc/self/fd").iterdir()]),
        threading.active_count(),
        len([*engine._run_dir.glob("h*")]),
        len([*Path("/proc/self/task").iterdir()]),
        len(engine._shelf._read),
        len(plugins.watch_status.folders),
    )


def test_twenty_reloads_leave_as_much_as_five(folder, wait_until):
    folder.plugin("counter", COUNTER)
    # A spare comes when the machine has time for it, which may be only after five.
    with folder.manager(checkpoint={"calls": 1}, zygote={"spares": 0}) as plugins:
        seen: list[tuple[int, ...]] = []
        for version in range(1, 21):
            folder.plugin("counter", COUNTER.replace("VERSION", str(version)))
            plugins.reload_plugin("counter")
            assert plugins["counter"].up() == [version, version]
            if version == 1:
                plugins.watch()
            if version == 5:
                seen.append(settled(plugins, wait_until))

        def is_no_more() -> bool:
            seen.append(remains(plugins))
            return all(now <= then for now, then in zip(seen[-1], seen[0], strict=True))

        try:
            wait_until(is_no_more, "no more than after five")
        finally:
            print(f"{seen[0]} after five, {seen[-1]} in the end")


def settled(plugins, wait_until) -> tuple[int, ...]:
    """What there is once the last of the old hosts is gone: twice the same."""
    latest: list[tuple[int, ...]] = [()]

    def is_settled() -> bool:
        before, latest[0] = latest[0], remains(plugins)
        return latest[0][2] == 1 and before == latest[0]

    wait_until(is_settled, "the old host is gone")
    return latest[0]
