"""What a server takes, and from whom."""

from __future__ import annotations

import base64
import stat
import subprocess
import sys
import zipfile

import pytest
from server_lab import SOURCE, archive, bearer, zipped

from nebula_lab.registry.archives.opening import ARCHIVE_LIMIT


def test_nobody_publishes_without_a_token(shared, tokens):
    for token, status, error in (
        ("", 401, "no_token"),
        ("wrong", 401, "wrong_token"),
        (tokens.reader, 403, "forbidden"),
    ):
        answer = shared.upload(archive("nobodys"), token)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert shared.versions("nobodys") == []


def test_a_token_publishes_its_own_plugins_only(shared, tokens):
    assert shared.upload(archive("team-one"), tokens.some).status_code == 201
    answer = shared.upload(archive("others"), tokens.some)
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")


def test_a_token_may_come_as_a_password(shared, tokens):
    pair = base64.b64encode(f"anybody:{tokens.all}".encode()).decode()
    answer = shared.client.post(
        "/upload", content=archive("password"), headers={"Authorization": f"Basic {pair}"}
    )
    assert answer.status_code == 201


def test_a_token_that_is_removed_ends_at_once(serve, tmp_path):
    from server_lab import Tokens

    tokens = Tokens(tmp_path)
    server = serve("registry", "--token-file", tokens.file)
    asked = "/upload?id=counter&version=1.0.0"
    assert server.get(asked, **bearer(tokens.all)).status_code == 200
    tokens.file.write_text("")
    assert server.get(asked, **bearer(tokens.all)).status_code == 401


def test_a_published_version_never_changes(shared, tokens):
    content = archive("fixed")
    assert shared.upload(content, tokens.all).status_code == 201
    before = shared.get("/plugins/fixed.json").content
    again = shared.upload(content, tokens.all)
    assert (again.status_code, again.json()["same"]) == (409, True)
    other = shared.upload(archive("fixed", source="def plugin_entry(): return 1\n"), tokens.all)
    assert (other.status_code, other.json()["same"]) == (409, False)
    assert "Raise the version" in other.json()["hint"]
    assert shared.get("/plugins/fixed.json").content == before


def test_whether_it_would_be_taken_can_be_asked_before(shared, tokens):
    shared.upload(archive("asked"), tokens.all)
    there = shared.get("/upload?id=asked&version=1.0.0&sha256=0", **bearer(tokens.all))
    assert (there.status_code, there.json()["same"]) == (409, False)
    new = shared.get("/upload?id=asked&version=1.0.1", **bearer(tokens.all))
    assert new.json() == {"most_bytes": ARCHIVE_LIMIT}
    assert shared.get("/upload?id=../x&version=1.0.0", **bearer(tokens.all)).status_code == 400


def test_ids_that_differ_in_case_only_are_refused(shared, tokens):
    assert shared.upload(archive("cased"), tokens.all).status_code == 201
    answer = shared.upload(archive("Cased"), tokens.all)
    assert (answer.status_code, answer.json()["error"]) == (409, "name_taken")


def test_a_version_is_withdrawn_and_offered_again(shared, tokens):
    shared.upload(archive("bad"), tokens.all)
    withdrawn = shared.change("yank", tokens.all, id="bad", version="1.0.0", reason="it is bad")
    assert withdrawn.status_code == 200
    [version] = shared.get("/plugins/bad.json").json()["versions"]
    assert version["yanked"] == "it is bad"
    [entry] = shared.get("/search?q=bad").json()["plugins"]
    assert "latest" not in entry
    shared.change("unyank", tokens.all, id="bad", version="1.0.0")
    [version] = shared.get("/plugins/bad.json").json()["versions"]
    assert "yanked" not in version


@pytest.mark.parametrize(
    ("asked", "status", "error"),
    [
        ({"id": "missing", "version": "1.0.0"}, 404, "no_version"),
        ({"id": "../../tokens", "version": "1.0.0"}, 400, "malformed"),
        ({"id": "missing"}, 400, "malformed"),
        ({"id": "missing", "version": "1.0.0", "reason": "x" * 50_000}, 413, "too_large"),
    ],
)
def test_what_cannot_be_withdrawn_is_refused(shared, tokens, asked, status, error):
    answer = shared.change("yank", tokens.all, **asked)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def entry(name, mode):
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    return made


