"""Components are found by what their files say; whatever is in these, nothing of it runs."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from component_lab import SAMPLE
from hypothesis import given
from hypothesis import strategies as some
from sections import COMPONENT, MODULE, custom, number, section

from nebula_lab import PluginManager
from nebula_lab.discovery import FileSystemDiscoverer, read_descriptor
from nebula_lab.discovery.component import component_metadata
from nebula_lab.errors import LoadFailedError, MetadataLoadError
from nebula_lab.model import SandboxMode, SecurityConfig
from nebula_lab.model.sandbox_choice import sandbox_for_plugin

SAID = 'id = "it"\nversion = "1.0.0"\n'


@pytest.fixture
def write(tmp_path):
    def write(content: bytes, manifest: str | None = None, name: str = "it") -> Path:
        path = tmp_path / f"{name}.wasm"
        path.write_bytes(content)
        if manifest is not None:
            (tmp_path / f"{name}.toml").write_text(manifest)
        return path

    return write


def found_in(folder):
    return FileSystemDiscoverer(folder).discover()


def test_the_sample_describes_itself_by_its_section():
    found = read_descriptor(SAMPLE)
    assert (found.id, str(found.version), found.is_component) == ("text_stats", "1.0.0", True)


def test_a_manifest_beside_it_describes_a_component(write):
    path = write(COMPONENT, SAID)
    (found,) = found_in(path.parent).descriptors
    assert (found.id, found.path) == ("it", path)


def test_a_manifest_can_name_a_component(write):
    path = write(COMPONENT)
    manifest = path.with_name("other.toml")
    manifest.write_text(f'{SAID}path = "./it.wasm"\n')
    assert read_descriptor(manifest).path == path


def test_a_section_may_be_json(write):
    path = write(COMPONENT + custom("nebula-plugin", '{"id": "it", "version": "2.0.0"}'))
    assert str(read_descriptor(path).version) == "2.0.0"


def test_the_section_may_stand_anywhere_and_beside_others(write):
    others = [custom("name", b"\xff\xfe"), section(1, MODULE), custom("producers", b"x" * 300)]
    path = write(COMPONENT + b"".join(others) + custom("nebula-plugin", SAID) + others[0])
    assert read_descriptor(path).id == "it"


def test_a_module_within_does_not_speak_for_the_component(write):
    within = section(1, MODULE + custom("nebula-plugin", SAID))
    path = write(COMPONENT + within)
    with pytest.raises(MetadataLoadError, match=r"it\.toml beside it"):
        read_descriptor(path)


def test_webassembly_that_is_no_plugin_is_left_alone(write):
    write(MODULE, name="one")
    write(COMPONENT, name="two")
    write(b"not even that", name="three")
    found = found_in(write(b"", name="four").parent)
    assert (found.descriptors, found.problems) == ((), ())


@pytest.mark.parametrize(
    ("content", "words", "cure"),
    [
        (MODULE, "is a WebAssembly module, and not a component", "wasm-tools component new"),
        (b"MZ\0\0\0\0\0\0", "is not WebAssembly", "Build it again"),
        (b"\0asm\x0d", "is not WebAssembly", "Build it again"),
        (b"\0asm\x0e\0\7\0", "of a kind that is not known", "Build it again"),
        (SAMPLE.read_bytes()[:30_000], "ends in the middle of a section", "Build it again"),
        (COMPONENT + b"\1" + b"\x80" * 5, "a size at byte 9 that is no number", "Build it again"),
        (COMPONENT + b"\1\xff\xff\xff\xff\x7f", "a size at byte 9 that is no number", "Build"),
        (COMPONENT + b"\1\x80", "a size at byte 9 that is no number", "Build it again"),
        (COMPONENT + b"\1" + number(2**30), "one of 1,073,741,824 bytes begins", "Build it again"),
        (COMPONENT + section(0, number(50) + b"short"), "whose name is too long", "Build it again"),
        (COMPONENT + section(0, b""), "that is no number", "Build it again"),
        (COMPONENT + 2 * custom("nebula-plugin", SAID), "has 2 sections", "Build it again"),
        (COMPONENT + custom("nebula-plugin", b"\xff"), "is not UTF-8", "Build it again"),
        (COMPONENT + custom("nebula-plugin", "id ="), "line 1 of its section", "plugin.toml"),
        (COMPONENT + custom("nebula-plugin", "{}}"), "is not JSON", "plugin.toml"),
        (COMPONENT + custom("nebula-plugin", "#" * 2**21), "of 2,097,152 bytes", "Build it again"),
    ],
)
def test_what_is_wrong_with_a_described_file_is_said_with_a_cure(write, content, words, cure):
    path = write(content, SAID)
    (problem,) = found_in(path.parent).problems
    assert words in problem.message
    assert cure in problem.cure


def test_as_many_sections_as_fit_are_too_many(write):
    path = write(COMPONENT + 100_001 * section(3, b""), SAID)
    with pytest.raises(MetadataLoadError, match="more than 100,000 sections"):
        read_descriptor(path.with_suffix(".toml"))


def test_a_file_that_is_no_regular_one_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "it.wasm")
    with pytest.raises(MetadataLoadError, match="fifo"):
        read_descriptor(tmp_path / "it.wasm")


@given(some.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.wasm"
    for preamble in (b"", COMPONENT, COMPONENT + b"\0\x8f\1\x0dnebula-plugin"):
        path.write_bytes(preamble + content)
        try:
            component_metadata(path, described=True)
        except MetadataLoadError as error:
            assert error.hint


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[python]\nrequires = ">=3.11"\n', "there is no Python"),
        ("[runtime]\nconcurrency = 4\n", "one at a time"),
        ('[security]\ncapabilities = ["Network", "FileSystem"]\n', "Network, FileSystem"),
        ('[security]\ncapabilities = ["ProcessSpawn"]\n', "ProcessSpawn"),
    ],
)
def test_what_no_component_can_have_is_refused_when_it_is_found(write, more, words):
    path = write(COMPONENT, SAID + more)
    (problem,) = found_in(path.parent).problems
    assert words in problem.message
    assert problem.cure


def test_two_that_claim_different_ids_are_refused(write):
    path = write(COMPONENT + custom("nebula-plugin", 'id = "other"\nversion = "1.0.0"\n'), SAID)
    with pytest.raises(MetadataLoadError, match=re.escape("'other'")):
        read_descriptor(path)


def test_a_component_that_is_nothing_of_the_kind_fails_its_load(write):
    path = write(COMPONENT, SAID)
    config = {"plugin_dir": path.parent, "hot_reload": False, "security": {"sandbox": "None"}}
    with (
        PluginManager(config) as plugins,
        pytest.raises(LoadFailedError, match="does not export nebula:plugin/guest"),
    ):
        plugins.load_plugin("it")


def test_the_store_keeps_a_component_and_what_describes_it(tmp_path):
    from nebula_lab.trust.collecting import collect

    shutil.copy(SAMPLE, tmp_path / "it.wasm")
    (tmp_path / "it.toml").write_text('id = "text_stats"\nversion = "1.0.0"\n')
    (tmp_path / "world.py").write_text("")  # a word that is in the binary, too
    collected = collect(read_descriptor(tmp_path / "it.wasm"))
    assert sorted(collected.contents) == ["it.toml", "it.wasm"]


def test_what_is_around_a_component_in_sandbox_wasm_is_a_process():
    security = SecurityConfig(sandbox=SandboxMode.WASM)
    assert sandbox_for_plugin(read_descriptor(SAMPLE), security) is SandboxMode.PROCESS
