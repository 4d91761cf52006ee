"""A package index of this machine, which is the only one that there is."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from local_wheels import repack

from nebula_lab import PluginManager
from nebula_lab.environments.cache import EnvironmentCache
from nebula_lab.environments.host_packages import preferred_versions

# An environment has thousands of files, which are on no disk there.
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_OF_INDEXES = re.compile(r"UV_|PIP_")


@pytest.fixture(scope="session")
def kept():
    """Where this run keeps its environments, and uv its cache."""
    folder = Path(tempfile.mkdtemp(prefix="nebula-kept-", dir=FAST))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def index(kept):
    """A folder of wheels, which is the only index that there is."""
    folder = kept / f"index-{len(list(kept.iterdir()))}"
    folder.mkdir()
    settings = folder / "uv.toml"
    settings.write_text("no-index = true\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if _OF_INDEXES.match(name)]:
            patch.delenv(name)
        patch.setenv("UV_CONFIG_FILE", str(settings))
        patch.setenv("UV_FIND_LINKS", str(folder))
        patch.setenv("UV_CACHE_DIR", str(kept / "uv"))
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        patch.setenv("NEBULA_LAB_HOME", str(kept / "home"))
        yield folder


@pytest.fixture(autouse=True)
def nothing_half_built(kept):
    """What a build that was killed has left stays for an hour: not for the next test."""
    shutil.rmtree(kept / "home" / "environments" / "new", ignore_errors=True)


@pytest.fixture(scope="session")
def host_wheels(kept):
    """All that a host needs in an environment: packed once, and unpacked by uv once."""
    folder = kept / "host"
    folder.mkdir()
    for one in preferred_versions():
        repack(one.partition("==")[0], folder)
    return folder


@pytest.fixture(scope="module")
def host_index(index, host_wheels):
    """The same, with all that a host needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_FIND_LINKS", f"{index},{host_wheels}")
        yield index


@pytest.fixture
def cache(index):
    """Environments with what is asked for alone, as no host runs in them."""
    found = EnvironmentCache(host=())
    yield found
    found.close()


@pytest.fixture
def opened(tmp_path):
    """Opens a manager on the plugins that a test has written."""
    managers = []

    def open_manager(**config):
        config.setdefault("hot_reload", False)
        # Most tests start one host or two, and a zygote would cost more than it saves.
        config.setdefault("zygote", {"enabled": False})
        manager = PluginManager({"plugin_dir": tmp_path / "plugins", **config})
        managers.append(manager)
        return manager

    yield open_manager
    for manager in managers:
        manager.close()


@pytest.fixture
def built(opened):
    """Opens one whose environments are there, so that no call spends its time on building them."""

    def open_manager(**config):
        manager = opened(**config)
        for plugin_id in manager:
            manager.build_environment(plugin_id)
        return manager

    return open_manager
