"""Plugins that run in environments of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from local_wheels import repack, write_wheel
from msgspec.structs import replace

from nebula_lab.environments.cache import EnvironmentCache
from nebula_lab.errors import EnvironmentFailedError, PluginError
from nebula_lab.model import PluginConfig
from nebula_lab.model.events import EnvironmentBuilding, EnvironmentReady
from nebula_lab.model.lock import read_lock
from nebula_lab.runtime.locking import relock, write_lock
from nebula_lab.views import error_box

VERSION = """
class One(Plugin):
    def initialize(self, config):
        self.count = 0

    @operation
    def version(self) -> str:
        import shape
        return shape.__version__

    @operation
    def numbers(self):
        import numpy
        return numpy.arange(100_000.0)

    @operation
    def total(self):
        return float(self.context.call("older", "numbers", {}).sum())

    @operation
    def doubled(self, values):
        return values * 2

    @operation
    def count_up(self) -> int:
        self.count += 1
        return self.count

    @operation
    def imports(self, name: str) -> bool:
        import importlib.util
        return importlib.util.find_spec(name) is not None

    @operation
    def path(self) -> list:
        import sys
        return sys.path

    @operation
    def prefix(self) -> str:
        import sys
        return sys.prefix

    @operation
    def python(self) -> list:
        import sys
        return list(sys.version_info[:3])

    @operation
    def pid(self) -> int:
        import os
        return os.getpid()

    @operation
    def die(self):
        import os
        os.abort()

def plugin_entry():
    return One()
