"""A server of a registry as a process, and archives to send it."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from nebula_lab.registry.server.tokens import add_token

MANIFEST = 'id = "{id}"\nversion = "{version}"\ndescription = "{description}"\n'
SOURCE = "def plugin_entry(): ...\n"
COMMAND = "import sys; from nebula_lab.cli.main import main; sys.exit(main())"


def archive(plugin_id="counter", version="1.0.0", *, source=SOURCE, more=(), description="Counts"):
    """A plugin's archive, as a stranger's program may make it."""
    manifest = MANIFEST.format(id=plugin_id, version=version, description=description)
    files = [
        (f"{plugin_id}/__init__.py", source),
        (f"{plugin_id}/plugin.toml", manifest),
        *more,
    ]
    return zipped(files)


def zipped(files):
    """A zip file of names, or whole entries, and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return buffer.getvalue()


def nebula_lab(*words, **options):
    """A process of `nebula-lab`."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, words)],
        stdin=subprocess.DEVNULL,
        **options,
    )


class Server:
    """`nebula-lab registry serve` on a free port of loopback."""

    def __init__(self, folder: Path, log: Path, *options) -> None:
        self.folder = folder
        self.log = log
        with log.open("ab") as err:
            self.process = nebula_lab(
                "registry", "serve", folder, "--port", 0, *options,
                stdout=subprocess.PIPE, stderr=err,
            )  # fmt: skip
        line = self.process.stdout.readline().decode()
        assert " at http" in line, log.read_text()
        self.url = line.rpartition(" at ")[2].strip()
        self.client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def get(self, path, **headers):
        return self.client.get(path, headers=headers)

    def upload(self, content, token, **more):
        return self.client.post("/upload", content=content, headers=bearer(token), **more)

    def change(self, what, token, **asked):
        return self.client.post(f"/{what}", json=asked, headers=bearer(token))

    def versions(self, plugin_id="counter"):
        answer = self.get(f"/plugins/{plugin_id}.json")
        return [one["version"] for one in answer.json().get("versions", [])]

    def socket(self):
        parts = urlsplit(self.url)
        return socket.create_connection((parts.hostname, parts.port), timeout=30)

    def kill(self):
        self.process.kill()
        self._end()

    def stop(self):
        if self.process.returncode is None:
            self.process.terminate()
            self._end()

    def _end(self):
        self.client.close()
        self.process.wait(30)
        self.process.stdout.close()


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


class Tokens:
    """A file of tokens: one for everything, one for some ids, one for reading only."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "tokens"
        self.all = add_token(self.file, "operator", ["*"])
        self.some = add_token(self.file, "team", ["team-*", "counter"])
        self.reader = add_token(self.file, "reader", [])


def environment(home):
    return {**os.environ, "NEBULA_LAB_HOME": str(home)}
