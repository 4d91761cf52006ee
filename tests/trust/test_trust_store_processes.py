"""The content store among processes that add, use, collect and are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("store_worker.py")


@pytest.fixture
def worker(store):
    """Starts a process that does something with the store."""
    started = []

    def start(action, plugin):
        process = subprocess.Popen(
            [sys.executable, WORKER, action, store.root, plugin],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def big(write):
    """A package with a file of a megabyte."""
    write("big/plugin.toml", 'id = "big"\nversion = "1.0.0"\n')
    write("big/data.bin", b"x" * 1_000_000)
    return write("big/__init__.py", "def plugin_entry(): ...\n").parent


def stored(store):
    return {path.name for path in store.root.rglob("*") if path.is_file()}


def test_processes_that_add_the_same_at_once_all_succeed(store, worker, package, take, tmp_path):
    processes = [worker("add", package) for _ in range(4)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    files = take(package).files
    assert [process.stdout.readline().strip() for process in processes] == [files.digest] * 4
    store.materialize(files, tmp_path / "copy")
    assert list((store.root / "new").iterdir()) == []


def test_a_process_that_is_killed_in_the_middle_leaves_nothing_half_there(
    store, worker, big, take, tmp_path
):
    process = worker("die", big)
    assert process.wait(30) == -signal.SIGXFSZ
    assert list(store.trees()) == []
    assert all(path.stat().st_size < 100_000 for path in (store.root / "blobs").rglob("*"))
    assert [path.stat().st_size for path in (store.root / "new").iterdir()] == [100_000]
    store.materialize(store.add(take(big)), tmp_path / "copy")
    assert (tmp_path / "copy/big/data.bin").stat().st_size == 1_000_000
    store.collect_garbage()
    assert list((store.root / "new").iterdir()) == []


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_whenever_a_process_is_killed_every_tree_that_is_there_is_whole(
    store, worker, package, tmp_path, steps
):
    process = worker("churn", package)
    told = [process.stdout.readline().strip() for _ in range(steps)]
    process.kill()
    process.wait(30)  # what it was told to do last it may still be at
    trees = {tree.digest: tree for tree in store.trees()}
    assert set(told) <= set(trees)
    for digest, tree in trees.items():
        store.materialize(tree, tmp_path / digest)


def test_a_lock_ends_with_a_killed_process(store, worker, package):
    process = worker("hold", package)
    digest = process.stdout.readline().strip()
    assert store.collect_garbage(older_than=0).trees == ()
    process.kill()
    process.wait(30)
    assert store.collect_garbage(older_than=0).trees == (digest,)


def test_a_tree_that_another_process_uses_survives_garbage_collection(
    store, worker, package, take, tmp_path
):
    process = worker("hold", package)
    process.stdout.readline()
    removed = store.collect_garbage(older_than=0)
    assert (removed.trees, removed.files) == ((), 0)
    store.materialize(take(package).files, tmp_path / "copy")


def test_a_disk_that_is_full_is_an_error_with_a_cure_and_leaves_nothing(store, worker, big):
    out, _ = worker("fill", big).communicate(timeout=30)
    assert "can't be kept" in out
    assert "Make room" in out
    assert list(store.trees()) == []
    assert list((store.root / "new").iterdir()) == []


@pytest.fixture
def read_only(store):
    """Makes a store that may only be read, for all users."""
    changed = []

    def make():
        changed.extend([store.root, *store.root.rglob("*")])
        for path in changed:
            path.chmod(0o555 if path.is_dir() else 0o444)

    yield make
    for path in changed:
        path.chmod(0o755)


@pytest.fixture
def open_way(tmp_path):
    """Lets every user get to the folder of the test."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.parts[:2] == ("/", "tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)


def test_a_store_that_may_only_be_read_serves_what_is_in_it(
    store, worker, counter, take, read_only, open_way
):
    store.add(take(counter))
    read_only()
    assert worker("as_nobody", counter).communicate(timeout=30)[0] == "fine\n"


def test_a_store_that_may_only_be_read_takes_nothing_new(
    store, worker, counter, package, take, read_only, open_way
):
    store.add(take(package))
    read_only()
    out, _ = worker("as_nobody", counter).communicate(timeout=30)
    assert "Permission denied" in out
    assert "NEBULA_LAB_HOME" in out
