"""What `nebula-lab` does for components, and what it does with them as with any plugin."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner
from component_lab import SAMPLE
from sections import COMPONENT, MODULE, custom

from nebula_lab.cli.failing import ExitCode
from nebula_lab.cli.main import cli
from nebula_lab.discovery import read_descriptor
from nebula_lab.registry.archives.opening import unpack
from nebula_lab.registry.building.version import packed


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        return CliRunner().invoke(cli, [str(word) for word in words])

    return call


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plugins").mkdir()
    shutil.copy(SAMPLE, tmp_path / "plugins")
    return tmp_path / "plugins"


def test_the_world_is_printed(call):
    done = call("component", "wit")
    assert done.output.rstrip().endswith("export guest;\n}")
    assert "package nebula:plugin@0.1.0;" in done.output


def test_a_description_is_written_into_a_component(call, tmp_path):
    path = tmp_path / "it.wasm"
    path.write_bytes(COMPONENT + custom("name", "x"))
    (tmp_path / "said.toml").write_text('id = "it"\nversion = "1.0.0"\n')
    assert "is it 1.0.0" in call("component", "describe", path, "said.toml").output
    (tmp_path / "said.toml").write_text('id = "it"\nversion = "1.1.0"\n')
    assert "is it 1.1.0" in call("component", "describe", path, "said.toml").output
    assert path.read_bytes().count(b"nebula-plugin") == 1
    assert str(read_descriptor(path).version) == "1.1.0"


@pytest.mark.parametrize(
    ("content", "said", "words"),
    [
        (MODULE, b'id = "it"\nversion = "1.0.0"', "is a WebAssembly module"),
        (COMPONENT, b"id =", ":1"),
        (COMPONENT, b"\xff", "is not UTF-8"),
        (COMPONENT, b'id = "it"', "version"),
    ],
)
def test_what_can_not_be_described_stays_as_it_is(call, tmp_path, content, said, words):
    path = tmp_path / "it.wasm"
    path.write_bytes(content)
    (tmp_path / "said.toml").write_bytes(said)
    done = call("component", "describe", path, "said.toml")
    assert done.exit_code == ExitCode.PLUGIN_FAILED
    assert words in done.output
    assert path.read_bytes() == content


def test_a_component_is_listed_with_its_sandbox(call, folder):
    (found,) = json.loads(call("list", "--plugin-dir", folder, "--json").stdout)
    assert (found["id"], found["sandbox"]) == ("text_stats", "Wasm in Process")


def test_a_check_finds_nothing_wrong_with_the_sample(call, folder):
    assert call("check", folder).exit_code == ExitCode.FINE


def test_a_check_finds_a_component_that_is_cut_off(call, folder):
    (folder / "text_stats.wasm").write_bytes(SAMPLE.read_bytes()[:9000])
    done = call("check", folder)
    assert done.exit_code == ExitCode.PROBLEMS_FOUND
    assert "in the middle of a section" in done.output


def test_a_component_is_signed_as_any_file(call, folder):
    assert call("keygen", "key", "--no-passphrase").exit_code == 0
    path = folder / "text_stats.wasm"
    assert call("sign", path, "--key", "key").exit_code == 0
    assert call("verify", path, "--trusted", "key.pub").exit_code == 0
    path.write_bytes(path.read_bytes() + custom("more", "x"))
    assert call("verify", path, "--trusted", "key.pub").exit_code == ExitCode.PROBLEMS_FOUND


def test_a_component_is_packed_for_a_registry_as_it_is(call, folder):
    assert call("registry", "build", folder, "--out", "served").exit_code == 0
    contents, _ = unpack(packed(read_descriptor(folder / "text_stats.wasm")).archive)
    assert contents == {"text_stats.wasm": SAMPLE.read_bytes()}
