"""Finds out, once in a process, what this machine can enforce."""

from __future__ import annotations

import subprocess
import threading

import msgspec

from nebula_lab.confine.machine import Machine
from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.errors import ConfigError

_PATIENCE = 30.0  # seconds; it takes a twentieth of one


class Prober:
    """Tries the mechanisms when they are first asked for; any thread."""

    def __init__(self) -> None:
        self._found: Machine | None = None
        self._trying = threading.Lock()

    def machine(self) -> Machine:
        """What there is.

        Raises:
            ConfigError: it could not be tried.
        """
        with self._trying:
            if self._found is None:
                self._found = _probe()
            return self._found


def _probe() -> Machine:
    try:
        tried = subprocess.run(
            isolated_command(own_environment(), "nebula_lab.confine.probe"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
        return msgspec.json.decode(tried.stdout, type=Machine)
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError) as error:
        said = getattr(error, "stderr", b"") or b""
        raise ConfigError(
            f"could not find out what this machine can enforce: {error} "
            f"{said.decode(errors='replace')[-500:]}",
            hint="nebula-lab doctor tries each mechanism and says more.",
        ) from error
