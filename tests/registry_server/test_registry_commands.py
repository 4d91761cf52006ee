"""`nebula-lab registry` as people use it."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from server_lab import MANIFEST, SOURCE

from nebula_lab.cli.failing import run_command
from nebula_lab.cli.main import cli
from nebula_lab.errors import RegistryTrustError
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.client.client import RegistryClient
from nebula_lab.registry.server.tokens import TokenFile
from nebula_lab.trust.key_file import signer_from_file

VARIABLE = "NEBULA_LAB_REGISTRY_TOKEN"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Runs `nebula-lab registry …` in this process, with a home of its own."""
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(VARIABLE, raising=False)

    def run(*words):
        code = run_command(cli, ["registry", *map(str, words)])
        captured = capsys.readouterr()
        return Outcome(int(code), captured.out, captured.err)

    return run


@pytest.fixture
def plugin(tmp_path):
    """Writes a plugin package, and gives its folder."""

    def write(plugin_id, version="1.0.0", source=SOURCE):
        folder = tmp_path / "plugins" / plugin_id
        folder.mkdir(parents=True, exist_ok=True)
        manifest = MANIFEST.format(id=plugin_id, version=version, description="Counts")
        (folder / "plugin.toml").write_text(manifest)
        (folder / "__init__.py").write_text(source)
        return folder

    return write


def fingerprint(key):
    return signer_from_file(key, lambda: "").public_key.fingerprint


def test_a_plugin_is_published_and_withdrawn(call, shared, tokens, plugin, monkeypatch):
    monkeypatch.setenv(VARIABLE, tokens.all)
    done = call("publish", plugin("cli"), shared.url)
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Published cli 1.0.0 at {shared.url}/\n"
    assert shared.versions("cli") == ["1.0.0"]
    again = call("publish", plugin("cli"), shared.url, "--json")
    assert (again.code, json.loads(again.out)["is_new"]) == (0, False)
    yanked = call("yank", "cli@1.0.0", shared.url, "--reason", "too slow")
    assert yanked.out == "Withdrew cli 1.0.0: too slow\n"
    assert shared.get("/plugins/cli.json").json()["versions"][0]["yanked"] == "too slow"
    assert call("unyank", "cli@1.0.0", shared.url).code == 0
    assert "yanked" not in shared.get("/plugins/cli.json").json()["versions"][0]


def test_a_version_with_other_files_is_a_conflict_that_says_what_to_do(
    call, shared, tokens, plugin, monkeypatch
):
    monkeypatch.setenv(VARIABLE, tokens.all)
    call("publish", plugin("conflict"), shared.url)
    other = call("publish", plugin("conflict", source=f"{SOURCE}# more\n"), shared.url)
    assert other.code == 1
    assert "1.0.0 is published already" in other.err
    assert "Raise the version" in other.err
    assert call("publish", plugin("conflict", "1.0.1"), shared.url).code == 0


def test_a_dry_run_asks_nobody(call, plugin):
    done = call("publish", plugin("dry"), "http://127.0.0.1:1", "--dry-run", "--json")
    assert done.code == 0
    assert json.loads(done.out)["id"] == "dry"


def test_what_is_refused_says_why_and_never_the_secret(call, shared, tokens, plugin, monkeypatch):
    folder = plugin("refused")
    without = call("publish", folder, shared.url)
    assert without.code != 0
    assert "this takes a token" in without.err
    assert f"Set {VARIABLE}" in without.err
    monkeypatch.setenv(VARIABLE, tokens.some)
    other = call("publish", folder, shared.url, "--debug")
    assert "may not change refused" in other.err
    wrong = call("publish", folder, shared.url, "--auth", "token:a-secret-of-mine", "--debug")
    assert "none of this registry" in wrong.err
    for outcome in (without, other, wrong):
        assert tokens.some not in outcome.out + outcome.err
        assert "a-secret-of-mine" not in outcome.out + outcome.err


def test_a_registry_that_is_not_there_is_said_to_be(call, plugin):
    done = call("publish", plugin("nowhere"), "http://127.0.0.1:1")
    assert done.code == 1
    assert "can't be reached" in done.err


def test_what_is_asked_for_wrongly_is_wrong_usage(call):
    assert call("yank", "cli", "http://127.0.0.1:1", "--reason", "x").code == 2
    assert call("publish", "/nowhere", "http://127.0.0.1:1").code == 2
    assert call("root", "/nowhere", "--add", "root=x").code == 2


