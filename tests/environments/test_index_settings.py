"""Where packages come from: the user's settings of uv, and of pip where uv has none."""

from __future__ import annotations

import base64
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from local_sources import write_project
from local_wheels import write_wheel

from nebula_lab.environments.cache import EnvironmentCache
from nebula_lab.environments.index_settings import index_settings
from nebula_lab.errors import EnvironmentFailedError
from nebula_lab.model import PythonNeeds
from nebula_lab.model.python_config import PythonConfig


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A user without any settings, whose files a test writes."""
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_", "XDG_CONFIG")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "none"))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    # The machine's own pip.conf may name one too.
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")

    def write(pip="", uv=""):
        (tmp_path / "pip.conf").write_text(pip)
        (tmp_path / ".config" / "uv").mkdir(parents=True, exist_ok=True)
        (tmp_path / ".config" / "uv" / "uv.toml").write_text(uv)

    write()
    return write


PIP = """[global]
index-url = http://127.0.0.1:9/simple
extra-index-url =
    http://127.0.0.1:9/a
    http://127.0.0.1:9/b
find_links = /one /two
trusted-host = 127.0.0.1
proxy = http://127.0.0.1:8
"""


def test_what_only_pip_knows_is_handed_over(user):
    user(pip=PIP)
    assert index_settings().variables == {
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "UV_INDEX": "http://127.0.0.1:9/a http://127.0.0.1:9/b",
        "UV_FIND_LINKS": "/one,/two",
        "UV_INSECURE_HOST": "127.0.0.1",
        "ALL_PROXY": "http://127.0.0.1:8",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_pip_s_variables_win_over_its_files(user, monkeypatch):
    user(pip=PIP)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:7/simple")
    assert index_settings().variables["UV_DEFAULT_INDEX"] == "http://127.0.0.1:7/simple"


@pytest.mark.parametrize("uv", ['index-url = "http://127.0.0.1:6"', "[pip]\nno-index = true"])
def test_where_uv_has_indexes_pip_s_are_left_alone(user, uv):
    user(pip=PIP, uv=uv)
    assert not [name for name in index_settings().variables if "INDEX" in name or "LINKS" in name]


def test_a_user_s_own_variables_are_not_replaced(user, monkeypatch):
    user(pip=PIP)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:5")
    monkeypatch.setenv("UV_INSECURE_HOST", "localhost")
    found = index_settings().variables
    assert "ALL_PROXY" not in found
    assert "UV_INSECURE_HOST" not in found


def test_other_indexes_are_another_question_and_another_password_is_none(user, monkeypatch):
    before = index_settings().fingerprint
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:secret@127.0.0.1:9/simple")
    with_index = index_settings().fingerprint
    assert with_index != before
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:changed@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", "/elsewhere")
    assert index_settings().fingerprint == with_index


@pytest.fixture
def server(tmp_path):
    """A package index that asks for a password, as PEP 503 and RFC 7617 have it."""
    write_project(tmp_path, "sourced")
    packages = {
        "guarded": write_wheel(tmp_path, "guarded", "1.0"),
        "sourced": tmp_path / "sourced-1.0.tar.gz",
    }
    pages = {}
    for name, file in packages.items():
        pages[f"/simple/{name}/"] = f'<a href="/{file.name}">{file.name}</a>'.encode()
        pages[f"/{file.name}"] = file.read_bytes()
    wanted = "Basic " + base64.b64encode(b"me:secret").decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            is_known = self.headers.get("Authorization") == wanted
            content = pages.get(urlsplit(self.path).path)  # a proxy is asked for all of it
            self.send_response(401 if not is_known else 404 if content is None else 200)
            if not is_known:
                self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content or b"") if is_known else 0))
            self.end_headers()
            if is_known and content:
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_):
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"127.0.0.1:{running.server_port}/simple"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("where", ["pip.conf", "uv.toml"])
def test_an_index_with_a_password_gives_packages_and_the_password_is_nowhere(
    user, server, tmp_path, where
):
    address = f"http://me:secret@{server}"
    if where == "pip.conf":
        user(pip=f"[global]\nindex-url = {address}\n")
    else:
        user(uv=f'[[index]]\nurl = "{address}"\ndefault = true\n')
    cache = EnvironmentCache(host=())
    found = cache.ready(PythonNeeds(dependencies=("guarded",)))
    assert Path(found.packages[0], "guarded.py").exists()
    with pytest.raises(EnvironmentFailedError) as caught:
        cache.ready(PythonNeeds(dependencies=("guarded>=2",)))
    cache.close()
    assert "secret" not in str(caught.value)
    kept = [one for one in (tmp_path / "home").rglob("*") if one.is_file()]
    assert kept
    assert not [one for one in kept if b"me:secret" in one.read_bytes()]


def test_an_index_that_refuses_says_so(user, server):
    user(pip=f"[global]\nindex-url = http://me:wrong@{server}\n")
    cache = EnvironmentCache(host=())
    with pytest.raises(EnvironmentFailedError, match="refused access") as caught:
        cache.ready(PythonNeeds(dependencies=("guarded",)))
    cache.close()
    assert "wrong@" not in str(caught.value)


def test_a_source_comes_from_there_too_and_its_build_sees_no_password(user, server, tmp_path):
    user(pip=f"[global]\nindex-url = http://me:secret@{server}\n")
    cache = EnvironmentCache(host=(), python=PythonConfig(allow_source=True))
    found = cache.ready(PythonNeeds(dependencies=("sourced",)))
    assert Path(found.packages[0], "sourced.py").exists()
    cache.close()
    kept = [one for one in (tmp_path / "home").rglob("*") if one.is_file()]
    assert not [one for one in kept if b"me:secret" in one.read_bytes()]


@pytest.mark.parametrize("whose", ["pip", "variable"])
def test_packages_come_by_way_of_the_user_s_proxy(user, server, monkeypatch, whose):
    proxy = f"http://{server.removesuffix('/simple')}"
    # No such host is known to anybody, so nothing comes but by the proxy.
    pip = "[global]\nindex-url = http://me:secret@packages.invalid/simple\n"
    if whose == "pip":
        pip += f"proxy = {proxy}\n"
    else:
        monkeypatch.setenv("HTTP_PROXY", proxy)
    user(pip=pip)
    cache = EnvironmentCache(host=())
    found = cache.ready(PythonNeeds(dependencies=("guarded",)))
    cache.close()
    assert Path(found.packages[0], "guarded.py").exists()
