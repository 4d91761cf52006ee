"""One zygote for all tests that are not about zygotes."""

from __future__ import annotations

from pathlib import Path

from nebula_lab.model import ZygoteConfig
from nebula_lab.sandbox.launcher import Launcher
from nebula_lab.sandbox.nursery import nursery


class SharedZygote:
    """A zygote that lives from test to test, where tests are not about zygotes.

    Managers of one process share theirs; without this, each test would start one anew, which
    takes longer than most tests do.
    """

    FOLDERS = frozenset(
        {
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
    # Of these folders, but about how a zygote begins and ends.
    ALONE = frozenset({"test_endings", "test_gathered_code", "test_shared_zygotes"})

    def __init__(self):
        self._launcher = None

    def serve(self, module: Path) -> None:
        """See to it that there is one for the tests of this module, or that there is none."""
        if module.parent.name not in self.FOLDERS or module.stem in self.ALONE:
            self.end()
            return
        if self._launcher is None:
            self._launcher = Launcher(ZygoteConfig(), nursery())
        self._launcher.warm_up()

    def end(self):
        if self._launcher is not None:
            self._launcher.close()
            self._launcher = None


shared_zygote = SharedZygote()
