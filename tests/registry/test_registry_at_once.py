"""Installations into one folder at the same time: each is planned with what the others left."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from registry_world import installation, versions

from nebula_lab.errors import InstallError, NoVersionFitsError
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.wanted import read_wanted

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def rivals(growing):
    """Two plugins that need different versions of a third."""
    growing.add("shared", "1.0.0")
    growing.add("shared", "2.0.0")
    growing.add("old", "1.0.0", dependencies=["shared ^1"])
    growing.add("new", "1.0.0", dependencies=["shared ^2"])
    return growing


def test_the_second_is_planned_with_what_the_first_has_brought(rivals, folder):
    """Its first plan was made before that, and would have taken from the first what it needs."""
    held, planned = threading.Event(), threading.Event()

    def first():
        """Install while the other one has planned and waits."""
        act = installation(rivals, folder)
        with PluginFolder(folder).changing():
            held.set()
            assert planned.wait(30)
        act.install([read_wanted("old")])
        done.set()

    def second():
        assert held.wait(30)
        # Told while it waits for the lock, and so after it has planned.
        act = installation(rivals, folder, progress=tell)
        with pytest.raises(NoVersionFitsError, match=r"old 1\.0\.0 needs shared \^1"):
            act.install([read_wanted("new")])

    def tell(label, *_):
        if label.startswith("waiting"):
            planned.set()
            assert done.wait(30), "so that the other one has the lock next"

    done = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(first), threads.submit(second)]:
            one.result()
    assert versions(folder) == {"old": "1.0.0", "shared": "1.0.0"}


def test_who_waits_for_another_says_so_and_does_not_wait_for_ever(growing, folder):
    told = []
    act = installation(growing, folder, patience=0.02, progress=lambda *words: told.append(words))
    refused = pytest.raises(InstallError, match=r"has been locked by another process for 0\.02 s")
    with PluginFolder(folder).changing(), refused:
        act.install([read_wanted("counter")])
    label, _, *bound = next(one for one in told if one[0].startswith("waiting"))
    assert (label, bound) == ("waiting for another installation into mine", [0.02, "s"])
    assert versions(folder) == {}
    act.install([read_wanted("counter")])
    assert versions(folder) == {"counter": "1.0.0"}


def test_many_threads_that_install_at_once_leave_what_one_after_another_would(rivals, folder):
    def one(word):
        try:
            installation(rivals, folder).install([read_wanted(word)])
        except NoVersionFitsError:
            return word
        return None

    with ThreadPoolExecutor(4) as threads:
        refused = set(threads.map(one, ["old", "new", "old", "new", "counter", "shared"])) - {None}
    found = versions(folder)
    needed = {"old": "1.0.0", "new": "2.0.0"}
    [winner] = needed.keys() & found.keys()
    assert found["shared"] == needed[winner]
    assert refused == needed.keys() - {winner}


def test_a_terminal_says_that_it_waits(growing, folder):
    program = "import sys; from nebula_lab.cli.main import main; sys.exit(main())"
    words = ["install", "counter", "--registry", growing.registry.url, "--plugin-dir", folder]
    with PluginFolder(folder).changing():
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = process.stderr.readline()
    with process:
        assert said == "waiting for another installation into mine, for 120 s at most\n"
        assert process.stdout.read() == "Installed counter 1.0.0.\n"
