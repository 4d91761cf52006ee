"""One zygote for all tests that are not about zygotes."""

from __future__ import annotations

import time
from pathlib import Path

from nebula_lab.model import ZygoteConfig
from nebula_lab.sandbox.launcher import Launcher
from nebula_lab.sandbox.nursery import nursery

SECONDS = 60.0


class SharedZygote:
    """A zygote that lives from test to test, where tests are not about zygotes.

    Managers of one process share theirs; without this, each test would start one anew, which
    takes longer than most tests do.
    """

    FOLDERS = frozenset(
        {
            "agent",
            "arrays",
            "cli",
            "conformance",
            "live",
            "manager",
            "metrics",
            "notebook",
            "notebook_plugins",
            "proxy",
            "registry",
            "registry_server",
            "samples",
            "sandbox",
            "trust",
            "versions",
            "wasm_native",
            "watch",
            "zygote",
        }
    )
    # Tests that start none: one that is there stays for those that come after them.
    UNCONCERNED = frozenset({"confine", "link", "protection"})
    # Of these folders, but about how a zygote begins and ends.
    ALONE = frozenset({"test_endings", "test_gathered_code", "test_shared_zygotes"})

    def __init__(self):
        self._launcher = None

    def serve(self, module: Path) -> None:
        """See to it that there is one for the tests of this module, or that there is none."""
        if module.parent.name in self.UNCONCERNED:
            return
        if module.parent.name not in self.FOLDERS or module.stem in self.ALONE:
            self.end()
            return
        if self._launcher is None:
            self._launcher = Launcher(ZygoteConfig(), nursery())
        self._launcher.warm_up()
        self._await_imports()

    def _await_imports(self) -> None:
        """A load that comes during an import which takes its time would start a kernel anew."""
        deadline = time.monotonic() + SECONDS
        while any(not (one.has_preloaded or one.ended) for one in self._launcher._zygotes[-1:]):
            assert time.monotonic() < deadline, "the zygote has not imported what it is to"
            time.sleep(0.005)

    def end(self):
        if self._launcher is not None:
            self._launcher.close()
            self._launcher = None


shared_zygote = SharedZygote()