"""


def asking_for(*dependencies, requires=""):
    return {"requires": requires, "dependencies": list(dependencies)}


# As few environments as will do: each takes a second or two to build.
OLD, NEW = asking_for("shape<2", "numpy"), asking_for("shape>=2", "numpy")


@pytest.fixture(scope="module")
def wheels(host_index):
    for version in ("1.0", "2.0"):
        write_wheel(host_index, "shape", version)
    repack("numpy", host_index)
    return host_index


def test_two_versions_of_a_library_answer_side_by_side_and_pass_arrays(wheels, plugin_file, built):
    plugin_file("older", VERSION, python=OLD)
    plugin_file("newer", VERSION, python=NEW, dependencies=["older"])
    plugin_file("plain", VERSION)
    plugins = built(zygote={"spares": 0})
    assert plugins.execute("older", "version") == "1.0"
    assert plugins.execute("newer", "version") == "2.0"
    assert plugins.execute("newer", "total") == 4999950000.0
    doubled = plugins.execute("newer", "doubled", {"values": np.arange(50_000)})
    assert np.array_equal(doubled, np.arange(0, 100_000, 2))
    # What is not in an environment is not there, and what is in one is nowhere else.
    assert not plugins.execute("older", "imports", {"name": "pydantic"})
    assert plugins.execute("plain", "imports", {"name": "pydantic"})
    assert not plugins.execute("plain", "imports", {"name": "shape"})


def test_nothing_of_the_manager_s_python_leads_into_another_one(
    wheels, plugin_file, built, tmp_path, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shape.py").write_text("__version__ = 'of somebody else'\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}/elsewhere:{os.environ.get('PYTHONPATH', '')}")
    plugin_file("alone", VERSION, python=OLD)
    plugins = built()
    assert plugins.execute("alone", "version") == "1.0"
    found = plugins.execute("alone", "path")
    assert str(tmp_path / "elsewhere") not in found
    assert not [one for one in found if one.startswith(sys.prefix + "/lib")]
    assert plugins.execute("alone", "prefix") == str(plugins.build_environment("alone"))


@pytest.mark.parametrize("zygote", [True, False])
def test_a_host_comes_back_after_a_crash_however_it_is_started(wheels, plugin_file, built, zygote):
    plugin_file("fragile", VERSION, python=NEW)
    plugins = built(zygote={"enabled": zygote})
    assert plugins.execute("fragile", "version") == "2.0"
    with pytest.raises(PluginError, match="SIGABRT"):
        plugins.execute("fragile", "die")
    assert plugins.execute("fragile", "version") == "2.0"


def test_spare_hosts_of_an_environment_take_two_reloads(wheels, plugin_file, built, wait_until):
    """A host takes long to start there, so one reload more than elsewhere finds a spare."""
    plugin_file("quick", VERSION, python=NEW)
    plugins = built(zygote={"spares": 1})
    assert plugins.execute("quick", "count_up") == 1
    spares = plugins._engine.sandboxes.usual.spares._spares
    wait_until(lambda: len(spares) == 2, "two spares", 60)
    pids = {one.host.pid for one in spares}
    for _ in range(2):
        plugins.reload_plugin("quick")
        pids.remove(plugins.execute("quick", "pid"))
    assert plugins.execute("quick", "count_up") == 2
    assert plugins.execute("quick", "version") == "2.0"


def test_who_waits_is_told_how_far_it_is_and_once(wheels, plugin_file, opened, wait_until):
    write_wheel(wheels, "told", "1.0")
    plugin_file("waited_for", VERSION, python=asking_for("told"))
    plugins = opened()
    events = []
    plugins.subscribe(events.append)
    plugins.load_plugin("waited_for")
    ready = wait_until(
        lambda: [one for one in events if isinstance(one, EnvironmentReady)], "the end of a build"
    )
    assert Path(ready[0].path) == plugins.build_environment("waited_for")
    texts = [one.text for one in events if isinstance(one, EnvironmentBuilding)]
    assert texts[0] == "choosing packages"
    assert "compiling" in texts
    plugins.unload_plugin("waited_for")
    plugins.load_plugin("waited_for")
    assert len([one for one in events if isinstance(one, EnvironmentReady)]) == 1


def test_a_changed_requirement_is_a_reload_with_the_state(wheels, plugin_file, built):
    plugin_file("changing", VERSION, python=OLD)
    plugins = built()
    assert plugins.execute("changing", "version") == "1.0"
    assert plugins.execute("changing", "count_up") == 1
    plugin_file("changing", VERSION, python=NEW)
    plugins.reload_plugin("changing")
    assert plugins.execute("changing", "version") == "2.0"
    assert plugins.execute("changing", "count_up") == 2


def test_where_the_new_environment_can_t_be_built_the_old_host_goes_on(wheels, plugin_file, built):
    path = plugin_file("steady", VERSION, python=OLD)
    plugins = built()
    assert plugins.execute("steady", "count_up") == 1
    plugin_file("steady", VERSION, python=asking_for("shape==3.0"))
    with pytest.raises(EnvironmentFailedError, match="no choice of packages") as caught:
        plugins.reload_plugin("steady")
    assert "shape==3.0" in caught.value.explanation
    assert "shape==3.0" in error_box(caught.value).text.split("In the words of")[1]
    assert caught.value.plugin_id == "steady"
    assert caught.value.path == path
    assert plugins.execute("steady", "count_up") == 2
    assert plugins.execute("steady", "version") == "1.0"


@pytest.fixture
def locked(wheels, plugin_file, tmp_path):
    """Two plugins that agree, locked while the index had version 1.0 only; it has 2.0 now."""
    write_wheel(wheels, "moving", "1.0")
    for name in ("held", "agreeing"):
        plugin_file(name, VERSION, python=asking_for("moving"))
    config = PluginConfig(plugin_dir=tmp_path / "plugins", lock_file=tmp_path / "nebula.lock")
    relock(config)
    later = write_wheel(wheels, "moving", "2.0")
    yield config
    later.unlink()


def chosen(environments):
    """The version of what the one environment has."""
    (one,) = environments
    return {package.name: package.version for package in one.packages}["moving"]


def test_packages_stay_as_they_were_locked(locked):
    assert relock(locked).changes == ()
    assert chosen(read_lock(locked.lock_path).environments) == "1.0"


def test_a_manager_takes_the_packages_that_are_locked(locked, opened):
    for word in ("prefer", "locked"):
        manager = opened(lock=word, lock_file=locked.lock_path)
        assert chosen(manager.environments_to_lock()) == "1.0"


def test_an_upgrade_locks_newer_packages_and_says_so(locked):
    (said,) = relock(locked, None).changes
    assert said.startswith("~ environment of moving")
    assert chosen(read_lock(locked.lock_path).environments) == "2.0"


def test_what_is_locked_for_other_machines_stays_as_long_as_somebody_asks_for_it(locked):
    lock = read_lock(locked.lock_path)
    (here,) = lock.environments
    foreign = replace(here, key="0" * 64)
    unwanted = replace(foreign, key="1" * 64, requirements=("gone",))
    write_lock(lock.with_environments([here, foreign, unwanted]), locked.lock_path)
    relock(locked)
    assert read_lock(locked.lock_path).environments == (foreign, here)


def test_a_locked_manager_refuses_an_environment_that_is_not_locked(locked, opened):
    write_lock(read_lock(locked.lock_path).with_environments(()), locked.lock_path)
    manager = opened(lock="locked", lock_file=locked.lock_path)
    with pytest.raises(EnvironmentFailedError, match="the lock file has no environment"):
        manager.load_plugin("held")


def test_sandbox_none_refuses_a_plugin_that_asks_for_one(plugin_file, opened):
    plugin_file("asking", VERSION, python=asking_for())
    plugins = opened(security={"sandbox": "None"})
    with pytest.raises(EnvironmentFailedError, match="sandbox None can't give it"):
        plugins.load_plugin("asking")


def test_what_is_asked_for_is_among_what_is_enforced(plugin_file, opened):
    plugin_file("asking", VERSION, python=asking_for("shape<2", requires=">=3.11"))
    measures = {one.name: one for one in opened().policy("asking").measures}
    assert measures["environment"].granted == "Python >=3.11 with shape<2"


def test_another_python_than_the_manager_s_hosts_a_plugin(wheels, plugin_file, built):
    """With the same wheels, so of the same version; `test_other_pythons.py` takes the newest."""
    cache = EnvironmentCache()
    own = cache.interpreters.own()
    others = [one for one in cache.interpreters.all() if one.minor == own.minor]
    chosen = min(others, key=lambda one: tuple(map(int, one.version.split("."))))
    plugin_file("abroad", VERSION, python=asking_for("shape", requires=f"=={chosen.version}"))
    assert built().execute("abroad", "python") == [int(one) for one in chosen.version.split(".")]
    cache.close()