HOSTILE = {
    "rubbish": (b"this is no zip file", "no zip file"),
    "a path that leads out": (archive("h1", more=[("../evil.py", "")]), "leads out"),
    "an absolute path": (archive("h2", more=[("/tmp/evil.py", "")]), "absolute"),
    "a link": (archive("h3", more=[(entry("h3/ln", stat.S_IFLNK | 0o777), "/etc/passwd")]), "link"),
    "a device": (archive("h4", more=[(entry("h4/null", stat.S_IFCHR | 0o666), "")]), "device"),
    "a bomb": (archive("h5", more=[("h5/zeros", b"\0" * 50_000_000)]), "times as large"),
    "a file that is no part of it": (archive("h6", more=[("other.py", "")]), "no part"),
    "no description": (zipped([("plain/__init__.py", SOURCE)]), ""),
    "two plugins": (
        zipped([(f"{name}.py", f'PLUGIN_METADATA = {{"id": "{name}", "version": "1.0.0"}}\n')
                for name in ("one", "two")]),
        "describe a plugin",
    ),
    "a wrong version": (archive("h7", "1.0"), "version"),
    "an id that is a path": (archive("../h8"), ""),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_archive_is_refused_and_leaves_nothing(shared, tokens, name):
    content, said = HOSTILE[name]
    index = shared.get("/index.json").content
    answer = shared.upload(content, tokens.all)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_archive")
    assert said in answer.json()["message"]
    assert str(shared.folder) not in answer.text
    assert shared.get("/index.json").content == index
    assert list((shared.folder / ".registry/incoming").iterdir()) == []


def test_a_source_that_overwhelms_the_parser_hurts_nobody_else(shared, tokens):
    source = "x = " + "(" * 5_000_000
    metadata = f'PLUGIN_METADATA = {{"id": "deep", "version": "1.0.0"}}\n{source}\n'
    answer = shared.upload(zipped([("deep.py", metadata)]), tokens.all)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_archive")
    assert shared.get("/").status_code == 200


CONFINED = """
import resource, socket, sys
from pathlib import Path
from nebula_lab.confine import landlock
from nebula_lab.registry.server.examining import give_up_rights

archive, work, secret, port = map(str, sys.argv[1:])
give_up_rights(Path(archive), Path(work))

def works(act):
    try:
        act()
    except PermissionError:
        return False
    return True

tried = {
    "read the archive": works(lambda: Path(archive).read_bytes()),
    "write beside it": works(lambda: Path(work, "new").write_text("x")),
    "read a key": works(lambda: Path(secret).read_bytes()),
    "write elsewhere": works(lambda: Path(secret).write_text("x")),
}
if landlock.version() >= 4:
    tried["connect"] = works(lambda: socket.create_connection(("127.0.0.1", int(port))))
allowed = {name for name, done in tried.items() if done}
assert {"read the archive", "write beside it"} <= allowed
assert len(allowed) == (2 if landlock.version() else 4), allowed
assert resource.getrlimit(resource.RLIMIT_CPU)[0] == 60
print("as it should be")
"""


def test_what_looks_at_an_upload_reaches_nothing_else(shared, tmp_path):
    for name in ("archive", "secret"):
        (tmp_path / name).write_text("x")
    (tmp_path / "work").mkdir()
    port = shared.url.rpartition(":")[2]
    words = [str(tmp_path / name) for name in ("archive", "work", "secret")]
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, *words, port],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "as it should be\n", done.stderr


def test_nothing_of_a_plugin_runs_when_it_is_published(shared, tokens, tmp_path):
    source = f"open({str(tmp_path / 'ran')!r}, 'w')\n{SOURCE}"
    assert shared.upload(archive("runs", source=source), tokens.all).status_code == 201
    assert not (tmp_path / "ran").exists()


def test_what_is_served_is_packed_anew_from_what_was_checked(shared, tokens):
    sent = archive("repacked")
    digest = shared.upload(sent, tokens.all).json()["archive"]["sha256"]
    served = shared.get(f"/archives/{digest[:2]}/{digest}.zip").content
    assert served != sent
    assert shared.upload(served, tokens.all).json()["same"]


def test_an_upload_that_says_it_is_too_long_is_not_read(shared, tokens):
    with shared.socket() as connection:
        connection.sendall(
            b"POST /upload HTTP/1.1\r\nHost: x\r\n"
            + f"Authorization: Bearer {tokens.all}\r\n".encode()
            + f"Content-Length: {ARCHIVE_LIMIT + 1}\r\n\r\n".encode()
        )
        assert b" 413 " in connection.recv(1000).split(b"\r\n")[0]


def test_an_empty_upload_is_refused(shared, tokens):
    answer = shared.upload(b"", tokens.all)
    assert (answer.status_code, answer.json()["error"]) == (400, "empty")


def test_no_token_is_in_the_log(shared, tokens):
    pair = base64.b64encode(f"anybody:{tokens.all}".encode()).decode()
    shared.client.post("/upload", content=b"x", headers={"Authorization": f"Basic {pair}"})
    shared.upload(archive("logged"), tokens.all)
    shared.upload(b"x", "a-wrong-token-of-mine")
    log = shared.log.read_text()
    assert "operator published logged 1.0.0" in log
    for secret in (tokens.all, tokens.some, tokens.reader, pair, "a-wrong-token-of-mine"):
        assert secret not in log
