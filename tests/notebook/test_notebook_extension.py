"""`%load_ext nebula_lab` and `%unload_ext nebula_lab`."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError
from msgspec import structs

from nebula_lab.confine.machine import Mechanism
from nebula_lab.current import current_manager
from nebula_lab.errors import PluginError
from nebula_lab.sandbox import probing
from nebula_lab.sandbox.probing import Prober


def test_loading_says_how_many_plugins_there_are(bare):
    said = bare.run("%load_ext nebula_lab").stdout
    assert said.splitlines()[0] == "nebula_lab: no plugins."


def test_loading_counts_the_problems(bare):
    bare.plugins.mkdir()
    (bare.plugins / "bad.toml").write_text('id = "bad"\nversion = "one"\npath = "bad.py"\n')
    said = bare.run("%load_ext nebula_lab").stdout
    assert said.splitlines()[0] == "nebula_lab: no plugins, 1 problem (%plugin problems)."


def test_the_current_manager_is_bound_to_plugins(notebook):
    assert notebook.run("plugins").value is current_manager()


def test_a_name_that_is_taken_is_left_alone(bare):
    bare.run("plugins = 3")
    said = bare.run("%load_ext nebula_lab").stdout
    assert "The name `plugins` is taken" in said
    assert bare.run("plugins").value == 3


@pytest.fixture
def lax(bare, monkeypatch):
    """A notebook on a machine without seccomp, where that is no reason not to run plugins."""
    machine = Prober().machine()
    lacking = structs.replace(machine, seccomp=Mechanism(False, "", "Get seccomp."))
    monkeypatch.setattr(probing, "_probe", lambda: lacking)
    bare.plugins.mkdir()
    metadata = {"id": "one", "version": "1.0.0"}
    (bare.plugins / "one.py").write_text(f"PLUGIN_METADATA = {metadata}\ndef plugin_entry(): ...")
    (bare.folder / "plugin_resource.yaml").write_text(
        "plugin_dir: plugins\nsecurity: {strict: false}\n"
    )
    return bare


def test_what_is_not_enforced_is_said_when_the_extension_is_loaded_and_not_as_a_warning(lax):
    cell = lax.run("%load_ext nebula_lab")
    assert cell.stdout.count("one can start other processes") == 1
    assert "Get seccomp." in cell.stdout
    assert (cell.stderr, cell.error) == ("", None)


def test_the_list_names_plugins_that_are_not_held_to_their_limits(lax):
    lax.run("%load_ext nebula_lab")
    said = lax.run("%plugin list").stdout
    assert said.startswith("Not held to all of their limits on this machine")
    assert said.endswith(": one.\n")


def test_the_list_says_nothing_of_limits_that_are_enforced(notebook):
    assert notebook.run("%plugin list").stdout == ""


def test_a_wrong_configuration_is_shown_and_can_be_replaced(bare):
    path = bare.folder / "plugin_resource.yaml"
    path.write_text("plugin_dri: plugins\n")
    assert "plugin_dri" in bare.run("%load_ext nebula_lab").shown
    assert isinstance(bare.run("%plugin list").error, PluginError)
    bare.plugins.mkdir()
    assert bare.run("%plugin config plugins").stdout.startswith("nebula_lab: no plugins.\n")
    path.unlink()


def test_unloading_takes_magics_completion_and_error_boxes_out_again(notebook):
    shell = notebook.shell
    assert len(shell.Completer.custom_matchers) == 1
    notebook.run("%unload_ext nebula_lab")
    assert shell.Completer.custom_matchers == []
    assert shell.custom_exceptions == ()
    assert isinstance(notebook.run("%plugin list").error, UsageError)
    assert isinstance(notebook.run("%%plugin x\npass").error, UsageError)


def test_unloading_leaves_the_manager_open_and_gives_back_its_output(notebook):
    manager = current_manager()
    sink = manager.output
    notebook.run("%unload_ext nebula_lab")
    assert not manager.closed
    assert manager.output is not sink


def test_loading_again_does_nothing_twice(notebook):
    notebook.run("%reload_ext nebula_lab")
    assert len(notebook.shell.Completer.custom_matchers) == 1


def test_errors_of_others_are_shown_as_before(notebook):
    cell = notebook.run("1 / 0")
    assert isinstance(cell.error, ZeroDivisionError)
    assert "ZeroDivisionError" in cell.stdout
    assert "Cell" in cell.stdout


def test_an_error_handler_of_others_stays_in_charge_of_its_errors(bare):
    shown = []
    bare.shell.set_custom_exc((KeyError,), lambda *args, **more: shown.append(args[1]))
    bare.run("%load_ext nebula_lab")
    bare.run("{}['x']")
    assert shown == [KeyError]
    bare.run("%unload_ext nebula_lab")
    assert bare.shell.custom_exceptions == (KeyError,)
    bare.shell.set_custom_exc((), None)
