"""What runs is what was read once: copies, by the names of the originals."""

from __future__ import annotations

import os
import subprocess
import warnings

import pytest

from nebula_lab.errors import ExecutionFailedError, LoadFailedError, SignatureError
from nebula_lab.trust.policy import EditedPluginWarning

ANSWER = "@operation\ndef answer(self): return {}"
SANDBOXES = ("Process", "None")


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_restart_runs_what_ran_and_not_what_has_been_saved_since(folder, sandbox, wait_until):
    folder.plugin("it", ANSWER.format(1) + "\n@operation\ndef end(self): os._exit(1)")
    with folder.manager("Process") as plugins:
        assert plugins.execute("it", "answer") == 1
        folder.plugin("it", "1 / 0")
        with pytest.raises(ExecutionFailedError):
            plugins.execute("it", "end")
        assert plugins.execute("it", "answer") == 1


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_load_runs_what_is_there_then(folder, sandbox):
    folder.plugin("it", ANSWER.format(1))
    with folder.manager(sandbox) as plugins:
        assert plugins.execute("it", "answer") == 1
        plugins.unload_plugin("it")
        folder.plugin("it", ANSWER.format(2))
        assert plugins.execute("it", "answer") == 2


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_traceback_names_the_original_and_shows_the_line_that_ran(folder, sandbox):
    path = folder.plugin("it", "@operation\ndef fail(self):\n    raise ValueError('that ran')")
    with folder.manager(sandbox) as plugins:
        plugins.load_plugin("it")
        path.write_text("something\n" * 30)
        with pytest.raises(ExecutionFailedError) as failed:
            plugins.execute("it", "fail")
    assert f'File "{path}"' in failed.value.remote_traceback
    assert "raise ValueError('that ran')" in failed.value.remote_traceback


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_module_of_a_package_and_one_beside_a_file_are_named_by_their_originals(folder, sandbox):
    (folder.path / "beside.py").write_text("def fail(): raise ValueError('beside')")
    folder.plugin("it", "@operation\ndef fail(self):\n    import beside\n    beside.fail()")
    package = folder.path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from nebula_lab.plugin import Plugin, operation\nfrom . import inner\n"
        "PLUGIN_METADATA = {'id': 'pack', 'version': '1.0.0'}\n"
        "class It(Plugin):\n    @operation\n    def fail(self): inner.fail()\n"
        "def plugin_entry(): return It()"
    )
    (package / "inner.py").write_text("def fail(): raise ValueError('inner')")
    (package / "plugin.toml").write_text('id = "pack"\nversion = "1.0.0"\n')
    with folder.manager(sandbox) as plugins:
        for plugin_id, path in (("it", folder.path / "beside.py"), ("pack", package / "inner.py")):
            with pytest.raises(ExecutionFailedError) as failed:
                plugins.execute(plugin_id, "fail")
            assert f'File "{path}"' in failed.value.remote_traceback


def test_a_plugin_can_not_change_its_own_files(folder):
    folder.plugin(
        "it",
        "@operation\ndef change(self):\n"
        "    pathlib.Path(__file__).chmod(0o600)\n    open(__file__, 'a').write('x')",
    )
    with (
        folder.manager() as plugins,
        pytest.raises(ExecutionFailedError, match=r"OSError|Permission"),
    ):
        plugins.execute("it", "change")


# Signatures


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tester", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def signed(folder, key):
    """Signs the plugins of the folder, and gives the configuration that asks for it."""
    from nebula_lab.discovery import read_descriptor
    from nebula_lab.trust.collecting import collect
    from nebula_lab.trust.key_file import signer_from_file
    from nebula_lab.trust.signing import sign

    def do(*paths):
        for path in paths:
            sign(collect(read_descriptor(path)), signer_from_file(key, lambda prompt: ""))
        public = key.with_suffix(".pub").read_text()
        return {"verify_signature": True, "trusted_keys": [public]}

    return do


def test_a_signed_plugin_runs(folder, signed):
    security = signed(folder.plugin("it", ANSWER.format(1)))
    with folder.manager(security=security) as plugins:
        assert plugins.execute("it", "answer") == 1


def test_an_unsigned_plugin_does_not_run_and_is_told_what_to_do(folder, signed):
    folder.plugin("it", ANSWER.format(1))
    with (
        folder.manager(security=signed()) as plugins,
        pytest.raises(SignatureError, match="it") as refused,
    ):
        plugins.load_plugin("it")
    assert "sign" in refused.value.hint


def test_a_plugin_that_was_changed_after_signing_does_not_run(folder, signed):
    path = folder.plugin("it", ANSWER.format(1))
    security = signed(path)
    with path.open("a") as file:
        file.write("\n# changed\n")
    with folder.manager(security=security) as plugins, pytest.raises(SignatureError, match="it"):
        plugins.load_plugin("it")


def test_a_reload_of_code_that_is_not_signed_leaves_the_old_serving(folder, signed):
    path = folder.plugin("it", ANSWER.format(1))
    with folder.manager(security=signed(path)) as plugins:
        assert plugins.execute("it", "answer") == 1
        folder.plugin("it", ANSWER.format(2))
        with pytest.raises(SignatureError):
            plugins.reload_plugin("it")
        assert plugins.execute("it", "answer") == 1


def test_development_mode_runs_an_edited_plugin_and_says_so(folder, signed):
    path = folder.plugin("it", ANSWER.format(1))
    security = signed(path) | {"development": True}
    folder.plugin("it", ANSWER.format(2))
    with folder.manager(security=security) as plugins, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert plugins.execute("it", "answer") == 2
    assert any(one.category is EditedPluginWarning for one in told)


def test_rights_that_were_read_before_the_signature_must_be_those_that_are_signed(folder, signed):
    wide = {"capabilities": ["Network", "FileSystem"]}
    path = folder.plugin("it", ANSWER.format(1), security={"capabilities": []})
    security = signed(path)
    innocent = path.read_bytes()
    folder.plugin("it", ANSWER.format(1), security=wide)
    with folder.manager(security=security) as plugins:
        path.write_bytes(innocent)  # after it was found, before it is verified
        with pytest.raises(SignatureError, match="has changed since it was found"):
            plugins.load_plugin("it")
        plugins.reload_plugin("it")
        assert plugins.execute("it", "answer") == 1


def test_a_store_that_can_not_be_written_is_an_error_that_says_where(folder, monkeypatch, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder is to be")
    monkeypatch.setenv("NEBULA_LAB_HOME", str(blocked))
    folder.plugin("it", ANSWER.format(1))
    with folder.manager() as plugins, pytest.raises(LoadFailedError, match="can't be kept"):
        plugins.load_plugin("it")
    assert os.environ["NEBULA_LAB_HOME"] == str(blocked)
