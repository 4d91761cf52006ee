"""A small registry in a folder, with keys, and a client that reads it from there."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from nebula_lab.errors import RegistryDownError, RegistryError
from nebula_lab.registry.protection.keys import public_key_from, signer_from
from nebula_lab.registry.protection.memory import RegistryMemory
from nebula_lab.registry.protection.roles import USUAL_DAYS, Role
from nebula_lab.registry.protection.session import open_session
from nebula_lab.registry.protection.signing import initialise, sign
from nebula_lab.registry.publishing.folder import RegistryFolder
from nebula_lab.trust.key_making import make_key

URL = "http://127.0.0.1/registry"


def no_passphrase():
    raise AssertionError("the keys of these tests have none")


class Keys:
    """Keys in files, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(exist_ok=True)
            make_key(path, comment=name)
        return path

    def signer(self, name: str):
        return signer_from(self.file(name), no_passphrase)

    def public(self, name: str):
        return public_key_from(self.file(name).with_suffix(".pub"))


def archive_of(plugin_id: str, version: str) -> str:
    return hashlib.sha256(f"{plugin_id} {version}".encode()).hexdigest()


def offer(folder: Path, plugin_id: str, *versions: str, yanked: tuple[str, ...] = ()) -> None:
    """Write what the registry says of a plugin, and of all of them."""
    entries = [
        {
            "version": version,
            "archive": {"sha256": archive_of(plugin_id, version), "size": 100},
            "yanked": "a reason" if version in yanked else None,
        }
        for version in versions
    ]
    (folder / "plugins").mkdir(parents=True, exist_ok=True)
    document = {"format": 1, "id": plugin_id, "versions": entries}
    (folder / "plugins" / f"{plugin_id}.json").write_text(json.dumps(document))
    listed = sorted(path.stem for path in (folder / "plugins").glob("*.json"))
    index = {"format": 1, "plugins": [{"id": one} for one in listed]}
    (folder / "index.json").write_text(json.dumps(index))


class FolderTransport:
    """Reads a registry from a folder; `blocked` stands for a network that is down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blocked = False
        self.asked: list[str] = []

    def __call__(self, path: str, most: int) -> bytes | None:
        self.asked.append(path)
        if self.blocked:
            raise RegistryDownError("can't be reached", path=URL)
        place = self.folder / path
        if not place.is_file():
            return None
        content = place.read_bytes()
        if len(content) > most:
            raise RegistryError("is too large", path=URL)
        return content


class Lab:
    """A protected registry, its keys, and one client."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "registry"
        self.keys = Keys(base / "keys")
        self.folder = RegistryFolder(self.root)
        self.transport = FolderTransport(self.root)
        self.memory = RegistryMemory(URL, base / "client")

    def init(self, days=USUAL_DAYS, now=None):
        keys = {role: [self.keys.public(role.value)] for role in Role}
        report = initialise(self.folder, keys, self.signers(), days=days, now=now)
        self.memory.trust((self.root / "metadata/1.root.json").read_bytes())
        return report

    def signers(self, *names: str):
        return [self.keys.signer(name) for name in names or list(Role)]

    def sign(self, *names: str, now=None):
        return sign(self.folder, self.signers(*names), now=now)

    def session(self):
        return open_session(self.memory, self.transport)

    def copy(self, name: str) -> Path:
        """The registry as it is now, to be served again later."""
        return shutil.copytree(self.root, self.base / name)
