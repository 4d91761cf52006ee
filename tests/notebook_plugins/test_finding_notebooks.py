"""Notebooks as discovery sees them, and what is said of those that can't be plugins."""

from __future__ import annotations

import json

import pytest
from notebook_shelf import CLASS, ENTRY, METADATA, cell, notebook

from nebula_lab.agent.notebook_file import MOST_CODE, read_notebook
from nebula_lab.cli.sources import source_problems
from nebula_lab.discovery import FileSystemDiscoverer, read_descriptor, read_source_metadata
from nebula_lab.discovery.regular_file import NOTEBOOK_LIMIT
from nebula_lab.errors import MetadataLoadError


def discovered(shelf):
    return FileSystemDiscoverer(shelf.path).discover()


def only_problem(shelf):
    [problem] = discovered(shelf).problems
    return problem


def test_a_notebook_is_described_in_a_cell(shelf):
    shelf.book()
    [found] = discovered(shelf).descriptors
    assert (found.id, str(found.version), found.path.name) == ("book", "1.0.0", "book.ipynb")


def test_a_notebook_is_described_by_a_file_beside_it(shelf):
    shelf.book(CLASS, ENTRY)
    shelf.put("book.toml", 'id = "book"\nversion = "2.0.0"\n')
    [found] = discovered(shelf).descriptors
    assert (found.id, str(found.version)) == ("book", "2.0.0")


def test_a_notebook_is_described_in_its_own_metadata(shelf):
    own = {"id": "book", "version": "3.0.0", "dependencies": ["paper >=1"]}
    path = shelf.book("PLUGIN_API_VERSION = 1", CLASS, ENTRY, nebula=own)
    [found] = discovered(shelf).descriptors
    assert (found.id, str(found.version), found.runtime.api_version) == ("book", "3.0.0", 1)
    assert [one.plugin_id for one in found.dependencies] == ["paper"]
    lines = path.read_text().splitlines()
    assert '"nebula"' in lines[found.declared_in.line - 1]


def test_a_wrong_value_in_its_metadata_has_its_line(shelf):
    path = shelf.book(CLASS, ENTRY, nebula={"id": "book", "version": "one"})
    problem = only_problem(shelf)
    assert '"one"' in path.read_text().splitlines()[problem.location.line - 1]


def test_metadata_that_are_no_table_are_refused(shelf):
    shelf.book(CLASS, ENTRY, nebula="book")
    assert "are not a table" in only_problem(shelf).message


def test_a_notebook_that_describes_itself_twice_is_refused(shelf):
    shelf.book(METADATA.format(id="book"), CLASS, ENTRY, nebula={"id": "b", "version": "1.0.0"})
    assert "describes its plugin twice" in only_problem(shelf).message


def test_a_notebook_that_is_no_plugin_is_none_of_our_business(shelf):
    shelf.book("import pandas", "!ls\nprint(", cell("# Results", "markdown"))
    shelf.book("x <- 1", name="in_r", language="R")
    old = {"nbformat": 3, "worksheets": [{"cells": []}], "metadata": {}}
    shelf.put("old.ipynb", json.dumps(old))
    assert discovered(shelf).problems == ()


def test_an_entry_without_metadata_is_told_what_to_paste(shelf):
    shelf.book(CLASS, ENTRY)
    problem = only_problem(shelf)
    assert "has a plugin_entry but no metadata" in problem.message
    assert '"id": "book"' in problem.cure


