"""What signs: key files, agents, and keys of our own making."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from nebula_lab.errors import SignatureError, SshKeyError
from nebula_lab.trust.agent import signer_from_agent
from nebula_lab.trust.key_file import signer_from_file
from nebula_lab.trust.key_making import make_key
from nebula_lab.trust.signing import sign
from nebula_lab.trust.ssh_keygen import SshKeygenSigner
from nebula_lab.trust.ssh_strings import ssh_string
from nebula_lab.trust.verifying import verify


def test_an_encrypted_key_asks_for_its_passphrase(package, take, tmp_path, trusting):
    key = tmp_path / "key"
    make_key(key, "secret words")
    sign(take(package), signer_from_file(key, ask=lambda: "secret words"))
    assert verify(take(package), trusting(key)).is_good


@pytest.mark.parametrize("passphrase", ["wrong", ""])
def test_a_wrong_passphrase_is_said(tmp_path, passphrase):
    make_key(tmp_path / "key", "secret words")
    with pytest.raises(SshKeyError, match="passphrase is wrong"):
        signer_from_file(tmp_path / "key", ask=lambda: passphrase)


def _public_key(folder, keys):
    path = folder / "key"
    shutil.copy(keys().with_suffix(".pub"), path)
    path.chmod(0o600)
    return path


def _pem(folder, keys):
    path = folder / "key"
    command = ["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", path]
    subprocess.run(command, check=True)
    return path


def _open_to_all(folder, keys):
    path = folder / "key"
    shutil.copy(keys(), path)
    path.chmod(0o644)
    return path


def _cut_short(folder, keys):
    path = _open_to_all(folder, keys)
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:2], *lines[-2:]]))
    path.chmod(0o600)
    return path


def _short_rsa(folder, keys):
    return keys("rsa1024")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder, keys: folder / "nothing", "No such file"),
        (lambda folder, keys: folder, "Is a directory"),
        (_public_key, "public key, not the private"),
        (_pem, "ssh-keygen -p"),
        (_open_to_all, "chmod 600"),
        (_cut_short, "can't be used"),
        (_short_rsa, "1024 bits"),
    ],
)
def test_a_key_that_cant_sign_is_refused_with_the_reason(package, take, tmp_path, keys, make, said):
    with pytest.raises(SignatureError) as caught:
        sign(take(package), signer_from_file(make(tmp_path, keys), ask=str))
    assert said in str(caught.value)
    assert not (package / "plugin.sums").exists()


def test_a_key_that_we_make_is_one_for_openssh(tmp_path):
    line = make_key(tmp_path / "key", comment="ana@example.org")
    said = subprocess.run(
        ["ssh-keygen", "-y", "-f", tmp_path / "key"], capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[:2] == line.split()[:2]
    assert (tmp_path / "key.pub").read_text() == f"{line}\n"
    assert line.endswith(" ana@example.org")


def test_a_private_key_is_for_its_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        make_key(tmp_path / "key")
    finally:
        os.umask(before)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["key", "key.pub"])
def test_no_key_is_written_over(tmp_path, name):
    (tmp_path / name).symlink_to("nowhere")
    with pytest.raises(SshKeyError, match="is there already"):
        make_key(tmp_path / "key")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_key_that_cant_be_written_is_an_error(tmp_path):
    with pytest.raises(SshKeyError, match="can't be written"):
        make_key(tmp_path / "missing" / "key")


@pytest.fixture
def short_folder():
    """A folder whose path leaves room for the name of a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def agent(short_folder, monkeypatch):
    """An SSH agent without keys; gives a function that adds one."""
    path = short_folder / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline()  # it listens once it has told where
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield lambda key: subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True)
    process.terminate()
    process.communicate(timeout=10)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa521"])
def test_an_agent_signs_with_its_only_key(package, take, keys, trusting, agent, kind):
    agent(keys(kind))
    sign(take(package), signer_from_agent(None))
    assert verify(take(package), trusting(keys(kind))).is_good


