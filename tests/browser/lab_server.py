"""A JupyterLab of the tests' own, with nothing of the user's and nothing left of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from language_pack import write_language_pack

import nebula_lab

START = 60.0  # seconds
# What it says of a session, or of a session's kernel, that has ended by itself meanwhile.
GONE = (404, 410)
# The Python of an environment with another JupyterLab and the project's wheel, to try that.
OTHER = os.environ.get("NEBULA_TEST_LAB")
# The built sidebar of this checkout, whatever is installed in the environment.
LABEXTENSION = Path(nebula_lab.__file__).parent / "labextension"
OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Light"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


class LabServer:
    """One server process; its folder has the notebooks.

    Args:
        folder: for all of its files.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self.log = folder / "log.txt"
        self._reserved = _reserved_port()
        self.port = self._reserved.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        if OTHER is None:
            extensions = folder / "data" / "labextensions"
            extensions.mkdir(parents=True)
            (extensions / "nebula-lab").symlink_to(LABEXTENSION)
        write_language_pack(folder / "languages")
        config = folder / "config" / "labconfig"
        config.mkdir(parents=True)
        (config / "default_setting_overrides.json").write_text(json.dumps(OVERRIDES))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [OTHER or sys.executable, "-m", "jupyterlab", *self._options()],
                cwd=self.root,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _options(self) -> list[str]:
        return [
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            "--IdentityProvider.token=",
            "--ServerApp.disable_check_xsrf=True",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.news_url=",
        ]

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.get("/api/status")
                return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise AssertionError(f"JupyterLab did not come up:\n{self.log.read_text()[-4000:]}")

    def get(self, path: str) -> object:
        """The JSON that it answers with."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def set(self, plugin: str, **settings: object) -> None:
        """Store settings of one of JupyterLab's parts, for pages that are loaded from now on."""
        self._send("PUT", f"/lab/api/settings/{plugin}", {"raw": json.dumps(settings)})

    def end_kernels(self, path: str | None = None) -> None:
        """Shut down every session and kernel, or those of one notebook."""
        for session in self.get("/api/sessions"):
            if path in (None, session["path"]):
                self._send("DELETE", f"/api/sessions/{session['id']}")
        if path is None:
            for kernel in self.get("/api/kernels"):
                self._send("DELETE", f"/api/kernels/{kernel['id']}")

    def _send(self, method: str, path: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            if error.code not in GONE:
                raise

    def close(self) -> None:
        """End it; kernels go with it."""
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reserved.close()


def _environment(folder: Path) -> dict[str, str]:
    """Ours, with every folder in which Jupyter keeps something below `folder`."""
    foreign = ("JUPYTER",) if OTHER is None else ("JUPYTER", "PYTHONPATH", "VIRTUAL_ENV")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    folders = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    for name, below in folders.items():
        (folder / below).mkdir(parents=True, exist_ok=True)
        kept[name] = str(folder / below)
    paths = [kept.get("PYTHONPATH", ""), str(folder / "languages")]
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    kept["JUPYTER_PREFER_ENV_PATH"] = "0"  # our sidebar, and not that of a virtual environment
    return kept


def _reserved_port() -> socket.socket:
    """A socket that holds a free port for the server, which takes seconds to listen at it.

    Where both say that the address may be used again, one may listen that another is bound to; the
    system gives it to nobody who asks for any port.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder
