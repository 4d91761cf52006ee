"""Uploads that come too slowly, or that can't be put into their place."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest
from server_lab import Tokens, archive, bearer

PROGRAM = """
import sys
from pathlib import Path
from nebula_lab.registry.publishing.folder import RegistryFolder
from nebula_lab.registry.server.application import application
from nebula_lab.registry.server.pace import Pace
from nebula_lab.registry.server.running import Listening, run
from nebula_lab.registry.server.tokens import TokenFile

folder = RegistryFolder(Path(sys.argv[1]))
folder.begin()
served = application(folder, tokens=TokenFile(Path(sys.argv[2])), pace=Pace(30, 2.0, 10_000))
if __name__ == "__main__":
    run(served, Listening("127.0.0.1", 0), lambda url: print(url, flush=True))
"""


@pytest.fixture
def impatient(tmp_path):
    """A server that wants ten thousand bytes a second after two seconds."""
    tokens, program = Tokens(tmp_path), tmp_path / "program.py"
    program.write_text(PROGRAM)
    words = [sys.executable, program, tmp_path / "registry", tokens.file]
    log = (tmp_path / "log").open("w")
    with log, subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log) as process:
        try:
            url = process.stdout.readline().decode().strip()
            assert url, (tmp_path / "log").read_text()
            with httpx.Client(base_url=url, headers=bearer(tokens.all), timeout=30) as client:
                yield client
        finally:
            process.terminate()


def sent(client, pieces):
    """The answer to a body of so many pieces, as soon as there is one."""
    parts = urlsplit(str(client.base_url))
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        token = client.headers["authorization"]
        head = f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
        connection.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode())
        connection.settimeout(0.01)
        answer = b""
        for piece in pieces:
            connection.sendall(piece)
            try:
                answer += connection.recv(65536)
            except TimeoutError:
                continue
            if b"too_slow" in answer:
                return answer.decode()
    raise AssertionError(answer)


def test_who_uploads_a_byte_now_and_then_loses_its_place(impatient, tmp_path):
    answer = sent(impatient, itertools.repeat(b"x"))
    assert answer.startswith("HTTP/1.1 408 ")
    assert "bytes came in" in answer
    assert list((tmp_path / "registry" / ".registry" / "incoming").iterdir()) == []
    assert impatient.post("/upload", content=archive()).status_code == 201


def test_a_change_that_is_decided_and_not_in_its_place_is_told_as_that(impatient, tmp_path):
    assert impatient.post("/upload", content=archive()).status_code == 201
    archives = tmp_path / "registry" / "archives"
    in_the_way = [archives / f"{number:02x}" for number in range(256)]
    for path in in_the_way:
        path.exists() or path.write_text("")
    answer = impatient.post("/upload", content=archive("other"))
    assert (answer.status_code, answer.json()["error"]) == (500, "unfinished")
    for path in in_the_way:
        path.is_dir() or path.unlink()
    assert impatient.post("/upload", content=archive(version="1.1.0")).status_code == 201
    assert impatient.get("/plugins/other.json").status_code == 200
