"""A docker of the tests' own: its service, with all that it keeps in a folder that goes with it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 60.0


@contextmanager
def docker_service() -> Iterator[str]:
    """The address of a service that makes no networks and keeps nothing; ended afterwards."""
    # Sockets have short paths, and containers' files are mounted below: not in pytest's folder.
    folder = Path(tempfile.mkdtemp(prefix="nldock"))
    address = f"unix://{folder}/s"
    command = [
        *("dockerd", "--host", address, "--data-root", f"{folder}/data"),
        *("--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"),
        *("--bridge", "none", "--iptables=false", "--ip6tables=false"),
    ]
    try:
        with (folder / "log").open("wb") as log:
            service = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            _wait_for(service, address, folder / "log")
            yield address
        finally:
            service.terminate()
            service.wait(PATIENCE)
    finally:
        shutil.rmtree(folder)


def _wait_for(service: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        asked = subprocess.run(["docker", "-H", address, "ps"], capture_output=True, check=False)
        if asked.returncode == 0:
            return
        said = log.read_text()[-2_000:]
        assert service.poll() is None, f"docker's service ended: {said}"
        assert time.monotonic() < deadline, f"docker's service does not answer: {said}"
        time.sleep(0.1)
