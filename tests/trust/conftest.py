"""Plugins on disk, their files as values, and stores."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nebula_lab.discovery import read_descriptor
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.key_file import signer_from_file
from nebula_lab.trust.key_files import parse_inline_keys
from nebula_lab.trust.signing import sign
from nebula_lab.trust.store import ContentStore
from nebula_lab.trust.verifying import TrustPolicy, verify

PLUGIN = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {"id": "counter", "version": "1.0.0"}

class Counter(Plugin):
    @operation
    def one(self) -> int:
        return 1

def plugin_entry():
    return Counter()
"""
MANIFEST = 'id = "{id}"\nversion = "1.0.0"\n'


@pytest.fixture
def plugins(tmp_path):
    """A folder of plugins."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


@pytest.fixture
def write(plugins):
    """Writes a file into the folder of plugins."""

    def write(name: str, content: str | bytes = "") -> Path:
        path = plugins / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def counter(write):
    """A plugin of one file."""
    return write("counter.py", PLUGIN)


@pytest.fixture
def package(write):
    """A plugin that is a package, with its manifest inside."""
    write("pack/plugin.toml", MANIFEST.format(id="pack"))
    write("pack/inner/__init__.py", "VALUE = 1\n")
    write("pack/inner/data.bin", bytes(range(256)))
    return write("pack/__init__.py", "from .inner import VALUE\ndef plugin_entry(): ...\n").parent


@pytest.fixture
def take():
    """Collects the plugin at a path."""
    return lambda path: collect(read_descriptor(path))


@pytest.fixture
def store(tmp_path):
    return ContentStore(tmp_path / "store")


@pytest.fixture
def names():
    """The paths of what was collected."""
    return lambda collected: [file.path for file in collected.files.files]


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Key pairs made by ssh-keygen, by what they are; each is made once."""
    folder = tmp_path_factory.mktemp("keys")
    made: dict[str, Path] = {}
    options = {
        "rsa": ["-t", "rsa", "-b", "3072"],
        "rsa1024": ["-t", "rsa", "-b", "1024"],
        "ecdsa256": ["-t", "ecdsa", "-b", "256"],
        "ecdsa384": ["-t", "ecdsa", "-b", "384"],
        "ecdsa521": ["-t", "ecdsa", "-b", "521"],
    }

    def key(name: str = "ed25519") -> Path:
        if name not in made:
            made[name] = folder / name
            kind = options.get(name, ["-t", "ed25519"])
            command = ["ssh-keygen", "-q", *kind, "-N", "", "-C", f"{name}@example.org"]
            subprocess.run([*command, "-f", made[name]], check=True)
        return made[name]

    return key


def public_line(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text().strip()


@pytest.fixture
def trusting():
    """A policy that trusts the keys in these files."""

    def trust(*keys: Path, **options) -> TrustPolicy:
        return TrustPolicy(parse_inline_keys(tuple(map(public_line, keys))), **options)

    return trust


@pytest.fixture
def signed(take, keys):
    """Signs the plugin at a path with a key."""

    def sign_it(path: Path, key: str = "ed25519") -> Path:
        return sign(take(path), signer_from_file(keys(key), ask=no_passphrase))

    return sign_it


def no_passphrase() -> str:
    pytest.fail("asked for a passphrase that the key does not have")


@pytest.fixture
def checked(take, keys, trusting):
    """What is said of the plugin at a path by somebody who trusts the usual key."""
    return lambda path: verify(take(path), trusting(keys()))
