"""Archives on their way here: cut off, stuck, wrong, several at once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import threading

import pytest
from msgspec.structs import replace
from registry_world import IMPATIENT, serving, write_package

from nebula_lab.errors import ArchiveError, RegistryDownError, RegistryError
from nebula_lab.registry.building.build import build
from nebula_lab.registry.client.cache import RegistryCache
from nebula_lab.registry.format.documents import Archive

ONCE = replace(IMPATIENT, attempts=1)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A registry with plugins of half a megabyte each."""
    plugins, out = tmp_path_factory.mktemp("plugins"), tmp_path_factory.mktemp("large")
    for number in range(8):
        path = write_package(plugins, f"large_{number}")
        (path / "data.bin").write_bytes(random.Random(number).randbytes(500_000))
    build(plugins, out)
    with serving(out) as server:
        yield server


def newest(client, plugin_id="large_0"):
    return plugin_id, client.plugin(plugin_id).versions[0]


def fetched(client, *pairs, **more):
    return client.fetch(pairs or [newest(client)], None, **more)


def archives(tmp_path):
    found = (tmp_path / "cache" / "archives").rglob("*")
    return {path.name for path in found if path.is_file() and path.stat().st_size}


def test_the_files_of_a_version_come(large, client_of):
    [one] = fetched(client_of(large.registry()))
    assert len(one.contents["large_0/data.bin"]) == 500_000


def test_an_archive_that_is_here_is_not_asked_for_again(large, client_of):
    fetched(client_of(large.registry("half-0")))
    fetched(client_of(large.registry("half-0")))
    assert len(large.asked("half-0", ".zip")) == 1


def test_an_archive_that_was_damaged_here_is_fetched_anew(large, client_of, tmp_path):
    fetched(client_of(large.registry()))
    [file] = (tmp_path / "cache" / "archives").glob("*/*.zip")
    file.write_bytes(file.read_bytes()[:1000])
    fetched(client_of(large.registry()))


def test_half_an_archive_is_continued(large, client_of, tmp_path):
    fetched(client_of(large.registry("half-1")))
    first, second = large.asked("half-1", ".zip")
    assert "range" not in first
    assert second["range"].startswith("bytes=25")
    assert second["if-range"].startswith('"')
    assert all(name.endswith(".zip") for name in archives(tmp_path))


def test_half_an_archive_is_continued_the_next_time(large, client_of):
    client = client_of(large.registry("half"), ONCE)
    with pytest.raises(RegistryDownError, match="ended the connection"):
        fetched(client)
    fetched(client_of(large.registry("plain")))
    assert large.asked("plain", ".zip")[-1]["range"].startswith("bytes=25")


def test_an_archive_that_comes_too_slowly_is_given_up_and_continued_the_next_time(large, client_of):
    # A byte now and then is no silence: all of it has to come at a least rate.
    hasty = replace(ONCE, document=2.0, slowest=1e9)  # enough for what comes before the archive
    with pytest.raises(RegistryDownError, match="did not give all of its answer within 2"):
        fetched(client_of(large.registry("trickle"), hasty))
    fetched(client_of(large.registry("trickle")))
    _, second = large.asked("trickle", ".zip")
    assert int(second["range"].removeprefix("bytes=").removesuffix("-")) >= 1000


def test_an_archive_that_always_breaks_off_is_given_up(large, client_of, tmp_path):
    with pytest.raises(RegistryDownError):
        fetched(client_of(large.registry("half"), replace(IMPATIENT, attempts=2)))
    assert not any(name.endswith(".zip") for name in archives(tmp_path))


def test_a_registry_that_can_not_continue_begins_anew(large, client_of):
    with pytest.raises(RegistryDownError):
        fetched(client_of(large.registry("half"), ONCE))
    fetched(client_of(large.registry("nameless")))


def test_a_registry_that_gives_another_part_begins_anew(large, client_of):
    with pytest.raises(RegistryDownError):
        fetched(client_of(large.registry("half"), ONCE))
    fetched(client_of(large.registry("shifted")))


def test_the_beginning_of_something_else_is_thrown_away(large, client_of, tmp_path):
    client = client_of(large.registry())
    plugin_id, version = newest(client)
    cache = RegistryCache(large.url(), tmp_path / "cache")
    cache.partial(version.archive.sha256).write_bytes(b"x" * 1000)
    fetched(client, (plugin_id, version))


def test_a_wrong_archive_is_refused_and_not_kept(large, client_of, tmp_path):
    with pytest.raises(ArchiveError, match="its hash is another"):
        fetched(client_of(large.registry("wrong")))
    assert not archives(tmp_path)
    fetched(client_of(large.registry()))


def test_an_archive_that_is_not_there_is_explained(large, client_of):
    client = client_of(large.registry())
    plugin_id, version = newest(client)
    gone = replace(version, archive=Archive("0" * 64, 10))
    with pytest.raises(ArchiveError, match=r"does not have the archive \(404\)"):
        fetched(client, (plugin_id, gone))


def test_an_archive_longer_than_was_promised_is_not_read(large, client_of):
    client = client_of(large.registry())
    plugin_id, version = newest(client)
    short = replace(version, archive=Archive(version.archive.sha256, 1000))
    with pytest.raises(RegistryError, match="longer than the 1,000 bytes"):
        fetched(client, (plugin_id, short))


def test_an_archive_shorter_than_was_promised_is_no_archive(large, client_of):
    client = client_of(large.registry("nameless"), ONCE)
    plugin_id, version = newest(client)
    longer = replace(version, archive=Archive(version.archive.sha256, version.archive.size + 9))
    with pytest.raises(RegistryDownError, match="it ended after"):
        fetched(client, (plugin_id, longer))


