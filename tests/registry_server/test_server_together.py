"""Many at once, and ends in the middle."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from server_lab import archive, bearer

from nebula_lab.registry.publishing.changes import Change, finish_change
from nebula_lab.registry.publishing.folder import RegistryFolder


def at_once(server, token, archives):
    """The answers to uploads that all begin before one of them ends."""
    together = threading.Barrier(len(archives))

    def upload(content):
        together.wait(30)
        return httpx.post(
            f"{server.url}/upload", content=content, headers=bearer(token), timeout=60
        )

    with ThreadPoolExecutor(len(archives)) as threads:
        return list(threads.map(upload, archives))


def test_of_one_version_uploaded_twice_at_once_one_wins(shared, tokens):
    sources = [f"def plugin_entry(): return {number}\n" for number in range(4)]
    answers = at_once(shared, tokens.all, [archive("raced", source=one) for one in sources])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, 409, 409, 409]
    [won] = [answer.json() for answer in answers if answer.status_code == 201]
    [version] = shared.get("/plugins/raced.json").json()["versions"]
    assert version["archive"]["sha256"] == won["archive"]["sha256"]


def test_versions_and_plugins_uploaded_at_once_are_all_there(shared, tokens):
    names = [("both", "1.0.0"), ("both", "1.1.0"), ("beside", "1.0.0"), ("third", "1.0.0")]
    answers = at_once(shared, tokens.all, [archive(*name) for name in names])
    assert [answer.status_code for answer in answers] == [201] * 4
    assert shared.versions("both") == ["1.1.0", "1.0.0"]
    listed = {one["id"]: one for one in shared.get("/index.json").json()["plugins"]}
    assert {"both", "beside", "third"} <= listed.keys()
    assert listed["both"]["latest"] == "1.1.0"


def test_who_comes_while_many_upload_is_asked_to_wait(serve, tokens, wait_until):
    server = serve("registry", "--token-file", tokens.file)
    head = f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tokens.all}\r\n"
    connections = [server.socket() for _ in range(16)]
    try:
        for connection in connections:
            connection.sendall(f"{head}Content-Length: 1000\r\n\r\nabc".encode())
        incoming = server.folder / ".registry/incoming"
        wait_until(lambda: incoming.is_dir() and len(list(incoming.iterdir())) == 16, "not all", 30)
        answer = server.upload(archive(), tokens.all)
        assert (answer.status_code, answer.json()["error"]) == (503, "busy")
        assert answer.headers["retry-after"] == "5"
    finally:
        for connection in connections:
            connection.close()
    wait_until(lambda: not list(incoming.iterdir()), "still some", 30)
    assert server.upload(archive(), tokens.all).status_code == 201


def test_a_server_that_is_killed_during_an_upload_leaves_a_whole_registry(
    serve, tokens, wait_until
):
    server = serve("registry", "--token-file", tokens.file)
    assert server.upload(archive(version="1.0.0"), tokens.all).status_code == 201
    index = (server.folder / "index.json").read_bytes()
    content = archive(version="1.1.0")
    with server.socket() as connection:
        head = f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tokens.all}\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[:99])
        incoming = server.folder / ".registry/incoming"
        wait_until(lambda: list(incoming.iterdir()), "no upload", 30)
        server.kill()
    assert (server.folder / "index.json").read_bytes() == index
    again = serve("registry", "--token-file", tokens.file)
    assert again.versions() == ["1.0.0"]
    assert list(incoming.iterdir()) == []
    assert again.upload(content, tokens.all).status_code == 201
    assert again.versions() == ["1.1.0", "1.0.0"]


CHANGES = """
import sys, itertools
from pathlib import Path
from nebula_lab.registry.publishing.folder import RegistryFolder
folder = RegistryFolder(Path(sys.argv[1]))
for number in itertools.count():
    with folder.changing() as change:
        for name in ("a", "b/c", "d"):
            change.put(name, str(number).encode())
    print(number, flush=True)
"""


def test_a_change_happens_as_a_whole_or_not_at_all_whenever_its_process_is_killed(tmp_path):
    choices = random.Random(6)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", CHANGES, tmp_path], stdout=subprocess.PIPE, text=True
        )
        for _ in range(choices.randrange(1, 9)):
            said = process.stdout.readline()
        process.kill()
        process.communicate(timeout=30)
        with RegistryFolder(tmp_path).changing():
            pass
        contents = {(tmp_path / name).read_text() for name in ("a", "b/c", "d")}
        assert len(contents) == 1
        assert int(contents.pop()) >= int(said)
        assert [path.name for path in (tmp_path / ".registry").iterdir()] == ["lock"]


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_change_that_was_cut_off_is_finished_by_whoever_comes_next(tmp_path, moved):
    private = tmp_path / ".registry"
    private.mkdir()
    change = Change(tmp_path, private)
    for name in ("a", "b"):
        change.put(name, b"new")
    staged = json.loads(json.dumps(change._staged))
    (private / "change.json").write_text(json.dumps(staged))
    for name in list(staged)[:moved]:
        (private / staged[name]).rename(tmp_path / name)
    assert finish_change(tmp_path, private)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"new"
    assert not finish_change(tmp_path, private)


def test_a_change_that_fails_leaves_nothing(tmp_path):
    folder = RegistryFolder(tmp_path)
    with pytest.raises(RuntimeError), folder.changing() as change:
        change.put("a", b"new")
        raise RuntimeError
    assert not (tmp_path / "a").exists()
    assert [path.name for path in folder.private.iterdir()] == ["lock"]
