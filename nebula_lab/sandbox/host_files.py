"""The files of one host: its connection file, its sockets, its scratch folder."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path

_PRIVATE = 0o700
_KEY_BYTES = 32
# Numbers of ipc sockets: their paths are `ip` and these. The folder is the host's alone.
_PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}


class HostFiles:
    """A folder of a host's own, and what a kernel that boots needs in it.

    Args:
        folder: made here; only the user may enter it.

    Attributes:
        scratch: for the plugin.
        connection_file: for Jupyter clients; with a key that no other host has.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scratch = folder / "scratch"
        self.connection_file = folder / "kernel.json"
        self._ipython = folder / "ipython"
        for path in (folder, self.scratch, self._ipython):
            path.mkdir(_PRIVATE)
        self._write_connection_file()

    @property
    def kernel_arguments(self) -> tuple[str, ...]:
        """ipykernel's command line."""
        return (
            "-f",
            str(self.connection_file),
            f"--ipython-dir={self._ipython}",
            "--HistoryManager.hist_file=:memory:",
        )

    def _write_connection_file(self) -> None:
        """As the Jupyter messaging specification has it, section «Connection files»."""
        connection = {
            **_PORTS,
            "ip": str(self.folder / "kernel-ipc"),
            "transport": "ipc",
            "key": secrets.token_hex(_KEY_BYTES),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "nebula_lab",
        }
        descriptor = os.open(self.connection_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(connection, file)

    def remove(self) -> None:
        """Remove the folder with everything in it. Can be called again."""
        shutil.rmtree(self.folder, ignore_errors=True)
