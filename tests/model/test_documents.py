"""Configuration files: three formats, the seed's wrapper, and errors with file and line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nebula_lab.errors import ConfigError, MetadataLoadError
from nebula_lab.model import (
    Explicit,
    FileSystem,
    LoadingStrategy,
    Manifest,
    PluginCapability,
    PluginConfig,
    ResourceLimits,
    SandboxMode,
    SecurityConfig,
    SourceLocation,
    read_document,
)
from nebula_lab.model.toml_document import toml_line

SEED = Path(__file__).parents[1] / "data" / "seed"


@pytest.fixture
def load(tmp_path):
    def write_and_load(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return PluginConfig.from_file(tmp_path / name)

    return write_and_load


@pytest.fixture
def refusal(load):
    def refuse(name, text):
        with pytest.raises(ConfigError) as caught:
            load(name, text)
        return caught.value

    return refuse


def test_the_seeds_configuration_loads_with_every_value_in_its_place():
    assert PluginConfig.from_file(SEED / "plugin_resource.yaml") == PluginConfig(
        plugin_dir=Path("/usr/lib/nebula/plugins"),
        hot_reload=True,
        discovery=FileSystem(pattern="*.so", recursive=True),
        security=SecurityConfig(
            verify_signature=True,
            trusted_keys=("AAAAB3NzaC1yc2EA...",),
            sandbox=SandboxMode.PROCESS,
            capabilities=(
                PluginCapability.NETWORK,
                PluginCapability.FILE_SYSTEM,
                PluginCapability.MEMORY_ALLOCATION,
            ),
            resource_limits=ResourceLimits(
                max_memory=104857600, max_cpu_percent=50.0, max_file_handles=100, max_threads=10
            ),
        ),
        loading=LoadingStrategy.LAZY,
        global_config={
            "my_custom_resource": {
                "database_url": "postgresql://localhost/mydb",
                "cache_size": 1000,
            }
        },
        timeout=30.0,
        memory_limit=104857600,
    )


SAME = {
    "inner.yaml": "timeout: 5s\nsecurity:\n  sandbox: None\n",
    "wrapped.yml": "type: plugin_manager\nconfig:\n  timeout: 5s\n  security: {sandbox: None}\n",
    "inner.toml": 'timeout = "5s"\n[security]\nsandbox = "None"\n',
    "wrapped.toml": '[config]\ntimeout = 5\n[config.security]\nsandbox = "None"\n',
    "inner.json": '{"timeout": 5, "security": {"sandbox": "None"}}',
    "WRAPPED.JSON": '{"config": {"timeout": "5s", "security": {"sandbox": "None"}}}',
    "bom.yaml": "\ufefftimeout: 5s\nsecurity: {sandbox: None}\n",
}


@pytest.mark.parametrize("name", SAME)
def test_every_format_says_the_same(load, name):
    assert load(name, SAME[name]) == PluginConfig(
        timeout=5.0, security=SecurityConfig(sandbox=SandboxMode.NONE)
    )


@pytest.mark.parametrize("name", ["empty.yaml", "empty.toml"])
def test_an_empty_document_is_all_defaults(load, name):
    assert load(name, "") == PluginConfig()


def test_relative_paths_are_taken_from_the_documents_folder(load, tmp_path):
    config = load("c.yaml", "plugin_dir: ./plugins\ndiscovery: {Manifest: {path: lists/all.toml}}")
    assert config.plugin_dir == tmp_path / "plugins"
    assert config.discovery == Manifest(path=tmp_path / "lists" / "all.toml")


def test_the_paths_of_explicit_plugins_are_taken_from_the_documents_folder(load, tmp_path):
    plugin = {"id": "a", "version": "1.0.0", "path": "a.py"}
    config = load("c.json", json.dumps({"discovery": {"Explicit": {"plugins": [plugin]}}}))
    assert isinstance(config.discovery, Explicit)
    assert [found.path for found in config.discovery.plugins] == [tmp_path / "a.py"]


EXPLICIT = {
    "plain.yaml": (
        "discovery:\n  type: Explicit\n  plugins:\n"
        "    - {id: a, version: 1.0.0, path: a.py}\n"
        "    - id: b\n      version: 1.0.0\n      path: b.py\n      dependencies:\n        - a ^1\n"
    ),
    "nested.json": (
        '{"config": {"discovery":\n{"Explicit": {"plugins": [\n'
        '{"id": "a", "version": "1.0.0", "path": "a.py"},\n'
        '{"id": "b", "version": "1.0.0", "path": "b.py",\n\n\n"dependencies":\n["a ^1"]}]}}}}'
    ),
}


@pytest.mark.parametrize(("name", "lines"), [("plain.yaml", [4, 5, 9]), ("nested.json", [3, 4, 8])])
def test_an_explicit_plugin_and_its_dependencies_know_their_lines(load, tmp_path, name, lines):
    discovery = load(name, EXPLICIT[name]).discovery
    assert isinstance(discovery, Explicit)
    a, b = discovery.plugins
    assert [a.declared_in, b.declared_in, b.dependencies[0].declared_in] == [
        SourceLocation(tmp_path / name, line) for line in lines
    ]


def test_a_document_named_relatively_gives_absolute_paths(load, tmp_path, monkeypatch):
    (tmp_path / "c.yaml").write_text("plugin_dir: plugins")
    monkeypatch.chdir(tmp_path)
    assert PluginConfig.from_file("c.yaml").plugin_dir == tmp_path / "plugins"


def test_a_tilde_is_the_home_folder(load, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert load("c.yaml", "plugin_dir: ~/plugins").plugin_dir == tmp_path / "home" / "plugins"


# Name, text, line of the error, words in it.
WRONG = [
    (
        "a.yaml",
        "type: plugin_manager\nconfig:\n  timeout: 5s\n  security:\n    sandbx: None\n",
        5,
        "config.security.sandbx: unknown key 'sandbx'; did you mean 'sandbox'?",
    ),
    ("b.yaml", "security:\n  capabilities:\n    - Network\n    - Netwrk\n", 4, "'Network'"),
    ("c.yaml", "loading:\n  Priority:\n    treshold: 3\n", 2, "loading.Priority.threshold"),
    ("d.toml", 'timeout = "5s"\n\n[security]\nsandbx = "None"\n', 4, "security.sandbx"),
    ("e.toml", "[security.resource_limits]\nmax_thread = 3\n", 2, "did you mean 'max_threads'?"),
    (
        "f.toml",
        '[discovery]\ntype = "Explicit"\n[[discovery.plugins]]\nid = "a"\nversion = "1.0.0"\n'
        'path = "a"\n[[discovery.plugins]]\nid = "b"\nversion = "1"\npath = "b"\n',
        9,
        "Write 1.0.0.",
    ),
    ("g.json", '{\n\t"security": {\n\t\t"sandbx": "None"\n\t}\n}', 3, "security.sandbx"),
    ("h.yaml", "timeout: 5s\n  oops: [\n", 2, "not valid YAML"),
    ("i.yaml", "timeout: 5s\nloading: Lazy\ntimeout: 6s\n", 3, "'timeout' is there twice"),
    ("j.yaml", "a: !!python/object/apply:os.getcwd []\n", 1, "not valid YAML"),
    ("k.toml", 'timeout = "5s"\noops\n', 2, "not valid TOML"),
    ("l.toml", 'timeout = "5s"\ntimeout = "6s"\n', 2, "not valid TOML"),
    ("m.json", '{\n"timeout": 5,\n}', 3, "not valid JSON"),
    ("n.json", '{"timeout": 5, "timeout": 6}', None, "'timeout' is there twice"),
    ("o.yaml", "- a\n- b\n", 1, "expected a table of settings, found a list"),
    ("p.yaml", "config:\n  timeout: 5s\ntimeout: 6s\n", 3, "beside `type` and `config`"),
    ("q.yaml", "type: plugin_manger\nconfig: {}\n", 1, "Write `type: plugin_manager`."),
    ("r.yaml", "tipe: x\nconfig: {}\n", 1, "Did you mean 'type'?"),
    ("s.yaml", "\ntype: plugin_manager\n", 2, "no `config`"),
    ("t.yaml", "config: 3\n", 1, "config: expected a table, found 3"),
    ("u.ini", "", None, ".yaml, .yml, .toml, .json"),
    ("v.json", "[" * 100_000, None, "nested too deeply"),
    ("w.yaml", "[" * 10_000, None, "nested too deeply"),
    ("x.yaml", "when: 2024-99-99\n", None, "not valid YAML"),
    ("y.toml", 'x = "' + "a" * 5_000_000 + '"', None, "more than 5,000,000 bytes"),
]


@pytest.mark.parametrize(("name", "text", "line", "words"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_document_is_told_with_file_and_line(refusal, tmp_path, name, text, line, words):
    error = refusal(name, text)
    assert words in str(error)
    assert error.path == tmp_path / name
    assert error.line == line


def test_all_that_is_wrong_is_told_with_lines(refusal):
    text = str(refusal("c.yaml", "timout: 5s\nqueue_size: 0\n"))
    assert "queue_size: Input should be greater than or equal to 1, found 0" in text
    assert "timout: unknown key 'timout'; did you mean 'timeout'? (line 1)" in text


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        PluginConfig.from_file(tmp_path / "none.yaml")


def test_a_folder_is_no_document(tmp_path):
    (tmp_path / "c.yaml").mkdir()
    with pytest.raises(ConfigError, match="not a file"):
        PluginConfig.from_file(tmp_path / "c.yaml")


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "c.yaml")
    with pytest.raises(ConfigError, match="not a file"):
        PluginConfig.from_file(tmp_path / "c.yaml")


def test_bytes_that_are_not_utf8_are_told_with_their_line(tmp_path):
    (tmp_path / "c.yaml").write_bytes(b"timeout: 5s\nplugin_dir: caf\xe9\n")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        PluginConfig.from_file(tmp_path / "c.yaml")
    assert caught.value.line == 2


def test_an_anchor_that_contains_itself_ends(refusal):
    assert "unknown key 'a'" in str(refusal("c.yaml", "a: &a\n  b: *a\n"))


def test_a_document_can_be_refused_as_another_error(tmp_path):
    (tmp_path / "plugin.toml").write_text("id = \n")
    with pytest.raises(MetadataLoadError) as caught:
        read_document(tmp_path / "plugin.toml", MetadataLoadError, plugin_id="counter")
    assert caught.value.plugin_id == "counter"
    assert caught.value.line == 1


MANIFEST = '''id = "a"   # line 1
"quoted key" = 1
a.b . c = 2
text = """
fake = 1
[fake]
"""
after = 1

[metadata]
tags = [
  "x",
]
[[dependencies]]
plugin_id = "b"
  [[dependencies]]
  plugin_id = "c"
[dependencies.extra]
key = 1
'''


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("id",), 1),
        (("quoted key",), 2),
        (("a", "b", "c"), 3),
        (("a",), 3),
        (("text",), 4),
        (("fake",), None),
        (("after",), 8),
        (("metadata",), 10),
        (("metadata", "tags"), 11),
        (("metadata", "tags", 0), 11),
        (("dependencies",), 14),
        (("dependencies", 0), 14),
        (("dependencies", 0, "plugin_id"), 15),
        (("dependencies", 1), 16),
        (("dependencies", 1, "plugin_id"), 17),
        (("dependencies", 1, "missing"), 16),
        (("dependencies", 1, "extra", "key"), 19),
        ((), None),
    ],
    ids=str,
)
def test_the_line_of_a_toml_element_is_found(location, line):
    assert toml_line(MANIFEST, location) == line