def test_an_agent_signs_with_the_key_that_is_named(package, take, keys, trusting, agent):
    agent(keys())
    agent(keys("ecdsa256"))
    sign(take(package), signer_from_agent(keys("ecdsa256").with_suffix(".pub")))
    assert verify(take(package), trusting(keys("ecdsa256"))).is_good


def test_of_several_keys_one_has_to_be_named(keys, agent):
    agent(keys())
    agent(keys("ecdsa256"))
    with pytest.raises(SshKeyError, match="has 2 keys") as caught:
        signer_from_agent(None)
    assert "--key" in caught.value.hint


def test_an_agent_without_the_key_says_so(keys, agent):
    with pytest.raises(SshKeyError, match="has 0 keys"):
        signer_from_agent(None)
    with pytest.raises(SshKeyError, match="does not have the key SHA256:"):
        signer_from_agent(keys().with_suffix(".pub"))


def test_without_an_agent_that_is_said(monkeypatch, tmp_path):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(SshKeyError, match="SSH_AUTH_SOCK"):
        signer_from_agent(None)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "nobody"))
    with pytest.raises(SshKeyError, match="can't be asked"):
        signer_from_agent(None)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\0\0\1",
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"\0\0\0\1\5",
        b"\0\0\0\5\x0c\xff\xff\xff\xff",
        b"\0\0\0\3\x0c\0\0",
    ],
)
def test_an_agent_that_talks_rubbish_is_an_error(short_folder, monkeypatch, answer):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(short_folder / "agent"))
        listener.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(short_folder / "agent"))

        def serve():
            with listener.accept()[0] as connection:
                connection.recv(100)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(SignatureError):
            signer_from_agent(None)
        thread.join(10)


def test_a_security_key_is_used_by_way_of_ssh_keygen(tmp_path):
    blob = b"".join(map(ssh_string, ("sk-ssh-ed25519@openssh.com", b"\1" * 32, "ssh:")))
    signer = signer_from_file(_private_file(tmp_path, blob), ask=str)
    assert isinstance(signer, SshKeygenSigner)
    with pytest.raises(SshKeyError, match="ssh-keygen could not sign"):
        signer.sign(b"text")


def _private_file(folder, public_blob):
    """As much of a private key file as can be seen without the token."""
    import base64

    body = b"openssh-key-v1\0" + b"".join(map(ssh_string, ("none", "none", "")))
    body += b"\0\0\0\1" + ssh_string(public_blob) + ssh_string(b"\0" * 64)
    path = folder / "sk"
    text = base64.encodebytes(body).decode()
    path.write_text(
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}-----END OPENSSH PRIVATE KEY-----\n"
    )
    path.chmod(0o600)
    return path


def test_ssh_keygens_signature_by_this_way_is_good(package, take, keys, trusting):
    from nebula_lab.trust.key_lines import read_key_line

    public = read_key_line(keys().with_suffix(".pub").read_text()).key
    sign(take(package), SshKeygenSigner(keys(), public))
    assert verify(take(package), trusting(keys())).is_good


def test_a_signer_whose_signature_does_not_hold_leaves_nothing_behind(package, take, keys):
    class Liar:
        public_key = None

        def sign(self, message):
            return signer_from_file(keys(), ask=str).sign(message + b"x")

    with pytest.raises(SignatureError, match="does not fit"):
        sign(take(package), Liar())
    assert not (package / "plugin.sums").exists()


def test_a_plugin_described_elsewhere_is_not_signed(write, take, keys):
    write("src/tool.py", "def plugin_entry(): ...")
    manifest = write("tool.toml", 'id = "tool"\nversion = "1.0.0"\npath = "src/tool.py"\n')
    with pytest.raises(SignatureError, match="would not be signed with it"):
        sign(take(manifest), signer_from_file(keys(), ask=str))