OLD = {"nbformat": 3, "worksheets": [{"cells": [{"input": "plugin_entry = 1"}]}], "metadata": {}}
WRONG = {
    "no JSON": ("<html>plugin_entry</html>", "its JSON can't be read", 1),
    "half of one": (notebook(ENTRY)[:200], "its JSON can't be read", None),
    "not in UTF-8": (b'{"cells": ["\xff"]}', "its JSON can't be read", None),
    "nested": ("[" * 100_000, "its JSON can't be read", None),
    "a list": ("[1]", "has no list of cells", None),
    "cells that are none": ('{"cells": [1]}', "its cell 1 is no cell", None),
    "format 3": (json.dumps(OLD), "is a notebook of format 3", None),
    "R": (notebook("plugin_entry <- 1", language="R"), "is a notebook in R,", None),
    "huge code": (notebook(ENTRY, "x = 1\n" * (MOST_CODE // 6 + 1)), "characters of code", None),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_be_no_plugin_is_a_problem_that_says_why_and_what_to_do(shelf, case):
    content, said, line = WRONG[case]
    path = shelf.path / "bad.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    problem = only_problem(shelf)
    assert said in problem.message
    assert problem.cure
    if line is not None:
        assert problem.location.line == line
    with pytest.raises(MetadataLoadError):
        read_descriptor(path)


def test_a_huge_notebook_is_told_to_clear_its_outputs(shelf):
    path = shelf.book()
    with path.open("ab") as file:
        file.truncate(NOTEBOOK_LIMIT + 1)
    assert only_problem(shelf).cure.startswith("Clear the outputs")


def test_what_keeps_a_cell_from_being_run_is_found_without_running_it(shelf):
    shelf.book(METADATA.format(id="book"), CLASS, ENTRY, "return 1", "await f()", "def f():\n  !ls")
    [descriptor] = discovered(shelf).descriptors
    first, second = source_problems([descriptor], [])
    assert "'return' outside function (cell 4, line 1)" in first.message
    assert "`!ls` needs IPython, which a plugin does not have (cell 6, line 2)" in second.message
    assert "nebula-skip" in first.cure


def test_what_is_left_out_of_a_notebook_is_noted(shelf):
    shelf.book("%load_ext nebula_lab", METADATA.format(id="book"), CLASS, ENTRY, "%%bash\nls")
    [descriptor] = discovered(shelf).descriptors
    [note] = source_problems([descriptor], [])
    assert (note.severity, note.message.partition(", ")[2]) == ("note", "in cells 1, 5")


def test_metadata_in_brackets_may_have_lines_that_look_like_magics(shelf):
    path = shelf.book(
        'PLUGIN_METADATA = {\n"id": "book", "version": "1.0.0",\n"description": """\n%d of\n"""}'
    )
    assert read_source_metadata(path).table["description"] == "\n%d of\n"


def test_the_code_of_a_notebook_leaves_out_what_is_not_run():
    ran = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}
    before = notebook("print(1)", cell("# One", "markdown"), cell("2", "code", "nebula-skip"))
    after = notebook(
        cell("print(1)", outputs=(ran,)),
        cell("# Two", "markdown"),
        cell("3", "code", "nebula-skip"),
        widgets={"state": {}},
    )
    assert read_notebook(before.encode()).code == read_notebook(after.encode()).code


CHANGED = {
    "code": notebook("print(2)"),
    "a cell above": notebook(cell("# One", "markdown"), "print(1)"),
    "a tag": notebook(cell("print(1)", "code", "nebula-skip")),
    "metadata": notebook("print(1)", nebula={"id": "it"}),
}


@pytest.mark.parametrize("case", CHANGED)
def test_the_code_of_a_notebook_has_what_makes_a_difference(case):
    before = read_notebook(notebook("print(1)").encode())
    assert read_notebook(CHANGED[case].encode()).code != before.code


BLOCK = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["inflection<0.5"]\n# ///\n'


def test_a_cell_says_which_environment_the_notebook_needs(shelf):
    shelf.book(METADATA.format(id="book"), BLOCK, CLASS, ENTRY)
    [found] = discovered(shelf).descriptors
    assert found.python.dependencies == ("inflection<0.5",)


def test_it_does_so_beside_a_manifest_too(shelf):
    shelf.book(BLOCK, CLASS, ENTRY)
    shelf.put("book.toml", 'id = "book"\nversion = "2.0.0"\n')
    [found] = discovered(shelf).descriptors
    assert found.python.requires == ">=3.11"


def test_a_cell_that_is_no_part_of_the_plugin_says_nothing_of_its_environment(shelf):
    shelf.book(METADATA.format(id="book"), cell(BLOCK, "code", "nebula-skip"), CLASS, ENTRY)
    [found] = discovered(shelf).descriptors
    assert found.python is None


def test_two_cells_that_say_it_are_one_too_many(shelf):
    shelf.book(METADATA.format(id="book"), BLOCK, BLOCK + "x = 1", CLASS, ENTRY)
    assert "a second block of inline metadata (cell 3)" in only_problem(shelf).message


def test_a_mistake_in_such_a_block_is_told_with_cell_and_line(shelf):
    wrong = BLOCK.replace("inflection<0.5", "not a requirement")
    path = shelf.book(METADATA.format(id="book"), "import os\n" + wrong, CLASS, ENTRY)
    problem = only_problem(shelf)
    assert "(cell 2, line 4)" in problem.message
    assert "not a requirement" in path.read_text().splitlines()[problem.location.line - 1]


def test_a_notebook_that_is_no_plugin_may_have_what_blocks_it_likes(shelf):
    shelf.book(BLOCK, BLOCK)
    assert not discovered(shelf).problems
