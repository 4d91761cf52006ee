"""Executes a notebook file and exports it: `python export_notebook.py FILE`, writes FILE.html.

A program of its own, for the reason given in execute_notebook.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import execute_notebook
from nbconvert.exporters import HTMLExporter


def main(path: Path) -> None:
    execute_notebook.main(path)
    page, _ = HTMLExporter().from_filename(str(path))
    path.with_suffix(".html").write_text(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
