"""How environments are built: as a whole or not at all, by hash, and without running any of it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from local_wheels import write_source, write_wheel

from nebula_lab.environments.cache import EnvironmentCache
from nebula_lab.environments.cache_layout import CacheLayout, cache_root
from nebula_lab.environments.stages import BuildWatcher
from nebula_lab.environments.upkeep import kept_environments, remove_unused
from nebula_lab.environments.uv_tool import CancelledError
from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.model import PythonNeeds

BUILDER = """
import sys
from nebula_lab.environments.cache import EnvironmentCache
from nebula_lab.environments.stages import BuildWatcher
from nebula_lab.model import PythonNeeds
watcher = BuildWatcher(lambda stage: print(stage.text, flush=True))
print(EnvironmentCache(host=()).ready(PythonNeeds(dependencies=sys.argv[1:]), watcher).prefix)
"""


def needs(*dependencies, **more):
    return PythonNeeds(dependencies=dependencies, **more)


def builder(*dependencies, **options):
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, *dependencies],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def half_built():
    return [one.name for one in CacheLayout(cache_root()).new.glob("*")]


def test_an_environment_has_what_was_asked_for_and_is_built_once(index, cache):
    write_wheel(index, "asked", "1.2")
    stages = []
    watcher = BuildWatcher(stages.append)
    first = cache.ready(needs("asked<2"), watcher)
    assert Path(first.packages[0], "asked.py").read_text() == "__version__ = '1.2'\n"
    texts = [one.text for one in stages]
    assert texts[0] == "choosing packages"
    assert "compiling" in texts
    assert stages[-1].done == stages[-1].total
    stages.clear()
    assert cache.ready(needs("asked<2"), watcher) == first
    assert [one.done for one in stages] == [one.total for one in stages]


def test_plugins_that_agree_share_one(index, cache):
    write_wheel(index, "shared", "1.0")
    assert cache.ready(needs("shared")) == cache.ready(needs("shared>=1", requires=">=3.11"))


def test_what_is_installed_has_bytecode_that_was_compiled_here(index, cache):
    write_wheel(
        index,
        "brings",
        "1.0",
        {
            "brings.py": "x = 1\n",
            f"__pycache__/brings.{sys.implementation.cache_tag}.pyc": "of somebody else's making",
            "broken.py": "this is no Python\n",
        },
    )
    packages = Path(cache.ready(needs("brings")).packages[0])
    compiled = packages / "__pycache__" / f"brings.{sys.implementation.cache_tag}.pyc"
    assert b"somebody" not in compiled.read_bytes()
    assert not (packages / "__pycache__" / f"broken.{sys.implementation.cache_tag}.pyc").exists()


def test_a_requirement_that_no_index_has_is_explained_in_the_resolver_s_words(index, cache):
    with pytest.raises(EnvironmentFailedError, match="no choice of packages") as caught:
        cache.ready(needs("nowhere-to-be-found>=3"))
    assert "nowhere-to-be-found" in caught.value.explanation
    assert "nowhere-to-be-found" in str(caught.value)
    assert not half_built()


def test_requirements_that_conflict_are_explained(index, cache):
    for version in ("1.0", "2.0"):
        write_wheel(index, "base", version)
    write_wheel(index, "wants_old", "1.0", requires=["base<2"])
    write_wheel(index, "wants_new", "1.0", requires=["base>=2"])
    with pytest.raises(EnvironmentFailedError) as caught:
        cache.ready(needs("wants_old", "wants_new"))
    assert "base<2" in caught.value.explanation
    assert "base>=2" in caught.value.explanation


def test_a_python_that_is_not_there_is_named_with_those_that_are(index, cache):
    with pytest.raises(EnvironmentFailedError, match=r"no Python >=3\.99 here") as caught:
        cache.ready(needs(requires=">=3.99"))
    assert f"{sys.version_info.major}.{sys.version_info.minor}." in caught.value.message


def test_hosts_need_a_python_that_they_run_on(index, cache):
    with pytest.raises(EnvironmentFailedError, match=r"they need 3\.11 or later"):
        cache.ready(needs(requires="<3.11"))


def test_source_code_is_not_built(index, cache):
    ran = write_source(index, "onlysource", "1.0")
    with pytest.raises(EnvironmentFailedError, match="only there as source code"):
        cache.ready(needs("onlysource"))
    with pytest.raises(EnvironmentFailedError, match="only there as source code"):
        cache.ready(needs("onlysource", allow_source=True))  # which is not for a plugin to say
    assert not ran.exists()


def test_a_package_that_has_changed_since_it_was_chosen_is_refused(
    index, cache, monkeypatch, tmp_path
):
    write_wheel(index, "swapped", "1.0")
    interpreter = cache.interpreters.own()
    cache.choose(needs("swapped"), interpreter)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))  # else it has the right one still
    write_wheel(index, "swapped", "1.0", {"swapped.py": "something = 'else'\n"})
    with pytest.raises(EnvironmentFailedError, match="its hash is another"):
        cache.ready(needs("swapped"))
    assert not half_built()


def test_a_lock_decides_and_not_what_is_newest(index):
    write_wheel(index, "locked", "1.0")
    first = EnvironmentCache(host=())
    interpreter = first.interpreters.own()
    old = first.choose(needs("locked"), interpreter)
    first.close()
    write_wheel(index, "locked", "2.0")
    locked = {old.key: old}
    with_lock = EnvironmentCache(locked=locked.get, host=())
    assert with_lock.choose(needs("locked"), interpreter) is old
    newest = with_lock.choose(needs("locked"), interpreter, anew=True)
    with_lock.close()
    assert {one.name: one.version for one in newest.packages}["locked"] == "2.0"
    assert newest.key == old.key


def test_two_processes_that_build_the_same_one_build_it_once(index):
    write_wheel(index, "contended", "1.0")
    both = [builder("contended") for _ in range(2)]
    said = [one.communicate(timeout=60)[0].splitlines() for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert said[0][-1] == said[1][-1]
    assert sum("compiling" in one for one in said) == 1
    assert not half_built()


def test_a_killed_build_leaves_nothing_that_is_used_and_the_next_try_works(index, cache):
    write_wheel(index, "interrupted", "1.0")
    process = builder("interrupted", start_new_session=True)
    for line in process.stdout:
        if line.startswith("installing"):
            os.killpg(process.pid, signal.SIGSTOP)  # so that it starts nothing more
            left = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    psutil.wait_procs(left)  # a uv that is still at it would write after what follows
    found = cache.ready(needs("interrupted"))
    assert Path(found.packages[0], "interrupted.py").exists()
    remove_unused(cache.layout, 3600.0)
    assert not [one for one in half_built() if not one.startswith("answer")]


def test_a_build_that_is_not_wanted_any_more_ends_and_leaves_nothing(index, cache):
    write_wheel(index, "unwanted", "1.0")
    is_installing = threading.Event()

    def tell(stage):
        if stage.text == "installing":
            is_installing.set()

    with pytest.raises(CancelledError):
        cache.ready(needs("unwanted"), BuildWatcher(tell, is_installing.is_set))
    assert not half_built()
    assert cache.ready(needs("unwanted"))


def test_a_full_disk_is_told_and_nothing_is_left(index, tmp_path):
    write_wheel(index, "large", "1.0", {"large.py": "x = 1\n" * 1_000_000})
    small = f"""
