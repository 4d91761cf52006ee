"""Plugins to publish, and servers of registries in processes of their own."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.request import urlopen

from nebula_lab.discovery import FileSystemDiscoverer
from nebula_lab.model import SecurityConfig
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.installing.install import Installation

# Long enough for a machine under load to answer, and no more than a test can wait for in vain.
IMPATIENT = Patience(connect=10, silence=10, document=20, attempts=3, first_pause=0.001)
SOURCE = """from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {metadata!r}


class Toy(Plugin):
    @operation
    def version(self) -> str:
        return {version!r}


def plugin_entry():
    return Toy()
"""


def write_plugin(folder: Path, plugin_id: str, version: str = "1.0.0", **metadata) -> Path:
    """A plugin of one file."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {"id": plugin_id, "version": version, "api_version": 1, **metadata}
    path = folder / f"{plugin_id}.py"
    path.write_text(SOURCE.format(metadata=described, version=version))
    return path


def write_package(folder: Path, plugin_id: str, version: str = "1.0.0", **files) -> Path:
    """A plugin of a folder, with more files by their names without the suffix."""
    package = folder / plugin_id
    package.mkdir(parents=True, exist_ok=True)
    (package / "plugin.toml").write_text(f'id = "{plugin_id}"\nversion = "{version}"\n')
    metadata = {"id": plugin_id}
    source = SOURCE.format(metadata=metadata, version=version)
    (package / "__init__.py").write_text(source)
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    return package


class Served:
    """A registry that is served by a process.

    Args:
        folder: its folder.
        port: of the server.
        within: where the folder is in what the server has.
        certificate: of a server with TLS.
    """

    def __init__(
        self, folder: Path, port: int, within: str = "", certificate: Path | None = None
    ) -> None:
        self.folder = folder
        self.port = port
        self.within = within
        self.origin = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        self.tls = ssl.create_default_context(cafile=certificate) if certificate else None

    def url(self, mode: str = "plain") -> str:
        return f"{self.origin}/{mode}/{self.within}"

    def registry(self, mode: str = "plain", **more) -> Registry:
        return Registry(url=self.url(mode), **more)

    def requests(self) -> list[dict]:
        with urlopen(f"{self.origin}/log", context=self.tls) as answer:
            return json.load(answer)

    def asked(self, mode: str, part: str = "") -> list[dict]:
        """The headers of each request for what has `part` in its path."""
        return [
            one["headers"]
            for one in self.requests()
            if one["path"].startswith(f"/{mode}/{self.within}") and part in one["path"]
        ]


@contextlib.contextmanager
def serving(folder: Path, *certificate_and_key: Path):
    program = Path(__file__).with_name("hostile_server.py")
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", program, folder, *certificate_and_key],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        certificate = certificate_and_key[0] if certificate_and_key else None
        yield Served(folder, int(process.stdout.readline()), certificate=certificate)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def versions(folder) -> dict[str, str]:
    found = FileSystemDiscoverer(folder).discover()
    assert not [one for one in found.problems if one.severity == "error"]
    return {one.id: str(one.version) for one in found.descriptors}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that is not ours alone."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def installation(growing, folder, **more) -> Installation:
    return Installation(folder, (growing.registry,), SecurityConfig(), **more)


PROGRAM = textwrap.dedent("""
    import sys
    from pathlib import Path
    from nebula_lab.model import SecurityConfig
    from nebula_lab.model.discovery_strategy import FileSystem, Registry
    from nebula_lab.registry.installing.install import Installation
    from nebula_lab.registry.installing.wanted import read_wanted

    def told(*words):
        print(*words, flush=True)

    def install(*words):
        act = Installation(Path(sys.argv[2]), (Registry(url=sys.argv[1]),), SecurityConfig(),
                           progress=told)
        return act.install([read_wanted(word) for word in words])
""")


def started(served, folder, program, mode="plain", **more):
    """A process that installs into a folder, as its program says."""
    words = [sys.executable, "-c", PROGRAM + textwrap.dedent(program), served.url(mode), folder]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
