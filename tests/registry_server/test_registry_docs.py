"""Every command of docs/registry-server.md, run in order; what it prints is what the page shows."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from server_lab import MANIFEST, SOURCE

PAGE = Path(__file__).parents[2] / "docs" / "registry-server.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "--- end of the output ---"
PORT = "8765"


def steps(port):
    """Each command of the page, and what it prints there."""
    for block in BLOCK.findall(PAGE.read_text().replace(PORT, port)):
        for part in block.split("$ ", 1)[1].split("\n$ "):
            command, _, output = part.partition("\n")
            yield command, output.strip()


def matches(shown, printed):
    pattern = ".*".join(map(re.escape, shown.split("…")))
    return re.fullmatch(pattern, printed, re.DOTALL)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


def test_every_command_of_the_page_prints_what_the_page_shows(tmp_path):
    plugin = tmp_path / "counter"
    plugin.mkdir()
    manifest = MANIFEST.format(id="counter", version="1.0.0", description="Counts")
    (plugin / "plugin.toml").write_text(manifest)
    (plugin / "__init__.py").write_text(SOURCE)
    port = free_port()
    written = list(steps(port))
    commands = "".join(
        f"{command.replace('serve team', f'serve team --port {port}')}\necho '{END}'\n"
        for command, _ in written
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    home = str(tmp_path / "home")
    done = subprocess.run(
        ["bash", "-c", f"set -e\ntrap 'kill $server || true' ERR\n{commands}wait\n"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", "NEBULA_LAB_HOME": home},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert END in done.stdout, done.stdout
    printed = [part.strip() for part in done.stdout.split(END)[:-1]]
    for (command, shown), what in zip(written, printed, strict=False):
        assert matches(shown, what), f"$ {command}\n{what}\n--- but the page shows ---\n{shown}"
    assert len(printed) == len(written) > 10, done.stdout