def test_an_archive_that_is_too_large_is_not_asked_for(large, client_of):
    client = client_of(large.registry())
    plugin_id, version = newest(client)
    with pytest.raises(ArchiveError, match="at most 264"):
        fetched(client, (plugin_id, replace(version, archive=Archive("f" * 64, 2**39))))
    assert not large.asked("plain", "ffffff")


def test_an_archive_may_be_on_another_host_which_gets_no_secret(large, client_of):
    client = client_of(large.registry("plain", auth="token:canary"))
    plugin_id, version = newest(client)
    archive = version.archive
    path = f"archives/{archive.sha256[:2]}/{archive.sha256}.zip"
    elsewhere = replace(archive, url=f"http://localhost:{large.port}/status-404/../plain/{path}")
    fetched(client, (plugin_id, replace(version, archive=elsewhere)))
    assert "authorization" not in large.asked("plain", ".zip")[-1]


@pytest.mark.parametrize("url", ["ftp://h/x", "https://a:b@h/x", "http://plugins.example.org/x"])
def test_an_archive_at_an_address_that_will_not_do_is_not_fetched(large, client_of, url):
    client = client_of(large.registry())
    plugin_id, version = newest(client)
    bad = replace(version, archive=replace(version.archive, url=url))
    with pytest.raises(RegistryError, match=r"no web address|without TLS"):
        fetched(client, (plugin_id, bad))


def test_several_come_at_once_in_the_order_that_was_asked_for(large, client_of):
    client = client_of(large.registry())
    pairs = [newest(client, f"large_{number}") for number in (3, 1, 7, 0, 5, 2)]
    assert [one.plugin_id for one in fetched(client, *pairs)] == [one for one, _ in pairs]


def test_progress_is_told_on_the_callers_thread(large, client_of):
    told = []
    fetched(
        client_of(large.registry()),
        progress=lambda *words: told.append((threading.current_thread(), words)),
    )
    assert {thread for thread, _ in told} == {threading.current_thread()}
    assert told[0][1] == ("large_0 1.0.0", 0.0, 0.5, "MB")
    assert told[-1][1] == ("large_0 1.0.0", 0.5, 0.5, "MB")


def test_a_failure_ends_the_others(large, client_of):
    client = client_of(large.registry("stuck"))
    good, (plugin_id, version) = newest(client), newest(client, "large_1")
    bad = replace(version, archive=Archive("0" * 64, 2**39))
    with pytest.raises(ArchiveError):
        fetched(client, good, (plugin_id, bad))
    assert client.plugin("large_2"), "the client goes on"


def test_an_interrupt_ends_downloads_that_are_stuck(large, tmp_path):
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from nebula_lab.model.discovery_strategy import Registry
        from nebula_lab.registry.client.client import RegistryClient

        def told(*words):
            print(*words, flush=True)

        with RegistryClient(Registry(url=sys.argv[1]), cache=Path(sys.argv[2])) as client:
            pairs = [(f"large_{n}", client.plugin(f"large_{n}").versions[0]) for n in range(3)]
            try:
                client.fetch(pairs, None, told)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
    """)
    words = [sys.executable, "-c", program, large.url("stuck"), str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    with process.stdout:
        seen = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert all("large_" in line for line in seen)
    assert rest.splitlines()[-1] == "interrupted"
    assert process.wait(20) == 0


def test_two_processes_fetch_one_archive_at_once(large, tmp_path):
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from nebula_lab.model.discovery_strategy import Registry
        from nebula_lab.registry.client.client import RegistryClient

        with RegistryClient(Registry(url=sys.argv[1]), cache=Path(sys.argv[2])) as client:
            wanted = [("large_4", client.plugin("large_4").versions[0])]
            print(client.fetch(wanted, None)[0].files.digest)
    """)
    words = [sys.executable, "-c", program, large.url("half-1"), str(tmp_path)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = {process.communicate(timeout=60)[0] for process in both}
    assert len(said) == 1
    assert {process.returncode for process in both} == {0}


def test_a_full_disk_is_said_and_leaves_room(large, tmp_path):
    program = textwrap.dedent("""
        import resource
        import sys
        from pathlib import Path
        from nebula_lab.errors import RegistryError
        from nebula_lab.model.discovery_strategy import Registry
        from nebula_lab.registry.client.client import RegistryClient

        with RegistryClient(Registry(url=sys.argv[1]), cache=Path(sys.argv[2])) as client:
            wanted = [("large_6", client.plugin("large_6").versions[0])]
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))
            try:
                client.fetch(wanted, None)
            except RegistryError as error:
                print(error)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
            print(len(client.fetch(wanted, None)))
    """)
    words = [sys.executable, "-c", program, large.url(), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert "can't be kept: File too large" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "1"


def test_one_that_is_late_is_asked_for_again_and_breaks_off_no_other(large, client_of):
    """The others wait, half here, until it has been asked for again."""
    patience = replace(IMPATIENT, document=3.0, slowest=1.0, silence=60, at_once=4)
    client = client_of(large.registry("late"), patience)
    wanted = [newest(client, f"large_{number}") for number in range(4)]
    assert len(client.fetch(wanted, None)) == 4
    asked = [one["path"] for one in large.requests() if one["path"].startswith("/late/archives")]
    assert sorted(asked.count(path) for path in set(asked)) == [1, 1, 1, 2]
