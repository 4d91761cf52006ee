"""A choice that would take for ever ends, and says how far it came."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from nebula_lab import PluginConfig, PluginManager
from nebula_lab.errors import ChoosingTimeoutError

HOLES = 40


@pytest.fixture
def endless(shelf):
    """Forty-one pigeons want one of forty holes each: exponential for a search like ours."""
    pigeons = [
        f"pigeon-{one} {hole}.0.0: hole-{hole} ={one}.0.0"
        for one in range(HOLES + 1)
        for hole in range(HOLES)
    ]
    holes = [f"hole-{hole} {one}.0.0" for hole in range(HOLES) for one in range(HOLES + 1)]
    return shelf(*pigeons, *holes)


def wanted():
    return [f"pigeon-{one}" for one in range(HOLES + 1)]


def test_a_choice_has_an_end_and_says_how_far_it_came(endless):
    with pytest.raises(ChoosingTimeoutError, match=r"for 0\.2 s, and none were found") as caught:
        endless.choose(*wanted(), patience=0.2)
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert error.seconds == 0.2
    assert 0 <= error.decided < error.plugins <= 2 * HOLES + 1
    assert error.contradictions
    assert set(error.contended) <= {*wanted(), *(f"hole-{one}" for one in range(HOLES))}
    assert "choosing_timeout" in error.hint


def test_what_a_registry_makes_up_for_ever_has_an_end(shelf):
    made_up = shelf()
    numbers = itertools.count()

    def releases_of(plugin_id):
        made_up.releases[:] = shelf(f"{plugin_id} 1.0.0: next-{next(numbers)}").releases
        return made_up.releases

    made_up.releases_of = releases_of
    with pytest.raises(ChoosingTimeoutError, match="contradictions"):
        made_up.choose("first", patience=0.1)


def test_very_many_versions_with_needs_of_their_own_have_an_end(shelf):
    count = 3_000
    needing = [f"many 1.{one}.0: other >=1.{one}, <1.{one + 1}" for one in range(count)]
    plugins = shelf(*needing, *(f"other 1.{one}.0" for one in range(count)))
    with pytest.raises(ChoosingTimeoutError):
        plugins.choose("other", "many", patience=0.1)


def test_an_interrupt_ends_a_choice():
    program = textwrap.dedent("""
        import sys
        sys.path.insert(0, sys.argv[1])
        from conftest import Shelf, release
        pairs = [(one, hole) for one in range(41) for hole in range(40)]
        lines = [f"p{one} {hole}.0.0: h{hole} ={one}.0.0" for one, hole in pairs]
        lines += [f"h{hole} {one}.0.0" for one, hole in pairs]
        shelf = Shelf([release(one) for one in lines], [])
        print("begins", flush=True)
        shelf.choose(*(f"p{one}" for one in range(41)), patience=3600)
    """)
    words = [sys.executable, "-c", program, Path(__file__).parent]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begins\n"
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.stderr.read()
    assert process.returncode != 0


def test_a_manager_whose_plugins_can_not_be_chosen_in_time_starts_with_the_newest(tmp_path):
    holes = 14
    for one in range(holes + 1):
        for hole in range(holes):
            write(tmp_path, f"pigeon-{one}", f"{hole}.0.0", [f"hole-{hole} ={one}.0.0"])
            write(tmp_path, f"hole-{hole}", f"{one}.0.0", [])
    config = PluginConfig(plugin_dir=tmp_path, choosing_timeout=0.1)
    with PluginManager(config) as plugins:
        said = [one.message for one in plugins.problems if "0.1 s" in one.message]
        assert len(said) == 1
        assert str(plugins.descriptor("hole-0").version) == f"{holes}.0.0"


def write(folder, plugin_id, version, dependencies):
    metadata = {"id": plugin_id, "version": version, "dependencies": dependencies}
    (folder / f"{plugin_id}_{version}.py").write_text(f"PLUGIN_METADATA = {metadata!r}\n")