import os
from nebula_lab.confine import mounts, namespaces
namespaces.enter(namespaces.MOUNT)
mounts.keep_private()
mounts.quota({str(tmp_path)!r}, 4 * 2**20, programs=True)
os.environ["NEBULA_LAB_HOME"] = {str(tmp_path)!r}
import atexit
atexit.register(lambda: print(os.listdir({str(tmp_path / "environments/new")!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", small + BUILDER, "large"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "there is no room for its environment" in done.stderr
    assert f"os error {errno.ENOSPC}" in done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_is_used_stays_and_what_is_not_goes(index, cache):
    for name in ("used", "forgotten"):
        write_wheel(index, name, "1.0")
    used = cache.ready(needs("used"))
    other = EnvironmentCache(host=())
    forgotten = other.ready(needs("forgotten"))
    other.close()
    before = {str(one.path): one for one in kept_environments(cache.layout)}
    assert before[used.prefix].is_in_use
    assert not before[forgotten.prefix].is_in_use
    assert "forgotten==1.0" in before[forgotten.prefix].chosen
    assert remove_unused(cache.layout, 3600.0).environments == 0
    removed = remove_unused(cache.layout, 0.0)
    assert removed.environments >= 1
    assert Path(used.prefix).is_dir()
    assert not Path(forgotten.prefix).exists()


def test_one_that_was_removed_is_built_again(index, cache):
    write_wheel(index, "again", "1.0")
    other = EnvironmentCache(host=())
    first = other.ready(needs("again"))
    other.close()
    remove_unused(cache.layout, 0.0)
    assert cache.ready(needs("again")) == first
    assert Path(first.executable).exists()


def test_a_cache_that_is_closed_takes_no_environment_any_more(index, cache):
    """One that is there already, too: whoever waits is told, and does not wait for ever."""
    write_wheel(index, "late", "1.0")
    cache.ready(needs("late"))
    other = EnvironmentCache(host=())
    other.close()
    with pytest.raises(CancelledError):
        other.ready(needs("late"))
