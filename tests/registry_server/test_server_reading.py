"""What a server gives to whoever reads."""

from __future__ import annotations

import hashlib

import pytest
from server_lab import archive, bearer


@pytest.fixture(scope="module")
def published(shared, tokens):
    """A plugin that is there already, and what the server said of it."""
    answer = shared.upload(archive("first", description="Counts the sheep"), tokens.all)
    assert answer.status_code == 201
    return answer.json()


def archive_path(published):
    digest = published["archive"]["sha256"]
    return f"/archives/{digest[:2]}/{digest}.zip"


def test_a_published_version_can_be_had(shared, published):
    content = shared.get(archive_path(published)).content
    assert hashlib.sha256(content).hexdigest() == published["archive"]["sha256"]
    assert shared.versions("first") == ["1.0.0"]
    [entry] = [one for one in shared.get("/index.json").json()["plugins"] if one["id"] == "first"]
    assert entry["latest"] == "1.0.0"


@pytest.mark.parametrize("path", ["/index.json", "/plugins/first.json"])
def test_a_document_that_is_known_is_not_sent_again(shared, published, path):
    first = shared.get(path)
    assert "no-cache" in first.headers["cache-control"]
    again = shared.get(path, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert shared.get(path, **{"If-None-Match": '"other"'}).status_code == 200


def test_an_archive_may_be_kept_for_ever_and_is_continued(shared, published):
    path = archive_path(published)
    whole = shared.get(path)
    assert "immutable" in whole.headers["cache-control"]
    assert whole.headers["etag"] == f'"{published["archive"]["sha256"]}"'
    rest = shared.get(path, Range="bytes=100-", **{"If-Range": whole.headers["etag"]})
    assert (rest.status_code, rest.content) == (206, whole.content[100:])
    anew = shared.get(path, Range="bytes=100-", **{"If-Range": '"another"'})
    assert (anew.status_code, anew.content) == (200, whole.content)


def test_head_says_how_long_an_archive_is(shared, published):
    answer = shared.client.head(archive_path(published))
    assert int(answer.headers["content-length"]) == published["archive"]["size"]


@pytest.mark.parametrize(
    "path",
    [
        "/.registry/lock",
        "/.registry",
        "/plugins",
        "/plugins/",
        "/plugins/missing.json",
        "/plugins/../../secret.json",
        "/../secret.json",
        "/plugins/..%2f..%2fsecret.json",
        "/%2e%2e/secret.json",
        "/archives/00/x.zip",
        "/metadata/timestamp.json",
        "/index.json%00",
        "//etc/passwd",
    ],
)
def test_nothing_else_of_the_folder_is_given_out(shared, path):
    (shared.folder.parent / "secret.json").write_text("{}")
    with shared.socket() as connection:  # a client would tidy the path
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert b" 404 " in answer.split(b"\r\n")[0]
    assert b'"not_found"' in answer
    assert b"no-store" in answer


def test_search_finds_what_the_index_says(shared, published):
    found = shared.get("/search?q=SHEEP").json()
    assert [one["id"] for one in found["plugins"]] == ["first"]
    assert shared.get("/search?q=wolves").json() == {"format": 1, "total": 0, "plugins": []}


def test_the_address_itself_says_what_it_is(shared, published):
    assert shared.get("/").json()["format"] == 1


def test_what_a_server_does_not_know_it_refuses(shared):
    answer = shared.client.delete("/plugins/first.json")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_a_private_registry_is_read_with_a_token_only(serve, tokens):
    server = serve("registry", "--token-file", tokens.file, "--private")
    assert server.get("/index.json").status_code == 401
    answer = server.get("/index.json", **bearer(tokens.reader))
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("private")
    assert answer.json()["format"] == 1
