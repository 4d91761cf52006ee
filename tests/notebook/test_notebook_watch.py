"""Files that are saved while a notebook is open."""

from __future__ import annotations

import threading

import pytest

from nebula_lab.current import current_manager
from nebula_lab.model.events import PluginDiscovered, SavedChange


class Told:
    """Waits for what comes of a save."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._events: list = []
        current_manager().subscribe(self._take, only=(SavedChange, PluginDiscovered))

    def _take(self, event) -> None:
        with self._came:
            self._events.append(event)
            self._came.notify_all()

    def wait(self, number: int = 1) -> None:
        """Wait until so many saves have been dealt with, and the notebook has been told."""
        with self._came:
            assert self._came.wait_for(lambda: len(self._events) >= number, 20), self._events


@pytest.fixture
def watched(notebook):
    """A notebook whose counter is loaded and watched."""
    notebook.run("%plugin call counter add n=2")
    notebook.run("%plugin watch on")
    return notebook, Told()


def edit(notebook, before, after):
    path = notebook.plugins / "counter.py"
    text = path.read_text()
    assert before in text
    # As editors do: whoever is reading the file just then is to find the one text or the other.
    fresh = path.with_suffix(".new")
    fresh.write_text(text.replace(before, after))
    fresh.replace(path)


def test_the_next_cell_says_that_a_save_is_live(watched):
    notebook, told = watched
    edit(notebook, '"version": "1.0.0"', '"version": "1.0.1"')
    told.wait()
    cell = notebook.run("%plugin call counter add")
    assert (cell.value, "counter 1.0.1 serves with new counter.py" in cell.shown) == (3, True)


def test_it_is_said_once(watched):
    notebook, told = watched
    edit(notebook, '"version": "1.0.0"', '"version": "1.0.1"')
    told.wait()
    notebook.run("1")
    assert notebook.run("2").shown == ""


def test_of_several_saves_the_last_one_is_told(watched):
    notebook, told = watched
    for number in (1, 2):
        edit(notebook, f'"version": "1.0.{number - 1}"', f'"version": "1.0.{number}"')
        told.wait(number)
    shown = notebook.run("1").shown
    assert "counter 1.0.2" in shown
    assert "counter 1.0.1" not in shown


def test_a_broken_save_is_a_box_with_the_reason_and_what_serves(watched):
    notebook, told = watched
    edit(notebook, "class Counter", "1 / 0\nclass Counter")
    told.wait()
    cell = notebook.run("%plugin call counter add")
    assert cell.value == 3
    for part in ("ZeroDivisionError", "1 / 0", "counter 1.0.0 goes on serving"):
        assert part in cell.shown
    assert 'role="alert"' in cell.bundles[0]["text/html"]


def test_a_new_plugin_is_told(watched):
    notebook, told = watched
    text = (notebook.plugins / "counter.py").read_text().replace('"id": "counter"', '"id": "fresh"')
    (notebook.plugins / "fresh.py").write_text(text)
    told.wait()
    assert "There is a new plugin: fresh 1.0.0 in fresh.py." in notebook.run("1").shown


def test_a_cell_that_writes_a_plugin_tells_it_once(watched):
    notebook, told = watched
    text = (notebook.plugins / "counter.py").read_text()
    notebook.run(f"%%plugin counter\n{text}\n# changed")
    edit(notebook, "# changed", "# again")
    told.wait()
    assert current_manager().list_plugins()[0].reload_count == 2
    assert notebook.run("1").shown.count("counter") == 2  # its name and its file's


def test_watch_says_what_is_watched_and_how(notebook):
    assert "from when the first plugin" in notebook.run("%plugin watch").shown
    notebook.run("%plugin load counter")
    shown = notebook.run("%plugin watch on").shown
    for part in ("the files of counter", "plugins  ", "inotify"):
        assert part in shown
    assert "not watched" in notebook.run("%plugin watch off").shown


def test_on_and_off_are_completed(notebook):
    assert notebook.complete("%plugin watch o") == ["on", "off"]


def test_after_unload_ext_nothing_is_told(watched):
    notebook, told = watched
    edit(notebook, '"version": "1.0.0"', '"version": "1.0.1"')
    told.wait()
    notebook.run("%unload_ext nebula_lab")
    assert notebook.run("1").shown == ""
