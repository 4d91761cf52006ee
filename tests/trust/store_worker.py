"""Uses a store from a process of its own: python store_worker.py ACTION STORE PLUGIN."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import StoreError
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.store import ContentStore


def tell(text: str) -> None:
    print(text, flush=True)


def add(store: ContentStore, plugin: Path) -> None:
    """Add when told to, so that several do it at once."""
    collected = collect(read_descriptor(plugin))
    tell("ready")
    sys.stdin.readline()
    tell(store.add(collected).digest)


def hold(store: ContentStore, plugin: Path) -> None:
    """Hold a lease until standard input ends."""
    with store.lease(collect(read_descriptor(plugin))) as lease:
        tell(lease.files.digest)
        sys.stdin.read()


def die(store: ContentStore, plugin: Path) -> None:
    """Be killed in the middle of writing: at the first byte beyond the given size."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit_files()
    store.add(collect(read_descriptor(plugin)))


def churn(store: ContentStore, plugin: Path) -> None:
    """Add one version after another, until killed."""
    descriptor = read_descriptor(plugin)
    for number in range(1_000_000):
        (plugin / "inner" / "data.bin").write_bytes(b"%d" % number * 20_000)
        tell(store.add(collect(descriptor)).digest)


def fill(store: ContentStore, plugin: Path) -> None:
    """Meet a disk that takes no more."""
    _limit_files()
    _told(lambda: store.add(collect(read_descriptor(plugin))))


def as_nobody(store: ContentStore, plugin: Path) -> None:
    """Use a store that may only be read."""
    collected = collect(read_descriptor(plugin))
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    _told(lambda: store.lease(collected))


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))


def _told(act) -> None:
    try:
        act()
    except StoreError as error:
        tell(f"refused: {error.message} | {error.hint}")
    else:
        tell("fine")


if __name__ == "__main__":
    actions = {one.__name__: one for one in (add, hold, die, churn, fill, as_nobody)}
    actions[sys.argv[1]](ContentStore(Path(sys.argv[2])), Path(sys.argv[3]))
