"""What a lock file says, and the bytes that say it."""

from __future__ import annotations

import pytest

from nebula_lab.errors import LockError
from nebula_lab.model.lock import LockedEnvironment, LockedPackage, LockedPlugin, read_lock
from nebula_lab.model.lock import LockFile as Lock
from nebula_lab.runtime.locking import write_lock

A, B = "a" * 64, "b" * 64
PLUGINS = (
    LockedPlugin(id="beta", version="1.0.0", digest=B, dependencies=("alpha",)),
    LockedPlugin(id="alpha", version="2.0.0-rc.1", digest=A, archive=B, origin="registry"),
)
ENVIRONMENT = LockedEnvironment(
    key="k1",
    python=">=3.11",
    requirements=("tiny>=1",),
    packages=(LockedPackage(name="tiny", version="1.0", hashes=(f"sha256:{A}",)),),
)


def test_a_lock_comes_back_as_it_was_written(tmp_path):
    lock = Lock().with_plugins(PLUGINS).with_environments([ENVIRONMENT])
    write_lock(lock, tmp_path / "nebula.lock")
    assert read_lock(tmp_path / "nebula.lock") == lock


def test_equal_locks_have_equal_bytes_in_whatever_order_they_were_made():
    first, second = Lock(plugins=PLUGINS).text, Lock(plugins=PLUGINS[::-1]).text
    assert first == second
    assert first.index("alpha") < first.index("beta")


def test_tables_that_are_not_known_are_kept(tmp_path):
    path = tmp_path / "nebula.lock"
    path.write_text('format = 1\n[[novelty]]\nname = "x"\nnumbers = [1, 2]\n')
    lock = read_lock(path).with_plugins(PLUGINS)
    write_lock(lock, path)
    assert read_lock(path).others == {"novelty": [{"name": "x", "numbers": [1, 2]}]}


def test_locking_plugins_leaves_environments_as_they_are():
    lock = Lock().with_environments([ENVIRONMENT]).with_plugins(PLUGINS)
    assert lock.with_plugins(()).environment("k1") == ENVIRONMENT


def test_where_there_is_no_lock_file_nothing_is_locked(tmp_path):
    assert read_lock(tmp_path / "nebula.lock") is None


def test_a_lock_that_has_not_changed_is_not_written(tmp_path):
    path = tmp_path / "nebula.lock"
    assert write_lock(Lock(plugins=PLUGINS), path)
    assert not write_lock(Lock(plugins=PLUGINS), path)


def test_a_lock_that_can_not_be_written_leaves_nothing_behind(tmp_path):
    path = tmp_path / "nebula.lock"
    path.mkdir()
    with pytest.raises(LockError, match="can't be written"):
        write_lock(Lock(), path)
    assert [one.name for one in tmp_path.iterdir()] == ["nebula.lock"]


ROW = f'[[plugin]]\nid = "a"\nversion = "1.0.0"\ndigest = "{A}"\n'
BAD = {
    "no TOML": ("format = \n", "not valid TOML", 1),
    "no format": ("x = 1\n", "its format is None", None),
    "a later format": ("format = 2\n", "its format is 2", 1),
    "no list": ("format = 1\nplugin = 3\n", "not a list", 2),
    "no digest": ('format = 1\n[[plugin]]\nid = "a"\nversion = "1.0.0"\n', "digest", 2),
    "no version": (
        f'format = 1\n[[plugin]]\nid = "a"\nversion = "one"\ndigest = "{A}"\n',
        "semantic version",
        2,
    ),
    "a path for an id": (
        f'format = 1\n[[plugin]]\nid = "../a"\nversion = "1.0.0"\ndigest = "{A}"\n',
        "regex",
        2,
    ),
    "one twice": (
        "format = 1\n" + ROW + ROW,
        "a is there twice",
        6,
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_lock_file_is_refused_with_its_line(tmp_path, case):
    text, part, line = BAD[case]
    path = tmp_path / "nebula.lock"
    path.write_text(text)
    with pytest.raises(LockError) as caught:
        read_lock(path)
    assert part in str(caught.value)
    assert (caught.value.path, caught.value.line or line) == (path, line)
