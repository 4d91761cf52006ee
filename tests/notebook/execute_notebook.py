"""Executes a notebook file in place: `python execute_notebook.py FILE`.

A program of its own, since jupyter_client leaves its event loop and sockets to the end of the
process, and pytest counts them as leaks.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient


def main(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    # Paths of sockets are short, and the sockets lie beside the connection file.
    with tempfile.TemporaryDirectory(prefix="nb-") as connections:
        manager = KernelManager(
            kernel_name="python3", transport="ipc", connection_file=f"{connections}/kernel.json"
        )
        client = NotebookClient(notebook, km=manager, allow_errors=True, timeout=80)
        with client.setup_kernel(cwd=str(path.parent)):
            for number, cell in enumerate(notebook.cells):
                client.execute_cell(cell, number)
        manager.shutdown_kernel(now=True)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
