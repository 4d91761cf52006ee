"""`nebula-lab sign`, `verify` and `keygen`."""

from __future__ import annotations

import json
import os
import select
import subprocess

import pytest

from nebula_lab.cli.failing import ExitCode


@pytest.fixture
def key(call, tmp_path):
    """A key without a passphrase."""
    done = call("keygen", tmp_path / "ana", "--comment", "ana@example.org", "--no-passphrase")
    assert done.code == 0, done.err
    return tmp_path / "ana"


@pytest.fixture
def plugin(tool):
    return tool / "tool.py"


def test_keygen_prints_the_line_to_trust_and_nothing_else_on_standard_output(call, tmp_path):
    done = call("keygen", tmp_path / "k", "--comment", "me", "--no-passphrase")
    assert done.out == (tmp_path / "k.pub").read_text()
    assert str(tmp_path / "k") in done.err


def test_keygen_as_json_names_its_files(call, tmp_path):
    document = json.loads(call("keygen", tmp_path / "k", "--no-passphrase", "--json").out)
    assert document["key"] == str(tmp_path / "k")
    assert document["line"].startswith("ssh-ed25519 AAAA")


def test_keygen_writes_over_nothing(call, key):
    before = key.read_bytes()
    done = call("keygen", key, "--no-passphrase")
    assert (done.code, "is there already" in done.err) == (ExitCode.USAGE, True)
    assert key.read_bytes() == before


def test_keygen_without_a_terminal_asks_for_a_word_and_not_for_a_passphrase(script, tmp_path):
    done = script("nebula-lab", "keygen", tmp_path / "k", stdin=subprocess.DEVNULL)
    assert (done.code, "--no-passphrase" in done.err) == (ExitCode.USAGE, True)


def test_what_sign_writes_verify_takes(call, plugin, key):
    done = call("sign", plugin, "--key", key)
    assert (done.code, "Signed tool 1.0.0: 1 file" in done.out) == (0, True)
    done = call("verify", plugin, "--trusted", f"{key}.pub")
    assert (done.code, "tool: signed" in done.out) == (0, True)
    assert "ana@example.org" in done.out


def test_sign_as_json_says_what_was_written(call, plugin, key):
    document = json.loads(call("sign", plugin, "--key", key, "--json").out)
    assert document["plugin_id"] == "tool"
    assert document["files"] == ["tool.py"]
    assert document["list"] == str(plugin.with_suffix(".sums"))
    assert plugin.with_suffix(".sums.sig").read_text().startswith("-----BEGIN SSH SIGNATURE")


@pytest.mark.parametrize("words", [[], ["--list", "--key", "k"], ["--list", "--agent"]])
def test_sign_wants_one_way_to_sign(call, plugin, words):
    assert call("sign", plugin, *words).code == ExitCode.USAGE


def test_sign_with_a_key_that_is_none_is_wrong_usage(call, plugin):
    done = call("sign", plugin, "--key", plugin)
    assert done.code == ExitCode.USAGE
    assert "nebula-lab keygen" in done.err or "chmod" in done.err


def test_sign_of_what_is_no_plugin_fails(call, tmp_path, key):
    (tmp_path / "x.py").write_text("")
    assert call("sign", tmp_path / "x.py", "--key", key).code == ExitCode.PLUGIN_FAILED


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda plugin: plugin.with_suffix(".sums.sig").unlink(), "unsigned"),
        (lambda plugin: plugin.with_suffix(".sums.sig").write_text("x"), "invalid"),
        (lambda plugin: plugin.write_text(f"{plugin.read_text()}# more"), "modified"),
    ],
)
def test_verify_ends_with_3_and_says_what_is_wrong_and_what_to_do(
    call, plugin, key, change, status
):
    call("sign", plugin, "--key", key)
    change(plugin)
    done = call("verify", plugin, "--trusted", f"{key}.pub")
    assert (done.code, f"tool: {status}" in done.out) == (ExitCode.PROBLEMS_FOUND, True)
    assert "what to do: " in done.out


