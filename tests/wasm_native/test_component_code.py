"""A component is compiled once, elsewhere, and only code that is ours is run."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import psutil
import pytest
from component_lab import SAMPLE
from sections import COMPONENT, section

from nebula_lab.agent.components.engine import compiled_path
from nebula_lab.errors import LoadFailedError, ManagerClosedError
from nebula_lab.sandbox.compiled_components import CompiledComponents

FEW_INSTRUCTIONS = b"\1" + b"\1\x7f" + b"\xff" * 100


@pytest.fixture
def cache(tmp_path):
    found = CompiledComponents(lambda: "none", tmp_path / "cache")
    yield found
    found.close()


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "host"
    folder.mkdir()
    return Path(shutil.copy(SAMPLE, folder / "it.wasm"))


def kept(cache_folder: Path) -> Path:
    (found,) = cache_folder.glob("wasmtime-*/*")
    return found


def put(cache, copy):
    cache.put_beside(copy, "it", copy)
    return compiled_path(copy).read_bytes()


def test_code_is_kept_by_what_the_component_is(cache, copy, tmp_path):
    code = put(cache, copy)
    made = kept(tmp_path / "cache").stat().st_ino
    assert put(cache, copy) == code
    assert kept(tmp_path / "cache").stat().st_ino == made


def test_nobody_else_can_read_or_write_it(cache, copy, tmp_path):
    put(cache, copy)
    file = kept(tmp_path / "cache")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-1] + b"\0"),
        lambda file: file.write_bytes(b""),
        lambda file: file.chmod(0o666),
        lambda file: file.parent.chmod(0o777),
        lambda file: os.chown(file, 12345, -1),
        lambda file: (file.rename(file.with_name("x")), file.symlink_to("x")),
    ],
    ids=["damaged", "empty", "of all", "in a folder of all", "of another user", "a link"],
)
def test_code_that_others_could_have_written_is_made_anew(cache, copy, tmp_path, spoil):
    if os.geteuid():
        pytest.skip("only root can give files away")
    code = put(cache, copy)
    file = kept(tmp_path / "cache")
    spoil(file)
    assert put(cache, copy) == code


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(copy, tmp_path):
    (tmp_path / "file").write_text("")
    assert put(CompiledComponents(lambda: "none", tmp_path / "file"), copy)


def test_what_can_not_be_compiled_says_why_and_keeps_nothing(cache, copy, tmp_path):
    copy.write_bytes(COMPONENT + section(7, FEW_INSTRUCTIONS))
    with pytest.raises(LoadFailedError, match="it can't be compiled: ") as failed:
        put(cache, copy)
    assert failed.value.plugin_id == "it"
    assert not list((tmp_path / "cache").glob("*/*"))


def test_a_compiler_ends_with_its_manager(cache, copy):
    copy.write_bytes(b"\0" * (64 << 20))  # takes a moment to be handed over
    ended = []

    def run():
        try:
            put(cache, copy)
        except (LoadFailedError, ManagerClosedError, OSError) as error:
            ended.append(error)

    before = {one.pid for one in psutil.Process().children()}
    running = threading.Thread(target=run)
    running.start()
    until = time.monotonic() + 10
    while {one.pid for one in psutil.Process().children()} <= before and running.is_alive():
        assert time.monotonic() < until
    cache.close()
    running.join(10)
    assert not running.is_alive()
    assert ended
    with pytest.raises(ManagerClosedError):
        put(cache, Path(shutil.copy(SAMPLE, copy)))
