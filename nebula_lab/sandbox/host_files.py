"""The files of one host: its connection file, its sockets, its plugin, its scratch folder."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from nebula_lab.confine.places import Places
from nebula_lab.sandbox import removal

_PRIVATE = 0o700
_KEY_BYTES = 32
# Numbers of ipc sockets: their paths are `ip` and these. The folder is the host's alone.
_PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}


class HostFiles:
    """A folder of a host's own, and what a kernel that boots needs in it.

    Args:
        folder: made here, in the folder of all hosts; only the user may enter it.

    Attributes:
        places: of the host.
        plugin: for the plugin's files, which the host can only read.
        connection_file: for Jupyter clients; with a key that no other host has.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plugin = folder / "plugin"
        ipc = folder / "ipc"
        self.connection_file = ipc / "kernel.json"
        self.places = Places(
            ipc=str(ipc),
            plugin=str(self.plugin),
            home=str(folder / "home"),
            root=str(folder / "root"),
        )
        for path in (folder, ipc, self.plugin, folder / "home", folder / "root"):
            path.mkdir(_PRIVATE)
        self._write_connection_file()

    @property
    def scratch(self) -> Path:
        """Where the plugin may write; a host with files of its own is alone in seeing it."""
        return Path(self.places.scratch)

    @property
    def kernel_arguments(self) -> tuple[str, ...]:
        """What `nebula_lab.agent.kernel` takes: the connection file and IPython's folder."""
        return str(self.connection_file), self.places.ipython

    def _write_connection_file(self) -> None:
        """As the Jupyter messaging specification has it, section «Connection files»."""
        connection = {
            **_PORTS,
            "ip": str(self.connection_file.with_name("k")),
            "transport": "ipc",
            "key": secrets.token_hex(_KEY_BYTES),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "nebula_lab",
        }
        # Nobody else can enter the folder, so nobody reads it before its mode is set.
        self.connection_file.write_text(json.dumps(connection), encoding="utf-8")
        self.connection_file.chmod(0o600)

    def remove(self) -> None:
        """Remove the folder with everything in it. Can be called again."""
        removal.remove(str(self.folder))
