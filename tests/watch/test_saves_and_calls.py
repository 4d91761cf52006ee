"""A save of a suspended plugin, and a call of it that comes just then."""

from __future__ import annotations

import sys
import threading

from nebula_lab.model.events import SavedChange
from nebula_lab.runtime.catalogue import Catalogue


def _is_adopting() -> bool:
    """Whether a thread is about to let a new description take the old one's place."""
    frames = list(sys._current_frames().values())
    while frames:
        frame = frames.pop()
        if frame.f_code is Catalogue.adopt.__code__:
            return True
        if frame.f_back is not None:
            frames.append(frame.f_back)
    return False


def _is_free(lock) -> bool:
    if not lock.acquire(blocking=False):
        return False
    lock.release()
    return True


def test_a_call_that_comes_as_the_new_code_is_taken_leaves_no_old_code_under_its_name(
    live, wait_until
):
    source = live.write("one")
    plugins = live.open()
    assert plugins["one"].up() == [1, 1]
    live.watch()
    plugins.suspend_plugin("one")
    text = source.read_text().replace("[1, self", "[2, self").replace("1.0.0", "1.1.0")
    catalogue = plugins._engine.catalogue
    before, answers = len(live.events), []
    caller = threading.Thread(target=lambda: answers.append(plugins["one"].up()))
    with catalogue._lock:  # which taking it waits for
        source.write_text(text)
        wait_until(_is_adopting, "the new code is taken")
        is_free = _is_free(catalogue.record("one").lifecycle)
        caller.start()
        if is_free:
            wait_until(lambda: answers, "it has come up meanwhile")
    caller.join()
    assert live.wait_for(SavedChange, "one", after=before).error is None
    assert plugins["one"].up() == [2, 3]
    assert answers[0][1] == 2
    [info] = [one for one in plugins.list_plugins() if one.id == "one"]
    assert str(info.version) == "1.1.0"
