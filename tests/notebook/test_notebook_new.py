"""`%plugin new --notebook`."""

from __future__ import annotations

import json
import subprocess
import sys


def test_a_new_notebook_is_a_plugin_that_works(notebook):
    shown = notebook.run("%plugin new --notebook word_count")
    path = notebook.plugins / "word_count.ipynb"
    assert shown.stdout.splitlines()[0].startswith(f"Wrote {path}.")
    call = notebook.run("%plugin call word_count greet name=World")
    assert call.value == "Hello World, greeting number 1."
    assert notebook.run("%plugin problems").shown == "No problems."


def test_a_new_notebook_is_as_jupyter_would_write_it(notebook):
    notebook.run("%plugin new --notebook word_count")
    path = notebook.plugins / "word_count.ipynb"
    # In a process of its own: to import nbformat takes seconds.
    program = (
        "import sys, nbformat; n = nbformat.read(sys.argv[1], 4); nbformat.validate(n); "
        "print(nbformat.writes(n), end='')"
    )
    written = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    assert written.stdout.rstrip("\n") == path.read_text().rstrip("\n")


def test_the_cells_that_try_a_new_notebook_out_run_in_it(notebook):
    notebook.run("%plugin new --notebook word_count")
    cells = json.loads((notebook.plugins / "word_count.ipynb").read_text())["cells"]
    results = [
        notebook.run("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"
    ]
    assert [result.error for result in results] == [None] * 5
    assert [result.value for result in results[-2:]] == ["Hello World, greeting number 1."] * 2


def test_a_notebook_is_not_written_beside_a_file_of_that_plugin(notebook):
    notebook.run("%plugin new word_count")
    assert "already" in notebook.run("%plugin new --notebook word_count").stderr
    assert not (notebook.plugins / "word_count.ipynb").exists()


def test_a_cell_does_not_write_over_a_notebook(notebook):
    notebook.run("%plugin new --notebook word_count")
    assert "word_count.ipynb" in notebook.run("%%plugin word_count\nx = 1").stderr
    assert not (notebook.plugins / "word_count.py").exists()
