"""One zygote for all tests that are not about zygotes."""

from __future__ import annotations

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
            "conformance",
            "manager",
            "metrics",
            "notebook",
            "proxy",
            "samples",
            "trust",
            "watch",
        }
    )

    def __init__(self):
        self._launcher = None

    def serve(self, folder):
        """See to it that there is one for the tests of this folder, or that there is none."""
        if folder not in self.FOLDERS:
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
