"""How a manager is made, and what it refuses."""

from __future__ import annotations

import warnings

import pytest
from msgspec import structs

from nebula_lab import PluginConfig, PluginManager, UnenforcedWarning
from nebula_lab.confine.machine import Mechanism
from nebula_lab.errors import (
    ConfigError,
    DiscoveryError,
    LoadFailedError,
    NotFoundError,
    PluginError,
)
from nebula_lab.sandbox import probing
from nebula_lab.sandbox.probing import Prober

GOOD = "@operation\ndef ping(self): return 'pong'\n"


def test_a_folder_is_enough(folder):
    folder.plugin("good", GOOD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnenforcedWarning)
        manager = PluginManager(plugin_dir=folder.path)
    with manager:
        assert (list(manager), len(manager), "good" in manager) == (["good"], 1, True)


def test_a_configuration_can_be_a_mapping_or_a_model(folder):
    folder.plugin("good", GOOD)
    given = folder.config("None")
    for config in (given, PluginConfig.model_validate(given)):
        with PluginManager(config) as plugins:
            assert plugins["good"].ping() == "pong"


def test_a_folder_that_is_given_twice_is_refused(folder):
    with pytest.raises(ConfigError, match="twice"):
        PluginManager(folder.config("None"), plugin_dir=folder.path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DiscoveryError, match="absent"):
        PluginManager({"security": {"sandbox": "None"}}, plugin_dir=tmp_path / "absent")


@pytest.fixture
def without_seccomp(monkeypatch):
    """Managers that are made from here on find a machine that can't filter system calls."""
    machine = structs.replace(
        Prober().machine(), seccomp=Mechanism(False, "", "Get a kernel with seccomp.")
    )
    monkeypatch.setattr(probing, "_probe", lambda: machine)


def warnings_of(config):
    """What a manager says that it does not hold to, as warnings and when it is asked."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with PluginManager(config) as plugins:
            asked = list(plugins.unenforced)
    return [str(one.message) for one in caught if one.category is UnenforcedWarning], asked


def test_where_all_is_enforced_nothing_is_said(folder):
    folder.plugin("good", GOOD)
    assert warnings_of(folder.config()) == ([], [])


def test_what_is_not_enforced_is_warned_of_once_with_its_cure(folder, without_seccomp):
    for name in ("good", "other"):
        folder.plugin(name, GOOD)
    warned, asked = warnings_of(folder.config(security={"strict": False}))
    assert warned == asked
    (text,) = asked
    assert "good" in text
    assert "other" in text
    assert text.count("Get a kernel with seccomp.") == 1


def test_strict_is_the_default_and_refuses_at_the_load_what_would_not_be_enforced(
    folder, without_seccomp
):
    path = folder.plugin("good", GOOD)
    with folder.manager() as plugins:
        with pytest.raises(LoadFailedError, match="processes") as refused:
            plugins.load_plugin("good")
        assert "Get a kernel with seccomp." in refused.value.hint
        assert "strict: false" in refused.value.hint
        assert (refused.value.plugin_id, refused.value.path) == ("good", path)
        assert plugins.list_plugins()[0].restarts == 0


def test_without_strict_it_runs_with_less(folder, without_seccomp):
    folder.plugin("good", GOOD)
    with folder.manager(security={"strict": False}) as plugins:
        assert plugins["good"].ping() == "pong"


def test_sandbox_none_is_itself_the_waiver(folder, without_seccomp):
    folder.plugin("good", GOOD)
    config = folder.config()
    config["security"] = {"strict": True, "sandbox": "None"}
    with PluginManager(config) as plugins:
        assert plugins.unenforced == ()
        assert plugins["good"].ping() == "pong"


@pytest.fixture(scope="module")
def mixed(shared_folder):
    """A folder with a good plugin among bad ones."""
    shared_folder.plugin("good", GOOD)
    shared_folder.plugin("lonely", GOOD, dependencies=["nobody"])
    shared_folder.plugin("ouroboros", GOOD, dependencies=["tail"])
    shared_folder.plugin("tail", GOOD, dependencies=["ouroboros"])
    (shared_folder.path / "garbled.py").write_text("PLUGIN_METADATA = {")
    with shared_folder.manager("None") as manager:
        yield manager


def test_a_bad_plugin_in_the_folder_does_not_keep_the_good_ones_from_loading(mixed):
    assert mixed["good"].ping() == "pong"


def test_each_plugin_that_was_left_out_is_among_the_problems_with_its_file(mixed):
    shown = "\n".join(str(problem) for problem in mixed.problems)
    for name in ("garbled.py", "lonely", "nobody", "ouroboros"):
        assert name in shown


@pytest.mark.parametrize("plugin_id", ["lonely", "ouroboros"])
def test_loading_a_plugin_that_was_left_out_says_why(mixed, plugin_id):
    with pytest.raises(PluginError, match=plugin_id):
        mixed.load_plugin(plugin_id)


def test_an_unknown_plugin_is_not_found(mixed):
    with pytest.raises(NotFoundError):
        mixed.plugin_health("unheard_of")


def test_a_plugin_is_given_its_own_part_of_the_configuration(folder):
    folder.plugin("good", "@operation\ndef given(self): return self.config")
    config = {"good": {"path": "x", "n": 3}, "other": {}}
    with folder.manager("None", global_config=config) as plugins:
        assert plugins["good"].given() == {"path": "x", "n": 3}
