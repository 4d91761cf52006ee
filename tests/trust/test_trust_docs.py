"""Every command of docs/signing.md, run in order; what it prints is what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "signing.md"
COUNTER = 'PLUGIN_METADATA = {"id": "counter", "version": "1.0.0"}\n\ndef plugin_entry(): ...\n'
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "--- end of the output ---"


def steps():
    """Each command of the page, and what it prints there."""
    for block in BLOCK.findall(PAGE.read_text()):
        for part in block.split("$ ", 1)[1].split("\n$ "):
            command, _, output = part.partition("\n")
            yield command, output.strip()


def matches(shown, printed):
    pattern = ".*".join(map(re.escape, shown.split("…")))
    return re.fullmatch(pattern, printed, re.DOTALL)


def test_every_command_of_the_page_prints_what_the_page_shows(tmp_path):
    (tmp_path / "counter.py").write_text(COUNTER)
    written = list(steps())
    script = "set -e\n" + "".join(f"{command}\necho '{END}'\n" for command, _ in written)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    printed = [part.strip() for part in done.stdout.split(END)[:-1]]
    assert len(printed) == len(written) > 10
    for (command, shown), what in zip(written, printed, strict=True):
        assert matches(shown, what), f"$ {command}\n{what}\n--- but the page shows ---\n{shown}"