@pytest.fixture
def redirecting():
    """A server that sends everybody elsewhere, and one there that notes what it is told."""
    told = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self):
            told.append(dict(self.headers))
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *words):
            """Say nothing."""

    class Redirecting(Elsewhere):
        def do_GET(self):
            self.send_response(307)
            self.send_header("Location", f"http://127.0.0.1:{there.server_port}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    there, here = HTTPServer(("127.0.0.1", 0), Elsewhere), HTTPServer(("127.0.0.1", 0), Redirecting)
    threads = [threading.Thread(target=one.serve_forever, args=(0.01,)) for one in (there, here)]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{here.server_port}", told
    for server, thread in zip((there, here), threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


def test_nothing_is_published_where_a_redirect_leads(call, plugin, redirecting):
    url, told = redirecting
    done = call("publish", plugin("led"), url, "--auth", "token:a-secret-of-mine")
    assert done.code == 1
    assert "it redirects (307)" in done.err
    assert told == []


def test_a_folder_of_files_takes_no_uploads(call, shared, serve, plugin):
    server = serve("registry")
    done = call("publish", plugin("static"), server.url, "--auth", "token:x")
    assert done.code == 1
    assert "was started without tokens" in done.err


@pytest.fixture
def signed(call, tmp_path):
    """An empty registry with new keys."""
    done = call("init", tmp_path / "registry", "--new-keys", tmp_path / "keys", "--no-passphrase")
    assert done.code == 0, done.err
    return tmp_path / "registry"


def test_a_registry_is_begun_with_new_keys(signed, call, tmp_path):
    keys = tmp_path / "keys"
    assert sorted(path.name for path in keys.iterdir()) == [
        "online", "online.pub", "root", "root.pub", "targets", "targets.pub",
    ]  # fmt: skip
    shown = call("root", signed)
    for name in ("root", "targets", "online"):
        assert fingerprint(keys / name) in shown.out
    document = json.loads(call("root", signed, "--json").out)
    assert document["roles"]["snapshot"]["fingerprints"] == [fingerprint(keys / "online")]


def test_what_is_not_a_registry_is_left_alone(call, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("mine")
    done = call("init", tmp_path / "other", "--new-keys", tmp_path / "keys", "--no-passphrase")
    assert done.code == 2
    assert "it is no registry" in done.err
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["file"]


def test_what_is_published_waits_and_is_signed(
    call, signed, serve, tokens, plugin, tmp_path, monkeypatch
):
    keys = tmp_path / "keys"
    server = serve("registry", "--token-file", tokens.file, "--key", keys / "online")
    monkeypatch.setenv(VARIABLE, tokens.all)
    done = call("publish", plugin("counter"), server.url)
    assert done.code == 0
    assert f"once targets is signed: it takes a key of {fingerprint(keys / 'targets')}" in done.err
    unsigned = call("sign", signed, "--key", keys / "online")
    assert (unsigned.code, "targets waits" in unsigned.err) == (3, True)
    assert call("sign", signed, "--key", keys / "targets", "--key", keys / "online").code == 0
    assert call("refresh", signed, "--key", keys / "online").out == "Nothing had to be signed.\n"


def test_whoever_trusts_a_registry_once_takes_nothing_from_another(
    call, signed, serve, tokens, plugin, tmp_path
):
    keys = tmp_path / "keys"
    server = serve("registry", "--key", keys / "online")
    wrong = call("trust", server.url, "--fingerprint", "SHA256:other")
    assert wrong.code == 1
    assert "no key of its root" in wrong.err
    good = call("trust", server.url, "--fingerprint", fingerprint(keys / "root"))
    assert good.code == 0
    assert fingerprint(keys / "targets") in good.out
    assert "trusted already" in call("trust", server.url, "--yes").err
    with RegistryClient(Registry(url=server.url)) as client:
        assert client.search() == ()
    port = server.url.rpartition(":")[2]
    server.stop()
    serve("impostor", "--port", port)
    with (
        RegistryClient(Registry(url=server.url)) as client,
        pytest.raises(RegistryTrustError, match="not there"),
    ):
        client.search()


def test_keys_that_nobody_agrees_to_are_not_trusted(call, signed, serve, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # there is nobody to answer
    server = serve("registry")
    asked = call("trust", server.url)
    assert asked.code == 2
    assert "say --fingerprint" in asked.err
    with RegistryClient(Registry(url=server.url)) as client:
        assert client.search() == ()


def test_a_key_is_replaced(call, signed, tmp_path):
    keys = tmp_path / "keys"
    old = fingerprint(keys / "online")
    assert run_command(cli, ["keygen", str(keys / "new"), "--no-passphrase"]) == 0
    done = call(
        "root", signed, "--key", keys / "root", "--key", keys / "new",
        "--add", f"online={keys / 'new.pub'}", "--remove", f"online={old}", "--days", "timestamp=3",
    )  # fmt: skip
    assert done.code == 0, done.err
    roles = json.loads(call("root", signed, "--json").out)["roles"]
    assert roles["timestamp"]["fingerprints"] == [fingerprint(keys / "new")]
    assert old not in call("root", signed).out


def test_a_token_is_printed_once_and_kept_as_a_hash(call, tmp_path):
    file = tmp_path / "tokens"
    token = call("token", file, "ci", "--id", "team-*", "--id", "counter").out.strip()
    assert token not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = TokenFile(file).find(token)
    assert (found.name, found.ids) == ("ci", ("team-*", "counter"))
    again = call("token", file, "ci")
    assert (again.code, "already" in again.err) == (2, True)
    file.chmod(0o666)
    assert "others may write" in call("token", file, "other").err


def test_a_server_without_its_packages_says_how_to_install_them(tmp_path):
    script = (
        "import sys; sys.modules['starlette'] = None\n"
        "from nebula_lab.cli.main import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "registry", "serve", tmp_path],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'nebula-lab[registry]'" in done.stderr


def test_a_port_that_is_taken_is_an_error(call, shared, tmp_path):
    port = shared.url.rpartition(":")[2]
    done = call("serve", tmp_path / "registry", "--port", port)
    assert done.code == 2
    assert "can't listen" in done.err
