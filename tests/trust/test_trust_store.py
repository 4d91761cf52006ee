"""The content store in one process: what it keeps, gives back, refuses and throws away."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nebula_lab.errors import StoreError
from nebula_lab.trust.store import ContentStore


def blobs(store):
    return sorted(path for path in (store.root / "blobs").rglob("*") if path.is_file())


def copied(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def kept(store, package, take):
    """The files of a package, in the store."""
    return store.add(take(package))


def test_what_was_added_is_given_back(store, package, take, tmp_path):
    collected = take(package)
    store.materialize(store.add(collected), tmp_path / "copy")
    assert copied(tmp_path / "copy") == dict(collected.contents)


def test_a_copy_is_given_back_after_the_source_has_changed(store, kept, package, tmp_path):
    (package / "__init__.py").write_text("changed")
    store.materialize(kept, tmp_path / "copy")
    assert b"plugin_entry" in (tmp_path / "copy/pack/__init__.py").read_bytes()


def test_a_copy_shares_no_file_with_the_store(store, kept, tmp_path):
    store.materialize(kept, tmp_path / "copy")
    ours = {path.stat().st_ino for path in blobs(store)}
    assert ours.isdisjoint(p.stat().st_ino for p in (tmp_path / "copy").rglob("*") if p.is_file())


def test_a_copy_is_read_only_and_executable_where_its_source_was(store, package, take, tmp_path):
    (package / "inner" / "data.bin").chmod(0o755)
    store.materialize(store.add(take(package)), tmp_path / "copy")
    modes = [
        (tmp_path / "copy/pack" / name).stat().st_mode & 0o777
        for name in ("__init__.py", "inner/data.bin")
    ]
    assert modes == [0o444, 0o555]


def test_a_copy_never_goes_over_what_is_there(store, kept, tmp_path):
    (tmp_path / "copy" / "pack").mkdir(parents=True)
    (tmp_path / "target").write_text("mine")
    (tmp_path / "copy" / "pack" / "__init__.py").symlink_to(tmp_path / "target")
    with pytest.raises(StoreError, match="File exists"):
        store.materialize(kept, tmp_path / "copy")
    assert (tmp_path / "target").read_text() == "mine"


def test_the_store_is_for_its_owner_alone_and_its_files_are_read_only(store, kept):
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in blobs(store)} == {0o444}


def test_equal_files_are_kept_once(store, package, take, write):
    write("pack/a.py", "same")
    write("pack/b.py", "same")
    store.add(take(package))
    assert len(blobs(store)) == 5


def test_adding_again_writes_nothing(store, kept, package, take):
    before = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in blobs(store)]
    store.add(take(package))
    assert [(p, p.stat().st_ino, p.stat().st_mtime_ns) for p in blobs(store)] == before


def _corrupt(path):
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def test_a_corrupted_blob_is_named_removed_and_written_anew(store, kept, package, take, tmp_path):
    victim = next(path for path in blobs(store) if path.stat().st_size == 256)
    _corrupt(victim)
    with pytest.raises(StoreError, match=r"data\.bin was damaged") as caught:
        store.materialize(kept, tmp_path / "first")
    assert Path(caught.value.path) == victim
    assert not victim.exists()
    assert "pack/inner/data.bin" not in copied(tmp_path / "first")
    store.materialize(store.add(take(package)), tmp_path / "second")
    assert copied(tmp_path / "second")["pack/inner/data.bin"] == bytes(range(256))


def test_a_blob_that_was_cut_short_is_written_anew_by_the_next_add(store, kept, package, take):
    victim = next(path for path in blobs(store) if path.stat().st_size == 256)
    victim.chmod(0o644)
    victim.write_bytes(b"")
    store.add(take(package))
    assert victim.read_bytes() == bytes(range(256))


def test_a_missing_blob_is_an_error_with_a_cure(store, kept, tmp_path):
    blobs(store)[0].unlink()
    with pytest.raises(StoreError, match="missing from the content store") as caught:
        store.materialize(kept, tmp_path / "copy")
    assert "Load the plugin from its source again" in caught.value.hint


def test_a_damaged_tree_is_removed_and_not_listed(store, kept):
    _corrupt(store.root / "trees" / kept.digest)
    with pytest.raises(StoreError, match="damaged"):
        store.tree(kept.digest)
    assert list(store.trees()) == []


def test_trees_are_listed(store, kept, counter, take):
    other = store.add(take(counter))
    assert {tree.digest for tree in store.trees()} == {kept.digest, other.digest}
    assert store.tree(kept.digest) == kept


def test_an_empty_store_lists_nothing_and_is_not_made(store):
    assert list(store.trees()) == []
    assert not store.root.exists()


def test_garbage_is_what_is_old_and_not_kept(store, kept, counter, take):
    other = store.add(take(counter))
    removed = store.collect_garbage(keep=[kept.digest], older_than=0)
    assert (removed.trees, removed.files) == ((other.digest,), 1)
    assert removed.bytes == counter.stat().st_size
    assert [tree.digest for tree in store.trees()] == [kept.digest]
    assert len(blobs(store)) == 4


def test_what_is_young_stays(store, kept):
    assert store.collect_garbage(older_than=3600).trees == ()


def test_adding_again_makes_young(store, kept, package, take):
    tree = store.root / "trees" / kept.digest
    os.utime(tree, (0, 0))
    store.add(take(package))
    assert time.time() - tree.stat().st_mtime < 3600
    assert store.collect_garbage(older_than=3600).trees == ()


def test_a_leased_tree_stays_until_its_lease_is_released(store, package, take, tmp_path):
    with store.lease(take(package)) as lease:
        assert store.collect_garbage(older_than=0).trees == ()
        lease.materialize(tmp_path / "copy")
    assert store.collect_garbage(older_than=0).trees == (lease.files.digest,)
    assert blobs(store) == []


def test_a_tree_is_in_use_while_one_of_its_leases_is(store, kept, package, take):
    first, second = store.pin(kept), store.lease(take(package))
    first.release()
    first.release()
    assert store.collect_garbage(older_than=0).trees == ()
    second.release()
    assert store.collect_garbage(older_than=0).trees == (kept.digest,)


def test_a_tree_that_is_gone_cant_be_pinned(store, kept):
    store.collect_garbage(older_than=0)
    with pytest.raises(StoreError, match="has no plugin"):
        store.pin(kept)


def test_what_was_left_half_written_is_garbage(store, kept):
    (store.root / "new" / "left").write_bytes(b"half")
    store.collect_garbage()
    assert list((store.root / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"NEBULA_LAB_HOME": "/a", "XDG_DATA_HOME": "/b"}, "/a/store"),
        ({"XDG_DATA_HOME": "/b"}, "/b/nebula-lab/store"),
        ({"XDG_DATA_HOME": "relative"}, "/home/me/.local/share/nebula-lab/store"),
        ({}, "/home/me/.local/share/nebula-lab/store"),
    ],
)
def test_the_store_of_a_user_is_where_the_system_keeps_data(monkeypatch, variables, expected):
    for name in ("NEBULA_LAB_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    assert ContentStore().root == Path(expected)


def test_a_store_where_there_is_a_file_is_refused(tmp_path, counter, take):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="can't be kept") as caught:
        ContentStore(tmp_path / "file" / "store").add(take(counter))
    assert "NEBULA_LAB_HOME" in caught.value.hint
