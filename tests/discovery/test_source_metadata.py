"""What the literals of a source say."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.discovery import read_descriptor, read_source_metadata
from nebula_lab.discovery.source import declared_metadata, source_metadata

HERE = Path("a.py")
SEED = Path(__file__).parents[1] / "data" / "seed"

TABLES = {
    "dict": "PLUGIN_METADATA = {'id': 'a'}",
    "annotated": "PLUGIN_METADATA: dict[str, str] = {'id': 'a'}",
    "last of two": "PLUGIN_METADATA = {'id': 'b'}\nPLUGIN_METADATA = {'id': 'a'}",
    "two names": "INFO = PLUGIN_METADATA = {'id': 'a'}",
    "function": "def plugin_metadata():\n    return {'id': 'a'}",
    "function with docstring": "def plugin_metadata():\n    'Who.'\n    return {'id': 'a'}",
    "function with JSON": 'def plugin_metadata():\n    return \'{"id": "a"}\'',
    "function with json.dumps": "def plugin_metadata():\n    return json.dumps({'id': 'a'})",
    "JSON text": 'PLUGIN_METADATA = \'{"id": "a"}\'',
    "dict before function": (
        "PLUGIN_METADATA = {'id': 'a'}\ndef plugin_metadata():\n    return PLUGIN_METADATA"
    ),
    "byte order mark": "\ufeffPLUGIN_METADATA = {'id': 'a'}",
    "several lines": "PLUGIN_METADATA = {\n'id':\n'a',\n}",
    "Windows line ends": "import os\r\nPLUGIN_METADATA = {\r\n  'id': 'a'\r\n}\r\n",
    "text in the first column": "PLUGIN_METADATA = {'id': '''\\\na'''}\n",
}


@pytest.mark.parametrize("form", TABLES)
def test_metadata_are_read_in_each_form(form):
    assert source_metadata(TABLES[form].encode(), HERE).table == {"id": "a"}


@pytest.mark.parametrize("form", TABLES)
def test_metadata_are_the_same_when_only_the_declarations_are_parsed(form):
    source = f"{TABLES[form]}\n\ndef f():\n    return 1\n"
    assert declared_metadata(source.encode(), HERE).table == {"id": "a"}


def test_what_follows_the_declarations_is_not_parsed():
    source = b"PLUGIN_METADATA = {\n'id': 'a',\n}\n\ndef f(:\n"
    assert declared_metadata(source, HERE).table == {"id": "a"}


def test_a_source_in_another_encoding_is_read_by_its_declaration():
    source = "# -*- coding: latin-1 -*-\nPLUGIN_METADATA = {'id': 'é'}\n".encode("latin-1")
    assert source_metadata(source, HERE).table == {"id": "é"}


def test_a_mention_in_a_comment_or_a_string_is_no_declaration():
    source = b'"""\nPLUGIN_METADATA = {"id": "a"}\nPLUGIN_API_VERSION = 9\n"""\n# plugin_entry\n'
    for found in (source_metadata(source, HERE), declared_metadata(source, HERE)):
        assert (found.table, found.api_version, found.has_entry) == (None, None, False)


API_VERSIONS = {
    b"PLUGIN_API_VERSION = 1": 1,
    b"PLUGIN_API_VERSION: int = 2  # since 0.2": 2,
    b"PLUGIN_API_VERSION=3\r\nx = 1": 3,
    b'"""\nPLUGIN_API_VERSION = 9\n"""\nPLUGIN_API_VERSION = 4': 4,
    b'"""\nPLUGIN_API_VERSION = 9\n"""': None,
    b"f(\nPLUGIN_API_VERSION=5,\n)": None,
    b"from nebula_lab.plugin import PLUGIN_API_VERSION": None,
    b"PLUGIN_API_VERSION = int('1')": None,
}


@pytest.mark.parametrize("source", API_VERSIONS)
def test_the_api_version_is_read_from_a_statement_only(source):
    assert declared_metadata(source, HERE).api_version == API_VERSIONS[source]
    assert source_metadata(source, HERE).api_version == API_VERSIONS[source]


ENTRIES = [
    "def plugin_entry(): ...",
    "async def plugin_entry(): ...",
    "class plugin_entry: ...",
    "plugin_entry = Counter",
    "from .impl import plugin_entry",
    "from .impl import make as plugin_entry",
]


@pytest.mark.parametrize("source", ENTRIES)
def test_an_entry_is_recognised_in_each_form(source):
    assert source_metadata(source.encode(), HERE).has_entry


def test_each_dependency_has_the_line_that_declares_it(plugins):
    file = plugins.write(
        "a.py",
        "PLUGIN_METADATA = {\n"
        "    'id': 'a', 'version': '1.0.0',\n"
        "    'dependencies': [\n"
        "        'base >=1.0',\n"
        "        {'plugin_id': 'logger', 'optional': True},\n"
        "    ],\n"
        "}\n",
    )
    found = read_descriptor(file).dependencies
    assert [(d.plugin_id, str(d.declared_in)) for d in found] == [
        ("base", f"{file}:4"),
        ("logger", f"{file}:5"),
    ]


DEPENDENCY_MANIFESTS = {
    "p.toml": (
        'id = "p"\nversion = "1.0.0"\n# dependencies = ["base"]\n\n'
        '[[dependencies]]\nplugin_id = "base-x"\n\n[[dependencies]]\n'
        '# base is needed too\nversion_req = "*"\nplugin_id = "base"\n',
        [6, 11],
    ),
    "p.json": (
        '{"id": "p",\n "version": "1.0.0",\n "dependencies": [\n  "base-x >=1",\n  "base"]}\n',
        [4, 5],
    ),
}


@pytest.mark.parametrize("name", DEPENDENCY_MANIFESTS)
def test_each_dependency_of_a_manifest_has_its_line(plugins, name):
    text, lines = DEPENDENCY_MANIFESTS[name]
    plugins.write("p.py", "")
    found = read_descriptor(plugins.write(name, text)).dependencies
    assert [d.plugin_id for d in found] == ["base-x", "base"]
    assert [d.declared_in.line for d in found] == lines


def test_an_inline_list_of_toml_has_its_lines(plugins):
    plugins.write("p.py", "")
    text = 'id = "p"\nversion = "1.0.0"\ndependencies = [\n  "base>=1",\n  "logger",\n]\n'
    found = read_descriptor(plugins.write("p.toml", text)).dependencies
    assert [(d.plugin_id, d.declared_in.line) for d in found] == [("base", 4), ("logger", 5)]


def test_the_seed_metadata_are_read_from_a_function(plugins):
    text = (SEED / "embedded_metadata.json").read_text()
    file = plugins.write("my.py", f"def plugin_metadata():\n    return {text!r}\n")
    found = read_descriptor(file)
    assert found.id == "my_custom_resource"
    assert found.metadata.author == "Your Name"


def test_a_notebook_says_its_metadata_in_a_cell(plugins):
    file = plugins.notebook(
        "a.ipynb",
        "%matplotlib inline\nimport os",
        "!ls\nPLUGIN_METADATA = {\n  'id': 'a',\n  'version': '1.0.0',\n}\nPLUGIN_API_VERSION = 1",
        "def plugin_entry():\n    return 1",
    )
    found = read_descriptor(file)
    lines = file.read_text().splitlines()
    assert found.runtime.api_version == 1
    assert "PLUGIN_METADATA" in lines[found.declared_in.line - 1]
    assert read_source_metadata(file).has_entry


def test_a_cell_tagged_skip_is_not_part_of_the_plugin(plugins):
    file = plugins.notebook(
        "a.ipynb",
        "PLUGIN_METADATA = {'id': 'a', 'version': '1.0.0'}",
        ("PLUGIN_METADATA = {'id': 'b', 'version': '1.0.0'}", ["nebula-skip"]),
        "%%bash\nPLUGIN_METADATA = {'id': 'c'}",
    )
    assert read_descriptor(file).id == "a"


def test_a_broken_cell_is_named_by_its_number(plugins):
    plugins.notebook("a.ipynb", "x = 1", "x = 1\nPLUGIN_METADATA = {'id': n}")
    problem = plugins.only_problem()
    assert "cell 2, line 2" in problem.message
    text = (plugins.path / "a.ipynb").read_text().splitlines()
    assert "PLUGIN_METADATA" in text[problem.location.line - 1]