def test_verify_as_json_has_the_files_concerned(call, plugin, key):
    call("sign", plugin, "--key", key)
    plugin.write_text(f"{plugin.read_text()}# more")
    document = json.loads(call("verify", plugin, "--trusted", f"{key}.pub", "--json").out)
    assert document["status"] == "modified"
    assert document["files"] == [{"path": "tool.py", "change": "changed"}]
    assert document["fingerprint"].startswith("SHA256:")


def test_verify_takes_the_keys_of_the_nearest_configuration(call, plugin, key, monkeypatch):
    call("sign", plugin, "--key", key)
    line = key.with_suffix(".pub").read_text().strip()
    folder = plugin.parent
    (folder / "plugin_resource.yaml").write_text(f"security:\n  trusted_keys: ['{line}']\n")
    monkeypatch.chdir(folder)
    assert call("verify", "tool.py").code == 0


def test_verify_takes_the_files_of_keys_that_a_configuration_names(call, plugin, key, tmp_path):
    call("sign", plugin, "--key", key)
    document = tmp_path / "plugin_resource.toml"
    document.write_text('[security]\nallowed_signers = "ana.pub"\n')
    assert call("verify", plugin, "--config", document).code == 0
    done = call("verify", plugin, "--config", document, "--revoked", f"{key}.pub")
    assert (done.code, "revoked" in done.out) == (ExitCode.PROBLEMS_FOUND, True)


def test_verify_without_anybody_to_trust_is_wrong_usage(call, plugin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("verify", plugin)
    assert (done.code, "--trusted" in done.err) == (ExitCode.USAGE, True)


def test_verify_with_a_file_that_has_no_keys_is_wrong_usage(call, plugin):
    done = call("verify", plugin, "--trusted", plugin)
    assert (done.code, f"{plugin}:1" in done.err) == (ExitCode.USAGE, True)


def test_verify_runs_nothing(call, plugin_file, tmp_path, key):
    plugin = plugin_file("eager", f"open({str(tmp_path / 'ran')!r}, 'w')")
    call("sign", plugin, "--key", key)
    call("verify", plugin, "--trusted", f"{key}.pub")
    assert not (tmp_path / "ran").exists()


def test_no_escape_sequence_of_a_plugins_file_names_reaches_the_terminal(call, tmp_path, key):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text('PLUGIN_METADATA = {"id": "pack", "version": "1.0.0"}')
    call("sign", package, "--key", key)
    (package / "\x9b31mred\u202e").touch()
    done = call("verify", package, "--trusted", f"{key}.pub")
    assert done.code != 0
    assert not {"\x9b", "\x1b", "\u202e"} & set(done.out + done.err)


@pytest.fixture
def at_terminal(scripts):
    """Runs the command at a terminal, where a person answers each prompt."""

    def run(*words, answers):
        ours, theirs = os.openpty()
        command = [scripts / "nebula-lab", *map(str, words)]
        process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        said = b""
        try:
            for prompt, answer in answers:
                said = _read_until(process.stderr, prompt.encode())
                os.write(ours, f"{answer}\n".encode())
            out, rest = process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
            os.close(ours)
            os.close(theirs)
        return process.returncode, out.decode() + (said + rest).decode()

    return run


def _read_until(stream, wanted):
    said = b""
    while wanted not in said:
        ready, _, _ = select.select([stream], [], [], 30)
        piece = os.read(stream.fileno(), 1000) if ready else b""
        assert piece, f"{wanted!r} did not come, but {said!r}"
        said += piece
    return said


def test_a_passphrase_is_asked_for_at_the_terminal(at_terminal, call, plugin, tmp_path):
    key = tmp_path / "k"
    asked = [("Passphrase", "open sesame"), ("epeat", "open sesame")]
    assert at_terminal("keygen", key, answers=asked)[0] == 0
    code, said = at_terminal("sign", plugin, "--key", key, answers=[("Passphrase of", "no")])
    assert (code, "passphrase is wrong" in said) == (ExitCode.USAGE, True)
    asked = [("Passphrase of", "open sesame")]
    code, said = at_terminal("sign", plugin, "--key", key, answers=asked)
    assert (code, "open sesame" in said) == (0, False)
    assert call("verify", plugin, "--trusted", f"{key}.pub").code == 0
