"""Starts a notebook's kernel, interrupts a plugin in it, kills it: `python drive_kernel.py FOLDER`.

Prints what it saw as JSON. A program of its own, for the reason given in execute_notebook.py.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from jupyter_client.manager import KernelManager

READY = "the plugin naps"


class Notebook:
    """A kernel as a front end sees it."""

    def __init__(self, folder: Path, connections: str) -> None:
        self.manager = KernelManager(
            kernel_name="python3", transport="ipc", connection_file=f"{connections}/kernel.json"
        )
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=30)
        self.shown: list[str] = []
        self.napping = threading.Event()

    def run(self, cell: str) -> dict:
        self.shown = []
        reply = self.client.execute_interactive(cell, timeout=60, output_hook=self._show)
        return reply["content"]

    def _show(self, message: dict) -> None:
        content = message["content"]
        text = content.get("text") or content.get("data", {}).get("text/plain", "")
        self.shown.append(text)
        if READY in text:
            self.napping.set()

    def interrupt_when_napping(self) -> None:
        self.napping.wait(30)
        self.manager.interrupt_kernel()


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="nb-") as connections:
        notebook = Notebook(folder, connections)
        notebook.run("%load_ext nebula_lab\nplugins.load_plugin('napper')")
        threading.Thread(target=notebook.interrupt_when_napping).start()
        started = time.monotonic()
        interrupted = notebook.run("plugins['napper'].nap(seconds=50)")
        seen = {"interrupted": interrupted.get("ename"), "after": time.monotonic() - started}
        notebook.run("print(plugins['napper'].woken(), plugins.list_plugins()[0].restarts)")
        seen["afterwards"] = "".join(notebook.shown).strip()

        kernel = psutil.Process(notebook.manager.provisioner.process.pid)
        below = [process.pid for process in kernel.children(recursive=True)]
        notebook.client.stop_channels()
        kernel.kill()
        notebook.manager.shutdown_kernel(now=True)
        deadline = time.monotonic() + 10
        while any(map(_is_alive, below)) and time.monotonic() < deadline:
            time.sleep(0.01)
        seen["had"] = len(below)
        seen["left"] = [pid for pid in below if _is_alive(pid)]
    print(json.dumps(seen))


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
